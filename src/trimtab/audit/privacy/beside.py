"""What stands beside a name, or where one is expected: the others of a list, places lived in, employers, given names.

A small model misses the second name of "Moss and Hart", and a place whose name it does not know. The words around
them tell: these rules look at words and finds only, so they hold whichever model found the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from trimtab.language.personal.found import Found
from trimtab.language.personal.given import surely_given
from trimtab.language.personal.people import CAPITAL

_WORD = rf"[{CAPITAL}][^\W\d_]*(?:[-'’][^\W\d_]+)*"
_PARTS = r"(?:de|del|della|di|da|do|dos|du|des|van|von|der|den|la|le|les|el|of|the|sur|am|an|na|u|v)"
_RUN = rf"{_WORD}(?:[ -](?:{_PARTS}[ ]){{0,2}}{_WORD}){{0,4}}(?: \({_WORD}\))?"
_NEXT = re.compile(rf"(?:, (?:and |& )?| and | & )(?P<name>{_WORD}(?: {_WORD}){{0,2}})(?![\w'’]|-\w)")
_LAST = re.compile(rf"(?:^|(?<=[\s(\"“:,]))(?P<name>{_WORD}(?: {_WORD}){{0,2}})(?:, (?:and )?| and | & )$")
_INITIAL = re.compile(rf"(?<=[ ][{CAPITAL}]) {_WORD}(?!\w)|(?<=[ ][{CAPITAL}]\.) {_WORD}(?!\w)")
_LIVED = re.compile(
    r"\b(?:liv(?:es?|ed|ing)|born|based|located|situated|resid(?:es?|ed|ing)|stay(?:s|ed|ing)?|grew up|raised|"
    r"moved|relocated|came|comes?|arrived|travel(?:s|l?ed|l?ing)?|flew|fly(?:ing)?|driv(?:e|ing)|drove|went|going|headed|"
    r"am|is|are|was|were|['’]m|['’]re|home|house|apartment|flat|office|branch|shop|store)"
    rf" (?:here |back |now |away )?(?:in|from|to|near|outside) (?P<name>{_RUN})"
)
_WORKED = re.compile(
    r"\b(?:work(?:s|ed|ing)?|employed|employee|colleague|intern|internship|job|career|hired|meet|met|account|"
    rf"customer|client|contract|invoice) (?:at|for|by|of|with|from) (?P<name>{_RUN})"
)
_FROM = re.compile(rf" (?:from|at|of) (?P<name>{_RUN})")
_GIVEN = re.compile(rf"(?<![\w'’@.-]){_WORD}(?![\w@]|-\w|\.\w)")
_NOT_WORDS = (
    "i it he she we they you the this that these those a an my your his her our their what which who when where "
    "why how is are was were do does did can could will would should if as so but and or not no yes monday "
    "tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december mr mrs ms dr prof please thanks hello hi dear christmas easter internet "
    "english"
)
_NOT = frozenset(_NOT_WORDS.split())
_SCORE = 0.46
_BACK = 60  # characters before a name in which the other of a pair stands
_LONGEST = 8  # names of one list


def beside(text: str, found: Iterable[Found]) -> Iterator[Found]:
    """Names that the names found already, or the words around them, betray; all below `SURE`, some overlapping.

    Args:
        found: what a model and patterns found in the text.
    """
    for one in found:
        if one.type == "PERSON" and one.score >= _SCORE:
            yield from _others(text, one)
    for pattern, kind in ((_LIVED, "LOCATION"), (_WORKED, "ORGANIZATION")):
        for match in pattern.finditer(text):
            yield from _named(text, match, kind)
    for match in _GIVEN.finditer(text):
        if surely_given(match[0]):
            yield Found(*match.span(), "PERSON", _SCORE)


def _others(text: str, one: Found) -> Iterator[Found]:
    """The rest of a name cut off at its initial, the other names of a list, and where somebody is from."""
    end = one.end
    if rest := _INITIAL.match(text, end):
        end = rest.end()
        # Surer than the part of it that was found, which would else stay alone.
        yield Found(one.start, end, one.type, min(1.0, one.score + 0.01))
    if source := _FROM.match(text, end):
        yield from _named(text, source, "ORGANIZATION")
    for _ in range(_LONGEST):
        after = _NEXT.match(text, end)
        if not after or after["name"].split()[0].lower() in _NOT:
            break
        yield Found(*after.span("name"), "PERSON", _SCORE)
        end = after.end()
    start = one.start
    for _ in range(_LONGEST):
        before = _LAST.search(text, max(0, start - _BACK), start)
        if not before or before["name"].split()[0].lower() in _NOT:
            break
        yield Found(*before.span("name"), "PERSON", _SCORE)
        start = before.start("name")


def _named(text: str, match: re.Match[str], kind: str) -> Iterator[Found]:
    if match["name"].split()[0].lower() not in _NOT:
        yield Found(*match.span("name"), kind, _SCORE)
