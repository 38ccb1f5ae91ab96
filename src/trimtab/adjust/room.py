"""How much may be put around a question before it outgrows the model's context."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trimtab.model.find import AnyBase
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Message

# Texts that the length of a token is measured on.
MEASURED = 500


@dataclass(frozen=True, slots=True)
class Room:
    """Tokens that a conversation may have, and how they are reckoned where there is no tokenizer.

    A text of n bytes (UTF-8) counts as n / `bytes_per_token` tokens, at the smallest ratio of the texts that the
    adjustment was fitted on: a text like those is never longer than reckoned. `turn` is what the template adds to
    each, in tokens. `tokens` None: without bound.
    """

    tokens: int | None = None
    bytes_per_token: float = 1.0
    turn: int = 0

    def needed(self, *texts: str) -> int:
        """Tokens that turns with these texts are reckoned to take."""
        return sum(math.ceil(len(text.encode()) / self.bytes_per_token) + self.turn for text in texts)

    def left(self, messages: Iterable[Message]) -> float:
        """Tokens that are left beside a conversation; may be negative, infinite where there is no bound."""
        return math.inf if self.tokens is None else self.tokens - self.needed(*(m.content for m in messages))


def measured(base: AnyBase, texts: Iterable[str], *, answer: int) -> Room:
    """The room for prompts of a base model; without bound at a service, which tells neither length nor tokens.

    Args:
        texts: such as will be asked and shown; the first 500 are measured.
        answer: tokens kept free for what the model says.
    """
    if not isinstance(base, Base):
        return Room()
    longest = context_length(base.network)
    ratios = [
        len(text.encode()) / count
        for text, _ in zip((t for t in texts if t.strip()), range(MEASURED), strict=False)
        if (count := len(base.tokenizer(text, add_special_tokens=False)["input_ids"]))
    ]
    if longest is None:
        return Room()
    # What the template adds by itself, such as a default system turn, and to a pair of turns.
    asked = [Message("user", "a")]
    opening = len(prompt_ids(base.tokenizer, asked))
    pair = len(prompt_ids(base.tokenizer, [*asked, Message("assistant", "a"), *asked])) - opening
    return Room(max(0, longest - answer - opening), min(ratios, default=1.0), math.ceil(pair / 2))


def context_length(network: Any) -> int | None:
    """Longest conversation that the network was made for, in tokens; None where its settings do not say."""
    config = network.config
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    found = getattr(text, "max_position_embeddings", None)
    return int(found) if found else None
