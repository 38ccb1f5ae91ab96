"""A machine judge held against people: how far they agree, and what its votes are then worth.

A judge's win rate is never shown without its agreement with people: both are in one value, which cannot be made with a
win rate and without an agreement.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab import stats
from trimtab.errors import StatisticsError
from trimtab.records import NAN, Estimate, Vote
from trimtab.review.analysis import agreed
from trimtab.review.quality import most_named

NEITHER = 0.5
NOT_YET = "not yet compared with people"
# One rater, many raters: preferences (item -> rater -> 1 the candidate, 0 the baseline, 0.5 neither).
Preferences = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a machine judge says of two stacks, with what that is worth.

    Attributes:
        judge: the model's name.
        agreement: share of the items judged by both on which it names what most people named; items on which people
            are tied say nothing and are left out, as in alpha and people.
        alpha: Krippendorff's alpha of the judge and what most people named.
        people: share of items on which one person names what most of the others named: about as far as a judge can get.
        people_alpha: Krippendorff's alpha among people.
        consistent: share of pairs of which the judge gave the same verdict in both orders.
        silent: items that it gave no verdict on.
        alone: win rate of the candidate by the judge alone. It measures the judge, not what people prefer.
        corrected: win rate of the candidate as people would judge all items, from their votes and the judge's.

    Raises:
        StatisticsError: a win rate without an agreement.
    """

    judge: str
    agreement: Estimate
    alpha: Estimate
    people: Estimate
    people_alpha: Estimate
    consistent: Estimate
    silent: int
    alone: Estimate
    corrected: Estimate

    def __post_init__(self) -> None:
        if self.agreement.undefined and not (self.alone.undefined and self.corrected.undefined):
            raise StatisticsError(
                f"judge {self.judge}: a win rate whose agreement with people is undefined",
                "let people judge some of the same items first",
            )

    def __str__(self) -> str:
        if self.agreement.undefined:
            return f"{self.judge}: {NOT_YET}"
        return (
            f"{self.judge}: agrees with people on {self.agreement}; one person with the others on {self.people}; "
            f"win rate corrected by it {self.corrected}; of the judge alone, no measurement, {self.alone}"
        )


def judged(
    people: Sequence[Vote],
    machine: Sequence[Vote],
    *,
    stacks: tuple[str, str],
    consistent: Estimate,
    silent: Sequence[str] = (),
    level: float = 0.95,
    seed: int = 0,
) -> Judged:
    """Hold a judge's votes on a pair of stacks against people's.

    Counted are people's first judgements of items drawn for the estimate, which are a random sample of the items; the
    win rates are about these raters. An item without a verdict counts as a tie of the judge in the correction, which
    needs no right predictions, but the same rule on all items.

    Args:
        people: votes of people, of any pair and share.
        machine: votes of one judge.
        stacks: hashes of the baseline and the candidate.
        consistent: how often both orders gave the judge the same verdict.
        silent: items on which it was asked and gave no verdict.
        seed: of the bootstraps.

    Raises:
        StatisticsError: no votes of the judge on this pair, votes of several judges, or a person's among them.
    """
    name = _judge(machine, stacks)
    verdicts = {item: said[name] for item, said in _preferences(machine, stacks).items()}
    by_people = _preferences([vote for vote in people if not vote.machine], stacks)
    shared = {item: said for item, said in by_people.items() if item in verdicts}
    both = [vote for vote in people if not vote.machine and vote.item in shared and _counts(vote, stacks)]
    agreement, alpha = _agreement(verdicts, shared, level, seed)
    return Judged(
        judge=name,
        agreement=agreement,
        alpha=alpha,
        people=_one_with_others(shared, level, seed),
        people_alpha=agreed(both, stacks[1], level=level, seed=seed),
        consistent=consistent,
        silent=len(silent),
        **_win_rates(agreement, verdicts, by_people, silent, seed=seed),
    )


def _judge(machine: Sequence[Vote], stacks: tuple[str, str]) -> str:
    names = {vote.rater for vote in machine}
    if len(names) != 1 or not all(vote.machine for vote in machine):
        raise StatisticsError(
            f"votes of {len(names)} raters, of whom {len({v.rater for v in machine if v.machine})} are machines",
            "give the votes of one machine judge",
        )
    if not _preferences(machine, stacks):
        raise StatisticsError(f"the judge has no votes on the stacks {stacks}", "let it judge this pair")
    return names.pop()


def _preferences(votes: Sequence[Vote], stacks: tuple[str, str]) -> dict[str, dict[str, float]]:
    """Who preferred the second stack, for the items of the estimate."""
    found: dict[str, dict[str, float]] = {}
    for vote in votes:
        if _counts(vote, stacks):
            found.setdefault(vote.item, {})[vote.rater] = vote.preference(stacks[1])
    return found


def _counts(vote: Vote, stacks: tuple[str, str]) -> bool:
    """Whether a vote is a first judgement of this pair, for the estimate."""
    return {vote.left, vote.right} == set(stacks) and vote.share == "estimate" and not vote.again


def _agreement(
    verdicts: Mapping[str, float], shared: Preferences, level: float, seed: int
) -> tuple[Estimate, Estimate]:
    named = {item: most_named(said.values()) for item, said in shared.items()}
    most = {item: choice for item, choice in named.items() if choice is not None}
    same = sum(verdicts[item] == choice for item, choice in most.items())
    share = stats.wilson(same, len(most), level=level)
    if share.undefined:
        share = dataclasses.replace(share, undefined=NOT_YET)
    both = [[verdicts[item] for item in most], list(most.values())]
    return share, stats.agreement(both, level=level, seed=seed)


def _one_with_others(shared: Preferences, level: float, seed: int) -> Estimate:
    values = []
    for said in shared.values():
        others = {rater: most_named(v for other, v in said.items() if other != rater) for rater in said}
        same = [said[rater] == most for rater, most in others.items() if most is not None]
        if same:
            values.append(float(np.mean(same)))
    return stats.bounded_mean(values, (0.0, 1.0), level=level, seed=seed)


def _win_rates(
    agreement: Estimate,
    verdicts: Mapping[str, float],
    by_people: Preferences,
    silent: Sequence[str],
    *,
    seed: int,
) -> dict[str, Estimate]:
    if agreement.undefined:
        none = Estimate(NAN, NAN, NAN, agreement.level, 0, "none", NOT_YET)
        return {"alone": none, "corrected": none}
    alone = stats.bounded_mean(list(verdicts.values()), (0.0, 1.0), level=agreement.level, seed=seed)
    told = {**dict.fromkeys(silent, NEITHER), **verdicts}
    labelled = [item for item in told if item in by_people]
    corrected = stats.predicted_mean(
        [float(np.mean(list(by_people[item].values()))) for item in labelled],
        [told[item] for item in labelled],
        [value for item, value in told.items() if item not in by_people],
        level=agreement.level,
        seed=seed,
    )
    alone = dataclasses.replace(alone, method=f"the judge alone, not what people prefer; {alone.method}")
    return {"alone": alone, "corrected": corrected}
