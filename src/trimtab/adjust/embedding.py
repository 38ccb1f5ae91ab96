"""Vectors of chosen words moved: rows of the token embedding plus a difference, all other rows untouched.

    E'[t] = E[t] + s delta[t]        for the tokens t of the words; s is the strength

    nudge      delta = d (c - E[t])         towards a cluster's centre c, by the share d of the way
               delta = d (E[t] - c)         away from it;  d (c' - c) towards c' and away from c
    prototype  delta = p - E[t]             p the mean of a cluster, or of the other words: (1 - s) own + s prototype
    gradient   delta = argmin L + lambda ||delta||^2, L the training loss, everything else frozen

Where the head is the embedding matrix itself (tied), only what the network reads is changed unless both is asked for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from trimtab.adjust import weights
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting, training_settings
from trimtab.adjust.fitting import train_followed
from trimtab.adjust.loop import ALONE, Settings, Training
from trimtab.adjust.vocabulary import centre, ids_of, vectors
from trimtab.errors import ModelError
from trimtab.model import sites
from trimtab.model.hooks import Change, changing
from trimtab.model.load import Base
from trimtab.model.mixed import Changes
from trimtab.records import Report, TokenRow, content_hash
from trimtab.run import read_json, write_json

Fit = Literal["nudge", "prototype", "gradient"]
Side = Literal["input", "both"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which words are moved, and how.

    Attributes:
        towards: words of the cluster that is approached; of a prototype the words that it is the mean of.
        away: words of the cluster that is left.
        distance: of nudge, the share of the way.
        tied: where the head is the embedding matrix, change what is read only, or what is said as well.
    """

    fit: Fit
    words: tuple[str, ...]
    towards: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    distance: float = 0.1
    tied: Side = "input"


@dataclass(frozen=True)
class Embedding(Adjustment):
    """A difference `rows` (tokens, hidden) float32 to the embedding's rows of the tokens `ids`."""

    kind: ClassVar[str] = "embedding"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"network"})
    rows: torch.Tensor
    ids: tuple[int, ...]
    shape: Shape
    base: str
    training: Settings | None = None
    strength: float = 1.0

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        return content_hash([self.kind, weights.digest({"rows": self.rows}), self._record()])

    def scaled(self, factor: float) -> Embedding:
        """The same difference, `factor` times as large."""
        return dataclasses.replace(self, strength=self.strength * factor)

    @contextlib.contextmanager
    def attach(self, base: Base) -> Iterator[None]:
        """Change the words' vectors as the network reads them; as the head has them too, if it is tied and asked for.

        Raises:
            ModelError: made for another base.
        """
        weights.check_base(base.fingerprint, self.base, "embedding")
        network = base.network
        if self.strength and self._shared(network):
            change: contextlib.AbstractContextManager[None] = weights.lent(network, self._whole(network))
        else:
            change = changing(network, {name: one for name, (one,) in self.changes(base).items()})
        with change:
            yield

    def changes(self, base: Base) -> Changes:
        """What is done to what the embedding gives, and to the head's where it is the same matrix and moves too.

        Raises:
            ModelError: the difference was made for another base.
        """
        weights.check_base(base.fingerprint, self.base, "embedding")
        network = base.network
        if self.strength == 0:
            return {}
        if self._shared(network):
            return weights.changes(network, self._whole(network))
        name = sites.module_name(network, network.get_input_embeddings())
        return {name: (_read(network, self.ids, self.strength * self.rows.to(network.device)),)}

    def _shared(self, network: Any) -> bool:
        return self.shape.tied == "both" and is_tied(network)

    def _whole(self, network: Any) -> dict[str, torch.Tensor]:
        """The whole matrix with its rows moved, by its name."""
        name = sites.module_name(network, network.get_input_embeddings())
        at = torch.tensor(self.ids, device=network.device)
        whole = network.get_input_embeddings().weight.detach().clone()
        whole[at] = (whole[at].float() + self.strength * self.rows.to(network.device)).to(whole.dtype)
        return {f"{name}.weight": whole}

    def save(self, folder: Path) -> None:
        """Write `embedding.safetensors` (the difference) and `embedding.json` (all else)."""
        weights.write(folder / "embedding.safetensors", {"rows": self.rows}, {"base": self.base})
        write_json(folder / "embedding.json", self._record())

    @classmethod
    def load(cls, folder: Path) -> Embedding:
        """Read what `save` wrote."""
        tensors, _ = weights.read(folder / "embedding.safetensors")
        record = read_json(folder / "embedding.json")
        shape = record["shape"] | {
            name: tuple(record["shape"][name]) for name in ("words", "towards", "away")
        }
        training = Settings(**record["training"]) if record["training"] else None
        return cls(
            tensors["rows"],
            tuple(record["ids"]),
            Shape(**shape),
            record["base"],
            training,
            record["strength"],
        )

    def _record(self) -> dict[str, Any]:
        return {
            "ids": list(self.ids),
            "shape": dataclasses.asdict(self.shape),
            "base": self.base,
            "training": dataclasses.asdict(self.training) if self.training else None,
            "strength": self.strength,
        }

    def describe(self) -> Description:
        """Which words were moved, how, and how far."""
        shape = self.shape
        settings = {
            "fit": Setting(shape.fit),
            "words": Setting(list(shape.words)),
            "tokens": Setting(len(self.ids), "rows of the embedding"),
            "tied": Setting(shape.tied),
            "length": Setting(
                float(self.rows.norm(dim=1).mean()), "mean length of the difference at strength 1"
            ),
        }
        for name in ("towards", "away"):
            if getattr(shape, name):
                settings[name] = Setting(list(getattr(shape, name)))
        if shape.fit == "nudge":
            settings["distance"] = Setting(shape.distance, "share of the way")
        if self.training:
            settings |= training_settings(self.training)
        return Description(self.kind, self.strength, settings, self.rows.numel(), 4 * self.rows.numel())


