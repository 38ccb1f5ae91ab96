"""Other files of a project that Trimtab wrote: pages that can be written again, and records in JSON."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from trimtab.erasure.runs import cleaned
from trimtab.erasure.search import Change, Search, holds
from trimtab.erasure.texts import Redactor
from trimtab.run import write_atomic

# By the end of a file's name. Pages show texts in many forms and are written again by the verb that made them.
PAGES = ("audit.html", "report.html", "card.md", "card.html")
RECORDS = ("audit.json", ".ledger.jsonl", ".ledger.json", ".undo.jsonl", ".undo.json")


def plan(search: Search) -> Iterator[Change]:
    """Pages that hold one of the texts are removed; records lose the rows and the texts."""
    for path in search.files:
        if path.name.endswith(PAGES) and holds(path, search.person.needles):
            remove = functools.partial(path.unlink, missing_ok=True)
            yield Change("pages", path, "page removed; its verb writes it again", remove, texts=1)
        elif path.name.endswith(RECORDS):
            redactor = _redactor(search)
            if cleaned(path, redactor) is not None:
                clean = functools.partial(_clean, path, search)
                yield Change("records", path, "rows and texts removed", clean, redactor.rows, redactor.texts)


def _redactor(search: Search) -> Redactor:
    return Redactor(search.person.needles, search.person.ids, search.person.subject)


def _clean(path: Path, search: Search) -> None:
    content = cleaned(path, _redactor(search)) if path.is_file() else None
    if content is not None:
        write_atomic(path, content)
