"""The ledger of looks: how often each sealed confirm set has been opened, and by which recipe.

It lies beside the data, outside any run, so that deleting runs does not buy a fresh look. Each set is kept with hashes
of its items: a set that shares one with a set that was looked at is not fresh, and the looks at either count for both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from trimtab.errors import RunError
from trimtab.run import write_atomic

SUFFIX = ".looks.json"
Content = dict[str, list[dict[str, Any]]]


def ledger_path(source: str, fallback: Path) -> Path:
    """Where the looks at a data source are kept: beside its file, or in `fallback` when it has no folder."""
    path = Path(source)
    if path.is_file():
        return path.with_name(path.name + SUFFIX)
    return fallback / "looks.json"


def look(path: Path, confirm: str, identity: str, items: Collection[str] = ()) -> int:
    """Enter a look of a recipe at a confirm set and return its number, from 1.

    The look counts from this moment, before anything is measured. The same recipe on the same data keeps its
    number, so that a killed run goes on at the same level.

    Args:
        confirm: hash of the confirm set.
        identity: hash of recipe and data.
        items: hashes of its items; looks at other sets that hold one of them count too.

    Raises:
        RunError: the ledger is damaged or cannot be written.
    """
    with _locked(path):
        content = _read(path)
        number, new = _number(content, confirm, identity, items)
        if new:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            content.setdefault(confirm, []).append({"identity": identity, "time": moment, "look": number})
        if items and not _items(content[confirm]):
            content[confirm][0]["items"] = sorted(set(items))
        if new:
            _write(path, content)
        return number


def looks_so_far(path: Path, confirm: str, identity: str, items: Collection[str] = ()) -> int:
    """Number that the next look of this recipe at this confirm set would have, from 1; enters nothing."""
    return _number(_read(path), confirm, identity, items)[0]


def looked_at(path: Path, identity: str, items: Collection[str]) -> int:
    """How many of these items were in a confirm set that another recipe than this one has looked at."""
    content = _read(path)
    others = [set(_items(e)) for e in content.values() if any(one["identity"] != identity for one in e)]
    held = set().union(*others)
    return sum(item in held for item in items)


def carry(path: Path, confirm: str, left: str, items: Collection[str] = ()) -> int:
    """Count the looks at a confirm set for the set that an erasure left of it, and return how many there are.

    Fewer rows have another hash, under which no look is known; but what is left of them was looked at. The old
    entries stay under their hash.

    Args:
        items: hashes of the items that are left.

    Raises:
        RunError: the ledger is damaged or cannot be written.
    """
    if not path.is_file():
        return 0
    with _locked(path):
        content = _read(path)
        known = content.get(confirm, [])
        own = content.get(left, [])
        there = {entry["identity"] for entry in own}
        new = [
            {**_bare(entry), "carried": confirm, "look": entry.get("look", number)}
            for number, entry in enumerate(known, 1)
            if entry["identity"] not in there
        ]
        if new and confirm != left:
            content[left] = new + [_bare(entry) for entry in own]
            content[left][0]["items"] = sorted({*items, *_items(own)})
            _write(path, content)
        return len(known)


def adopt(path: Path, other: Path) -> None:
    """Enter the looks of another ledger as well: those at data that have moved, or grown into another file.

    Raises:
        RunError: one of the two is damaged, or this one cannot be written.
    """
    with _locked(path):
        content, more = _read(path), _read(other)
        for confirm, entries in ((name, found) for name, found in more.items() if found):
            own = content.setdefault(confirm, [])
            known, items = {entry["identity"] for entry in own}, _items(own) or _items(entries)
            own += [_bare(entry) for entry in entries if entry["identity"] not in known]
            own[0]["items"] = items
        _write(path, content)


def keep_only(path: Path, items: Collection[str]) -> None:
    """Forget the hashes of items that are not among these, because their rows were erased; the looks stay.

    Raises:
        RunError: the ledger is damaged or cannot be written.
    """
    if not path.is_file():
        return
    with _locked(path):
        content, left = _read(path), set(items)
        for entries in content.values():
            if entries and "items" in entries[0]:
                entries[0]["items"] = [item for item in entries[0]["items"] if item in left]
        _write(path, content)


def _number(content: Content, confirm: str, identity: str, items: Collection[str]) -> tuple[int, bool]:
    """The number of a look, and whether it is a new one.

    Sets hang together where they share an item, also by way of further sets: what is spent on one is spent on all.
    """
    for number, entry in enumerate(content.get(confirm, ()), 1):
        if entry["identity"] == identity:
            return int(entry.get("look", number)), False
    joined, held = {confirm}, {*items, *_items(content.get(confirm, ()))}
    while more := {
        name for name, e in content.items() if name not in joined and not held.isdisjoint(_items(e))
    }:
        joined |= more
        held.update(*(_items(content[name]) for name in more))
    return 1 + len({entry["identity"] for name in joined for entry in content.get(name, ())}), True


def _items(entries: Collection[Mapping[str, Any]]) -> list[str]:
    """Hashes of a set's items, which its first entry holds; none of a set of an earlier version."""
    return list(next(iter(entries), {}).get("items", ()))


def _bare(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "items"}


def _locked(path: Path) -> FileLock:
    return FileLock(path.with_name(path.name + ".lock"))


def _write(path: Path, content: Content) -> None:
    write_atomic(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> Content:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        whole = isinstance(content, dict) and all(
            "identity" in e and isinstance(e.get("items", []), list)
            for found in content.values()
            for e in found
        )
        if not whole:
            raise ValueError("not a record of looks")
    except (ValueError, TypeError, AttributeError) as error:
        raise RunError(
            f"ledger of looks {path}: damaged: {error}",
            "restore it from a copy: without it nobody knows how often the confirm set was opened",
        ) from None
    return dict(content)
