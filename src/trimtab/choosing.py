"""One rung: fit its candidates on tune, race them in select, take the best of those that stay."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from trimtab import lineage
from trimtab.adjust.stack import Stack
from trimtab.candidates import Candidate, Rung, Trained
from trimtab.data.split import cluster_keys
from trimtab.decide import judge, race
from trimtab.measure.trial import table
from trimtab.model.find import AnyBase
from trimtab.planning import candidates_for, reasons_for
from trimtab.prepare import Prepared
from trimtab.records import Comparison, Report
from trimtab.run import RunFolder
from trimtab.rungs import augmenting
from trimtab.rungs.joined import join
from trimtab.rungs.workshop import Workshop
from trimtab.trials import Trial, answer_tokens, fit, recorded_trial, target_gain
from trimtab.trials import judge as judge_trial

SELECT_LEVEL = 0.95
# How the record explains its figures of what a race saved.
ESTIMATED = (
    "tokens of answers, sampled or read, prompts not counted; tokens saved are an estimate: a dropped candidate's "
    "mean tokens an item, times the items it was not measured on, and the finalists' mean for the guard suites"
)


@dataclass
class Work:
    """A run in progress: what it works on, where it writes, and what each stage has cost in seconds."""

    prepared: Prepared
    base: AnyBase
    folder: RunFolder
    report: Report | None
    explore: bool
    costs: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds of a stage to its cost."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.costs[stage] = self.costs.get(stage, 0.0) + time.monotonic() - started


@dataclass(frozen=True, slots=True)
class Fitted:
    """A candidate that is fitted; its stack lies in the run folder. reason: why it is tried, where a survey says so."""

    title: str
    name: str
    stack: str
    cost: Mapping[str, Any]
    reason: str = ""


@dataclass
class Selection:
    """The candidates of one rung in select: what each was measured on, and how each came out.

    Attributes:
        base: the base model, measured on all of select.
        trials: the largest trial of each candidate, by its number.
        finalists: candidates that were measured on everything.
        dropped: candidates that were not, and why.
        rounds: a race each.
    """

    work: Work
    candidates: Sequence[Fitted]
    base: Trial
    trials: dict[int, Trial] = field(default_factory=dict)
    finalists: dict[int, judge.Judged] = field(default_factory=dict)
    dropped: Mapping[int, race.Drop] = field(default_factory=dict)
    rounds: list[tuple[race.Plan, race.Result]] = field(default_factory=list)

    def measure(self, number: int, seen: Sequence[int] | None = None) -> Trial:
        """A candidate on these positions of select, or on everything with its guard suites."""
        work, candidate = self.work, self.candidates[number]
        trial = recorded_trial(
            work.prepared, work.base, candidate.stack, work.folder, work.report, candidate.name, seen
        )
        if number not in self.trials or len(trial.target) >= len(self.trials[number].target):
            self.trials[number] = trial
        return trial

    def judged(self, number: int) -> judge.Judged:
        """A finalist against the base model on everything."""
        found = self.measure(number)
        stack = self.candidates[number].stack
        return judge_trial(self.work.prepared, self.base, found, "select", stack, SELECT_LEVEL)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a rung chose on select, and what `ladder.json` records of it."""

    judged: judge.Judged
    record: dict[str, Any]


def choose(work: Work, rung: Rung, base: Trial) -> Choice:
    """Fit every candidate of a rung on tune, race them in select, and take the best that was measured on all of it.

    Each that learned augmented rows is compared with the same one without them.
    """
    planned = candidates_for(rung, work.folder)
    candidates = [_fitted(work, rung, number) for number in range(len(planned))]
    choice = _best(work, candidates, base)
    with work.timed("measuring candidates"):
        effects = [
            {"name": _title(planned[group[0][0]].model_copy(update={"seed": None}))}
            | _augmentation(work, [(candidates[one], candidates[other]) for one, other in group])
            for group in augmenting.pairs(planned)
        ]
    return (
        dataclasses.replace(choice, record=choice.record | {"augmentation": effects}) if effects else choice
    )


