"""Closeness in meaning, by sentence embeddings: to references, to the question, between sentences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from trimtab.language.text import sentences
from trimtab.measure.contract import Metric
from trimtab.model.sentences import Encoder
from trimtab.records import NAN, Example


def similarity(*, model: str = "") -> Metric:
    """Cosine between the embeddings of the answer and its closest reference, -1 to 1, higher is better.

    Question: does the answer mean what a reference means?
    Limits: nearly blind to numbers, names and negation; reads 256 tokens; English with the default model.
    `model` is a folder with another encoder. An empty answer scores 0; nan without a reference.

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def score(example: Example, text: str) -> float:
        return max((encoder.cosine(text, reference) for reference in example.references), default=NAN)

    return Metric(
        name="similarity",
        unit="cosine",
        direction="higher",
        question="Does the answer mean what a reference means?",
        limits="Nearly blind to numbers, names and negation; reads the first 256 tokens.",
        bounds=(-1.0, 1.0),
        score=score,
    )


def relevance(*, model: str = "") -> Metric:
    """Cosine between the embeddings of the question and the answer, -1 to 1, higher is better.

    Question: is the answer about what was asked?
    Limits: an answer that repeats the question scores best, and a wrong answer on the subject scores well.
    An empty answer scores 0; nan without a question.

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def score(example: Example, text: str) -> float:
        return encoder.cosine(example.prompt, text) if example.prompt.strip() else NAN

    return Metric(
        name="relevance",
        unit="cosine",
        direction="higher",
        question="Is the answer about what was asked?",
        limits="Repeating the question scores best; a wrong answer on the subject scores well.",
        bounds=(-1.0, 1.0),
        score=score,
    )


def coherence(*, model: str = "") -> Metric:
    """Mean cosine between the embeddings of neighbouring sentences, -1 to 1, higher is better.

    Question: does each sentence stay with the subject of the one before?
    Limits: repeating one sentence scores best; logic and order are not seen.
    Nan for an answer of fewer than two sentences. Source: Foltz, Kintsch and Landauer 1998 (there with LSA).

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def score(example: Example, text: str) -> float:
        found = sentences(text)
        near = [encoder.cosine(a, b) for a, b in pairwise(found)]
        return float(np.mean(near)) if near else NAN

    return Metric(
        name="coherence",
        unit="cosine",
        direction="higher",
        question="Does each sentence stay with the subject of the one before?",
        limits="Repeating one sentence scores best; logic and order are not seen.",
        bounds=(-1.0, 1.0),
        score=score,
    )
