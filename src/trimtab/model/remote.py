"""A model that is served elsewhere, behind an OpenAI-compatible interface: it answers, and keeps its weights.

Its weights cannot be hashed: its fingerprint is its name, its address, and what the service says of it in /models.
The words of the interface: OpenAI, API reference, "Create chat completion"; the settings that it lacks are called as
llama.cpp's server and vLLM call them.
"""

from __future__ import annotations

import contextlib
import functools
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab.errors import ModelError
from trimtab.model import threads
from trimtab.model.connection import Connection, Line, Refused
from trimtab.model.embedded import cache_folder
from trimtab.model.kept import Kept, Reply, reply
from trimtab.model.load import Choice
from trimtab.model.service import Address, Options, Spent, address, key
from trimtab.records import SETTINGS, Output, Pair, Progress, Question, Report, Sampling, content_hash

# What of a model's entry in /models says which model it is; the rest changes from hour to hour.
TELLING = ("id", "owned_by", "root", "parent", "max_model_len", "meta", "version", "digest")
# Settings that the interface lacks, by who owns the entry. These servers have defaults of their own for them (a
# top_k of 40, a min_p of 0.05), so that they are told even where nothing is asked for.
LLAMA = {"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repeat_penalty"}
SPOKEN: Mapping[str, Mapping[str, str]] = {
    "llamacpp": LLAMA,
    # llama-cpp-python
    "me": LLAMA,
    "vllm": {name: name for name in LLAMA},
}
NONE = Sampling()
# Settings that are words of the interface itself.
COMMON = ("max_new_tokens", "temperature", "top_p", "stop")
# Seeds that every service takes: vLLM's are signed, llama.cpp's have 32 bits.
SEEDS = 2**31
# What an entry calls the longest conversation in tokens: vLLM's, then llama.cpp's within `meta`, where the first is
# what its server was started with and the second what the network was made for.
CONTEXT = ("max_model_len", "n_ctx", "n_ctx_train")
# What a request can do without, or say in other words, where a service refuses it.
OTHERWISE = {"logprobs": "", "seed": "", "max_tokens": "max_completion_tokens"}
UNKNOWN = "support|unknown|unrecogni|unexpected|extra|permit|allow"
CONTACT_TRIES = 2
# Seconds: below what a clock tells.
SHORTEST = 1e-6
# Counted into the hash of what was asked: raise it when what is sent for a question changes.
FORM = 1


