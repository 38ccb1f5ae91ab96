"""What people said of a run, as a review leaves it in the run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.errors import RunError, several
from trimtab.records import Part
from trimtab.run import RunFolder

FOLDER, SEEN = "review", "review/seen.json"
NEEDED = {
    "corrections": ("example", "messages", "completion", "answer", "stack", "rater"),
    "preferences": ("example", "messages", "chosen", "rejected", "votes", "stacks"),
    "flags": ("example", "stack", "text", "flag", "reason", "rater"),
}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What people saw of a run and said of it.

    Attributes:
        seen: ids of the items that were shown to anyone, by part.
        corrections, preferences, flags: rows of the files of these names.
    """

    seen: Mapping[str, frozenset[str]]
    corrections: Sequence[Mapping[str, Any]]
    preferences: Sequence[Mapping[str, Any]]
    flags: Sequence[Mapping[str, Any]]

    @property
    def corrected(self) -> frozenset[str]:
        """Ids of the items that were corrected."""
        return frozenset(row["example"] for row in self.corrections)

    def wrong(self, parts: Mapping[str, Part]) -> list[str]:
        """What of it cannot be, given the part of each row: a sentence each.

        What people see of confirm decides a verdict: its texts stay where they were judged.
        """
        found = []
        for name in NEEDED:
            rows = getattr(self, name)
            sealed = sorted({row["example"] for row in rows if parts.get(row["example"]) == "confirm"})
            strange = sorted({row["example"] for row in rows} - set(parts))
            if sealed:
                found.append(f"{FOLDER}/{name}.jsonl: rows of confirm, such as {sealed[0]}: {len(sealed)}")
            if strange:
                found.append(
                    f"{FOLDER}/{name}.jsonl: rows of none of the run, such as {strange[0]}: {len(strange)}"
                )
        empty = [row["example"] for row in self.corrections if not str(row["completion"]).strip()]
        if empty:
            found.append(
                f"{FOLDER}/corrections.jsonl: empty corrections, such as of {empty[0]}: {len(empty)}"
            )
        return found


NOTHING = Reviewed({"select": frozenset(), "confirm": frozenset()}, (), (), ())


def read(folder: RunFolder) -> Reviewed:
    """What a review left in a run folder; files of which there is nothing to say may be missing, but for seen.json.

    Raises:
        RunError: there was no review, or a file of it is damaged.
    """
    if not folder.has(SEEN):
        raise RunError(
            f"{folder.path}: nobody has reviewed this run: no {SEEN}",
            f"let people judge it, and close the review: trimtab review {folder.path}",
        )
    content, problems = folder.read(SEEN), []
    seen = {part: frozenset(map(str, content.get(part, ()))) for part in ("select", "confirm")}
    found = {name: folder.rows(f"{FOLDER}/{name}.jsonl") for name in NEEDED}
    for name, rows in found.items():
        for number, row in enumerate(rows, 1):
            lacking = [key for key in NEEDED[name] if key not in row]
            if lacking:
                problems.append(f"{FOLDER}/{name}.jsonl:{number}: no {', '.join(lacking)}")
    if problems:
        raise RunError(
            f"{folder.path}: a damaged review:\n{several(problems)}",
            f"write it again: trimtab review {folder.path} --close",
        )
    return Reviewed(seen, **found)
