"""Stores of judgements: what people were shown or answered of a person's rows, and what they wrote about it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from trimtab.erasure.runs import found
from trimtab.erasure.search import Change, Search
from trimtab.review import erasing
from trimtab.review.erasing import Owned
from trimtab.review.store import FILE, Store, named

PLACE = "judgements"


def plan(search: Search) -> Iterator[Change]:
    """Each store beside the runs, and the one that the environment names, loses the texts; choices stay."""
    of_runs = {
        str(folder.read("identity.json")["identity"]): found(search.person, folder).ids
        for folder in search.runs
    }
    owned = Owned(of_runs, search.person.needles.inside)
    places = {folder.path.resolve().parent / FILE for folder in search.runs}
    urls = {f"sqlite:///{path}": path for path in sorted(places) if path.is_file()}
    if named():
        urls[named()] = Path(FILE)
    for url, path in urls.items():
        rows, texts = _within(url, owned)
        if rows or texts:
            yield Change(
                PLACE, path, "texts removed; choices stay", functools.partial(_erase, url, owned), rows, texts
            )


def _within(url: str, owned: Owned) -> tuple[int, int]:
    store = Store.open(url)
    try:
        return erasing.found(store, owned)
    finally:
        store.close()


def _erase(url: str, owned: Owned) -> None:
    store = Store.open(url)
    try:
        erasing.erase(store, owned)
    finally:
        store.close()
