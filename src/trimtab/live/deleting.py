"""Deleting a profile deletes everything that it learned."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from trimtab import erasure
from trimtab.errors import DataError, ProfileError
from trimtab.live import answers, profiles
from trimtab.review.store import Store


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted: files, and answers with what was said of them."""

    files: int
    answers: int


def delete(folder: Path, name: str, store: Store | None) -> Deleted:
    """Delete a profile: its file, its rows, runs and adapters, what caches have of them, its answers and feedback.

    Its file goes first, so that a server knows it no more from then on. Given again after it was cut off, it does
    what is left.

    Raises:
        ProfileError: there is nothing of this name.
        RunError: a run of its own is being made: its file is gone, the rest is not.
    """
    path, home = profiles.place(folder, name), profiles.home(folder, name)
    files = [one for one in (path, *home.rglob("*")) if one.is_file()]
    path.unlink(missing_ok=True)
    if home.is_dir():
        # Caches have its rows too; an erasure knows all of them. Nobody known there is nothing cached.
        with contextlib.suppress(DataError):
            erasure.erase(erasure.Asked(name, home, adapters="delete", retrain=False))
    kept = answers.forget(store, model=name) if store else 0
    if home.is_dir():
        shutil.rmtree(home)
    if not files and not kept:
        there = ", ".join(profiles.names(folder)) or "none"
        raise ProfileError(
            f"{folder}: no profile {name}; there are: {there}", "see them with: trimtab profile"
        )
    return Deleted(len(files), kept)
