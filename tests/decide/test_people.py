"""People in the verdict: what waits for them, what their judgement turns it into."""

from __future__ import annotations

import pytest

from tests.decide.test_judge import compared, guard, judged
from trimtab import stats
from trimtab.decide import people
from trimtab.decide.judge import verdict, without_look
from trimtab.records import AWAITS_PEOPLE, Verdict


def measured(target: str = "better", *guards: str, look: int = 1) -> Verdict:
    return verdict(judged(compared(target), *map(guard, guards)), level=0.96, look=look)


@pytest.mark.parametrize(
    ("target", "guards", "as_guard", "as_goal"),
    [
        ("better", ("held",), True, True),
        ("better", ("inconclusive",), False, False),
        ("better", ("breached",), False, False),
        ("too small", ("held",), False, True),
        ("inconclusive", ("held",), False, True),
    ],
)
def test_people_are_waited_for_where_their_judgement_could_end_in_ship(
    target: str, guards: tuple[str, ...], as_guard: bool, as_goal: bool
) -> None:
    before = measured(target, *guards)
    assert people.reviewable(before, "guard") is as_guard
    assert people.reviewable(before, "goal") is as_goal
    for role, awaited in (("guard", as_guard), ("goal", as_goal)):
        waiting = people.waiting(before, role)  # type: ignore[arg-type]
        assert (waiting.reasons[-1] == AWAITS_PEOPLE) is awaited
        assert waiting.outcome == ("inconclusive" if awaited else before.outcome)


def test_nobody_is_waited_for_where_confirm_was_not_opened() -> None:
    closed = without_look(judged(compared("better")), level=0.95, failure="passed", explored=True)
    assert people.waiting(closed, "goal") is closed


@pytest.mark.parametrize(
    ("judgement", "outcome"), [("held", "ship"), ("inconclusive", "inconclusive"), ("breached", "hold")]
)
def test_people_are_a_guard_beside_the_others(judgement: str, outcome: str) -> None:
    before = measured("better", "held")
    after = people.concluded(before, compared(judgement, -0.01, 80), "guard", 0.05)
    assert after.outcome == outcome
    assert [g.suite for g in after.guards] == ["suite", "people"]
    assert after.target == before.target
    assert after.need_n == (80 if outcome == "inconclusive" else None)
    assert after.reasons[: len(before.reasons)] == before.reasons
    assert after.decided_by == "metric"


@pytest.mark.parametrize(
    ("judgement", "guards", "outcome"),
    [
        ("better", ("held",), "ship"),
        ("better", ("inconclusive",), "inconclusive"),
        ("too small", ("held",), "hold"),
        ("worse", ("held",), "hold"),
        ("inconclusive", ("held",), "inconclusive"),
    ],
)
def test_people_as_the_goal_decide_instead_of_the_metric(
    judgement: str, guards: tuple[str, ...], outcome: str
) -> None:
    people_say = compared(judgement, 2.0)
    for metric in ("better", "too small", "inconclusive"):
        after = people.concluded(measured(metric, *guards), people_say, "goal", 0.05)
        assert after.outcome == outcome
        assert after.target is people_say
        assert after.reasons[0].startswith("the metric, which only chose what people saw: ")
        assert after.decided_by == "people"


def test_a_plan_says_what_people_can_show() -> None:
    assert "by 2 people each are 200 judgements" in people.planned(100, 2, "guard", 0.05, 0.95)
    need = stats.sample_size(effect=0.0, sd=people.SPREAD, margin=0.05, level=0.95)
    assert f"{need} items are needed" in people.planned(need - 1, 2, "guard", 0.05, 0.95)
    assert "that is enough" in people.planned(need, 2, "guard", 0.05, 0.95)
    few, many = (people.planned(n, 1, "goal", 0.0, 0.95) for n in (25, 400))
    assert "a win rate of 0.73" in few
    assert "a win rate of 0.56" in many
    assert "show nothing" in people.planned(1, 2, "goal", 0.0, 0.95)
