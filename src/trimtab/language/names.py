"""Named terms of a text, and whether what is said of them, or counted, occurs in other texts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trimtab.language.quantities import QUANTITY, Quantity, quantities, spelled, supported
from trimtab.language.text import normal, sentences

_TERM = re.compile(r"[^\W_]+(?:['’\-./&][^\W_]+)*")
_GOES_ON = re.compile(r"\w$|\d[.,]$")
_CARRIES_ON = re.compile(r"\w|[.,]\d")
_ENDING = re.compile(r"(?<=\w{3})(?:(?<!s)s|e?d|ing)$")
_FUNCTION_WORDS = (
    "a an and are as at be by for from has have in into is it its no not of on or per that the their this to "
    "up was were which with without each made than over under about around via"
)
_SMALL = frozenset(_FUNCTION_WORDS.split())


def terms(text: str) -> list[str]:
    """Named terms of a text, in order, without repeats: capitalised names, acronyms, codes with digits.

    A capital at the beginning of a sentence makes no name, unless the word holds another capital or a digit,
    is followed by another name, or is capitalised elsewhere inside a sentence.
    """
    inside: set[str] = set()
    opening: list[tuple[str, list[str]]] = []
    found: list[str] = []
    for sentence in sentences(text):
        runs = _runs(QUANTITY.sub(" ; ", sentence))
        for first, run in runs:
            if first and len(run) == 1 and not _marked(run[0]):
                opening.append((sentence, run))
                continue
            inside.update(run)
            found.append(" ".join(run))
    found += [run[0] for _, run in opening if run[0] in inside]
    return list(dict.fromkeys(found))


def _runs(sentence: str) -> list[tuple[bool, list[str]]]:
    """Runs of neighbouring name-like words of a sentence, and whether each opens the sentence."""
    runs: list[tuple[bool, list[str]]] = []
    end, first = -2, True
    for match in _TERM.finditer(sentence):
        word = re.sub(r"['’]s$", "", match[0])
        named = _named(word) and word.lower() not in _SMALL
        if named and runs and sentence[end : match.start()] == " ":
            runs[-1][1].append(word)
        elif named:
            runs.append((first, [word]))
        end, first = match.end() if named else -2, False
    return runs


def _named(word: str) -> bool:
    return _marked(word) or (word[0].isupper() and len(word) > 1 and word[1:].islower())


def _marked(word: str) -> bool:
    """Name-like wherever it stands: a code with digits, an inner capital, a short acronym."""
    if any(c.isdigit() for c in word):
        return any(c.isalpha() for c in word)
    capitals = sum(c.isupper() for c in word)
    shouted = word.isupper() and len(word) > 5  # a long word in capitals is emphasis
    return capitals > 1 and not shouted


class Known:
    """The quantities and words of some texts, to look facts up in."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = [normal(text) for text in texts]
        whole = "\n".join(self.texts)
        self.quantities = quantities(whole) + spelled(whole)
        words = _TERM.findall(whole)
        bare = (word.removesuffix("'s") for word in words)
        self.words = {stem for word in (*words, *bare) for stem in _stems(word)}

    def keeps(self, fact: str) -> bool:
        """Whether a fact is held word for word, or by all its quantities and content words."""
        form = normal(fact)
        if form and any(_holds(text, form) for text in self.texts):
            return True
        wanted = quantities(form)
        content = [w for w in _TERM.findall(QUANTITY.sub(" ", form)) if w not in _SMALL]
        if not wanted and not content:
            return False
        return all(supported(q, self.quantities) for q in wanted) and all(self._has(w) for w in content)

    def knows(self, item: Quantity | str) -> bool:
        """Whether a quantity, or every word of a named term, occurs."""
        if isinstance(item, Quantity):
            return supported(item, self.quantities)
        return all(self._has(word) for word in normal(item).split())

    def _has(self, word: str) -> bool:
        whole, *parts = _stems(word)
        return whole in self.words or (bool(parts) and all(part in self.words for part in parts))


def _holds(text: str, form: str) -> bool:
    """Whether a form stands in a text between word boundaries, and not inside a longer number."""
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        if not _GOES_ON.search(text[max(0, start - 2) : start]) and not _CARRIES_ON.match(
            text[end : end + 2]
        ):
            return True
        start = text.find(form, start + 1)
    return False


def _stems(word: str) -> list[str]:
    """The word, then its parts at hyphens if it has any, each without the commonest endings."""
    parts = re.split(r"[-/&]", word)
    return [_ENDING.sub("", part) for part in ([word, *parts] if len(parts) > 1 else [word])]
