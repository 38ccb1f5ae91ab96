"""Postal addresses and postcodes: the forms of English, the Germanic, Romance and Slavic languages and Finnish.

An address is searched from its numbers outwards, so that a text without one costs next to nothing. In a block, such
as a letter's head, each line of an address is a find of its own, so that hiding it keeps the lines; in running text,
where a line end is a mere fold, the address is one find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from trimtab.language.personal.found import Found
from trimtab.language.personal.people import CAPITAL

_NUMBER = re.compile(r"(?<![\w.,/:$€£%-])\d{1,6}(?:[-/]\d{1,4})?[A-Za-z]?(?![\w/:%]|[.,-]\d)")
_PARTICLE = (
    r"(?:de|del|della|delle|dei|di|da|do|dos|du|des|van|von|der|den|la|le|les|el|los|las|of|the|u|y|i|na)"
)
_PARTICLES = frozenset(_PARTICLE[3:-1].split("|"))
_WORD = rf"(?:[{CAPITAL}][\w'’.-]*|{_PARTICLE}\b)"
# Kinds of streets that are written small.
_SMALL = (
    r"(?:utca|út|u\.|útja|tér|körút|kapu|sétány|gate|tee|põik|puiestee|tänav|ulica|ul\.|al\.|nám\.)(?!\w)"
)
_AFTER = re.compile(
    rf"(?:,?[ ](?:\d{{1,6}}[A-Za-z]?\b(?![.,:]\d)|{_SMALL}|{_WORD}|rue|avenue|via|calle|chemin)){{1,6}}"
)
_BEFORE = re.compile(rf"(?<!\w)(?:(?:{_SMALL}|{_WORD}),?[ ]){{1,5}}$")
_SUFFIXES_WORDS = (
    "street st avenue ave av road rd lane ln drive dr boulevard blvd court ct place pl square sq terrace way "
    "parkway pkwy circle crescent cres close gardens gdns grove highway hwy row mews plaza alley trail loop "
    "gateway walk quay wharf esplanade parade rise turnpike freeway expressway ulica utca u út útja tér körút "
    "kapu gate põik tee puiestee"
)
_SUFFIXES = frozenset(_SUFFIXES_WORDS.split())
_GLUED = (
    "straße", "strasse", "str.", "gasse", "weg", "allee", "platz", "graben", "gata", "gatan", "gatu", "vägen", "vagen",
    "vej", "veien", "vegen", "katu", "kuja", "polku", "laan", "straat", "plein", "kade", "singel", "stígur", "gränd",
    "vangur", "dreef", "hove", "põik",
)  # fmt: skip
# Ends of words of which many name no street: they need a second sign of an address.
_GLUED_WEAK = ("gade", "tie", "ring", "hof", "pad", "baan", "damm", "ufer", "stien", "vei", "stieg", "backen")
_LEADS_WORDS = (
    "rue avenue av av. avda avda. boulevard chemin allée impasse quai cours via viale vicolo piazza piazzetta "
    "corso largo strada calle avenida paseo plaza carrer ronda camino rua rúa praça travessa estrada ulica ul "
    "ul. al. nieuwe"
)
_LEADS = frozenset(_LEADS_WORDS.split())
_BOX = re.compile(
    r"(?:\bP\.? ?O\.? ?Box|\bPostbox|\bPostboks|\bPostfach|\bPostbus|\bApartado|\bCasilla) ?\d{1,6}\b"
    r"|\b(?:PSC|USC|CMR) \d+,? Box \d+"
)
# Mail of the armed forces of the USA (USPS Publication 28, section 225): a unit or a ship, then FPO, APO or DPO.
_FORCES = re.compile(
    rf"\b(?:(?:PSC|CMR|Unit) \d{{1,5}},? Box \d{{1,5}}|Unit \d{{1,5}}|US[A-Z]{{1,3}} [{CAPITAL}][\w'’-]*"
    rf"(?: [{CAPITAL}][\w'’-]*)?)[ ,>|]*\n?[ >|]*(?P<post>[FAD]PO,? A[AEP](?: \d{{5}}(?:-\d{{4}})?\b)?)"
)
_FULL_STOP = (
    "street.",
    "avenue.",
    "road.",
    "lane.",
    "drive.",
    "court.",
    "place.",
    "square.",
    "way.",
    "terrace.",
)
_ANY_STREET = re.compile(
    rf"(?<![\w.,])((?:{_WORD} ){{0,4}}\d{{1,6}}(?: (?:{_WORD})){{0,4}}(?: \d{{1,5}})?)[ ,]*$"
)
_NAMED = 80  # characters of a line in which a street without a kind is looked for
_SENTENCE = re.compile(r"(?<![\w'’-])[^\W\d_A-Z][^\W\d_]+")
_UNIT = re.compile(
    r"\b(?:Apt|Apartment|Suite|Ste|Unit|Flat|Bldg|Floor|Room)\b\.? ?#?[A-Za-z]?\d{1,5}[A-Za-z]?\b(?![.,]\d)"
)
_UNIT_NEAR = re.compile(rf",? {_UNIT.pattern}")
_TAIL = re.compile(
    rf"(?:(?:\.?(?:, ?| ){_UNIT.pattern}|(?:, ?| )(?:"
    rf"[{CAPITAL}][\w'’.-]+(?: (?:{_PARTICLE} )?[{CAPITAL}][\w'’-]+){{0,3}}|[A-Z]{{2}}\b|"
    r"\d{4,6}(?:-\d{3,4})?\b|\d{3} \d\d\b|\d{1,2}\b(?=,? \d{4})){1,3})){0,5}"
)
_DIGITS = str.maketrans("0123456789,", " " * 11)
_PLAIN = re.compile(r"[^\W\d_]+")
_MORE_WORDS = (
    "apt apartment suite ste unit flat bldg floor room box postbox postboks postfach postbus apartado casilla "
    "psc"
)
_MORE = frozenset(_MORE_WORDS.split())
_TELLING = _SUFFIXES | {word.rstrip(".") for word in _LEADS} | _MORE
_ENDS = (*(end.rstrip(".") for end in _GLUED), *_GLUED_WEAK)
_MARGIN = re.compile(r"[>\s,|*-]*")
_LINE = re.compile(
    rf"(?P<place>[A-Z]{{2}}(?= \d)|(?:{_WORD})(?:[ -]{_WORD}){{0,4}}(?: \((?:{_WORD})\))?)?"
    r"(?:,? (?P<state>[A-Z]{2}))?(?:,? ?(?P<code>[A-Z]{0,2}-?\d{3,6}(?:[- ]\d{2,4})?(?: [A-Z]{2})?))?[.,]?"
)
_FRONT = re.compile(r"(\d{1,6}),? (?=\D+ \d|\d+ \D)")
_CORNER = re.compile(
    rf"\bcorner of (?P<place>(?:(?:{_WORD}|{_SMALL}|{_PARTICLE}|\d{{1,5}}\.?)[ ,]{{1,2}}){{1,6}}(?:and|&) "
    rf"(?:(?:\d{{1,5}} )?[{CAPITAL}][\w'’-]*)"
    rf"(?: (?:[{CAPITAL}][\w'’-]*|\d{{1,5}}\b|{_PARTICLE}\b(?= [{CAPITAL}]))){{0,4}})"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST = 3000  # numbers of one line that are looked at: with more it is a table, not a letter
_BLOCK = 5  # lines below a street that may still belong to its address
_POSTCODE = re.compile(
    r"(?<![\w-])(?:(?:AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|"
    r"NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|A[AEP]) \d{5}(?:-\d{4})?"
    r"|[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2})(?!\w)"
)
_CODE_SAID = re.compile(
    r"\b(?:zip(?: ?code)?|post ?code|postal code|plz)\b(?:[^\w\n]{1,3}(?:is|no|number)\b)?[^\w\n]{1,3}"
    r"(?P<code>[A-Z]{0,2}-?\d[\dA-Z]{1,5}(?:[- ](?=[A-Z]{0,3}\d)[\dA-Z]{2,4}\b)?)(?!\w)",
    re.I,
)
_FORCE, _CROSSING, _SURE, _LIKELY = 0.67, 0.66, 0.65, 0.55


def places(text: str) -> Iterator[Found]:
    """Postal addresses, each line of one a find, and postcodes with a form of their own or behind their name."""
    yield from _addresses(text)
    if "PO" in text:
        for match in _FORCES.finditer(text):
            yield Found(*match.span(), "LOCATION", _FORCE)
    for match in _POSTCODE.finditer(text):
        yield Found(*match.span(), "LOCATION", _LIKELY)
    if "corner of" in text:
        for match in _CORNER.finditer(text):
            yield Found(*match.span("place"), "LOCATION", _CROSSING)
    small = text.lower()
    if "zip" in small or "post" in small or "plz" in small:
        for match in _CODE_SAID.finditer(text):
            yield Found(*match.span("code"), "LOCATION", _LIKELY)


def _addresses(text: str) -> Iterator[Found]:
    begin, left = 0, 0
    running: tuple[int, int] | None = None  # an address inside a sentence, which the next lines may carry on
    lines = text.split("\n")
    for number, line in enumerate(lines):
        streets = _streets(line)
        if not streets and number + 1 < len(lines) and _flat(lines[number + 1]):
            streets = _before_a_flat(line)
        flat = _flat(line) if left and streets else None
        if flat:
            streets = []
        pieces = [flat] if flat else _below(line) if left and not streets else None
        if streets or pieces is None:
            left = 0
            if running:
                yield Found(*running, "LOCATION", _SURE)
                running = None
        for start, end in streets:
            left = _BLOCK
            if (start, end) == streets[-1] and _in_sentence(line[:start]) and not line[end:].strip(" ,"):
                running = begin + start, begin + end
            else:
                # A number before a street that has its own is an entry of its own: a postcode, or that of a house.
                front = _FRONT.match(line, start, end)
                if front:
                    yield Found(begin + start, begin + front.end(1), "LOCATION", _SURE)
                    start = front.end()
                yield Found(begin + start, begin + end, "LOCATION", _SURE)
        for start, end in pieces or ():
            if running:
                running = running[0], begin + end
            else:
                yield Found(begin + start, begin + end, "LOCATION", _LIKELY)
        if running and pieces and line[pieces[-1][1] :].strip(" ,"):
            yield Found(*running, "LOCATION", _SURE)  # the sentence goes on behind the address
            running, left = None, 0
        left -= not streets and left > 0
        begin += len(line) + 1
    if running:
        yield Found(*running, "LOCATION", _SURE)


def _in_sentence(before: str) -> bool:
    """Whether what stands before a street on its line is running text, not a name or a flat as in a letter's head."""
    return any(word[0] not in _PARTICLES for word in _SENTENCE.finditer(before))


