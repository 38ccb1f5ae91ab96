"""Words as rows of the token embedding: which tokens a word is made of, and where clusters of words lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from trimtab.errors import ModelError
from trimtab.model.load import Base

MOST_TOKENS = 10_000


def token_ids(tokenizer: Any, word: str) -> tuple[int, ...]:
    """Ids of all tokens of a word, written at the beginning of a text and after a space; in order, each once.

    A word of several tokens shares them with other words, which are changed with it. Tokens that mark structure or
    are nothing but space are no part of a word.

    Raises:
        ModelError: no token is left.
    """
    special = set(tokenizer.all_special_ids)
    found = [
        number
        for text in (word, f" {word}")
        for number in tokenizer(text, add_special_tokens=False)["input_ids"]
        if number not in special and tokenizer.decode([number]).strip()
    ]
    if not found:
        raise ModelError(f"word {word!r}: no token of the model is a part of it", "give words of letters")
    return tuple(dict.fromkeys(found))


def ids_of(tokenizer: Any, words: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The token ids of each word.

    Raises:
        ModelError: no words, a word without tokens, or more than 10,000 tokens in all.
    """
    if not words:
        raise ModelError("embedding: no words were given", "name the words whose vectors shall move")
    found = {word: token_ids(tokenizer, word) for word in words}
    total = sum(map(len, found.values()))
    if total > MOST_TOKENS:
        raise ModelError(f"embedding: {total} tokens, expected at most {MOST_TOKENS}", "give fewer words")
    return found


def vectors(base: Base, ids: Sequence[int]) -> torch.Tensor:
    """Rows of the token embedding (ids, hidden), float32, as they are now."""
    weight: torch.Tensor = base.network.get_input_embeddings().weight.detach()
    return weight[torch.tensor(ids, device=weight.device)].float().cpu()


def centre(base: Base, words: Sequence[str]) -> torch.Tensor:
    """Mean of the words' vectors (hidden,), each word's the mean of its tokens', float32."""
    found = ids_of(base.tokenizer, words)
    return torch.stack([vectors(base, ids).mean(dim=0) for ids in found.values()]).mean(dim=0)
