"""A run whose stack `tuned` answered 300 items of select, a store, and files of its traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.watch.traffic import traffic
from trimtab.live import answers
from trimtab.live.answers import Kept
from trimtab.records import Example, Message, Output
from trimtab.review.store import Store
from trimtab.run import RunFolder
from trimtab.watch import Traffic

STACK = "tuned"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run as its record says: what its stack answered on select."""
    made = RunFolder.create(tmp_path / "runs", "0123456789")
    rows = traffic(300, 1)
    made.write_rows(
        "examples.jsonl",
        [Example((Message("user", row.prompt),), id=str(number)) for number, row in enumerate(rows)],
    )
    outputs = [
        Output(str(number), 0, row.answer, confidence=row.confidence, fired=row.fired)
        for number, row in enumerate(rows)
    ]
    made.write_trial(STACK, outputs, [])
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of judgements."""
    opened = Store.open(f"sqlite:///{tmp_path / 'runs' / 'people.db'}")
    yield opened
    opened.close()


def past(rows: list[Traffic]) -> list[dict[str, Any]]:
    """Rows as lines of a file have them, of two years before."""
    return [
        {
            "time": row.time.replace("2026", "2024") + "Z",
            "prompt": row.prompt,
            "answer": row.answer,
            "confidence": row.confidence,
            "fired": list(row.fired),
            "stack": row.stack,
        }
        for row in rows
    ]


def file_of(path: Path, rows: list[Traffic]) -> Path:
    """A file of traffic."""
    path.write_text("".join(json.dumps(row) + "\n" for row in past(rows)), encoding="utf-8")
    return path


def keep(store: Store, rows: list[Traffic], owner: str = "", first: int = 0) -> list[Kept]:
    """Rows as the server keeps them, numbered from `first`."""
    found = [
        Kept(
            id=f"r{first + number}-0",
            time=row["time"],
            owner=owner,
            model="m",
            stack=row["stack"],
            prompt=row["prompt"],
            answer=row["answer"],
            confidence=row["confidence"],
            fired=tuple(row["fired"]),
        )
        for number, row in enumerate(past(rows))
    ]
    answers.keep(store, found)
    return found
