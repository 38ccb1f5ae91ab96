"""One pass of a network for rows of different stacks: each module's output is changed for those rows alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from trimtab.model.hooks import Change, changing

# Numbers of rows along a batch's first dimension; None: all of it.
Rows = Sequence[int] | None
# By the full name of a module, what is done to its output, in order.
Changes = Mapping[str, Sequence[Change]]


class Mixed:
    """The changes that stacks make of a network, by the name under which rows ask for them."""

    def __init__(self, network: Any) -> None:
        """Know no stack yet; the empty name stands for the network as it is."""
        self.network = network
        self._known: dict[str, Changes] = {"": {}}

    def know(self, whose: str, changes: Changes) -> None:
        """Let rows ask for these changes."""
        self._known[whose] = changes

    def knows(self, whose: str) -> bool:
        """Whether rows may ask for these changes."""
        return whose in self._known

    def forget(self, whose: str) -> None:
        """Let no row ask for them any more."""
        self._known.pop(whose, None)

    @contextlib.contextmanager
    def applied(self, rows: Mapping[str, Rows]) -> Iterator[None]:
        """Change the rows of each stack while the block runs, which is to be one pass without gradients."""
        parts: dict[str, list[tuple[torch.Tensor | None, Change]]] = {}
        for whose, numbers in rows.items():
            at = None if numbers is None else torch.tensor(numbers, device=self.network.device)
            for name, changes in self._known[whose].items():
                parts.setdefault(name, []).extend((at, change) for change in changes)
        with changing(self.network, {name: _of_rows(found) for name, found in parts.items()}):
            yield


def _of_rows(parts: Sequence[tuple[torch.Tensor | None, Change]]) -> Change:
    def change(asked: Any, output: torch.Tensor) -> torch.Tensor:
        for rows, one in parts:
            if rows is None:
                output = one(asked, output)
            else:
                output[rows] = one(asked[rows], output[rows])
        return output

    return change
