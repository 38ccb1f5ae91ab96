"""Users whose feedback chooses between stacks: how often a harmful one answers, and a good one is stopped; simulated.

    python bench/bandit.py [--users 1000] [--answers 400]        writes bench/out/bandit.json

Every answer gets a thumb, up with the mean of its arm; arm 0 is the default. `share`: of answers by the last arm.
`most`: answers by it that 99 of 100 users do not exceed. `stopped`: users for whom any arm was stopped, and after how
many rewards in the median. `cost`: thumbs lost to the best arm, over those that an even choice loses; at a quarter of
the answers and at all of them, in thumbs a user.

`median`: rewards after which the harmful arm is stopped where both answer evenly, by the product of two bets as
shipped, and by two confidence sequences of half the error each that no longer overlap.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import record
from trimtab.stats.bandit import ALPHA, Evidence, drawn
from trimtab.stats.betting import bets, lower_bound

CASES = {
    "harmful": ((0.7, 0.2), False),
    "harmful, evenly": ((0.7, 0.2), True),
    "worse": ((0.7, 0.5), False),
    "better": ((0.5, 0.7), False),
    "as good": ((0.5, 0.5), False),
    "as good, evenly": ((0.5, 0.5), True),
    "three as good, evenly": ((0.8, 0.8, 0.8), True),
}


def simulated(means: tuple[float, ...], users: int, answers: int, *, evenly: bool) -> dict[str, Any]:
    """One case."""
    rng, truth = np.random.default_rng(0), np.array(means)
    evidence, shown = Evidence.none(users, len(means)), np.zeros((answers, users), dtype=np.int64)
    for number in range(answers):
        arm = rng.integers(len(means), size=users) if evenly else drawn(evidence, rng)
        evidence.add(arm, (rng.random(users) < truth[arm]).astype(float))
        shown[number] = arm
    last, stops = shown == len(means) - 1, evidence.stopped[evidence.stopped > 0]
    lost = (truth.max() - truth[shown]).mean(axis=1).cumsum()
    even = (truth.max() - truth.mean()) * answers
    return {
        "share": float(last.mean()),
        "most": float(np.quantile(last.sum(axis=0), 0.99)),
        "stopped": float((evidence.stopped > 0).any(axis=1).mean()),
        "after": float(np.median(stops)) if len(stops) else None,
        "lost": [float(lost[answers // 4 - 1]), float(lost[-1])],
        "cost": float(lost[-1] / even) if even else None,
    }


def rivals(users: int = 60, most: int = 300) -> dict[str, float]:
    """Rewards until the harmful arm is stopped, in the median, by both rules; `most` where it was not."""
    product, two = [], []
    for user in range(users):
        rng, evidence = np.random.default_rng(user), Evidence.none(1, 2)
        arms = rng.permuted(np.arange(most) % 2)
        values = (rng.random(most) < np.array([0.7, 0.2])[arms]).astype(float)
        for arm, value in zip(arms, values, strict=True):
            evidence.add(np.array([arm]), np.array([value]))
        product.append(int(evidence.stopped[0, 1]) or most)
        apart = (number for number in range(8, most) if _apart(arms[:number], values[:number]))
        two.append(next(apart, most))
    return {"product": float(np.median(product)), "two sequences": float(np.median(two))}


def _apart(arms: np.ndarray, values: np.ndarray) -> bool:
    default, other = values[arms == 0], 1 - values[arms == 1]
    low, high = (lower_bound(x, bets(x, ALPHA / 2), ALPHA / 2) for x in (default, other))
    return low > 1 - high


def main() -> None:
    """Every case."""
    given = argparse.ArgumentParser()
    given.add_argument("--users", type=int, default=1000)
    given.add_argument("--answers", type=int, default=400)
    asked = given.parse_args()
    found: dict[str, Any] = {"users": asked.users, "answers": asked.answers, "cases": {}}
    for name, (means, evenly) in CASES.items():
        found["cases"][name] = one = simulated(means, asked.users, asked.answers, evenly=evenly)
        print(name, one, flush=True)
    found["median"] = rivals()
    print("median", found["median"])
    record.write(found, record.OUT / "bandit.json")


if __name__ == "__main__":
    main()
