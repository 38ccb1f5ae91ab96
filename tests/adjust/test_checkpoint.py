"""What a killed training goes on from, whatever the layout of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from trimtab.adjust.checkpoint import Keeper


@dataclass
class Step:
    step: int = 0


def begun(folder: Path, *, across: bool) -> Keeper:
    """A parameter (5, 3), laid out by columns where `across`, and its optimiser."""
    values = torch.arange(15.0).reshape(5, 3) / 10
    weight = torch.nn.Parameter(values.t().contiguous().t() if across else values)
    return Keeper(folder, {"weight": weight}, torch.optim.AdamW([weight], lr=0.1, fused=True))


def step(keeper: Keeper, number: int) -> None:
    weight = keeper.parameters["weight"]
    weight.grad = torch.empty_like(weight).copy_(
        torch.randn(5, 3, generator=torch.Generator().manual_seed(number))
    )
    keeper.optimiser.step()


@pytest.mark.parametrize("across", [False, True])
def test_updates_after_a_restore_are_those_of_a_training_that_went_on(tmp_path: Path, across: bool) -> None:
    whole = begun(tmp_path, across=across)
    for number in range(2):
        step(whole, number)
    whole.save(Step(2))
    again = begun(tmp_path, across=across)
    assert again.load(Step()) == Step(2)
    for number in range(2, 4):
        step(whole, number)
        step(again, number)
    assert torch.equal(whole.parameters["weight"], again.parameters["weight"])
