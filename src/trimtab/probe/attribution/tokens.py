"""Which tokens of a rendered prompt belong to which of its features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.data.render import special_ids
from trimtab.errors import ModelError
from trimtab.probe.attribution.prompt import Feature
from trimtab.records import Message

# From Unicode's private use area, so that no template writes them.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as the model is given it, up to where the answer begins.

    Attributes:
        ids: (T,) token ids.
        offsets: (T, 2) the characters [start, end) of the rendered text that each token covers.
        turns: for each turn where its text begins in the rendered text, how many characters of its beginning the
            template left out, and how many it kept.
    """

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    turns: tuple[tuple[int, int, int], ...]

    def owners(self, features: Sequence[Feature]) -> NDArray[np.int64]:
        """Number of each token's feature (T,), the one that most of its characters are of; -1: the template's own."""
        characters = np.full(int(self.offsets.max(initial=0)), -1, dtype=np.int64)
        for number, feature in enumerate(features):
            for piece in feature.pieces:
                begin, cut, kept = self.turns[piece.turn]
                first, last = (min(max(at - cut, 0), kept) for at in (piece.start, piece.end))
                characters[begin + first : begin + last] = number
        return np.array([_most(characters[start:end]) for start, end in self.offsets], dtype=np.int64)


def render(tokenizer: Any, messages: Sequence[Message]) -> Rendered:
    """Render a conversation in the model's own template, as `prompt_ids` does, and find its turns in it.

    Raises:
        ModelError: no chat template, one that rewrites what turns say, or a tokenizer that does not say which
            characters a token covers.
    """
    if not (tokenizer.is_fast and tokenizer.chat_template):
        raise ModelError(
            f"tokenizer of {tokenizer.name_or_path}: it has no chat template, or no fast tokenizer that says which "
            "characters a token covers",
            "use an instruction-tuned model whose folder holds tokenizer.json",
        )
    text = _template(tokenizer, messages)
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return Rendered(
        np.array(found["input_ids"], dtype=np.int64),
        np.array(found["offset_mapping"], dtype=np.int64).reshape(-1, 2),
        _turns(tokenizer, messages, text),
    )


def turn_end(tokenizer: Any) -> tuple[int, ...]:
    """Ids of what follows an answer, up to the special token that ends the turn, as rows to learn from have them.

    None where there is no template, or where it ends a turn by no special token or changes what the turn says.
    """
    if not tokenizer.chat_template:
        return ()
    said = f"{_OPEN}0{_CLOSE}"
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": said}]
    after = str(tokenizer.apply_chat_template(turns, tokenize=False)).partition(said)[2]
    ids, special = tokenizer(after, add_special_tokens=False)["input_ids"], special_ids(tokenizer)
    stop = next((place for place, number in enumerate(ids) if number in special), -1)
    return tuple(ids[: stop + 1])


def _turns(tokenizer: Any, messages: Sequence[Message], text: str) -> tuple[tuple[int, int, int], ...]:
    marks = [Message(message.role, f"{_OPEN}{number}{_CLOSE}") for number, message in enumerate(messages)]
    pieces = _MARK.split(_template(tokenizer, marks))
    contents = [message.content for message in messages]
    order = [int(number) for number in pieces[1::2]]
    if order == list(range(len(messages))):
        for kept in (contents, [content.strip() for content in contents]):
            between, at, turns = pieces[::2], 0, []
            for own, content, said in zip(between[:-1], contents, kept, strict=True):
                at += len(own)
                turns.append((at, content.find(said), len(said)))
                at += len(said)
            if "".join(own + said for own, said in zip(between, [*kept, ""], strict=True)) == text:
                return tuple(turns)
    raise ModelError(
        f"chat template of {tokenizer.name_or_path}: it changes what the turns say, so that no token has a word",
        "use the method ablation, which needs no tokens",
    )


def _template(tokenizer: Any, messages: Sequence[Message]) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def _most(characters: NDArray[np.int64]) -> int:
    if not len(characters):
        return -1
    found, counts = np.unique(characters, return_counts=True)
    return int(found[np.argmax(counts)])
