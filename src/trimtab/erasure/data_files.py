"""Data files without a person's rows."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from pathlib import Path

from trimtab.erasure.search import Change, Search
from trimtab.erasure.spans import without
from trimtab.run import write_atomic

PLACE = "data"


def plan(search: Search) -> Iterator[Change]:
    """The rows to remove from each file.

    Files that name the subject come last. So a request that is cut off finds in them, when it is given again, whose
    copies are still to be removed elsewhere.
    """
    person = search.person
    for path in sorted(person.rows, key=lambda path: (path in person.named, path)):
        numbers = person.rows[path]
        yield Change(PLACE, path, "rows removed", functools.partial(remove, path, numbers), len(numbers))


def remove(path: Path, numbers: Collection[int]) -> None:
    """Write a file again without the rows of these numbers, whole or not at all.

    Raises:
        RunError: it cannot be written; it is as it was.
    """
    mode = path.stat().st_mode
    write_atomic(path, without(path, numbers))
    path.chmod(mode)
