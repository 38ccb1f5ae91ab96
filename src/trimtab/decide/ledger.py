"""The ledger of looks: how often each sealed confirm set has been opened, and by which recipe.

It lies beside the data, outside any run, so that deleting runs does not buy a fresh look.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

from trimtab.errors import RunError
from trimtab.run import write_atomic

SUFFIX = ".looks.json"


def ledger_path(source: str, fallback: Path) -> Path:
    """Where the looks at a data source are kept: beside its file, or in `fallback` when it has no folder."""
    path = Path(source)
    if path.is_file():
        return path.with_name(path.name + SUFFIX)
    return fallback / "looks.json"


def look(path: Path, confirm: str, identity: str) -> int:
    """Enter a look of a recipe at a confirm set and return its number, from 1.

    The look counts from this moment, before anything is measured. The same recipe on the same data keeps its
    number, so that a killed run goes on at the same level.

    Args:
        confirm: hash of the confirm set.
        identity: hash of recipe and data.

    Raises:
        RunError: the ledger is damaged or cannot be written.
    """
    with FileLock(path.with_name(path.name + ".lock")):
        content = _read(path)
        entries = content.setdefault(confirm, [])
        for number, entry in enumerate(entries, 1):
            if entry["identity"] == identity:
                return number
        entries.append({"identity": identity, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        write_atomic(path, json.dumps(content, indent=1, sort_keys=True) + "\n")
        return len(entries)


def carry(path: Path, confirm: str, left: str) -> int:
    """Count the looks at a confirm set for the set that an erasure left of it, and return how many there are.

    Fewer rows have another hash, under which no look is known; but what is left of them was looked at. The old
    entries stay under their hash.

    Raises:
        RunError: the ledger is damaged or cannot be written.
    """
    if not path.is_file():
        return 0
    with FileLock(path.with_name(path.name + ".lock")):
        content = _read(path)
        known = content.get(confirm, [])
        own = content.get(left, [])
        there = {entry["identity"] for entry in own}
        new = [{**entry, "carried": confirm} for entry in known if entry["identity"] not in there]
        if new and confirm != left:
            content[left] = new + own
            write_atomic(path, json.dumps(content, indent=1, sort_keys=True) + "\n")
        return len(known)


def looks_so_far(path: Path, confirm: str, identity: str) -> int:
    """Number that the next look of this recipe at this confirm set would have, from 1; enters nothing."""
    entries = _read(path).get(confirm, [])
    known = [entry["identity"] for entry in entries]
    return known.index(identity) + 1 if identity in known else len(known) + 1


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        whole = isinstance(content, dict) and all(
            "identity" in e for found in content.values() for e in found
        )
        if not whole:
            raise ValueError("not a record of looks")
    except (ValueError, TypeError) as error:
        raise RunError(
            f"ledger of looks {path}: damaged: {error}",
            "restore it from a copy: without it nobody knows how often the confirm set was opened",
        ) from None
    return dict(content)
