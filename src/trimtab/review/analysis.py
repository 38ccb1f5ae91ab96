"""From votes to what they say of two stacks: the win rate, how far people agree, and what may be wrong with it."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from trimtab.records import NAN, Comparison, Estimate, Share, Side, Vote
from trimtab.review.quality import RULE, Decision, Quality, Rule, apply, assess
from trimtab.stats import agreement, win_rate
from trimtab.stats.rating import bradley_terry

Weighted = Sequence[tuple[Vote, float]]
Rate = Callable[..., Comparison]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What people said of a candidate beside a baseline.

    Attributes:
        win_rate: the comparison that decides, with the rule on raters applied; unruled: the same without it.
        counts: judgements of the estimate by side (left, right, tie, bad), without the rule.
        more: judgements that are still needed to decide, None where none would or none is needed.
        agreement: Krippendorff's alpha on which stack was preferred (nominal), over items judged twice or more.
        raters: people who judged for the estimate.
        position: share of left among judgements that chose a side.
        chosen: the same as `win_rate` on items that were chosen because they seemed uncertain, which never enter it.
        scores: Bradley-Terry log-odds to the baseline of each other stack, where three or more were judged.
        quality: of each rater; decisions: who counts less, by which figure and rule.
    """

    win_rate: Comparison
    unruled: Comparison
    counts: dict[str, int]
    more: int | None
    agreement: Estimate
    raters: int
    position: Estimate
    chosen: Comparison
    scores: dict[str, Estimate]
    quality: tuple[Quality, ...]
    decisions: tuple[Decision, ...]
    rule: Rule


def analyse(
    votes: Sequence[Vote],
    pair: tuple[str, str],
    order: Sequence[str],
    *,
    level: float = 0.95,
    min_gain: float = 0.0,
    margin: float | None = None,
    rule: Rule = RULE,
    seed: int = 0,
) -> Analysis:
    """What votes say of a pair of stacks: hashes of the baseline and of the candidate.

    order: ids of the items planned for the estimate in the order in which the review drew them, judged or not; it must
    know nothing of answers and judgements, as the interval may be looked at at any time. level, min_gain (a goal) and
    margin (a guard) are those of `trimtab.stats.win_rate`; all other estimates are at level 0.95. seed: of bootstraps.

    Only votes of the share "estimate" enter, each rater's first of an item, and none of a machine. What has too few
    votes is undefined, with its reason.

    Raises:
        StatisticsError: level, min_gain or margin out of range, or min_gain and margin given.
    """
    rate = functools.partial(
        win_rate, level=level, threshold=min_gain, margin=margin, sequential=max(1, len(order))
    )
    place = {item: position for position, item in enumerate(order)}
    votes = sorted(votes, key=lambda vote: place.get(vote.item, len(place)))
    plain = [(vote, 1.0) for vote in votes]
    kept, decisions = apply(votes, rule)
    counted = [vote for vote, _ in _of(plain, "estimate", pair)]
    ruled = _of(kept, "estimate", pair)
    decided = _rate(ruled, pair[1], rate)
    return Analysis(
        win_rate=decided,
        unruled=_rate(_of(plain, "estimate", pair), pair[1], rate),
        counts={side: Counter(vote.choice for vote in counted)[side] for side in get_args(Side)},
        more=_more(decided, len(ruled)),
        agreement=agreed(counted, pair[1], seed=seed),
        raters=len({vote.rater for vote in counted}),
        position=_position(counted),
        chosen=_rate(_of(kept, "chosen", pair), pair[1], rate),
        scores=_scores([vote for vote, _ in _of(kept, "estimate")], pair[0], seed),
        quality=tuple(assess(votes)),
        decisions=tuple(decisions),
        rule=rule,
    )


def _of(votes: Weighted, share: Share, pair: tuple[str, str] | None = None) -> list[tuple[Vote, float]]:
    """People's first judgements of a share; of a pair, or of all."""
    return [
        (vote, weight)
        for vote, weight in votes
        if vote.share == share and not vote.again and not vote.machine
        if pair is None or {vote.left, vote.right} == set(pair)
    ]


def _rate(votes: Weighted, candidate: str, rate: Rate) -> Comparison:
    return rate(
        [vote.preference(candidate) for vote, _ in votes],
        [vote.item for vote, _ in votes],
        [vote.rater for vote, _ in votes],
        weights=[weight for _, weight in votes],
    )


def _more(decided: Comparison, judgements: int) -> int | None:
    """Judgements that are still needed, at as many for each item as there were."""
    if decided.need_n is None:
        return None
    return math.ceil((decided.need_n / decided.difference.n - 1) * judgements)


def agreed(votes: Sequence[Vote], candidate: str, *, level: float = 0.95, seed: int = 0) -> Estimate:
    """Krippendorff's alpha on whether the candidate was preferred (nominal), one judgement a rater and item."""
    items = {item: place for place, item in enumerate(dict.fromkeys(vote.item for vote in votes))}
    raters = {rater: place for place, rater in enumerate(dict.fromkeys(vote.rater for vote in votes))}
    table = np.full((len(raters), len(items)), NAN)
    for vote in votes:
        table[raters[vote.rater], items[vote.item]] = vote.preference(candidate)
    return agreement(table, "nominal", level=level, seed=seed)


def _position(votes: Sequence[Vote]) -> Estimate:
    """The share of left by the same interval as a win rate, over items, and raters where there are enough."""
    chose = [vote for vote in votes if vote.choice in ("left", "right")]
    lefts = [float(vote.choice == "left") for vote in chose]
    ids = [vote.item for vote in chose], [vote.rater for vote in chose]
    found = win_rate(lefts, *ids, sequential=False).difference
    return dataclasses.replace(found, value=found.value + 0.5, low=found.low + 0.5, high=found.high + 0.5)


def _scores(votes: Sequence[Vote], base: str, seed: int) -> dict[str, Estimate]:
    """Of each stack but the base; empty for fewer than three stacks, or where the base was not judged."""
    stacks = {stack for vote in votes for stack in (vote.left, vote.right)}
    if len(stacks) < 3 or base not in stacks:
        return {}
    pairs = [(vote.left, vote.right) for vote in votes]
    values = [vote.preference(vote.left) for vote in votes]
    return bradley_terry(pairs, values, [vote.item for vote in votes], base=base, seed=seed)
