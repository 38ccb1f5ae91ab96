"""One pass of a network for rows of different stacks: each module's output is changed for those rows alone.

The low-rank parts of all stacks of a pass are computed as one, in which a row counts its own stack's dimensions alone:
two products a module, however many stacks there are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from trimtab.model.hooks import Change, LowRankPart, changing

# Numbers of rows along one dimension of a batch; None: all of it.
Rows = Sequence[int] | None
# By the full name of a module, what is done to its output, in order.
Changes = Mapping[str, Sequence[Change]]
# Under whose changes of the network a prompt is read, and its tokens.
Asked = tuple[str, tuple[int, ...]]
# Sets of stacks whose low-rank parts are kept together: those of a step, and those of prompts that are read.
SETS = 4
# How many dimensions of a joint low-rank part are whose, in order.
Owners = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Together:
    """The low-rank parts of several stacks at one module, as one."""

    owners: Owners
    part: LowRankPart


class Mixed:
    """The changes that stacks make of a network, by the name under which rows ask for them."""

    def __init__(self, network: Any) -> None:
        """Know no stack yet; the empty name stands for the network as it is."""
        self.network = network
        self._known: dict[str, Changes] = {"": {}}
        self._together: dict[tuple[str, ...], dict[str, _Together]] = {}

    def know(self, whose: str, changes: Changes) -> None:
        """Let rows ask for these changes."""
        self.forget(whose)
        self._known[whose] = changes

    def knows(self, whose: str) -> bool:
        """Whether rows may ask for these changes."""
        return whose in self._known

    def forget(self, whose: str) -> None:
        """Let no row ask for them any more."""
        self._known.pop(whose, None)
        self._together = {names: found for names, found in self._together.items() if whose not in names}

    def changed(self, whose: str) -> frozenset[str]:
        """The modules that a stack changes."""
        return frozenset(self._known[whose])

    @contextlib.contextmanager
    def applied(self, rows: Mapping[str, Rows], axis: int = 0) -> Iterator[None]:
        """Change the rows of each stack while the block runs, which is to be one pass without gradients.

        Args:
            axis: dimension along which rows are numbered, 0 or 1; modules that are changed are given all of it.
        """
        whole = None in rows.values()
        together = {} if whole else self._joined(tuple(sorted(name for name in rows if name)))
        mask = _masks(rows, axis)
        found: dict[str, list[Change]] = {
            name: [partial(_masked, one, mask)] for name, one in together.items()
        }
        for whose, numbers in rows.items():
            at = None if numbers is None else torch.tensor(numbers, device=self.network.device)
            for name, changes in self._known[whose].items():
                if name not in together or whose not in dict(together[name].owners):
                    found.setdefault(name, []).extend(partial(_at, change, at, axis) for change in changes)
        with changing(self.network, {name: partial(_in_turn, changes) for name, changes in found.items()}):
            yield

    def _joined(self, names: tuple[str, ...]) -> dict[str, _Together]:
        """By module, the low-rank parts of these stacks; without those of a stack that does more to it."""
        # Others may let stacks be known or forgotten meanwhile, which begins anew.
        kept = self._together
        if names not in kept:
            parts: dict[str, list[tuple[str, LowRankPart]]] = {}
            for whose in names:
                for name, changes in self._known[whose].items():
                    if len(changes) == 1 and isinstance(changes[0], LowRankPart):
                        parts.setdefault(name, []).append((whose, changes[0]))
            while len(kept) >= SETS:
                del kept[next(iter(kept))]
            kept[names] = {
                name: _Together(
                    tuple((whose, one.down.shape[1]) for whose, one in found),
                    LowRankPart.beside([one for _, one in found]),
                )
                for name, found in parts.items()
            }
        return kept[names]


def _masks(rows: Mapping[str, Rows], axis: int) -> Callable[[Owners, torch.Tensor], torch.Tensor]:
    """What tells, of a pass, which dimensions of low-rank parts count for which row; made once for all modules."""
    made: dict[tuple[Owners, int], torch.Tensor] = {}

    def mask(owners: Owners, asked: torch.Tensor) -> torch.Tensor:
        key = owners, asked.shape[axis]
        if key not in made:
            size = asked.shape[axis], sum(rank for _, rank in owners)
            found = torch.zeros(size, device=asked.device, dtype=asked.dtype)
            column = 0
            for whose, rank in owners:
                found[list(rows[whose] or ()), column : column + rank] = 1
                column += rank
            made[key] = found if axis else found[:, None]
        return made[key]

    return mask


def _masked(
    one: _Together,
    mask: Callable[[Owners, torch.Tensor], torch.Tensor],
    asked: torch.Tensor,
    output: torch.Tensor,
) -> torch.Tensor:
    return one.part(asked, output, mask(one.owners, asked))


def _at(
    change: Change, rows: torch.Tensor | None, axis: int, asked: Any, output: torch.Tensor
) -> torch.Tensor:
    """An output, some rows of which are changed."""
    if rows is None:
        return change(asked, output)
    if axis:
        output[:, rows] = change(asked[:, rows], output[:, rows])
    else:
        output[rows] = change(asked[rows], output[rows])
    return output


def _in_turn(changes: Sequence[Change], asked: Any, output: torch.Tensor) -> torch.Tensor:
    for change in changes:
        output = change(asked, output)
    return output
