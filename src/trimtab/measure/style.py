"""Form of an answer: readability, length, repetition and variety."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trimtab.language.reading import reading_ease, reading_grade
from trimtab.language.text import ngrams, words
from trimtab.measure.contract import Direction, Metric, ratio
from trimtab.records import Example


def readability(*, formula: Literal["flesch", "grade"] = "flesch") -> Metric:
    """Flesch reading ease (higher is better) or Flesch-Kincaid grade (lower is better).

    Question: how easy is the answer to read, judged by sentence and word length?
    Limits: made for English prose of a hundred words or more; noisy on short answers; blind to sense.
    flesch: 206.835 - 1.015 words/sentences - 84.6 syllables/words (Flesch 1948), in points, usually 0 to 100.
    grade: 0.39 words/sentences + 11.8 syllables/words - 15.59 (Kincaid et al. 1975), in US school years.
    Nan for an answer without a word.
    """

    def score(example: Example, text: str) -> float:
        return reading_ease(text) if formula == "flesch" else reading_grade(text)

    flesch = formula == "flesch"
    return Metric(
        name="readability",
        unit="Flesch points" if flesch else "school years",
        direction="higher" if flesch else "lower",
        question="How easy is the answer to read, judged by sentence and word length?",
        limits="Made for English prose of a hundred words or more; noisy on short answers, blind to sense.",
        score=score,
    )


def length(*, direction: Direction = "lower") -> Metric:
    """Words in the answer; lower is better unless `direction` says otherwise.

    Question: how long is the answer?
    Limits: says nothing of what the words say; languages without spaces count as few words.
    """
    return Metric(
        name="length",
        unit="words",
        direction=direction,
        question="How long is the answer?",
        limits="Nothing of what the words say; languages written without spaces count as few words.",
        score=lambda example, text: float(len(words(text))),
    )


def repetition(*, order: Annotated[int, Field(ge=1, le=20)] = 4) -> Metric:
    """Share of the answer's word n-grams (default 4-grams) that it has used before, 0 to 1, lower is better.

    Question: does the answer go round in circles?
    Limits: sees only word-for-word repetition; a list that repeats on purpose counts as well.
    1 - distinct n-grams / n-grams, 0 for an answer shorter than one n-gram. Source: Welleck et al. 2020,
    section 6 (seq-rep-4).
    """

    def score(example: Example, text: str) -> float:
        found = ngrams([word.lower() for word in words(text)], order)
        return 1.0 - ratio(len(found), found.total(), empty=1.0)

    return Metric(
        name="repetition",
        unit=f"share of {order}-grams",
        direction="lower",
        question="Does the answer go round in circles?",
        limits="Word-for-word repetition only; a list that repeats on purpose counts as well.",
        bounds=(0.0, 1.0),
        score=score,
    )


def distinct(*, order: Annotated[int, Field(ge=1, le=20)] = 2) -> Metric:
    """Distinct word n-grams (default bigrams) of an answer per n-gram, 0 to 1, higher is better.

    Question: how varied is the wording inside one answer?
    Limits: falls with length, so compare answers of like length; says nothing of variety between answers.
    Nan for an answer shorter than one n-gram. Source: Li et al. 2016, section 5.2 (distinct-2), per answer.
    """

    def score(example: Example, text: str) -> float:
        found = ngrams([word.lower() for word in words(text)], order)
        return ratio(len(found), found.total())

    return Metric(
        name="distinct",
        unit=f"distinct {order}-grams per {order}-gram",
        direction="higher",
        question="How varied is the wording inside one answer?",
        limits="Falls with length; says nothing of variety between answers.",
        bounds=(0.0, 1.0),
        score=score,
    )
