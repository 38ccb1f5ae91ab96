"""How often rounds of pure noise ship, simulated by `bench/rounds_simulated.py` on parts and looks of the real code."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

_PATH = Path(__file__).resolve().parents[2] / "bench" / "rounds_simulated.py"


@pytest.fixture(scope="module")
def bench() -> Any:
    """The simulation."""
    spec = util.spec_from_file_location("rounds_simulated", _PATH)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules["rounds_simulated"] = module
    spec.loader.exec_module(module)
    return module


def test_rounds_of_noise_ship_no_more_often_than_one_confirm_set_may(bench: Any, tmp_path: Path) -> None:
    rounds = bench.course(tmp_path / "looks.json", moving=True, carrying=True)
    assert [look for _, _, look in rounds] == [1, 2, 3, 4, 5]
    assert all(not learned for _, learned, _ in rounds)
    assert all(len(confirm) > 40 for confirm, _, _ in rounds)
    rate = bench.shipped(rounds)
    # Four standard errors of a share of 0.025 among 20,000.
    assert 0.012 < rate < 0.025 + 0.0045


@pytest.mark.parametrize(("moving", "carrying", "least"), [(True, False, 0.07), (False, True, 0.2)])
def test_without_moving_or_carrying_they_would(
    bench: Any, tmp_path: Path, moving: bool, carrying: bool, least: float
) -> None:
    assert bench.shipped(bench.course(tmp_path / "looks.json", moving=moving, carrying=carrying)) > least
