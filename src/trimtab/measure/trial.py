"""One stack on one suite: one pass of generation and one of likelihood, then every metric's scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from trimtab.errors import MetricError, TrimtabError
from trimtab.measure.contract import Ask, Metric, ScoreAnswer
from trimtab.measure.suites import Suite
from trimtab.records import Example, Generate, Likelihood, Output, Progress, Report, Sampling, Score


def measure(
    suite: Suite | Sequence[Example],
    metrics: Metric | Sequence[Metric] | None = None,
    *,
    generate: Generate | None = None,
    likelihood: Likelihood | None = None,
    sampling: Sampling | None = None,
    seeds: Sequence[int] = (0,),
    report: Report | None = None,
) -> tuple[list[Output], list[Score]]:
    """Score the items of a suite under all its metrics (or the given ones); nothing is averaged.

    Answers are sampled once, for all metrics together; each distinct likelihood is asked for once. Scores
    come metric by metric, items in order, one for each seed; metrics of likelihood, and of several answers at
    once, have the one seed 0.

    Raises:
        MetricError: no items or metrics, repeated or empty ids, or a metric needs what was not given, which for a
            metric of several answers to an item includes a second seed.
    """
    examples = list(suite.examples if isinstance(suite, Suite) else suite)
    chosen = _metrics(suite, metrics)
    _check(examples, chosen, generate, likelihood)
    check_seeds(chosen, seeds)
    sampled = [metric for metric in chosen if metric.needs == "generation"]
    asked = [metric for metric in chosen if metric.needs != "generation"]
    outputs: list[Output] = []
    scores: dict[str, list[Score]] = {}
    if sampled and generate is not None:
        outputs = _in_order(examples, seeds, generate(examples, sampling or Sampling(), tuple(seeds)))
        for metric in sampled:
            scores[metric.name] = of_outputs(examples, outputs, metric)
            _tell(report, len(scores), len(chosen), metric)
    if asked and likelihood is not None:
        for metric, found in zip(asked, _of_likelihood(examples, asked, likelihood), strict=True):
            scores[metric.name] = found
            _tell(report, len(scores), len(chosen), metric)
    return outputs, [score for metric in chosen for score in scores[metric.name]]


def of_outputs(examples: Sequence[Example], outputs: Sequence[Output], metric: Metric) -> list[Score]:
    """Score answers that exist already, in their order; items in theirs for a metric of several answers at once.

    Raises:
        MetricError: an answer to an unknown item, a metric that does not read answers, or too few of them.
    """
    if metric.score is None and metric.agree is None and metric.contrast is None:
        raise MetricError(
            f"metric {metric.name}: needs {metric.needs}, not answers", "measure it with a model"
        )
    known = {example.id: example for example in examples}
    unknown = next((output.example for output in outputs if output.example not in known), None)
    if unknown is not None:
        raise MetricError(f"an answer to item {unknown!r}, which is not in the suite", "use its own suite")
    if metric.contrast is not None:
        return _contrasted(known, outputs, metric.contrast, metric.name)
    if metric.score is None:
        return _of_several(known, outputs, metric)
    scores: list[Score] = []
    for output in outputs:
        example = known[output.example]
        values = metric.values(example, output.text) if metric.values else ()
        scores.append(
            Score(output.example, metric.name, output.seed, metric.score(example, output.text), values)
        )
    return scores


def check_seeds(metrics: Sequence[Metric], seeds: Sequence[int]) -> None:
    """Refuse metrics of how answers to one item differ where there is one answer to an item.

    Raises:
        MetricError: naming them.
    """
    short = [metric.name for metric in metrics if metric.least_seeds > len(seeds)]
    if short:
        raise MetricError(
            f"metric {', '.join(short)}: compares answers to one item, received {len(seeds)} an item",
            "set sampling.seeds to 2 or more, and a temperature above 0: greedy answers never differ",
        )


def _of_several(known: Mapping[str, Example], outputs: Sequence[Output], metric: Metric) -> list[Score]:
    texts: dict[str, list[str]] = {}
    for output in outputs:
        texts.setdefault(output.example, []).append(output.text)
    groups: dict[str, list[str]] = {}
    if metric.over == "group":
        for item in texts:
            groups.setdefault(known[item].group, []).append(item)
        groups.pop("", None)
    scores = []
    for item, own in texts.items():
        check_seeds([metric], range(len(own)))
        others = [texts[other] for other in groups.get(known[item].group, ()) if other != item]
        value = metric.agree(own, others) if metric.agree else math.nan
        scores.append(Score(item, metric.name, 0, value))
    return scores


def _contrasted(
    known: Mapping[str, Example], outputs: Sequence[Output], score: ScoreAnswer, name: str
) -> list[Score]:
    values: dict[str, list[float]] = {}
    groups: dict[str, list[str]] = {}
    for output in outputs:
        example = known[output.example]
        if output.example not in values and example.group:
            groups.setdefault(example.group, []).append(output.example)
        values.setdefault(output.example, []).append(score(example, output.text))
    scores = []
    for item, own in values.items():
        first, *others = groups.get(known[item].group, [item])
        against = [value for other in others for value in values[other]]
        distance = math.nan
        # One score for a group: the same one again would count it twice.
        if item == first and against:
            distance = abs(math.fsum(own) / len(own) - math.fsum(against) / len(against))
        scores.append(Score(item, name, 0, distance))
    return scores


def table(scores: Sequence[Score], metric: Metric) -> tuple[list[str], np.ndarray]:
    """The scores of one metric, as the statistics take them.

    Returns:
        The ids of the items (n,), in order of appearance, and an array float64: (n, seeds), oriented so that
        larger is better; for a corpus metric its sufficient statistics (n, k), summed over the seeds and
        not oriented (`metric.oriented_statistic` is).

    Raises:
        MetricError: no scores of this metric, an item that lacks a seed, a corpus metric without values.
    """
    rows: dict[str, dict[int, Score]] = {}
    for score in scores:
        if score.metric == metric.name:
            rows.setdefault(score.example, {})[score.seed] = score
    if not rows:
        raise MetricError(
            f"metric {metric.name}: no scores", f"there are: {', '.join({s.metric for s in scores})}"
        )
    seeds = sorted(next(iter(rows.values())))
    uneven = [item for item, found in rows.items() if sorted(found) != seeds]
    if uneven:
        raise MetricError(
            f"metric {metric.name}: items without all seeds: {', '.join(uneven[:5])}",
            f"each needs seeds {seeds}",
        )
    if metric.statistic is None:
        values = np.array(
            [[found[seed].value for seed in seeds] for found in rows.values()], dtype=np.float64
        )
        return list(rows), metric.sign * values
    return list(rows), _statistics(rows, seeds, metric)


def defined(scores: Sequence[Score], metric: Metric) -> bool:
    """Whether a metric has a value for any item."""
    return any(
        score.metric == metric.name and (score.values or not math.isnan(score.value)) for score in scores
    )


def paired(
    baseline: Sequence[Score], candidate: Sequence[Score], metric: Metric
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Two stacks' tables on the same items, in the baseline's order: ids (n,), baseline and candidate arrays.

    Items that are undefined for both stacks and all seeds are left out: the metric does not apply to them. An
    item that is undefined for one stack only stays, as nan.

    Raises:
        MetricError: the two were not measured on the same items, or no item is left.
    """
    ids, before = table(baseline, metric)
    others, after = table(candidate, metric)
    if set(ids) != set(others):
        odd = sorted(set(ids) ^ set(others))
        raise MetricError(
            f"metric {metric.name}: {len(odd)} items were measured for one stack only, such as {odd[0]!r}",
            "measure both on the same suite",
        )
    place = {item: index for index, item in enumerate(others)}
    after = after[[place[item] for item in ids]]
    keep = ~(np.isnan(before).all(axis=1) & np.isnan(after).all(axis=1))
    if not keep.any():
        raise MetricError(f"metric {metric.name}: undefined for every item", metric.limits)
    return [item for item, kept in zip(ids, keep, strict=True) if kept], before[keep], after[keep]


