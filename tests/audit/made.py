"""Rows made for tests, read as an audit reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trimtab.audit.findings import Row
from trimtab.audit.rows import Maker
from trimtab.data.shape import of_rows
from trimtab.data.table import Record


def raw(*pairs: tuple[str, Any], part: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    rows = [{"prompt": prompt, "completion": answer} for prompt, answer in pairs]
    return [row | ({"part": part[place]} if part else {}) for place, row in enumerate(rows)]


def read(*pairs: tuple[str, Any], part: tuple[str, ...] = ()) -> list[Row]:
    return read_rows(*raw(*pairs, part=part))


def read_rows(*rows: dict[str, Any]) -> list[Row]:
    maker = Maker("made", of_rows("made", list(enumerate(rows, 1)), {}), {})
    return [maker.row(place, Record(place + 1, row)) for place, row in enumerate(rows)]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return str(path)
