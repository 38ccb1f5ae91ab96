"""Listed wordings, looked for quickly: most texts hold none of the words that the listed phrases begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources

from trimtab.language import phrases
from trimtab.language.text import Span
from trimtab.measure.phrases import entries

_KEY = re.compile(r"[a-z]{3,}")


class Wording:
    """Phrases with a test that most texts fail: in each phrase one word is looked for as a plain string first.

    It finds what `language.phrases.find` finds with the same phrases.
    """

    def __init__(self, listed: Iterable[str]) -> None:
        self.entries = tuple(listed)
        self.pattern = phrases.pattern(self.entries)
        keys = [max(_KEY.findall(entry.lower()), key=len, default="") for entry in self.entries]
        # Without a plain word in every phrase no text can be ruled out.
        self.keys = tuple(dict.fromkeys(keys)) if all(keys) else ("",)
        shortest = sorted(self.keys, key=len)
        self.keys = tuple(k for i, k in enumerate(shortest) if not any(other in k for other in shortest[:i]))

    def find(self, text: str) -> list[Span]:
        """Where the phrases occur, in order, without overlaps."""
        if self.pattern is None:
            return []
        if text.isascii():
            lower = text.lower()
            if not any(key in lower for key in self.keys):
                return []
        return phrases.find(self.pattern, text)


def listed(name: str) -> list[str]:
    """The entries of one of the lists of this package: boilerplate, closings, filler, openings."""
    file = resources.files("trimtab.audit.checks").joinpath("words", f"{name}.txt")
    return entries(file.read_text(encoding="utf-8"))
