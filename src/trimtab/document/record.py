"""What a run folder says, read once; files that may be missing are empty here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from trimtab.document.figures import known
from trimtab.records import Comparison, GuardResult, Verdict
from trimtab.run import RunFolder, comparison_from

Facts = Mapping[str, Any]

# The target where people's judgement is the goal.
PEOPLE: Facts = {
    "metric": "win_rate",
    "unit": "share of judgements that prefer an answer to the other, ties half",
    "direction": "higher",
    "question": "Do people prefer the adjusted model's answers, not knowing whose they are?",
    "limits": "Only what these people saw of these items, under these guidelines.",
}
TITLES = {"chrf": "chrF", "bleu": "BLEU", "rouge_l": "ROUGE-L", "f1": "F1", "nll": "negative log-likelihood"}


@dataclass(frozen=True, slots=True)
class Record:
    """A finished run. `stack` is the candidate that the page shows beside the base model, "" if none."""

    folder: RunFolder
    verdict: Verdict
    ladder: Facts
    plan: Facts
    provenance: Facts
    certificate: Facts
    recipe: Facts
    stack: str

    @property
    def goal(self) -> Facts:
        """Metric, unit, direction, question, limits and min_gain of the target, as far as recorded."""
        if self.verdict.decided_by == "people":
            return PEOPLE
        return {**_mapping(self.recipe, "goal"), **_mapping(self.provenance, "goal")}

    @property
    def metric(self) -> str:
        """The target metric as people write it."""
        return metric_title(str(self.goal.get("metric") or "the target metric"))

    @property
    def min_gain(self) -> float:
        """The smallest gain worth having, in the metric's unit."""
        if self.verdict.target is not None and known(self.verdict.target.threshold):
            return self.verdict.target.threshold
        value = self.goal.get("min_gain")
        return value if known(value) else 0.0

    @property
    def judged_on(self) -> str:
        """The part that the verdict's comparisons were made on: confirm where a look was taken, else select."""
        return "confirm" if self.verdict.look > 0 else "select"

    @property
    def sign(self) -> float:
        """1 where a higher target score is better, -1 where a lower one is."""
        return -1.0 if self.goal.get("direction") == "lower" else 1.0

    def part(self, name: str) -> int | None:
        """How many items lie in tune, select or confirm."""
        for parts in (_mapping(self.plan, "parts"), _mapping(_mapping(self.provenance, "data"), "parts")):
            if known(parts.get(name)):
                return int(parts[name])
        return None

    def candidates(self) -> Iterator[tuple[Facts, Facts]]:
        """Every (rung, candidate) of the ladder, in the order tried."""
        for rung in self.ladder.get("rungs") or ():
            for candidate in rung.get("candidates") or ():
                yield rung, candidate

    def candidate(self) -> Facts:
        """The ladder's entry of the stack shown; empty if there is none."""
        return next((c for _, c in self.candidates() if c.get("stack") == self.stack), {})

    def selected(self) -> Comparison | None:
        """The comparison of the stack shown with the base model, on select."""
        content = self.candidate().get("comparison")
        return comparison_from(content) if content else None

    def guard(self, guard: GuardResult) -> Facts:
        """Unit, direction, question and limits of a guard's metric, as far as recorded."""
        for entry in self.provenance.get("guards") or ():
            if (entry.get("suite"), entry.get("metric")) == (guard.suite, guard.metric):
                return dict(entry)
        return {}


def read(folder: RunFolder) -> Record:
    """Read a finished run.

    Raises:
        RunError: the run has no verdict yet, or a file of it is damaged.
    """
    verdict = folder.verdict()
    ladder = _optional(folder, "ladder.json")
    return Record(
        folder=folder,
        verdict=verdict,
        ladder=ladder,
        plan=_optional(folder, "plan.json"),
        provenance=_optional(folder, "provenance.json"),
        certificate=_optional(folder, "certificate.json"),
        recipe=folder.recipe() if folder.has("recipe.yaml") else {},
        stack=_shown(folder, verdict.stack, ladder),
    )


def scores(comparison: Comparison, direction: str | None) -> tuple[float, float] | None:
    """The base model's and the candidate's score in the metric's own direction; None if not recorded.

    Comparisons are oriented so that plus is better; where lower is better their scores may carry a minus.
    """
    before, after = comparison.baseline, comparison.candidate
    if not (known(before) and known(after)):
        return None
    gain = comparison.difference.value
    turned = before < 0 if not known(gain) or gain == 0 else (after - before) * gain > 0
    return (-before, -after) if direction == "lower" and turned else (before, after)


def metric_title(name: str) -> str:
    """A metric's name as people write it: chrF for chrf, the function's name for file.py:function."""
    name = name.rpartition(":")[2] if ".py:" in name else name
    return TITLES.get(name, name.replace("_", " "))


def suite_title(name: str) -> str:
    """A suite's name as people write it; a file's suite is called by the file's name."""
    return PurePath(name).stem if "/" in name or "\\" in name else name


def _shown(folder: RunFolder, stack: str, ladder: Facts) -> str:
    rungs = ladder.get("rungs") or ()
    chosen = [str(c["stack"]) for rung in rungs for c in rung.get("candidates") or () if c.get("chosen")]
    for name in (stack, *reversed(chosen)):
        if name and name != "base" and folder.has(f"trials/{name}/outputs.jsonl"):
            return name
    return stack if stack != "base" else ""


def _optional(folder: RunFolder, name: str) -> Facts:
    content = folder.read(name) if folder.has(name) else {}
    return content if isinstance(content, dict) else {}


def _mapping(content: Facts, key: str) -> Facts:
    value = content.get(key)
    return value if isinstance(value, Mapping) else {}
