"""What a data card says, from an audit, the files themselves, and what only people know."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab import run
from trimtab.audit.auditing import audit
from trimtab.audit.columns import NAME
from trimtab.audit.fixing import LEDGER
from trimtab.audit.groups.saying import NAME as GROUPS
from trimtab.audit.result import Asked, Audit
from trimtab.audit.rows import texts_in
from trimtab.errors import DataError
from trimtab.records import Report


@dataclass(frozen=True)
class Declared:
    """What no column says; empty where it is not known.

    Attributes:
        name: what people call the set; description: what it is, in a sentence or few; uses: what it is meant for.
        licence: of the set, where its rows say none, as SPDX names it.
        creator: person or organisation; citation: how they want the set to be cited.
        url: where it stands; version: such as 1.0.0; published: day, YYYY-MM-DD.
    """

    name: str = ""
    description: str = ""
    licence: str = ""
    creator: str = ""
    uses: str = ""
    url: str = ""
    version: str = ""
    published: str = ""
    citation: str = ""


@dataclass(frozen=True)
class Facts:
    """All that a data card says.

    Attributes:
        source: the file or folder; files: how many.
        size: bytes; sha256: of the file; of a folder over the names and hashes of its files.
        ledger: changes by rule and action, where the set is a copy that a fix wrote; empty: it is none, or its ledger
            is not beside it.
        command: what writes the card again.
    """

    found: Audit
    source: Path
    files: tuple[str, ...]
    size: int
    sha256: str
    declared: Declared
    ledger: Mapping[tuple[str, str], int] = field(default_factory=dict)
    command: str = ""

    @property
    def name(self) -> str:
        """What the set is called: as declared, else as its file."""
        return self.declared.name or self.stem

    @property
    def stem(self) -> str:
        """The name of the file without its endings."""
        return self.source.resolve().name.partition(".")[0] or self.source.resolve().name

    @property
    def described(self) -> Mapping[str, Any]:
        """What the columns hold: `columns`, `inside` and `parts`."""
        section = self.found.section(NAME)
        return section.data if section else {"columns": {}, "inside": {}, "parts": {}}

    @property
    def origins(self) -> Mapping[str, Any]:
        """Rows by licence, source and consent, people, and days; empty where no row says any."""
        section = self.found.section("origins")
        return section.data if section else {}

    @property
    def biases(self) -> tuple[str, ...]:
        """What was measured of groups of people, and what of them was not; empty where no row names one."""
        section = self.found.section(GROUPS)
        return section.said if section else ()

    @property
    def licences(self) -> Mapping[str, int]:
        """Rows by licence, as they say it themselves; where none does, all of them by the one that is declared."""
        said: Mapping[str, int] = self.origins.get("licence", {})
        return said or ({self.declared.licence: self.found.rows} if self.declared.licence else {})

    @property
    def readable(self) -> int:
        """Rows that can be read as what most of them are."""
        broken = self.found.of("broken_shape")
        return self.found.rows - (broken.count if broken else 0)


def facts(
    source: str,
    asked: Asked | None = None,
    declared: Declared | None = None,
    *,
    command: str = "",
    report: Report | None = None,
) -> Facts:
    """Audit a file or a folder of texts, and gather what its card says.

    Raises:
        DataError: as `audit`; it is a set of the Hub, which has a card; or it changes while it is read.
        MissingPart: as `audit`.
    """
    if source.startswith("hub:"):
        raise DataError(f"{source}: a set of the Hub, which has a card of its own", "name a file of rows")
    path = Path(source)
    files = _files(path)
    before = _state(path, files)
    found = audit(source, asked, report=report)
    sha256 = run.file_hash(path) if path.is_file() else _over(path, files)
    if _state(path, files) != before:
        raise DataError(f"{source}: it changed while it was read", "write the card when nothing writes to it")
    size = sum((path / name if path.is_dir() else path).stat().st_size for name in files)
    return Facts(found, path, files, size, sha256, declared or Declared(), _ledger(path), command)


def _files(path: Path) -> tuple[str, ...]:
    if not path.is_dir():
        return (path.name,)
    return tuple(one.relative_to(path).as_posix() for one in texts_in(path))


def _state(path: Path, files: tuple[str, ...]) -> list[tuple[int, int]]:
    paths = [path / name for name in files] if path.is_dir() else [path]
    return [(one.stat().st_size, one.stat().st_mtime_ns) for one in paths if one.is_file()]


def _over(path: Path, files: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in files:
        digest.update(f"{run.file_hash(path / name)}  {name}\n".encode())
    return digest.hexdigest()


def _ledger(path: Path) -> dict[tuple[str, str], int]:
    """Changes of the fix that wrote this file, counted from the ledger beside it.

    Raises:
        DataError: a line of it is none of a ledger.
    """
    ledger = Path(f"{path}{LEDGER}")
    if not ledger.is_file():
        return {}
    counts: Counter[tuple[str, str]] = Counter()
    with ledger.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                change = json.loads(line)
                counts[str(change["rule"]), str(change["action"])] += 1
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f"{ledger}:{number}: expected a change with rule and action",
                    "move the file away, or fix again",
                ) from None
    return dict(counts)
