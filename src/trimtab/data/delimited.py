"""Tables of delimited text: CSV and its relatives, with any usual delimiter."""

from __future__ import annotations

import csv

from trimtab.data.table import Table
from trimtab.errors import DataError


def parse(lines: list[tuple[int, str]], table: Table) -> None:
    """Rows of a table with a header; a quoted cell may hold delimiters and line breaks."""
    texts = [text for _, text in lines]
    while texts and not texts[0].strip():
        texts = texts[1:]
    if not texts:
        return
    skipped = len(lines) - len(texts)
    reader = csv.reader(texts, delimiter=_delimiter(texts[:200]), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            number, start = skipped + start, reader.line_num + 1
            if header is None:
                header = _header(cells, table, number)
            elif len(cells) == len(header):
                table.rows.append(
                    (number, {name: cell for name, cell in zip(header, cells, strict=True) if name})
                )
            elif cells:
                counts = f"expected {len(header)} cells as in the header, received {len(cells)}"
                table.problems.append(f"{table.place(number)}: {counts}")
    except csv.Error as error:
        table.problems.append(f"{table.place(skipped + start)}: broken CSV row: {error}")


def _header(cells: list[str], table: Table, number: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        place, received = table.place(number), ", ".join(twice)
        raise DataError(
            f"{place}: expected distinct column names, received twice: {received}", "rename the columns"
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
