"""Recorded scores of two stacks, paired by example, to a comparison: of runs, or of files of scores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trimtab import stats
from trimtab.errors import MetricError, RunError, several
from trimtab.records import Comparison, Score
from trimtab.run import RunFolder

BASE = "base"


@dataclass(frozen=True, slots=True)
class Measured:
    """The scores of one stack on one set of items.

    metric, options, min_gain: the goal of the run that they come from; empty and 0 for a bare file. groups:
    the group of an item, for items that have one.
    """

    name: str
    scores: tuple[Score, ...]
    metric: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    min_gain: float = 0.0
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scale:
    """How scores of a metric are read: +1 or -1 times a score is better when larger.

    bounds: of a score after that orientation, None where infinite. statistic: of a corpus metric, from rows
    of sufficient statistics (n, k) to a number that is better when larger.
    """

    sign: float = 1.0
    bounds: tuple[float, float] | None = None
    statistic: Callable[[np.ndarray], float] | None = None


@dataclass(frozen=True, slots=True)
class Paired:
    """Two stacks on the items that both were measured on.

    ids (n,); baseline and candidate (n,), or (n, k) for a corpus metric, seeds averaged within an item, as
    recorded. groups (n,), "" where an item has none. alone: items that only one of the two was measured on.
    """

    metric: str
    ids: tuple[str, ...]
    baseline: np.ndarray
    candidate: np.ndarray
    groups: tuple[str, ...]
    alone: tuple[int, int]


def open_scores(path: Path, *, stack: str = "") -> Measured:
    """Read the scores of a run's stack, of a trial's folder, or of a file scores.jsonl.

    path: a run folder, a folder that holds scores.jsonl, or such a file. stack: the run's stack to read,
    "base" for the base model; empty for the one that the run chose.

    Raises:
        RunError: nothing there, a broken line, or a run that has chosen no stack.
    """
    if path.is_dir() and (path / "identity.json").is_file():
        return _of_run(RunFolder.open(path), stack)
    file = path / "scores.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise RunError(
            f"{path}: neither a run folder nor a file of scores", "see the runs that exist with: trimtab runs"
        )
    return Measured(str(path), _scores(file))


def _of_run(folder: RunFolder, stack: str) -> Measured:
    chosen = stack or _chosen(folder)
    file = folder.trial(chosen) / "scores.jsonl"
    if not file.is_file():
        raise RunError(
            f"{folder.path}: no scores of stack {chosen}", "finish the run: give its tune command again"
        )
    goal = folder.recipe()["goal"]
    groups = {row["id"]: row["group"] for row in folder.rows("examples.jsonl") if row.get("group")}
    name = f"{folder.path.name}/{chosen}"
    min_gain = float(goal.get("min_gain") or 0.0)
    return Measured(name, _scores(file), goal["metric"], goal.get("options") or {}, min_gain, groups)


def _chosen(folder: RunFolder) -> str:
    """The stack that the verdict is about; before there is one, the choice of the last rung that has one."""
    if folder.has("verdict.json") and folder.verdict().stack != BASE:
        return folder.verdict().stack
    if folder.has("ladder.json"):
        for rung in reversed(folder.read("ladder.json").get("rungs", [])):
            for candidate in rung.get("candidates", []):
                if candidate.get("chosen"):
                    return str(candidate["stack"])
    raise RunError(f"{folder.path}: no stack was chosen yet", "finish the run: give its tune command again")


def _scores(file: Path) -> tuple[Score, ...]:
    scores, problems = [], []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            value = math.nan if row["value"] is None else float(row["value"])
            values = tuple(math.nan if item is None else float(item) for item in row.get("values") or ())
            scores.append(
                Score(str(row["example"]), str(row["metric"]), int(row.get("seed", 0)), value, values)
            )
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            problems.append(f"line {number}: {type(error).__name__}: {error}")
    if problems:
        raise RunError(
            f"{file}: lines that are no scores:\n{several(problems)}",
            'expected {"example": "id", "metric": "name", "value": 0.5}; "seed" and "values" are optional',
        )
    if not scores:
        raise RunError(f"{file}: no scores in it", "name a file with one score a line")
    return tuple(scores)


def shared_metric(baseline: Measured, candidate: Measured, wanted: str = "") -> str:
    """The metric to compare by: the wanted one, else the runs' goal, else the only one that both have.

    Raises:
        MetricError: it is not in both, or there are several.
    """
    known = [{score.metric for score in side.scores} for side in (baseline, candidate)]
    both = sorted(known[0] & known[1])
    goals = [side.metric for side in (baseline, candidate) if side.metric in both]
    name = wanted or (goals[0] if goals else both[0] if len(both) == 1 else "")
    if name in both:
        return name
    if not both:
        lists = " and ".join(", ".join(sorted(names)) for names in known)
        raise MetricError(f"the two have no metric in common: {lists}", "compare runs with the same goal")
    lacking = f"metric {name!r} is not in both" if name else "several metrics are in both"
    raise MetricError(lacking, f"name one of them with --metric: {', '.join(both)}")


def pair(baseline: Measured, candidate: Measured, metric: str) -> Paired:
    """Pair two stacks by example id, in the baseline's order; seeds are averaged within an item.

    Items that are undefined for both are left out. An item undefined for one only stays, as nan: leaving it
    out would hide what one of them failed at.

    Raises:
        MetricError: no item in common.
    """
    before, after = _items(baseline, metric), _items(candidate, metric)
    ids = [item for item in before if item in after]
    ids = [item for item in ids if not (np.isnan(before[item]).all() and np.isnan(after[item]).all())]
    if not ids:
        raise MetricError(
            f"metric {metric}: no item was measured for both {baseline.name} and {candidate.name}",
            "compare stacks that were measured on the same examples",
        )
    width = max(len(before[ids[0]]), len(after[ids[0]]))
    arrays = [np.stack([side[item] for item in ids]) for side in (before, after)]
    if width == 1:
        arrays = [array[:, 0] for array in arrays]
    groups = tuple(baseline.groups.get(item) or candidate.groups.get(item, "") for item in ids)
    alone = len(before.keys() - after.keys()), len(after.keys() - before.keys())
    return Paired(metric, tuple(ids), arrays[0], arrays[1], groups, alone)


def _items(measured: Measured, metric: str) -> dict[str, np.ndarray]:
    """Each item's score (1,), or its sufficient statistics (k,), averaged over seeds."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for score in measured.scores:
        if score.metric == metric:
            rows.setdefault(score.example, []).append(score.values or (score.value,))
    widths = {len(row) for found in rows.values() for row in found}
    if len(widths) > 1:
        raise MetricError(
            f"metric {metric}: {measured.name} mixes scores with and without sufficient statistics",
            "write the file again with one version of the metric",
        )
    return {item: np.mean(np.array(found, dtype=np.float64), axis=0) for item, found in rows.items()}


def judge(
    paired: Paired, scale: Scale, *, min_gain: float = 0.0, margin: float | None = None, level: float = 0.95
) -> Comparison:
    """Whether the candidate gains more than `min_gain`, or, with `margin`, is not worse by as much as that.

    Raises:
        MetricError: the scores lack the metric's sufficient statistics, or have some that it does not use.
        StatisticsError: a min_gain below 0, a margin not above 0, a level out of range.
    """
    corpus = scale.statistic is not None
    if paired.baseline.shape != paired.candidate.shape or (paired.baseline.ndim == 2) != corpus:
        raise MetricError(
            f"metric {paired.metric}: the recorded scores do not fit the metric",
            "measure both again with this version",
        )
    sign = 1.0 if corpus else scale.sign
    before, after = sign * paired.baseline, sign * paired.candidate
    clusters: Sequence[str] | None = paired.groups if any(paired.groups) else None
    if margin is not None:
        return stats.non_inferior(
            before, after, margin, clusters, level=level, bounds=scale.bounds, statistic=scale.statistic
        )
    return stats.compare(
        before,
        after,
        clusters,
        min_gain=min_gain,
        level=level,
        bounds=scale.bounds,
        statistic=scale.statistic,
    )
