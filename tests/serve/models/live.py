"""A server of models with a store, for tests: users with keys, and what they send."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx2 as httpx
import torch

from tests.serve.models.test_api import WARM, Server
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.contract import Adjustment, Description, Hook
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Push, Steering
from trimtab.guidelines.schema import parse
from trimtab.live import keys
from trimtab.model.load import Base, wrap
from trimtab.records import Output, Question
from trimtab.review.store import Store
from trimtab.serve.models.logs import Log
from trimtab.serve.models.recording import Recorder
from trimtab.serve.models.stacks import Served

SIGN = {"id": "sign", "text": "Say who wrote it.", "disclose": {"sentence": "By a machine."}}
SIGNED = Stack((Postprocess(parse({"version": "1", "rules": [SIGN]}), "off", None, 1.0),))


class Echo(Adjustment):
    """Ends every answer with what was asked, so that an answer that reaches somebody else shows whose it was."""

    kind: ClassVar[str] = "echo"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"text"})
    strength = 1.0
    hash = "e" * 16

    def text(self, question: Question, output: Output) -> Output:
        return dataclasses.replace(output, text=f"{output.text} {question.messages[-1].content}")

    def scaled(self, factor: float) -> Self:
        return self

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError

    def describe(self) -> Description:
        return Description(self.kind, 1.0, {}, 0, 0)


def pushed(base: Base) -> Stack:
    """A change of the network."""
    direction = torch.nn.functional.normalize(
        torch.randn(32, generator=torch.Generator().manual_seed(1)), dim=0
    )
    return Stack((Steering({0: direction}, {0: Push(8.0)}, "add", "mean", 2, base.fingerprint),))


def exact_model() -> Base:
    """In double precision what is in the batch beside a row is no matter of rounding either."""
    return wrap(tiny_model(initializer_range=0.4).double(), tiny_tokenizer())


class Live(Server):
    """A server with a store beside its log, and plain requests to it."""

    known = ""

    def __init__(self, folder: Path, store: Store, *, texts: bool = False, **more: Any) -> None:
        self.store, self.log, base = store, folder / "log.jsonl", exact_model()
        stacks = {"plain": Stack(), "signed": SIGNED, "echo": Stack((Echo(),)), "pushed": pushed(base)}
        super().__init__(
            [Served(name, stack, WARM) for name, stack in stacks.items()],
            base,
            seconds=300.0,
            recorder=Recorder(store, texts),
            log=Log(str(self.log)),
            **more,
        )

    def stop(self) -> None:
        super().stop()
        self.serving.recorder.close()  # type: ignore[union-attr]
        self.serving.log.close()  # type: ignore[union-attr]

    def key(self, name: str, *models: str) -> str:
        return keys.made(self.store, name, models)

    def ask(self, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
        """A request without the comfort of the official client."""
        headers = more.pop("headers", {}) | ({"authorization": f"Bearer {key}"} if key else {})
        with httpx.Client(base_url=self.place, timeout=300) as client:
            return client.request(method, path, headers=headers, **more)

    def chat(self, key: str = "", model: str = "plain", text: str = "Say 1.", **more: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], "seed": 3} | more
        return self.ask("POST", "/v1/chat/completions", key, json=body)

    def lines(self, count: int = 0) -> list[dict[str, Any]]:
        """What was logged, once it is so many lines: a request is logged when its response was sent."""
        self.until(lambda: self.log.read_text(encoding="utf-8").count("\n") >= count)
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def counted(self, wanted: str) -> bool:
        """Whether a line stands among the counts, or soon will."""
        return self.until(lambda: wanted in self.ask("GET", "/metrics").text.splitlines())

    def until(self, true: Callable[[], bool]) -> bool:
        """Whether something is so within ten seconds."""
        end = time.monotonic() + 10
        while not true() and time.monotonic() < end:
            time.sleep(0.01)
        return true()

    @contextlib.contextmanager
    def under_way(self, key: str, length: int = 10) -> Iterator[http.client.HTTPConnection]:
        """A request that says how long its body is, and does not send it."""
        connection = http.client.HTTPConnection(*self.listening.getsockname(), timeout=300)
        connection.putrequest("POST", "/v1/feedback")
        connection.putheader("authorization", f"Bearer {key}")
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", str(length))
        connection.endheaders()
        with contextlib.closing(connection):
            yield connection


def error_of(response: httpx.Response) -> tuple[int, str | None]:
    """Status and code of a refusal in OpenAI's form."""
    found = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return response.status_code, found["code"]
