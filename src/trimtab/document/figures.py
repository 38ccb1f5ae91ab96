"""Numbers as people read them: as many digits as their uncertainty warrants, and never a bare nan."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, TypeGuard

from markupsafe import Markup, escape

from trimtab.records import Estimate

MINUS = "−"
MISSING = "not recorded"


def known(value: Any) -> TypeGuard[int | float]:
    """Whether this is a number that was recorded: not None, not nan, not infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def fixed(value: float, places: int, *, signed: bool = False) -> str:
    """A number with `places` decimals, thousands set off by commas and a true minus sign."""
    text = f"{abs(value):,.{places}f}"
    zero = not any(digit in text for digit in "123456789")
    sign = "" if zero else MINUS if value < 0 else "+" if signed else ""
    return sign + text


def significant(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A number with about `digits` significant digits; whole ones whole; "not recorded" for None and nan."""
    if value is None or not known(value):
        return MISSING
    if value == int(value) and abs(value) < 1e15:
        return fixed(value, 0, signed=signed)
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    text = fixed(value, max(0, digits - 1 - magnitude), signed=signed)
    return text.rstrip("0").rstrip(".") if "." in text else text


def places(estimate: Estimate, *against: float) -> int:
    """Decimals that show two digits of the interval's half width, and more where a bound would else print as
    one of the values that it is held `against` without being it."""
    width = estimate.high - estimate.low
    if estimate.undefined or not known(width):
        return 2
    start = 1 - math.floor(math.log10(width / 2)) if width > 0 else 2
    for count in range(min(max(start, 0), 6), 7):
        bounds = (estimate.low, estimate.high)
        pairs = ((bound, mark) for bound in bounds for mark in against if known(mark) and bound != mark)
        if all(fixed(bound, count) != fixed(mark, count) for bound, mark in pairs):
            return count
    return 6


def interval(estimate: Estimate, *against: float, signed: bool = True) -> str:
    """An estimate as "+31.2 (28.9 to 33.6)", or "undefined (reason)"."""
    if estimate.undefined or not known(estimate.value):
        return f"undefined ({estimate.undefined or 'no reason recorded'})"
    count = places(estimate, *against)
    value = fixed(estimate.value, count, signed=signed)
    if not (known(estimate.low) and known(estimate.high)):
        return f"{value} (no interval)"
    low, high = (fixed(bound, count, signed=signed) for bound in (estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def duration(seconds: float | None) -> str:
    """Seconds as "< 0.1 s", "48 s", "6 min 12 s" or "2 h 5 min"."""
    if seconds is None or not known(seconds):
        return MISSING
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 10:
        return f"{significant(seconds, 2)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def size(count: float | None) -> str:
    """Bytes in decimal units: "1.23 GB"."""
    if count is None or not known(count):
        return MISSING
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(count) >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count:g} bytes"


def percent(share: float | None, most: int = 3) -> str:
    """A share as a percentage with as many decimals as it needs, up to `most`: "96.5%", "99.475%"."""
    if share is None or not known(share):
        return MISSING
    text = f"{100 * share:.{most}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def moment(text: Any) -> str:
    """A recorded time (ISO 8601, UTC) as "14 March 2026, 09:19 UTC"; other texts as they are."""
    try:
        when = datetime.strptime(str(text or ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return str(text or "")
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def tagged(value: float | None, text: str) -> Markup:
    """Text for the page with the recorded number behind it, for machines: <data value="...">text</data>."""
    if value is None or not known(value):
        return escape(text)
    return Markup('<data value="{}">{}</data>').format(repr(value), text)
