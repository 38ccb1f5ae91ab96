"""Calibrating an answer's confidence for one stack: on select, against the goal, with honest figures of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.adjust.confidence import FEATURES, Confidence, Observed, identity, observe
from trimtab.adjust.stack import Stack, taken_apart
from trimtab.candidates import ConfidenceOptions
from trimtab.data.split import cluster_keys
from trimtab.errors import MetricError, ModelError
from trimtab.measure.contract import Metric
from trimtab.measure.trial import of_outputs
from trimtab.model.load import Base
from trimtab.records import Example, questions
from trimtab.rungs.workshop import Fitted, Workshop
from trimtab.stats import calibration
from trimtab.stats.reliability import reliability

# Answers of each kind without which a calibration says nothing.
LEAST = 5
# Features that are read from log-probabilities.
LOGPROBS = ("mean_logprob", "min_logprob", "entropy")


@dataclass(frozen=True, slots=True)
class Marked:
    """Answers with a score: features (n, k), 1 for good and 0 for not (n,), and the cluster of each one's item (n,)."""

    rows: np.ndarray
    good: np.ndarray
    groups: tuple[str, ...]


def calibrate(
    shop: Workshop, stack: Stack, options: ConfidenceOptions, examples: Sequence[Example] | None = None
) -> Fitted:
    """Fit the confidence of a stack's answers; it holds for this stack only, and stands right after it.

    The cost holds, beside time and tokens, the figures (`stats.reliability`) of confidences each of which came from
    a calibration that was fitted without the item's cluster, and those of saying the share of good answers always.

    Args:
        examples: the items to calibrate on; all of select when not given.

    Raises:
        MetricError: the goal does not score single answers, or fewer than 5 answers are good, or not good.
        ModelError: a feature needs log-probabilities or likelihoods, and the model gives none.
    """
    _check_features(shop, options)
    started = time.monotonic()
    items = list(shop.prepared.parts["select"] if examples is None else examples)
    asked = questions(items, shop.prepared.sampling, shop.prepared.seeds)
    with stack.attach(shop.model, report=shop.report) as model:
        seen = observe(model.model, asked, options.features, options.samples, shop.report)
        base, before = identity(model.model), taken_apart(model.model)[1].hash
    marked = mark(items, seen, shop.prepared.goal, options.good)
    fitted = calibration.fit(marked.rows, marked.good, options.features, options.method)
    found = Confidence(
        fitted, before, base, options.samples, options.threshold, options.sentence, good=options.good
    )
    figures = _figures(marked, options, shop.prepared.recipe.seed)
    return Fitted(found, {"seconds": time.monotonic() - started, "tokens": seen.tokens, **figures})


def _check_features(shop: Workshop, options: ConfidenceOptions) -> None:
    """Refuse features that a service does not give, before it is asked for any answer of the stack."""
    if isinstance(shop.model, Base):
        return
    missing = {"p_true": "a service gives no likelihood of a given text"}
    if not shop.gives_logprobs:
        missing |= dict.fromkeys(LOGPROBS, "this service gives no log-probabilities")
    problems = [f"{name}: {missing[name]}" for name in options.features if name in missing]
    if problems:
        allowed = ", ".join(name for name in FEATURES if name not in missing)
        raise ModelError(
            f"confidence: not available: {'; '.join(problems)}",
            f"set features to some of: {allowed}; entropy and agreement need samples",
        )


def calibrated(shop: Workshop, stack: Stack, options: ConfidenceOptions) -> tuple[Stack, dict[str, Any]]:
    """A stack with the confidence of its answers over it, and what the calibration cost and is worth.

    Raises:
        MetricError, ModelError: as `calibrate`.
    """
    found = calibrate(shop, stack, options)
    return Stack((*stack.adjustments, found.adjustment)), dict(found.cost)


def again(shop: Workshop, stack: Stack) -> tuple[Stack, dict[str, Any]]:
    """A stack whose confidences were calibrated under other stacks, with each calibrated anew where it stands.

    Where that cannot be done, because too few of this stack's answers are good, or not good, the confidence is left
    off, and the figures say why: one of another stack would be wrong.

    Raises:
        ModelError: how a confidence was calibrated is not recorded.
    """
    whole, figures = Stack(), dict[str, Any]()
    for adjustment in stack.adjustments:
        if not isinstance(adjustment, Confidence):
            whole = Stack((*whole.adjustments, adjustment))
            continue
        try:
            whole, figures = calibrated(shop, whole, options_of(adjustment))
        except MetricError as error:
            figures = {"left_off": error.message}
    return whole, figures


def options_of(found: Confidence) -> ConfidenceOptions:
    """The options that a confidence was calibrated with.

    Raises:
        ModelError: the score from which an answer counted as good is not recorded.
    """
    if found.good is None:
        raise ModelError(
            f"confidence for stack {found.for_stack}: the score from which an answer is good is not recorded",
            "calibrate it again from a recipe: candidates.postprocess, confidence",
        )
    return ConfidenceOptions(
        good=found.good,
        features=found.calibrator.features,
        samples=found.samples,
        method="isotonic" if found.calibrator.knots else "platt",
        threshold=min(1.0, max(0.0, found.strength * found.threshold)),
        sentence=found.sentence,
    )


def mark(examples: Sequence[Example], seen: Observed, goal: Metric, good: float) -> Marked:
    """Which answers are good: those whose score is at least `good`, or at most where lower is better.

    Answers without a score are left out.

    Raises:
        MetricError: the goal does not score single answers, or fewer than 5 answers are good, or not good.
    """
    if goal.score is None:
        raise MetricError(
            f"metric {goal.name}: scores no single answer, so none can be called good",
            "calibrate confidence with a goal that scores each answer",
        )
    values = goal.sign * np.array([score.value for score in of_outputs(examples, seen.outputs, goal)])
    kept = ~np.isnan(values)
    marks = (values[kept] >= goal.sign * good).astype(np.float64)
    counts = int(marks.sum()), int(len(marks) - marks.sum())
    if min(counts) < LEAST:
        raise MetricError(
            f"confidence: {counts[0]} answers are good by {goal.name} {good:g} and {counts[1]} are not; "
            f"at least {LEAST} of each are needed",
            "set good nearer to the middle of the scores, or bring more items",
        )
    keys = dict(zip((example.id for example in examples), cluster_keys(examples), strict=True))
    groups = tuple(keys[output.example] for output, keep in zip(seen.outputs, kept, strict=True) if keep)
    return Marked(seen.features[kept], marks, groups)


def _figures(marked: Marked, options: ConfidenceOptions, seed: int) -> dict[str, Any]:
    """What confidences are worth on answers that their calibration has not seen."""
    apart = calibration.crossed(
        marked.rows, marked.good, options.features, options.method, groups=marked.groups, seed=seed
    )
    share = float(marked.good.mean())
    found = reliability(apart, marked.good, groups=marked.groups, seed=seed)
    abstained = apart < options.threshold
    answered = marked.good[~abstained]
    return {
        "items": len(marked.good),
        "good": share,
        "brier": found.brier,
        "brier_of_base_rate": share * (1 - share),
        "calibration_error": found.error,
        "aurc": found.aurc,
        "risk": found.risk,
        "curve": found.curve,
        "abstained": float(abstained.mean()),
        "risk_of_answered": float(1 - answered.mean()) if len(answered) else None,
    }
