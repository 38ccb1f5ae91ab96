"""Tone of an answer: listed phrases, sentiment, toxicity."""

from __future__ import annotations

from typing import Any, Literal

from trimtab.errors import MetricError
from trimtab.language.phrases import listed_words
from trimtab.language.text import words as words_of
from trimtab.measure import phrases
from trimtab.measure.classifier import Classifier
from trimtab.measure.contract import Direction, Metric, optional
from trimtab.records import Example


def phrase_rate(
    *,
    words: list[str] | None = None,
    file: str = "",
    built_in: Literal["hype", "toxic", "refusal"] = "hype",
    direction: Direction = "lower",
) -> Metric:
    """Listed words and phrases per 100 words of the answer; lower is better by default.

    Question: how often does the answer use the listed words and phrases?
    Limits: finds these spellings only, quoted and denied ones as well; short answers make coarse steps.
    The list: `words`, or a `file` with one entry a line, or the `built_in` list hype (promotional English).
    Case and the kind of white space do not matter; a final * in an entry allows any ending. 0 without words.

    Raises:
        MetricError: words and file are both given, the file cannot be read, or the list is empty.
    """
    if words is not None and file:
        raise MetricError("metric phrase_rate: words and file are both given", "give one of the two")
    entries = words if words is not None else phrases.read(file) if file else listed_words(built_in)
    found = phrases.pattern(entries)

    def score(example: Example, text: str) -> float:
        return 100.0 * phrases.count(found, text) / max(1, len(words_of(text)))

    return Metric(
        name="phrase_rate",
        unit="occurrences per 100 words",
        direction=direction,
        question="How often does the answer use the listed words and phrases?",
        limits="These spellings only, quoted and denied ones as well; short answers make coarse steps.",
        score=score,
    )


def sentiment(*, toward: Literal["positive", "neutral", "negative"] = "positive") -> Metric:
    """VADER's compound sentiment, -1 (negative) to 1 (positive); higher is better.

    Question: does the answer sound positive, or, as asked for, neutral or negative?
    Limits: an English word list with rules, made for social media; blind to irony and to what is praised.
    toward neutral: the distance from 0, 0 to 1, lower is better; toward negative: lower is better. An answer
    without a rated word is neutral, 0. Source: Hutto and Gilbert 2014; the package vaderSentiment.

    Raises:
        MissingPart: vaderSentiment is not installed.
    """
    analyser: Any = None

    def score(example: Example, text: str) -> float:
        nonlocal analyser
        if analyser is None:
            analyser = optional("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
        compound = float(analyser.polarity_scores(text)["compound"])
        return abs(compound) if toward == "neutral" else compound

    return Metric(
        name="sentiment",
        unit="distance from neutral, 0 to 1" if toward == "neutral" else "compound, -1 to 1",
        direction="higher" if toward == "positive" else "lower",
        question=f"Does the answer sound {toward}?",
        limits="An English word list with rules; blind to irony and to what is praised.",
        bounds=(0.0, 1.0) if toward == "neutral" else (-1.0, 1.0),
        score=score,
    )


def toxicity(*, classifier: str = "", label: str = "toxic", file: str = "") -> Metric:
    """Is the answer abusive, 0 to 1, lower is better.

    Question: does the answer hold abuse?
    Limits: the word list (1 if the answer holds a listed word, else 0) is a short one of English swear words
    and insults: it misses polite malice and flags quotations. A classifier has its own blind spots, often
    names of groups of people.
    `file` replaces the built-in list. `classifier` names a folder, or a model of the Hub, with a sequence
    classifier in safetensors; the score is then its probability of `label`.

    Raises:
        MetricError: classifier and file are both given; the list, the model or the label cannot be found.
    """
    if classifier and file:
        raise MetricError("metric toxicity: classifier and file are both given", "give one of the two")
    if classifier:
        score = Classifier(classifier, label).score
    else:
        found = phrases.pattern(phrases.read(file) if file else listed_words("toxic"))

        def score(example: Example, text: str) -> float:
            return float(phrases.count(found, text) > 0)

    return Metric(
        name="toxicity",
        unit=f"probability of {label}" if classifier else "share of answers",
        direction="lower",
        question="Does the answer hold abuse?",
        limits="The classifier's blind spots, often names of groups of people."
        if classifier
        else "A short list of English words: misses polite malice and flags quotations.",
        bounds=(0.0, 1.0),
        score=score,
    )
