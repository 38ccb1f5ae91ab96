"""Whether texts may offend those who open a page: then they stay closed until they are asked for."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from trimtab.language.phrases import find, listed_words, pattern
from trimtab.run import RunFolder

# From this share of texts with a swear word or an insult on, a set is taken to hold more than the list knows.
SHARE = 0.05
NOTE = "Texts of this set may offend; they are closed until you open them."


def may_offend(texts: Iterable[str]) -> bool:
    """Whether at least 5% of the texts hold a word of the list of English swear words and insults."""
    every = list(texts)
    return sum(_rude(text) for text in every) >= max(1.0, SHARE * len(every))


def offending(folder: RunFolder) -> bool:
    """Whether prompts and references of a run's select part may offend."""
    return may_offend(
        text
        for row in folder.rows("examples.jsonl")
        for text in (*(turn["content"] for turn in row.get("messages") or ()), *(row.get("references") or ()))
    )


def _rude(text: str) -> bool:
    words = _words()
    return words is not None and bool(find(words, text))


@functools.cache
def _words() -> re.Pattern[str] | None:
    return pattern(listed_words("toxic"))