def _before_a_flat(line: str) -> list[tuple[int, int]]:
    """Any name with a number at the end of a line that is followed by a line with a flat."""
    start = max(0, len(line) - _NAMED)
    match = _ANY_STREET.search(line[start:])
    return [(start + match.start(1), start + match.end(1))] if match else []


def _flat(line: str) -> tuple[int, int] | None:
    """The flat that a line holds and nothing else."""
    unit = _UNIT.search(line)
    return unit.span() if unit and not (line[: unit.start()] + line[unit.end() :]).strip(" ,>|*-") else None


def _below(line: str) -> list[tuple[int, int]] | None:
    """The pieces of a line below a street: flat, place, region, postcode; None if it is none of an address."""
    margin = _MARGIN.match(line)
    start = margin.end() if margin else 0
    bare = line[start:].rstrip(" ,")
    if not bare:
        return []
    unit = _UNIT.match(line, start)
    if unit and unit.end() == start + len(bare):
        return [unit.span()]
    whole = _LINE.match(line, start)
    if not whole or not whole[0] or not (whole["place"] or whole["code"]):
        return None
    # What goes on behind a postcode is the sentence; behind a mere word it would be one from its beginning.
    if (
        whole.end() < start + len(bare)
        and not whole["code"]
        and line[whole.end() : whole.end() + 1] not in ".,?"
    ):
        return None
    return [whole.span(name) for name in ("place", "state", "code") if whole[name]]


