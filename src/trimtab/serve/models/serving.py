"""What a server of models serves, and what it counts while it does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from trimtab.errors import TrimtabError
from trimtab.model.sentences import Encoder
from trimtab.records import Message
from trimtab.serve.models import answering
from trimtab.serve.models.answering import Said
from trimtab.serve.models.engine import Engine
from trimtab.serve.models.personal import Profiles
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
        profiles: of users, teams and audiences; None where there are none.
    """

    engine: Engine
    stacks: Mapping[str, Served]
    encoder: Encoder | None = None
    seconds: float = 300.0
    profiles: Profiles | None = None
    started: float = field(default_factory=time.time)

    @property
    def fingerprint(self) -> str:
        """The base model's, short."""
        return self.engine.base.fingerprint[:16]

    @property
    def names(self) -> list[str]:
        """Every model that may be asked for: stacks, then profiles."""
        return [*self.stacks, *(self.profiles.names() if self.profiles else ())]

    def listed(self) -> list[Served]:
        """Every model that may be asked for; a profile that cannot be used now is left out."""
        found = list(self.stacks.values())
        for name in self.profiles.names() if self.profiles else ():
            with contextlib.suppress(TrimtabError):
                default = self.profiles.default(name) if self.profiles else None
                found += [default] if default else []
        return found

    def find(self, name: str) -> Served:
        """A stack by its name, or the one that a profile's next answer comes from.

        Raises:
            Refusal: 404; the base model is never given instead. 503: a profile's file cannot be used.
        """
        found = self.stacks.get(name) or self._personal(name)
        if found is None:
            known = ", ".join(sorted(self.names))
            raise Refusal(
                404, f"no model {name[:80]!r}; there are: {known}", code="model_not_found", param="model"
            )
        return found

    def _personal(self, name: str) -> Served | None:
        try:
            return self.profiles.find(name) if self.profiles else None
        except TrimtabError:
            # What its file holds is for nobody who asks.
            raise Refusal(503, f"the profile {name} cannot be used now", code="profile_unusable") from None

    def begin(
        self, served: Served, asked: Asking, messages: Sequence[Message], most: int | None, *, text: str = ""
    ) -> answering.Request:
        """A request for answers, not yet under way."""
        return answering.begun(self.engine, served, asked, messages, most, text)

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

    def named(self, begun: answering.Request) -> str:
        """The id of a response."""
        return f"chatcmpl-{begun.id}"

    def vectors(self, model: str, texts: Sequence[str]) -> Vectors:
        """Sentence vectors.

        Raises:
            Refusal: another model than the encoder, or it is not installed.
        """
        if model != ENCODER:
            raise Refusal(
                404, f"no model {model[:80]!r} for embeddings; there is {ENCODER}", code="model_not_found"
            )
        if self.encoder is None:
            raise Refusal(501, f"{ENCODER} is not installed here", code="not_installed")
        # By the engine, whose threads alone compute here.
        vectors = self.engine.do(partial(self.encoder.read, texts))
        return Vectors(vectors, self.encoder.tokens(texts))
