"""Live progress on standard error: a bar on a terminal, else one plain line every ten seconds."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from trimtab.cli import show
from trimtab.records import Progress, Report
from trimtab.tracking import facts, share

if TYPE_CHECKING:
    from rich.progress import TaskID

EVERY = 10.0
BAR = 20


@contextlib.contextmanager
def live(*, as_json: bool = False, wanted: bool = False) -> Iterator[Report | None]:
    """A callback that draws progress while the block runs; None where none shall be drawn.

    On a terminal a bar is drawn. Elsewhere a line appears every ten seconds; with --json only if `wanted`.
    """
    terminal = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
    if terminal:
        with _bars() as report:
            yield report
    elif as_json and not wanted:
        yield None
    else:
        yield PlainProgress()


class PlainProgress:
    """Prints a line when a stage begins, and every `every` seconds while it goes on."""

    def __init__(self, *, every: float = EVERY, clock: Callable[[], float] = time.monotonic) -> None:
        self.every, self.clock = every, clock
        self.stage, self.done, self.began, self.spoke = "", 0.0, 0.0, 0.0

    def __call__(self, progress: Progress) -> None:
        """Take one report of progress."""
        now = self.clock()
        new = progress.stage != self.stage
        if new or progress.done < self.done:
            self.began = now
        self.stage, self.done = progress.stage, progress.done
        if not new and now - self.spoke < self.every:
            return
        self.spoke = now
        left = time_left(progress, now - self.began)
        parts = [progress.stage, share(progress), facts(progress), f"{left} left" if left else ""]
        show.line("  ".join(part for part in parts if part)[: show.WIDTH], to_error=True)


@contextlib.contextmanager
def _bars() -> Iterator[Report]:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    with Bars(*columns, console=show.console(to_error=True)) as bars:
        tasks: dict[str, tuple[TaskID, float, float]] = {}

        def report(progress: Progress) -> None:
            now = time.monotonic()
            if progress.stage not in tasks:
                for task, *_ in tasks.values():
                    bars.stop_task(task)
                tasks[progress.stage] = (bars.add_task(progress.stage[:24], facts=""), now, 0.0)
            task, began, before = tasks[progress.stage]
            began = now if progress.done < before else began
            tasks[progress.stage] = (task, began, progress.done)
            done = progress.total and progress.done >= progress.total
            left = span(now - began) if done else time_left(progress, now - began)
            texts = (share(progress), facts(progress), left)
            room = show.WIDTH - 24 - BAR - 3
            bars.update(
                task,
                completed=progress.done,
                total=progress.total or None,
                facts=" ".join(text for text in texts if text)[:room],
            )

        yield report


def time_left(progress: Progress, seconds: float) -> str:
    """Time that a stage still takes at its speed so far; empty while too little is known, and at the end."""
    if not 0 < progress.done < progress.total or seconds < 1:
        return ""
    return span(seconds * (progress.total - progress.done) / progress.done)


def span(seconds: float) -> str:
    """A span of time in the two largest units: 45 s, 3 min 20 s, 1 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
