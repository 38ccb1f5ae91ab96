"""Some of the network's own weights, trained in full and kept as a difference to the base.

    W' = W + strength * delta

The last blocks, all norms, the head, or the embeddings. As many values as those weights have; strong, quick to
train because nothing below the first trained block needs a gradient, and large on disk. A tied head is the
embedding matrix itself: training either trains both, and the description says so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from trimtab.adjust import weights
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting, training_settings
from trimtab.adjust.fitting import keep, train_followed
from trimtab.adjust.loop import ALONE, Settings, Training
from trimtab.adjust.regularisers import Beside
from trimtab.model import sites
from trimtab.model.load import Base
from trimtab.model.mixed import Changes
from trimtab.records import Report, TokenRow, content_hash
from trimtab.run import read_json, write_json

Place = Literal["blocks", "norms", "head", "embeddings"]


@dataclass(frozen=True, slots=True)
class Where:
    """Which weights to train: `blocks` are numbers (negative from the end), the last quarter when none are given."""

    place: Place
    blocks: Sequence[int] = ()


@dataclass(frozen=True)
class Layers(Adjustment):
    """A trained difference to some of the base's weights."""

    kind: ClassVar[str] = "layers"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"network"})
    deltas: dict[str, torch.Tensor]
    place: str
    base: str
    training: Settings
    strength: float = 1.0

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        return content_hash([self.kind, weights.digest(self.deltas), self.base, self.strength])

    def scaled(self, factor: float) -> Layers:
        """The same difference, `factor` times as large."""
        return dataclasses.replace(self, strength=self.strength * factor)

    @contextlib.contextmanager
    def attach(self, base: Base) -> Iterator[None]:
        """Lend the network the base's weights plus the scaled difference.

        Raises:
            ModelError: the difference was trained on another base.
        """
        with weights.lent(base.network, self._full(base)):
            yield

    def changes(self, base: Base) -> Changes:
        """The outputs of the modules whose weights were trained, computed with theirs.

        Raises:
            ModelError: the difference was trained on another base.
        """
        return weights.changes(base.network, self._full(base))

    def _full(self, base: Base) -> dict[str, torch.Tensor]:
        """The base's weights plus the scaled difference; none at strength 0."""
        weights.check_base(base.fingerprint, self.base, "layers")
        network = base.network
        return {} if self.strength == 0 else {
            name: (network.get_parameter(name).data.float() + self.strength * delta.to(network.device))
            for name, delta in self.deltas.items()
        }  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write `layers.safetensors` (the difference) and `layers.json` (place, base, strength, training)."""
        weights.write(folder / "layers.safetensors", self.deltas, {"base": self.base})
        write_json(
            folder / "layers.json",
            {
                "place": self.place,
                "base": self.base,
                "strength": self.strength,
                "training": dataclasses.asdict(self.training),
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Layers:
        """Read what `save` wrote."""
        deltas, _ = weights.read(folder / "layers.safetensors")
        record = read_json(folder / "layers.json")
        return cls(
            deltas, record["place"], record["base"], Settings(**record["training"]), record["strength"]
        )

    def describe(self) -> Description:
        """Which weights were trained, and how."""
        settings = {
            "place": Setting(self.place),
            "weights": Setting(len(self.deltas), "matrices and vectors"),
            **training_settings(self.training),
        }
        count = sum(t.numel() for t in self.deltas.values())
        return Description(self.kind, self.strength, settings, count, 4 * count)


def fit(
    base: Base,
    rows: Sequence[TokenRow],
    where: Where,
    settings: Settings,
    *,
    beside: Beside = ALONE,
    held_out: Sequence[TokenRow] = (),
    folder: Path | None = None,
    report: Report | None = None,
) -> tuple[Layers, Training]:
    """Train weights of the base in float32 copies; the network is left as it was found.

    Args:
        beside: twins and replayed rows, where the settings ask for them.
        held_out: rows whose loss (nats a token) is followed, and decides when to stop early.
    """
    network = base.network
    names, described = _names(network, where.place, where.blocks)
    before = base.fingerprint
    beside = keep(base, first_block(network, where.place, where.blocks), rows, beside)
    own = {name: network.get_parameter(name).data for name in names}
    wants = {name: p.requires_grad for name, p in network.named_parameters()}
    try:
        network.requires_grad_(False)
        for name in names:
            parameter = network.get_parameter(name)
            parameter.data = own[name].float().clone()
            parameter.requires_grad_(True)
        parameters = {name: network.get_parameter(name) for name in names}
        beside = dataclasses.replace(beside, bare=functools.partial(_pointing, parameters, own))
        training = train_followed(
            base, parameters, rows, settings, beside=beside, held_out=held_out, folder=folder, report=report
        )
        deltas = {name: (p.data - own[name].float()).cpu() for name, p in parameters.items()}
    finally:
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(wants[name])
            parameter.grad = None
            parameter.data = own.get(name, parameter.data)
    return Layers(deltas, described, before, settings), training


@contextlib.contextmanager
def _pointing(
    parameters: Mapping[str, torch.nn.Parameter], own: Mapping[str, torch.Tensor]
) -> Iterator[None]:
    """Let trained parameters point at the base's own tensors for a while."""
    trained = {name: parameter.data for name, parameter in parameters.items()}
    try:
        for name, parameter in parameters.items():
            parameter.data = own[name]
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.data = trained[name]


def first_block(network: Any, place: Place, blocks: Sequence[int]) -> int:
    """Number of the lowest block that training these weights changes; 0 where they lie outside the blocks."""
    return sites.first_of(network, blocks or _last_quarter(network)) if place == "blocks" else 0


def _last_quarter(network: Any) -> range:
    return range(-max(1, network.config.num_hidden_layers // 4), 0)


def _names(network: Any, place: Place, blocks: Sequence[int]) -> tuple[list[str], str]:
    tied = bool(getattr(network.config, "tie_word_embeddings", False))
    if place == "blocks":
        count = network.config.num_hidden_layers
        chosen = sites.chosen_blocks(network, blocks or _last_quarter(network))
        return sites.parameters_under(network, chosen), f"{len(chosen)} of {count} blocks"
    if place == "norms":
        return sites.norm_parameters(network), "all norms"
    if place == "embeddings" or tied:
        name = sites.module_name(network, network.get_input_embeddings())
        return [f"{name}.weight"], "embeddings and head (tied)" if tied else "embeddings"
    return [f"{sites.module_name(network, network.get_output_embeddings())}.weight"], "head"
