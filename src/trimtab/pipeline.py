"""The loop, in order: prepare, plan, fit on tune, choose on select, confirm once, judge, report."""

from __future__ import annotations

import dataclasses
import functools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trimtab import run as runs
from trimtab import stats
from trimtab.adjust.stack import BASE, Stack
from trimtab.candidates import WEIGHTS
from trimtab.choosing import SELECT_LEVEL, Work, choose
from trimtab.decide import judge, ledger
from trimtab.document import write_report
from trimtab.errors import RecipeError, several
from trimtab.model.find import AnyBase, find, loaded
from trimtab.model.memory import peak_bytes
from trimtab.model.service import Options
from trimtab.model.trunk import ensure
from trimtab.planning import candidates_for, plan_run
from trimtab.prepare import Prepared, prepare, rows_of
from trimtab.recipe import Recipe
from trimtab.recipe import load as load_recipe
from trimtab.records import Report, Verdict, content_hash, plain
from trimtab.run import RunFolder
from trimtab.trials import Scope, certify, first_block, recorded_trial, run_trial
from trimtab.trials import judge as judge_trial


@dataclass
class Run:
    """A finished run: its folder, its verdict, and the stack that the verdict is about."""

    folder: RunFolder

    @property
    def verdict(self) -> Verdict:
        """The verdict as recorded."""
        return self.folder.verdict()

    @functools.cached_property
    def stack(self) -> Stack:
        """The stack that was judged, loaded from the run folder."""
        name = self.verdict.stack
        return Stack() if name == BASE else Stack.load(self.folder.trial(name))


def plan(recipe: Recipe | str | Path, *, report: Report | None = None) -> dict[str, Any]:
    """What a recipe can prove with its data, and what it will cost, before either is spent."""
    prepared = prepare(_read(recipe))
    return plan_run(prepared, _found(prepared), report)


def tune(
    recipe: Recipe | str | Path,
    *,
    root: Path | str = "runs",
    explore: bool = False,
    report: Report | None = None,
) -> Run:
    """Climb the ladder of a recipe and give a verdict.

    A recipe that was already judged on the same data replays its verdict; an interrupted one goes on.

    Args:
        root: folder that runs lie in.
        explore: stop at select; the confirm part stays sealed and no look is charged.

    Raises:
        UserError: the recipe, the data or the model cannot be used; nothing is lost.
    """
    prepared = prepare(_read(recipe))
    folder = RunFolder.find(Path(root), prepared.identity) or RunFolder.create(Path(root), prepared.identity)
    with folder.locked():
        if folder.has("verdict.json") and (explore or not folder.verdict().explored):
            return Run(folder)
        work = Work(prepared, _found(prepared), folder, report, explore)
        try:
            _open(work)
            verdict = _climb(work)
        finally:
            _spend(work)
        _close(work, verdict)
    return Run(folder)


def _found(prepared: Prepared) -> AnyBase:
    recipe = prepared.recipe
    return find(recipe.model, Options(**recipe.service.model_dump()))


def _read(recipe: Recipe | str | Path) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else load_recipe(recipe)


def _open(work: Work) -> None:
    """Write what is known before anything is spent, and refuse what could not work."""
    folder, prepared = work.folder, work.prepared
    folder.write_text(
        "recipe.yaml", yaml.safe_dump(plain(prepared.recipe.model_dump(mode="json")), sort_keys=False)
    )
    if any(rung in WEIGHTS for rung in prepared.recipe.ladder):
        folder.write("certificate.json", certify(prepared, work.base, rows_of(prepared, work.base, "tune")))
    folder.write_rows("examples.jsonl", prepared.parts["select"])
    if not folder.has("plan.json"):
        with work.timed("planning"):
            folder.write("plan.json", plan_run(prepared, work.base, work.report))
    problems = folder.read("plan.json")["problems"]
    if problems and not work.explore:
        hint = "change the recipe as said above, or look without deciding: --explore"
        raise RecipeError(f"this recipe cannot end in ship:\n{several(problems)}", hint)
    _provenance(work)


