"""Continuous batching: one thread answers the rows of all requests in one batch, whatever their stacks.

A row enters when a place is free and leaves when it is finished, or when nobody waits for it any more. What a request
does beside (its template, its rules, drawing again) happens in threads of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import torch

from trimtab.errors import Overloaded, TrimtabError
from trimtab.model import likelihood, slots
from trimtab.model.decoding import Decoding, Places, Row, output
from trimtab.model.load import Base, prompt_ids
from trimtab.model.mixed import Changes, Mixed
from trimtab.model.padded import Padded
from trimtab.records import Message, Output, Pair, Question, Report

T = TypeVar("T")
# New answers enter together while others are under way: so many, or after so many tokens.
TOGETHER, PATIENT = 4, 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is answered at once, and how much waits.

    Attributes:
        rows: answers in the batch.
        prompt, answer: most tokens of each.
        waiting: answers that may wait for a place; more are refused.
    """

    rows: int = 32
    prompt: int = 2048
    answer: int = 1024
    waiting: int = 256


@dataclass(eq=False)
class Ticket:
    """One answer that somebody waits for.

    Attributes:
        grown: called in the engine's thread whenever the row has grown; it must not block.
        trouble: why there will be no answer.
        first: when its first token was drawn, on the clock that never runs backwards.
    """

    row: Row
    grown: Callable[[Row], None] = lambda _: None
    done: threading.Event = field(default_factory=threading.Event)
    trouble: BaseException | None = None
    first: float | None = None


class Engine:
    """A base model that answers until it is stopped."""

    def __init__(self, base: Base, limits: Limits | None = None) -> None:
        """Begin to answer."""
        self.base, self.limits = base, limits or Limits()
        self.mixed = Mixed(base.network)
        self.tokens = 0
        self._inbox: deque[Ticket] = deque()
        self._dropped: list[Ticket] = []
        self._tasks: deque[Callable[[], None]] = deque()
        self._leaving: set[str] = set()
        self._tickets: dict[Row, Ticket] = {}
        self._changed = threading.Condition()
        self._ending: Literal["", "finish", "now"] = ""
        self._held = 0
        self._decoding = self._fresh()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def know(self, whose: str, changes: Callable[[], Changes]) -> None:
        """Let rows be answered under changes of the network, which are computed between two tokens.

        What computes them looks at the network, and rows of others change it while they are answered.
        """
        found = self.do(changes)
        with self._changed:
            self._leaving.discard(whose)
            self.mixed.know(whose, found)

    def knows(self, whose: str) -> bool:
        """Whether new rows may be answered under these changes."""
        return whose not in self._leaving and self.mixed.knows(whose)

    def forget(self, whose: str) -> None:
        """Answer no new row under these changes, and let go of them when the last of the old ones is finished."""
        with self._changed:
            self._leaving.add(whose)
            self._changed.notify()

    def prompt(self, messages: Sequence[Message], text: str = "") -> tuple[int, ...]:
        """The tokens of a conversation; of a text where there is none.

        Raises:
            TooLong: it has more than the limit.
        """
        tokenizer = self.base.tokenizer
        ids = tuple(prompt_ids(tokenizer, list(messages)) if messages else tokenizer(text)["input_ids"])
        if not 0 < len(ids) <= self.limits.prompt:
            raise TooLong(len(ids), self.limits.prompt)
        return ids

    def submit(self, tickets: Sequence[Ticket]) -> None:
        """Let rows wait for places.

        Raises:
            Overloaded: too many wait already, a stack has been forgotten meanwhile, or the engine is stopping.
        """
        with self._changed:
            if self._ending:
                raise Overloaded("the server is stopping", "ask again in a moment")
            if not all(self.knows(ticket.row.whose) for ticket in tickets):
                raise Overloaded("this model has just been changed", "ask again in a moment")
            if self.waiting + len(tickets) > self.limits.waiting:
                raise Overloaded(f"{self.waiting} answers wait already", "ask again in a moment")
            self._inbox.extend(tickets)
            self._changed.notify()

    def drop(self, tickets: Sequence[Ticket]) -> None:
        """Answer rows no further: nobody waits for them."""
        with self._changed:
            self._dropped += [ticket for ticket in tickets if not ticket.done.is_set()]
            self._changed.notify()

    def do(self, task: Callable[[], Any]) -> Any:
        """What a task gives that needs the network for itself; it is done between two tokens."""
        found: list[Any] = []
        trouble: list[BaseException] = []
        done = threading.Event()

        def doing() -> None:
            try:
                found.append(task())
            except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that asked
                trouble.append(error)
            finally:
                done.set()

        with self._changed:
            if self._ending:
                raise Overloaded("the server is stopping", "ask again in a moment")
            self._tasks.append(doing)
            self._changed.notify()
        done.wait()
        if trouble:
            raise trouble[0]
        return found[0]

    @property
    def waiting(self) -> int:
        """Answers that wait for a place."""
        return len(self._inbox) + self._decoding.waiting

    @property
    def running(self) -> int:
        """Answers in the batch."""
        return len(self._decoding.live)

    @property
    def alive(self) -> bool:
        """Whether requests are answered."""
        return self._thread.is_alive() and not self._ending

    def stop(self, *, finish: bool = True, seconds: float = 30.0) -> bool:
        """Answer what was asked, or leave it, and end; returns whether it ended in time."""
        with self._changed:
            self._ending = "finish" if finish else "now"
            self._changed.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _fresh(self) -> Decoding:
        longest = self.limits.prompt, self.limits.answer
        places: Places = (
            slots.Slots(self.base, self.limits.rows, self.limits.rows, longest)
            if slots.suited(self.base)
            else Padded(self.base, self.limits.rows)
        )
        decoding = Decoding(self.base, places, sum(longest), mixed=self.mixed)
        decoding.joining = 1
        return decoding

    def _arrived(self) -> list[Ticket]:
        """Tickets to let in now: reading few prompts costs those that are answered as much as reading many."""
        self._held += 1
        if self._decoding.live and len(self._inbox) < TOGETHER and self._held < PATIENT and not self._ending:
            return []
        self._held = 0
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    @torch.no_grad()
    def _run(self) -> None:
        while True:
            with self._changed:
                while not (
                    self._inbox
                    or self._dropped
                    or self._tasks
                    or self._leaving
                    or self._ending
                    or self._decoding.busy
                ):
                    self._changed.wait()
                tasks = [self._tasks.popleft() for _ in range(len(self._tasks))]
                new = self._arrived()
                dropped, self._dropped = self._dropped, []
                if self._ending == "now" or (self._ending and not (new or tasks or self._decoding.busy)):
                    self._end(
                        [*new, *self._tickets.values()], Overloaded("the server is stopping", "ask again")
                    )
                    return
            for task in tasks:
                task()
            self._take(new, dropped)
            if self._leaving:
                self._let_go()

    def _let_go(self) -> None:
        with self._changed:
            asked = {ticket.row.whose for ticket in (*self._inbox, *self._tickets.values())}
            for whose in self._leaving - asked:
                self.mixed.forget(whose)
            self._leaving &= asked

    def _take(self, new: Sequence[Ticket], dropped: Sequence[Ticket]) -> None:
        """Let rows in and out, and all that are there grow by a token."""
        try:
            self._tickets |= {ticket.row: ticket for ticket in new}
            self._decoding.add([ticket.row for ticket in new])
            for ticket in dropped:
                self._decoding.drop(ticket.row)
                self._tickets.pop(ticket.row, None)
                ticket.done.set()
            for row in self._decoding.advance():
                self.tokens += 1
                self._tell(self._tickets[row])
        except Exception as error:  # noqa: BLE001 - those who wait are told, and the others are answered on
            self._end(list(self._tickets.values()), error)
            self._decoding = self._fresh()

    def _tell(self, ticket: Ticket) -> None:
        if ticket.first is None:
            ticket.first = time.monotonic()
        if ticket.row.finish:
            del self._tickets[ticket.row]
        ticket.grown(ticket.row)
        if ticket.row.finish:
            ticket.done.set()

    def _end(self, tickets: Sequence[Ticket], trouble: BaseException) -> None:
        self._tickets.clear()
        for ticket in tickets:
            ticket.trouble = trouble
            ticket.grown(ticket.row)
            ticket.done.set()


