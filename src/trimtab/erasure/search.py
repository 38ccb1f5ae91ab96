"""What a search works on, what it may find, and the folders that it walks through."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from trimtab.erasure.person import Person
from trimtab.erasure.texts import Needles
from trimtab.run import RunFolder

Adapters = Literal["taint", "delete"]
FOLDER = "erasures"
# Made again from other files, or another program's; a history of versions cannot be rewritten from here.
PASSED_OVER = ("__pycache__", "node_modules", ".venv", "venv", ".mypy_cache", ".ruff_cache", ".pytest_cache")
HISTORIES = (".git", ".hg", ".svn")
PART = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)\.part")
PIECE = 16 * 2**20
# Seconds after which nobody goes on writing a file of which no process is known.
STALE = 3600.0


@dataclass(frozen=True)
class Change:
    """One file or folder that is to change.

    Attributes:
        place: name of the place that it belongs to.
        what: what is done, in words that may stand in a proof: they quote nothing.
        apply: does it; doing it again does no harm.
        rows: rows that go. texts: texts of other rows or files that quote them, and go.
    """

    place: str
    path: Path
    what: str
    apply: Callable[[], None]
    rows: int = 0
    texts: int = 0


@dataclass(frozen=True)
class Search:
    """A request to erase, and everything that is looked through for it.

    Attributes:
        files: of the project that are neither data files nor part of a run.
        request: name of the request; it says nothing of the person.
    """

    project: Path
    cache: Path
    person: Person
    runs: tuple[RunFolder, ...]
    files: tuple[Path, ...]
    request: str
    adapters: Adapters = "taint"


def walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in a fixed order; links, histories and what others make again are passed over."""
    if not folder.is_dir():
        return
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (*PASSED_OVER, *HISTORIES))
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


def holds(path: Path, needles: Needles) -> bool:
    """Whether a file holds one of the texts: as it stands, unpacked, or in a member of an archive (npz, xlsx)."""
    if not needles.texts:
        return False
    longest = max(map(len, needles.forms))
    return any(needles.within(piece) for piece in _pieces(path, longest))


def _pieces(path: Path, overlap: int) -> Iterator[bytes]:
    """The bytes of a file in pieces that overlap, packed and unpacked."""
    with path.open("rb") as stream:
        yield from _read(stream, overlap)
    with contextlib.suppress(gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError):
        if path.name.lower().endswith(".gz"):
            with gzip.open(path, "rb") as unpacked:
                yield from _read(unpacked, overlap)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        yield from _read(member, overlap)


def _read(stream: IO[bytes] | gzip.GzipFile, overlap: int) -> Iterator[bytes]:
    before = b""
    while piece := stream.read(PIECE):
        yield before + piece
        before = piece[-overlap:]


def left_behind(path: Path) -> bool:
    """Whether this is what a process left that was killed while it wrote a file."""
    found = PART.fullmatch(path.name)
    if not found or os.name != "posix":
        return path.name.endswith(".part") and time.time() - path.stat().st_mtime > STALE
    try:
        os.kill(int(found["process"]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return int(found["process"]) == os.getpid()
