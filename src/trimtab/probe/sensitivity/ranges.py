"""The settings that are varied, between which values, and their positions on a scale from -1 to 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from trimtab.errors import StatisticsError
from trimtab.records import Sampling

Parameter = Literal["temperature", "top_k", "top_p", "min_p", "repetition_penalty"]
TRUNCATING = ("top_k", "top_p", "min_p")
# Where the default is greedy, truncation changes nothing; it is then varied at this temperature.
WARM = 1.0


@dataclass(frozen=True, slots=True)
class Range:
    """One setting between two values.

    Positions are linear in the value, for top_k in its logarithm. top_k 0, which is off, stands at the end of the
    largest, because it leaves all tokens, and the position 1 means off.
    """

    parameter: Parameter
    low: float
    high: float

    def value(self, position: float) -> float:
        """The setting at a position in [-1, 1]; a whole number for top_k."""
        share = (position + 1) / 2
        if self.parameter != "top_k":
            return round(self.low + share * (self.high - self.low), 4)
        if position >= 1:
            return 0
        return round(math.exp(math.log(self.low) + share * math.log(self.high / self.low)))

    def position(self, value: float) -> float:
        """The position in [-1, 1] of a setting within the range."""
        if self.parameter != "top_k":
            return 2 * (value - self.low) / (self.high - self.low) - 1
        if value <= 0:
            return 1.0
        return 2 * math.log(value / self.low) / math.log(self.high / self.low) - 1

    def around(self, value: float) -> Range:
        """The same range, widened where it must be to hold a value."""
        if self.parameter == "top_k" and value <= 0:
            return self
        return replace(self, low=min(self.low, value), high=max(self.high, value))


RANGES = (
    Range("temperature", 0.3, 1.5),
    Range("top_k", 5, 200),
    Range("top_p", 0.5, 1.0),
    Range("min_p", 0.0, 0.2),
    Range("repetition_penalty", 1.0, 1.5),
)
_LIMITS = {
    "temperature": (0.0, 10.0),
    "top_k": (1.0, 1e6),
    "top_p": (0.01, 1.0),
    "min_p": (0.0, 0.99),
    "repetition_penalty": (0.1, 10.0),
}


def checked(ranges: Sequence[Range], default: Sampling) -> tuple[Range, ...]:
    """The ranges, each holding the default.

    Raises:
        StatisticsError: none, one named twice, or a range that is empty or beyond what the setting may be.
    """
    names = [r.parameter for r in ranges]
    if not names or len(set(names)) < len(names) or set(names) - set(_LIMITS):
        raise StatisticsError(
            f"settings to vary: {', '.join(names) or 'none'}",
            f"name each of these at most once: {', '.join(_LIMITS)}",
        )
    for r in ranges:
        least, most = _LIMITS[r.parameter]
        if not least <= r.low < r.high <= most:
            raise StatisticsError(
                f"{r.parameter}: the range {r.low:g} to {r.high:g}",
                f"give two numbers from {least:g} to {most:g}, the lower one first",
            )
    return tuple(r.around(getattr(default, r.parameter)) for r in ranges)
