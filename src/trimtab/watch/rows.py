"""One answer that was given, as traffic is recorded, and the rows of a run that were answered the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trimtab.errors import RunError
from trimtab.run import RunFolder


@dataclass(frozen=True, slots=True)
class Traffic:
    """One question and its answer.

    Attributes:
        time: when it was answered, ISO 8601; empty where it is not known.
        prompt: what the user said last.
        confidence: in [0, 1], None where the stack gives none.
        fired: ids of the rules that changed the answer.
        stack: hash of the stack that answered.
    """

    time: str
    prompt: str
    answer: str
    confidence: float | None = None
    fired: tuple[str, ...] = ()
    stack: str = ""


def rows_of(folder: RunFolder, stack: str) -> list[Traffic]:
    """What a stack of a run answered on select: one answer an item, of its first seed, so that rows are independent.

    Answers on confirm are never kept, so that they can be no baseline.

    Raises:
        RunError: the run has no answers of this stack.
    """
    asked = {row["id"]: _asked(row) for row in folder.rows("examples.jsonl")}
    first: dict[str, dict[str, Any]] = {}
    for row in folder.rows(f"trials/{stack}/outputs.jsonl") if stack else []:
        first.setdefault(row["example"], row)
    found = [
        Traffic("", asked[name], str(row["text"]), row["confidence"], tuple(row["fired"]), stack)
        for name, row in first.items()
        if name in asked
    ]
    if not found:
        raise RunError(
            f"{folder.path}: no answers of stack {stack or '(none)'} on select",
            "name a stack of trials/ that has outputs.jsonl, or take a baseline from traffic",
        )
    return found


def _asked(row: dict[str, Any]) -> str:
    texts = [turn["content"] for turn in row.get("messages") or () if turn["role"] == "user"]
    return str(texts[-1]) if texts else ""
