"""Which groups of people a text names, and which attributes stand beside them: word lists, matched by whole words.

A word is matched as written in the list, with a capital first, and in capitals; a first name with a capital only. What
decides is the word and the one that follows, not its sense: "Christian" is a first name too, and irony, hints ("that
neighbourhood") and people who are named by their own names alone are not seen. English only.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trimtab.groups.swap import grammar, sections

_WORD = re.compile(r"[^\W\d_]+")
_ASCII = "".join(chr(code) if chr(code).isalpha() else " " for code in range(128))
# "a ten year old man" is not old.
_YEARS = frozenset({"year", "years", "yr", "month", "months", "week", "weeks", "day", "days"})
# "A French family friendly restaurant" is no family.
_FRIENDLY = "friendly"
_BEFORE_PEOPLE = "*"
NAMES = "first names"


def words_of(text: str) -> list[str]:
    """The runs of letters of a text, in order; of ASCII in a quarter of the time that the expression takes."""
    return text.translate(_ASCII).split() if text.isascii() else _WORD.findall(text)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of people of an axis; `bit` is its place among all groups."""

    axis: str
    name: str
    bit: int


@dataclass(frozen=True, slots=True)
class Term:
    """A word or two that name a group; `shown` is how tables call it."""

    shown: str
    group: Group


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The terms of all groups.

    Attributes:
        groups: in the order of the file; their bits are their places.
        even: axes of which the groups are about equally many people.
        terms: all of them.
        forms: every written form of a word that is a term or begins one.
        single: form to the place of its term in `terms`, where the word alone is one.
        pairs: form to what may follow it, in lower case, and the term's place then; `*`: any word for people.
        people: words that "*" stands for.
        bits: the bit (1, 2, 4, ...) of each term's group, by the term's place.
    """

    groups: tuple[Group, ...]
    even: frozenset[str]
    terms: tuple[Term, ...]
    forms: frozenset[str]
    single: Mapping[str, int]
    pairs: Mapping[str, Mapping[str, int]]
    people: frozenset[str]
    bits: tuple[int, ...]

    def axes(self) -> dict[str, list[Group]]:
        """The groups by their axis."""
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            found.setdefault(group.axis, []).append(group)
        return found

    def named(self, words: Sequence[str]) -> set[int]:
        """Places in `terms` of those among the words of a text, which are in its order, as `words_of` finds them."""
        met = self.forms.intersection(words)
        if not met:
            return set()
        found: set[int] = set()
        paired = False
        for form in met:
            place = self.single.get(form)
            if place is not None:
                found.add(place)
            paired = paired or form in self.pairs
        if paired:
            found.update(self._paired(words))
        return found

    def _paired(self, words: Sequence[str]) -> Iterator[int]:
        used = -1
        for place in range(len(words) - 1):
            after = self.pairs.get(words[place])
            # "African American lawyers" are named once.
            if after is None or place == used or (place and words[place - 1].lower() in _YEARS):
                continue
            follower = words[place + 1].lower()
            if follower in after:
                used = place + 1
                yield after[follower]
            elif (
                _BEFORE_PEOPLE in after
                and follower in self.people
                and not (place + 2 < len(words) and words[place + 2].lower() == _FRIENDLY)
            ):
                yield after[_BEFORE_PEOPLE]


@functools.cache
def lexicon() -> Lexicon:
    """The terms of axes.txt, and the first names of words.txt."""
    groups: list[Group] = []
    terms: list[Term] = []
    single: dict[str, int] = {}
    pairs: dict[str, dict[str, int]] = {}
    even: set[str] = set()
    for axis, listed in _listed():
        if axis.endswith(": even"):
            axis = axis.removesuffix(": even")
            even.add(axis)
        for name, written in listed:
            groups.append(group := Group(axis, name, len(groups)))
            for words in written:
                first, *then = words.split()
                terms.append(Term(_shown(words), group))
                forms = _forms(first)[1:] if axis == NAMES else _forms(first)
                for form in forms:
                    if then:
                        pairs.setdefault(form, {})[then[0]] = len(terms) - 1
                    else:
                        single[form] = len(terms) - 1
    return Lexicon(
        tuple(groups),
        frozenset(even),
        tuple(terms),
        frozenset([*single, *pairs]),
        single,
        pairs,
        grammar().people | {form for entry in attributes()[: _occupations()] for form in entry.words},
        tuple(1 << term.group.bit for term in terms),
    )


def _listed() -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Axes with their groups and the terms of each."""
    for axis, lines in sections("axes.txt").items():
        parted = (line.partition(":") for line in lines)
        yield axis, [(name.strip(), _parted(words)) for name, _, words in parted]
    men, women = zip(*(line.split()[::2] for line in sections("words.txt")["names"]), strict=True)
    yield f"{NAMES}: even", [("women's names", list(women)), ("men's names", list(men))]


def _parted(line: str) -> list[str]:
    return [word.strip() for word in line.split(",")]


def _shown(words: str) -> str:
    return words.replace(f" {_BEFORE_PEOPLE}", " …")


def _forms(word: str) -> list[str]:
    """A word, with a capital first, and in capitals, but for MS, which is an illness."""
    forms = [word, word.capitalize(), *([word.upper()] if word != "ms" else [])]
    return list(dict.fromkeys(forms))


@dataclass(frozen=True, slots=True)
class Attribute:
    """An entry of attributes.txt: what it is called, and its words in lower case."""

    name: str
    words: tuple[str, ...]


@functools.cache
def attributes() -> tuple[Attribute, ...]:
    """The occupations, each for itself, and then the lists."""
    found: list[Attribute] = []
    for heading, lines in sections("attributes.txt").items():
        if heading == "occupations":
            found += [_occupation(line) for line in lines]
        else:
            found.append(Attribute(heading, tuple(word for line in lines for word in _parted(line))))
    return tuple(found)


def _occupations() -> int:
    return len(sections("attributes.txt")["occupations"])


def _occupation(line: str) -> Attribute:
    words = _parted(line)
    return Attribute(words[0], tuple(words) if len(words) > 1 else (words[0], f"{words[0]}s"))


@functools.cache
def attribute_forms() -> Mapping[str, int]:
    """Every written form of an attribute's word, and the bit (1, 2, 4, ...) of its entry."""
    return {
        form: 1 << place
        for place, entry in enumerate(attributes())
        for word in entry.words
        for form in (word, word.capitalize(), word.upper())
    }


def attributed(words: Iterable[str]) -> int:
    """The bits of the attributes among some words, or-ed."""
    forms, bits = attribute_forms(), 0
    for form in _attribute_words().intersection(words):
        bits |= forms[form]
    return bits


@functools.cache
def _attribute_words() -> frozenset[str]:
    return frozenset(attribute_forms())
