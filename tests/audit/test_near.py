"""Near duplicates against all pairs by hand; stars and not chains."""

from __future__ import annotations

import itertools
import random

import numpy as np

from trimtab.audit.near import LEAST, Sides, alike, candidates, jaccard, near, stars
from trimtab.audit.shingles import grams, signatures

NONE = np.zeros(0, dtype=np.uint32)
WORDS = [
    f"{a}{b}" for a in ("lor", "ip", "dol", "am", "con", "ad", "el", "sed") for b in ("um", "et", "is", "or")
]


def texts(seed: int) -> list[str]:
    rng = random.Random(seed)
    made = [" ".join(rng.choices(WORDS, k=40)) for _ in range(150)]
    for place in range(0, 150, 2):
        words = made[place].split()
        for _ in range(1 + place % 7):
            words[rng.randrange(len(words))] = "changed"
        made.append(" ".join(words))
    return made


def found(made: list[str]) -> tuple[tuple[int, ...], ...]:
    hashes, starts = grams(made)
    rows = np.arange(len(made))

    def shingles(wanted: np.ndarray) -> dict[int, Sides]:
        return {row: (NONE, np.unique(grams([made[row]])[0])) for row in wanted.tolist()}

    return near(rows, signatures(hashes, starts), shingles)


def by_hand(made: list[str]) -> set[tuple[int, int]]:
    sets = [{said[at : at + 5] for at in range(len(said) - 4)} for said in made]
    return {
        (one, other)
        for one, other in itertools.combinations(range(len(made)), 2)
        if len(sets[one] & sets[other]) >= LEAST * len(sets[one] | sets[other])
    }


def test_what_is_found_is_what_all_pairs_give() -> None:
    for seed in range(3):
        made = texts(seed)
        wanted = by_hand(made)
        assert len(wanted) > 20
        pairs = {pair for group in found(made) for pair in itertools.combinations(group, 2)}
        assert pairs <= wanted
        assert len(pairs & wanted) >= 0.98 * len(wanted)


def test_a_chain_is_no_group() -> None:
    assert stars([(0, 1), (1, 2), (2, 3), (3, 4)]) == ((0, 1, 2), (3, 4))
    assert stars([(0, 5), (0, 6), (0, 7), (7, 8)]) == ((0, 5, 6, 7),)
    assert stars([]) == ()


def test_many_alike_cost_no_more_than_their_number() -> None:
    alike = np.zeros((5000, 64), dtype=np.uint32)
    pairs = candidates(alike)
    assert len(pairs) < 8 * 5000
    assert set(pairs[:, 1].tolist()) == set(range(1, 5000))
    assert len(stars(map(tuple, pairs.tolist()))[0]) == 5000


def test_nothing_to_compare() -> None:
    assert candidates(np.zeros((0, 64), dtype=np.uint32)).shape == (0, 2)
    assert candidates(np.zeros((1, 64), dtype=np.uint32)).shape == (0, 2)
    assert jaccard(np.array([1, 2, 3]), np.array([2, 3, 4])) == 0.5


def test_the_side_that_is_less_alike_counts() -> None:
    long, yes, no = np.arange(100), np.array([200]), np.array([300])
    assert alike((long, yes), (long, no)) == 0
    assert alike((long, yes), (long[:90], yes)) == 0.9
    assert alike((NONE, long), (NONE, long[:80])) == 0.8
    assert alike((NONE, yes), (long, yes)) == 0
    assert alike((NONE, NONE), (NONE, NONE)) == 0
