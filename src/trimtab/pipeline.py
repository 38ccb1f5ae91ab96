"""The loop, in order: prepare, plan, fit on tune, choose on select, confirm once, judge, report."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trimtab import lineage
from trimtab import run as runs
from trimtab.adjust.stack import BASE, Stack
from trimtab.candidates import WEIGHTS
from trimtab.choosing import Work
from trimtab.climbing import climb
from trimtab.decide import ledger, people
from trimtab.document import write_report
from trimtab.errors import RecipeError, RunError, several
from trimtab.model.find import AnyBase, find
from trimtab.model.memory import peak_bytes
from trimtab.model.service import Options
from trimtab.planning import plan_run
from trimtab.prepare import Prepared, prepare, rows_of
from trimtab.previous import FACTS
from trimtab.recipe import Recipe
from trimtab.recipe import load as load_recipe
from trimtab.records import Report, Verdict, content_hash, plain
from trimtab.run import RunFolder
from trimtab.rungs import advised, disclosed
from trimtab.tracking import tracked
from trimtab.trials import certify


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
    return plan_run(prepared, _model_of(prepared), report)


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
    folder = _folder(prepared, root)
    with folder.locked():
        if folder.has("verdict.json") and (explore or not folder.verdict().explored):
            return Run(folder)
        with tracked(folder, report) as told:
            work = Work(prepared, _model_of(prepared), folder, told, explore)
            try:
                _open(work)
                verdict = climb(work)
            finally:
                _spend(work)
            _close(work, verdict)
    return Run(folder)


def reopened(path: Path | str) -> tuple[RunFolder, Prepared]:
    """A run by its folder, and what it worked on.

    Raises:
        RunError: there is no run, it has no recipe yet, or its data have changed since.
    """
    folder = RunFolder.open(path)
    if not folder.has("recipe.yaml"):
        raise RunError(f"{path}: has no recipe yet", "finish the run: give its tune command again")
    prepared = prepare(load_recipe(folder.path / "recipe.yaml"))
    if folder.read("identity.json")["identity"] != prepared.identity:
        raise RunError(
            f"{path}: its data, or this version of Trimtab, are no longer those of the run",
            "tune again, then study that run",
        )
    return folder, prepared


def begun(prepared: Prepared, root: Path | str) -> RunFolder:
    """The run of a recipe, made if there is none yet, with its recipe, its items of select and its lineage."""
    folder = _folder(prepared, root)
    if not folder.has("recipe.yaml"):
        with folder.locked():
            _introduce(folder, prepared)
    return folder


def stack_of(folder: RunFolder, name: str = "") -> str:
    """Hash of a stack of a run: the named one, else the one that its verdict is about.

    Raises:
        RunError: there is no such stack, or the verdict is about none.
    """
    stack = name or folder.verdict().stack
    if stack == BASE:
        raise RunError(f"{folder.path}: no stack was chosen", "name one of its trials with --stack")
    if Path(stack).name != stack or not (folder.trial(stack) / "stack.json").is_file():
        known = sorted(path.parent.name for path in folder.path.glob("trials/*/stack.json"))
        raise RunError(f"{folder.path}: no stack {stack!r}", f"there are: {', '.join(known) or 'none'}")
    return stack


def _folder(prepared: Prepared, root: Path | str) -> RunFolder:
    return RunFolder.find(Path(root), prepared.identity) or RunFolder.create(Path(root), prepared.identity)


def _introduce(folder: RunFolder, prepared: Prepared) -> None:
    """Write what a run works on: its recipe, the items of select that it may show, whose rows these are."""
    folder.write_text(
        "recipe.yaml", yaml.safe_dump(plain(prepared.recipe.model_dump(mode="json")), sort_keys=False)
    )
    folder.write_rows("examples.jsonl", prepared.parts["select"])
    guards = [example for guard in prepared.guards for part in guard.parts.values() for example in part]
    lineage.record(folder, prepared.parts, guards)


def _record_round(folder: RunFolder, prepared: Prepared) -> None:
    """Write what the run takes over from the one before it, and how fresh its items of confirm are."""
    before = prepared.previous
    if before is None:
        return
    sealed, rules = prepared.sealed, prepared.guidelines
    known = ledger.looked_at(prepared.ledger, prepared.identity, sealed)
    now = {
        "guidelines": rules.version if rules else "",
        "confirm": {"fresh": len(sealed) - known, "before": known},
        "new": {part: sum(e.id not in before.parts for e in items) for part, items in prepared.parts.items()},
    }
    folder.write(FACTS, {**before.facts, "now": now})


def _model_of(prepared: Prepared) -> AnyBase:
    """The model that a recipe names."""
    recipe = prepared.recipe
    return find(recipe.model, Options(**recipe.service.model_dump()))


def _read(recipe: Recipe | str | Path) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else load_recipe(recipe)


def _open(work: Work) -> None:
    """Write what is known before anything is spent, and refuse what could not work."""
    folder, prepared = work.folder, work.prepared
    changes = _changes(work)
    _introduce(folder, prepared)
    _record_round(folder, prepared)
    disclosed.under(Stack(), prepared, work.base, folder)
    if any(rung in WEIGHTS for rung in prepared.recipe.ladder):
        folder.write("certificate.json", certify(prepared, work.base, rows_of(prepared, work.base, "tune")))
    if not folder.has("plan.json"):
        with work.timed("planning"):
            advice = advised.read(folder, work.base)
            folder.write("plan.json", plan_run(prepared, work.base, work.report, advice))
    problems = folder.read("plan.json")["problems"]
    if problems and not work.explore:
        hint = "change the recipe as said above, or look without deciding: --explore"
        raise RecipeError(f"this recipe cannot end in ship:\n{several(problems)}", hint)
    _provenance(work, changes=changes)


def _changes(work: Work) -> list[str]:
    """What changed since an earlier process of this run, which the report names.

    Raises:
        RunError: the weights, their dtype or the device are other ones: figures would be of two different models.
    """
    folder = work.folder
    if not folder.has("provenance.json"):
        return []
    facts = work.base.facts()
    found = runs.changed(folder.read("provenance.json"), {**runs.provenance(), "model": facts})
    said = [f"{name.removesuffix('.value')} from {was} to {now}" for name, (was, now) in found.items()]
    if any(name in runs.MUST_STAY for name in found) and "service" not in facts:
        raise RunError(
            f"{folder.path}: this run was begun with another model or in another way of computing it: "
            + "; ".join(said),
            "go on where it was begun, or start anew in another folder: --runs DIR",
        )
    return [f"The run was interrupted and went on with a change of {'; '.join(said)}"] if said else []


def _close(work: Work, verdict: Verdict) -> None:
    """Write the verdict last, when everything that it rests on is on disk, then the page."""
    _provenance(work, finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    review = work.prepared.recipe.review
    if review.required:
        work.folder.write("measured.json", verdict)
        verdict = people.waiting(verdict, review.role)
    work.folder.write("verdict.json", verdict)
    write_report(work.folder)


def _spend(work: Work) -> None:
    """Add what this process asked of a service to what the run's earlier ones did; also when it was stopped."""
    now, file = work.base.spending(), "spent.json"
    if now:
        before = work.folder.read(file) if work.folder.has(file) else {}
        work.folder.write(file, {name: before.get(name, 0) + count for name, count in now.items()})


def _provenance(work: Work, finished: str = "", changes: Sequence[str] = ()) -> None:
    prepared, base = work.prepared, work.base
    known = work.folder.read("provenance.json") if work.folder.has("provenance.json") else {}
    earlier = known.get("costs", {})
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
                "origins": lineage.origins(prepared.parts["tune"]),
            },
            "guidelines": _rules(prepared),
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
            "changes": [*known.get("changes", ()), *changes],
            "costs": earlier | costs,
            "peak_bytes": peak_bytes(base.device.value),
            "finished": finished,
        },
    )


def _rules(prepared: Prepared) -> dict[str, Any]:
    """What the record says of the guidelines: which they are and for whom; empty without any."""
    if prepared.guidelines is None:
        return {}
    told = {"version", "date", "review_by", "audience", "tone"}
    return {
        **prepared.guidelines.model_dump(mode="json", include=told),
        "rules": len(prepared.guidelines.rules),
    }
