"""How far a run is, on disk while it is worked on, so that another process can show it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from trimtab.errors import RunError
from trimtab.records import Progress, Report
from trimtab.run import RunFolder

FILE = "progress.json"
# Seconds between two records: a page shows no more, and each is flushed to disk.
EVERY = 1.0


@contextlib.contextmanager
def tracked(
    folder: RunFolder, report: Report | None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Report]:
    """A callback that passes progress on, and keeps it in progress.json at most once a second.

    The file is gone when the block ends; of a run that was cut off it stays, and says where that was.

    Args:
        clock: seconds that never run backwards.
    """
    written = -EVERY + clock()

    def both(progress: Progress) -> None:
        nonlocal written
        if report is not None:
            report(progress)
        if clock() - written >= EVERY:
            written = clock()
            # What only tells of the work must not end it.
            with contextlib.suppress(RunError):
                folder.write(FILE, progress)

    yield both
    folder.remove(FILE)


def progress(folder: RunFolder) -> Progress | None:
    """What a run last said of itself; None where it says nothing, or nothing that can be read."""
    try:
        found = folder.read(FILE)
        return Progress(str(found["stage"]), float(found["done"]), float(found["total"]), found["facts"])
    except (RunError, KeyError, TypeError, ValueError):
        return None


def share(progress: Progress) -> str:
    """How far, in percent; empty where the total is not known."""
    return f"{min(progress.done / progress.total, 1):4.0%}" if progress.total else ""


def facts(progress: Progress) -> str:
    """Loss, tokens/s and the like, as `loss 1.23  tokens/s 250`."""
    shown = (
        f"{name} {value:.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{name} {value:.0f}"
        if isinstance(value, int | float)
        else f"{name} {value}"
        for name, value in progress.facts.items()
    )
    return "  ".join(shown)
