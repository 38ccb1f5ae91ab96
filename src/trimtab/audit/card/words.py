"""The sentences that README.md and croissant.json share, and what each says when a fact is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from trimtab import __version__
from trimtab.audit.card.facts import Facts
from trimtab.audit.kinds import KINDS
from trimtab.audit.provenance import people_are

# What is lacking: the column that says it of each row, or the key of --use that says it of the set.
COLUMNS: Mapping[str, str] = {
    "licence": "licence",
    "source": "source",
    "consent": "consent",
    "days of collection": "collected_at",
}
KEYS: Mapping[str, str] = {
    "description": "description=TEXT",
    "creator": "creator=NAME",
    "intended use": "uses=TEXT",
    "language": "language=CODE",
    "version": "version=1.0.0",
    "day of publication": "published=YYYY-MM-DD",
    "citation": "citation=TEXT",
    "address": "url=ADDRESS",
}
PERSONAL = ("personal_data", "secret")


def rows(count: int) -> str:
    """A number of rows: 1 row, 2 rows."""
    return f"{count:,} row{'s' if count != 1 else ''}"


def summary(facts: Facts) -> str:
    """What the set is, in a sentence, as far as the audit knows."""
    language = f" in the language {facts.found.language}" if facts.found.language else ""
    files = (
        f"{len(facts.files):,} files of the folder {facts.source.name}"
        if facts.source.is_dir()
        else facts.source.name
    )
    return f"{rows(facts.found.rows)} of the shape {facts.found.shape}{language}, from {files}."


def unsaid(facts: Facts) -> dict[str, int]:
    """Rows that do not say a fact of where they come from, by fact; consent is asked of rows that name a person."""
    found = facts.found
    kinds = {
        **({"licence": "missing_licence"} if facts.origins.get("licence") or not facts.licences else {}),
        "source": "missing_source",
        "consent": "missing_consent",
        "days of collection": "missing_date",
    }
    return {name: one.count for name, kind in kinds.items() if (one := found.of(kind))}


def missing(facts: Facts) -> list[str]:
    """The facts that nothing says: of no row, or of the set as a whole."""
    counts = unsaid(facts)
    lacking = [name for name in COLUMNS if counts.get(name, 0) == facts.found.rows]
    said = {
        "description": facts.declared.description,
        "creator": facts.declared.creator,
        "intended use": facts.declared.uses,
        "language": facts.found.language,
        "version": facts.declared.version,
        "day of publication": facts.declared.published,
        "citation": facts.declared.citation,
        "address": facts.declared.url,
    }
    return lacking + [name for name in KEYS if not said[name]]


def collection(facts: Facts) -> str:
    """Where the rows come from, in a sentence; empty where no row says it."""
    sources = facts.origins.get("source", {})
    if not sources:
        return ""
    shown = [f"{name} ({rows(count)})" for name, count in list(sources.items())[:10]]
    more = f", and {len(sources) - 10:,} more" if len(sources) > 10 else ""
    return f"Rows come from {', '.join(shown)}{more}."


def preparation(facts: Facts) -> list[str]:
    """What a fix changed before, one line for each rule."""
    return [
        f"{rule}: {count:,} {'place' if action == 'mended' else 'row'}{'s' if count != 1 else ''} {action}"
        for (rule, action), count in sorted(facts.ledger.items())
    ]


def types(facts: Facts, kind: str) -> dict[str, tuple[int, int]]:
    """What is personal or secret by its type: places and rows, most places first."""
    finding = facts.found.of(kind)
    if not finding:
        return {}
    places = Counter(span.type for span in finding.spans)
    held: dict[str, set[int]] = {}
    for span in finding.spans:
        held.setdefault(span.type, set()).add(span.row)
    return {name: (count, len(held[name])) for name, count in places.most_common()}


def personal(facts: Facts) -> list[str]:
    """What is personal or secret, one line for each type; no example of it."""
    found = [
        f"{name}: {places:,} place{'s' if places != 1 else ''} in {rows(held)}"
        for kind in PERSONAL
        for name, (places, held) in types(facts, kind).items()
    ]
    people = facts.origins.get("subjects", 0)
    if people:
        found.append(f"{people_are(people)} named as the subject of rows")
    return found or ["None was found by patterns and phrases; people who are merely named may remain."]


def limits(facts: Facts) -> list[str]:
    """What was found that keeps the set from being clean, and what was not looked at."""
    found = [
        f"{KINDS[one.kind].title} ({one.severity}): {rows(one.count)}. {KINDS[one.kind].harm}"
        for one in facts.found.findings
        if one.kind not in PERSONAL
    ]
    return found + [f"Not looked at: {text}" for text in facts.found.not_looked_at]


def made(facts: Facts) -> str:
    """How the card was made, in a sentence."""
    return f"Made by Trimtab {__version__}; all figures are its audit's. Nothing was typed by hand but what --use says."
