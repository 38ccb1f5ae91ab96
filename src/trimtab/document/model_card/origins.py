"""Where it comes from: rows and their licences, guidelines, the round before, and what it was made with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from trimtab import licences, lineage
from trimtab.document import rounds, tables
from trimtab.document.figures import known, moment
from trimtab.document.model_card.facts import Facts, shown, undeclared, unknown
from trimtab.document.sections import Row, Section, Table
from trimtab.previous import FACTS
from trimtab.run import verdict_from

MOST = 10


def data(facts: Facts) -> Section:
    """The rows that it learned from: how many, whose, under which licences.

    Raises:
        RunError: the run's lineage is damaged.
    """
    found, origins = facts.data, facts.data.get("origins") or {}
    rows = lineage.rows(facts.record.folder)
    counts = Counter(row.part for row in rows)
    erased = sum(bool(row.erased) for row in rows)
    missing = unknown("this run was made before it was recorded; tune again")
    people = origins.get("subjects")
    table: tuple[Row, ...] = (
        ("data", shown(found.get("source")) or missing),
        ("version: hash of the rows", str(found.get("hash") or missing)),
        ("rows", f"{found['rows']:,}" if known(found.get("rows")) else missing),
        ("rows learned from (tune)", f"{origins['rows']:,}" if origins else missing),
        ("rows made of them", f"{counts[lineage.AUGMENTED]:,}"),
        ("people whom rows learned from are about", f"{people:,}" if known(people) else missing),
        ("rows erased since", f"{erased:,}"),
        ("sources", _counted(origins, "source", "source") if origins else missing),
        ("consent", _consent(origins) if origins else missing),
        ("days of collection", _days(origins) if origins else missing),
    )
    found_tables = (
        Table("Rows", ("what", "value"), table),
        Table("Licences", ("what", "licence"), _licences(facts)),
    )
    told = {
        "origins": origins,
        "erased": erased,
        "base_licence": facts.base_licence,
        "licence": facts.licence,
    }
    said = (
        "This is what the rows say themselves; whether it is so was not looked into. A licence of rows may bind what "
        "is made of them."
    )
    return Section("data", "Data and licences", (said,), found_tables, told)


def rules(facts: Facts) -> Section:
    """The guidelines that were in force."""
    found = facts.guidelines
    if not found:
        return Section("guidelines", "Guidelines", ("The run had no guidelines.",))
    missing = unknown("say it in the guidelines")
    rows: tuple[Row, ...] = (
        ("version", shown(found.get("version"))),
        ("decided on", shown(found.get("date")) or missing),
        ("to be looked at again by", shown(found.get("review_by")) or missing),
        ("rules", f"{found.get('rules', 0)}"),
    )
    return Section(
        "guidelines", "Guidelines", (), (Table("The rules in force", ("what", "value"), rows),), found
    )


def changes(facts: Facts) -> Section:
    """What is other than in the run that this one goes on from.

    Raises:
        RunError: round.json is damaged.
    """
    folder = facts.record.folder
    if not folder.has(FACTS):
        return Section(
            "changes", "Changes", ("This run goes on from no other: there is no version before it.",)
        )
    content = folder.read(FACTS)
    before = verdict_from(content["verdict"])
    found = tuple(table for table in rounds.changes(facts.record, content, before) if table.rows)
    said = (f"Round {content['number']}, after run {content['run']}.",)
    kept = {name: content[name] for name in ("number", "run", "moved", "corrections") if name in content}
    return Section("changes", "Changes since the round before", said, found, kept)


def environment(facts: Facts) -> Section:
    """Seeds, versions and machine, as recorded."""
    record = facts.record
    finished = moment(record.provenance.get("finished")) or unknown("the run recorded no end")
    found = tables.provenance(record)
    return Section(
        "environment",
        "Environment, seeds and versions",
        (f"Finished: {finished}.",),
        (found,) if found.rows else (),
    )


def _counted(origins: Mapping[str, Any], name: str, column: str) -> str:
    """Values with their rows, the ten with most of them, and how many rows say none."""
    values = origins.get(name) or {}
    if not values:
        return unknown(f"fill the column {column}")
    listed = list(values.items())
    said = [f"{shown(value)} ({count:,})" for value, count in listed[:MOST]]
    said += [f"and {len(listed) - MOST:,} more"] if len(listed) > MOST else []
    left = origins["rows"] - sum(values.values())
    said += [f"not said or not listed ({left:,})"] if left > 0 else []
    return ", ".join(said)


def _consent(origins: Mapping[str, Any]) -> str:
    return (
        _counted(origins, "consent", "consent") if origins["subjects"] else "not asked: no row names a person"
    )


def _days(origins: Mapping[str, Any]) -> str:
    return " to ".join(map(shown, origins["days"])) or unknown("fill the column collected_at")


def _licences(facts: Facts) -> tuple[Row, ...]:
    origins = facts.data.get("origins") or {}
    said = origins.get("licence") or {}
    whole = licences.of_rows(said, origins.get("rows", 0))
    rows = [
        ("what is released", facts.licence if facts.declared.licence else undeclared("licence")),
        ("base model", facts.base_licence or undeclared("licence of the base model")),
        ("rows learned from, as they say it", _counted(origins, "licence", "licence")),
        ("rows learned from, in one word", whole if said else unknown("fill the column licence")),
    ]
    return tuple(rows)
