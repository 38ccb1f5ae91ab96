"""Arms under a floor: what is stated of false stops, of harm, and of the cost of learning, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.errors import StatisticsError
from trimtab.stats import betting
from trimtab.stats.bandit import ALPHA, CELLS, Evidence, drawn, least_share

Codes = NDArray[np.int64]


def simulated(
    means: list[float], users: int, answers: int, *, uniform: bool = False, seed: int = 0
) -> tuple[Evidence, Codes]:
    """Users who rate every answer; the arms that answered them, (answers, users)."""
    rng, truth = np.random.default_rng(seed), np.array(means)
    evidence, shown = Evidence.none(users, len(means)), np.zeros((answers, users), dtype=np.int64)
    for number in range(answers):
        arm = rng.integers(len(means), size=users) if uniform else drawn(evidence, rng)
        evidence.add(arm, (rng.random(users) < truth[arm]).astype(float))
        shown[number] = arm
    return evidence, shown


def test_a_harmful_arm_answers_seldom_and_is_stopped_where_it_would_go_on() -> None:
    _, shown = simulated([0.7, 0.2], 1000, 150)
    given = (shown == 1).sum(axis=0)
    assert (shown == 1).mean() < 0.06
    assert np.quantile(given, 0.99) <= 30
    # Answers drawn evenly show what the floor alone does.
    forced, shown = simulated([0.7, 0.2], 200, 150, uniform=True)
    assert (forced.stopped[:, 1] > 0).mean() > 0.95
    assert np.median(forced.stopped[:, 1]) < 70


@pytest.mark.parametrize("means", [[0.5, 0.5], [0.9, 0.9, 0.95]])
@pytest.mark.parametrize("uniform", [False, True], ids=["chosen", "evenly"])
def test_good_arms_are_stopped_no_more_often_than_stated(means: list[float], uniform: bool) -> None:
    evidence, _ = simulated(means, 500, 120, uniform=uniform, seed=1)
    assert (evidence.stopped > 0).any(axis=1).mean() <= ALPHA
    assert not evidence.stopped[:, 0].any()


def test_learning_costs_less_and_less() -> None:
    means = np.array([0.4, 0.7])
    _, shown = simulated(list(means), 200, 240, seed=2)
    lost = (means.max() - means[shown]).mean(axis=1).cumsum()
    even = (means.max() - means.mean()) * np.arange(1, 241)
    assert lost[-1] < 0.5 * even[-1]
    # Four times as many answers cost about twice as much, as the square root does, and not four times.
    assert lost[-1] < 2.6 * lost[59]


def test_the_default_keeps_its_least_share() -> None:
    _, shown = simulated([0.0, 1.0], 300, 100, seed=3)
    share = (shown == 0).mean(axis=1)
    stated = least_share(np.arange(100))
    assert abs(share[50:].mean() - stated[50:].mean()) < 0.02
    assert (stated[0], stated[96]) == (0.5, 0.1)


def test_capital_is_that_of_the_bets_of_the_confidence_sequence() -> None:
    rng = np.random.default_rng(4)
    arm, reward = rng.integers(2, size=60), rng.choice([0.0, 0.25, 1.0], size=60)
    evidence = Evidence.none(1, 2)
    for one, value in zip(arm, reward, strict=True):
        evidence.add(np.array([one]), np.array([value]))
    ends = np.linspace(0, 1, CELLS + 1)
    for number, values in ((0, reward[arm == 0]), (1, 1 - reward[arm == 1])):
        staked = betting.bets(values, ALPHA)
        for cell in (3, 50, 97):
            mean = ends[cell + 1] if number == 0 else 1 - ends[cell]
            bets = np.minimum(staked, betting.MOST_RISKED / mean)
            won = np.log1p(bets * (values - mean)).sum()
            assert evidence.capital[0, number, cell] == pytest.approx(won)


def test_what_is_no_reward_is_refused() -> None:
    with pytest.raises(StatisticsError):
        Evidence.none(1, 2).add(np.array([0]), np.array([1.5]))
