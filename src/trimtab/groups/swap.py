"""A text with its groups of people swapped: the same sentence about the other group.

Counterfactual substitution by word pairs (Zhao et al. 2018, section 4; Lu et al. 2018), with the grammar of English
where a pair is not enough: *her* is *his* before a noun and *him* elsewhere, *his* is *her* before a noun and *hers*
elsewhere, and *a* becomes *an* where the next word asks for it. What decides is the word that follows, not a parser,
so a few sentences come out ungrammatical ("I saw her duck", "a friend of his called"). All groups of a text are swapped
at once. Texts about bodies ("pregnant", "prostate") are left as they are: swapped, they would be false. A famous
person's name is swapped like any other; the sentence may then be untrue. English only.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

# Web and mail addresses, code in backticks and placeholders in braces stay; all else is cut into words and the rest.
PIECE = re.compile(
    r"(?P<fixed>https?://\S+|www\.\S+|\S+@\S+\.\w+|`[^`]*`|\{[^{}]*\}|<[^<>\s]*>)|(?P<word>[^\W\d_]+(?:'am\b)?)"
)
BODY = re.compile(
    r"\b(pregnan\w*|menstru\w*|menopaus\w*|uterus|uterine|ovar(?:y|ies|ian)|cervi(?:x|cal)|vagina\w*|breastfe\w*|"
    r"gyn(?:a)?ecolog\w*|obstetric\w*|maternity|miscarri\w*|abortion\w*|prostat\w*|testic\w*|penis|erecti\w*|semen|"
    r"sperm|beard\w*|moustache\w*|mustache\w*)\b",
    re.IGNORECASE,
)
SILENT = ("heir", "honest", "honour", "honor", "hour")
CONSONANT = ("uni", "use", "usual", "euro", "one", "once")


@dataclass(frozen=True, slots=True)
class Words:
    """Counterparts in lower case: of any word, of words before people only, and of first names."""

    pairs: Mapping[str, str]
    before_people: Mapping[str, str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Lists of words in lower case, as the file grammar.txt explains them."""

    closed: frozenset[str]
    open: frozenset[str]
    letting: frozenset[str]
    verbs: frozenset[str]
    sending: frozenset[str]
    people: frozenset[str]
    sizes: frozenset[str]


@functools.cache
def words() -> Words:
    """The word pairs, as words.txt lists them."""
    found: dict[str, dict[str, str]] = {}
    for name, lines in sections("words.txt").items():
        pairs = found.setdefault(name, {})
        for one, sign, other in map(str.split, lines):
            pairs[one] = other
            if sign == "=":
                pairs[other] = one
    return Words(found["words"], found["before people"], found["names"])


@functools.cache
def grammar() -> Grammar:
    """The lists, as grammar.txt has them."""
    return Grammar(
        **{name: frozenset(" ".join(lines).split()) for name, lines in sections("grammar.txt").items()}
    )


def sections(file: str) -> dict[str, list[str]]:
    """The lines of a file of this folder by the heading that they stand under, without comments."""
    text = resources.files("trimtab").joinpath("groups", file).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def swapped(text: str) -> str:
    """The text with every group swapped for its counterpart; unchanged where it names none, or is about bodies."""
    if BODY.search(text):
        return text
    pieces = [match for match in PIECE.finditer(text) if match["word"]]
    said = [match["word"] for match in pieces]
    fresh = [_counterpart(text, pieces, said, place) for place in range(len(said))]
    out, end = [], 0
    for place, match in enumerate(pieces):
        word = fresh[place]
        if word.lower() in ("a", "an") and place + 1 < len(fresh) and fresh[place + 1] != said[place + 1]:
            word = _like(word, _article(fresh[place + 1]))
        out += [text[end : match.start()], word]
        end = match.end()
    return "".join([*out, text[end:]])


def _counterpart(text: str, pieces: Sequence[re.Match[str]], said: Sequence[str], place: int) -> str:
    word, lower, known, rules = said[place], said[place].lower(), words(), grammar()
    follower = _next(text, pieces, place)
    if lower == "her":
        return _like(word, "his" if _owns(said, place, follower) else "him")
    if lower == "his":
        return _like(word, "her" if _noun(follower) else "hers")
    if lower in rules.sizes and text[pieces[place].end() :].startswith("-"):
        return word
    if lower == "miss" and not (word[0].isupper() and _capital(text, pieces, place)):
        return word
    if lower in known.before_people:
        return _like(word, known.before_people[lower]) if follower in rules.people else word
    if word[0].isupper() and lower in known.names:
        return _like(word, known.names[lower])
    return _like(word, known.pairs[lower]) if lower in known.pairs else word


def _owns(said: Sequence[str], place: int, follower: str) -> bool:
    """Whether "her" at a place is a possessive, by the word that follows it and the one before it."""
    before, rules = said[place - 1].lower() if place else "", grammar()
    if before in rules.letting and follower in rules.verbs:
        return False
    return _noun(follower) and not (before in rules.sending and follower == "back")


def _noun(follower: str) -> bool:
    """Whether a word may begin what somebody owns."""
    rules = grammar()
    return bool(follower) and (follower not in rules.closed or follower in rules.open)


def _next(text: str, pieces: Sequence[re.Match[str]], place: int) -> str:
    """The word that follows with nothing but a space, quotation mark or hyphen between, in lower case; else ""."""
    if place + 1 == len(pieces):
        return ""
    between = text[pieces[place].end() : pieces[place + 1].start()]
    return pieces[place + 1]["word"].lower() if re.fullmatch(r"[ \t\"“”‘-]+", between) else ""


def _capital(text: str, pieces: Sequence[re.Match[str]], place: int) -> bool:
    return bool(_next(text, pieces, place)) and pieces[place + 1]["word"][0].isupper()


def _article(word: str) -> str:
    lower = word.lower()
    if lower.startswith(SILENT):
        return "an"
    return "an" if lower[0] in "aeiou" and not lower.startswith(CONSONANT) else "a"


def _like(model: str, word: str) -> str:
    """A word in the case of another: all capitals, a capital first, or none."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if model[0].isupper() else word
