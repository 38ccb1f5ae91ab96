"""Fitting one candidate, and measuring one stack on one part of the data against the base model."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from trimtab import stats
from trimtab.adjust import adapter, layers
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.data import certificate, split
from trimtab.decide.judge import Judged
from trimtab.measure.contract import Metric
from trimtab.measure.trial import measure, paired
from trimtab.model import sites
from trimtab.model.load import Base
from trimtab.prepare import GuardSuite, Prepared, rows_of
from trimtab.recipe import Candidate, Rung, Training
from trimtab.records import (
    Comparison,
    Example,
    GuardResult,
    Output,
    Part,
    Progress,
    Report,
    Sampling,
    Score,
    TokenRow,
)
from trimtab.run import RunFolder

# Held-out rows whose loss is followed for the curve alone; all of select where it decides when to stop.
CURVE_ROWS = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """What one stack answered and scored on one part: the target's, and each guard suite's scores by name."""

    outputs: list[Output]
    target: list[Score]
    guards: dict[str, list[Score]]


def certify(prepared: Prepared, base: Base, rows: Sequence[TokenRow]) -> certificate.Certificate:
    """The certificate of what will be trained on.

    Raises:
        MaskError: rows that would teach nothing, or teach never to stop.
    """
    found = certificate.certificate(rows, prepared.parts["tune"], base.tokenizer)
    certificate.check(found)
    return found


def settings(training: Training, candidate: Candidate, seed: int) -> Settings:
    """The training settings of a candidate."""
    own = {"epochs": candidate.epochs, "learning_rate": candidate.learning_rate}
    merged = training.model_dump() | {key: value for key, value in own.items() if value is not None}
    return Settings(**merged, seed=seed)


def fit(
    prepared: Prepared,
    base: Base,
    rung: Rung,
    candidate: Candidate,
    number: int,
    folder: RunFolder,
    report: Report | None,
) -> tuple[Stack, dict[str, Any]]:
    """Fit a candidate on tune, or find it fitted already; returns the stack and what it cost.

    An interrupted fit goes on from its last checkpoint.
    """
    name = f"{rung}-{number}"
    record = f"fits/{name}.json"
    if folder.has(record):
        known = folder.read(record)
        return Stack.load(folder.trial(known["stack"])), known["cost"]
    work = folder.path / "fits" / name
    how = settings(prepared.recipe.training, candidate, prepared.recipe.seed)
    rows, held_out = rows_of(prepared, base, "tune"), rows_of(prepared, base, "select")
    if not how.patience:
        held_out = held_out[:CURVE_ROWS]
    named = _named(report, f"training {name}")
    if rung == "adapter":
        shape = adapter.Shape(
            cast(adapter.Method, candidate.method or "lora"),
            candidate.rank,
            candidate.alpha,
            candidate.dropout,
            candidate.modules,
            candidate.blocks,
        )
        fitted, training = adapter.fit(base, rows, shape, how, held_out=held_out, folder=work, report=named)
    else:
        place = cast(layers.Place, candidate.method or "blocks")
        fitted, training = layers.fit(  # type: ignore[assignment]
            base, rows, place, candidate.blocks, how, held_out=held_out, folder=work, report=named
        )
    stack = Stack((fitted,))
    stack.save(folder.trial(stack.hash))
    folder.write_rows(f"trials/{stack.hash}/training.jsonl", training.history)
    cost = {"seconds": training.seconds, "tokens": training.tokens, "peak_bytes": training.peak_bytes}
    folder.write(record, {"stack": stack.hash, "cost": cost})
    shutil.rmtree(work, ignore_errors=True)
    return stack, cost


def first_block(base: Base, rung: Rung, candidate: Candidate) -> int:
    """Number of the lowest block that a candidate changes."""
    if rung == "layers":
        return layers.first_block(
            base.network, cast(layers.Place, candidate.method or "blocks"), candidate.blocks
        )
    return sites.first_of(base.network, candidate.blocks)


def _named(report: Report | None, stage: str) -> Report | None:
    if report is None:
        return None
    return lambda progress: report(Progress(stage, progress.done, progress.total, progress.facts))


def _measuring(report: Report | None, name: str, part: Part) -> Report | None:
    """Progress of a trial, in two stages: answers that are sampled, and texts that are read."""
    if report is None:
        return None
    verbs = {"generating": "measuring", "reading": "scoring"}
    return lambda p: report(Progress(f"{verbs[p.stage]} {name} on {part}", p.done, p.total, p.facts))


def run_trial(
    prepared: Prepared, base: Base, stack: Stack, part: Part, report: Report | None, name: str
) -> Trial:
    """Measure a stack on the target and every guard suite of a part."""
    apart = [guard for guard in prepared.guards if not guard.on_target]
    sampled = [guard for guard in apart if guard.metric.needs == "generation"]
    jobs = [(prepared.parts[part], prepared.sampling)]
    jobs += [(guard.parts[part], _sampling(prepared, guard)) for guard in sampled]
    with stack.attach(base, report=_measuring(report, name, part)) as model:
        outputs, *others = model.all(jobs, prepared.seeds)
        answers = {guard.key: found for guard, found in zip(sampled, others, strict=True)}

        def scores(
            examples: Sequence[Example], metrics: Sequence[Metric], found: list[Output]
        ) -> list[Score]:
            _, measured = measure(
                examples,
                metrics,
                generate=lambda *_: found,
                likelihood=model.likelihood,
                seeds=prepared.seeds,
            )
            return measured

        target = scores(prepared.parts[part], prepared.target_metrics(), outputs)
        guards = {g.key: scores(g.parts[part], [g.metric], answers.get(g.key, [])) for g in apart}
    return Trial(outputs, target, guards)


def _sampling(prepared: Prepared, guard: GuardSuite) -> Sampling:
    longest = guard.max_new_tokens or prepared.sampling.max_new_tokens
    return dataclasses.replace(prepared.sampling, max_new_tokens=longest)


def recorded_trial(
    prepared: Prepared, base: Base, stack: Stack, folder: RunFolder, report: Report | None, name: str
) -> Trial:
    """A trial on select, read from the run folder when it was measured before, else measured and written."""
    place = f"trials/{stack.hash}"
    if folder.has(f"{place}/guards.json"):
        outputs = [
            Output(**{**row, "logprobs": tuple(row["logprobs"])})
            for row in folder.rows(f"{place}/outputs.jsonl")
        ]
        guards = {
            key: [_score(row) for row in rows]
            for key, rows in folder.read(f"{place}/guards.json")["scores"].items()
        }
        return Trial(outputs, [_score(row) for row in folder.rows(f"{place}/scores.jsonl")], guards)
    trial = run_trial(prepared, base, stack, "select", report, name)
    folder.write_trial(stack.hash, trial.outputs, trial.target)
    folder.write(f"{place}/guards.json", {"scores": trial.guards})
    return trial


def _score(row: dict[str, Any]) -> Score:
    value = float("nan") if row["value"] is None else row["value"]
    return Score(row["example"], row["metric"], row["seed"], value, tuple(row["values"]))


def judge(prepared: Prepared, before: Trial, after: Trial, part: Part, stack: str, level: float) -> Judged:
    """Compare a stack with the base model on one part: the target, and each guard against its margin."""
    groups = dict(
        zip((e.id for e in prepared.parts[part]), split.cluster_keys(prepared.parts[part]), strict=True)
    )
    goal = prepared.recipe.goal
    target = _compare(
        before.target,
        after.target,
        prepared.goal,
        groups,
        lambda a, b, **how: stats.compare(a, b, min_gain=goal.min_gain, **how),
        level,
    )
    results = []
    for guard in prepared.guards:
        pair = (
            (before.target, after.target)
            if guard.on_target
            else (before.guards[guard.key], after.guards[guard.key])
        )
        compared = _compare(
            *pair,
            guard.metric,
            groups if guard.on_target else {},
            lambda a, b, margin=guard.margin, **how: stats.non_inferior(a, b, margin=margin, **how),
            level,
        )
        results.append(GuardResult(guard.name, guard.metric.name, guard.margin, compared))
    return Judged(stack, target, tuple(results))


def _compare(
    before: Sequence[Score],
    after: Sequence[Score],
    metric: Metric,
    groups: dict[str, str],
    how: Callable[..., Comparison],
    level: float,
) -> Comparison:
    ids, baseline, candidate = paired(before, after, metric)
    clusters = [groups.get(item, item) for item in ids]
    return how(
        baseline,
        candidate,
        clusters=clusters,
        level=level,
        bounds=metric.oriented_bounds,
        statistic=metric.oriented_statistic,
    )
