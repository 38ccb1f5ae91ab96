"""An adapted model against an unchanged one, in the order of time."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from tests.reference import drift_reference as reference
from trimtab.errors import StatisticsError
from trimtab.watch import replayed
from trimtab.watch.replay import faded

_SPEC = util.spec_from_file_location(
    "players_bench", Path(__file__).resolve().parents[2] / "bench" / "players.py"
)
players = util.module_from_spec(_SPEC)
sys.modules["players_bench"] = players
_SPEC.loader.exec_module(players)


def test_rows_are_taken_in_the_order_of_time_and_means_are_plain() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.random(50), rng.random(50)
    times = [f"2026-02-{1 + day:02d}" for day in rng.permutation(25)] * 2
    found = replayed(times, one, other, fading=0.9)
    order = sorted(range(50), key=lambda row: times[row])
    d = (one - other)[order]
    assert [point.time for point in found.path] == [times[row] for row in order]
    assert [point.mean for point in found.path] == pytest.approx([d[: n + 1].mean() for n in range(50)])
    assert [p.faded for p in found.path] == pytest.approx(
        [reference.faded(d[: n + 1], 0.9) for n in range(50)]
    )
    assert found.mean.value == pytest.approx(d.mean())
    assert found.path[-1].adapted == pytest.approx(faded(one[order], 0.9)[-1])
    assert found.path[-1].unchanged == pytest.approx(faded(other[order], 0.9)[-1])


def test_players_whose_interests_shift_are_served_better_by_who_adapts() -> None:
    stream = players.played(players.Game(players=20, rows=3000, shift_at=1000), seed=2)
    found = replayed(stream.times, stream.adapted, stream.unchanged)
    assert found.mean.low > 0
    assert found.better_since > 1000
    assert found.worse_since == 0
    before = [point for point in found.path if point.row < 1000]
    after = [point for point in found.path if point.row > 2500]
    assert abs(np.mean([point.faded for point in before])) < 0.1
    assert min(point.faded for point in after) > 0.1
    assert found.recent.low > 0


def test_players_who_stay_the_same_show_no_gain() -> None:
    wrong = 0
    for seed in range(8):
        stream = players.played(players.Game(players=20, rows=1500, shift_at=1500), seed=seed)
        wrong += replayed(stream.times, stream.adapted, stream.unchanged).better_since > 0
    assert wrong == 0


def test_rows_without_a_score_are_left_out_and_counted() -> None:
    found = replayed(["1", "2", "3", "4"], [1, np.nan, 1, 0], [0, 1, 0, 1])
    assert (found.mean.n, found.left_out, [p.time for p in found.path]) == (3, 1, ["1", "3", "4"])
    nothing = replayed([], [], [])
    assert nothing.mean.undefined
    assert nothing.path == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((["1"], [1.0], [0.0, 1.0]), "1 times"),
        ((["1"], [1.5], [0.0]), "bounds"),
    ],
)
def test_scores_that_do_not_fit_are_refused(arguments: tuple, said: str) -> None:
    with pytest.raises(StatisticsError, match=said):
        replayed(*arguments)
