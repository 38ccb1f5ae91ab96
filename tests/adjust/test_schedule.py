"""Learning-rate curves against independently written formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trimtab.adjust.schedule import Schedule, factor

CURVES: dict[Schedule, object] = {
    "constant": lambda p: np.ones_like(p),
    "linear": lambda p: np.interp(p, [0, 1], [1, 0]),
    "cosine": lambda p: np.cos(p * np.pi / 2) ** 2,
    "step": lambda p: np.select([p < 1 / 3, p < 2 / 3], [1.0, 0.1], 0.01),
    "exponential": lambda p: np.exp(-p * math.log(100)),
}


@pytest.mark.parametrize("schedule", CURVES)
@pytest.mark.parametrize("total", [1, 2, 7, 100])
def test_without_warm_up(schedule: Schedule, total: int) -> None:
    expected = CURVES[schedule](np.arange(total) / total)  # type: ignore[operator]
    found = [factor(schedule, step, total, 0.0) for step in range(total)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert all(0 < value <= 1 for value in found)


@pytest.mark.parametrize("schedule", CURVES)
def test_warm_up_rises_linearly_and_the_curve_follows(schedule: Schedule) -> None:
    found = [factor(schedule, step, 100, 0.2) for step in range(100)]
    np.testing.assert_allclose(found[:20], np.arange(1, 21) / 21)
    np.testing.assert_allclose(found[20:], CURVES[schedule](np.arange(80) / 80), atol=1e-12)  # type: ignore[operator]
    assert found[20] == 1


def test_linear_equals_torchs_own() -> None:
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=50)
    for step in range(50):
        assert factor("linear", step, 50, 0.0) == pytest.approx(optimiser.param_groups[0]["lr"])
        optimiser.step()
        theirs.step()