def apart(task: Callable[[], T]) -> T:
    """What a task gives, done in a thread that ends with it.

    The threads that a thread computes with outlive its last product, and those of two threads take turns for a core: a
    server whose main thread has loaded the model answers at a third of its speed.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(task).result()


class TooLong(TrimtabError):
    """A conversation with more tokens than are read."""

    def __init__(self, tokens: int, most: int) -> None:
        super().__init__(f"the conversation has {tokens} tokens, at most {most} are read", "shorten it")
        self.tokens, self.most = tokens, most


@dataclass(frozen=True)
class Asked:
    """The engine as a model, for one request and one stack's changes of the network; see `records.Model`.

    Attributes:
        open: tickets of this request, so that they can be dropped with it.
    """

    engine: Engine
    whose: str = ""
    open: list[Ticket] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.engine.base.name

    def answer(self, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer for each question, in order.

        Raises:
            Overloaded: too much waits, or the request was dropped.
            TooLong: a conversation is.
        """
        tickets = [Ticket(self.row(question)) for question in asked]
        self.open.extend(tickets)
        self.engine.submit(tickets)
        for ticket in tickets:
            ticket.done.wait()
            if ticket.trouble:
                raise ticket.trouble
            if not ticket.row.finish:
                raise Overloaded("nobody waits for this answer", "ask again")
        base = self.engine.base
        return [output(base, question, ticket.row) for question, ticket in zip(asked, tickets, strict=True)]

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        """Log-probability (nats) and number of tokens of each answer after its prompt."""

        def read() -> list[tuple[float, int]]:
            with self.engine.mixed.applied({self.whose: None}):
                return likelihood.answers(self.engine.base, pairs)

        found: list[tuple[float, int]] = self.engine.do(read)
        return found

    def row(self, question: Question, text: str = "") -> Row:
        """A question, or a text to go on with, as a row of the batch."""
        seed = question.seed if question.sampling.temperature else 0
        return Row(self.engine.prompt(question.messages, text), seed, question.sampling, whose=self.whose)
