"""Fitting one candidate, and measuring one stack on one part of the data against the base model."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab import rungs, stats
from trimtab.adjust import adapter, layers
from trimtab.adjust.stack import BASE, Stack
from trimtab.candidates import AdapterCandidate, Candidate, LayersCandidate, PostprocessCandidate, Rung
from trimtab.data import certificate, split
from trimtab.decide.judge import Judged
from trimtab.lineage import record_made, record_stack
from trimtab.measure.contract import Metric
from trimtab.measure.trial import defined, measure, paired
from trimtab.model.find import AnyBase, loaded
from trimtab.prepare import GuardSuite, Prepared
from trimtab.records import (
    NAN,
    Comparison,
    Estimate,
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
from trimtab.rungs import confidence, disclosed
from trimtab.rungs.adapter import shape
from trimtab.rungs.sources import learned_from
from trimtab.rungs.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Scope:
    """What a trial measures of a part: these items of the target, and whether its guard suites as well."""

    part: Part
    examples: Sequence[Example]
    guards: bool = True


@dataclass(frozen=True, slots=True)
class Trial:
    """What one stack answered and scored on a part, or on some of it.

    outputs and target: of the target's items. guards: each guard suite's scores by name, empty where they were
    not measured; guard_tokens: in the answers that these were read from. untouched: names of guards that the stack
    cannot touch, which are not measured: the base model's scores are the stack's.
    """

    outputs: list[Output]
    target: list[Score]
    guards: dict[str, list[Score]]
    guard_tokens: int = 0
    untouched: frozenset[str] = frozenset()

    def only(self, items: Collection[str]) -> Trial:
        """The same trial on these of its target's items."""
        outputs = [output for output in self.outputs if output.example in items]
        scores = [score for score in self.target if score.example in items]
        return dataclasses.replace(self, outputs=outputs, target=scores)


def certify(prepared: Prepared, base: AnyBase, rows: Sequence[TokenRow]) -> certificate.Certificate:
    """The certificate of what will be trained on.

    Raises:
        MaskError: rows that would teach nothing, or teach never to stop.
    """
    found = certificate.certificate(rows, prepared.parts["tune"], loaded(base).tokenizer)
    certificate.check(found)
    return found


def fit(
    prepared: Prepared,
    base: AnyBase,
    rung: Rung,
    candidate: Candidate,
    number: int,
    folder: RunFolder,
    report: Report | None,
) -> tuple[Stack, dict[str, Any]]:
    """Fit a candidate on tune, or find it fitted already; returns the stack and what it cost.

    An interrupted fit goes on from where it stopped.
    """
    name = f"{rung}-{number}"
    record = f"fits/{name}.json"
    if folder.has(record):
        known = folder.read(record)
        return Stack.load(folder.trial(known["stack"])), known["cost"]
    work = folder.path / "fits" / name
    shop = Workshop(prepared, base, work, _named(report, f"fitting {name}"))
    fitted = rungs.kind(rung).fit(shop, candidate)
    stack = disclosed.under(Stack((fitted.adjustment,)), prepared, base, folder)
    cost = dict(fitted.cost)
    if isinstance(candidate, PostprocessCandidate) and candidate.confidence is not None:
        stack, cost["confidence"] = confidence.calibrated(shop, stack, candidate.confidence)
    # First the record of whose rows these are, then what learned from them.
    record_made(folder, fitted.made)
    stack.save(folder.trial(stack.hash))
    record_stack(folder, learned_from(prepared, candidate, stack.hash, name))
    if fitted.history:
        folder.write_rows(f"trials/{stack.hash}/training.jsonl", fitted.history)
    folder.write(record, {"stack": stack.hash, "cost": cost})
    shutil.rmtree(work, ignore_errors=True)
    return stack, cost


def first_block(base: AnyBase, rung: Rung, candidate: Candidate) -> int:
    """Number of the lowest block that a candidate trains; 0 where it trains none, or what lies outside them."""
    if isinstance(candidate, LayersCandidate):
        return layers.first_block(loaded(base).network, candidate.method, candidate.blocks)
    if isinstance(candidate, AdapterCandidate):
        return adapter.first_block(loaded(base).network, shape(candidate.largest()))
    return 0


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


def untouched(prepared: Prepared, stack: Stack, part: Part) -> frozenset[str]:
    """Names of the guards that a stack cannot touch, by its hooks; nothing for the base model itself."""
    return frozenset() if stack.hash == BASE else prepared.untouched(stack.hooks, part)


