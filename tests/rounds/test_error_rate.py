"""How often rounds of pure noise ship, simulated on the parts and the looks that the real code gives them.

An item's difference has a part that stays (the base model's own luck on it) and one that each new candidate draws. A
candidate that did well on confirm is kept, so that later rounds chase what the earlier ones told. Items that people saw
are learned: a candidate does well on them, and on no other.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from trimtab import stats
from trimtab.data.split import confirm_hash, sealed_keys, split
from trimtab.decide import ledger
from trimtab.previous import Previous
from trimtab.records import Example, Message, Part

ROUNDS, START, MORE, SEEN, SIMULATED = 5, 200, 40, 12, 20_000
LEARNED, KEPT = 1.5, 1.0
SHARES: dict[Part, float] = {"tune": 0.5, "select": 0.2, "confirm": 0.3}
Course = list[tuple[list[int], list[int], int]]


def item(number: int) -> Example:
    return Example((Message("user", f"item {number}"),), ("ok",), id=str(number))


def course(path: Path, *, moving: bool, carrying: bool) -> Course:
    """Of each round: numbers of the items of confirm, of those of them that were learned, and of the look."""
    found: Course = []
    parts: dict[str, Part] = {}
    learned: set[int] = set()
    for number in range(ROUNDS):
        rows = [item(n) for n in range(START + number * MORE)]
        settled = Previous(parts, {}, {}).settled("kept")
        shared = split(rows, SHARES, settled=settled)
        sealed = shared["confirm"]
        keys = sealed_keys(sealed) if carrying else ()
        look = ledger.look(path, confirm_hash(sealed), f"round {number}", keys)
        confirm = [int(example.id) for example in sealed]
        found.append((confirm, sorted(learned & set(confirm)), look))
        parts = {example.id: part for part, items in shared.items() for example in items}
        seen = confirm[:SEEN]
        learned |= set(seen)
        parts |= {str(n): "tune" for n in seen} if moving else {}
    return found


def shipped(rounds: Course) -> float:
    """Share of simulated courses in which a round ships."""
    rng = np.random.default_rng(0)
    size = START + ROUNDS * MORE
    luck, own = (rng.standard_normal((SIMULATED, size), np.float32) for _ in range(2))
    any_ships = np.zeros(SIMULATED, dtype=bool)
    for confirm, learned, look in rounds:
        gains = np.float32(0.5**0.5) * (luck + own)
        gains[:, learned] += LEARNED
        judged = gains[:, confirm]
        n = len(confirm)
        found = judged.mean(axis=1) / (judged.std(axis=1, ddof=1) / np.sqrt(n))
        any_ships |= found > t.ppf(1 - stats.run_alpha(look), n - 1)
        fresh = rng.standard_normal(own.shape, np.float32)
        own = np.where((found > KEPT)[:, None], own, fresh)
    return float(any_ships.mean())


def test_rounds_of_noise_ship_no_more_often_than_one_confirm_set_may(tmp_path: Path) -> None:
    rounds = course(tmp_path / "looks.json", moving=True, carrying=True)
    assert [look for _, _, look in rounds] == [1, 2, 3, 4, 5]
    assert all(not learned for _, learned, _ in rounds)
    assert all(len(confirm) > 40 for confirm, _, _ in rounds)
    rate = shipped(rounds)
    # Four standard errors of a share of 0.025 among 20,000.
    assert 0.012 < rate < 0.025 + 0.0045


@pytest.mark.parametrize(("moving", "carrying", "least"), [(True, False, 0.07), (False, True, 0.2)])
def test_without_moving_or_carrying_they_would(
    tmp_path: Path, moving: bool, carrying: bool, least: float
) -> None:
    assert shipped(course(tmp_path / "looks.json", moving=moving, carrying=carrying)) > least
