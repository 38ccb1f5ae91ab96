"""Which rows, and the data of which people, a run's adjustments learned from; no text of the data is copied.

    lineage.jsonl                    every row: id, part, hash of its content, subject, the rows it was made from
    augmented.jsonl                  the rows that were made of others to be learned, in full: they stand nowhere else
    trials/<stack>/lineage.json      what a stack was fitted on: parts of the data, files beside them, other stacks

Subjects stand in it as the data has them, so that they should be pseudonyms there. A row that was erased since is a
line with its part and the name of the request alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.data.split import content_key
from trimtab.records import Example, Part
from trimtab.run import RunFolder

ROWS = "lineage.jsonl"
STACK = "lineage.json"
GUARD = "guard"
AUGMENTED = "augmented"
MADE = "augmented.jsonl"
# Values of one kind that a record names; sources may be as many as rows.
MOST = 20
# The field of a row whose answers people corrected: hash of what its data file says.
ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a run.

    Attributes:
        part: tune, select or confirm; `guard` for a row of a guard suite; `augmented` for one made of rows of tune.
        content: hash of its turns and references, the same for spaces and case (`data.split.content_key`); of a row
            that people corrected, as its data file has it.
        parent: id of the row that it was made from; empty where it is nobody's copy.
        beside: id of a second row that it was made from; empty where there is none.
        erased: name of the request that erased it; all else but the part is empty then.
    """

    part: str
    id: str = ""
    content: str = ""
    subject: str = ""
    parent: str = ""
    erased: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Learned:
    """What one stack was fitted on.

    Attributes:
        fit: name of the fit, such as adapter-0; empty for a stack that was joined from others.
        parts: of the data; those that only chose between finished candidates are not among them.
        files: of rows beside the data, such as pairs for steering; as the recipe names them.
        stacks: it was joined from these, and learned what they did.
    """

    stack: str
    fit: str = ""
    parts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()


def record(
    folder: RunFolder, parts: Mapping[Part, Sequence[Example]], guards: Sequence[Example] = ()
) -> None:
    """Write the rows of a run, once; of guard suites those that name a subject."""
    if not folder.has(ROWS):
        folder.write_rows(ROWS, _rows(parts, guards))


def record_made(folder: RunFolder, made: Sequence[Example]) -> None:
    """Write augmented rows, those that are not there yet: which they are made from first, then what they say."""
    known = rows(folder)
    ids = {row.id for row in known}
    new = [_row(AUGMENTED, example) for example in made if example.id not in ids]
    if new:
        folder.write_rows(ROWS, [*known, *new])
    written = folder.rows(MADE)
    ids = {row["id"] for row in written}
    more = [example for example in made if example.id not in ids]
    if more:
        folder.write_rows(MADE, [*written, *more])


def record_stack(folder: RunFolder, learned: Learned) -> None:
    """Write what a stack was fitted on, beside the stack."""
    folder.write(f"trials/{learned.stack}/{STACK}", learned)


def rows(folder: RunFolder) -> list[Row]:
    """The rows of a run; none for a run that was made before they were recorded.

    Raises:
        RunError: the record is damaged.
    """
    return [Row(**row) for row in folder.rows(ROWS)]


def stacks(folder: RunFolder) -> dict[str, Learned]:
    """What each stack of a run was fitted on, by its hash; one without a record learned from tune, as all do.

    Raises:
        RunError: a record is damaged.
    """
    found = {}
    for path in sorted(folder.path.glob("trials/*/stack.json")):
        name = path.parent.name
        place = f"trials/{name}/{STACK}"
        found[name] = _learned(folder.read(place)) if folder.has(place) else Learned(name, parts=("tune",))
    return found


def origins(examples: Sequence[Example]) -> dict[str, Any]:
    """What rows say of where they come from: rows by licence, source and consent, people, days of collection.

    The values that most rows have, with their rows; `unnamed` are rows about nobody. What no row says is empty.
    """
    counts = {
        name: dict(Counter(said for e in examples if (said := getattr(e, name))).most_common(MOST))
        for name in ("licence", "source", "consent")
    }
    days = sorted(example.collected_at[:10] for example in examples if example.collected_at)
    people = [example.subject for example in examples if example.subject]
    found = {"subjects": len(set(people)), "unnamed": len(examples) - len(people)}
    return {"rows": len(examples), **counts, **found, "days": [days[0], days[-1]] if days else []}


def affected(
    learned: Mapping[str, Learned], parts: Mapping[str, int], files: Mapping[str, int]
) -> dict[str, int]:
    """Stacks that learned from rows, with how many; those joined from such stacks among them.

    Args:
        learned: as `stacks` gives it.
        parts: rows concerned, by part.
        files: rows concerned, by file.
    """
    found: dict[str, int] = {}
    for name, one in learned.items():
        count = sum(parts.get(part, 0) for part in one.parts) + sum(files.get(file, 0) for file in one.files)
        if count:
            found[name] = count
    joined = {name: max((found.get(s, 0) for s in one.stacks), default=0) for name, one in learned.items()}
    return found | {name: count for name, count in joined.items() if count and name not in found}


def _rows(parts: Mapping[Part, Sequence[Example]], guards: Sequence[Example]) -> Iterator[Row]:
    for part, examples in parts.items():
        yield from (_row(part, example) for example in examples)
    yield from (_row(GUARD, example) for example in guards if example.subject)


def _row(part: str, example: Example) -> Row:
    parent, beside = (str(example.fields.get(name) or "") for name in ("parent", "beside"))
    content = str(example.fields.get(ORIGINAL) or content_key(example))
    return Row(part, example.id, content, example.subject, parent, beside=beside)


def _learned(content: Mapping[str, Any]) -> Learned:
    lists = {name: tuple(content[name]) for name in ("parts", "files", "stacks")}
    return Learned(content["stack"], content["fit"], **lists)
