"""A stream that is played again: users' days as units, bounds at every row, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trimtab.errors import DataError
from trimtab.watching import streamed


def written(path: Path, rows: int, gain: float, users: int = 0) -> Path:
    rng = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        for n in range(rows):
            one, other = (int(rng.random() < p) for p in (0.5 + gain, 0.5))
            row = {
                "time": f"2024-03-{1 + n // 500:02d}T{n % 500 // 60:02d}:{n % 60:02d}",
                "adapted": one,
                "stale": other,
            }
            file.write(json.dumps(row | ({"user": f"u{n % users}"} if users else {})) + "\n")
    return path


def test_an_adapted_model_that_pays_is_shown_to(tmp_path: Path) -> None:
    found = streamed(written(tmp_path / "a.jsonl", 2000, 0.3))
    assert (found.rows, found.users, found.replayed.mean.n) == (2000, 0, 2000)
    assert found.replayed.better_since > 0
    assert found.adapted.low < 0.8 < found.adapted.high
    assert found.stale.low < 0.5 < found.stale.high
    difference = found.adapted.value - found.stale.value
    assert found.replayed.mean.value == pytest.approx(difference)
    quiet = streamed(written(tmp_path / "b.jsonl", 2000, 0.0))
    assert (quiet.replayed.better_since, quiet.replayed.worse_since) == (0, 0)


def test_users_are_counted(tmp_path: Path) -> None:
    assert streamed(written(tmp_path / "a.jsonl", 200, 0.3, users=50)).users == 50


def test_bounds_and_forms(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time,adapted,stale\n2024-01-02,4,2\n2024-01-01,3,2\n")
    found = streamed(path, bounds=(1, 5))
    assert (found.adapted.value, found.stale.value) == (3.5, 2)
    assert (found.adapted.low, found.adapted.high) == (1, 5)
    assert [point.time[:10] for point in found.replayed.path] == ["2024-01-01", "2024-01-02"]
    path.write_text("time,adapted,stale\nnever,4,2\n2024-01-01,x,2\n2024-01-01,nan,2\n")
    with pytest.raises(DataError) as caught:
        streamed(path)
    assert all(f"row {n}" in caught.value.message for n in (1, 2, 3))