def _climb(work: Work) -> Verdict:
    """Rung by rung, smallest first, until one is shown to be enough."""
    _keep_trunk(work)
    with work.timed("measuring base"):
        base = recorded_trial(work.prepared, work.base, BASE, work.folder, work.report, "base")
    ladder = work.prepared.recipe.ladder
    failed: list[str] = []
    held: list[Verdict] = []
    for rung in ladder:
        chosen, stack = choose(work, rung, base)
        passed = judge.passes_select(chosen, work.prepared.recipe.goal.min_gain)
        if work.explore or passed != "passed":
            failed.append(rung)
            held.append(judge.without_look(chosen, level=SELECT_LEVEL, failure=passed, explored=work.explore))
            _note(work, outcome=passed if passed != "passed" else "undecided", looked=False)
            continue
        look = ledger.look(work.prepared.ledger, work.prepared.confirm, work.prepared.identity)
        alpha = stats.rung_alphas(work.prepared.recipe.weights, run=look, failed=failed)[rung]
        verdict = _confirm(work, stack, stats.level_from_alpha(alpha), look)
        held.append(verdict)
        _note(work, outcome=_rung_outcome(verdict), looked=True, alpha=alpha, level=verdict.level)
        if verdict.outcome == "ship":
            break
    looked = [verdict for verdict in held if verdict.look]
    return (looked or held)[-1]


def _keep_trunk(work: Work) -> None:
    """Keep what the blocks below the lowest candidate compute: the base's own passes serve all candidates."""
    planned = [
        (rung, one) for rung in work.prepared.recipe.ladder for one in candidates_for(rung, work.folder)
    ]
    lowest = [first for rung, one in planned if (first := first_block(work.base, rung, one))]
    if lowest:
        ensure(loaded(work.base), min(lowest), rows_of(work.prepared, work.base, "tune"))


def _confirm(work: Work, stack: Stack, level: float, look: int) -> Verdict:
    """Open the sealed part once: the base and the chosen stack on the same items. Only the outcome leaves."""
    prepared = work.prepared
    with work.timed("confirming"):
        scope = Scope("confirm", prepared.parts["confirm"])
        before = run_trial(prepared, work.base, Stack(), scope, work.report, "base")
        after = run_trial(prepared, work.base, stack, scope, work.report, "candidate")
    judged = judge_trial(prepared, before, after, "confirm", stack.hash, level)
    return judge.verdict(judged, level=level, look=look)


def _rung_outcome(verdict: Verdict) -> str:
    if verdict.outcome == "ship":
        return "passed"
    if any(guard.comparison.outcome == "breached" for guard in verdict.guards):
        return "guard breached"
    outcome = verdict.target.outcome if verdict.target else "undecided"
    return outcome if outcome in ("worse", "too small") else "undecided"


def _note(work: Work, **facts: Any) -> None:
    work.ladder[-1].update(facts)
    work.folder.write("ladder.json", {"rungs": work.ladder})


def _close(work: Work, verdict: Verdict) -> None:
    """Write the verdict last, when everything that it rests on is on disk, then the page."""
    _provenance(work, finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    review = work.prepared.recipe.review
    if review.required and verdict.outcome == "ship":
        waiting = (*verdict.reasons, "human review is required and has not taken place")
        verdict = dataclasses.replace(verdict, outcome="inconclusive", reasons=waiting)
    work.folder.write("verdict.json", verdict)
    write_report(work.folder)


def _spend(work: Work) -> None:
    """Add what this process asked of a service to what the run's earlier ones did; also when it was stopped."""
    now, file = work.base.spending(), "spent.json"
    if now:
        before = work.folder.read(file) if work.folder.has(file) else {}
        work.folder.write(file, {name: before.get(name, 0) + count for name, count in now.items()})


def _provenance(work: Work, finished: str = "") -> None:
    prepared, base = work.prepared, work.base
    earlier = work.folder.read("provenance.json")["costs"] if work.folder.has("provenance.json") else {}
    costs = {stage: round(max(earlier.get(stage, 0.0), seconds), 2) for stage, seconds in work.costs.items()}
    goal = prepared.goal
    work.folder.write(
        "provenance.json",
        {
            **runs.provenance(),
            "model": base.facts(),
            "data": {
                "source": Path(prepared.recipe.data.examples).name,
                "confirm": prepared.confirm,
                "hash": content_hash([e.id for part in prepared.parts.values() for e in part]),
                "rows": sum(map(len, prepared.parts.values())),
                "parts": {part: len(items) for part, items in prepared.parts.items()},
            },
            "goal": {
                "metric": goal.name,
                "unit": goal.unit,
                "direction": goal.direction,
                "question": goal.question,
                "limits": goal.limits,
                "min_gain": prepared.recipe.goal.min_gain,
            },
            "guards": [
                {
                    "suite": guard.name,
                    "metric": guard.metric.name,
                    "unit": guard.metric.unit,
                    "direction": guard.metric.direction,
                    "question": guard.metric.question,
                    "limits": guard.metric.limits,
                }
                for guard in prepared.guards
            ],
            "seed": prepared.recipe.seed,
            "costs": earlier | costs,
            "peak_bytes": peak_bytes(base.device.value),
            "finished": finished,
        },
    )
