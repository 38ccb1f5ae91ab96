"""Which of its stacks a profile is answered by, learned from what its user says of answers.

All of it is computed from the answers and the feedback that the store keeps: there is no other state to lose or delete.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.records import Estimate
from trimtab.stats.bandit import Evidence, drawn, least_share
from trimtab.stats.betting import betting

# What answers of an arm are kept under: the name of its stack, so long, and its hash without the profile's words, so
# long. Another strength is another arm; another fact or style is not.
NAMED, HASHED = 40, 16
# A rating of 1 is a reward of 0, one of 5 a reward of 1.
WORST, RANGE = 1, 4
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Arm:
    """One stack that a profile may be answered by.

    Attributes:
        rewards: how its answers were received, 0 to 1.
        stopped: rewards of all arms after which it was shown worse than the default and stopped; 0 where it goes on.
    """

    stack: str
    rewards: Estimate
    stopped: int


@dataclass(frozen=True)
class Choice:
    """What was learned of a profile's stacks; the first is the default."""

    stacks: tuple[str, ...]
    evidence: Evidence
    heard: tuple[tuple[int, float], ...]

    @property
    def least(self) -> float:
        """The share of answers that the default gives whatever was learned."""
        return float(least_share(self.evidence.rewards)[0])

    def draw(self, seed: Sequence[int]) -> str:
        """The stack that answers next; the same for one seed and one history."""
        return self.stacks[int(drawn(self.evidence, np.random.default_rng(list(seed)))[0])]

    def arms(self) -> list[Arm]:
        """What is known of each."""
        found = []
        for number, stack in enumerate(self.stacks):
            values = [reward for arm, reward in self.heard if arm == number]
            found.append(Arm(stack, received(values), int(self.evidence.stopped[0, number])))
        return found


def received(values: Sequence[float]) -> Estimate:
    """The mean of rewards; its bounds hold at any time, and whatever rule chose who answers (`stats.betting`)."""
    if not values:
        nan = math.nan
        return Estimate(nan, nan, nan, LEVEL, 0, "betting", "no feedback")
    return betting(np.array(values), (1 - LEVEL) / 2).estimate(LEVEL, len(values))


def label(name: str, stack: str) -> str:
    """What answers of a stack of this name and hash are kept under."""
    return f"{name[:NAMED]}@{stack[:HASHED]}"


def latest(name: str, said: Sequence[tuple[Kept, Given]]) -> str:
    """What the newest answers of a stack of this name are kept under; the bare name where there is none."""
    found = [kept.arm for kept, _ in said if kept.arm.rpartition("@")[0] == name[:NAMED]]
    return found[-1] if found else name


def reward(given: Given) -> float | None:
    """What feedback says of an answer, 0 to 1; None where it does not say whether it was good.

    A thumb counts before a rating; a correction alone says that the answer was not what was wanted.
    """
    if given.thumb is not None:
        return float(given.thumb > 0)
    if given.rating is not None:
        return (given.rating - WORST) / RANGE
    return 0.0 if given.correction else None


def learned(stacks: Sequence[str], said: Sequence[tuple[Kept, Given]]) -> Choice:
    """What the feedback of a profile says of its stacks, the default first; of answers by other stacks nothing counts.

    Args:
        stacks: as they are kept with answers (`Kept.arm`, see `label`).
        said: in the order of the answers.
    """
    evidence, heard = Evidence.none(1, len(stacks)), []
    number = {stack: place for place, stack in enumerate(stacks)}
    for answer, given in said:
        value, arm = reward(given), number.get(answer.arm)
        if value is not None and arm is not None:
            evidence.add(np.array([arm]), np.array([value]))
            heard.append((arm, value))
    return Choice(tuple(stacks), evidence, tuple(heard))
