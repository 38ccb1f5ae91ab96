"""Passages found for a question: by shared words, by meaning, or by both ranks together."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from trimtab.adjust.bm25 import BM25, best_first
from trimtab.errors import ModelError
from trimtab.model import sentences
from trimtab.records import Passage

Method = Literal["bm25", "embedding", "fused"]
RRF = 60  # the constant that the source fixed on pilot data


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, by its position, and how near it is to the question.

    `nearness` is the cosine of the embeddings, -1 to 1; for BM25 alone its score, from 0.
    """

    position: int
    nearness: float


@dataclass(frozen=True)
class Retrieval:
    """Passages and how they are searched.

    Attributes:
        vectors: of the passages (passages, hidden) float32, each of length 1; (0, 0) for BM25 alone.
        encoder: SHA-256 of the encoder that made them; empty for BM25 alone.
    """

    passages: tuple[Passage, ...]
    method: Method
    vectors: np.ndarray
    encoder: str = ""

    @functools.cached_property
    def index(self) -> BM25:
        """The passages' words."""
        return BM25([passage.searched for passage in self.passages])

    def search(self, question: str, count: int) -> list[Hit]:
        """The best passages for a question, best first; by words alone, only such as share one.

        Raises:
            ModelError: the vectors were made by another encoder than the one installed.
        """
        words = self.index.scores(question) if self.method != "embedding" else np.zeros(0)
        if self.method == "bm25":
            return [Hit(n, float(words[n])) for n in best_first(words)[:count] if words[n] > 0]
        cosines = self.vectors.astype(np.float64) @ self._encoder().embed(question)
        ranked = best_first(cosines if self.method == "embedding" else fused([cosines, words]))
        return [Hit(n, float(cosines[n])) for n in ranked[:count]]

    def _encoder(self) -> sentences.Encoder:
        found = sentences.default_encoder()
        if found.fingerprint != self.encoder:
            raise ModelError(
                f"passages: their vectors are of the encoder {self.encoder[:12]}, installed is "
                f"{found.fingerprint[:12]}",
                "install the encoder that the run used, or tune again",
            )
        return found


def build(passages: Sequence[Passage], method: Method) -> Retrieval:
    """Index passages; for meaning, each is read by the sentence encoder (its first 256 tokens).

    Raises:
        MissingPart: the encoder is not installed.
    """
    if method == "bm25":
        return Retrieval(tuple(passages), method, np.zeros((0, 0), dtype=np.float32))
    encoder = sentences.default_encoder()
    vectors = encoder.embed_all(tuple(passage.searched for passage in passages))
    return Retrieval(tuple(passages), method, vectors, encoder.fingerprint)


def fused(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Sum of 1 / (60 + rank) over several scores of the same texts (texts,): reciprocal rank fusion.

    rank is 1 for the best; equal scores share the best rank among them, as all do that share no word with a
    question. Source: Cormack, Clarke and Büttcher 2009, Reciprocal Rank Fusion outperforms Condorcet and individual
    Rank Learning Methods, section 2.
    """
    found: np.ndarray = sum(1 / (RRF + rankdata(-one, method="min")) for one in scores)
    return found
