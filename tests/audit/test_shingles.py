"""Signatures against the exact Jaccard index and against datasketch; runs of words against counting by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest

from trimtab.audit.shingles import GRAM, PERMUTATIONS, WORDS, grams, plain, signatures, thirteens, words

LETTERS = "abcdefghijklmnopqrstuvwxyz     "


def text(rng: random.Random, length: int) -> str:
    return plain("x" + "".join(rng.choices(LETTERS, k=length)) + "y")


def changed(rng: random.Random, original: str, share: float) -> str:
    return "".join(rng.choice(LETTERS[:26]) if rng.random() < share else sign for sign in original)


def exact(one: str, other: str) -> float:
    a, b = ({said[at : at + GRAM] for at in range(len(said) - GRAM + 1)} for said in (one, other))
    return len(a & b) / len(a | b)


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    rng = random.Random(1)
    made = []
    for place in range(400):
        one = text(rng, 300)
        made.append((one, changed(rng, one, (0.0, 0.01, 0.02, 0.05, 0.2)[place % 5])))
    return made


def estimates(pairs: list[tuple[str, str]]) -> np.ndarray:
    one, other = (signatures(*grams([pair[side] for pair in pairs])) for side in (0, 1))
    return np.asarray((one == other).mean(axis=1))


def test_hashes_are_those_of_the_grams_and_no_gram_spans_two_texts() -> None:
    texts = ["abcdefg", "xy", "abcde", ""]
    hashes, starts = grams(texts)
    assert np.diff([*starts, len(hashes)]).tolist() == [3, 1, 1, 1]
    assert hashes[0] == hashes[4]
    alone = [grams([one])[0].tolist() for one in texts]
    assert hashes.tolist() == [value for one in alone for value in one]
    assert len(set(hashes.tolist())) == 5


def test_the_share_of_equal_hashes_is_the_jaccard_index(pairs: list[tuple[str, str]]) -> None:
    for one, other in pairs[:50]:
        (a, _), (b, _) = grams([one]), grams([other])
        shared = len(np.intersect1d(a, b)) / len(np.union1d(a, b))
        assert shared == pytest.approx(exact(one, other), abs=1e-9)


def test_estimates_are_unbiased_and_as_close_as_theory_says(pairs: list[tuple[str, str]]) -> None:
    true = np.array([exact(*pair) for pair in pairs])
    wrong = estimates(pairs) - true
    spread = np.sqrt(np.mean(true * (1 - true)) / PERMUTATIONS)
    assert abs(wrong.mean()) < 4 * spread / np.sqrt(len(pairs)) + 0.005
    assert wrong.std() == pytest.approx(spread, rel=0.25)


def test_estimates_are_as_good_as_those_of_datasketch(pairs: list[tuple[str, str]]) -> None:
    datasketch = pytest.importorskip("datasketch")

    def signed(said: str) -> object:
        made = datasketch.MinHash(num_perm=PERMUTATIONS)
        made.update_batch({said[at : at + GRAM].encode() for at in range(len(said) - GRAM + 1)})
        return made

    theirs = np.array([signed(one).jaccard(signed(other)) for one, other in pairs])  # type: ignore[attr-defined]
    ours, true = estimates(pairs), np.array([exact(*pair) for pair in pairs])
    assert abs(ours.mean() - theirs.mean()) < 0.02
    assert np.abs(ours - true).mean() < 1.2 * np.abs(theirs - true).mean() + 0.005


def test_thirteen_words_in_a_row_are_one_hash() -> None:
    said = [str(number) for number in range(20)]
    hashes, starts = thirteens([said, said[:12], ["x", *said[3:16]]])
    assert starts.tolist() == [0, 8, 8]
    assert len(hashes) == 8 + 0 + 2
    assert hashes[9] == hashes[3]
    assert len(set(hashes.tolist())) == 9
    assert WORDS == 13
    assert words("It's Straße-9!") == ["it", "s", "straße", "9"]


def test_odd_texts_pass() -> None:
    hashes, starts = grams(["\ud800abc\x00", "😀" * 7])
    assert len(starts) == 2
    assert signatures(hashes, starts).shape == (2, PERMUTATIONS)
