"""What a server of models serves, to whom, and what it keeps and counts while it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from trimtab.errors import StoreError
from trimtab.live.keys import Key
from trimtab.model.sentences import Encoder
from trimtab.records import Message
from trimtab.serve.models import answering
from trimtab.serve.models.account import Account
from trimtab.serve.models.answering import Said
from trimtab.serve.models.counts import Counts
from trimtab.serve.models.engine import Engine
from trimtab.serve.models.logs import Log
from trimtab.serve.models.recording import Recorder
from trimtab.serve.models.schema import Asking, Refusal
from trimtab.serve.models.stacks import Served

ENCODER = "all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Vectors:
    """Sentence vectors (texts, 384) of length 1, and tokens that were read for them."""

    vectors: np.ndarray
    tokens: int


@dataclass
class Serving:
    """Stacks by the names that clients ask for, and the engine that answers.

    Attributes:
        encoder: of sentences; None where it is not installed.
        seconds: longest time that a request may take.
        recorder: of keys, answers and feedback; without one everybody is let in, and nothing is kept.
        keys: whether a key is needed even where none was ever made.
        each: most requests of one key at once.
        log: of requests; None where none is written.
    """

    engine: Engine
    stacks: Mapping[str, Served]
    encoder: Encoder | None = None
    seconds: float = 300.0
    recorder: Recorder | None = None
    keys: bool = False
    each: int = 64
    log: Log | None = None
    started: float = field(default_factory=time.time)
    counts: Counts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = Counts(self.engine)

    @property
    def fingerprint(self) -> str:
        """The base model's, short."""
        return self.engine.base.fingerprint[:16]

    def find(self, name: str, key: Key | None = None) -> Served:
        """A stack by its name, as far as a key opens it.

        Raises:
            Refusal: 404, for what is not there and for what the key does not open; the base model is never given
                instead.
        """
        found = self.stacks.get(name)
        if found is None or not _opens(key, name):
            known = ", ".join(sorted(self.open_to(key)))
            said = f"no model {name[:80]!r}; there are: {known}"
            raise Refusal(404, said, code="model_not_found", param="model")
        return found

    def open_to(self, key: Key | None) -> dict[str, Served]:
        """What a key opens, by name; everything where no key was asked for."""
        return {name: one for name, one in self.stacks.items() if _opens(key, name)}

    def begin(
        self,
        served: Served,
        asked: Asking,
        messages: Sequence[Message],
        most: int | None,
        *,
        text: str = "",
        account: Account | None = None,
    ) -> answering.Request:
        """A request for answers, not yet under way; its account learns of it."""
        begun = answering.begun(self.engine, served, asked, messages, most, text)
        if account is not None:
            account.answers, account.id = begun, begun.named
        return begun

    async def answered(self, begun: answering.Request) -> list[Said]:
        """All answers of a request.

        Raises:
            Refusal: also where it takes too long.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return await answering.whole(begun)
        except TimeoutError:
            raise Refusal(504, f"no answer within {self.seconds:g} seconds", code="timeout") from None

    async def growing(self, begun: answering.Request, *, logprobs: bool) -> AsyncIterator[tuple[int, Said]]:
        """Answers as they grow; those of a stack that edits them come whole.

        Raises:
            Refusal: also where it takes too long.
        """
        if not begun.served.streams:
            for number, said in enumerate(await self.answered(begun)):
                yield number, said
            return
        try:
            async with asyncio.timeout(self.seconds):
                async for piece in answering.pieces(begun, logprobs=logprobs):
                    yield piece
        except TimeoutError:
            raise Refusal(504, f"not finished within {self.seconds:g} seconds", code="timeout") from None

    async def keep(self, begun: answering.Request, account: Account, said: Mapping[int, Said]) -> None:
        """Keep answers by the number of the choice, before whoever asked has the whole of them.

        Raises:
            Refusal: texts are to be kept, and the store did not take them.
        """
        account.rules += [rule for one in said.values() for rule in one.fired]
        if self.recorder is None:
            return
        try:
            await self.recorder.keep(begun, account, said)
        except StoreError:
            self.counts.lost(len(said))
            # Without texts only feedback is lost, for which nobody's answer is held back.
            if self.recorder.texts:
                raise Refusal(503, "the answer cannot be kept, as it must be", code="store") from None

    def ended(self, account: Account) -> None:
        """Count a request and log it."""
        self.counts.ended(account)
        if self.log is not None:
            self.log.write(account.line())

    def vectors(self, model: str, texts: Sequence[str], key: Key | None = None) -> Vectors:
        """Sentence vectors.

        Raises:
            Refusal: another model than the encoder, or it is not installed.
        """
        if model != ENCODER or not _opens(key, ENCODER):
            there = f"; there is {ENCODER}" if _opens(key, ENCODER) else ""
            raise Refusal(404, f"no model {model[:80]!r} for embeddings{there}", code="model_not_found")
        if self.encoder is None:
            raise Refusal(501, f"{ENCODER} is not installed here", code="not_installed")
        # By the engine, whose threads alone compute here.
        vectors = self.engine.do(partial(self.encoder.read, texts))
        return Vectors(vectors, self.encoder.tokens(texts))


def _opens(key: Key | None, name: str) -> bool:
    return key is None or key.opens(name)
