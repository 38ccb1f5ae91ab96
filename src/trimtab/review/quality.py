"""How well each rater judged, and the written rule by which a rater counts less; never by which stack they prefer.

Evidence is what a rater does with the page, not what they like: attention items, whether the left or the right side is
chosen too often though sides are drawn at random, and whether item by item they agree with the others more than their
own and the others' leanings would give by chance. Somebody who only likes another stack better agrees as often as
chance says, and stays.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trimtab.records import NAN, Estimate, Vote
from trimtab.stats import holm, sign_test, wilson

# With one other, nobody can say who of both is contrary.
LEAST_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of a rater.

    Attributes:
        n: judgements that count for the estimate; seconds: their median time.
        consensus: share of items where the rater preferred what most of the others did; chance: the share that the
            leanings of both would give; others: how many people the others are.
        consistency: share of pairs judged again, with sides swapped, with the same preference.
        left: share of left among judgements that chose a side; left_p: two-sided p value that it is one half, adjusted
            for the number of raters.
        attention: share of attention items that were judged right.
    """

    rater: str
    n: int
    consensus: Estimate
    chance: float
    others: int
    consistency: Estimate
    left: Estimate
    left_p: float
    attention: Estimate
    seconds: float


@dataclass(frozen=True, slots=True)
class Rule:
    """When a rater counts less, and how much; written before anybody judges.

    Attributes:
        attention: counts less where the upper limit of the share of attention items right is below this.
        position: counts less where the adjusted p value of the position bias is below this.
        consensus: whether an agreement with two others or more whose upper limit is below chance counts less too.
        weight: how much such a rater's judgements count, 0 to 1; 0 leaves them out.
    """

    attention: float = 0.7
    position: float = 0.01
    consensus: bool = True
    weight: float = 0.0


RULE = Rule()


@dataclass(frozen=True, slots=True)
class Decision:
    """One rater who counts less: by which figure, by which words of the rule, and how much they count."""

    rater: str
    figure: str
    rule: str
    weight: float


def assess(votes: Sequence[Vote]) -> list[Quality]:
    """The quality of each rater, in the order of their first judgement; machines are left out.

    Limits are Wilson's at level 0.95. The share of left and consensus come from judgements for the estimate and of
    chosen items, each counted once; consensus is what most other raters preferred (that stack, or neither), and is
    missing where they are tied.
    """
    human = [vote for vote in votes if not vote.machine]
    raters = list(dict.fromkeys(vote.rater for vote in human))
    judged = [vote for vote in human if vote.share in ("estimate", "chosen")]
    once = [vote for vote in judged if not vote.again]
    said = _said(once)
    lefts = {rater: _lefts(once, rater) for rater in raters}
    biased = holm([sign_test(*lefts[rater]) for rater in raters])
    return [
        _of_rater(rater, human, said, wilson(*lefts[rater]), left_p)
        for rater, left_p in zip(raters, biased, strict=True)
    ]


def apply(votes: Sequence[Vote], rule: Rule = RULE) -> tuple[list[tuple[Vote, float]], list[Decision]]:
    """Every vote with its weight (those of weight 0 left out), and who counts less by the rule, with the figure.

    Votes of machines keep weight 1, as no rule speaks of them.
    """
    decisions = [decision for quality in assess(votes) for decision in _decide(quality, rule)]
    less = {decision.rater: decision.weight for decision in decisions}
    weighted = [(vote, 1.0 if vote.machine else less.get(vote.rater, 1.0)) for vote in votes]
    return [(vote, weight) for vote, weight in weighted if weight > 0], decisions


def _decide(quality: Quality, rule: Rule) -> Iterable[Decision]:
    """At most one decision for a rater: by the first part of the rule that holds."""
    attention, consensus = quality.attention, quality.consensus
    if not attention.undefined and attention.high < rule.attention:
        figure = f"attention items right {_shown(attention)}"
        words = f"upper limit of attention items right below {rule.attention:g}"
    elif quality.left_p < rule.position:
        figure = f"left chosen {_shown(quality.left)}, adjusted p {quality.left_p:.2g}"
        words = f"adjusted p of the position bias below {rule.position:g}"
    elif rule.consensus and quality.others >= LEAST_OTHERS and consensus.high < quality.chance:
        figure = f"agreement with the others {_shown(consensus)}, by chance {quality.chance:.2f}"
        words = "upper limit of the agreement with the others below chance"
    else:
        return
    yield Decision(quality.rater, figure, words, rule.weight)


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}] of {estimate.n}"


def _of_rater(
    rater: str,
    human: Sequence[Vote],
    said: Mapping[tuple[str, ...], Mapping[str, str]],
    left: Estimate,
    left_p: float,
) -> Quality:
    own = [vote for vote in human if vote.rater == rater]
    counted = [vote for vote in own if vote.share == "estimate" and not vote.again]
    agreed, chance = _consensus(rater, said)
    others = {other for by_rater in said.values() if rater in by_rater for other in by_rater} - {rater}
    attention = [vote.choice == vote.expected for vote in own if vote.share == "attention" and vote.expected]
    seconds = [vote.seconds for vote in counted if vote.seconds == vote.seconds]
    return Quality(
        rater,
        len(counted),
        _share(agreed),
        chance,
        len(others),
        _share(_repeated(own)),
        left,
        left_p,
        _share(attention),
        statistics.median(seconds) if seconds else NAN,
    )


def _share(right: Sequence[bool]) -> Estimate:
    return wilson(sum(right), len(right))


def _item(vote: Vote) -> tuple[str, ...]:
    """An item under a pair of stacks: what can be judged again."""
    return (vote.item, *sorted((vote.left, vote.right)))


def _said(votes: Iterable[Vote]) -> dict[tuple[str, ...], dict[str, str]]:
    """Of each item, what each rater preferred."""
    said: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for vote in votes:
        said[_item(vote)][vote.rater] = vote.won
    return said


def _lefts(votes: Iterable[Vote], rater: str) -> tuple[int, int]:
    """How often a rater chose left, and how often a side at all."""
    sides = Counter(vote.choice for vote in votes if vote.rater == rater)
    return sides["left"], sides["left"] + sides["right"]


def _consensus(rater: str, said: Mapping[tuple[str, ...], Mapping[str, str]]) -> tuple[list[bool], float]:
    """Whether the rater preferred what most others did, item by item; and how often by chance.

    Chance: Cohen (1960), Educational and Psychological Measurement 20(1), 37-46: the sum over what can be preferred of
    the product of how often each of both does.
    """
    pairs = []
    for by_rater in said.values():
        most = Counter(word for other, word in by_rater.items() if other != rater).most_common(2)
        if rater in by_rater and most and (len(most) == 1 or most[0][1] > most[1][1]):
            pairs.append((by_rater[rater], most[0][0]))
    if not pairs:
        return [], NAN
    own, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    return [one == other for one, other in pairs], sum(own[w] * others[w] for w in own) / len(pairs) ** 2


def _repeated(own: Sequence[Vote]) -> list[bool]:
    """Whether each pair that was judged again got the same preference as before."""
    first = {_item(vote): vote.won for vote in own if not vote.again}
    again = [vote for vote in own if vote.again and _item(vote) in first]
    return [vote.won == first[_item(vote)] for vote in again]
