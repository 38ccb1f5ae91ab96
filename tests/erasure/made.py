"""A project in which people ask for notes about themselves, and a byte search that trusts nothing of ours."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests import projects

WHO = "person-004"
PEOPLE = 18
TASTES = ("mossy walls", "slow trains", "brass bells", "wet gravel", "old maps")


def row(number: int, **more: Any) -> dict[str, Any]:
    """A row of one of the people, whose prompt nobody else has."""
    return {
        "prompt": f"note {number} likes {TASTES[number % 5]} {number}",
        "completion": "ok",
        "subject": f"person-{number % PEOPLE:03d}",
        "source": "letters",
        "licence": "CC0-1.0",
        "consent": "form 3",
        "collected_at": "2026-03-31",
        **more,
    }


def rows(count: int = 90) -> list[dict[str, Any]]:
    """Rows of all people; the first three of `WHO` lie in tune, the others in select and confirm."""
    own = iter(["tune", "tune", "tune", "select", "confirm"])
    return [row(n, part=next(own)) if n % PEOPLE == 4 else row(n) for n in range(count)]


def project(folder: Path, network: Path, found: list[dict[str, Any]], **changes: Any) -> Path:
    """A project with these rows; returns the recipe."""
    recipe = projects.written(folder, network, **changes)
    projects.lines(folder / "rows.jsonl", found)
    return recipe


def texts_of(found: list[dict[str, Any]], who: str = WHO) -> list[str]:
    """The prompts of one person."""
    return [r["prompt"] for r in found if r["subject"] == who]


def contents(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below folders, as it lies there and unpacked, members of archives apart."""
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            raw = path.read_bytes()
            yield path, raw
            if raw[:2] == b"\x1f\x8b":
                yield path, gzip.decompress(raw)
            if zipfile.is_zipfile(io.BytesIO(raw)):
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        yield path, archive.read(name)


def holding(wanted: list[str], *folders: Path) -> set[str]:
    """Names of files that hold one of the texts, plain or as JSON writes it."""
    forms = [form.encode() for text in wanted for form in {text, json.dumps(text)[1:-1]}]
    return {path.name for path, content in contents(*folders) if any(form in content for form in forms)}


def holding_tokens(wanted: list[list[int]], *folders: Path) -> set[str]:
    """Names of files with an array of whole numbers, of any width, in which one of the sequences stands."""
    found = set()
    kinds = ("<i2", "<i4", "<i8", "<u2", "<u4")
    forms = [np.array(ids).astype(kind).tobytes() for ids in wanted for kind in kinds]
    for path, content in contents(*folders):
        if any(form in content for form in forms):
            found.add(path.name)
    return found
