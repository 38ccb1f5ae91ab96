"""Metrics read from log-probabilities: of references, of the choices of a question, of minimal pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from trimtab.errors import MetricError
from trimtab.measure.contract import Ask, Metric, ratio
from trimtab.records import NAN, Example

Normalisation = Literal["none", "tokens", "characters"]
Measured = Sequence[tuple[float, int]]


def nll() -> Metric:
    """Negative log-likelihood of the references, nats per token, lower is better.

    Question: how surprised is the model by each token of the good answers?
    Limits: measured with the true text before each token, so it says nothing of what the model writes itself;
    compares only models that share a tokenizer.
    An item's score is -(sum of its references' log-probabilities) / (sum of their tokens); without messages
    a reference is plain text. Perplexity is the exponential of it. Nan without a reference or a token.
    """

    def asks(example: Example) -> list[Ask]:
        return [(example.messages, reference) for reference in example.references]

    def combine(example: Example, measured: Measured) -> float:
        return -ratio(sum(total for total, _ in measured), sum(tokens for _, tokens in measured))

    return Metric(
        name="nll",
        unit="nats per token",
        direction="lower",
        question="How surprised is the model by each token of the good answers?",
        limits="Says nothing of what the model writes itself; compares only models with the same tokenizer.",
        needs="likelihood",
        asks=asks,
        combine=combine,
    )


def choice(*, normalise: Normalisation = "tokens") -> Metric:
    """1 if the right choice is the most likely answer, else 0; a tie shares the point; higher is better.

    Question: does the model find the right choice the most likely answer?
    Limits: knows nothing of how the model would answer in its own words; depends on the normalisation.
    A choice's score is its total log-probability, divided by its tokens (default), its characters, or
    nothing: without a division short choices win.
    Needs fields `choices` (texts) and `answer` (index from 0); nan without them.
    """

    def asks(example: Example) -> list[Ask]:
        return [(example.messages, text) for text in _choices(example)]

    def combine(example: Example, measured: Measured) -> float:
        lengths = _lengths(_choices(example), measured, normalise)
        likely = [ratio(total, length) for (total, _), length in zip(measured, lengths, strict=True)]
        if any(value != value for value in likely):
            return NAN
        best = [index for index, value in enumerate(likely) if value == max(likely)]
        return 1.0 / len(best) if example.fields["answer"] in best else 0.0

    return Metric(
        name="choice",
        unit="share of questions",
        direction="higher",
        question="Does the model find the right choice the most likely answer?",
        limits=f"Not how the model would answer in its own words; likelihood is divided by: {normalise}.",
        bounds=(0.0, 1.0),
        needs="choices",
        asks=asks,
        combine=combine,
    )


def minimal_pair(*, normalise: Normalisation = "none") -> Metric:
    """1 if the good text of a pair is likelier than the bad one, else 0; a tie counts 0.5; higher is better.

    Question: which of two nearly equal texts does the model prefer?
    Limits: a preference for a text is not a behaviour; word frequency plays in. For pairs about groups of
    people (good: the less stereotyped text) even treatment is 0.5, not 1.
    Needs fields `good` and `bad`; nan without them. Source: Warstadt et al. 2020, section 4 (total
    log-probability, no division).
    """

    def asks(example: Example) -> list[Ask]:
        return list(given_pair(example) or ())

    def combine(example: Example, measured: Measured) -> float:
        return _first_is_likelier(asks(example), measured, normalise)

    return Metric(
        name="minimal_pair",
        unit="share of pairs",
        direction="higher",
        question="Which of two nearly equal texts does the model prefer?",
        limits="A preference is not a behaviour; where pairs are about groups of people, even is 0.5.",
        bounds=(0.0, 1.0),
        needs="pairs",
        asks=asks,
        combine=combine,
    )


def preference(*, normalise: Normalisation = "none") -> Metric:
    """1 if the chosen answer is likelier than the rejected one, else 0; a tie counts 0.5; higher is better.

    Question: which of two answers that people chose between does the model find likelier?
    Limits: a preference between two given answers says nothing of what the model writes itself; by total
    log-probability, which is the default, short answers win. It is not the accuracy of the reward that a loss of
    preferences implies, which is about the distance from the base model.
    Needs a reference, the chosen answer, and a field `rejected`; nan without them. The token that ends the turn is
    not counted. Source: Rafailov et al. 2023, section 4 (the policy's own ranking, without the reference model).
    """

    def asks(example: Example) -> list[Ask]:
        rejected = example.fields.get("rejected")
        if not example.references or not isinstance(rejected, str):
            return []
        return [(example.messages, example.references[0]), (example.messages, rejected)]

    def combine(example: Example, measured: Measured) -> float:
        return _first_is_likelier(asks(example), measured, normalise)

    return Metric(
        name="preference",
        unit="share of pairs",
        direction="higher",
        question="Which of two answers that people chose between does the model find likelier?",
        limits="Says nothing of what the model writes itself; "
        f"likelihood of whole answers, divided by: {normalise}.",
        bounds=(0.0, 1.0),
        needs="pairs",
        asks=asks,
        combine=combine,
    )


def _first_is_likelier(asks: Sequence[Ask], measured: Measured, normalise: Normalisation) -> float:
    """Of two texts: 1 if the first is likelier, 0.5 for a tie, else 0; nan where either has no likelihood."""
    lengths = _lengths([text for _, text in asks], measured, normalise)
    good, bad = (ratio(total, length) for (total, _), length in zip(measured, lengths, strict=True))
    if good != good or bad != bad:
        return NAN
    return 0.5 if good == bad else float(good > bad)


def given_pair(example: Example) -> tuple[Ask, Ask] | None:
    """The texts of the fields `good` and `bad` after the prompt, where both are given."""
    good, bad = example.fields.get("good"), example.fields.get("bad")
    if not isinstance(good, str) or not isinstance(bad, str):
        return None
    return (example.messages, good), (example.messages, bad)


def _choices(example: Example) -> list[str]:
    choices, answer = example.fields.get("choices"), example.fields.get("answer")
    if choices is None or answer is None:
        return []
    if not isinstance(answer, int) or not 0 <= answer < len(choices):
        raise MetricError(
            f"item {example.id!r}: answer is {answer!r}, with {len(choices)} choices",
            "answer is the index of the right choice, from 0",
        )
    return [str(text) for text in choices]


def _lengths(texts: Sequence[str], measured: Measured, normalise: Normalisation) -> list[float]:
    length: dict[Normalisation, Callable[[str, int], float]] = {
        "none": lambda text, tokens: 1.0,
        "tokens": lambda text, tokens: float(tokens),
        "characters": lambda text, tokens: float(len(text)),
    }
    return [length[normalise](text, tokens) for text, (_, tokens) in zip(texts, measured, strict=True)]
