"""How a set reads and sounds as a whole: distributions over its answers, and the answers far from the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.audit.checks.lengths import quantiles
from trimtab.audit.findings import Hit, Row
from trimtab.language.text import words
from trimtab.measure.contract import Metric
from trimtab.measure.style import readability
from trimtab.measure.tone import phrase_rate, sentiment
from trimtab.records import Example

# A sentiment beyond this, in VADER's compound, is named where the set is neutral for the most part.
STRONG = 0.6
# VADER's time grows with the square of a text: 0.5 ms for so many characters, 20 ms for 5,000.
LONGEST = 600
_NEUTRAL_SHARE = 0.9
_FEWEST_WORDS = 5
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Rated:
    """Of n answers: numbers of their rows (n,), and by name the unit and the figures (n,) of each."""

    rows: np.ndarray
    units: Mapping[str, str]
    figures: Mapping[str, np.ndarray]


def answer(row: Row) -> str:
    """What a row answers, cut to what is rated; empty where it is shorter than five words."""
    text = "\n".join(one.text[:LONGEST] for one in row.texts if one.side == "answer")[:LONGEST]
    return text if len(words(text)) >= _FEWEST_WORDS else ""


def rated(texts: Sequence[tuple[int, str]]) -> Rated:
    """Readability (Flesch points), sentiment (-1 to 1) and advertising words (per 100 words) of texts with their rows.

    Raises:
        MissingPart: vaderSentiment is not installed.
    """
    metrics = {"readability": readability(), "sentiment": sentiment(), "advertising": phrase_rate()}
    return Rated(
        np.array([number for number, _ in texts], dtype=np.int64),
        {name: metric.unit for name, metric in metrics.items()},
        {name: scores(metric, [text for _, text in texts]) for name, metric in metrics.items()},
    )


def scores(metric: Metric, texts: Sequence[str]) -> np.ndarray:
    """The scores (n,) of n answers by a metric that looks at each alone; nan where it has none."""
    nobody = Example(messages=())
    given = [metric.score(nobody, text) if metric.score else np.nan for text in texts]
    return np.array(given, dtype=np.float64)


def distributions(found: Rated) -> Mapping[str, Mapping[str, Any]]:
    """Quantiles of each figure by its name, with its unit."""
    return {name: {"unit": found.units[name], **quantiles(values)} for name, values in found.figures.items()}


def outlying_sentiment(found: Rated) -> list[Hit]:
    """`outlier_sentiment`: strong praise or blame where nine of ten answers are mild; none of fewer than twenty."""
    values = found.figures["sentiment"]
    strong = np.abs(values) > STRONG
    if len(values) < _FEWEST or strong.mean() > 1 - _NEUTRAL_SHARE:
        return []
    return [
        Hit(
            "outlier_sentiment", int(found.rows[place]), note=f"sentiment {values[place]:+.2f}, most are mild"
        )
        for place in np.flatnonzero(strong)
    ]
