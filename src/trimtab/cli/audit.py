"""The verb audit: what is wrong with data, before a model learns it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from trimtab import audit as audits
from trimtab import recipe
from trimtab.audit import examples, fixing, page
from trimtab.audit.groups import pairs
from trimtab.audit.kinds import KINDS
from trimtab.audit.privacy.hiding import Hiding
from trimtab.audit.rows import rows
from trimtab.cli import progress, show, using
from trimtab.document.sections import Section
from trimtab.errors import DataError, UserError
from trimtab.language.text import shortened

app = typer.Typer(rich_markup_mode=None)
_HANG = "    "
KEYS = (
    "language",
    "guidelines",
    "names",
    "meaning",
    "label",
    "stale",
    "model",
    "limit",
    "personal",
    "pairs",
    "on",
    "off",
)
COLUMNS = ("prompt", "completion", "messages", "references", "instruction", "input", "output", "text", "part")


@app.command()
def audit(
    source: Annotated[
        str, typer.Argument(metavar="DATA", help="File of rows, folder of texts, or hub:<dataset>.")
    ],
    *,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page too.")
    ] = None,
    against: using.Against = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            "--use", metavar="KEY=VALUE", help="language, names, meaning, stale and more, or a column."
        ),
    ] = None,
    fix: Annotated[
        Path | None, typer.Option("--fix", metavar="OUT", help="Write a cleaned copy and its ledger.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what --fix would change; write nothing.")
    ] = False,
    undo: Annotated[
        Path | None,
        typer.Option("--undo", metavar="OUT", help="Write the rows before a fix; DATA is its copy."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Say what is wrong with data, before a model learns it.

    DATA is never changed. Rows are counted from 0. What is personal or secret is masked. A finding is no failure: the
    exit code is 0. --use may be given several times: language=en, guidelines=FILE, names=yes (of people; slow),
    meaning=yes (paraphrases, topics, outliers, doubtful labels; slow), label=COLUMN (of labels), stale=2024-01-31 (rows
    of earlier dates), a column as prompt=question; for --fix, rules as on=refusal or off=encoding, and
    personal=pseudonyms for stand-ins that stay the same instead of masks. --fix writes OUT, OUT.ledger.jsonl with a
    line for each change, and OUT.undo.jsonl, from which --undo writes the rows as they were.

    pairs=FILE.jsonl writes prompts that name a group of people beside themselves with groups swapped, for a guard
    with the metric twin_gap. model=NAME finds rows of which that model would not read the end: beyond limit=TOKENS,
    else beyond what training takes by default or the model reads, the lower of the two. Of exact copies the later
    ones are counted; of near copies and conflicts every row.
    """
    if undo is not None:
        return _undone(Path(source), undo, as_json=as_json)
    wish = wanted(use or [], against or [])
    asked = wish.asked
    with progress.live(as_json=as_json) as report:
        found = audits.audit(source, asked, report=report)
    fixed = None
    if fix is not None:
        fixed = fixing.fix(
            rows(source, asked.columns), found.findings, fix, wish.rules, dry_run=dry_run, hiding=wish.hiding
        )
    written = pairs.write(rows(source, asked.columns), wish.pairs, source) if wish.pairs else None
    shown: Mapping[str, tuple[examples.Shown, ...]] = {}
    if html or not as_json:
        shown = examples.examples(source, asked.columns, found.findings)
    if html:
        _write(html, page.page(found, shown))
    if as_json:
        beside = {"fix": fixed, "pairs": written}
        show.document(audits.as_json(found) | {key: value for key, value in beside.items() if value})
    else:
        _print(found, shown)
        if fixed:
            _say(fixed, fix, dry_run=dry_run)
        if written:
            show.line("\n" + show.wrapped(written.said()))
        if html:
            show.line(f"Page: {html}")
    return 0


class Wanted(NamedTuple):
    """What is asked for: what is looked for, the rules of a fix and how it hides people, and a file for pairs."""

    asked: audits.Asked
    rules: tuple[str, ...]
    hiding: Hiding
    pairs: str


