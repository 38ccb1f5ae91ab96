"""A whole study: every prompt under every setting in one call, and what the scores say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trimtab.errors import MetricError
from trimtab.measure.contract import Metric
from trimtab.measure.style import distinct
from trimtab.measure.trial import check_seeds, of_outputs
from trimtab.measure.variability import answer_entropy
from trimtab.probe.sensitivity.curves import Response, response
from trimtab.probe.sensitivity.design import Design, designed
from trimtab.probe.sensitivity.ranges import RANGES, Range, checked
from trimtab.probe.sensitivity.surface import Surface, adjusted, surface
from trimtab.records import Example, Model, Output, Question, Report, Sampling, questions

# The loss that is allowed where none is given, as a share of the metric's range; unbounded metrics need one.
MARGIN_SHARE = 0.05
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study tries.

    Attributes:
        default: the settings in use, and how long answers may be.
        settings: in all. Each prompt is answered under each, once for each seed.
        levels: values of each setting alone, beside the default's.
        margins: the loss that is allowed, in units of the metric, by metric; else a twentieth of its range, and
            for a metric without one a twentieth of the size of its mean at the default.
        seed: of the design.
    """

    default: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=64, temperature=1.0))
    ranges: tuple[Range, ...] = RANGES
    settings: int = 40
    levels: int = 3
    seeds: tuple[int, ...] = (0,)
    margins: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class OfMetric:
    """What one metric depends on: jointly, alone, and its mean at each setting, in its own unit."""

    metric: Metric
    surface: Surface
    responses: tuple[Response, ...]
    means: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """The result of a study of `prompts` prompts; `tokens` were sampled."""

    plan: Plan
    design: Design
    metrics: tuple[OfMetric, ...]
    prompts: int
    tokens: int


def study(
    model: Model,
    examples: Sequence[Example],
    metrics: Sequence[Metric] = (),
    plan: Plan | None = None,
    report: Report | None = None,
) -> Study:
    """Answer all prompts under all settings of a plan, and tell what the metrics depend on.

    Answers to a prompt draw on the same random numbers under all settings, so that settings differ less by chance.

    Args:
        model: a base (`Local`), or one with adjustments (`Attached`).
        metrics: of answers; measures of diversity are added, those of several answers where there are seeds.

    Raises:
        MetricError: no prompts, repeated ids, a metric that does not read answers or needs more seeds.
        StatisticsError: a plan that cannot be.
    """
    plan = plan or Plan()
    wanted = with_diversity(metrics, plan.seeds)
    _check(examples, wanted, plan)
    design = planned(plan)
    asked: list[Question] = [
        question for s in design.settings for question in questions(examples, s, plan.seeds)
    ]
    outputs = model.answer(asked, report)
    size = len(examples) * len(plan.seeds)
    parts = [outputs[start : start + size] for start in range(0, len(outputs), size)]
    tokens = sum(output.spent for output in outputs)
    tables = [np.column_stack([_scores(examples, part, m) for part in parts]) for m in wanted]
    return judged(plan, design, wanted, tables, [e.group for e in examples], tokens)


def planned(plan: Plan) -> Design:
    """The settings that a plan tries."""
    ranges = checked(plan.ranges, plan.default)
    return designed(ranges, plan.default, settings=plan.settings, levels=plan.levels, seed=plan.seed)


def judged(
    plan: Plan,
    design: Design,
    metrics: Sequence[Metric],
    tables: Sequence[np.ndarray],
    clusters: Sequence[str],
    tokens: int = 0,
) -> Study:
    """What scores say that exist: for each metric (prompts, settings) in its own unit, nan where undefined."""
    names = [r.parameter for r in design.ranges]
    oriented = [m.sign * table for m, table in zip(metrics, tables, strict=True)]
    surfaces = adjusted([surface(y, design.codes, names, clusters, LEVEL) for y in oriented], LEVEL)
    found = []
    for metric, table, y, one in zip(metrics, tables, oriented, surfaces, strict=True):
        margin = _margin(metric, plan, table[:, 0])
        curves = tuple(response(s, design, y, metric, clusters, margin) for s in design.sweeps)
        found.append(OfMetric(metric, one, curves, tuple(map(_mean, table.T))))
    return Study(plan, design, tuple(found), len(clusters), tokens)


def with_diversity(metrics: Sequence[Metric], seeds: Sequence[int]) -> tuple[Metric, ...]:
    """The metrics, and the variety of words in an answer and, with two seeds or more, of the answers to a prompt."""
    own = {metric.name: metric for metric in metrics}
    added = [distinct(), *([answer_entropy()] if len(seeds) > 1 else [])]
    return (*own.values(), *(metric for metric in added if metric.name not in own))


def _check(examples: Sequence[Example], metrics: Sequence[Metric], plan: Plan) -> None:
    ids = [example.id for example in examples]
    if not ids or len(set(ids)) < len(ids) or "" in ids:
        raise MetricError(
            f"{len(ids)} prompts, {len(set(ids))} ids", "give prompts, each with an id of its own"
        )
    unread = [metric.name for metric in metrics if metric.needs != "generation"]
    if unread:
        raise MetricError(
            f"metric {', '.join(unread)}: reads likelihoods, which decoding does not change",
            "study metrics of answers",
        )
    check_seeds(metrics, plan.seeds)


def _scores(examples: Sequence[Example], outputs: Sequence[Output], metric: Metric) -> np.ndarray:
    """Scores (prompts,) under one setting, averaged over seeds."""
    values: dict[str, list[float]] = {example.id: [] for example in examples}
    for score in of_outputs(examples, outputs, metric):
        values[score.example].append(score.value)
    return np.array([np.mean(own) if own else np.nan for own in values.values()], dtype=np.float64)


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _margin(metric: Metric, plan: Plan, at_default: np.ndarray) -> float:
    if metric.name in plan.margins:
        return plan.margins[metric.name]
    if metric.bounds:
        return MARGIN_SHARE * (metric.bounds[1] - metric.bounds[0])
    size = abs(_mean(at_default))
    return MARGIN_SHARE * size if np.isfinite(size) else 0.0
