"""Tables of delimited text: CSV and its relatives, with any usual delimiter."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator

from trimtab.data.table import Line, Record, place
from trimtab.errors import DataError

SAMPLE = 200


class _Feed:
    """Gives the lines of a table to the parser; remembers where a row began, and the lines without text."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = iter(lines)
        self.began = 0
        self.problems: list[Record] = []

    def __iter__(self) -> Iterator[str]:
        for number, text, problem in self.lines:
            if problem:
                self.problems.append(Record(number, None, problem))
            else:
                self.began = self.began or number
                yield text

    def unread(self) -> list[Record]:
        """The lines without text since this was asked last."""
        found, self.problems = self.problems, []
        return found


def records(lines: Iterable[Line], name: str) -> Iterator[Record]:
    """Rows of a table with a header; a quoted cell may hold delimiters and line breaks.

    Raises:
        DataError: two columns have one name.
    """
    rest = itertools.dropwhile(lambda line: not line.problem and not line.text.strip(), lines)
    head = list(itertools.islice(rest, SAMPLE))
    feed = _Feed(itertools.chain(head, rest))
    reader = csv.reader(
        iter(feed), delimiter=_delimiter([line.text for line in head if not line.problem]), strict=True
    )
    header: list[str] | None = None
    while True:
        feed.began = 0
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield from feed.unread()
            yield Record(feed.began, None, f"{place(name, feed.began)}: broken CSV row: {error}")
            continue
        yield from feed.unread()
        if header is None:
            header = _header(cells, place(name, feed.began))
        elif cells:
            yield _row(header, cells, feed.began, name)
    yield from feed.unread()


def _row(header: list[str], cells: list[str], number: int, name: str) -> Record:
    if len(cells) != len(header):
        counts = f"expected {len(header)} cells as in the header, received {len(cells)}"
        return Record(number, None, f"{place(name, number)}: {counts}")
    return Record(number, {name: cell for name, cell in zip(header, cells, strict=True) if name})


def _header(cells: list[str], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        received = ", ".join(twice)
        raise DataError(
            f"{where}: expected distinct column names, received twice: {received}", "rename the columns"
        )
    return names


def _delimiter(sample: list[str]) -> str:
    """The delimiter that cuts most rows into as many cells as the header, and into more than one."""

    def fitness(delimiter: str) -> tuple[float, int]:
        try:
            counts = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return 0.0, 0
        if not counts or counts[0] < 2:
            return 0.0, 0
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]

    return max(",;\t|", key=fitness)
