"""Lists of words and phrases, and how often a text uses them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from trimtab.errors import MetricError
from trimtab.language import phrases as language


def built_in(name: str) -> list[str]:
    """The entries of one of the lists that come with the package: hype, toxic, refusal."""
    text = resources.files("trimtab.measure").joinpath("words", f"{name}.txt").read_text(encoding="utf-8")
    return entries(text)


def read(path: Path | str) -> list[str]:
    """The entries of a user's list: one a line; # begins a comment line.

    Raises:
        MetricError: no such file, not UTF-8, or nothing in it.
    """
    try:
        found = entries(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MetricError(
            f"word list {path}: {error}", "expected a UTF-8 text file, one phrase a line"
        ) from None
    if not found:
        raise MetricError(f"word list {path}: no entries", "write one phrase a line")
    return found


def entries(text: str) -> list[str]:
    """The lines of a list that are neither empty nor comments."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """A pattern for `count` that finds whole phrases, the longest first; a final * allows any ending.

    Raises:
        MetricError: no phrase is left after normalisation.
    """
    found = language.pattern(phrases)
    if found is None:
        raise MetricError("phrases: the list is empty", "give at least one word or phrase")
    return found


def count(found: re.Pattern[str], text: str) -> int:
    """How often the phrases of a pattern occur in a text, without overlaps."""
    return len(language.find(found, text))
