"""What a server of models serves, to whom, and what it keeps and counts while it does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from trimtab.errors import StoreError, TrimtabError
from trimtab.live.keys import Key
from trimtab.model.sentences import Encoder
from trimtab.records import Message
from trimtab.serve.models import answering
from trimtab.serve.models.account import Account
from trimtab.serve.models.answering import Said
from trimtab.serve.models.counts import Counts
from trimtab.serve.models.engine import Engine
from trimtab.serve.models.logs import Log
from trimtab.serve.models.notice import Notice
from trimtab.serve.models.personal import Profiles
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
        notice: what stands at the end of every answer; None where nothing does.
        profiles: of users, teams and audiences; None where there are none.
    """

    engine: Engine
    stacks: Mapping[str, Served]
    encoder: Encoder | None = None
    seconds: float = 300.0
    recorder: Recorder | None = None
    keys: bool = False
    each: int = 64
    log: Log | None = None
    notice: Notice | None = None
    profiles: Profiles | None = None
    started: float = field(default_factory=time.time)
    counts: Counts = field(init=False)

    def __post_init__(self) -> None:
        self.counts = Counts(self.engine)

    @property
    def fingerprint(self) -> str:
        """The base model's, short."""
        return self.engine.base.fingerprint[:16]

    def find(self, name: str, key: Key | None = None) -> Served:
        """A stack by its name, or the one that a profile's next answer comes from, as far as a key opens it.

        Raises:
            Refusal: 404, for what is not there and for what the key does not open; the base model is never given
                instead. 503: a profile's file cannot be used.
        """
        found = (self.stacks.get(name) or self._personal(name)) if _opens(key, name) else None
        if found is None:
            known = ", ".join(sorted(self.open_to(key)))
            said = f"no model {name[:80]!r}; there are: {known}"
            raise Refusal(404, said, code="model_not_found", param="model")
        return found

    async def sought(self, name: str, key: Key | None = None) -> Served:
        """The same; what a profile reads of files and of the store is read beside the event loop."""
        if name in self.stacks or self.recorder is None:
            return self.find(name, key)
        return await self.recorder.do(partial(self.find, name, key))

    def open_to(self, key: Key | None) -> dict[str, Served]:
        """What a key opens, by name; everything where no key was asked for.

        A profile stands there with its default; one that cannot be used now is left out.
        """
        found = {name: one for name, one in self.stacks.items() if _opens(key, name)}
        if self.profiles is not None:
            for name in self.profiles.names():
                with contextlib.suppress(TrimtabError):
                    default = self.profiles.default(name) if _opens(key, name) else None
                    found |= {name: default} if default else {}
        return found

    def _personal(self, name: str) -> Served | None:
        try:
            return self.profiles.find(name) if self.profiles else None
        except TrimtabError:
            # What its file holds is for nobody who asks.
            raise Refusal(503, f"the profile {name} cannot be used now", code="profile_unusable") from None

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
            account.answers, account.id, account.arm = begun, begun.named, served.arm
        return begun

    async def answered(self, begun: answering.Request) -> list[Said]:
        """All answers of a request.

        Raises:
            Refusal: also where it takes too long.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return [self._noticed(said) for said in await answering.whole(begun)]
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
                async for number, said in answering.pieces(begun, logprobs=logprobs):
                    yield number, self._noticed(said)
        except TimeoutError:
            raise Refusal(504, f"not finished within {self.seconds:g} seconds", code="timeout") from None

    def _noticed(self, said: Said) -> Said:
        return self.notice.on(said) if self.notice else said

    async def keep(self, begun: answering.Request, account: Account, said: Mapping[int, Said]) -> None:
        """Keep answers by the number of the choice, before whoever asked has the whole of them.

        Raises:
            Refusal: texts are to be kept, and the store did not take them.
        """
        account.rules += [rule for one in said.values() for rule in one.fired]
        gone = begun.served.name not in self.stacks and not (
            self.profiles and self.profiles.has(begun.served.name)
        )
        # Of a profile that was deleted while it was answered nothing is kept.
        if self.recorder is None or gone:
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
