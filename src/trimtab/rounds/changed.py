"""What a round changed on select: kinds of failure of the round before, and answers that people flagged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab.document import write_report
from trimtab.errors import MissingPart, RunError, StatisticsError
from trimtab.previous import FACTS
from trimtab.probe.deviations import comparing, items
from trimtab.probe.parts import failures
from trimtab.recipe import load as load_recipe
from trimtab.records import plain
from trimtab.rounds.flagged import came_again
from trimtab.run import RunFolder


def compare(folder: RunFolder) -> Mapping[str, Any]:
    """What became of the failures of the round before, added to the run's record and its report; made once.

    Items count that both runs have in select: neither was fitted on them. What cannot be compared is said.

    Returns:
        What round.json holds; empty for a run that goes on from no other.
    """
    if not folder.has(FACTS):
        return {}
    content: dict[str, Any] = folder.read(FACTS)
    if "failures" not in content:
        recipe = load_recipe(folder.path / "recipe.yaml")
        place = Path(recipe.round.folder)
        content |= {
            "again": _again(folder, place),
            "failures": _failures(folder, RunFolder(place.parent), recipe.seed),
        }
        folder.write(FACTS, content)
        write_report(folder)
    return content


def _again(folder: RunFolder, place: Path) -> dict[str, int]:
    """How many flagged answers were asked for again on select, and how many came again."""
    answers: dict[str, list[str]] = {}
    for row in folder.rows(f"trials/{folder.verdict().stack}/outputs.jsonl"):
        answers.setdefault(row["example"], []).append(row["text"])
    flagged = [row for row in RunFolder(place).rows("regressions.jsonl") if row["example"] in answers]
    came = sum(any(came_again(row["rejected"], one) for one in answers[row["example"]]) for row in flagged)
    return {"asked": len(flagged), "came": came}


def _failures(now: RunFolder, before: RunFolder, seed: int) -> dict[str, Any]:
    """The fate of each kind of failure of the run before, by the bar that its items had to reach."""
    try:
        known, bars = items.of_run(before, before.verdict().stack)
        own, own_bars = items.of_run(now, now.verdict().stack, threshold=bars[0].threshold)
        both = {item.id for item in known} & {item.id for item in own}
        earlier, later = (
            failures([item for item in side if item.id in both], of, seed)
            for side, of in ((known, bars), (own, own_bars))
        )
        fates = comparing.compared(earlier, later)
    except (RunError, StatisticsError, MissingPart) as error:
        return {"undefined": error.message}
    return {
        "items": len(both),
        "before": plain(earlier.failing),
        "now": plain(later.failing),
        "fates": plain(fates),
    }
