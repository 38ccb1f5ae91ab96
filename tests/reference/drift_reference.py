"""What is known of a changing stream, written down from its definitions: every beginning and every bet by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

TAILS = (0.05, 0.2, 0.8)
STAKES = tuple(0.9 / 2**k for k in range(5))


def rank(before: Sequence[float], value: float, chance: float) -> float:
    """(below + U equal) / all, the value itself among the equal ones."""
    everything = [*before, value]
    below = sum(one < value for one in everything)
    equal = sum(one == value for one in everything)
    return (below + chance * equal) / len(everything)


def payments(p: float) -> list[float]:
    """What a unit brings: on the mean of ranks, up and down, and on each tail, upper and lower."""
    answer = [2 * p, 2 - 2 * p]
    for q in TAILS:
        answer += [1 / q if p > 1 - q else 0.0, 1 / q if p < q else 0.0]
    return answer


def put_in(row: int) -> float:
    """What is put in at a row, so that all rows together get 1."""
    return math.log(2) / math.log(row + 1) - math.log(2) / math.log(row + 2)


def wealth(p: Sequence[float]) -> float:
    """The mean over bets, stakes and beginnings of what was won, each multiplied out by itself."""
    total, cells = 0.0, 0
    for bet in range(len(payments(0.5))):
        for stake in STAKES:
            cells += 1
            for start in range(len(p)):
                won = put_in(start + 1)
                for one in p[start:]:
                    won *= 1 + stake * (payments(one)[bet] - 1)
                total += won
    return total / cells


def stitched(v: float, alpha: float, scale: float) -> float:
    """Equation 10 of Howard et al. 2021 with h(k) = zeta(1.4) (k + 1)^1.4, eta = 2, m = scale^2."""
    eta, s = 2.0, 1.4
    zeta = sum(k**-s for k in range(1, 200_000)) + 200_000 ** (1 - s) / (s - 1)
    v = max(v, scale**2)
    epoch = math.log(v / scale**2, eta)
    length = math.log(zeta * (epoch + 1) ** s) + math.log(1 / alpha)
    k1, k2 = (eta**0.25 + eta**-0.25) / math.sqrt(2), (math.sqrt(eta) + 1) / 2
    return math.sqrt((k1**2) * v * length + (k2 * scale * length) ** 2) + k2 * scale * length


def faded(values: Sequence[float], fading: float) -> float:
    """The mean of values in which one of k rows ago weighs fading^k."""
    weights = [fading ** (len(values) - 1 - place) for place in range(len(values))]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
