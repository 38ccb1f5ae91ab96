"""What is measured of an answered question, and the grid on which each figure is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.language.phrases import listed_words
from trimtab.language.text import words
from trimtab.measure import phrases, tone
from trimtab.measure.refusal import refuses
from trimtab.model.sentences import Encoder
from trimtab.records import Example
from trimtab.stats.intervals import Array
from trimtab.stats.sequential.ranks import NONE, Codes
from trimtab.watch.rows import Traffic

_REFUSAL = phrases.pattern(listed_words("refusal"))
_NOBODY = Example(())


@dataclass(frozen=True, slots=True)
class Grid:
    """The values low, low + step, ..., high: fixed before any row is seen. `unit`: what a value counts."""

    low: float
    high: float
    step: float
    unit: str

    @property
    def codes(self) -> int:
        """How many values it has."""
        return round((self.high - self.low) / self.step) + 1

    @property
    def shares(self) -> bool:
        """Whether its values are 0 and 1 alone."""
        return self.codes == 2

    def place(self, values: Array) -> Codes:
        """The nearest value of the grid to each value (n,), as its number from 0; `NONE` for nan."""
        defined = np.isfinite(values)
        inside = np.clip(np.where(defined, values, self.low), self.low, self.high)
        places = np.rint((inside - self.low) / self.step).astype(np.int64)
        answer: Codes = np.where(defined, places, NONE)
        return answer

    def value(self, codes: Codes) -> Array:
        """The values (n,) with these numbers."""
        return np.asarray(self.low + self.step * codes, dtype=np.float64)


YES_NO = Grid(0, 1, 1, "share of answers")
COSINE = Grid(-1, 1, 0.002, "cosine")
# Figures of an answer that need no other text: name, and the grid it is counted on.
FIGURES: dict[str, Grid] = {
    "words": Grid(0, 4000, 1, "words"),
    "refusal": YES_NO,
    "sentiment": Grid(-1, 1, 0.002, "compound, -1 to 1"),
    "confidence": Grid(0, 1, 0.001, "probability"),
    "rules": YES_NO,
}


@dataclass(frozen=True, slots=True)
class Features:
    """Of n rows: figures by name, (n,) each, nan where undefined; vectors (n, hidden) of length 1, None if not read."""

    figures: dict[str, Array]
    prompts: np.ndarray | None
    answers: np.ndarray | None


def features(rows: Sequence[Traffic], wanted: Sequence[str], encoder: Encoder | None) -> Features:
    """Measure some rows.

    wanted: names of `FIGURES`.

    Raises:
        MissingPart: vaderSentiment is not installed and the sentiment is wanted, or the encoder cannot be loaded.
    """
    figures = {name: np.array([_figure(name, row) for row in rows], dtype=np.float64) for name in wanted}
    if encoder is None:
        return Features(figures, None, None)
    prompts = encoder.embed_all(tuple(row.prompt for row in rows))
    return Features(figures, prompts, encoder.embed_all(tuple(row.answer for row in rows)))


_SENTIMENT = tone.sentiment()


def _figure(name: str, row: Traffic) -> float:
    if name == "words":
        return float(len(words(row.answer)))
    if name == "refusal":
        return float(refuses(row.answer, _REFUSAL))
    if name == "sentiment" and _SENTIMENT.score is not None:
        return _SENTIMENT.score(_NOBODY, row.answer)
    if name == "rules":
        return float(bool(row.fired))
    return float("nan") if row.confidence is None else row.confidence
