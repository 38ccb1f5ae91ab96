"""Lists of words and phrases that a recipe names, and how often a text uses them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from trimtab.errors import MetricError
from trimtab.language import phrases as language


def read(path: Path | str) -> list[str]:
    """The entries of a user's list: one a line; # begins a comment line.

    Raises:
        MetricError: no such file, not UTF-8, or nothing in it.
    """
    try:
        found = language.entries(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MetricError(
            f"word list {path}: {error}", "expected a UTF-8 text file, one phrase a line"
        ) from None
    if not found:
        raise MetricError(f"word list {path}: no entries", "write one phrase a line")
    return found


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
