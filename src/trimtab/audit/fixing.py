"""A cleaned copy of a data set: what is mended and what is left out, each with its line in a ledger, and the way back.

    OUT                  the cleaned rows
    OUT.ledger.jsonl     a line for each change: row, rule, action, field, hashes before and after, reason; no text
    OUT.undo.jsonl       the rows as they were that were changed or left out; it holds what the copy no longer does

The source itself is never written to. Nothing is changed or left out without its line in the ledger.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trimtab.audit.checks import DROPPED, MENDED
from trimtab.audit.copies import ENDINGS, line, read, replacing, writer
from trimtab.audit.findings import Finding, Row
from trimtab.audit.kinds import KINDS
from trimtab.audit.privacy import masking
from trimtab.audit.privacy.detect import patterns
from trimtab.errors import DataError

LEDGER, UNDO = ".ledger.jsonl", ".undo.jsonl"
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def _without_personal_data(text: str) -> str:
    return masking.mask(text, patterns(text))


MENDS: Mapping[str, Callable[[str], str]] = {**MENDED, "personal_data": _without_personal_data}
COPIES = ("exact_duplicate", "near_duplicate")
DROPS = (*DROPPED, *COPIES)
# Left to people unless asked for: whether a model should refuse here, and which of two like rows is the better one.
ASKED_FOR = ("refusal", "filler", "near_duplicate")
RULES = tuple(name for name in (*MENDS, *DROPS) if name in KINDS)
USUAL = tuple(name for name in RULES if name not in ASKED_FOR)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the ledger. `before` and `after` are SHA-256 of a text, or of a row that is left out; "" for none."""

    row: int
    place: str
    rule: str
    action: Literal["mended", "left out"]
    field: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a fix did, or would do: rows seen and kept, changes by rule, and the ledger's path; "" for a dry run."""

    rows: int
    kept: int
    changes: Mapping[str, int]
    ledger: str


def rules(on: Iterable[str] = (), off: Iterable[str] = ()) -> tuple[str, ...]:
    """The usual rules, with some turned on or off.

    Raises:
        DataError: there is no such rule.
    """
    wanted, unwanted = tuple(on), tuple(off)
    if unknown := [name for name in (*wanted, *unwanted) if name not in RULES]:
        raise DataError(
            f"fix: no rule {', '.join(unknown)}; rules are {', '.join(RULES)}", "name one of them"
        )
    return tuple(name for name in RULES if name not in unwanted and (name in USUAL or name in wanted))


def fix(
    rows: Iterable[Row],
    findings: Sequence[Finding],
    out: Path,
    chosen: Collection[str],
    *,
    dry_run: bool = False,
) -> Fixed:
    """Write a cleaned copy of rows, its ledger, and what undoes it; whole or not at all.

    Args:
        rows: the source again, in the order in which it was audited.
        chosen: rules that may change something; what no rule found stays as it is.

    Raises:
        DataError: the ending of `out` is none of .jsonl, .csv, .tsv; it is there already; it cannot be written.
    """
    _writable(out)
    found: dict[int, set[str]] = {}
    for finding in findings:
        if finding.kind in chosen:
            # Of rows that are alike the first one of each group stays.
            firsts = {group[0] for group in finding.groups} if finding.kind in COPIES else set()
            for number in sorted(set(finding.rows) - firsts):
                found.setdefault(number, set()).add(finding.kind)
    counts: Counter[str] = Counter()
    seen = kept = 0
    names = (out, Path(f"{out}{LEDGER}"), Path(f"{out}{UNDO}"))
    with contextlib.ExitStack() as stack:
        files = None if dry_run else [stack.enter_context(replacing(name)) for name in names]
        write = writer(files[0], out) if files else None
        for row in rows:
            after, changes = fixed(row, found.get(row.number, frozenset()))
            counts.update(change.rule for change in changes)
            seen, kept = seen + 1, kept + (after is not None)
            if files and write:
                if after is not None:
                    write(after)
                files[1].writelines(line(dataclasses.asdict(change)) for change in changes)
                if changes:
                    files[2].write(line({"row": row.number, "kept": after is not None, "was": row.raw}))
    return Fixed(seen, kept, dict(counts), "" if dry_run else str(names[1]))


def fixed(row: Row, kinds: Collection[str]) -> tuple[dict[str, Any] | None, list[Change]]:
    """A row as it is after the rules that found something in it, None where it is left out; and what was changed."""
    if dropping := [name for name in DROPS if name in kinds]:
        whole = _hash(json.dumps(row.raw, sort_keys=True, ensure_ascii=False))
        rule = dropping[0]
        return None, [Change(row.number, row.place, rule, "left out", "", whole, "", KINDS[rule].title)]
    after: dict[str, Any] = json.loads(json.dumps(row.raw, ensure_ascii=False, default=str))
    changes = []
    for text in row.texts:
        left = text.text
        for rule in (name for name in MENDS if name in kinds):
            mended = MENDS[rule](left)
            if mended != left:
                said = KINDS[rule].title
                change = Change(
                    row.number, row.place, rule, "mended", text.field, _hash(left), _hash(mended), said
                )
                changes.append(change)
                left = mended
        if left != text.text:
            _put(after, text.field, left)
    return (after, changes) if changes else (dict(row.raw), [])


def undo(out: Path, target: Path) -> int:
    """Write the rows as they were before a fix, from its copy and what undoes it; returns how many rows.

    Rows that could not be read at all are not among them: they stand in the source alone.

    Raises:
        DataError: the copy has no undo beside it; `target` is there already; its ending is unknown.
    """
    known = Path(f"{out}{UNDO}")
    if not known.is_file():
        raise DataError(f"{known}: no such file", f"name a copy that `trimtab audit --fix` wrote: {out}?")
    _writable(target)
    with known.open(encoding="utf-8") as lines:
        before = {entry["row"]: entry for entry in map(json.loads, lines)}
    left = read(out)
    written = number = 0
    with replacing(target) as file:
        write = writer(file, target)
        while True:
            entry = before.pop(number, None)
            row = next(left, None) if entry is None or entry["kept"] else {}
            if row is None and entry is None and not before:
                return written
            if was := entry["was"] if entry else row:
                write(was)
                written += 1
            number += 1


def _writable(out: Path) -> None:
    if out.suffix not in ENDINGS:
        raise DataError(
            f"{out}: expected a name ending in {', '.join(ENDINGS)}, received {out.suffix or 'no ending'}",
            "name the cleaned copy, such as clean.jsonl",
        )
    if out.exists():
        raise DataError(
            f"{out}: is there already", "name a file that is not there yet; the source is never changed"
        )


def _put(row: dict[str, Any], field: str, text: str) -> None:
    """Set a text by its field, such as messages[2].content."""
    steps: list[Any] = (
        [name or int(place) for name, place in _STEP.findall(field)] if field not in row else [field]
    )
    inner: Any = row
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = text


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