def from_words(base: Base, shape: Shape) -> Embedding:
    """Words moved by where other words lie: fits `nudge` and `prototype`, which need no examples.

    Raises:
        ModelError: no words or clusters to move by, or a fit that needs examples.
    """
    ids = ids_of(base.tokenizer, shape.words)
    if shape.fit == "nudge":
        deltas = _nudged(base, ids, shape)
    elif shape.fit == "prototype":
        deltas = _towards_prototype(base, ids, shape)
    else:
        raise ModelError(f"embedding: fit {shape.fit} needs examples", "call embedding.fit")
    order = tuple(sorted(deltas))
    return Embedding(torch.stack([deltas[number] for number in order]), order, shape, base.fingerprint)


def fit(
    base: Base,
    rows: Sequence[TokenRow],
    shape: Shape,
    settings: Settings,
    *,
    held_out: Sequence[TokenRow] = (),
    folder: Path | None = None,
    report: Report | None = None,
) -> tuple[Embedding, Training]:
    """Train the difference of the words' rows alone, from 0; the network is left as it was found.

    Args:
        settings: `proximity` is lambda.
        held_out: rows whose loss (nats a token) is followed, and decides when to stop early.
        folder: where an interrupted training is kept and found again.
    """
    network = base.network
    before = base.fingerprint
    order = tuple(sorted({number for ids in ids_of(base.tokenizer, shape.words).values() for number in ids}))
    delta = torch.nn.Parameter(torch.zeros(len(order), network.config.hidden_size, device=network.device))
    changes = {sites.module_name(network, network.get_input_embeddings()): _read(network, order, delta)}
    if shape.tied == "both" and is_tied(network):
        changes[sites.module_name(network, network.get_output_embeddings())] = _said(order, delta)
    with changing(network, changes):
        training = train_followed(
            base,
            {"delta": delta},
            rows,
            settings,
            beside=ALONE,
            held_out=held_out,
            folder=folder,
            report=report,
        )
    return Embedding(delta.detach().cpu().clone(), order, shape, before, settings), training


def is_tied(network: Any) -> bool:
    """Whether the head is the embedding matrix itself."""
    head = network.get_output_embeddings()
    return head is not None and head.weight is network.get_input_embeddings().weight


def _nudged(base: Base, ids: dict[str, tuple[int, ...]], shape: Shape) -> dict[int, torch.Tensor]:
    if not shape.towards and not shape.away:
        raise ModelError("embedding: nudge has no cluster to move by", "name words in towards, or in away")
    near = centre(base, shape.towards) if shape.towards else None
    far = centre(base, shape.away) if shape.away else None
    numbers = sorted({number for found in ids.values() for number in found})
    own = dict(zip(numbers, vectors(base, numbers), strict=True))
    return {
        number: shape.distance * ((vector if near is None else near) - (vector if far is None else far))
        for number, vector in own.items()
    }


def _towards_prototype(base: Base, ids: dict[str, tuple[int, ...]], shape: Shape) -> dict[int, torch.Tensor]:
    if not shape.towards and len(ids) < 2:
        raise ModelError(
            "embedding: a prototype of other words needs at least two words",
            "name words in towards, or more words",
        )
    deltas: dict[int, list[torch.Tensor]] = {}
    for word, numbers in ids.items():
        prototype = centre(base, shape.towards or [other for other in ids if other != word])
        for number, vector in zip(numbers, vectors(base, numbers), strict=True):
            deltas.setdefault(number, []).append(prototype - vector)
    # A token of several words goes to the mean of their prototypes.
    return {number: torch.stack(found).mean(dim=0) for number, found in deltas.items()}


def _read(network: Any, ids: Sequence[int], delta: torch.Tensor) -> Change:
    """What the embedding module gives with a difference (tokens, hidden) added to the rows of `ids`."""
    module = network.get_input_embeddings()
    places = torch.full((module.weight.shape[0],), -1, device=module.weight.device)
    places[torch.tensor(ids, device=places.device)] = torch.arange(len(ids), device=places.device)
    # Some families scale what they look up (Gemma by the root of the hidden size).
    probe = torch.tensor(ids, device=places.device)
    length = float(module.weight[probe].float().norm())
    scale = float(module.forward(probe).float().norm()) / length if length else 1.0

    def change(asked: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        at = places[asked]
        moved = (output.float() + scale * delta[at.clamp(min=0)]).to(output.dtype)
        return torch.where((at >= 0)[..., None], moved, output)

    return change


def _said(ids: Sequence[int], delta: torch.Tensor) -> Change:
    """What a head without the difference gives, with it: (E + delta) h for the rows of `ids`."""

    def change(hidden: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        more = torch.nn.functional.linear(hidden, delta.to(hidden.dtype))
        return logits.index_add(-1, torch.tensor(ids, device=logits.device), more.to(logits.dtype))

    return change