def _streets(line: str) -> list[tuple[int, int]]:
    """Where streets with a number stand in a line, each with the rest of its address on that line."""
    numbers = list(islice(_NUMBER.finditer(line), _MOST))
    if not numbers:
        return []
    words = set(_PLAIN.findall(line.lower()))
    if words.isdisjoint(_TELLING) and not any(len(word) > 5 and word.endswith(_ENDS) for word in words):
        return []
    spans: list[tuple[int, int]] = []
    reached = 0
    # The number of a flat in front is not that of the house: Apt. 5 12 Mill Lane.
    flats = set() if words.isdisjoint(_MORE) else {match.end() for match in _UNIT.finditer(line)}
    for match in numbers:
        if match.start() < reached:
            continue
        if match.end() in flats:
            reached = match.end()
            continue
        span = _ahead(line, match.start(), match.end()) or _behind(line, reached, match.start(), match.end())
        if span:
            start, end = span
            # "Mill Lane. It is": a word in full that ends in a full stop ends the sentence.
            stops = line[:end].lower().endswith(_FULL_STOP)
            tail = None if stops else _TAIL.match(line, end)
            reached = tail.end() if tail else end
            spans.append((start, reached - (line[reached - 1] == ".")))
    return _with_more(line, spans) if not words.isdisjoint(_MORE) else spans


