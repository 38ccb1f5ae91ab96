"""Outputs of modules changed while a network runs: nothing of the network is written, and leaving removes it all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

# From what a module was given first and what it would give, to what it gives instead: the same shape and type.
Change = Callable[[Any, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, eq=False)
class LowRankPart:
    """What a low-rank part adds to a module's output: y + (x A) B, with A (in, r) and B (r, out).

    Attributes:
        down, up: A and B; any scale lies in B.
    """

    down: torch.Tensor
    up: torch.Tensor

    def __call__(
        self, asked: torch.Tensor, output: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The output, changed in place, which is for passes without gradients.

        mask: multiplies x A, and so says which of the r dimensions count where.
        """
        inner = asked.to(self.down.dtype) @ self.down
        if mask is not None:
            inner *= mask
        if output.dtype is not self.up.dtype:
            return output.add_((inner @ self.up).to(output.dtype))
        rows = output.flatten(0, -2).addmm_(inner.flatten(0, -2), self.up)
        return rows.view_as(output)

    @classmethod
    def beside(cls, parts: Sequence[LowRankPart]) -> LowRankPart:
        """Several as one, whose dimensions stand one after another."""
        return cls(torch.cat([part.down for part in parts], 1), torch.cat([part.up for part in parts]))


@dataclass(frozen=True, eq=False)
class Changed:
    """A forward hook that gives another output, and is known by its class to whatever keeps outputs."""

    change: Change

    def __call__(self, module: Any, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        """What the module gives instead; of a tuple the first value is changed."""
        asked = given[0] if given else next(iter(named.values()))
        if isinstance(output, tuple):
            return (self.change(asked, output[0]), *output[1:])
        return self.change(asked, output)


@contextlib.contextmanager
def changing(network: Any, changes: Mapping[str, Change]) -> Iterator[None]:
    """Change what modules, by their full names, give; contexts inside one another change in the order of entering."""
    handles = []
    try:
        for name, change in changes.items():
            module = network.get_submodule(name)
            handles.append(module.register_forward_hook(Changed(change), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def is_changed(module: Any) -> bool:
    """Whether the module's output is changed at present; hooks that only look do not count."""
    return any(isinstance(hook, Changed) for hook in module._forward_hooks.values())
