"""Names of firms: by the legal form or the trade that ends them, and those made of their owners' names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.personal.found import Found
from trimtab.language.personal.people import CAPITAL

_WORD = rf"[{CAPITAL}\d][\w'’.+-]*"
_NAMES = rf"(?:{_WORD}[ ](?:(?:&|and|of|the|de|du|van|von|und|et|y|e)[ ])?){{1,5}}"
_LEGAL = (
    r"Inc|Incorporated|Ltd|Limited|LLC|L\.L\.C|LLP|L\.P|LP|PLC|plc|GmbH|mbH|AG|KG|OHG|KGaA|SE|S\.A|SA|SAS|SARL|S\.r\.l|Srl|"
    r"S\.p\.A|SpA|B\.?V|N\.?V|AB|ASA|AS|A/S|ApS|Oyj?|Kft|Zrt|Nyrt|s\.r\.o|a\.s|d\.o\.o|Sp\. z o\.o|Pty(?:\.? Ltd)?|"
    r"Pvt(?:\.? Ltd)?|Co|Corp|Corporation|Company|Bros|Brothers|Sons|Partners|Associates|Holdings?"
)
_TRADE = (
    r"Group|Industries|Enterprises|Technology|Technologies|Solutions|Systems|Services|Bank|Bancorp|Insurance|Foundation|"
    r"Institute|University|College|Laborator(?:y|ies)|Labs?|Ventures|Consulting|Consultants|Software|Networks?|Media|"
    r"Logistics|Airlines|Airways|Motors|Pharmaceuticals|Pharma|Energy|Markets|Stores?|Hospital|Clinic|Capital|Securities|"
    r"Communications|Analytics|Publishing|Studios?|Transit|Properties|Realty|Lines"
)
_ENDED = re.compile(
    rf"(?<![\w@/.-]){_NAMES}(?:(?P<legal>(?:(?:and|&) )?(?:{_LEGAL})(?!\w)\.?)|(?:{_TRADE})(?!\w))"
)
_OWNERS = rf"[{CAPITAL}][\w'’-]+(?:, [{CAPITAL}][\w'’-]+){{1,3}},? (?:and|&) [{CAPITAL}][\w'’-]+"
_OWNED = re.compile(rf"(?m)^(?P<line>[>\s|*]*)(?P<firm>{_OWNERS})[ ]*$")
_AT = re.compile(
    rf"\b(?:at|for|join|joined|joins|joining|firm of|firm|employer ?:|company ?:) (?P<firm>{_OWNERS})(?!\w)"
)
_STARTS_WORDS = (
    "the a an i he she it we they this that in at on and or but from for our my his her their to of is was"
)
_STARTS = frozenset(_STARTS_WORDS.split())
_LEGAL_SCORE, _TRADE_SCORE, _OWNED_SCORE = 0.6, 0.49, 0.57
_DOTTED = ("inc.", "ltd.", "co.", "corp.", "bros.")


def firms(text: str) -> Iterator[Found]:
    """Firms (`ORGANIZATION`): sure with a legal form (Ltd, GmbH), less with a trade (Solutions, Bank).

    Three family names in a row ("Lee, Moss and Hart") are a firm on a line of their own or behind "at" and "for"; else
    they are three people.
    """
    for match in _ENDED.finditer(text):
        start, end = match.span()
        words = match[0].split(" ")
        while len(words) > 1 and (words[0].lower() in _STARTS or (words[0].isdigit() and not match["legal"])):
            start += len(words.pop(0)) + 1
        if len(words) < 2:
            continue
        if text[end - 1] == "." and (words[-1].lower() not in _DOTTED or not text[end : end + 2].strip()):
            end -= 1
        yield Found(start, end, "ORGANIZATION", _LEGAL_SCORE if match["legal"] else _TRADE_SCORE)
    if " and " in text or " & " in text:
        for pattern in (_OWNED, _AT):
            for match in pattern.finditer(text):
                yield Found(*match.span("firm"), "ORGANIZATION", _OWNED_SCORE)
