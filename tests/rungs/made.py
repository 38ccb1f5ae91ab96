"""A workshop on the tiny network, for the tests of rungs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab import recipe as recipes
from trimtab.model.load import Base, wrap
from trimtab.prepare import Prepared, prepare
from trimtab.records import Report
from trimtab.rungs.workshop import Speed, Workshop

SPEED = Speed(read=1e-4, sample=1e-3, epoch=1.0)


def base(**settings: Any) -> Base:
    """A tiny base of four blocks that answers different things to different questions."""
    return wrap(
        tiny_model(blocks=4, initializer_range=0.3, **settings).requires_grad_(False), tiny_tokenizer()
    )


def prepared(folder: Path, rows: int = 60, **options: Any) -> Prepared:
    """Questions whose answer is always of the same few words."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [{"prompt": f"item {n}", "completion": f"fine and kind {n % 5}"} for n in range(rows)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")
    content = {
        "data": {"examples": str(folder / "rows.jsonl"), "max_tokens": 96},
        "goal": {"metric": "chrf"},
        "sampling": {"max_new_tokens": 8},
        "training": {"epochs": 1, "batch_size": 8},
    }
    return prepare(recipes.parse(content | options))


def workshop(folder: Path, report: Report | None = None, one: Base | None = None, **options: Any) -> Workshop:
    """A workshop with its data in a folder."""
    return Workshop(prepared(folder, **options), one or base(), folder / "work", report)
