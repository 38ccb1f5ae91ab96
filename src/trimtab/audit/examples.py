"""Excerpts of the rows that a finding names, with what is personal or secret masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trimtab.audit.checks import secrets
from trimtab.audit.findings import Finding, Row, Side, Span, Text
from trimtab.audit.privacy.columns import cells
from trimtab.audit.provenance import FIELDS
from trimtab.audit.rows import rows
from trimtab.document.masking import mask as mask_numbers
from trimtab.document.masking import printable
from trimtab.language.personal.found import Found, settle
from trimtab.language.personal.scan import patterns

SHOWN = 3
# Kinds whose spans are the very thing to hide.
_HIDDEN = ("personal_data", "secret")
# Kinds that are told by what is asked, where a row asks anything.
_ASKED = ("same_meaning", "outlier_meaning", "label_noise", "thin_topic")
_READ = 20_000
_BEFORE, _LENGTH = 24, 220


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of a finding, or several that belong together: their numbers, a note, and an excerpt of each."""

    rows: tuple[int, ...]
    note: str
    excerpts: tuple[str, ...]


def examples(
    source: str, columns: Mapping[str, str], findings: Sequence[Finding], count: int = SHOWN
) -> dict[str, tuple[Shown, ...]]:
    """The first examples of each finding, by kind; the source is read again up to the last row that is needed.

    What rows do not say of where they come from has no examples: their texts show nothing of it.

    Raises:
        DataError: the source cannot be read any more.
    """
    wanted = {one.kind: _chosen(one, count) for one in findings}
    numbers = {row for groups in wanted.values() for group in groups for row in group}
    named = {row.number: row for row in rows(source, columns, sorted(numbers))}
    found = {}
    for one in findings:
        spans = _spans(one.spans, numbers)
        found[one.kind] = tuple(
            _shown(
                group,
                printable(one.notes.get(group[0], "")),
                tuple(_excerpt(named[row], spans.get(row, ()), one.kind) for row in group),
            )
            for group in wanted[one.kind]
            if all(row in named for row in group)
        )
    return found


def _shown(rows: tuple[int, ...], note: str, excerpts: tuple[str, ...]) -> Shown:
    """An example; where a row has no text, its excerpt is the problem, and need not be said twice."""
    return Shown(rows, "" if excerpts[0].startswith(note) else note, excerpts)


def _chosen(finding: Finding, count: int) -> list[tuple[int, ...]]:
    if finding.kind in FIELDS:
        return []
    if finding.groups:
        return [group[:2] for group in finding.groups[:count]]
    return [(row,) for row in finding.rows[:count]]


def _spans(spans: Iterable[Span], numbers: set[int]) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = {}
    for span in spans:
        if span.row in numbers:
            found.setdefault(span.row, []).append(span)
    return found


def _excerpt(row: Row, spans: Sequence[Span], kind: str) -> str:
    return excerpt(row, spans, hide=kind in _HIDDEN, side="prompt" if kind in _ASKED else "answer")


def excerpt(row: Row, spans: Sequence[Span] = (), *, hide: bool = False, side: Side = "answer") -> str:
    """Some of a row in one line: around its first span, else of one side; personal data and secrets masked.

    Args:
        hide: what the spans stand at is itself hidden.
        side: what is shown where there is no span and the row has such a text.
    """
    first = min(spans, key=lambda span: span.start, default=None)
    text = _text(row, first, side)
    if text is None:
        return printable(row.problem.removeprefix(row.place).lstrip(": "))[:_LENGTH]
    own = [span for span in spans if span.field == text.field]
    at = max(0, first.start - _READ // 2) if first else 0
    pieces = _masked(text.text[at : at + _READ], own if hide else (), at)
    shown, place = "", 0
    for begin, piece in pieces:
        if first and begin <= first.start:
            place = len(shown) + (first.start - begin if len(piece) > first.start - begin else 0)
        shown += piece
    begin = max(0, place - _BEFORE) if place > 2 * _BEFORE else 0
    cut = " ".join(printable(shown[begin : begin + _LENGTH]).split())
    return ("…" if begin or at else "") + cut + ("…" if begin + _LENGTH < len(shown) else "")


def _text(row: Row, span: Span | None, side: Side) -> Text | None:
    if span:
        return next((text for text in (*row.texts, *cells(row)) if text.field == span.field), None)
    held = [text for text in row.texts if text.side == side and text.text.strip()]
    # A column that no model reads may hold the very facts that single a person out.
    read = [text for text in row.texts if text.side != "other"]
    return next(iter(held or read or row.texts), None)


def _masked(text: str, spans: Sequence[Span], at: int) -> list[tuple[int, str]]:
    """A text, which begins at a place of its field, as pieces with their places, what is to be hidden masked."""
    found = [Found(span.start - at, span.end - at, span.type, 1.0) for span in spans if span.start >= at]
    found += [Found(start, end, what, 1.0) for start, end, what in secrets.found(text)]
    found += patterns(text)
    pieces: list[tuple[int, str]] = []
    reached = 0
    for one in settle(found):
        pieces += [(at + reached, mask_numbers(text[reached : one.start])), (at + one.start, f"[{one.type}]")]
        reached = one.end
    return [*pieces, (at + reached, mask_numbers(text[reached:]))]
