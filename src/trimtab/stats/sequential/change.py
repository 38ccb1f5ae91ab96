"""Whether a number that streams by has changed from a baseline: ranks among all before it, and bets on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.errors import StatisticsError
from trimtab.stats.intervals import Array
from trimtab.stats.sequential.capital import Capital, grown
from trimtab.stats.sequential.ranks import BETS, NONE, Codes, paid, ranks


@dataclass(frozen=True, slots=True)
class Change:
    """All that has to be known of a stream to go on: a value of constant size.

    Attributes:
        counts: (codes,) int64, how often each value was seen, in the baseline and since.
        capital: what the bets have won since.
        evidence: in nats, after the last row; peak: the largest so far.
        seed: of the numbers that break ties; the same whether rows come one by one or at once.
    """

    counts: Codes
    capital: Capital
    evidence: float
    peak: float
    seed: int

    @property
    def rows(self) -> int:
        """How many were seen since the baseline."""
        return self.capital.rows

    @property
    def began(self) -> int:
        """The row, counted from 1, from which on a change explains the stream best; 0 before the first."""
        return self.capital.began

    @classmethod
    def restored(cls, content: Mapping[str, Any]) -> Change:
        """A stream from its JSON form, in which -inf is null."""
        capital = content["capital"]
        held, best = (np.array([_number(one) for one in capital[key]]) for key in ("held", "best"))
        since = np.array(capital["since"], dtype=np.int64)
        counts = np.array(content["counts"], dtype=np.int64)
        evidence, peak = _number(content["evidence"]), _number(content["peak"])
        return cls(counts, Capital(capital["rows"], held, best, since), evidence, peak, content["seed"])


def _number(value: float | None) -> float:
    return -math.inf if value is None else value


def begun(baseline: Codes, codes: int, seed: int) -> Change:
    """A stream before its first row.

    baseline (n,): the values of the baseline, as integers from 0 to `codes` - 1, of a grid that was fixed before.

    Raises:
        StatisticsError: fewer than two values, or some out of range.
    """
    _check(baseline, codes, lowest=0)
    if len(baseline) < 2:
        raise StatisticsError(
            f"a baseline of {len(baseline)} values", "a change is seen against two or more; take hundreds"
        )
    counts = np.bincount(baseline, minlength=codes)
    return Change(counts.astype(np.int64), Capital.none(BETS), -math.inf, -math.inf, seed)


def noticed(change: Change, codes: Codes) -> tuple[Change, Array]:
    """The stream after some more rows, and the evidence (n,) after each of them, in nats.

    codes (n,): values as in `begun`, in their order; `NONE` for a row without one, on which nothing is bet. As long as
    baseline and rows are exchangeable (they could have come in any order) the evidence reaches log(1 / alpha) in at
    most a share alpha of streams, whenever and however often one looks.

    Raises:
        StatisticsError: values out of range.
    """
    _check(codes, len(change.counts), lowest=NONE)
    if not len(codes):
        return change, np.zeros(0)
    # Row by row or at once: each row has its own number.
    bits = np.random.PCG64(change.seed).advance(change.rows)
    p, counts = ranks(change.counts, codes, np.random.Generator(bits).random(len(codes)))
    capital, evidence = grown(change.capital, paid(p))
    last, peak = float(evidence[-1]), max(change.peak, float(evidence.max()))
    return Change(counts, capital, last, peak, change.seed), evidence


def _check(codes: Codes, most: int, lowest: int) -> None:
    if codes.ndim != 1 or not ((codes >= lowest) & (codes < most)).all():
        raise StatisticsError(
            f"values of shape {codes.shape} that are not all integers from {lowest} to {most - 1}",
            "put values on the grid of the baseline",
        )
