"""How likely an answer is to be good, told with it; and a sentence in its place where that is too unlikely.

Features of the answer go through a calibration that was fitted for exactly one stack on one base model, because
every adjustment moves what a log-probability means. Another stack is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.adjust.draws import chosen_from, closeness, draws, judged, logprobs, mean_logprob
from trimtab.adjust.overlay import Layer, lay
from trimtab.adjust.stack import taken_apart
from trimtab.errors import ModelError
from trimtab.model.local import Local
from trimtab.records import Model, Output, Question, Report, content_hash
from trimtab.run import read_json, write_json
from trimtab.stats.calibration import Calibrator

FILE = "confidence.json"
FEATURES = ("mean_logprob", "min_logprob", "entropy", "agreement", "p_true")
ABSTAINED = "abstained"
# Answers drawn besides: warm enough to differ, as answers of a greedy model never do.
WARM = 0.7


@dataclass(frozen=True)
class Observed:
    """Answers with their features (n, k), and what it took: tokens of answers drawn, theirs included."""

    outputs: list[Output]
    features: np.ndarray
    tokens: int


def observe(
    model: Model,
    asked: Sequence[Question],
    features: Sequence[str],
    samples: int = 0,
    report: Report | None = None,
) -> Observed:
    """Answer questions and read the features of each answer.

    - mean_logprob, min_logprob: mean and least log-probability of the answer's tokens, nats.
    - entropy: minus the mean log-probability of a token of the `samples` further answers, averaged over them, nats:
      length-normalised predictive entropy by sampling. Source: Malinin and Gales 2021 (arXiv 2002.07650).
    - agreement: mean chrF of the answer with those further ones, 0 to 1.
    - p_true: probability that the model calls its answer right. Source: Kadavath et al. 2022 (arXiv 2207.05221).

    Args:
        samples: answers drawn besides at temperature 0.7, for entropy and agreement.

    Raises:
        ModelError: the model gives no log-probabilities, and a feature needs them.
    """
    needed = samples if {"entropy", "agreement"} & set(features) else 0
    wanted = [[question, *_besides(question, needed)] for question in asked]
    found = iter(model.answer([question for some in wanted for question in some], report))
    answers = [[next(found) for _ in some] for some in wanted]
    outputs = [chosen_from(some[0], some) if needed else some[0] for some in answers]
    columns: dict[str, Sequence[float]] = {}
    for name in features:
        if name == "p_true":
            columns[name] = judged(model, asked, [output.text for output in outputs], report)
        else:
            columns[name] = [_feature(name, some[0], some[1:]) for some in answers]
    rows = np.array([columns[name] for name in features], dtype=np.float64).T.reshape(-1, len(features))
    return Observed(outputs, rows, sum(output.spent for output in outputs))


def _besides(question: Question, samples: int) -> list[Question]:
    warm = lay(question.sampling, Layer({"temperature": WARM}))
    return draws(dataclasses.replace(question, sampling=warm), samples + 1)[1:] if samples else []


def _feature(name: str, output: Output, others: Sequence[Output]) -> float:
    if name == "mean_logprob":
        return mean_logprob(output)
    if name == "min_logprob":
        return min(logprobs(output))
    if name == "entropy":
        return -math.fsum(mean_logprob(other) for other in others) / len(others)
    return math.fsum(closeness(output.text, other.text) for other in others) / len(others)


def identity(model: Model) -> str:
    """What the model under all adjustments is: the fingerprint of a local base, the name of a service."""
    bottom, _ = taken_apart(model)
    return bottom.base.fingerprint if isinstance(bottom, Local) else bottom.name


@dataclass(frozen=True)
class Confidence(Adjustment):
    """Sets an answer's confidence, and abstains below a threshold.

    Attributes:
        calibrator: from features to the probability that the answer is good.
        for_stack: hash of the stack that it was calibrated on, and base: identity of the model under it.
        samples: answers drawn besides, for the features that need them.
        good: score on the goal's metric from which an answer counted as good, None where that is not recorded; with
            it the same options can be calibrated for another stack.
        threshold: probability below which `sentence` is said instead; 0 never abstains. Times the strength.
    """

    kind: ClassVar[str] = "confidence"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"text"})
    calibrator: Calibrator
    for_stack: str
    base: str
    samples: int = 0
    threshold: float = 0.0
    sentence: str = "I am not sure enough to answer that."
    strength: float = 1.0
    good: float | None = None

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        return content_hash([self.kind, self._record()])

    def scaled(self, factor: float) -> Confidence:
        """The same calibration with a threshold `factor` times as high."""
        return dataclasses.replace(self, strength=self.strength * factor)

    def check(self, model: Model) -> None:
        """Refuse a stack or base model that it was not calibrated for.

        Raises:
            ModelError: naming both.
        """
        _, before = taken_apart(model)
        received, base = before.hash, identity(model)
        if (received, base) != (self.for_stack, self.base):
            raise ModelError(
                f"confidence: calibrated for stack {self.for_stack} on base {self.base[:12]}, received stack "
                f"{received} on base {base[:12]}",
                "calibrate it again for this stack: every adjustment moves log-probabilities",
            )

    def answers(self, model: Model, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """Answers with their confidence; below the threshold the sentence, marked as `abstained`."""
        if self.strength == 0 or not asked:
            return model.answer(asked, report)
        seen = observe(model, asked, self.calibrator.features, self.samples, report)
        sure = self.calibrator.probabilities(seen.features).tolist()
        return [self._told(output, value) for output, value in zip(seen.outputs, sure, strict=True)]

    def _told(self, output: Output, confidence: float) -> Output:
        if confidence >= self.strength * self.threshold:
            return dataclasses.replace(output, confidence=confidence)
        fired = (*output.fired, ABSTAINED)
        return dataclasses.replace(output, text=self.sentence, confidence=confidence, fired=fired)

    def save(self, folder: Path) -> None:
        """Write `confidence.json`: numbers and texts only."""
        write_json(folder / FILE, self._record())

    @classmethod
    def load(cls, folder: Path) -> Confidence:
        """Read what `save` wrote."""
        record = read_json(folder / FILE)
        names = ("for_stack", "base", "samples", "threshold", "sentence", "strength")
        calibrator = Calibrator.of(record["calibrator"])
        return cls(calibrator, **{name: record[name] for name in names}, good=record.get("good"))

    def describe(self) -> Description:
        """What it reads, how it was calibrated, and when it abstains."""
        told = {
            "features": Setting(list(self.calibrator.features)),
            "method": Setting("isotonic" if self.calibrator.knots else "platt"),
            "items": Setting(self.calibrator.items, "answers calibrated on"),
            "samples": Setting(self.samples, "answers drawn besides"),
            "threshold": Setting(self.threshold, "probability of being good"),
            "good": Setting(self.good, "score from which an answer is good"),
            "sentence": Setting(self.sentence),
            "for_stack": Setting(self.for_stack, "hash"),
        }
        return Description(self.kind, self.strength, told, 0, 0)

    def _record(self) -> dict[str, Any]:
        held = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return held if self.good is not None else {name: held[name] for name in held if name != "good"}