@dataclass(eq=False)
class Remote:
    """A model behind a service.

    Attributes:
        entry: what the service says of the model, as far as it tells which one it is; empty where it says nothing.
        listed: the models that the service names.
        kept: answers on this disk.
    """

    connection: Connection
    entry: Mapping[str, Any]
    listed: tuple[str, ...]
    kept: Kept
    _otherwise: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        """As a recipe names it: openai:<model>@<base_url>."""
        return self.connection.address.name

    @property
    def options(self) -> Options:
        """How the service is asked."""
        return self.connection.options

    @property
    def device(self) -> Choice:
        """Where the model computes."""
        return Choice("remote", "a service computes")

    @property
    def context(self) -> int | None:
        """Longest conversation in tokens, answer included; None where the service does not say."""
        meta = self.entry.get("meta")
        said = dict(meta) if isinstance(meta, Mapping) else {}
        said |= {name: self.entry[name] for name in CONTEXT if name in self.entry}
        found = (said.get(name) for name in CONTEXT)
        return next((n for n in found if isinstance(n, int) and not isinstance(n, bool) and n > 0), None)

    @property
    def settings(self) -> tuple[str, ...]:
        """Settings of sampling that the service is known to read, by their names in `Sampling`.

        Others are sent where a recipe asks for them; a service may refuse them, or not read them.
        """
        return (*COMMON, *LLAMA) if str(self.entry.get("owned_by", "")) in SPOKEN else COMMON

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 over name, address and entry. A service may change the model behind them without a sign."""
        return content_hash([self.name, self.entry], length=64)

    def facts(self) -> dict[str, Any]:
        """What a run records of its model."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "fingerprint_of": "name, address and what the service says of the model: its weights cannot be hashed",
            "service": dict(self.entry),
            "otherwise": {old: new or "left out" for old, new in self._otherwise.items()},
            "device": self.device,
        }

    def spending(self) -> dict[str, float]:
        """What was asked since the model was found, and its price; the counts are those of `Spent`."""
        counts = self.connection.spent.counts()
        price = self.options.price(counts["prompt_tokens"], counts["answer_tokens"])
        return {**counts, "price": round(price, 6)}

    def answer(self, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer for each question, in order.

        Each distinct question is asked once, also over several runs; a greedy answer does not depend on the seed.

        Raises:
            ModelError: the service refuses, or no try succeeded; what was answered until then is kept.
        """
        found = self._replies(asked, report)
        return [_output(question, found[self._key(question)]) for question in asked]

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        """A service does not give the likelihood of a given text.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"{self.name}: a service does not give the likelihood of a given text",
            "measure it with metrics that read answers",
        )

    def seconds_a_token(self, asked: Sequence[Question]) -> float:
        """Seconds that a token of an answer takes, with as many requests under way as are allowed."""
        replies = self._replies(asked, None).values()
        tokens = max(1, sum(found.tokens for found in replies))
        seconds = sum(found.seconds for found in replies) / self.options.at_once
        waited = 60 * len(replies) / self.options.per_minute if self.options.per_minute else 0.0
        return max(seconds, waited, SHORTEST) / tokens

    def _replies(self, asked: Sequence[Question], report: Report | None) -> dict[str, Reply]:
        """The reply to each distinct question by its key: from disk, else from the service."""
        distinct = {self._key(question): question for question in asked}
        known = {name: self.kept.find(name) for name in distinct}
        found = {name: had for name, had in known.items() if had}
        self.connection.spent.add(known=len(found))
        missing = [item for item in distinct.items() if item[0] not in found]
        tokens = 0

        def tell() -> None:
            if report:
                report(Progress("generating", len(found), len(distinct), {"tokens": tokens}))

        if found:
            tell()
        if missing:
            with self.connection.opened() as line:
                ask = functools.partial(self._ask, line)
                replies = threads.each(ask, missing, self.options.at_once, line.stop)
                with contextlib.closing(replies):
                    for (name, _), got in replies:
                        found[name] = got
                        tokens += got.tokens
                        tell()
        return found

    def _key(self, question: Question) -> str:
        # What adjustments remember beside their settings is not sent.
        sampling = {name: getattr(question.sampling, name) for name in SETTINGS}
        known = [self.fingerprint, question.messages, sampling, _seed(question)]
        return content_hash([FORM, *known], length=32)

    def _ask(self, line: Line, item: tuple[str, Question]) -> Reply:
        """Ask one question, and keep its reply at once: an interrupted run does not pay for it again."""
        name, question = item
        while True:
            said = dict(self._otherwise)
            try:
                got = self._send(line, question, said)
                break
            except Refused as problem:
                if not self._reworded(problem.told, said):
                    raise self._explained(problem, question) from None
        self.kept.keep(name, got, question.example)
        self.connection.spent.add(
            answers=1,
            uncounted=int(got.prompt_tokens is None or got.answer_tokens is None),
            prompt_tokens=got.prompt_tokens or 0,
            answer_tokens=got.answer_tokens or 0,
        )
        return got

    def _send(self, line: Line, question: Question, otherwise: Mapping[str, str]) -> Reply:
        started = time.monotonic()
        body = self._body(question)
        for old, new in otherwise.items():
            value = body.pop(old)
            if new:
                body[new] = value
        # The time of a repeated request counts as well: that is what the service is like.
        return line.send(
            "POST", "/chat/completions", lambda content: reply(content, time.monotonic() - started), body
        )

    def _body(self, question: Question) -> dict[str, Any]:
        """What is sent for a question."""
        sampling = question.sampling
        body = {
            "model": self.connection.address.model,
            "messages": [{"role": m.role, "content": m.content} for m in question.messages],
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": _seed(question),
            "logprobs": True,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        owner = str(self.entry.get("owned_by", ""))
        spoken = SPOKEN.get(owner)
        for name in LLAMA:
            value = getattr(sampling, name)
            if spoken:
                # All tokens: vLLM takes -1 in every version, the others nothing below 0.
                body[spoken[name]] = -1 if (owner, name, value) == ("vllm", "top_k", 0) else value
            elif value != getattr(NONE, name):
                body[name] = value
        return body

    def _reworded(self, told: str, said: Mapping[str, str]) -> bool:
        """Leave out, or say otherwise, what the service does not know by name; False where it names nothing such."""
        unknown = re.search(UNKNOWN, told, re.IGNORECASE)
        named = [old for old in OTHERWISE if unknown and old not in said and re.search(rf"\b{old}\b", told)]
        with self._lock:
            self._otherwise.update({old: OTHERWISE[old] for old in named})
        return bool(named)

    def _explained(self, problem: Refused, question: Question) -> ModelError:
        """The error, with a setting that the service does not know, or with the models that it names."""
        on = [n for n in LLAMA if getattr(question.sampling, n) != getattr(NONE, n)]
        named = [n for n in on if re.search(rf"\b({n}|{LLAMA[n]})\b", problem.told)]
        if named:
            return ModelError(
                f"{self.name}: the service does not take {', '.join(named)}; it says: {problem.told}",
                f"leave it out of sampling and of candidates.decoding; allowed: {', '.join(COMMON)}",
            )
        if not self.listed or self.connection.address.model in self.listed:
            return problem
        names = ", ".join(self.listed)
        return ModelError(problem.message, f"{problem.hint}; the service names these models: {names}")


def _seed(question: Question) -> int:
    return question.seed % SEEDS if question.sampling.temperature else 0


def _output(question: Question, got: Reply) -> Output:
    ends = [got.text.index(mark) for mark in question.sampling.stop if mark in got.text]
    return Output(
        question.example,
        question.seed,
        got.text[: min(ends)] if ends else got.text,
        got.logprobs,
        "length" if got.finish == "length" else "stop",
        ("the service's content filter",) if got.finish == "content_filter" else (),
        tokens=got.tokens,
    )


def connect(name: str, options: Options) -> Remote:
    """Reach the service of a model, and ask what it says of it; no answer is asked for, so nothing is paid.

    Raises:
        ModelError: the name is not that of a service, the key is missing or refused, or nothing answers there.
    """
    where = address(name)
    connection = Connection(where, options, key(where, options.key), Spent())
    with connection.opened() as line:
        try:
            models = line.send("GET", "/models", _models, tries=CONTACT_TRIES)
        except Refused:
            models = []
    return Remote(
        connection,
        _entry(where, models),
        tuple(str(model.get("id"))[:100] for model in models[:20]),
        Kept(cache_folder() / "answers"),
    )


def _models(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = content.get("data")
    return [model for model in found if isinstance(model, dict)] if isinstance(found, list) else []


def _entry(where: Address, models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is said of a model. A server that names one only serves it under every name."""
    own = [model for model in models if model.get("id") == where.model] or (
        models if len(models) == 1 else []
    )
    return {name: own[0][name] for name in TELLING if name in own[0]} if own else {}
