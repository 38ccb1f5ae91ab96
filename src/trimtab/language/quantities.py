"""Numbers with their units in running text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trimtab.language.text import Span

_UNITS = {
    "mm": "mm millimetre millimeter", "cm": "cm centimetre centimeter", "m": "m metre meter",
    "km": "km kilometre kilometer", "in": "inch inches", "ft": "ft foot feet", "mi": "mile",
    "mg": "mg milligram", "g": "g gram gramme", "kg": "kg kilo kilogram kilogramme", "t": "tonne",
    "lb": "lb lbs pound-weight", "oz": "oz ounce", "ml": "ml millilitre milliliter", "cl": "cl centilitre",
    "l": "l litre liter", "w": "w watt", "kw": "kw kilowatt", "kwh": "kwh kilowatt-hour",
    "wh": "wh watt-hour",
    "v": "v volt", "a": "a amp ampere", "mah": "mah", "ah": "ah", "hz": "hz hertz", "khz": "khz kilohertz",
    "mhz": "mhz megahertz", "ghz": "ghz gigahertz", "db": "db decibel", "lm": "lm lumen", "k": "k kelvin",
    "°c": "°c celsius", "°f": "°f fahrenheit", "°": "° degree", "%": "% percent percentage", "bar": "bar",
    "rpm": "rpm", "n": "n newton", "nm": "nm", "mb": "mb megabyte", "gb": "gb gigabyte", "tb": "tb terabyte",
    "mp": "mp megapixel", "px": "px pixel", "dpi": "dpi", "ms": "ms millisecond", "s": "s sec second",
    "min": "min minute", "h": "h hr hour", "d": "day", "wk": "week", "mo": "month", "yr": "yr year",
    "kmh": "km/h kph", "mph": "mph", "ms-1": "m/s", "m2": "m² m2 sqm", "m3": "m³ m3", "gsm": "g/m² g/m2 gsm",
    "kcal": "kcal", "kj": "kj", "den": "denier", "£": "£ gbp", "$": "$ usd dollar", "€": "€ eur euro",
}  # fmt: skip
_CANON = {
    form: unit
    for unit, forms in _UNITS.items()
    for form in [*forms.split(), *(f"{f}s" for f in forms.split() if len(f) > 2 and f.isalpha())]
}
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SUFFIX = "|".join(re.escape(form) for form in sorted(_CANON, key=len, reverse=True))
QUANTITY = re.compile(
    rf"(?<![\w.,])(?P<money>[£$€]\s?)?(?P<sign>(?<![\w°%]\s)(?<![\w°%])[-−])?(?P<number>{_NUMBER})"
    rf"(?:(?:\s|-)?(?:degrees\s|deg\s)?(?P<unit>{_SUFFIX})(?![^\W_]|(?<=[£$€])\s?\d))?(?![^\W_]|[.,]\d)",
    re.IGNORECASE,
)
_SPELLED = "zero one two three four five six seven eight nine ten eleven twelve"
_WORDS = _SPELLED.split()
_WORD_NUMBER = re.compile(rf"(?<![^\W_])(?:{'|'.join(_WORDS)})(?![^\W_])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its canonical unit, empty without one: 1,200 grams is (1200, "g")."""

    number: Decimal
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.number.normalize():f} {self.unit}".strip()


def quantities(text: str) -> list[Quantity]:
    """All numbers written in digits, with the unit that follows (or the currency sign before); in order.

    Numbers inside a code such as IPX7, A4 or 1080p are no quantities.
    """
    return [quantity for quantity, _ in quantity_spans(text)]


def quantity_spans(text: str) -> list[tuple[Quantity, Span]]:
    """The same, with where each begins and ends, its unit included."""
    return [(_read(match), match.span()) for match in QUANTITY.finditer(text)]


def spelled(text: str) -> list[Quantity]:
    """Numbers from zero to twelve written as words, without units."""
    return [Quantity(Decimal(_WORDS.index(word.lower()))) for word in _WORD_NUMBER.findall(text)]


def supported(wanted: Quantity, present: Sequence[Quantity]) -> bool:
    """Whether a quantity is among others: the number agrees, and the unit if it is wanted with one."""
    return any(wanted.number == q.number and wanted.unit in ("", q.unit) for q in present)


def _read(match: re.Match[str]) -> Quantity:
    number = Decimal(match["number"].replace(",", ""))
    unit = (match["money"] or "").strip() or _CANON.get((match["unit"] or "").lower(), "")
    return Quantity(-number if match["sign"] else number, unit)
