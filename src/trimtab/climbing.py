"""The climb with a real model: each rung fitted, chosen on select and, where it passes there, judged on confirm."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from trimtab import stats
from trimtab.adjust.stack import BASE, Stack
from trimtab.candidates import Rung
from trimtab.choosing import SELECT_LEVEL, Choice, Work, choose, combine
from trimtab.decide import judge, ladder, ledger, reasons
from trimtab.model.find import loaded
from trimtab.model.trunk import ensure
from trimtab.planning import candidates_for, expected_minutes
from trimtab.prepare import rows_of
from trimtab.records import Comparison, Verdict
from trimtab.trials import Scope, Trial, first_block, recorded_trial, run_trial, target_gain
from trimtab.trials import judge as judge_trial

PROMPT = "prompt"


@dataclass
class Ascent:
    """A climb in progress.

    Attributes:
        earlier: ladder.json as an exploring or interrupted run left it, empty if none did.
        chosen: each rung's choice on select.
        confirmed: trials on confirm, which live in memory alone: of the base model under `base`, of rungs.
    """

    work: Work
    state: ladder.Climb
    base: Trial
    earlier: Mapping[str, Any]
    started: float
    chosen: dict[str, Choice] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    confirmed: dict[str, Trial] = field(default_factory=dict)
    beside: Comparison | None = None

    @property
    def minutes(self) -> float:
        """Minutes that the run has taken so far, those of an interrupted one included."""
        before: float = self.earlier.get("minutes", 0.0)
        return before + (time.monotonic() - self.started) / 60

    def known(self, rung: str) -> Mapping[str, Any]:
        """What an earlier process recorded of a rung."""
        return next((entry for entry in self.earlier.get("rungs", ()) if entry["rung"] == rung), {})

    def write(self) -> None:
        """Record how far the climb has come."""
        budget = self.work.prepared.recipe.budget.minutes
        content = {"rungs": self.entries, "minutes": self.minutes, "budget": budget, "prompt": self.beside}
        self.work.folder.write("ladder.json", content)


def climb(work: Work) -> Verdict:
    """Rung by rung, smallest first, until one is shown to be enough; the verdict is about it, or the best so far."""
    started = time.monotonic()
    _keep_trunk(work)
    with work.timed("measuring base"):
        base = recorded_trial(work.prepared, work.base, BASE, work.folder, work.report, "base")
    earlier = work.folder.read("ladder.json") if work.folder.has("ladder.json") else {}
    recipe = work.prepared.recipe
    ascent = Ascent(work, ladder.start(recipe.weights, recipe.combined), base, earlier, started)
    while (rung := ascent.state.rung) is not None:
        pairs = _pairs(ascent) if rung == ladder.COMBINED else []
        if rung == ladder.COMBINED and not pairs:
            break
        ascent.state = ascent.state.then(_step(ascent, rung, pairs))
        ascent.write()
    return _concluded(ascent)


def _keep_trunk(work: Work) -> None:
    """Keep what the blocks below the lowest candidate compute: the base's own passes serve all candidates."""
    planned = [
        (rung, one) for rung in work.prepared.recipe.ladder for one in candidates_for(rung, work.folder)
    ]
    lowest = [first for rung, one in planned if (first := first_block(work.base, rung, one))]
    if lowest:
        ensure(loaded(work.base), min(lowest), rows_of(work.prepared, work.base, "tune"))


def _pairs(ascent: Ascent) -> list[tuple[str, str]]:
    """The pairs of rungs to join; none where a single rung passed on select of a run that only explores."""
    judged = {rung: choice.judged for rung, choice in ascent.chosen.items()}
    min_gain = ascent.work.prepared.recipe.goal.min_gain
    if ascent.work.explore and any(judge.passes_select(j, min_gain) == "passed" for j in judged.values()):
        return []
    pairs = ladder.parts(judged, min_gain)
    # All pairs share their network rung. Leaving out single pairs by confirm would choose the stack by it.
    return pairs if ladder.worth_combining(ascent.state.steps, [under for under, _ in pairs]) else []


