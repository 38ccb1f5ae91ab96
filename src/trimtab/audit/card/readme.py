"""README.md: a dataset card as the Hugging Face Hub reads it. What is not known says what to fill in."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from trimtab import licences
from trimtab.audit.card.croissant import endings
from trimtab.audit.card.facts import Facts
from trimtab.audit.card.words import (
    COLUMNS,
    KEYS,
    PERSONAL,
    made,
    preparation,
    rows,
    summary,
    types,
    unsaid,
)
from trimtab.audit.columns import NAME
from trimtab.audit.kinds import KINDS
from trimtab.audit.page import WORDS, share
from trimtab.audit.provenance import people_are
from trimtab.document.markdown import safe, section, table

NOT_KNOWN = "**not known**"
# Upper ends of the Hub's categories of size.
_SIZES = (
    (10**3, "1K"),
    (10**4, "10K"),
    (10**5, "100K"),
    (10**6, "1M"),
    (10**7, "10M"),
    (10**8, "100M"),
    (10**9, "1B"),
)
_TASKS = {
    "prompt/completion": ["text-generation"],
    "messages": ["text-generation"],
    "instruction": ["text-generation"],
    "preference": ["text-generation"],
    "choices": ["multiple-choice"],
    "prompt": ["text-generation"],
    "text": ["text-generation"],
}
_LOADED = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".txt")
_SHOWN, _NAMED = 50, 10


def readme(facts: Facts) -> str:
    """The card, Markdown with its metadata in front."""
    front = yaml.safe_dump(metadata(facts), sort_keys=False, allow_unicode=True, width=110)
    parts = [
        [f"# {safe(facts.name)}", _paragraph(facts)],
        _about(facts),
        _fields(facts),
        _parts(facts),
        _lengths(facts),
        _origins(facts),
        _findings(facts),
        _personal(facts),
        *(section(one) for one in facts.found.sections if one.name not in (NAME, "origins")),
        _unseen(facts),
        _changes(facts),
        _making(facts),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join("\n\n".join(part) for part in parts if part) + "\n"


def metadata(facts: Facts) -> dict[str, Any]:
    """The card's metadata, in the Hub's own words; what is not known is left out, but for the licence."""
    licence = licences.of_rows(facts.licences, facts.found.rows)
    content: dict[str, Any] = {
        "pretty_name": facts.name,
        "language": [facts.found.language] if facts.found.language else [],
        "license": licence,
        "license_name": "see-rows" if licence == licences.OTHER else "",
        "size_categories": [size(facts.found.rows)],
        "task_categories": _TASKS.get(facts.found.shape, []),
        "configs": _configs(facts),
    }
    return {name: value for name, value in content.items() if value not in ("", [])}


def size(count: int) -> str:
    """The Hub's category for a number of rows."""
    below = "n"
    for most, name in _SIZES:
        if count < most:
            return f"n<{name}" if below == "n" else f"{below}<n<{name}"
        below = name
    return "n>1B"


def _configs(facts: Facts) -> list[dict[str, Any]]:
    """How the Hub loads the files; empty for those that it cannot read."""
    if facts.source.is_dir():
        paths = [f"**/*{ending}" for ending in endings(facts.files) if ending.startswith(".txt")]
        files = [{"split": "train", "path": paths}]
        return [{"config_name": "default", "data_files": files, "sample_by": "document"}] if paths else []
    name = facts.source.name.lower().removesuffix(".gz")
    if not name.endswith(_LOADED):
        return []
    config: dict[str, Any] = {"config_name": "default"}
    config["data_files"] = [{"split": "train", "path": facts.source.name}]
    return [config | ({"sep": "\t"} if name.endswith(".tsv") else {})]


def _paragraph(facts: Facts) -> str:
    if facts.declared.description:
        return f"{safe(facts.declared.description)}\n\n{safe(summary(facts))}"
    return f"{safe(summary(facts))}\n\nWhat it is for and how it came about: {_key('description')}."


def _key(name: str) -> str:
    return f"{NOT_KNOWN} (say it with `--use {KEYS[name]}`)"


def _column(name: str) -> str:
    return f"{NOT_KNOWN} (fill the column `{COLUMNS[name]}`)"


def _about(facts: Facts) -> list[str]:
    declared, found = facts.declared, facts.found
    cells = [
        (
            "rows",
            f"{found.rows:,}"
            + (f", of which {facts.readable:,} can be read" if facts.readable < found.rows else ""),
        ),
        ("shape", safe(found.shape)),
        ("language", found.language or _key("language")),
        ("licence", _licence(facts)),
        ("creator", safe(declared.creator) or _key("creator")),
        ("intended use", safe(declared.uses) or _key("intended use")),
        ("version", safe(declared.version) or _key("version")),
        ("published", safe(declared.published) or _key("day of publication")),
        ("address", safe(declared.url) or _key("address")),
        ("citation", safe(declared.citation) or _key("citation")),
        ("file", _file(facts)),
        ("SHA-256", f"`{facts.sha256}`"),
    ]
    return ["## Dataset", table(("fact", "value"), cells)]


def _file(facts: Facts) -> str:
    if facts.source.is_dir():
        return f"folder {safe(facts.source.name)}, {len(facts.files):,} files, {facts.size:,} bytes"
    return f"{safe(facts.source.name)}, {facts.size:,} bytes"