def _on_target(prepared: Prepared, held: Collection[str]) -> list[Metric]:
    """The metrics to read from the target's answers, without guards that hold by construction."""
    spared = {g.metric.name for g in prepared.guards if g.on_target and g.key in held} - {prepared.goal.name}
    return [metric for metric in prepared.target_metrics() if metric.name not in spared]


def run_trial(
    prepared: Prepared, base: AnyBase, stack: Stack, scope: Scope, report: Report | None, name: str
) -> Trial:
    """Measure a stack; an item's answer does not depend on what else is measured with it."""
    part = scope.part
    held = untouched(prepared, stack, part)
    apart = [g for g in prepared.guards if not g.on_target and g.key not in held] if scope.guards else []
    sampled = [guard for guard in apart if guard.metric.needs == "generation"]
    jobs = [(scope.examples, prepared.sampling)]
    jobs += [(guard.parts[part], _sampling(prepared, guard)) for guard in sampled]
    with stack.attach(base, report=_measuring(report, name, part)) as model:
        # Target and guards in one stream of rows: a full batch costs little more than a small one.
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

        target = scores(scope.examples, _on_target(prepared, held), outputs)
        guards = {g.key: scores(g.parts[part], [g.metric], answers.get(g.key, [])) for g in apart}
    tokens = [answer_tokens(prepared, base, [g.metric], g.parts[part], answers.get(g.key, [])) for g in apart]
    return Trial(outputs, target, guards, sum(tokens), held)


def _sampling(prepared: Prepared, guard: GuardSuite) -> Sampling:
    longest = guard.max_new_tokens or prepared.sampling.max_new_tokens
    return dataclasses.replace(prepared.sampling, max_new_tokens=longest)


def answer_tokens(
    prepared: Prepared,
    base: AnyBase,
    metrics: Sequence[Metric],
    examples: Sequence[Example],
    outputs: Sequence[Output],
) -> int:
    """Tokens of the answers that metrics rest on: sampled, or read for their likelihood; prompts not counted.

    outputs: on these examples. What was drawn to give an answer, such as drafts and draws to choose from, counts
    with it. Greedy answers, which are drawn once for all seeds, count once: an item's answers that are the same in
    every token, where the recipe's sampling is greedy.
    """
    if prepared.sampling.temperature:
        sampled = sum(output.spent for output in outputs)
    else:
        once = {(one.example, one.text, one.logprobs, one.spent): one.spent for one in outputs}
        sampled = sum(once.values())
    asked = {ask for metric in metrics if metric.asks for example in examples for ask in metric.asks(example)}
    if not asked:
        return sampled
    tokenizer = loaded(base).tokenizer
    return sampled + sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for _, text in asked)


def recorded_trial(
    prepared: Prepared,
    base: AnyBase,
    stack: str | Stack,
    folder: RunFolder,
    report: Report | None,
    name: str,
    seen: Sequence[int] | None = None,
) -> Trial:
    """A trial on select, as far as it was recorded before; the rest is measured now and recorded.

    Args:
        stack: hash of the base model or of a stack that lies in the run folder; or a stack that does not.
        seen: positions of the items of select to measure, without guard suites; None for everything.
    """
    examples = prepared.parts["select"]
    whole = seen is None
    wanted = [examples[position] for position in seen] if seen is not None else examples
    place = stack if isinstance(stack, str) else stack.hash
    known = _recorded(folder, place, [example.id for example in wanted])
    done = {score.example for score in known.target}
    missing = [example for example in wanted if example.id not in done]
    if not missing:
        if not whole or folder.has(f"trials/{place}/guards.json"):
            return known
        known, missing = Trial([], [], {}), wanted
    loaded = stack if isinstance(stack, Stack) else _loaded(folder, stack)
    new = run_trial(prepared, base, loaded, Scope("select", missing, whole), report, name)
    trial = _joined(prepared, known, new)
    if whole:
        # Before the scores, which say what is measured: a kill in between measures the same items again.
        folder.write(
            f"trials/{place}/guards.json",
            {
                "scores": trial.guards,
                "tokens": trial.guard_tokens,
                "untouched": sorted(trial.untouched),
            },
        )
    folder.write_trial(place, trial.outputs, trial.target)
    return trial


def _loaded(folder: RunFolder, stack: str) -> Stack:
    return Stack() if stack == BASE else Stack.load(folder.trial(stack))


