"""What Trimtab keeps in the user's cache folder, and what processes left that were killed while they wrote."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

from trimtab.erasure.search import FOLDER, Change, Search, holds, left_behind, walk
from trimtab.model.kept import item_key

# Published weights, made from nobody's rows here.
MODELS = "models"


def tokens(search: Search) -> Iterator[Change]:
    """Every file of rendered rows.

    Its rows are numbers of tokens, which cannot be read without the tokenizer that they were made with: all files
    go, and are rendered again where they are needed.
    """
    for path in walk(search.cache / "tokens"):
        if path.suffix != ".lock":
            yield Change("tokens", path, "file removed", functools.partial(_remove, path))


def answers(search: Search) -> Iterator[Change]:
    """Replies of services to the person's rows, and replies that quote them."""
    return _kept(search, "answers")


def rewritten(search: Search) -> Iterator[Change]:
    """What a base model made of the person's rows in other words, which no search for their words would find."""
    return _kept(search, "augment")


def _kept(search: Search, place: str) -> Iterator[Change]:
    """Files that name the hash of one of the person's rows, or quote it."""
    keys = {item_key(name) for name in search.person.ids if name}
    for path in walk(search.cache / place):
        asked = _item(path) in keys
        if asked or holds(path, search.person.needles):
            yield Change(place, path, "file removed", functools.partial(_remove, path), rows=int(asked))


def others(search: Search) -> Iterator[Change]:
    """Everything else in the cache that holds one of the texts, but for published models."""
    for path in walk(search.cache):
        elsewhere = path.relative_to(search.cache).parts[0] not in (MODELS, "tokens", "answers", "augment")
        if elsewhere and holds(path, search.person.needles):
            yield Change("cache", path, "file removed", functools.partial(_remove, path), texts=1)


def unfinished(search: Search) -> Iterator[Change]:
    """Files that were being written by a process that is no more: they may hold anything."""
    folders = {search.project, search.cache, *(path.parent for path in search.person.rows)}
    for path in sorted({path for folder in folders for path in _parts(folder, search)}):
        yield Change("unfinished", path, "file removed", functools.partial(_remove, path))


def _parts(folder: Path, search: Search) -> Iterator[Path]:
    # Beside a data file that lies outside the project only what is beside it.
    inside = folder in (search.project, search.cache)
    paths = walk(folder) if inside else (path for path in folder.iterdir() if path.is_file())
    yield from (path for path in paths if left_behind(path) and FOLDER not in path.parts)


def _item(path: Path) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("item", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) and found else ""


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
