"""What one line says of a run: how it came out, by how much, where on the ladder, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab import taint
from trimtab.errors import RunError
from trimtab.run import RunFolder

# Outcomes of a run beside those of a verdict.
EXPLORED, TUNING, UNFINISHED, DAMAGED = "explored", "tuning", "unfinished", "damaged"


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a list.

    Attributes:
        folder: as it was found.
        time: when it began, ISO 8601 in UTC, as its name says.
        outcome: of its verdict; explored where no look was taken, tuning while a process works on it, unfinished, or
            damaged.
        difference: the goal's estimate in its JSON form; None where there is none yet.
        rung: the step of the ladder that the verdict is about.
        minutes: that it took so far; None where it does not say.
        tainted: its stack learned from rows that were erased since.
    """

    run: str
    folder: str
    time: str
    goal: str = "-"
    outcome: str = UNFINISHED
    difference: dict[str, Any] | None = None
    rung: str = ""
    minutes: float | None = None
    tainted: bool = False


def listed(folder: RunFolder) -> Listed:
    """What one line says of a run; one that is not finished, or is damaged, says so."""
    name = folder.path.name
    row: dict[str, Any] = {"run": name, "folder": str(folder.path), "time": began(folder.path)}
    try:
        if folder.has("recipe.yaml"):
            row["goal"] = str(folder.recipe()["goal"]["metric"]).rpartition("/")[2]
        if folder.has("ladder.json"):
            row["minutes"] = folder.read("ladder.json").get("minutes")
        if folder.has("verdict.json"):
            verdict = folder.read("verdict.json")
            row["outcome"] = EXPLORED if verdict.get("explored") else str(verdict["outcome"])
            row["difference"] = verdict["difference"]
            row["rung"] = str(verdict.get("rung") or "")
            row["tainted"] = taint.of(folder.trial(verdict["stack"])) is not None
        if row.get("outcome", EXPLORED) == EXPLORED and folder.busy:
            row["outcome"] = TUNING
    except (RunError, KeyError, TypeError, AttributeError):
        row["outcome"] = DAMAGED
    return Listed(**row)


def began(path: Path) -> str:
    """When a run began, ISO 8601 in UTC, as its folder's name says."""
    day, clock = path.name[:8], path.name[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