def combine(
    work: Work, pairs: Sequence[tuple[str, str]], chosen: Mapping[str, Choice], base: Trial
) -> Choice:
    """Join the chosen stacks of pairs of rungs, race the joined ones in select, and take the best.

    A joined stack changes the network first; the light change stands over it. A confidence that belongs to it is
    calibrated again for the joined stack, on select.
    """
    shop = Workshop(work.prepared, work.base, work.folder.path / "fits" / "combined", work.report)
    candidates = []
    for number, pair in enumerate(pairs):
        parts = [Stack.load(work.folder.trial(chosen[rung].judged.stack)) for rung in pair]
        with work.timed("measuring candidates"):
            stack, cost = join(shop, parts, work.folder)
        names = tuple(chosen[rung].judged.stack for rung in pair)
        again = ("select",) if cost else ()
        lineage.record_stack(work.folder, lineage.Learned(stack.hash, parts=again, stacks=names))
        title = f"the chosen {pair[1]} over the chosen {pair[0]}"
        candidates.append(Fitted(title, f"combined-{number}", stack.hash, cost))
    return _best(work, candidates, base)


def _best(work: Work, candidates: Sequence[Fitted], base: Trial) -> Choice:
    found = Selection(work, candidates, base)
    with work.timed("measuring candidates"):
        _race(found)
    best = judge.best(list(found.finalists.values()), work.prepared.recipe.goal.min_gain)
    chosen = next(number for number, judged in found.finalists.items() if judged is best)
    entries = [_entry(found, number) | {"chosen": number == chosen} for number in range(len(candidates))]
    return Choice(best, {"candidates": entries, "race": _saved(found)})


def _augmentation(work: Work, pairs: Sequence[tuple[Fitted, Fitted]]) -> dict[str, Any]:
    """What augmented rows did to a candidate's goal: it beside the same one without them, paired, on all of select.

    It decides nothing; the race does. One that the race dropped early is measured on the other items for it. Several
    seeds of training are averaged within an item, like those of sampling, and each is compared by itself as well.
    """
    whole = range(len(work.prepared.parts["select"]))

    def measured(one: Fitted) -> Trial:
        return recorded_trial(work.prepared, work.base, one.stack, work.folder, work.report, one.name, whole)

    def compared(before: Trial, after: Trial) -> Comparison:
        return target_gain(work.prepared, before, after, "select", SELECT_LEVEL, min_gain=0.0)

    trials = [(measured(plain), measured(made)) for made, plain in pairs]
    together = (_over_seeds([pair[side] for pair in trials]) for side in (0, 1))
    return {
        "with": [made.stack for made, _ in pairs],
        "without": [plain.stack for _, plain in pairs],
        "comparison": compared(*together),
        "each": [compared(*pair) for pair in trials],
    }


def _over_seeds(trials: Sequence[Trial]) -> Trial:
    """Trials of trainings that differ in their seed as one, which was drawn under so many times the seeds."""
    target = [
        dataclasses.replace(score, seed=score.seed * len(trials) + number)
        for number, trial in enumerate(trials)
        for score in trial.target
    ]
    return Trial([], target, {})


def _fitted(work: Work, rung: Rung, number: int) -> Fitted:
    candidate = candidates_for(rung, work.folder)[number]
    with work.timed(f"training {rung}"):
        stack, cost = fit(work.prepared, work.base, rung, candidate, number, work.folder, work.report)
    # The hash alone: the weights of dozens of candidates need not be in memory together.
    reason = dict(enumerate(reasons_for(rung, work.folder))).get(number, "")
    return Fitted(_title(candidate), f"{rung}-{number}", stack.hash, cost, reason)


def _title(candidate: Candidate) -> str:
    """A candidate by what it sets."""
    given = candidate.model_dump(exclude_defaults=True)
    plain = "as the recipe's training says" if isinstance(candidate, Trained) else "the default settings"
    return ", ".join(_said(key, value) for key, value in given.items()) or plain


