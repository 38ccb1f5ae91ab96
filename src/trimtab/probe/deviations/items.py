"""Answers that were scored, and which of them fail: below a threshold of the goal, or in breach of a guard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

from trimtab.adjust.stack import BASE
from trimtab.errors import RunError
from trimtab.run import RunFolder

Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item as it was answered.

    Attributes:
        scores: by metric, the mean over seeds; nan where undefined.
        settings: how it was answered (temperature, seed, model, ...), as words; what is the same for all says nothing.
        cut: whether an answer ended at its limit of tokens.
    """

    id: str
    prompt: str
    answer: str
    scores: Mapping[str, float]
    group: str = ""
    tags: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """What an item has to reach under a metric: at least `threshold`, or at most where lower is better.

    `before` holds scores by item that the metric is held against, for a guard: then `threshold` is the largest loss.
    """

    metric: str
    threshold: float
    direction: Direction = "higher"
    before: Mapping[str, float] | None = None

    def misses(self, item: Item) -> bool:
        """Whether an item fails it. An undefined score neither passes nor fails."""
        sign = -1.0 if self.direction == "lower" else 1.0
        value = item.scores.get(self.metric, math.nan)
        if self.before is None:
            return sign * value < sign * self.threshold
        return sign * (value - self.before.get(item.id, math.nan)) < -self.threshold


def missed(items: Sequence[Item], bars: Sequence[Bar]) -> list[tuple[str, ...]]:
    """The metrics that each item fails; empty where it passes."""
    return [tuple(bar.metric for bar in bars if bar.misses(item)) for item in items]


def of_run(
    folder: RunFolder, stack: str, threshold: float | None = None, direction: Direction | None = None
) -> tuple[list[Item], list[Bar]]:
    """The items of select as a stack of a run answered them, and what they had to reach.

    Guards count that are read from the same answers; the others' answers are not recorded.

    Args:
        threshold: of the goal's metric; none given: what the goal asks for on average, the base model's mean and the
            smallest gain worth having.
        direction: of the goal's metric; none given: as the run's record says, once it has one.

    Raises:
        RunError: no such trial, or a file of the run is damaged.
    """
    scores, before = _scores(folder, stack), _scores(folder, BASE)
    if not scores:
        raise RunError(f"{folder.path}: no scores of stack {stack or '(none)'}", "name a stack of trials/")
    recipe = folder.recipe()
    facts = folder.read("provenance.json") if folder.has("provenance.json") else {}
    goal = {**(recipe.get("goal") or {}), **(facts.get("goal") or {})}
    name = str(goal["metric"])
    direction = direction or ("lower" if goal.get("direction") == "lower" else "higher")
    if threshold is None:
        known = [row[name] for row in before.values() if not math.isnan(row.get(name, math.nan))]
        gain = float(goal.get("min_gain") or 0.0)
        threshold = (fmean(known) if known else math.nan) + (-gain if direction == "lower" else gain)
    bars = [Bar(name, threshold, direction)]
    margins = {(g["suite"], g["metric"]): float(g["margin"]) for g in recipe.get("guards") or ()}
    for guard in facts.get("guards") or ():
        metric, margin = guard["metric"], margins.get((guard["suite"], guard["metric"]))
        if metric != name and margin and all(metric in row for row in scores.values()):
            known_before = {item: row[metric] for item, row in before.items() if metric in row}
            bars.append(Bar(metric, margin, guard.get("direction") or "higher", known_before))
    return _items(folder, stack, scores, recipe.get("sampling") or {}), bars


def _scores(folder: RunFolder, stack: str) -> dict[str, dict[str, float]]:
    """Of each item, the mean over seeds under each metric."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in folder.rows(f"trials/{stack}/scores.jsonl") if stack else []:
        value = math.nan if row["value"] is None else float(row["value"])
        found.setdefault(row["example"], {}).setdefault(row["metric"], []).append(value)
    return {item: {name: fmean(values) for name, values in row.items()} for item, row in found.items()}


def _items(
    folder: RunFolder, stack: str, scores: Mapping[str, Mapping[str, float]], sampling: Mapping[str, Any]
) -> list[Item]:
    examples = {row["id"]: row for row in folder.rows("examples.jsonl")}
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in folder.rows(f"trials/{stack}/outputs.jsonl"):
        answers.setdefault(row["example"], []).append(row)
    settings = {key: str(value) for key, value in sampling.items()}
    found = []
    for name, own_scores in scores.items():
        example, own = examples.get(name, {}), answers.get(name, [])
        asked = [m["content"] for m in example.get("messages") or () if m["role"] == "user"]
        found.append(
            Item(
                name,
                str(asked[-1]) if asked else "",
                str(own[0]["text"]) if own else "",
                own_scores,
                str(example.get("group") or ""),
                tuple(example.get("tags") or ()),
                settings,
                any(answer["finish"] == "length" for answer in own),
            )
        )
    return found