def wanted(given: list[str], against: list[str]) -> Wanted:
    """What is asked for, from KEY=VALUE; prompt=question names a column of the source.

    Raises:
        UserError: a key or a value is not known.
        DataError: there is no such rule.
    """
    said = using.pairs(given, KEYS, COLUMNS)
    one = {key: values[-1] for key, values in said.items()}
    asked = audits.Asked(
        columns={key: value for key, value in one.items() if key in COLUMNS},
        language=one.get("language", ""),
        guidelines=one.get("guidelines", ""),
        against=tuple(path for one in against for path in _held(one)),
        names=using.choice(said, "names", ("yes", "no"), "no") == "yes",
        model=one.get("model", ""),
        limit=using.number(said, "limit") or recipe.Data.model_fields["max_tokens"].default,
        meaning=using.choice(said, "meaning", ("yes", "no"), "no") == "yes",
        label=one.get("label", ""),
        stale_before=_day(one["stale"]) if "stale" in one else None,
    )
    hiding = Hiding(using.choice(said, "personal", ("mask", "pseudonyms"), "mask"), names=asked.names)
    rules = fixing.rules(said.get("on", ()), said.get("off", ()))
    return Wanted(asked, rules, hiding, one.get("pairs", ""))


def _held(path: str) -> list[str]:
    """A file of rows as it is; of a recipe the files of its guards."""
    if not path.endswith((".yaml", ".yml")):
        return [path]
    return [guard.suite for guard in recipe.load(path).guards if Path(guard.suite).is_file()]


def _day(value: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError:
        raise UserError(
            f"--use stale: expected a day as YYYY-MM-DD, received {value!r}",
            "write the first day that is not too old, such as stale=2024-01-31",
        ) from None


def _undone(copy: Path, out: Path, *, as_json: bool) -> int:
    count = fixing.undo(copy, out)
    if as_json:
        show.document({"rows": count, "written": str(out)})
    else:
        show.line(f"{count:,} rows as they were: {out}")
    return 0


def _say(fixed: fixing.Fixed, out: Path | None, *, dry_run: bool) -> None:
    changes = ", ".join(f"{rule} {count:,}" for rule, count in fixed.changes.items()) or "nothing"
    said = (
        f"{'Would change' if dry_run else 'Changed'}: {changes}. {fixed.kept:,} of {fixed.rows:,} rows stay."
    )
    show.line("\n" + show.wrapped(said))
    if not dry_run:
        show.line(f"Cleaned copy: {out}\nLedger: {fixed.ledger}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}", "name another file") from None


def _print(found: audits.Audit, shown: Mapping[str, tuple[examples.Shown, ...]]) -> None:
    count = f"{found.rows:,} rows, {found.shape}, {progress.span(found.seconds)}"
    show.line(show.wrapped(f"{found.source}: {count}"))
    if not found.findings:
        show.line("\nNothing was found.")
    for one in found.findings:
        kind = KINDS[one.kind]
        show.line()
        head = f"{kind.title}: {page.extent(one, found.rows)}"
        show.line(show.wrapped(head, indent=_HANG, first=f"{one.severity.upper()}  "))
        show.line(f"{_HANG}{one.kind}")
        for example in shown.get(one.kind, ()):
            for row, text in zip(example.rows, example.excerpts, strict=True):
                note = f" ({example.note})" if example.note and row == example.rows[0] else ""
                show.line(shortened(f"{_HANG}row {row}{note}: {text}", show.WIDTH))
        show.line(show.wrapped(kind.harm, indent=_HANG + "      ", first=f"{_HANG}Harm: "))
        show.line(show.wrapped(kind.remedy, indent=_HANG + "     ", first=f"{_HANG}Fix: "))
    for section in found.sections:
        _tell(section)
    if found.not_looked_at:
        show.line("\nNot looked at:")
        for text in found.not_looked_at:
            show.line(show.wrapped(text, indent="    ", first="  - "))


def _tell(section: Section) -> None:
    show.line(f"\n{section.title}")
    for text in section.said:
        show.line(show.wrapped(text, indent=_HANG))
    for table in section.tables:
        show.line(show.wrapped(f"{table.caption}:", indent=_HANG))
        show.table(table.head, table.rows, numbers=range(1, len(table.head)), indent=_HANG)
