"""Work by several threads: all of it, no more at once than allowed, and none begun for nobody."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from trimtab.model import threads


def test_every_item_comes_once_and_no_more_at_once_than_allowed() -> None:
    # Breaks where fewer than three are under way.
    lock, three, running, most = threading.Lock(), threading.Barrier(3, timeout=60), 0, 0

    def work(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait()
        with lock:
            running -= 1
        return item * item

    stopped: list[bool] = []
    found = dict(threads.each(work, range(21), 3, lambda: stopped.append(True)))
    assert found == {item: item * item for item in range(21)}
    assert most == 3
    assert stopped == [True]


def test_a_failure_is_raised_and_begins_nothing_more() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 2:
            raise ValueError("no")
        return item

    with pytest.raises(ValueError, match="no"):
        list(threads.each(work, range(1000), 1, lambda: None))
    assert begun == [0, 1, 2]


def test_who_goes_no_further_waits_for_what_is_under_way() -> None:
    ended: list[int] = []

    def work(item: int) -> int:
        time.sleep(0.05)
        ended.append(item)
        return item

    with contextlib.closing(threads.each(work, range(50), 4, lambda: None)) as found:
        next(found)
    # The four that were begun, and no more than the four that took their places.
    assert 4 <= len(ended) <= 8


def test_what_hangs_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "GRACE", 0.05)
    free = threading.Event()
    started = time.monotonic()

    def work(item: int) -> int:
        if item:
            free.wait(10)
        return item

    with contextlib.closing(threads.each(work, range(2), 2, lambda: None)) as found:
        next(found)
    assert time.monotonic() - started < 5
    free.set()
