"""How often one may ask: token buckets in bounded memory."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Buckets kept at once; the least recently used is forgotten first.
MOST = 10_000
# What one household or machine is given of IPv6.
NETWORK = 64


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and so many a second after that."""

    burst: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed: for each session, for each address (which many raters may share), and attempts to join."""

    session: Rate = Rate(40, 4)
    address: Rate = Rate(400, 40)
    joining: Rate = Rate(20, 0.2)
    # Bytes of a request's body: the longest correction, each character written as twelve.
    body: int = 512 * 1024


class Buckets:
    """One bucket of tokens for each key, filled again as time passes.

    Args:
        clock: seconds that never run backwards.
    """

    def __init__(self, rate: Rate, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most, self._clock = rate, most, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def wait(self, key: str) -> float:
        """Take one token of a key: 0, or the seconds until it has one again."""
        now = self._clock()
        held, at = self._held.pop(key, (self._rate.burst, now))
        held = min(self._rate.burst, held + (now - at) * self._rate.per_second)
        taken = held >= 1
        self._held[key] = (held - taken, now)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return 0.0 if taken else (1 - held) / self._rate.per_second


def neighbourhood(address: str) -> str:
    """The key of an address: IPv6 is counted by its network, of which one machine has all addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found), NETWORK), strict=False))
