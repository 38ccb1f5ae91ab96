"""Checks of an audit that look at one row at a time, the settling of what they found, and figures of a whole set.

A row check is a function, or a small object that can be sent to a worker process, from a row to its hits. Adding one:
write it in the module of its family, list it in `ROW_CHECKS`, and describe its kind in `audit/kinds.py`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized

from trimtab.audit.checks import assistant, characters, conduct, encoding, markup, replies, secrets, shape
from trimtab.audit.checks.conduct import Guideline
from trimtab.audit.checks.dates import Stale
from trimtab.audit.checks.languages import Language, majority
from trimtab.audit.findings import Hit, Row, RowCheck

__all__ = ["DROPPED", "MENDED", "ROW_CHECKS", "Guideline", "Language", "Stale", "chosen", "settle"]

ROW_CHECKS: tuple[RowCheck, ...] = (
    shape.broken,
    shape.roles,
    replies.empty,
    replies.short,
    encoding.encoding,
    encoding.lost,
    characters.control,
    characters.invisible,
    markup.remains,
    markup.boilerplate,
    markup.turns,
    assistant.refusal,
    assistant.filler,
    conduct.toxicity,
    secrets.secrets,
)
"""What needs neither a setting nor another row."""

MENDED: Mapping[str, Callable[[str], str]] = {
    "encoding": encoding.mended,
    "control_character": characters.without_control,
    "invisible_character": characters.without_invisible,
    "html_remains": markup.without_markup,
    "secret": secrets.masked,
}
"""Rules of `--fix` that change a text, by kind; each returns its text where there is nothing to mend."""

DROPPED = ("broken_shape", "wrong_roles", "empty_answer", "refusal", "filler")
"""Rules of `--fix` that leave a row out, by kind."""

# Kinds of which a few rows are faults, and most rows are what the set is about.
NORMAL = {"short_answer": 0.2, "refusal": 0.5, "toxicity": 0.5, "language": 0.5, "boilerplate": 0.5}


def chosen(
    sample: Iterable[Row] = (),
    *,
    language: str = "",
    guidelines: str = "",
    stale_before: datetime.date | None = None,
) -> tuple[RowCheck, ...]:
    """The row checks of an audit.

    Args:
        sample: some hundred rows, from which the language is taken where none is declared.
        language: ISO 639-1 code that the set is declared to be in.
        guidelines: path of a file of guidelines; empty for none.
        stale_before: rows with an earlier date are stale; None: no date is too old.

    Raises:
        GuidelinesError: the file of guidelines has a problem.
        MissingPart: py3langid is not installed.
    """
    found: list[RowCheck] = [*ROW_CHECKS, Language(language or majority(sample))]
    if guidelines:
        found.append(Guideline.load(guidelines))
    if stale_before:
        found.append(Stale(stale_before))
    return tuple(found)


def settle(hits: Sequence[Hit], rows: Sized | int) -> list[Hit]:
    """Hits without those that are no fault in this set, because so many of its rows are like that.

    Args:
        hits: of all row checks, over all rows.
        rows: the rows, or how many there are.
    """
    count = rows if isinstance(rows, int) else len(rows)
    concerned: dict[str, set[int]] = {kind: set() for kind in NORMAL}
    for hit in hits:
        if hit.kind in concerned:
            concerned[hit.kind].add(hit.row)
    normal = {kind for kind, found in concerned.items() if len(found) > NORMAL[kind] * count}
    short = "short_answer" in normal
    return [
        hit
        for hit in hits
        if hit.kind not in normal
        and not (short and hit.kind == "empty_answer" and hit.note == replies.PLACEHOLDER)
    ]
