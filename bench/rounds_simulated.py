"""Simulated rounds of pure noise: how often one of them ships, with and without what keeps that from happening.

    python bench/rounds_simulated.py

Five rounds go one after the other over a data set that grows; people see items of confirm in each. Which part an item
has and how many looks lie behind a confirm set come from the code that runs use. An item's difference has a part that
stays (the base model's own luck on it) and one that each new candidate draws. A candidate that did well on confirm is
kept, so that later rounds chase what the earlier ones told. Items that people saw are learned: a candidate does well on
them, and on no other. The design allows 0.025 on one side over all looks at items that hang together.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
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
    """An item that is known by its number."""
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


def main() -> None:
    """Print the share of courses that ship, in each of four ways."""
    for moving in (True, False):
        for carrying in (True, False):
            with tempfile.TemporaryDirectory() as place:
                found = course(Path(place) / "looks.json", moving=moving, carrying=carrying)
            looks = " ".join(str(look) for _, _, look in found)
            said = f"items moved: {moving!s:5}  looks carried: {carrying!s:5}  looks {looks}"
            print(f"{said}  shipped {shipped(found):.4f} of {SIMULATED:,}")


if __name__ == "__main__":
    main()
