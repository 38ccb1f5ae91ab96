"""Engagement that the user has measured: clicks, replies, ratings of known answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from trimtab.errors import MetricError
from trimtab.language.text import normal
from trimtab.measure import rows
from trimtab.measure.contract import Direction, Metric
from trimtab.records import NAN, Example


def engagement(
    *,
    file: str = "",
    text: str = "text",
    column: str = "engagement",
    unit: str = "engagement",
    direction: Direction = "higher",
) -> Metric:
    """The value that the user measured for exactly this answer; higher is better by default.

    Question: how did people respond to this answer?
    Limits: known only for answers that people have seen; nan for every other. A predictor of engagement is a
    metric of your own: path/file.py:function.
    Looked up in a `file` (.jsonl or .csv, columns `text` and `column`; the mean where a text occurs more than
    once), else in the item's fields[column], a mapping from answers to values. Case and spacing are ignored.

    Raises:
        MetricError: a value is not a number, or the file lacks a column.
    """
    known = _table(file, text, column) if file else {}

    def score(example: Example, answer: str) -> float:
        own = example.fields.get(column)
        if file or not isinstance(own, Mapping):
            return known.get(normal(answer), NAN)
        return {normal(str(key)): _number(value, f"item {example.id!r}") for key, value in own.items()}.get(
            normal(answer), NAN
        )

    return Metric(
        name="engagement",
        unit=unit,
        direction=direction,
        question="How did people respond to this answer?",
        limits="Known only for answers that people have seen.",
        score=score,
    )


def _table(file: str, text: str, column: str) -> dict[str, float]:
    seen: dict[str, list[float]] = {}
    for number, row in enumerate(rows.read(file), 1):
        if text not in row or column not in row:
            raise MetricError(
                f"{file}: row {number} lacks {text!r} or {column!r}",
                f"its columns: {', '.join(map(str, row))}",
            )
        seen.setdefault(normal(str(row[text])), []).append(_number(row[column], f"{file}: row {number}"))
    return {key: math.fsum(values) / len(values) for key, values in seen.items()}


def _number(value: Any, place: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise MetricError(f"{place}: engagement is {value!r:.40}", "expected a number") from None
