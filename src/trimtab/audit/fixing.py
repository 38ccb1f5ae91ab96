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
from trimtab.audit.findings import Finding, Row, Text
from trimtab.audit.kinds import KINDS
from trimtab.audit.privacy.columns import cells
from trimtab.audit.privacy.detect import KIND as PERSONAL
from trimtab.audit.privacy.hiding import Hide, Hiding
from trimtab.errors import DataError

LEDGER, UNDO = ".ledger.jsonl", ".undo.jsonl"
_PLACE = re.compile(r"\[(\d+)\]")
COPIES = ("exact_duplicate", "near_duplicate")
DROPS = (*DROPPED, *COPIES)
# Left to people unless asked for: whether a model should refuse here, and which of two like rows is the better one.
ASKED_FOR = ("refusal", "filler", "near_duplicate")
RULES = tuple(name for name in (*MENDED, PERSONAL, *DROPS) if name in KINDS)
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
    hiding: Hiding | None = None,
) -> Fixed:
    """Write a cleaned copy of rows, its ledger, and what undoes it; whole or not at all.

    Args:
        rows: the source again, in the order in which it was audited.
        chosen: rules that may change something; what no rule found stays as it is.
        hiding: how personal data gives way; masked unless said otherwise.

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
    hiding = hiding or Hiding()
    seen = kept = 0
    names = (out, Path(f"{out}{LEDGER}"), Path(f"{out}{UNDO}"))
    with contextlib.ExitStack() as stack:
        files = None if dry_run else [stack.enter_context(replacing(name)) for name in names]
        write = writer(files[0], out) if files else None
        for row in rows:
            after, changes = fixed(row, found.get(row.number, frozenset()), hiding)
            counts.update(change.rule for change in changes)
            seen, kept = seen + 1, kept + (after is not None)
            if files and write:
                if after is not None:
                    write(after)
                files[1].writelines(line(dataclasses.asdict(change)) for change in changes)
                if changes:
                    files[2].write(line({"row": row.number, "kept": after is not None, "was": row.raw}))
    return Fixed(seen, kept, dict(counts), "" if dry_run else str(names[1]))


def fixed(
    row: Row, kinds: Collection[str], hiding: Hiding | None = None
) -> tuple[dict[str, Any] | None, list[Change]]:
    """A row as it is after the rules that found something in it, None where it is left out; and what was changed."""
    if dropping := [name for name in DROPS if name in kinds]:
        whole = _hash(json.dumps(row.raw, sort_keys=True, ensure_ascii=False))
        rule = dropping[0]
        return None, [Change(row.number, row.place, rule, "left out", "", whole, "", KINDS[rule].title)]
    after: dict[str, Any] = json.loads(json.dumps(row.raw, ensure_ascii=False, default=str))
    changes = []
    mends: dict[str, tuple[Hide, str]] = {
        rule: (_alone(mend), KINDS[rule].title) for rule, mend in MENDED.items() if rule in kinds
    }
    extra: list[Text] = []
    if PERSONAL in kinds:
        hiding = hiding or Hiding()
        mends[PERSONAL] = hiding.within(row), f"{KINDS[PERSONAL].title}: {hiding.said}"
        known = {text.field for text in row.texts}
        extra = [cell for cell in cells(row) if cell.field not in known]
    everywhere = tuple(mends)
    for text, wanted in (
        *((text, everywhere) for text in row.texts),
        *((cell, (PERSONAL,)) for cell in extra),
    ):
        left = text.text
        for rule in wanted:
            mend, said = mends[rule]
            mended = mend(text, left)
            if mended != left:
                hashes = _hash(left), _hash(mended)
                changes.append(Change(row.number, row.place, rule, "mended", text.field, *hashes, said))
                left = mended
        if left != text.text:
            _put(after, text.field, left)
    return (after, changes) if changes else (dict(row.raw), [])


def _alone(mend: Callable[[str], str]) -> Hide:
    return lambda text, now: mend(now)


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


def _put(inner: Any, field: str, text: str) -> bool:
    """Set a text by its field, such as messages[2].content, also where a name holds a dot; whether there is one."""
    if isinstance(inner, list):
        place = _PLACE.match(field)
        steps = [(int(place[1]), field[place.end() :])] if place else []
    else:
        steps = [(name, field.removeprefix(name)) for name in inner if field.startswith(name)]
    for step, rest in steps:
        if not rest:
            inner[step] = text
            return True
        deeper = inner[step]
        if rest[0] in ".[" and isinstance(deeper, dict | list) and _put(deeper, rest.removeprefix("."), text):
            return True
    return False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
