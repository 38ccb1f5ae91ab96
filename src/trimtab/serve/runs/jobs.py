"""What takes longer than a page waits: done one after another in a thread, and looked at until it is done."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trimtab.errors import Overloaded, StoreError, TrimtabError
from trimtab.records import Progress, Report

# Jobs that are remembered, and those of them that may wait.
MOST, WAITING = 64, 8
WAITS = Progress("waiting", 0, 0)
STOPPING = Overloaded("the server is stopping", "ask again when it runs")


@dataclass(eq=False)
class Job:
    """One thing to do.

    Attributes:
        owner: id of whoever asked, who alone may look at it.
        about: what it is, and what was asked for, as its page shows it.
        result: what came of it, once `done`.
        trouble: why nothing did.
    """

    owner: int
    kind: str
    about: Mapping[str, Any]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    progress: Progress = WAITS
    done: bool = False
    result: Any = None
    trouble: str = ""


class Jobs:
    """Jobs in memory alone: what people asked, and what was answered, is gone with the server."""

    def __init__(self) -> None:
        self.ending = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, job: Job, task: Callable[[Report], Any]) -> Job:
        """Do a task when those before it are done; it reports how far it is.

        Raises:
            Overloaded: too many wait already, or the server is stopping.
        """
        with self._lock:
            if self.ending:
                raise STOPPING
            if sum(not one.done for one in self._known.values()) > WAITING:
                raise Overloaded("too much waits already", "ask again in a moment")
            self._known[job.id] = job
            for old in [one for one in self._known.values() if one.done][: max(0, len(self._known) - MOST)]:
                del self._known[old.id]
            self._pool.submit(partial(self._run, job, task))
        return job

    def find(self, number: str, owner: int, kind: str) -> Job | None:
        """A job by its id, for whoever asked for it; None where there is none."""
        job = self._known.get(number)
        return job if job is not None and (job.owner, job.kind) == (owner, kind) else None

    def stop(self) -> None:
        """Begin nothing more, and wait for what runs, which ends at its next report."""
        self.ending = True
        self._pool.shutdown(cancel_futures=True)

    def _run(self, job: Job, task: Callable[[Report], Any]) -> None:
        def report(progress: Progress) -> None:
            if self.ending:
                raise STOPPING
            job.progress = progress

        try:
            job.result = task(report)
        except TrimtabError as error:
            # A store's error names the database, which is for the log.
            if isinstance(error, StoreError):
                logging.getLogger(__name__).error("%s", error.message)
            hint = f" ({error.hint})" if error.hint else ""
            job.trouble = (
                "The store cannot be reached" if isinstance(error, StoreError) else error.message + hint
            )
        except ModuleNotFoundError as error:
            job.trouble = f"{error.name} is not installed here"
        except Exception:
            logging.getLogger(__name__).exception("a job failed: %s", job.kind)
            job.trouble = "Something went wrong on our side; the server's log says what"
        finally:
            job.done = True
