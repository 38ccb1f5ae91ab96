"""One setting alone: the change of a metric at each of its values, and the values at which nothing is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab import stats
from trimtab.measure.contract import Metric
from trimtab.probe.sensitivity.design import Design, Sweep
from trimtab.records import Comparison


@dataclass(frozen=True, slots=True)
class At:
    """A value of a setting; `comparison` with the centre on the same prompts, plus is better, None at the centre."""

    value: float
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Response:
    """A metric against one setting, the others at their default.

    Attributes:
        centre: the default value.
        temperature: at which the setting was varied.
        points: from the low to the high end of the range; top_k 0, which is off, is last.
        margin: the loss that is allowed, in units of the metric.
        held: first and last of the values around the centre, all next to one another, at which a loss of the margin
            is ruled out.
        unharmed: the same for values at which no such loss is shown; it holds whatever was too little to tell.
    """

    parameter: str
    metric: str
    centre: float
    temperature: float
    points: tuple[At, ...]
    margin: float
    held: tuple[float, float]
    unharmed: tuple[float, float]


def response(
    sweep: Sweep,
    design: Design,
    scores: np.ndarray,
    metric: Metric,
    clusters: Sequence[str] | None,
    margin: float,
) -> Response:
    """The curve of a metric from its scores (prompts, settings), larger is better.

    Prompts without a score both at a value and at the centre are left out there. The level of 95% is split over the
    values of the curve (Bonferroni), so that it holds for the whole band.
    """
    name = sweep.range.parameter
    level = 1 - 0.05 / max(1, len(sweep.at))
    centre = design.settings[sweep.centre]
    points = [At(getattr(centre, name), None)]
    for place in sweep.at:
        before, after = scores[:, sweep.centre], scores[:, place]
        both = np.isfinite(before) & np.isfinite(after)
        labels = [c for c, keep in zip(clusters, both, strict=True) if keep] if clusters else None
        found = stats.non_inferior(
            before[both], after[both], margin, labels, level=level, bounds=metric.oriented_bounds
        )
        points.append(At(getattr(design.settings[place], name), found))
    points.sort(key=lambda p: math.inf if name == "top_k" and p.value == 0 else p.value)
    return Response(
        name,
        metric.name,
        getattr(centre, name),
        centre.temperature,
        tuple(points),
        margin,
        _around(points, ("held",)),
        _around(points, ("held", "inconclusive", "undefined")),
    )


def _around(points: Sequence[At], fine: Sequence[str]) -> tuple[float, float]:
    first = last = next(i for i, point in enumerate(points) if point.comparison is None)
    while first > 0 and _outcome(points[first - 1]) in fine:
        first -= 1
    while last < len(points) - 1 and _outcome(points[last + 1]) in fine:
        last += 1
    return points[first].value, points[last].value


def _outcome(point: At) -> str:
    return point.comparison.outcome if point.comparison else "held"
