"""JSON: one object a line, or one list of objects; bounded in depth, made of whole characters."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from trimtab.data.table import Line, Record, kind_of, place
from trimtab.language.text import shortened

MAX_DEPTH = 32
MAX_OBJECT = 10 * 2**20
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = re.compile(r"[ \t\r\n]*")
_DEEP = f"expected at most {MAX_DEPTH} nested levels, received more"


def records(lines: Iterable[Line], name: str) -> Iterator[Record]:
    """One JSON object a line; what cannot be read becomes a problem with its line."""
    for number, text, problem in lines:
        if problem:
            yield Record(number, None, problem)
        elif text.strip():
            yield _record(number, text, name)


def _record(number: int, text: str, name: str) -> Record:
    where = place(name, number)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Record(
            number,
            None,
            f"{where}: broken JSON: {error.msg} at column {error.colno}, received {_excerpt(text)}",
        )
    except RecursionError:
        return Record(number, None, f"{where}: {_DEEP}")
    except ValueError as error:
        return Record(number, None, f"{where}: broken JSON: {error}")
    return _kept(value, number, text, name)


def begins_document(text: str) -> bool:
    """Whether a file whose first line this is holds one list, or an object over several lines."""
    first = text.strip()
    return first.startswith("[") or (first.startswith("{") and not first.endswith("}"))


class _Window:
    """The part of a text that is being read; lines are added as they are needed."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = iter(lines)
        self.text, self.at, self.line, self.problem, self.more = "", 0, 1, "", 16

    def fill(self) -> bool:
        """Drop the lines that are read, add as many as were ever needed at once; False at the end of the text."""
        if self.problem:
            return False
        cut = self.text.rfind("\n", 0, self.at) + 1
        self.line += self.text.count("\n", 0, cut)
        added = []
        for line in itertools.islice(self.lines, self.more):
            if line.problem:
                self.problem = line.problem
                break
            added.append(line.text)
        self.text, self.at, self.more = self.text[cut:] + "".join(added), self.at - cut, 2 * self.more
        return bool(added)

    def next(self) -> str:
        """The next character that is no white space, which `at` then points to; empty at the end."""
        while True:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.fill():
                return ""

    def where(self, name: str, position: int) -> tuple[str, int]:
        """Place and column of a position in the window."""
        line = self.line + self.text.count("\n", 0, position)
        return place(name, line), position - self.text.rfind("\n", 0, position)


def document(lines: Iterable[Line], name: str) -> Iterator[Record]:
    """The objects of one JSON list, one after another; a break in it ends the reading with a problem."""
    window = _Window(lines)
    if window.next() != "[":
        expected = "a list of objects, or one object a line"
        yield Record(1, None, f"{name}: expected {expected}, received an object")
        return
    window.at += 1
    if window.next() == "]":
        return
    for number in itertools.count(1):
        try:
            start, value = _value(window)
        except RecursionError:
            yield Record(number, None, f"{place(name, number)}: {_DEEP}")
            return
        except json.JSONDecodeError as error:
            yield _broken(window, name, number, error.msg, error.pos)
            return
        yield _kept(value, number, start, name)
        following = window.next()
        if following == "]":
            return
        if following != ",":
            yield _broken(window, name, number + 1, "expected , or ]", window.at)
            return
        window.at += 1


def _value(window: _Window) -> tuple[str, Any]:
    """The next value and its text; more lines are read as long as it is not whole."""
    decoder = json.JSONDecoder()
    window.more = 16
    while True:
        window.next()
        try:
            value, end = decoder.raw_decode(window.text, window.at)
        except json.JSONDecodeError:
            if len(window.text) - window.at > MAX_OBJECT or not window.fill():
                raise
        else:
            text, window.at = window.text[window.at : end], end
            return text, value


def _broken(window: _Window, name: str, number: int, message: str, position: int) -> Record:
    where, column = window.where(name, position)
    return Record(number, None, window.problem or f"{where}: broken JSON: {message} at column {column}")


def _kept(value: Any, number: int, text: str, name: str) -> Record:
    """A JSON value as a row, if it is an object, shallow, and made of whole characters."""
    where = place(name, number)
    if not isinstance(value, dict):
        return Record(number, None, f"{where}: expected a JSON object, received {kind_of(value)}")
    if not _shallow(value):
        return Record(number, None, f"{where}: {_DEEP}")
    if _SURROGATE.search(text) and not _whole(value):
        half = "expected whole characters, received half of a surrogate pair (\\ud...)"
        return Record(number, None, f"{where}: {half}")
    return Record(number, value)


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
    return repr(shortened(line, length))