def _licence(facts: Facts) -> str:
    said = _counts(facts.licences)
    if not said:
        return f"{NOT_KNOWN} (fill the column `licence`, or say it of all with `--use licence=ID`)"
    lacking = unsaid(facts).get("licence", 0)
    return said + (f"; {_column('licence')} for {rows(lacking)}" if lacking else "")


def _fields(facts: Facts) -> list[str]:
    usual = {own: name for name, own in facts.found.columns.items()}
    described = facts.described
    cells = [
        (
            safe(column),
            safe(usual.get(column, "")) or "not used",
            safe(" or ".join(kinds)) + _inside(described["inside"].get(column, ())),
            f"{sum(kinds.values()):,}",
        )
        for column, kinds in list(described["columns"].items())[:_SHOWN]
    ]
    if not cells:
        return []
    return ["## Fields", table(("column", "read as", "holds", "rows"), cells, numbers=(3,))]


def _inside(names: Sequence[str]) -> str:
    return f" ({', '.join(safe(name) for name in names)})" if names else ""


def _parts(facts: Facts) -> list[str]:
    parts = facts.described["parts"]
    if not parts:
        return [
            "## Parts",
            "No column says which part a row belongs to; `trimtab tune` parts them by their content.",
        ]
    cells = [(name, f"{count:,}") for name, count in parts.items()]
    apart = facts.found.rows - sum(parts.values())
    cells += [("none", f"{apart:,}")] if apart else []
    return ["## Parts", table(("part", "rows"), cells, numbers=(1,))]


def _lengths(facts: Facts) -> list[str]:
    names = ("mean", "0.01", "0.25", "0.5", "0.75", "0.99")
    cells = [
        (side, *(f"{spread[name]:.4g}" for name in names))
        for side, spread in facts.found.figures.items()
        if spread.get("n")
    ]
    if not cells:
        return []
    header = ("side", "mean", "1%", "25%", "half", "75%", "99%")
    return ["## Lengths in words", table(header, cells, numbers=range(1, 7))]


def _origins(facts: Facts) -> list[str]:
    lacking, origins, count = unsaid(facts), facts.origins, facts.found.rows
    people, named = origins.get("subjects", 0), count - origins.get("unnamed", count)
    said = {
        "licence": _licence(facts),
        "source": _counts(origins.get("source", {})) or _column("source"),
        "consent": _counts(origins.get("consent", {})) or _column("consent"),
        "days of collection": " to ".join(origins.get("days", [])) or _column("days of collection"),
    }
    if not people:
        said["consent"] = "not asked: no row names a person"
    cells = [(name, text, f"{lacking.get(name, 0):,}") for name, text in said.items()]
    about = (
        f"{people_are(people)} named as the subject of {rows(named)}."
        if people
        else f"People whom rows are about: {NOT_KNOWN} (fill the column `subject` with a pseudonym)."
    )
    header = ("fact", "rows say", f"not said by, of {count:,} rows")
    return ["## Where the rows come from", table(header, cells, numbers=(2,)), about]


def _counts(values: Mapping[str, int]) -> str:
    """Values with their rows, the ten with most of them."""
    shown = [f"{safe(name)} ({rows(count)})" for name, count in list(values.items())[:_NAMED]]
    more = len(values) - len(shown)
    return ", ".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])


def _findings(facts: Facts) -> list[str]:
    found = facts.found
    if not found.findings:
        return ["## Findings", "None of the faults that an audit looks for."]
    kinds = {
        word: sum(one.severity == severity for one in found.findings) for severity, word in WORDS.items()
    }
    cells = [
        (
            one.severity,
            f"{KINDS[one.kind].title} (`{one.kind}`)",
            f"{one.count:,}",
            share(one.count, found.rows),
            KINDS[one.kind].harm,
        )
        for one in found.findings
    ]
    said = f"Kinds of {', of '.join(f'{word}: {count}' for word, count in kinds.items())}."
    header = ("severity", "finding", "rows", "share", "what it does to a fine-tune")
    return ["## Findings", said, table(header, cells, numbers=(2, 3))]


def _personal(facts: Facts) -> list[str]:
    cells = [
        (safe(name), kind.replace("_", " "), f"{places:,}", f"{held:,}")
        for kind in PERSONAL
        for name, (places, held) in types(facts, kind).items()
    ]
    if not cells:
        text = "Patterns and phrases found none. People who are merely named may remain: see what was not looked at."
        return ["## Personal and sensitive information", text]
    return [
        "## Personal and sensitive information",
        "Types and counts only; the values stand in the rows. `trimtab audit --fix` masks them in a copy.",
        table(("type", "what", "places", "rows"), cells, numbers=(2, 3)),
    ]


def _unseen(facts: Facts) -> list[str]:
    unseen = [f"- {safe(text)}" for text in facts.found.not_looked_at]
    if not facts.biases:
        unseen.append("- bias: how groups of people are spoken of was not measured")
    return ["## What was not looked at", "\n".join(unseen)]


def _changes(facts: Facts) -> list[str]:
    lines = [f"- {safe(line)}" for line in preparation(facts)]
    if not lines:
        return []
    said = f"This is a copy that a fix wrote; each change stands in `{facts.source.name}.ledger.jsonl`."
    return ["## Changes from the source", said, "\n".join(lines)]


def _making(facts: Facts) -> list[str]:
    found = ["## How this card was made", f"{made(facts)} {datetime.date.today().isoformat()}."]
    command = facts.command.replace("```", "'''")
    return [*found, f"```\n{command}\n```"] if command else found
