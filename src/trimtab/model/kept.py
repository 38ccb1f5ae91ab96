"""Answers of a service kept on disk, one file each, so that none is paid for twice."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.records import content_hash, plain
from trimtab.run import write_atomic


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as a service gave it.

    finish: as the service names it, such as stop, length or content_filter. logprobs: natural logarithm, per token;
    empty where it gives none. prompt_tokens, answer_tokens: as the service counts them, None where it does not.
    seconds: from sending the request to the end of the answer.
    """

    text: str
    finish: str
    logprobs: tuple[float, ...]
    prompt_tokens: int | None
    answer_tokens: int | None
    seconds: float

    @property
    def tokens(self) -> int:
        """Tokens of the answer, as far as is known."""
        return len(self.logprobs) if self.answer_tokens is None else self.answer_tokens


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of replies by the hash of what was asked; several processes may share it."""

    folder: Path

    def find(self, key: str) -> Reply | None:
        """The reply to what has this hash; None where there is none, or its file is damaged."""
        try:
            content = json.loads(self._path(key).read_text(encoding="utf-8"))
            content.pop("item", None)
            return Reply(**{**content, "logprobs": tuple(content["logprobs"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, reply: Reply, item: str = "") -> None:
        """Keep a reply.

        Args:
            item: id of the item that was asked about. Its hash is kept, so that the answers to a person's rows are
                found again when they are to be erased.

        Raises:
            RunError: the disk is full, or the folder cannot be written.
        """
        write_atomic(
            self._path(key), json.dumps({**plain(reply), "item": item_key(item)}, ensure_ascii=False)
        )

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def item_key(item: str) -> str:
    """What a kept reply says of the item that it answers; empty for none."""
    return content_hash(["item", item]) if item else ""


def reply(content: Mapping[str, Any], seconds: float) -> Reply:
    """Read the response to a chat completion.

    Raises:
        ValueError: it holds no answer; says what it lacks.
    """
    choices = content.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ValueError("a response without an answer")
    # A model that declines may say so beside an empty answer.
    text = message.get("content") or message.get("refusal") or ""
    if not isinstance(text, str):
        raise ValueError("a response whose answer is not a text")
    usage = content.get("usage")
    counted = usage if isinstance(usage, dict) else {}
    finish = choice.get("finish_reason")
    return Reply(
        text,
        finish if isinstance(finish, str) else "stop",
        _logprobs(choice.get("logprobs")),
        _count(counted.get("prompt_tokens")),
        _count(counted.get("completion_tokens")),
        seconds,
    )


def _logprobs(content: Any) -> tuple[float, ...]:
    """The log-probability of each token; none at all where one is missing."""
    tokens = content.get("content") if isinstance(content, dict) else None
    if not isinstance(tokens, list):
        return ()
    found = [token.get("logprob") if isinstance(token, dict) else None for token in tokens]
    numbers = [float(value) for value in found if isinstance(value, int | float) and math.isfinite(value)]
    return tuple(numbers) if len(numbers) == len(tokens) else ()


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
