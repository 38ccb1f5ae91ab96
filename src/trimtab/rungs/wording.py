"""Which words one set of texts uses more than another, beyond chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from trimtab.language.text import words

# Weight of the prior, as a share of all words: what both sets use alike, so that rare words do not win by a single use.
PRIOR = 0.1
# A word counts if it is used at least so often, and more often by at least so many standard errors.
LEAST, Z = 3, 1.96


def over_represented(these: Sequence[str], others: Sequence[str], most: int) -> tuple[str, ...]:
    """Words that `these` texts use more than `others`, as they are written, clearest first; at most so many.

    z-score of the log-odds ratio with an informative Dirichlet prior, Monroe, Colaresi and Quinn 2008, equations 16,
    20 and 22: with counts y of a word, n of all words, and a prior of a for the word and A in all,

        z = [log((y1 + a) / (n1 + A - y1 - a)) - log((y2 + a) / (n2 + A - y2 - a))] / sqrt(1/(y1 + a) + 1/(y2 + a))

    A is a tenth of the words of both sets, and a is A times the word's share in them.
    """
    one, two = (Counter(word for text in texts for word in words(text)) for texts in (these, others))
    scores = {word: _z(one[word], two[word], one.total(), two.total()) for word in one if one[word] >= LEAST}
    clear = [word for word, z in scores.items() if z > Z]
    return tuple(sorted(clear, key=lambda word: (-scores[word], word))[:most])


def _z(one: int, two: int, all_one: int, all_two: int) -> float:
    prior, whole = PRIOR * (one + two), PRIOR * (all_one + all_two)
    rests = [total + whole - count - prior for count, total in ((one, all_one), (two, all_two))]
    if min(rests) <= 0:  # a set of this word alone
        return math.inf if one and not two else 0.0
    odds = [math.log((count + prior) / rest) for count, rest in zip((one, two), rests, strict=True)]
    return (odds[0] - odds[1]) / math.sqrt(1 / (one + prior) + 1 / (two + prior))
