"""Grids and optuna's search: which settings are tried, how a search goes on, and that it finds the best."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from trimtab.errors import MetricError, MissingPart
from trimtab.rungs import search
from trimtab.rungs.search import Search, Tried


class Hill:
    """A value with one top at temperature 0.62; counts how often it is asked."""

    def __init__(self, stop_after: int = 10_000) -> None:
        self.asked: list[dict[str, float]] = []
        self.stop_after = stop_after

    def __call__(self, settings: Mapping[str, float]) -> Tried:
        if len(self.asked) >= self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(dict(settings))
        return Tried(dict(settings), -((settings["temperature"] - 0.62) ** 2), tokens=5, seconds=0.1)


def test_a_grid_in_a_narrow_band_takes_fine_steps(tmp_path: Path) -> None:
    hill = Hill()
    tried = search.run(Search({"temperature": (0.60, 0.65)}, trials=6), hill, tmp_path / "a.json")
    assert [one.settings["temperature"] for one in tried] == pytest.approx(
        [0.60, 0.61, 0.62, 0.63, 0.64, 0.65]
    )
    assert search.best(tried).settings["temperature"] == pytest.approx(0.62)


def test_a_grid_holds_all_combinations_and_no_more_than_were_asked_for() -> None:
    found = search.grid(Search({"temperature": (0.0, 1.0), "top_k": (1, 2), "top_p": (0.5, 0.9)}, trials=27))
    assert len(found) == 3 * 2 * 3
    assert {one["top_k"] for one in found} == {1, 2}
    assert all(isinstance(one["top_k"], int) for one in found)
    assert len(search.grid(Search({"temperature": (0.0, 1.0), "top_p": (0.5, 0.9)}, trials=15))) == 9


@pytest.mark.parametrize("how", ["grid", "optuna"])
def test_an_interrupted_search_goes_on_to_the_same_settings(tmp_path: Path, how: search.How) -> None:
    if how == "optuna":
        pytest.importorskip("optuna")
    wanted = Search({"temperature": (0.0, 2.0), "top_k": (1, 50)}, how, trials=16, seed=3)
    whole = search.run(wanted, Hill(), tmp_path / "whole.json")
    first, second = Hill(stop_after=13), Hill()
    with pytest.raises(KeyboardInterrupt):
        search.run(wanted, first, tmp_path / "parts.json")
    assert search.run(wanted, second, tmp_path / "parts.json") == whole
    assert len(second.asked) == len(whole) - 13


def test_optuna_closes_in_on_the_top_and_is_seeded(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    wanted = Search({"temperature": (0.0, 2.0)}, "optuna", trials=30, seed=1)
    tried = search.run(wanted, Hill(), tmp_path / "a.json")
    assert len(tried) == 30
    assert search.best(tried).settings["temperature"] == pytest.approx(0.62, abs=0.05)
    assert search.run(wanted, Hill(), tmp_path / "b.json") == tried
    other = search.run(Search(wanted.ranges, "optuna", 5, seed=2), Hill(), tmp_path / "c.json")
    assert other != tried[:5]
    narrow = Search({"temperature": (0.60, 0.65)}, "optuna", trials=8, seed=1)
    values = {one.settings["temperature"] for one in search.run(narrow, Hill(), tmp_path / "d.json")}
    assert len(values) == 8
    assert all(0.60 <= value <= 0.65 for value in values)


def test_an_undefined_value_is_passed_over(tmp_path: Path) -> None:
    def holes(settings: Mapping[str, float]) -> Tried:
        value = math.nan if settings["temperature"] < 0.5 else -settings["temperature"]
        return Tried(dict(settings), value)

    wanted = Search({"temperature": (0.0, 1.0)}, trials=5)
    assert search.best(search.run(wanted, holes, tmp_path / "a.json")).settings["temperature"] == 0.5
    again = search.run(wanted, holes, tmp_path / "a.json")
    assert [math.isnan(one.value) for one in again] == [True, True, False, False, False]
    with pytest.raises(MetricError, match="none of the 1 settings"):
        search.best([Tried({}, math.nan)])
    pytest.importorskip("optuna")
    assert len(search.run(Search(wanted.ranges, "optuna", 6), holes, tmp_path / "b.json")) == 6


def test_without_optuna_the_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingPart, match="optuna") as caught:
        search.run(Search({"temperature": (0.0, 1.0)}, "optuna"), Hill(), tmp_path / "a.json")
    assert "trimtab[search]" in caught.value.hint
