"""Files to examples: any usual shape, recognised by its columns; all problems of a file at once."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from trimtab.data.conform import Conforming
from trimtab.data.files import load
from trimtab.data.rows import Reader
from trimtab.data.shape import Shape, of_rows
from trimtab.data.table import Table
from trimtab.errors import DataError, several
from trimtab.records import Example, content_hash

_NO_COLUMNS: Mapping[str, str] = {}


def read(source: str, columns: Mapping[str, str] = _NO_COLUMNS, instruction: str = "") -> list[Example]:
    """Read every row of a file or a Hub data set as an example.

    Args:
        source: a .jsonl, .json, .csv, .tsv (each also .gz) or .parquet file, or hub:<dataset>[:<split>].
        columns: usual name to the file's own column name, such as {"prompt": "question"}.
        instruction: put before each prompt that is a bare text, with an empty line between; it is kept in
            `fields["instruction"]` and is no part of a generated id, so that changing it moves no row.

    Returns:
        Examples in the order of the file, with distinct ids. A missing id is a hash of the content.

    Raises:
        DataError: one line for each problem, with file, line, field, what was expected and what was received.
        MissingPart: Parquet or the Hub is asked for and the `data` extra is not installed.
    """
    table = load(source)
    shape = _shape(table, columns)
    if not shape.certain:
        raise _unclear(table, shape)
    if instruction and not _takes_instruction(shape):
        raise DataError(
            f"{table.name}: data.instruction needs prompts that are a bare text, received {shape.kind}",
            "put the instruction into a system turn of the rows, or remove data.instruction",
        )
    reader = Reader(shape, instruction, table.problems)
    conforming = Conforming(reader, columns)
    examples = [conforming.example(table.place(number), row) for number, row in table.rows]
    _all_answered(table, examples)
    if table.problems:
        ordered = sorted(table.problems, key=lambda problem: _line(problem, table.name))
        raise DataError(several(ordered), f"mend these rows of {table.name}, then try again")
    return _distinct([example for example in examples if example])


def recognise(source: str, columns: Mapping[str, str] = _NO_COLUMNS) -> Shape:
    """The shape of a source, its column for each usual name, and a preview of the first row.

    Where no name is usual, the two longest columns of text are proposed and `certain` is False.

    Raises:
        DataError: the source is missing or empty, or holds nothing that could be a prompt and an answer.
    """
    table = load(source)
    shape = _shape(table, columns)
    reader = Reader(shape)
    first = next((e for number, row in table.rows if (e := reader.example(table.place(number), row))), None)
    return dataclasses.replace(shape, preview=_preview(first) if first else "")


def _shape(table: Table, columns: Mapping[str, str]) -> Shape:
    if table.rows:
        return of_rows(table.name, table.rows, columns)
    if table.problems:
        raise DataError(several(table.problems), f"mend these rows of {table.name}, then try again")
    raise DataError(
        f"{table.name}: expected at least one row, received an empty file", "add examples to the file"
    )


def _unclear(table: Table, shape: Shape) -> DataError:
    if shape.preview:
        return DataError(
            f"{table.name}: {shape.preview}", "name the columns: data.columns: {prompt: ..., completion: ...}"
        )
    guess = ", ".join(f"{usual}: {column}" for usual, column in shape.columns.items())
    return DataError(
        f"{table.name}: no usual names among the columns {', '.join(_names(table))}",
        f"name the columns, perhaps: data.columns: {{{guess}}}",
    )


def _names(table: Table) -> list[str]:
    return list(dict.fromkeys(name for _, row in table.rows for name in row))


def _takes_instruction(shape: Shape) -> bool:
    return shape.kind not in ("messages", "text", "pair") and (
        shape.kind != "preference" or "prompt" in shape.columns
    )


def _all_answered(table: Table, examples: Sequence[Example | None]) -> None:
    """Conversations either all end with an answer or none does."""
    answered = [bool(example.references) for example in examples if example and "good" not in example.fields]
    if all(answered) or not any(answered):
        return
    for (number, _), example in zip(table.rows, examples, strict=True):
        if example and not example.references:
            last = example.messages[-1].role if example.messages else "nothing"
            table.problems.append(
                f"{table.place(number)}: expected an answer at the end as in other rows, "
                f"received {last} as the last turn"
            )


def _line(problem: str, name: str) -> int:
    number = problem.removeprefix(f"{name}:").partition(":")[0]
    return int(number) if number.isdigit() else 0


def _distinct(examples: list[Example]) -> list[Example]:
    """Give examples that share an id different ones, from their content; true copies are numbered."""
    shared = {id for id, count in Counter(example.id for example in examples).items() if count > 1}
    taken: set[str] = {example.id for example in examples if example.id not in shared}
    distinct = []
    for example in examples:
        if example.id in shared:
            example = dataclasses.replace(example, id=_free(example, taken))
            taken.add(example.id)
        distinct.append(example)
    return distinct


def _free(example: Example, taken: set[str]) -> str:
    content = content_hash([example.messages, example.references, example.fields], length=8)
    name = example.id if example.id.startswith(content) else f"{example.id}-{content}"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _preview(example: Example, length: int = 200) -> str:
    """The first example as a few lines: one for each turn, reference and choice."""
    lines: list[tuple[str, str]] = [(message.role, message.content) for message in example.messages]
    lines += [("answer", reference) for reference in example.references]
    lines += [
        (name, str(example.fields[name])) for name in ("good", "bad", "rejected") if name in example.fields
    ]
    return "\n".join(
        f"{name}: {text if len(text) <= length else text[: length - 1] + '…'}"
        for name, text in ((name, " ".join(text.split())) for name, text in lines)
    )
