"""Trials on a plane: the front against brute force, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from trimtab.document.planes import Axis, Place, pareto, plane


def dominated(points: np.ndarray, n: int) -> bool:
    return any((other >= points[n]).all() and (other > points[n]).any() for other in points)


@pytest.mark.parametrize("aims", [1, 2, 3, 4])
def test_the_front_is_that_of_brute_force(aims: int) -> None:
    rng = np.random.default_rng(aims)
    for n in (1, 5, 40):
        for points in (rng.normal(size=(n, aims)), rng.integers(0, 3, (n, aims)).astype(float)):
            expected = [not dominated(points, number) for number in range(n)]
            assert pareto(points.tolist()) == expected


def test_a_point_that_was_not_measured_is_on_no_front() -> None:
    assert pareto([[9, float("nan")], [1, 1]]) == [False, True]
    assert pareto([]) == []


def test_the_chosen_one_and_the_front_have_shapes_of_their_own() -> None:
    trials = [Place("<a>", 1, 1, chosen=True), Place("b", 2, 0), Place("c", 0, -1), Place("d", 3, -2)]
    drawn = str(plane(trials, Axis("gain", 0.5), Axis("guard", -1.5), name="p", title="x"))
    assert [drawn.count(f'class="{kind}"') for kind in ("chosen", "front", "behind", "edge")] == [1, 2, 1, 2]
    assert "&lt;a&gt;: gain +1, guard +1, on the front, chosen" in drawn
    assert "c: gain 0, guard −1;" in drawn
    assert plane([], Axis("gain", 0), Axis("guard", 0), name="p", title="x") == ""
