"""The dose study of a run's stack: gain and guards on select at several strengths, resumable, written to the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.adjust.stack import BASE, Stack
from trimtab.decide import dose
from trimtab.decide.judge import Judged
from trimtab.document import write_report
from trimtab.errors import UserError
from trimtab.measure import copying
from trimtab.model.find import loaded, tuned_on
from trimtab.model.load import Base
from trimtab.pipeline import reopened, stack_of, tune
from trimtab.prepare import Prepared, prepare
from trimtab.recipe import load as load_recipe
from trimtab.records import NAN, Comparison, Estimate, Output, Report
from trimtab.run import RunFolder
from trimtab.trials import Trial, recorded_trial, target_gain
from trimtab.trials import judge as judge_trial

LIMITS = (
    "measured on select, where the stack was chosen, so that all gains are a little flattered; "
    "a strength other than 1 is another stack, which nothing here confirms"
)


@dataclass(frozen=True, slots=True)
class Study:
    """What a study works on: a run, its stack, the strengths to try, the level of every interval."""

    prepared: Prepared
    base: Base
    folder: RunFolder
    strengths: tuple[tuple[float, Stack], ...]
    level: float
    report: Report | None


def study(
    source: Path | str,
    *,
    root: Path | str = "runs",
    stack: str = "",
    strengths: Sequence[float] = dose.STRENGTHS,
    report: Report | None = None,
) -> dict[str, Any]:
    """Measure a stack at several strengths on select; confirm stays sealed and no look is charged.

    Args:
        source: a run folder, or a recipe; a recipe without a run is explored first.
        root: folder that runs lie in.
        stack: hash of a stack of the run; the one that its verdict is about if empty.
        strengths: from 0; 0 and 1 are added. Of a kind without a dial only those that it has are measured.

    Returns:
        What dose.json holds.

    Raises:
        RunError: no such run or stack, or the data have changed since.
    """
    if not strengths or any(not 0 <= strength <= 100 for strength in strengths):
        raise UserError(f"strengths {list(strengths)}: each must lie in 0 to 100", "such as 0.5,1,2")
    folder, prepared = _run(Path(source), Path(root), report)
    chosen = Stack.load(folder.trial(stack_of(folder, stack)))
    with folder.locked():
        tried = existing(chosen, strengths)
        level = dose.level([strength for strength, _ in tried])
        base = loaded(tuned_on(folder))
        content = _measured(Study(prepared, base, folder, tuple(tried), level, report))
        folder.write("dose.json", content | {"stack": chosen.hash})
        if folder.has("verdict.json"):
            write_report(folder)
    found: dict[str, Any] = folder.read("dose.json")
    return found


def existing(stack: Stack, strengths: Sequence[float]) -> list[tuple[float, Stack]]:
    """The stack at each strength that makes a difference, ascending.

    A kind without a dial gives the same stack at several strengths; it is listed once, as 0 or 1 where it can be.
    """
    found: dict[str, tuple[float, Stack]] = {}
    for strength in sorted({0.0, 1.0, *strengths}, key=lambda s: (s not in (0, 1), s)):
        try:
            scaled = stack.scaled(strength)
        except UserError:
            continue
        found.setdefault(scaled.hash if scaled.hooks else BASE, (strength, scaled))
    return sorted(found.values(), key=lambda pair: pair[0])


def _run(source: Path, root: Path, report: Report | None) -> tuple[RunFolder, Prepared]:
    """The run that is meant, and what it worked on."""
    if source.is_dir():
        return reopened(source)
    recipe = load_recipe(source)
    prepared = prepare(recipe)
    return tune(recipe, root=root, explore=True, report=report).folder, prepared


def _measured(work: Study) -> dict[str, Any]:
    prepared, select = work.prepared, work.prepared.parts["select"]
    base = recorded_trial(prepared, work.base, BASE, work.folder, work.report, "base")
    learned = copying.singular(example.references for example in prepared.parts["tune"])
    allowed = {
        example.id: [*(m.content for m in example.messages), *example.references] for example in select
    }
    references = [reference for example in select for reference in example.references[:1]]
    doses, trials = [], []
    for strength, stack in work.strengths:
        trial = base
        if stack.hooks:
            said = f"strength {strength:g}"
            trial = recorded_trial(prepared, work.base, stack, work.folder, work.report, said)
        judged = _judged(work, base, trial, stack)
        texts = _texts(trial.outputs)
        collections = [_texts(base.outputs), *([references] if references else [])]
        variety, *usual = copying.variety(texts, *collections)
        copied = copying.copied(_by_item(trial.outputs), learned, allowed)
        doses.append(
            dose.Dose(strength, judged.stack, judged.target, judged.guards, variety, min(usual), copied)
        )
        trials.append(trial)
    growing = _growing(work, trials)
    return {
        "doses": doses,
        "level": work.level,
        "min_gain": prepared.recipe.goal.min_gain,
        "smallest_effective": dose.smallest_effective(doses),
        "first_harmful": dose.first_harmful(doses),
        "growing": growing,
        "findings": dose.findings(doses, growing),
        "limits": LIMITS,
    }


def _judged(work: Study, base: Trial, trial: Trial, stack: Stack) -> Judged:
    """A strength against the base model; at strength 0 it is the base model, and every difference is 0."""
    prepared, level = work.prepared, work.level
    if trial is not base:
        return judge_trial(prepared, base, trial, "select", stack.hash, level)
    least = prepared.recipe.goal.min_gain
    n = len(prepared.parts["select"])
    nothing = Estimate(0.0, 0.0, 0.0, level, n, "by construction")
    same = dataclasses.replace(base, untouched=frozenset(guard.key for guard in prepared.guards))
    guards = judge_trial(prepared, base, same, "select", BASE, level).guards
    return Judged(BASE, Comparison(nothing, NAN, "too small", None, NAN, least), guards)


def _growing(work: Study, trials: Sequence[Trial]) -> Comparison | None:
    """The largest strength against the one before it; None where there are not two above 0."""
    if len(trials) < 3:
        return None
    return target_gain(work.prepared, trials[-2], trials[-1], "select", work.level, min_gain=0.0)


def _texts(outputs: Sequence[Output]) -> list[str]:
    return [output.text for output in outputs]


def _by_item(outputs: Sequence[Output]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for output in outputs:
        found.setdefault(output.example, []).append(output.text)
    return found
