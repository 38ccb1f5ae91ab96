"""How a set reads and sounds as a whole: distributions over its answers, and the answers far from the rest."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trimtab.audit.checks.lengths import quantiles
from trimtab.audit.findings import Hit
from trimtab.language.text import words
from trimtab.measure.style import readability
from trimtab.measure.tone import phrase_rate, sentiment
from trimtab.records import Example

# Rating a text takes about half a millisecond: so many say what a million would.
SAMPLE = 2000
# A sentiment beyond this, in VADER's compound, is named where the set is neutral for the most part.
STRONG = 0.6
_NEUTRAL_SHARE = 0.9
_FEWEST_WORDS = 5
_LONGEST = 5000


def sample(texts: Sequence[tuple[int, str]], seed: int = 0, size: int = SAMPLE) -> list[tuple[int, str]]:
    """At most `size` of some texts, each with the number of its row, drawn by a seed, in their order."""
    if len(texts) <= size:
        return list(texts)
    drawn = sorted(random.Random(seed).sample(range(len(texts)), size))
    return [texts[place] for place in drawn]


def distributions(texts: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Quantiles of readability (Flesch points), sentiment (-1 to 1) and advertising words (per 100 words).

    Answers of fewer than five words are left out; of long ones the first 5,000 characters are read.

    Raises:
        MissingPart: vaderSentiment is not installed.
    """
    read = [text[:_LONGEST] for text in texts if len(words(text[:_LONGEST])) >= _FEWEST_WORDS]
    metrics = {"readability": readability(), "sentiment": sentiment(), "advertising": phrase_rate()}
    nobody = Example(messages=())
    return {
        name: {"unit": metric.unit, **quantiles([metric.score(nobody, text) for text in read])}
        for name, metric in metrics.items()
        if metric.score
    }


def outlying_sentiment(texts: Sequence[tuple[int, str]]) -> list[Hit]:
    """`outlier_sentiment`: strong praise or blame where nine of ten answers are mild; texts with their rows' numbers.

    Raises:
        MissingPart: vaderSentiment is not installed.
    """
    metric, nobody = sentiment(), Example(messages=())
    if metric.score is None or len(texts) < 20:
        return []
    rated = np.array([metric.score(nobody, text[:_LONGEST]) for _, text in texts])
    strong = np.abs(rated) > STRONG
    if strong.mean() > 1 - _NEUTRAL_SHARE:
        return []
    return [
        Hit("outlier_sentiment", number, note=f"sentiment {value:+.2f}, where most are mild")
        for (number, _), value, far in zip(texts, rated, strong, strict=True)
        if far
    ]