def _recorded(folder: RunFolder, stack: str, wanted: Sequence[str]) -> Trial:
    """What of these items the run folder holds, and the guard suites if it holds them."""
    place = f"trials/{stack}"
    guards: dict[str, list[Score]] = {}
    tokens, held = 0, frozenset[str]()
    if folder.has(f"{place}/guards.json"):
        content = folder.read(f"{place}/guards.json")
        guards = {key: [_score(row) for row in rows] for key, rows in content["scores"].items()}
        tokens = content.get("tokens", 0)
        held = frozenset(content.get("untouched", ()))
    target = [_score(row) for row in folder.rows(f"{place}/scores.jsonl")]
    outputs = [_output(row) for row in folder.rows(f"{place}/outputs.jsonl")]
    done = {score.example for score in target}
    return Trial(outputs, target, guards, tokens, held).only(done.intersection(wanted))


def _joined(prepared: Prepared, one: Trial, other: Trial) -> Trial:
    """Two trials on different items of select as one, in the order in which a whole trial has them."""
    item = {example.id: number for number, example in enumerate(prepared.parts["select"])}
    metric = {known.name: number for number, known in enumerate(prepared.target_metrics())}
    outputs = sorted([*one.outputs, *other.outputs], key=lambda o: (item[o.example], o.seed))
    scores = sorted([*one.target, *other.target], key=lambda s: (metric[s.metric], item[s.example], s.seed))
    return Trial(outputs, scores, other.guards, other.guard_tokens, other.untouched)


def _output(row: dict[str, Any]) -> Output:
    lists = {"logprobs": tuple(row["logprobs"]), "fired": tuple(row.get("fired", ()))}
    return Output(**(row | lists))


def _score(row: dict[str, Any]) -> Score:
    value = float("nan") if row["value"] is None else row["value"]
    return Score(row["example"], row["metric"], row["seed"], value, tuple(row["values"]))


def judge(prepared: Prepared, before: Trial, after: Trial, part: Part, stack: str, level: float) -> Judged:
    """Compare a stack with the base model on one part: the target, and each guard against its margin."""
    groups = _groups(prepared.parts[part])
    results = []
    for guard in prepared.guards:
        if guard.key in after.untouched:
            results.append(_by_construction(guard, before, level))
            continue
        pair = (
            (before.target, after.target)
            if guard.on_target
            else (before.guards[guard.key], after.guards[guard.key])
        )
        compared = _compare(
            *pair,
            guard.metric,
            groups if guard.on_target else _groups(guard.parts[part]),
            lambda a, b, margin=guard.margin, **how: stats.non_inferior(a, b, margin=margin, **how),
            level,
            -guard.margin,
        )
        results.append(GuardResult(guard.name, guard.metric.name, guard.margin, compared))
    return Judged(stack, target_gain(prepared, before, after, part, level), tuple(results))


def _by_construction(guard: GuardSuite, before: Trial, level: float) -> GuardResult:
    """A guard whose difference is 0 because nothing that it reads can change: known, and not estimated."""
    scores = before.target if guard.on_target else before.guards[guard.key]
    ids: list[str] = []
    value = NAN
    if defined(scores, guard.metric):
        ids, found, _ = paired(scores, scores, guard.metric)
        statistic = guard.metric.oriented_statistic
        value = statistic(found) if statistic else float(found.mean())
    nothing = Estimate(0.0, 0.0, 0.0, level, len(ids), "by construction")
    compared = Comparison(nothing, NAN, "held", None, NAN, -guard.margin, value, value)
    return GuardResult(guard.name, guard.metric.name, guard.margin, compared, by_construction=True)


def target_gain(
    prepared: Prepared,
    before: Trial,
    after: Trial,
    part: Part,
    level: float,
    *,
    min_gain: float | None = None,
) -> Comparison:
    """The target's gain over the base model, or another trial, on the items that the stack was measured on.

    min_gain: that the gain is held against; the recipe's where not given.
    """
    least = prepared.recipe.goal.min_gain if min_gain is None else min_gain
    return _compare(
        before.only({score.example for score in after.target}).target,
        after.target,
        prepared.goal,
        _groups(prepared.parts[part]),
        lambda a, b, **how: stats.compare(a, b, min_gain=least, **how),
        level,
        least,
    )


def _groups(examples: Sequence[Example]) -> dict[str, str]:
    return dict(zip((e.id for e in examples), split.cluster_keys(examples), strict=True))


def _compare(
    before: Sequence[Score],
    after: Sequence[Score],
    metric: Metric,
    groups: dict[str, str],
    how: Callable[..., Comparison],
    level: float,
    threshold: float,
) -> Comparison:
    if not defined(before, metric) and not defined(after, metric):
        return stats.undefined(f"{metric.name} has no value for any item", threshold=threshold, level=level)
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