def _metrics(suite: Suite | Sequence[Example], metrics: Metric | Sequence[Metric] | None) -> list[Metric]:
    if isinstance(metrics, Metric):
        return [metrics]
    if metrics is not None:
        return list(metrics)
    return list(suite.metrics) if isinstance(suite, Suite) else []


def _check(
    examples: list[Example], metrics: list[Metric], generate: Generate | None, likelihood: Likelihood | None
) -> None:
    if not examples:
        raise MetricError("the suite has no items", "give it at least two")
    if not metrics:
        raise MetricError("no metric was given", "name at least one")
    ids = Counter(example.id for example in examples)
    repeated = [item for item, count in ids.items() if count > 1 or not item]
    if repeated:
        raise MetricError(
            f"items with an empty or repeated id: {', '.join(map(repr, repeated[:5]))}", "make ids unique"
        )
    twice = [name for name, count in Counter(metric.name for metric in metrics).items() if count > 1]
    if twice:
        raise MetricError(f"metrics named twice: {', '.join(twice)}", "measure them one after the other")
    for metric in metrics:
        given = generate if metric.needs == "generation" else likelihood
        if given is None:
            what = "sampled answers" if metric.needs == "generation" else "log-probabilities"
            raise MetricError(
                f"metric {metric.name}: needs {what}, which this model does not give", metric.question
            )


def _in_order(examples: list[Example], seeds: Sequence[int], outputs: list[Output]) -> list[Output]:
    expected = [(example.id, seed) for example in examples for seed in seeds]
    if [(output.example, output.seed) for output in outputs] != expected:
        raise TrimtabError(
            f"the sampler returned {len(outputs)} answers that are not in the order of the items"
        )
    return outputs


def _of_likelihood(
    examples: list[Example], metrics: list[Metric], likelihood: Likelihood
) -> list[list[Score]]:
    asks = [[metric.asks(example) if metric.asks else [] for example in examples] for metric in metrics]
    distinct: list[Ask] = list(dict.fromkeys(ask for rows in asks for row in rows for ask in row))
    answers = likelihood(distinct) if distinct else []
    known: Mapping[Ask, tuple[float, int]] = dict(zip(distinct, answers, strict=True))
    return [
        [
            _combined(metric, example, [known[ask] for ask in row])
            for example, row in zip(examples, rows, strict=True)
        ]
        for metric, rows in zip(metrics, asks, strict=True)
    ]


def _combined(metric: Metric, example: Example, measured: list[tuple[float, int]]) -> Score:
    value = metric.combine(example, measured) if metric.combine and measured else math.nan
    return Score(example.id, metric.name, 0, value)


def _statistics(rows: Mapping[str, Mapping[int, Score]], seeds: list[int], metric: Metric) -> np.ndarray:
    if any(not score.values for found in rows.values() for score in found.values()):
        raise MetricError(f"metric {metric.name}: scores without sufficient statistics", "measure it again")
    stacked = np.array([[found[seed].values for seed in seeds] for found in rows.values()], dtype=np.float64)
    # The sum, not the mean: the smoothing of BLEU depends on how many n-grams there are.
    summed: np.ndarray = stacked.sum(axis=1)
    return summed


def _tell(report: Report | None, done: int, total: int, metric: Metric) -> None:
    if report is not None:
        report(Progress("measure", done, total, {"metric": metric.name}))
