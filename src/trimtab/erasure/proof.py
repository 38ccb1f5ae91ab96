"""The proof of an erasure: what was searched, what went, what is left; it quotes nothing and nobody."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trimtab.erasure.search import FOLDER
from trimtab.run import read_json, write_atomic, write_json

LIMITS = (
    "Weights cannot be searched, and nothing is unlearned in them: adjustments that learned from these rows are "
    "marked and refused, or deleted, and have to be trained again.",
    "Only the places named above were searched: no backups, no other machines, no histories of versions, no virtual "
    "environments, no copies outside of the project, nothing that a service keeps of what it was asked.",
    "Texts were looked for as they stand in the rows, whole or sentence by sentence. A text shorter than 12 "
    "characters, a paraphrase or a translation is found by the id of its row or of its parent alone.",
    "Deleted bytes may stay on a disk until they are written over.",
)


def salted(salt: str, text: str) -> str:
    """SHA-256 of a text behind a salt: who knows the text can compare it, and nobody can look it up in a table."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()


def begun(project: Path, subject: str) -> dict[str, Any]:
    """The record of a request that was cut off, else a new one."""
    for known in of_subject(project, subject):
        if known["state"] != "done":
            return known
    salt = secrets.token_hex(16)
    named = salted(salt, subject)
    return {
        "request": f"{time.strftime('%Y%m%d', time.gmtime())}-{named[:8]}",
        "state": "begun",
        "begun": _now(),
        "salt": salt,
        "subject": named,
        "attempts": [],
    }


def of_subject(project: Path, subject: str) -> list[dict[str, Any]]:
    """The records of earlier requests about a subject, the oldest first."""
    records = [read_json(path) for path in sorted((project / FOLDER).glob("*.json"))]
    return [record for record in records if record["subject"] == salted(record["salt"], subject)]


def attempt(changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One sitting of a request: when, and what it set out to change."""
    return {"begun": _now(), "ended": "", "changes": list(changes)}


def write(project: Path, record: Mapping[str, Any]) -> Path:
    """Write a record, and once it is done its text beside it; returns the path of the record."""
    path = project / FOLDER / f"{record['request']}.json"
    write_json(path, record)
    if record["state"] == "done":
        write_atomic(path.with_suffix(".txt"), text(record))
    return path


def close(record: dict[str, Any]) -> None:
    """Mark the last sitting, and the request, as done."""
    record["attempts"][-1]["ended"] = record["done"] = _now()
    record["state"] = "done"


def text(record: Mapping[str, Any]) -> str:
    """A record in words."""
    searched, checked = record["searched"], record["checked"]
    lines = [
        f"Erasure {record['request']}",
        "",
        f"begun {record['begun']}, done {record.get('done', '')}, sittings {len(record['attempts'])}",
        f"subject: SHA-256 of '<salt>:<subject>' is {record['subject']}; salt {record['salt']}",
        f"rows: {len(record['rows'])}, each by the SHA-256 of '<salt>:<content hash>'",
        "",
        f"Searched: {searched['rows']} rows of {searched['data']} data files, {searched['runs']} runs, "
        f"{searched['files']} other files",
        *(f"  {name}: {about}" for name, about in searched["places"].items()),
        "",
        "Changed:",
        *(_change(change) for sitting in record["attempts"] for change in sitting["changes"]),
        "",
        "Runs:",
        *(_run(run) for run in record["runs"]),
        "",
        f"Checked afterwards: {checked['files']} files, {checked['bytes']} bytes; texts found in "
        f"{len(checked['found'])} of them",
        *(f"  {path}" for path in checked["found"]),
        "",
        "Not searched, or not in full:",
        *(f"  {line}" for line in record["not_searched"]),
        "",
        "What this does not prove:",
        *(f"  - {line}" for line in LIMITS),
        "",
    ]
    return "\n".join(lines)


def changed(change: Mapping[str, Any]) -> str:
    """One change in words: where, what, and how many rows and texts."""
    counts = [
        f"{change[name]} {name if change[name] > 1 else name[:-1]}"
        for name in ("rows", "texts")
        if change[name]
    ]
    said = f" ({', '.join(counts)})" if counts else ""
    return f"{change['path']}: {change['what']}{said}"


def _change(change: Mapping[str, Any]) -> str:
    return f"  {changed(change)}{'' if change.get('done') else '; this sitting was cut off'}"


def _run(run: Mapping[str, Any]) -> str:
    rows = ", ".join(f"{part} {count}" for part, count in run["rows"].items()) or "none"
    return (
        f"  {run['run']}: rows {rows}; tainted {', '.join(run['tainted']) or 'none'}. {run['said']}".rstrip()
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
