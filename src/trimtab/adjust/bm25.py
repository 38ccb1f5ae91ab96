"""Texts ranked by the words that they share with a query.

Written here because thirty lines need no dependency, and an index that is rebuilt from its texts loads exactly.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

# Saturation of repeated words and normalisation by length: the middle of the ranges that the source found to do well.
K1, B = 1.5, 0.75
# Scripts that put no spaces between words: each character is a term of its own.
_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_TERM = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+")


def terms(text: str) -> list[str]:
    """The words of a text for comparing: runs of letters and digits, NFKC, case folded."""
    return _TERM.findall(unicodedata.normalize("NFKC", text).casefold())


class BM25:
    """Weights of the words of a collection of texts.

    score(query, text) = sum over the query's words of w(word) * tf / (k1 * ((1 - b) + b * dl / avdl) + tf)

    tf: occurrences in the text; dl, avdl: its length and the mean length, in words. Source: Robertson and Zaragoza
    2009, The Probabilistic Relevance Framework: BM25 and Beyond, equation 3.15. w is the weight without relevance
    judgements, log((N - n + 0.5) / (n + 0.5)), with 1 added to its argument, so that a word which stands in more
    than half of the texts counts little rather than against a text.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(terms(text)) for text in texts]
        self.column = {term: number for number, term in enumerate(sorted(set().union(*counts)))}
        self.weights = self._weights(counts)

    def _weights(self, counts: Sequence[Counter[str]]) -> sparse.csr_array:
        """Weight of each word in each text, (texts, words)."""
        rows = np.repeat(np.arange(len(counts)), [len(count) for count in counts])
        columns = np.array([self.column[term] for count in counts for term in count], dtype=np.int64)
        tf = np.array([n for count in counts for n in count.values()], dtype=np.float64)
        lengths = np.array([count.total() for count in counts], dtype=np.float64)
        holding = np.bincount(columns, minlength=len(self.column))
        rarity = np.log1p((len(counts) - holding + 0.5) / (holding + 0.5))
        norm = K1 * ((1 - B) + B * lengths / max(lengths.mean(), 1e-12)) if len(lengths) else lengths
        values = rarity[columns] * tf / (norm[rows] + tf)
        return sparse.csr_array((values, (rows, columns)), shape=(len(counts), len(self.column)))

    def scores(self, query: str) -> np.ndarray:
        """Score of each text (texts,), from 0; a word that stands in the query twice counts twice."""
        asked = np.zeros(len(self.column))
        for term, number in Counter(terms(query)).items():
            if term in self.column:
                asked[self.column[term]] = number
        found: np.ndarray = self.weights @ asked
        return found

    def cosines(self) -> np.ndarray:
        """Cosine of the angle between every two texts' weights (texts, texts), 0 to 1; 0 for a text without words."""
        lengths = np.sqrt(np.asarray(self.weights.multiply(self.weights).sum(axis=1)).ravel())
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        unit = self.weights.multiply(scale[:, None]).tocsr()
        found: np.ndarray = np.clip((unit @ unit.T).toarray(), 0.0, 1.0)
        return found


def best_first(scores: np.ndarray) -> list[int]:
    """Positions by falling score; equal ones in their order."""
    return [int(number) for number in np.argsort(-scores, kind="stable")]
