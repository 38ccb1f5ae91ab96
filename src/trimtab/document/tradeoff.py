"""What a run traded: the gain of every trial against the change in each guard, the front, and the trial chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.document.figures import interval, known, significant
from trimtab.document.masking import mask, printable
from trimtab.document.pictures import Plane
from trimtab.document.planes import Axis, Place, pareto
from trimtab.document.record import metric_title, suite_title
from trimtab.document.sections import Section, Table
from trimtab.records import Estimate, GuardResult, plain
from trimtab.run import RunFolder, comparison_from


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial on select, against the base model; plus is better everywhere.

    Attributes:
        gain: in the goal's metric. guards: the change in each guard, by "suite metric".
        front: whether no other trial is at least as good in everything and better in something.
        full: whether all that counts of it was measured; where not it is on no front.
    """

    stack: str
    name: str
    rung: str
    gain: Estimate
    guards: Mapping[str, Estimate]
    chosen: bool
    front: bool
    full: bool


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The trials of a run, in the order tried.

    Attributes:
        metric: the goal's. min_gain: the smallest gain worth having. margins: the largest loss allowed, by guard.
        stack, outcome: what the verdict is about and says; empty where the run has none yet.
    """

    metric: str
    min_gain: float
    margins: Mapping[str, float]
    trials: tuple[Tried, ...]
    stack: str
    outcome: str

    @property
    def front(self) -> tuple[Tried, ...]:
        """The trials that no other beats."""
        return tuple(one for one in self.trials if one.front)


def tradeoff(folder: RunFolder) -> Tradeoff:
    """Read the trials of a run, finished or not.

    Raises:
        RunError: no trial was recorded yet, or a file of the run is damaged.
    """
    ladder = folder.read("ladder.json")
    verdict = folder.verdict() if folder.has("verdict.json") else None
    recipe = (folder.recipe() if folder.has("recipe.yaml") else {}).get("goal") or {}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for rung in ladder.get("rungs") or ():
        for entry in rung.get("candidates") or ():
            if entry.get("comparison"):
                found[str(entry["stack"])] = (str(rung.get("rung", "")), entry)
    guards = {stack: _guards(entry) for stack, (_, entry) in found.items()}
    margins = {key: one.margin for named in guards.values() for key, one in named.items()}
    gains = {stack: comparison_from(entry["comparison"]).difference for stack, (_, entry) in found.items()}
    nan = float("nan")
    aims = [
        [
            gains[stack].value,
            *(_change(guards[stack][key]) if key in guards[stack] else nan for key in margins),
        ]
        for stack in found
    ]
    front = pareto(aims)
    trials = tuple(
        Tried(
            stack,
            str(entry.get("name") or stack),
            rung,
            gains[stack],
            {key: one.comparison.difference for key, one in guards[stack].items()},
            bool(entry.get("chosen")) if verdict is None else stack == verdict.stack,
            front[number],
            all(value == value for value in aims[number]),
        )
        for number, (stack, (rung, entry)) in enumerate(found.items())
    )
    least = recipe.get("min_gain")
    return Tradeoff(
        str(recipe.get("metric") or ""),
        float(least) if known(least) else 0.0,
        margins,
        trials,
        verdict.stack if verdict else "",
        verdict.outcome if verdict else "",
    )


def _change(guard: GuardResult) -> float:
    """A guard that an adjustment cannot touch changes by nothing, even where it could not be measured."""
    value = guard.comparison.difference.value
    return 0.0 if guard.by_construction and value != value else value


def _guards(entry: Mapping[str, Any]) -> dict[str, GuardResult]:
    return {
        f"{g['suite']} {g['metric']}": GuardResult(
            g["suite"], g["metric"], g["margin"], comparison_from(g["comparison"]), g["by_construction"]
        )
        for g in entry.get("guards") or ()
    }


def pictures(found: Tradeoff) -> tuple[Plane, ...]:
    """A plane for each guard: the gain across, the change in that guard upwards. Trials without it are left out."""
    across = Axis(f"gain in {metric_title(found.metric)}", found.min_gain)
    drawn = []
    for number, (guard, margin) in enumerate(found.margins.items(), 1):
        places = tuple(
            Place(_shown(one.name), one.gain.value, one.guards[guard].value, one.chosen)
            for one in found.trials
            if guard in one.guards and known(one.gain.value) and known(one.guards[guard].value)
        )
        if places:
            title = f"Gain in {metric_title(found.metric)} against change in {_title(guard)}"
            drawn.append(Plane(f"tradeoff-{number}", title, across, Axis(_title(guard), -margin), places))
    return tuple(drawn)


def _title(guard: str) -> str:
    suite, _, metric = guard.rpartition(" ")
    return f"{suite_title(suite)}, {metric_title(metric)}"


def _shown(text: str) -> str:
    return mask(printable(text))


def section(found: Tradeoff) -> Section:
    """The trials as a table, with all their guards."""
    said = [
        "Measured on select, which chose among them: the front flatters. Plus is better everywhere.",
        "On the front: no other trial is at least as good in everything and better in something.",
    ]
    if lacking := sum(not one.full for one in found.trials):
        said.append(f"{lacking} trials were not measured in everything and are on no front.")
    rows = tuple(
        (
            f"{one.rung}: {_shown(one.name)}",
            interval(one.gain, found.min_gain),
            *(
                interval(one.guards[key], -found.margins[key]) if key in one.guards else "not measured"
                for key in found.margins
            ),
            "yes" if one.front else "no",
            "yes" if one.chosen else "no",
        )
        for one in found.trials
    )
    head = (
        "trial",
        f"gain in {metric_title(found.metric)}",
        *(f"{_title(key)} (margin {significant(margin)})" for key, margin in found.margins.items()),
        "front",
        "chosen",
    )
    return Section(
        "tradeoff",
        "What was traded",
        tuple(said),
        (Table("Every trial on select", head, rows),),
        values(found),
        pictures(found),
    )


def values(found: Tradeoff) -> dict[str, Any]:
    """JSON values of a trade-off."""
    return {**dict(plain(found)), "front": [one.stack for one in found.front]}
