"""A direction added to, or clamped in, the residual stream that leaves chosen blocks.

    add    h' = h + s a n u
    clamp  h' = h + s a (v n - h.u) u       at s a = 1 the component along u is v n, whatever it was

for the state h (hidden,) of every token, of prompt and answer alike: what a prompt leaves behind depends on the prompt
alone, so rows may share it. u is a direction of length 1, n the block's typical activation norm, s the strength: of
`add` in units of that norm, of `clamp` the share of the way to the value v, which is in units of that norm.
a is 1 as fitted, and differs where steerings were summed. See `contrast` for how u is fitted, and its sources.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from trimtab.adjust import contrast, weights
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.errors import ModelError
from trimtab.model import sites
from trimtab.model.hooks import Change, changing
from trimtab.model.load import Base
from trimtab.records import content_hash
from trimtab.run import read_json, write_json

Mode = Literal["add", "clamp"]
STRENGTH_UNITS: Mapping[str, str] = {
    "add": "typical activation norms of the block",
    "clamp": "share of the way to the value",
}


@dataclass(frozen=True, slots=True)
class Push:
    """What is done to the state that leaves one block; see the module for the letters.

    Attributes:
        norm: n, median length of a token's state after the block, over the answers of tune.
        amount: a.
        value: v; 0 and unused in mode add.
    """

    norm: float
    amount: float = 1.0
    value: float = 0.0


@dataclass(frozen=True)
class Steering(Adjustment):
    """Directions (hidden,) float32 of length 1 and what is done along them, both by the number of the block."""

    kind: ClassVar[str] = "steering"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"network"})
    directions: dict[int, torch.Tensor]
    pushes: dict[int, Push]
    mode: Mode
    method: str
    pairs: int
    base: str
    strength: float = 1.0

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        return content_hash([self.kind, weights.digest(self._tensors()), self._record()])

    def scaled(self, factor: float) -> Steering:
        """The same steering, `factor` times as strong."""
        return dataclasses.replace(self, strength=self.strength * factor)

    def __add__(self, other: Steering) -> Steering:
        """Both at once, as fitted at strength 1: where they meet in a block their directions are summed.

        Raises:
            ModelError: of different modes or bases, or clamped in the same block.
        """
        weights.check_base(other.base, self.base, "steering")
        both = set(self.pushes) & set(other.pushes)
        if self.mode != other.mode or (both and self.mode == "clamp"):
            raise ModelError(
                f"steering: modes {self.mode} and {other.mode} have no sum"
                + (f" in blocks {sorted(both)}" if self.mode == other.mode else ""),
                "put them into a stack, one after the other",
            )
        mine, others = ({b: _folded(s, b) for b in s.pushes} for s in (self, other))
        merged = {**others, **mine, **{block: _sum(mine[block], others[block]) for block in both}}
        ordered = dict(sorted(merged.items()))
        return dataclasses.replace(
            self,
            directions={block: way for block, (way, _) in ordered.items()},
            pushes={block: push for block, (_, push) in ordered.items()},
            method=self.method if self.method == other.method else f"{self.method} and {other.method}",
            pairs=self.pairs + other.pairs,
            strength=1.0,
        )

    @contextlib.contextmanager
    def attach(self, base: Base) -> Iterator[None]:
        """Change the output of the chosen blocks.

        Raises:
            ModelError: the directions were fitted on another base.
        """
        with changing(base.network, {name: change for name, (change,) in self.changes(base).items()}):
            yield

    def changes(self, base: Base) -> dict[str, tuple[Change]]:
        """What is done to the output of each chosen block.

        Raises:
            ModelError: the directions were fitted on another base.
        """
        weights.check_base(base.fingerprint, self.base, "steering")
        if self.strength == 0:
            return {}
        names, device = sites.block_names(base.network), base.network.device
        return {names[b]: (self._change(b, way.to(device)),) for b, way in self.directions.items()}

    def _change(self, block: int, direction: torch.Tensor) -> Change:
        push = self.pushes[block]
        share = self.strength * push.amount
        added = share * push.norm * direction

        def add(_: Any, states: torch.Tensor) -> torch.Tensor:
            return states + added.to(states.dtype)

        def clamp(_: Any, states: torch.Tensor) -> torch.Tensor:
            missing = push.value * push.norm - states.float() @ direction
            return states + (share * missing[..., None] * direction).to(states.dtype)

        return add if self.mode == "add" else clamp

    def save(self, folder: Path) -> None:
        """Write `steering.safetensors` (directions) and `steering.json` (all else)."""
        weights.write(folder / "steering.safetensors", self._tensors(), {"base": self.base})
        write_json(folder / "steering.json", self._record())

    @classmethod
    def load(cls, folder: Path) -> Steering:
        """Read what `save` wrote."""
        tensors, _ = weights.read(folder / "steering.safetensors")
        record = read_json(folder / "steering.json")
        pushes = {int(block): Push(**push) for block, push in record["pushes"].items()}
        directions = {block: tensors[f"block.{block}"] for block in pushes}
        rest = {name: record[name] for name in ("mode", "method", "pairs", "base", "strength")}
        return cls(directions, pushes, **rest)

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {f"block.{block}": direction for block, direction in self.directions.items()}

    def _record(self) -> dict[str, Any]:
        return {
            "pushes": {str(block): dataclasses.asdict(push) for block, push in self.pushes.items()},
            "mode": self.mode,
            "method": self.method,
            "pairs": self.pairs,
            "base": self.base,
            "strength": self.strength,
        }

    def describe(self) -> Description:
        """Where it steers, how far, and what the directions were fitted from."""
        settings = {
            "mode": Setting(self.mode),
            "method": Setting(self.method),
            "pairs": Setting(self.pairs, "pairs of texts"),
            "positions": Setting("all tokens, of prompt and answer"),
            "blocks": Setting(list(self.pushes), "numbers from 0"),
            "strength": Setting(self.strength, STRENGTH_UNITS[self.mode]),
            "norm": Setting(
                [push.norm for push in self.pushes.values()], "length of a token's state, median"
            ),
            "amount": Setting([push.amount for push in self.pushes.values()], "times the strength"),
        }
        if self.mode == "clamp":
            settings["value"] = Setting([p.value for p in self.pushes.values()], "typical activation norms")
        count = sum(direction.numel() for direction in self.directions.values())
        return Description(self.kind, self.strength, settings, count, 4 * count)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which steering to make of a survey.

    Attributes:
        blocks: numbers of blocks, negative from the end; none: the best separated one of the middle half.
        value: of clamp, in typical activation norms; None: the positive texts' own mean component.
    """

    mode: Mode = "add"
    blocks: tuple[int, ...] = ()
    strength: float = 1.0
    value: float | None = None


