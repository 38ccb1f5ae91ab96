"""Where a new value stands among all before it: exact for values that could have come in any order.

The smoothed rank p of a new value in the bag of all values so far, itself among them,

    p = (number below + U (number equal)) / (number in all),    U uniform on [0, 1],

is uniform and independent of the ranks before it as long as all values are exchangeable (Vovk, Nouretdinov and
Gammerman 2003, Testing exchangeability on-line; Vovk 2021, Statistical Science 36(4), 595-611, section 2). The first
values are the baseline's, so that what is not known of it is in the ranks: nothing is assumed of its distribution, and
no interval of it has to be paid for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.intervals import Array

Codes = NDArray[np.int64]
# The code of a row without a value.
NONE = -1
# Tails of the ranks on which is bet: rare values becoming frequent, the upper or lower fifth, frequent ones rare.
TAILS = (0.05, 0.2, 0.8)
BETS = 2 + 2 * len(TAILS)


def ranks(held: Codes, codes: Codes, drawn: Array) -> tuple[Array, Codes]:
    """The smoothed ranks (n,) of new values among those before them, and the counts with them.

    held (codes,): how often each value was seen. codes (n,): the new ones in their order, each an index of `held`, or
    `NONE`, whose rank is nan. drawn (n,): uniform on [0, 1].
    """
    counts, answer = held.copy(), np.full(len(codes), np.nan)
    total = int(counts.sum())
    for place, (code, chance) in enumerate(zip(codes.tolist(), drawn.tolist(), strict=True)):
        if code == NONE:
            continue
        counts[code] += 1
        total += 1
        answer[place] = (counts[:code].sum() + chance * counts[code]) / total
    return answer, counts


def paid(p: Array) -> Array:
    """What bets on ranks p (n,) pay, (bets, n): each of mean 1 where p is uniform; 1 where p is nan.

    That ranks rise (2 p) or fall (2 (1 - p)), and that they lie in the upper or lower tail q (1 / q there, else 0).
    """
    tails = [(side < q) / q for q in TAILS for side in (1 - p, p)]
    answer: Array = np.where(np.isnan(p), 1.0, np.stack([2 * p, 2 * (1 - p), *tails]))
    return answer
