"""Work that waits for others, done by several threads at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# Seconds that what is under way is given to end once nobody goes on: it may be paid for already.
GRACE = 10.0


def each(
    work: Callable[[Item], Result], items: Sequence[Item], at_once: int, stop: Callable[[], None]
) -> Generator[tuple[Item, Result], None, None]:
    """Every item with its result, as they come.

    When the caller goes no further, or work on an item fails, no further item is begun, and what is under way is
    waited for a short time.

    Args:
        at_once: threads at most.
        stop: called at the end, from the caller's thread; lets work that only waits for its turn end.
    """
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    done: queue.SimpleQueue[tuple[Item, Result] | BaseException] = queue.SimpleQueue()
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((item, work(item)))
            except BaseException as error:  # noqa: BLE001 - it is raised again where the results are read
                done.put(error)
                return

    # Daemons: a connection that hangs does not keep the process from ending.
    running = [threading.Thread(target=run, daemon=True) for _ in range(min(at_once, len(items)))]
    for thread in running:
        thread.start()
    try:
        for _ in items:
            found = done.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        ended.set()
        stop()
        until = time.monotonic() + GRACE
        for thread in running:
            thread.join(max(0.0, until - time.monotonic()))
