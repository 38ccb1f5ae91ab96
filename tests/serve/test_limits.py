"""Buckets of tokens: what they let through, how long they say to wait, and that they stay small."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.serve.limits import Buckets, Rate, neighbourhood


class Clock:
    """Seconds that go by when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_one_waits_for_the_next_token() -> None:
    clock = Clock()
    buckets = Buckets(Rate(3, 0.5), clock=clock)
    assert [buckets.wait("a") for _ in range(4)] == [0, 0, 0, 2]
    clock.now += 1
    assert buckets.wait("a") == 1
    clock.now += 1
    assert [buckets.wait("a"), buckets.wait("a")] == [0, 2]


def test_what_is_refused_costs_nothing() -> None:
    clock = Clock()
    buckets = Buckets(Rate(1, 1), clock=clock)
    assert buckets.wait("a") == 0
    for _ in range(100):
        assert buckets.wait("a") == 1
    clock.now += 1
    assert buckets.wait("a") == 0


def test_a_bucket_is_never_fuller_than_its_burst() -> None:
    clock = Clock()
    buckets = Buckets(Rate(2, 5), clock=clock)
    buckets.wait("a")
    clock.now += 1e6
    assert [bool(buckets.wait("a")) for _ in range(3)] == [False, False, True]


def test_one_key_takes_nothing_from_another() -> None:
    buckets = Buckets(Rate(1, 1), clock=Clock())
    assert buckets.wait("a") == 0
    assert buckets.wait("b") == 0
    assert buckets.wait("a") > 0


def test_the_least_recently_used_is_forgotten_first() -> None:
    buckets = Buckets(Rate(1, 1), most=3, clock=Clock())
    for key in ("a", "b", "c"):
        buckets.wait(key)
    assert buckets.wait("a") > 0
    buckets.wait("d")
    assert len(buckets) == 3
    assert buckets.wait("a") > 0
    # It starts afresh, since it had to go.
    assert buckets.wait("b") == 0
    assert len(buckets) == 3


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5), st.floats(0.25, 4))
def test_no_stretch_of_time_lets_more_through_than_the_rate(
    pauses: list[float], burst: int, rate: float
) -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst, rate), clock=clock)
    passed = []
    for pause in pauses:
        clock.now += pause
        if not buckets.wait("a"):
            passed.append(clock.now)
    for (first, begun), (last, ended) in itertools.combinations(enumerate(passed), 2):
        assert last - first + 1 <= burst + rate * (ended - begun) + 1e-6


@given(st.integers(1, 5), st.floats(0.25, 4))
def test_who_waits_as_long_as_was_said_gets_through(burst: int, rate: float) -> None:
    clock = Clock()
    buckets = Buckets(Rate(burst, rate), clock=clock)
    while not (wait := buckets.wait("a")):
        pass
    clock.now += wait + 1e-6
    assert buckets.wait("a") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("2001:DB8:1:2::1", "2001:db8:1:2::1", True),
        ("2001:db8::1", "192.0.2.1", False),
        ("", "unix", False),
        ("x" * 1000, "x" * 2000, True),
    ],
)
def test_addresses_are_counted_by_what_one_machine_has(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) == same
    assert len(neighbourhood(one)) <= 64