def _said(key: str, value: Any) -> str:
    """A setting as a title shows it."""
    if key == "augment":
        return f"{'with' if value else 'without'} augmentation"
    shown = " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return f"{key.replace('_', ' ')} {shown}"


def _race(found: Selection) -> None:
    """Race after race among those still dropped, until a finalist both gains enough and keeps its guards.

    A race looks at the goal alone. Where guards stand against all that it left, one that it dropped may be the best.
    """
    prepared = found.work.prepared
    goal, min_gain = prepared.goal, prepared.recipe.goal.min_gain
    clusters = cluster_keys(prepared.parts["select"])
    scale = race.Scale(clusters, goal.oriented_bounds, goal.oriented_statistic)

    def scores(racing: Sequence[int], seen: Sequence[int]) -> dict[int, race.Array]:
        return {number: table(found.measure(number, seen).target, goal)[1] for number in racing}

    waiting: Sequence[int] = range(len(found.candidates))
    while waiting:
        plan = race.plan(clusters, len(waiting), seed=prepared.recipe.seed)
        result = race.race(plan, waiting, scores, scale)
        judged = {number: found.judged(number) for number in result.finalists}
        found.finalists = dict(sorted((found.finalists | judged).items()))
        found.dropped = result.dropped
        found.rounds.append((plan, result))
        waiting = sorted(result.dropped)
        if not judge.guards_in_the_way(list(judged.values()), min_gain):
            break


def _entry(found: Selection, number: int) -> dict[str, Any]:
    """A candidate as `ladder.json` has it."""
    candidate, drop = found.candidates[number], found.dropped.get(number)
    if drop is None:
        target, guards = found.finalists[number].target, found.finalists[number].guards
    else:
        target, guards = _gain(found, number), ()
    mean = dataclasses.replace(
        target.difference, value=target.candidate, low=math.nan, high=math.nan, method="mean"
    )
    return {
        "stack": candidate.stack,
        "name": candidate.title,
        "comparison": target,
        "guards": guards,
        "select": mean,
        "cost": candidate.cost,
        "dropped": drop and _dropped(found, number, drop),
        **({"reason": candidate.reason} if candidate.reason else {}),
    }


def _gain(found: Selection, number: int) -> Comparison:
    return target_gain(found.work.prepared, found.base, found.trials[number], "select", SELECT_LEVEL)


def _dropped(found: Selection, number: int, drop: race.Drop) -> dict[str, Any]:
    return {
        "look": drop.look,
        "items": len({score.example for score in found.trials[number].target}),
        "of": len(found.work.prepared.parts["select"]),
        "leader": found.candidates[drop.leader].stack,
        "comparison": drop.comparison,
    }


def _saved(found: Selection) -> dict[str, Any]:
    """What the races of a rung did, and what they saved against measuring every candidate on everything."""
    prepared, base = found.work.prepared, found.work.base
    examples = {example.id: example for example in prepared.parts["select"]}
    metrics = prepared.target_metrics()
    items, spent = {}, {}
    for number, trial in found.trials.items():
        measured = {score.example for score in trial.target}
        items[number] = len(measured)
        spent[number] = answer_tokens(
            prepared, base, metrics, [examples[item] for item in measured], trial.outputs
        )
    guards = [found.trials[number].guard_tokens for number in found.finalists]
    saved = [
        spent[number] / items[number] * (len(examples) - items[number]) + fmean(guards)
        for number in found.dropped
    ]
    plan = found.rounds[0][0]
    return {
        "looks": plan.ends,
        "alpha": race.ALPHA,
        "reason": plan.reason,
        "rounds": [{"level": held.level, "racing": result.racing} for held, result in found.rounds],
        "items_scored": sum(items.values()),
        "items_saved": len(found.candidates) * len(examples) - sum(items.values()),
        "tokens_spent": sum(spent.values()) + sum(guards),
        "tokens_saved": round(sum(saved)),
        "estimated": ESTIMATED,
    }
