"""Typing errors of people: a neighbouring key, a letter lost, doubled or exchanged, a word in capitals."""

from __future__ import annotations

import random

from trimtab.data.augment.made import asked, chance, reworded
from trimtab.language.quantities import QUANTITY, spelled
from trimtab.language.text import word_spans
from trimtab.records import Example

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    key: "".join(
        row[place]
        for row in ROWS[max(0, line - 1) : line + 2]
        for place in range(max(0, at - 1), min(len(row), at + 2))
        if row[place] != key
    )
    for line, keys in enumerate(ROWS)
    for at, key in enumerate(keys)
}
SHORTEST = 4


def noisy(parent: Example, *, rate: float, seed: int, number: int = 0) -> Example | None:
    """The row with typing errors in its last user turn; names and quantities are left alone.

    Args:
        rate: share of the plain words that get an error, above 0 to 1; at least one does.
        number: which of the parent's noisy rows.

    Returns:
        None where no word may get an error.
    """
    text, chances = asked(parent), chance(seed, parent.id, "noise", number)
    places = plain_words(text)
    if not places:
        return None
    chosen = sorted(chances.sample(places, max(1, round(rate * len(places)))), reverse=True)
    for start, end in chosen:
        text = text[:start] + _mistyped(text[start:end], chances) + text[end:]
    return reworded(parent, text, "noise", number)


def plain_words(text: str) -> list[tuple[int, int]]:
    """Where lower-case ASCII words of at least four letters stand that belong to no quantity."""
    taken = [match.span() for match in QUANTITY.finditer(text)]
    return [
        (start, end)
        for start, end in word_spans(text)
        if end - start >= SHORTEST
        and (word := text[start:end]).isascii()
        and word.isalpha()
        and word.islower()
        and not spelled(word)
        and not any(start < stop and begin < end for begin, stop in taken)
    ]


def _mistyped(word: str, chances: random.Random) -> str:
    at = chances.randrange(1, len(word) - 1)
    kind = chances.choice(("neighbour", "lost", "doubled", "exchanged", "capitals"))
    if kind == "neighbour":
        return word[:at] + chances.choice(NEIGHBOURS[word[at]]) + word[at + 1 :]
    if kind == "lost":
        return word[:at] + word[at + 1 :]
    if kind == "doubled":
        return word[:at] + word[at] + word[at:]
    if kind == "exchanged":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word.upper()
