"""Payment cards, bank accounts and the numbers of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.personal.found import Found

_GAP = "[ \\-\u00a0\u2009\u2010\u2011\u202f]"
_CARD = re.compile(rf"(?<![\w.,])\d{{3,19}}(?:{_GAP}\d{{3,7}}){{0,5}}(?!\w|[.,]\d)")
_CARD_INSIDE = re.compile(rf"(?<!\d)[1-6]\d{{3}}{_GAP}?\d{{3,4}}{_GAP}?\d{{3,4}}{_GAP}?\d{{3,5}}(?!\d)")
_CARD_SAID = re.compile(
    r"\b(?:cards?|visa|master ?card|amex|american express|maestro|diners|discover|jcb)\b", re.I
)
_CARD_DIGITS = range(13, 20)
_NOT_DIGIT = re.compile(r"\D")
_IBAN_START = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d\d(?=[ -]?[A-Za-z0-9])")
_IBAN_SIGNS = re.compile(r"(?:[ -]?[A-Za-z0-9])+")
# Lengths by country, from the IBAN registry (ISO 13616, SWIFT).
_IBAN_REGISTRY = (
    "15:NO 16:BE 18:DK,FI,FK,FO,GL,NL,SD 19:MK,SI 20:AT,BA,EE,KZ,LT,LU,MN,XK 21:CH,HR,LI,LV "
    "22:BG,BH,CR,DE,GB,GE,IE,ME,RS,VA 23:AE,GI,IL,IQ,OM,SO,TL 24:AD,CZ,ES,MD,PK,RO,SA,SE,SK,TN,VG "
    "25:LY,PT,ST 26:IS,TR 27:BI,DJ,FR,GR,IT,MC,MR,SM 28:AL,AZ,BY,CY,DO,GT,HN,HU,LB,NI,PL,SV "
    "29:BR,EG,PS,QA,UA 30:JO,KW,MU,YE 31:MT,SC 32:LC 33:RU"
)
_IBAN_LENGTHS = {
    country: int(length)
    for length, _, countries in (part.partition(":") for part in _IBAN_REGISTRY.split())
    for country in countries.split(",")
}
_SIX = re.compile(r"\d(?:\W?\d){5}")
_SSN = re.compile(r"(?<![\w.-])(\d{3})([- .])(\d\d)\2(\d{4})(?![\w-]|\.\d)")
_NINO = re.compile(
    r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)"
)
_LINK = r"(?:[^\w\n]{1,3}(?:no|nr|num|number|code|id|is|was|of|my|the|a)\b){0,3}[^\w\n]{0,4}"
_SAID = re.compile(
    rf"\b(?:(?:ssn|social security){_LINK}(?P<US_SSN>\d{{3}}[- .]?\d\d[- .]?\d{{4}})"
    rf"|(?:passport){_LINK}(?P<US_PASSPORT>[A-Z]{{0,2}}\d{{6,9}})"
    rf"|(?:licen[cs]e){_LINK}(?P<US_DRIVER_LICENSE>[A-Z]{{0,3}}\d[\d-]{{4,16}}[A-Z]{{0,2}})"
    rf"|(?:account|acct|a/c){_LINK}(?P<US_BANK_NUMBER>\d{{6,17}})"
    rf"|(?:nhs){_LINK}(?P<UK_NHS>\d{{3}}[- ]?\d{{3}}[- ]?\d{{4}})"
    rf"|(?:tax ?id|itin|taxpayer){_LINK}(?P<US_ITIN>\d{{3}}[- ]?\d\d[- ]?\d{{4}}))(?!\w)",
    re.I,
)
_WORDS = ("ssn", "social s", "passport", "licen", "account", "acct", "a/c", "nhs", "tax", "itin")


def cards(text: str) -> Iterator[Found]:
    """Card numbers of 13 to 19 digits, grouped or not.

    Sure with an issuer's first digit and a right check digit (Luhn, ISO/IEC 7812-1); sure enough behind a word such as
    "card", since a mistyped number is as telling; else a mere shape.
    """
    for match in _CARD.finditer(text):
        digits = _NOT_DIGIT.sub("", match[0])
        start, end = match.span()
        if len(digits) < 12:
            continue
        if len(digits) in _CARD_DIGITS and digits[0] in "23456" and luhn(digits):
            yield Found(start, end, "CREDIT_CARD", 1.0)
            continue
        inside = [part for part in _CARD_INSIDE.finditer(match[0]) if luhn(_NOT_DIGIT.sub("", part[0]))]
        if inside:
            for part in inside:
                yield Found(start + part.start(), start + part.end(), "CREDIT_CARD", 0.95)
        elif len(digits) in _CARD_DIGITS:
            said = _CARD_SAID.search(text[max(0, start - 40) : start])
            yield Found(start, end, "CREDIT_CARD", 0.8 if said else 0.45)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B); not for zeros alone."""
    total = sum(map(int, digits[-1::-2])) + sum(sum(divmod(2 * int(c), 10)) for c in digits[-2::-2])
    return total % 10 == 0 and total > 0


def ibans(text: str) -> Iterator[Found]:
    """International bank account numbers with a right length and right check digits (ISO 13616-1, 7064 mod 97-10)."""
    for match in _IBAN_START.finditer(text):
        start = match.start()
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        signs = length and _IBAN_SIGNS.match(text, start, start + 2 * length)
        if not length or not signs:
            continue
        places = [place for place, c in enumerate(signs[0], start) if c not in " -"]
        if len(places) < length or text[places[length - 1] + 1 : places[length - 1] + 2].isalnum():
            continue
        if mod97("".join(text[place] for place in places[:length])):
            yield Found(start, places[length - 1] + 1, "IBAN_CODE", 1.0)


def mod97(account: str) -> bool:
    """Whether the check digits of an account (letters and digits, no spaces) are right: ISO 7064, mod 97-10."""
    turned = account[4:] + account[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def documents(text: str) -> Iterator[Found]:
    """Numbers of social security, passports, licences and accounts: by their own form, or behind their name."""
    for match in _SSN.finditer(text):
        area, sign, group, serial = match.groups()
        if group == "00" or serial == "0000" or area in ("000", "666"):
            continue
        if area < "900":
            yield Found(*match.span(), "US_SSN", 0.8 if sign == "-" else 0.5)
        elif group >= "50":
            yield Found(*match.span(), "US_ITIN", 0.8 if sign == "-" else 0.5)
    for match in _NINO.finditer(text):
        yield Found(*match.span(), "UK_NINO", 0.8)
    small = text.lower()
    if not any(word in small for word in _WORDS):
        return
    for match in _SAID.finditer(text):
        kind = match.lastgroup or ""
        if kind != "UK_NHS" or _nhs(_NOT_DIGIT.sub("", match[kind])):
            yield Found(*match.span(kind), kind, 0.85)


def _nhs(digits: str) -> bool:
    """Modulus 11 of the NHS data dictionary: weights 10 to 2 over nine digits, then the check digit."""
    check = -sum(weight * int(c) for weight, c in zip(range(10, 1, -1), digits[:9], strict=True)) % 11
    return check == int(digits[9])


def numbers(text: str) -> Iterator[Found]:
    """Cards, accounts and documents; a text without six digits together has none."""
    if _SIX.search(text):
        yield from cards(text)
        yield from ibans(text)
        yield from documents(text)
