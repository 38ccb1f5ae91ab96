"""What a server of models serves, and what it counts while it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from trimtab.model.sentences import Encoder
from trimtab.records import Message
from trimtab.serve.models import answering
from trimtab.serve.models.answering import Said
from trimtab.serve.models.engine import Engine
from trimtab.serve.models.notice import Notice
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
        notice: what stands at the end of every answer; None where nothing does.
    """

    engine: Engine
    stacks: Mapping[str, Served]
    encoder: Encoder | None = None
    seconds: float = 300.0
    notice: Notice | None = None
    started: float = field(default_factory=time.time)

    @property
    def fingerprint(self) -> str:
        """The base model's, short."""
        return self.engine.base.fingerprint[:16]

    def find(self, name: str) -> Served:
        """A stack by its name.

        Raises:
            Refusal: 404; the base model is never given instead.
        """
        if name not in self.stacks:
            known = ", ".join(sorted(self.stacks))
            raise Refusal(
                404, f"no model {name[:80]!r}; there are: {known}", code="model_not_found", param="model"
            )
        return self.stacks[name]

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
