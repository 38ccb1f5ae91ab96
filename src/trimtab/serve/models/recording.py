"""Answers kept while they are given: on disk before a response ends, several in one write, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from time import time
from typing import TypeVar

from trimtab.errors import StoreError
from trimtab.live import answers
from trimtab.live.answers import Kept, iso
from trimtab.review.store import Store
from trimtab.serve.models import answering
from trimtab.serve.models.account import Account
from trimtab.serve.models.answering import Said

T = TypeVar("T")
# Threads that read and write the store: others wait in line for models, and must not hold up keys and feedback.
THREADS = 4
DAY = 86_400.0


@dataclass
class Recorder:
    """The store of a server.

    Attributes:
        texts: whether questions and answers are kept; else only that there was an answer, so that its owner can say
            something of it.
        days: after which answers are deleted; 0: they stay until they are forgotten.
    """

    store: Store
    texts: bool = False
    days: int = 0
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="store"), repr=False
    )
    _waiting: list[tuple[list[Kept], asyncio.Future[None]]] = field(default_factory=list, repr=False)
    _writing: asyncio.Task[None] | None = field(default=None, repr=False)
    _swept: float = field(default_factory=time, repr=False)

    async def do(self, task: Callable[[], T]) -> T:
        """What a task on the store gives, done beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, task)

    async def keep(self, begun: answering.Request, account: Account, said: Mapping[int, Said]) -> None:
        """Keep answers by the number of the choice; when this returns they are on disk.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        rows = [self._row(begun, account, number, one) for number, one in said.items()]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    def sweep(self) -> None:
        """Delete answers that are too old."""
        self._swept = time()
        if self.days:
            answers.forget(self.store, before=iso(self._swept - self.days * DAY))

    def close(self) -> None:
        """End the threads; whatever was acknowledged is kept."""
        self._threads.shutdown()

    async def _write(self) -> None:
        """Write what waits, all of it in one transaction, until nothing does."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [row for some, _ in batch for row in some]
            trouble: StoreError | None = None
            try:
                await self.do(partial(answers.keep, self.store, rows))
            except StoreError as error:
                trouble = error
            except Exception as error:  # noqa: BLE001 - those who wait are told, and the next are written
                trouble = StoreError(f"an answer was not kept: {type(error).__name__}")
            for _, done in batch:
                # Who waited may have left meanwhile.
                if not done.done():
                    done.set_exception(trouble) if trouble else done.set_result(None)
            if time() - self._swept > DAY:
                with contextlib.suppress(StoreError):
                    await self.do(self.sweep)

    def _row(self, begun: answering.Request, account: Account, number: int, said: Said) -> Kept:
        asked = next((turn.content for turn in reversed(begun.messages) if turn.role == "user"), begun.bare)
        prompt, answer = (asked, said.text) if self.texts else ("", "")
        about = (account.owner, account.model, begun.served.stack.hash)
        confidence, fired = said.confidence, said.fired
        return Kept(
            f"{begun.named}-{number}", iso(time()), *about, prompt, answer, confidence, fired, account.arm
        )
