"""The user's documents: a folder of texts or a file of rows, and the passages that they are cut into."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trimtab.data.files import KNOWN, load
from trimtab.data.table import Table, kind_of
from trimtab.errors import DataError, several
from trimtab.records import Document, Passage

TEXTS = (".txt", ".md")
MOST_DOCUMENTS = 20_000
MOST_BYTES = 10 * 2**20
_PARAGRAPH = re.compile(r"\n\s*\n")
_HEADING = re.compile(r"#{1,6}\s+(\S.*)")


def read(source: str) -> list[Document]:
    """Read documents, in the order of their names or rows.

    Args:
        source: a folder with .txt and .md files, at any depth; one such file; or a file of rows (.jsonl, .json,
            .csv, .tsv, .parquet) with a column text and, if there are, title and source. A file's source is its
            path inside the folder, a row's its own or `<file>:<row>`; the title of a text is its first heading.

    Raises:
        DataError: nothing to read there, files that cannot be read, or more than 20,000 documents or 10 MB in one.
    """
    path = Path(source)
    if path.is_dir():
        found = _folder(path)
    elif path.suffix.lower() in TEXTS and path.is_file():
        found = [_text(path, path.name)]
    else:
        found = _rows(load(source))
    if not found:
        raise DataError(
            f"documents {source}: nothing to read there",
            f"expected a folder with {' or '.join(TEXTS)} files, or a file of rows with a column text",
        )
    if len(found) > MOST_DOCUMENTS:
        raise DataError(
            f"documents {source}: {len(found)} of them, at most {MOST_DOCUMENTS} can be searched",
            "leave out what no question is about",
        )
    return found


def _folder(folder: Path) -> list[Document]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in TEXTS and path.is_file())
    return [_text(path, path.relative_to(folder).as_posix()) for path in files[: MOST_DOCUMENTS + 1]]


def _text(path: Path, source: str) -> Document:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(f"{path}: {size} bytes, at most {MOST_BYTES} are read", "split the document")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}", "save the file as UTF-8") from None
    if not text.strip():
        raise DataError(f"{path}: expected text, received an empty file", "remove it, or write it")
    heading = _HEADING.fullmatch(text.lstrip().split("\n", 1)[0].strip())
    return Document(text, source, heading.group(1).strip(" #") if heading else "")


def _rows(table: Table) -> list[Document]:
    problems = list(table.problems)
    found = [
        _row(table.place(number), Path(table.name).name, number, row, problems) for number, row in table.rows
    ]
    if problems:
        raise DataError(several(problems), f"mend these rows of {table.name}; allowed: {', '.join(KNOWN)}")
    return [document for document in found if document]


def _row(place: str, name: str, number: int, row: Mapping[str, Any], problems: list[str]) -> Document | None:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        problems.append(f"{place}: text: expected text, received {kind_of(text) if text else 'nothing'}")
        return None
    told = {key: row.get(key) for key in ("source", "title")}
    for key, value in told.items():
        if value is not None and not isinstance(value, str | int | float):
            problems.append(f"{place}: {key}: expected text, received {kind_of(value)}")
            return None
    source = f"{name}:{number}" if told["source"] is None else str(told["source"])
    return Document(text, source, "" if told["title"] is None else str(told["title"]))


def passages(documents: Sequence[Document], *, words: int, overlap: int = 0) -> list[Passage]:
    """Cut documents at their paragraphs into passages of at most `words` words.

    Paragraphs stay whole where they fit; one that is longer than a passage is cut between words. Each passage of
    a document but the first begins with the last `overlap` words of the one before, so that what a cut parts
    stands together once. A heading alone is no passage: it goes with what it stands over.

    Args:
        words: longest passage, at least 1 more than `overlap`.
    """
    return [
        Passage(text, document.source, document.title)
        for document in documents
        for text in _cut(document.text, words, overlap)
    ]


def _cut(text: str, words: int, overlap: int) -> list[str]:
    room = words - overlap
    pieces = [
        piece
        for paragraph in _PARAGRAPH.split(text.strip())
        for piece in _windows(paragraph.strip(), room)
        if piece
    ]
    chunks: list[list[str]] = []
    held = 0
    for number, piece in enumerate(pieces):
        size = len(piece.split())
        heads = bool(_HEADING.fullmatch(piece)) and number + 1 < len(pieces)
        following = len(pieces[number + 1].split()) if heads else 0
        needed = size + following if size + following <= room else size
        if not chunks or held + needed > room:
            chunks.append([])
            held = 0
        chunks[-1].append(piece)
        held += size
    bodies = ["\n\n".join(chunk) for chunk in chunks]
    tails = ["", *(" ".join(body.split()[-overlap:]) if overlap else "" for body in bodies[:-1])]
    return [f"{tail}\n\n{body}" if tail else body for tail, body in zip(tails, bodies, strict=True)]


def _windows(paragraph: str, room: int) -> list[str]:
    """The paragraph as it is, or runs of at most `room` words of it."""
    found = paragraph.split()
    if len(found) <= room:
        return [paragraph]
    return [" ".join(found[start : start + room]) for start in range(0, len(found), room)]
