"""One request answered: by rows of the engine directly, or through what a stack does beside its network."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trimtab.adjust.stack import Adjusted
from trimtab.errors import Overloaded
from trimtab.model.decoding import Row, settled
from trimtab.model.watermark import marks
from trimtab.records import Message, Model, Output, Question, Sampling
from trimtab.serve.models.engine import Asked, Engine, Ticket, TooLong
from trimtab.serve.models.schema import Asking, Refusal
from trimtab.serve.models.stacks import Served

# Of a seed that nobody gave: as large as clients may give one.
SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Said:
    """One answer as it is given.

    Attributes:
        logprobs: (token, natural log-probability under the model) of each token that was drawn; empty where the
            stack edits answers, whose tokens are then others.
        confidence: calibrated for the stack, in [0, 1]; None where it has none.
        fired: rules that changed it.
    """

    text: str
    finish: str
    spent: int
    logprobs: tuple[tuple[str, float], ...] = ()
    confidence: float | None = None
    fired: tuple[str, ...] = ()


@dataclass
class Request:
    """A request on its way: what is asked of which stack, and what is dropped with it.

    Attributes:
        seeds: one for each answer.
        measured: whether it is answered as the stack was measured.
        bare: what is gone on with where there is no conversation.
    """

    engine: Engine
    served: Served
    messages: tuple[Message, ...]
    sampling: Sampling
    seeds: tuple[int, ...]
    measured: bool
    bare: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    prompt: int = 0
    _asked: Asked = field(init=False)

    def __post_init__(self) -> None:
        self._asked = Asked(self.engine, self.served.whose)

    @property
    def named(self) -> str:
        """The id of the response."""
        return f"chatcmpl-{self.id}"

    @property
    def first(self) -> float | None:
        """When the first token was drawn; None before it."""
        return min((one.first for one in self._asked.open if one.first is not None), default=None)

    @property
    def spent(self) -> int:
        """Tokens that were drawn so far."""
        return sum(len(one.row.logprobs) for one in self._asked.open)

    @functools.cached_property
    def mark(self) -> str:
        """Scheme of the watermark that its answers carry; empty where they carry none."""
        sampling = self.served.stack.sampling(self.sampling)
        return sampling.mark.scheme if sampling.mark and marks(sampling) else ""

    def questions(self) -> list[Question]:
        """One for each answer."""
        return [Question(self.id, self.messages, self.sampling, seed) for seed in self.seeds]

    def tickets(self, grown: Callable[[int, Row], None]) -> list[Ticket]:
        """Rows of a stack whose answers nothing edits, to be submitted.

        grown: called with the number of the answer and its row, in the engine's thread.

        Raises:
            Refusal: the conversation is too long.
        """
        found = []
        for number, question in enumerate(self.questions()):
            row = _refusing(partial(self._asked.row, self.served.stack.asked(question), self.bare))
            found.append(Ticket(row, partial(grown, number)))
        self.prompt = len(found[0].row.prompt)
        self._asked.open.extend(found)
        return found

    def submit(self, tickets: Sequence[Ticket]) -> None:
        """Let them wait for places.

        Raises:
            Refusal: too much waits.
        """
        _refusing(partial(self.engine.submit, tickets))

    def drop(self) -> None:
        """Give its places back: nobody waits any more."""
        self.engine.drop(self._asked.open)

    def answers(self) -> list[Said]:
        """All answers, through everything that the stack does; it blocks.

        Raises:
            Refusal: the conversation is too long, or too much waits.
        """
        model: Model = self._asked
        for adjustment in self.served.stack.adjustments:
            if adjustment.strength:
                model = Adjusted(model, adjustment)
        outputs = _refusing(lambda: model.answer(self.questions()))
        self.prompt = len(self._asked.open[0].row.prompt)
        return [_of_output(output) for output in outputs]


def begun(
    engine: Engine,
    served: Served,
    asked: Asking,
    messages: Sequence[Message],
    most: int | None,
    bare: str = "",
) -> Request:
    """A request for answers of a stack; what it does not say is as the stack was measured.

    bare: a text to go on with where there are no messages.
    """
    own = served.sampling
    given: dict[str, Any] = {
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "stop": asked.stops,
        "max_new_tokens": min(most or own.max_new_tokens, engine.limits.answer),
    }
    sampling = dataclasses.replace(own, **{key: value for key, value in given.items() if value is not None})
    seed = secrets.randbelow(SEEDS) if asked.seed is None else asked.seed
    seeds = tuple(seed + number for number in range(asked.n))
    measured = sampling == own and not served.changed
    return Request(engine, served, tuple(messages), sampling, seeds, measured, bare)


async def whole(request: Request) -> list[Said]:
    """All answers of a request; they are dropped where whoever waits for them is cancelled.

    Raises:
        Refusal: the conversation is too long, too much waits, or the stack failed.
    """
    try:
        if request.served.streams:
            found = {number: said async for number, said in pieces(request, only_whole=True)}
            return [found[number] for number in sorted(found)]
        return await asyncio.to_thread(request.answers)
    finally:
        request.drop()


async def pieces(
    request: Request, *, only_whole: bool = False, logprobs: bool = True
) -> AsyncIterator[tuple[int, Said]]:
    """Answers as they grow, of a stack that streams: the number of the answer and all of it so far.

    Args:
        only_whole: each once, when it is finished.
        logprobs: whether those of its tokens are wanted.

    Raises:
        Refusal: as for `whole`.
    """
    loop = asyncio.get_running_loop()
    # In the order in which they grew, each once: whoever reads slower than answers grow reads more of them at a time.
    grown: dict[int, None] = {}
    more = asyncio.Event()

    def note(number: int) -> None:
        grown[number] = None
        more.set()

    def tell(number: int, row: Row) -> None:
        if row.finish or not only_whole or tickets[number].trouble:
            loop.call_soon_threadsafe(note, number)

    tickets = request.tickets(tell)
    request.submit(tickets)
    left = set(range(len(tickets)))
    try:
        while left:
            await more.wait()
            number = next(iter(grown))
            del grown[number]
            if not grown:
                more.clear()
            ticket = tickets[number]
            if ticket.trouble:
                raise _refused(ticket.trouble)
            if number in left:
                said = _of_row(request.engine, ticket.row, logprobs=logprobs)
                if said.finish:
                    left.discard(number)
                yield number, said
    finally:
        request.drop()


def _of_row(engine: Engine, row: Row, *, logprobs: bool) -> Said:
    """An answer as far as it is settled."""
    decode = engine.base.tokenizer.decode
    drawn = list(zip(row.tokens, row.logprobs, strict=False)) if logprobs else []
    tokens = tuple((str(decode([token])), value) for token, value in drawn)
    return Said(settled(engine.base, row), row.finish, len(row.logprobs), tokens)


def _of_output(output: Output) -> Said:
    return Said(output.text, output.finish, output.spent, (), output.confidence, output.fired)


def _refusing(task: Callable[[], Any]) -> Any:
    try:
        return task()
    except (TooLong, Overloaded) as error:
        raise _refused(error) from None


def _refused(trouble: BaseException) -> Refusal:
    if isinstance(trouble, TooLong):
        return Refusal(400, trouble.message, code="context_length_exceeded", param="messages")
    if isinstance(trouble, Overloaded):
        return Refusal(429, f"{trouble.message}; {trouble.hint}", code="overloaded")
    return Refusal(500, "the model failed at this request", code="failed")