def of_survey(base: Base, found: contrast.Survey, shape: Shape) -> Steering:
    """The steering that a survey of the base's blocks gives.

    Raises:
        ModelError: a block that the network does not have.
    """
    names = sites.block_names(base.network)
    chosen = shape.blocks or found.best()
    blocks = [names.index(name) for name in sites.chosen_blocks(base.network, chosen)]
    values = dict.fromkeys(blocks, 0.0)
    if shape.mode == "clamp":
        values = {
            block: float(found.components[block]) if shape.value is None else shape.value for block in blocks
        }
    return Steering(
        {block: torch.from_numpy(found.directions[block].copy()) for block in blocks},
        {block: Push(found.layers[block].norm, 1.0, values[block]) for block in blocks},
        shape.mode,
        found.method,
        found.pairs,
        base.fingerprint,
        shape.strength,
    )


def _folded(steering: Steering, block: int) -> tuple[torch.Tensor, Push]:
    """A block's direction and push with the strength in its amount."""
    push = steering.pushes[block]
    return steering.directions[block], dataclasses.replace(push, amount=steering.strength * push.amount)


def _sum(one: tuple[torch.Tensor, Push], two: tuple[torch.Tensor, Push]) -> tuple[torch.Tensor, Push]:
    """Two additions in one block as one, in norms of the first."""
    first, second = (push.amount * push.norm * way.double() for way, push in (one, two))
    total = first + second
    length = float(total.norm())
    direction = (total / length).float() if length else one[0]
    return direction, Push(one[1].norm, length / one[1].norm)
