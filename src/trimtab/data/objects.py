"""JSON: one object a line, or one list of objects; bounded in depth, made of whole characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from trimtab.data.table import Table, kind_of

MAX_DEPTH = 32
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_lines(lines: Iterable[tuple[int, str]], table: Table) -> None:
    """Add one JSON object a line to the table; what cannot be read becomes a problem with its line."""
    for number, text in lines:
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            table.problems.append(
                f"{table.place(number)}: broken JSON: {error.msg} at column {error.colno}, "
                f"received {_excerpt(text)}"
            )
        except RecursionError:
            table.problems.append(
                f"{table.place(number)}: expected at most {MAX_DEPTH} nested levels, received more"
            )
        except ValueError as error:
            table.problems.append(f"{table.place(number)}: broken JSON: {error}")
        else:
            _keep(value, number, text, table)


def is_one_document(lines: list[tuple[int, str]]) -> bool:
    """A list, or an object over several lines; else the file holds one object a line in spite of its name."""
    first = next((text for _, text in lines if text.strip()), "").strip()
    return first.startswith("[") or (first.startswith("{") and not first.endswith("}"))


def parse_document(lines: list[tuple[int, str]], table: Table) -> None:
    """Add the objects of one JSON list to the table; what cannot be read becomes a problem with its place."""
    text = "".join(text for _, text in lines)
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        place = table.place(error.lineno)
        table.problems.append(f"{place}: broken JSON: {error.msg} at column {error.colno}")
    except (RecursionError, ValueError) as error:
        table.problems.append(f"{table.name}: broken JSON: {error}")
    else:
        if not isinstance(values, list):
            expected = "a list of objects, or one object a line"
            table.problems.append(f"{table.name}: expected {expected}, received {kind_of(values)}")
            return
        for number, value in enumerate(values, start=1):
            _keep(value, number, text, table)


def _keep(value: Any, number: int, text: str, table: Table) -> None:
    """Accept a JSON value as a row if it is an object, shallow, and made of whole characters."""
    place = table.place(number)
    if not isinstance(value, dict):
        table.problems.append(f"{place}: expected a JSON object, received {kind_of(value)}")
    elif not _shallow(value):
        table.problems.append(f"{place}: expected at most {MAX_DEPTH} nested levels, received more")
    elif _SURROGATE.search(text) and not _whole(value):
        table.problems.append(
            f"{place}: expected whole characters, received half of a surrogate pair (\\ud...)"
        )
    else:
        table.rows.append((number, value))


def _shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
        level = [child for child in inner if isinstance(child, dict | list)]
        if not level:
            return True
    return False


def _whole(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _excerpt(text: str, length: int = 60) -> str:
    line = text.strip()
    return repr(line if len(line) <= length else line[: length - 1] + "…")
