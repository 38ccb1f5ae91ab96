"""What a round takes over from the one before it: where rows stand, what people corrected, how it ended.

It lies in a folder of that run, which `trimtab tune --from RUN` writes and `round.folder` of a recipe names, so that a
round is a recipe like any other, whatever is said in the review afterwards:

    runs/<time>-<hash>/round-<number>-<hash>/
      recipe.yaml  round.json              the recipe of the round; how the round before it ended, and counts
      rows.jsonl  corrections.jsonl        where each row stands, and why; every correction so far
      live.jsonl                           what users corrected or liked of live answers, where that is learned
      preferences.jsonl                    which of two answers people prefer, as rows of prompt, chosen and rejected
      regressions.jsonl                    what people flagged, and what it answered
      guidelines.proposed.yaml             a rule for phrases that recur in what they flagged, where there are any
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trimtab.data.split import content_key, prompt_key
from trimtab.errors import RunError
from trimtab.lineage import ORIGINAL
from trimtab.records import Example, Message, Part, content_hash
from trimtab.run import read_json, read_rows

FACTS, ROWS, CORRECTIONS = "round.json", "rows.jsonl", "corrections.jsonl"
LIVE = "live.jsonl"
PROPOSED = "guidelines.proposed.yaml"
# What of the facts holds phrases of rows: those that recur, and the names of kinds of failure.
PHRASES = ("proposed", "failures")
SOURCE, OF_USERS = "correction", "feedback"


@dataclass(frozen=True, slots=True)
class Previous:
    """What a round knows of the round before it.

    Attributes:
        parts: where rows stand, by id. A row that is not among them is new.
        corrections: what people wrote in place of an answer, by the id of the row.
        facts: what round.json holds: the number of this round, and how the one before it ended.
        live: rows of users' answers, which are tuned on and prove nothing.
    """

    parts: Mapping[str, Part]
    corrections: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, Any]
    live: tuple[Example, ...] = ()

    @property
    def content(self) -> str:
        """Hash of what it decides, wherever it lies."""
        live = [[one.id, one.prompt, one.references] for one in self.live]
        return content_hash([self.parts, self.corrections, *([live] if live else [])])

    def settled(self, confirm: Literal["kept", "fresh"]) -> Mapping[str, Part]:
        """Where rows stand, by id; with `fresh`, those that were sealed so far are tuned on."""
        if confirm == "kept":
            return self.parts
        return {name: "tune" if part == "confirm" else part for name, part in self.parts.items()}

    def learned(self, tune: Sequence[Example], how: Literal["instead", "beside"]) -> list[Example]:
        """The rows of tune, with what people wrote as good answers of those that they corrected.

        how: in place of a row's own references, or before them.
        """
        return [self._corrected(example, how) for example in tune]

    def joined(self, others: Sequence[Example]) -> list[Example]:
        """Rows of users' answers, without those that ask what rows of the other parts do: they came in since."""
        held = {prompt_key(example) for example in others}
        return [example for example in self.live if prompt_key(example) not in held]

    def _corrected(self, example: Example, how: Literal["instead", "beside"]) -> Example:
        written = self.corrections.get(example.id, ())
        if not written:
            return example
        own = example.references if how == "beside" else ()
        fields = {**example.fields, ORIGINAL: content_key(example)}
        references = tuple(dict.fromkeys((*written, *own)))
        return dataclasses.replace(example, references=references, source=SOURCE, fields=fields)


def read(folder: Path | str) -> Previous:
    """What lies in a round's folder.

    Raises:
        RunError: it is missing or damaged.
    """
    folder = Path(folder)
    if not (folder / FACTS).is_file():
        raise RunError(
            f"round.folder {folder}: not a folder of a round", "write one with: trimtab tune --from RUN"
        )
    corrections: dict[str, list[str]] = defaultdict(list)
    try:
        for row in read_rows(folder / CORRECTIONS):
            corrections[row["example"]].append(row["completion"])
        parts = {row["example"]: row["part"] for row in read_rows(folder / ROWS)}
    except (KeyError, TypeError) as error:
        raise RunError(f"{folder}: damaged: no {error}", "write it again: trimtab tune --from RUN") from None
    written = {name: tuple(dict.fromkeys(texts)) for name, texts in corrections.items()}
    live = tuple(map(_of_users, read_rows(folder / LIVE))) if (folder / LIVE).is_file() else ()
    return Previous(parts, written, read_json(folder / FACTS), live)


def live_row(example: Example) -> dict[str, Any]:
    """A row of a user's answer as `LIVE` has it; a file of this shape can be audited and read as data."""
    return {
        "id": example.id,
        "prompt": example.prompt,
        "completion": example.references[0],
        "references": list(example.references),
        "subject": example.subject,
        "source": example.source,
        "collected_at": example.collected_at,
        "instruction": example.fields.get("instruction", ""),
    }


def _of_users(row: Mapping[str, Any]) -> Example:
    try:
        return Example(
            (Message("user", row["prompt"]),),
            tuple(row["references"]),
            id=row["id"],
            source=row["source"],
            subject=row["subject"],
            fields={"instruction": row["instruction"]} if row["instruction"] else {},
            collected_at=row["collected_at"],
        )
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{LIVE}: damaged: no {error}", "write it again: trimtab watch RUN --use next=yes"
        ) from None