def _with_more(line: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Streets, and the boxes and flats that stand apart from them."""
    streets = set(spans)
    more = [match.span() for pattern in (_BOX, _UNIT) for match in pattern.finditer(line)]
    apart: list[tuple[int, int]] = []
    for start, end in sorted([*spans, *more]):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
        elif (start, end) in streets:
            apart[-1] = start, end
    return apart


def _ahead(line: str, start: int, end: int) -> tuple[int, int] | None:
    """A street whose number comes first: 12 Mill Lane, 26 rue des Lilas, 4 Parkstraat 9."""
    after = _AFTER.match(line, end)
    if _YEAR.fullmatch(line, start, end) and line.startswith(",", end):
        return None  # in 1998, the Supreme Court
    if not after or after[0].translate(_DIGITS).isspace():
        return None
    words = [(found[0], found.end()) for found in re.finditer(r"[^\s,]+", after[0])]
    for place, (word, stop) in enumerate(words):
        plain = word.rstrip(".").lower()
        follows = place + 1 < len(words)
        named = place > 0 and not words[place - 1][0].isdigit()
        if (plain in _SUFFIXES and named) or (_glued(word, weak=False) and not word.isdigit()):
            return start, end + _with_number(words, place, stop)
        if plain in _LEADS and follows and words[place + 1][0][0].isalpha():
            last = next(
                (n for n, pair in enumerate(words) if n > place and pair[0][0].isdigit()), len(words) - 1
            )
            return start, end + words[last][1]
    if unit := _UNIT_NEAR.match(line, after.end()):
        return start, unit.end()
    return None


def _with_number(words: list[tuple[str, int]], place: int, stop: int) -> int:
    """Where a street ends that may have its own number after it."""
    return words[place + 1][1] if place + 1 < len(words) and words[place + 1][0][0].isdigit() else stop


def _behind(line: str, least: int, start: int, end: int) -> tuple[int, int] | None:
    """A street whose number comes last: Via Roma 17, Parkstraat 9, Mill Lane 12."""
    if start < 2 or line[start - 1] != " " or line[start - 2].isdigit():
        return None
    window = max(least, start - 60)
    before = _BEFORE.search(line[window:start])
    if not before:
        return None
    words = [
        (found[0], window + before.start() + found.start()) for found in re.finditer(r"[^\s,]+", before[0])
    ]
    for place, (word, begin) in enumerate(words):
        if word.lower() in _LEADS and place + 1 < len(words):
            return _numbered(line, least, begin), end
    last, begin = words[-1]
    if _glued(last, weak=False) or (len(words) > 1 and last.rstrip(".").lower() in _SUFFIXES):
        first = next(at for word, at in words if word[0].isupper() or word in ("u.", "ul."))
        return _numbered(line, least, first), end
    numbered = _numbered(line, least, words[0][1])
    if (_glued(last, weak=True) and numbered < words[0][1]) or _UNIT_NEAR.match(line, end):
        return numbered, end
    return None


def _glued(word: str, weak: bool) -> bool:
    small = word.lower()
    return len(word) > 6 and word[0].isalpha() and small.endswith(_GLUED_WEAK if weak else _GLUED)


def _numbered(line: str, least: int, begin: int) -> int:
    """Where a street begins that may have another number in front."""
    front = re.search(r"(?<![\w.,])\d{1,6},? $", line[max(least, begin - 9) : begin])
    return max(least, begin - 9) + front.start() if front else begin
