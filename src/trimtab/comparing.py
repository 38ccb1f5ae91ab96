"""Two runs, or two files of scores, side by side: by what they were measured at, and by what was asked of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab import measure
from trimtab.decide import scores
from trimtab.errors import UserError
from trimtab.records import Comparison
from trimtab.run import RunFolder

WAYS = ("", "higher", "lower")


@dataclass(frozen=True, slots=True)
class Compared:
    """Two stacks on the items that both were measured on, and what their difference comes to."""

    before: scores.Measured
    after: scores.Measured
    paired: scores.Paired
    comparison: Comparison

    @property
    def on_select(self) -> bool:
        """Whether these are a run's scores on select, where stacks were chosen."""
        return bool(self.before.metric or self.after.metric)


def compare(
    baseline: Path,
    candidate: Path | None = None,
    *,
    metric: str = "",
    min_gain: float | None = None,
    margin: float | None = None,
    better: str = "",
) -> Compared:
    """Whether one stack is better than another, item by item.

    Args:
        candidate: none: the baseline run's own stack against its base model.
        metric: empty: the runs' goal.
        min_gain: gain that must be exceeded; None: that of the baseline's run.
        margin: ask instead whether the candidate is worse by less than this.
        better: higher or lower; empty: as the metric itself says.

    Raises:
        UserError: two questions at once, or no such way.
        RunError, MetricError, StatisticsError: what is compared cannot be read, or has nothing in common.
    """
    if min_gain is not None and margin is not None:
        raise UserError("--min-gain and --margin were both given", "ask one question at a time")
    before = scores.open_scores(baseline, stack="" if candidate else scores.BASE)
    after = scores.open_scores(candidate or baseline)
    name = scores.shared_metric(before, after, metric)
    paired = scores.pair(before, after, name)
    least = min_gain if min_gain is not None else before.min_gain if name == before.metric else 0.0
    found = scores.judge(paired, _scale(name, before, better), min_gain=least, margin=margin)
    return Compared(before, after, paired, found)


def _scale(name: str, measured: scores.Measured, better: str) -> scores.Scale:
    """How to read a metric's scores: as the user says, else as the metric itself says."""
    if better not in WAYS:
        raise UserError(f"--better {better}: unknown", "allowed: higher, lower")
    if better:
        return scores.Scale(sign=1.0 if better == "higher" else -1.0)
    options = measured.options if name == measured.metric else {}
    known = measure.find(name, options)
    return scores.Scale(known.sign, known.oriented_bounds, known.oriented_statistic)


def recipes(one: RunFolder, other: RunFolder) -> list[tuple[str, str, str]]:
    """What two runs were asked for differently: the option, and its value in each; empty where one lacks it.

    Raises:
        RunError: a run has no recipe yet.
    """
    left, right = (dict(_options("", folder.recipe())) for folder in (one, other))
    names = [*left, *(name for name in right if name not in left)]
    return [
        (name, left.get(name, ""), right.get(name, "")) for name in names if left.get(name) != right.get(name)
    ]


def _options(name: str, value: Any) -> list[tuple[str, str]]:
    """Options by their dotted names, in the order of the recipe."""
    if isinstance(value, Mapping) and value:
        found = [(f"{name}.{key}" if name else str(key), inside) for key, inside in value.items()]
        return [pair for key, inside in found for pair in _options(key, inside)]
    return [(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]
