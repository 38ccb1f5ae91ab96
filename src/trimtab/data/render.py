"""Examples to tokens with a loss mask, through the model's own chat template, whatever that is.

Only what an assistant turn says, and the special token that ends the turn, is supervised. Spans are found by
rendering: a turn begins where the conversation before it, rendered with the generation prompt, ends. So the
model learns to go on from exactly the text that it is given when it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jinja2
import numpy as np

from trimtab.errors import MaskError, several
from trimtab.records import Example, Message, TokenRow

Turns = Literal["all", "last"]
# Token ids, and the characters [start, end) that each covers; no offsets from a tokenizer in plain Python.
_Encoding = tuple[list[int], list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class _Span:
    """One assistant turn in the rendered text: [start, end) in characters, and where what it says ends."""

    start: int
    said: int
    end: int


@dataclass(frozen=True, slots=True)
class _Text:
    """One conversation, rendered."""

    example: str
    text: str
    spans: tuple[_Span, ...]


class _Unsuitable(Exception):
    """A row that the template, or the tokenizer, does not allow to be supervised."""


def render(
    examples: Sequence[Example], tokenizer: Any, *, max_tokens: int, turns: Turns = "all"
) -> list[TokenRow]:
    """Render each reference of each example as one row of tokens.

    With `turns="all"`, earlier assistant turns of a conversation are supervised too, in the row of the first
    reference only, so that several references do not repeat them. A row longer than `max_tokens` loses its
    end, and says how much in `lost`.

    Args:
        examples: items with at least one reference each.
        tokenizer: a transformers tokenizer with a chat template.
        max_tokens: longest row, in tokens.
        turns: supervise every assistant turn, or the last one only.

    Returns:
        Rows in the order of examples and their references: ids (T,) int64 and supervised (T,) bool.

    Raises:
        MaskError: the tokenizer has no template, or rows for which the template is unsuitable; all are named.
    """
    if not tokenizer.chat_template:
        raise MaskError(
            "the model's tokenizer has no chat template, so there is no telling where an answer begins",
            "choose the instruction-tuned version of the model",
        )
    special = special_ids(tokenizer)
    markers = _markers(tokenizer, special)
    texts, problems = [], []
    for position, example in enumerate(examples, start=1):
        try:
            texts += _conversations(example, tokenizer, markers, turns)
        except _Unsuitable as error:
            problems.append(f"row {position} ({example.id}): {error}")
    rows = [] if problems else _rows(texts, tokenizer, special, max_tokens, problems)
    if problems:
        raise MaskError(
            f"the chat template is unsuitable for {len(problems)} rows:\n{several(problems)}",
            "change these rows, or choose a model whose template takes them",
        )
    return rows


def _rows(
    texts: Sequence[_Text], tokenizer: Any, special: frozenset[int], max_tokens: int, problems: list[str]
) -> list[TokenRow]:
    encoded = _encode(tokenizer, [text.text for text in texts])
    prefixes = iter(_encode(tokenizer, [text.text[: span.start] for text in texts for span in text.spans]))
    rows = []
    for text, encoding in zip(texts, encoded, strict=True):
        starts = [next(prefixes)[0] for _ in text.spans]
        try:
            supervised = _mask(text, encoding, starts, tokenizer, special)
        except _Unsuitable as error:
            problems.append(f"row of {text.example}: {error}")
            continue
        rows.append(_row(text.example, encoding[0], supervised, max_tokens))
    return rows


def special_ids(tokenizer: Any) -> frozenset[int]:
    """Ids of the tokens that mark structure rather than text: all special ones, added ones included."""
    added = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(added | set(tokenizer.all_special_ids))


def _markers(tokenizer: Any, special: frozenset[int]) -> list[str]:
    """Special tokens that the template itself writes; in a turn they would end or forge one."""
    names = [str(tokenizer.convert_ids_to_tokens(number)) for number in sorted(special)]
    try:
        probe = _template(tokenizer, [Message("user", "a"), Message("assistant", "b")], prompt=False)
    except _Unsuitable:
        return names
    return [name for name in names if name in probe]


def _conversations(example: Example, tokenizer: Any, markers: Sequence[str], turns: Turns) -> list[_Text]:
    if not example.references:
        raise _Unsuitable("no reference answer to learn from")
    if not example.messages:
        raise _Unsuitable("no prompt; a passage of text alone serves as a guard, not for training")
    texts = []
    for number, reference in enumerate(example.references):
        messages = [*example.messages, Message("assistant", reference)]
        for message in messages:
            found = next((marker for marker in markers if marker in message.content), None)
            if found:
                raise _Unsuitable(f"the {message.role} turn holds the tokenizer's own marker {found}")
        answers = [k for k, message in enumerate(messages) if message.role == "assistant"]
        if turns == "last" or number > 0:
            answers = answers[-1:]
        full = _template(tokenizer, messages, prompt=False)
        spans = tuple(_span(tokenizer, messages, k, full) for k in answers)
        texts.append(_Text(example.id, full, spans))
    return texts


def _template(tokenizer: Any, messages: Sequence[Message], *, prompt: bool) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=prompt)
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        roles = ", ".join(message.role for message in messages) or "nothing"
        raise _Unsuitable(f"the template refuses turns of {roles}: {error}") from None
    return str(text)


def _span(tokenizer: Any, messages: Sequence[Message], k: int, full: str) -> _Span:
    """Where assistant turn k stands in the rendered conversation."""
    before = _template(tokenizer, messages[:k], prompt=True)
    if not full.startswith(before):
        raise _Unsuitable(f"the template changes what stands before turn {k + 1} once it is answered")
    start, end = len(before), len(full)
    if k + 1 < len(messages):
        after = _template(tokenizer, messages[: k + 1], prompt=False)
        following = _template(tokenizer, messages[: k + 2], prompt=False)
        # Some templates write a last turn differently from an earlier one; its own text has to do then.
        stable = full.startswith(after) and following.startswith(after)
        end = len(after) if stable else -1
    content = messages[k].content
    for said in (content, content.strip()):
        position = full.find(said, start, end if end >= 0 else len(full))
        if position >= 0:
            return _Span(start, position + len(said), end)
    raise _Unsuitable(f"the template changes what turn {k + 1} says")


def _encode(tokenizer: Any, texts: Sequence[str]) -> list[_Encoding]:
    """Token ids of each text and the characters that each token covers."""
    if not texts:
        return []
    if not tokenizer.is_fast:
        return [(_ids(tokenizer, text), []) for text in texts]
    batch = tokenizer(
        list(texts), add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False
    )
    return list(zip(batch["input_ids"], batch["offset_mapping"], strict=True))


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _mask(
    text: _Text, encoding: _Encoding, starts: Sequence[Sequence[int]], tokenizer: Any, special: frozenset[int]
) -> np.ndarray:
    """Supervise each span from its first token to the special token that ends the turn.

    The first token is found by the ids of the prefix; where the text after it changes how the prefix is cut
    into tokens, by character offsets, and a token that straddles the border counts as the answer's.
    """
    ids, offsets = encoding

    def token_at(character: int) -> int:
        if offsets:
            return _token_at(offsets, character)
        prefix = _ids(tokenizer, text.text[:character])
        if ids[: len(prefix)] != prefix:
            raise _Unsuitable(
                "the tokenizer joins an answer with what stands beside it, and gives no offsets"
            )
        return len(prefix)

    supervised = np.zeros(len(ids), dtype=bool)
    for span, prefix in zip(text.spans, starts, strict=True):
        first = len(prefix) if ids[: len(prefix)] == prefix else token_at(span.start)
        said = token_at(span.said)
        end = len(ids) if span.end < 0 or span.end == len(text.text) else token_at(span.end)
        stop = next((t for t in range(said, end) if ids[t] in special), None)
        supervised[first : said if stop is None else stop + 1] = True
    return supervised


def _token_at(offsets: Sequence[tuple[int, int]], character: int) -> int:
    """The first token that covers text at or after a character."""
    low, high = 0, len(offsets)
    while low < high:
        middle = (low + high) // 2
        if offsets[middle][1] > character:
            high = middle
        else:
            low = middle + 1
    return low


def _row(example: str, ids: Sequence[int], supervised: np.ndarray, max_tokens: int) -> TokenRow:
    return TokenRow(
        example=example,
        ids=np.asarray(ids[:max_tokens], dtype=np.int64),
        supervised=supervised[:max_tokens],
        lost=max(len(ids) - max_tokens, 0),
    )