def _step(ascent: Ascent, rung: str, pairs: list[tuple[str, str]]) -> ladder.Step:
    """Try the rung that stands next, or skip it; its entry is written before and after."""
    expected = expected_minutes(ascent.work.folder)
    entry: dict[str, Any] = {
        "rung": rung,
        "weight": ascent.state.weights[rung],
        "alpha": None,
        "level": None,
        "candidates": [],
        "chosen": None,
        "difference": None,
        "guards": (),
        "minutes": expected.get(rung, 0.0),
        "outcome": ladder.SKIPPED,
        "looked": False,
    }
    ascent.entries.append(entry)
    if _skipped(ascent, rung, expected):
        return ladder.Step(rung, "skipped: budget", minutes=entry["minutes"])
    entry["outcome"] = "begun"
    ascent.write()
    before = ascent.minutes
    if rung != ladder.COMBINED:
        choice = choose(ascent.work, cast(Rung, rung), ascent.base)
    else:
        choice = combine(ascent.work, pairs, ascent.chosen, ascent.base)
    ascent.chosen[rung] = choice
    step = _judged(ascent, rung, choice)
    minutes = ascent.minutes - before
    if ascent.known(rung).get("outcome") not in (None, "begun", ladder.SKIPPED):
        minutes = max(minutes, ascent.known(rung)["minutes"])
    entry |= choice.record | {"chosen": choice.judged.stack, "outcome": step.outcome, "looked": step.looked}
    entry["minutes"] = minutes
    if step.verdict is not None:
        entry |= {"difference": step.verdict.difference, "guards": step.verdict.guards}
        if step.looked:
            entry |= {"alpha": step.alpha, "level": step.verdict.level}
    return dataclasses.replace(step, minutes=minutes)


def _skipped(ascent: Ascent, rung: str, expected: Mapping[str, float]) -> bool:
    """Whether a rung is left out for want of time.

    What an earlier process decided stands: once a rung behind has looked at confirm with the weight that was passed
    on, trying this one after all would spend that weight twice. Before any look, another budget decides anew.
    """
    budget = ascent.work.prepared.recipe.budget.minutes
    known = ascent.known(rung)
    looks = any(entry["looked"] for entry in ascent.earlier.get("rungs", ()))
    if known and (looks or ascent.earlier.get("budget") == budget):
        return bool(known["outcome"] == ladder.SKIPPED)
    return ascent.state.too_long(expected, ascent.minutes, budget)


def _judged(ascent: Ascent, rung: str, choice: Choice) -> ladder.Step:
    """What a rung's choice comes to: by select alone where it fails there or the run explores, else by a look."""
    work = ascent.work
    passing = judge.passes_select(choice.judged, work.prepared.recipe.goal.min_gain)
    if work.explore or passing != "passed":
        verdict = judge.without_look(
            choice.judged, level=SELECT_LEVEL, failure=passing, explored=work.explore
        )
        return ladder.Step(rung, ladder.on_select(passing, verdict), verdict=verdict)
    prepared = work.prepared
    look = ledger.look(prepared.ledger, prepared.confirm, prepared.identity, prepared.sealed)
    alpha = ascent.state.alpha(look)
    level = stats.level_from_alpha(alpha)
    before, after = _confirm(ascent, "base", Stack()), _confirm(ascent, rung, _stack(work, choice))
    judged = judge_trial(prepared, before, after, "confirm", choice.judged.stack, level)
    verdict = judge.verdict(judged, level=level, look=look)
    return ladder.Step(rung, ladder.on_confirm(verdict), alpha, verdict)


def _stack(work: Work, choice: Choice) -> Stack:
    return Stack.load(work.folder.trial(choice.judged.stack))


def _confirm(ascent: Ascent, name: str, stack: Stack, *, guards: bool = True) -> Trial:
    """A stack on the sealed part, once in a process; only what is concluded from it leaves."""
    work = ascent.work
    if name not in ascent.confirmed:
        with work.timed("confirming"):
            scope = Scope("confirm", work.prepared.parts["confirm"], guards)
            said = "base" if name == "base" else "candidate"
            ascent.confirmed[name] = run_trial(work.prepared, work.base, stack, scope, work.report, said)
    return ascent.confirmed[name]


def _concluded(ascent: Ascent) -> Verdict:
    """The verdict of the whole climb, with what its record says of the other rungs."""
    steps = ascent.state.steps
    best = ladder.best_step(steps)
    if best is None or best.verdict is None:
        return judge.undefined_verdict(BASE, "no rung was tried", SELECT_LEVEL)
    recipe = ascent.work.prepared.recipe
    if best.looked and best.outcome == "passed":
        ascent.beside = _beside_prompt(ascent, best)
        ascent.write()
        said = [*reasons.smaller(steps, best.rung), reasons.against_prompt(ascent.beside)]
    else:
        said = reasons.fallen_short(steps, list(recipe.ladder), recipe.goal.min_gain)
    return dataclasses.replace(
        best.verdict, rung=best.rung, reasons=(*best.verdict.reasons, *filter(None, said))
    )


def _beside_prompt(ascent: Ascent, best: ladder.Step) -> Comparison | None:
    """The winner against the best prompt on confirm; None where none was tried, or it is the winner.

    It decides nothing, so that it charges no look: the prompt was chosen on select, like the winner.
    """
    if best.rung == PROMPT or PROMPT not in ascent.chosen or best.verdict is None:
        return None
    work = ascent.work
    prompted = _confirm(ascent, PROMPT, _stack(work, ascent.chosen[PROMPT]), guards=False)
    won = ascent.confirmed[best.rung]
    return target_gain(work.prepared, prompted, won, "confirm", best.verdict.level, min_gain=0.0)
