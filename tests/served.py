"""A real OpenAI-compatible server on the loopback interface that answers with a network of ours, and fails as told."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trimtab.model import sampler
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Message, Output, Question, Sampling

MODEL = "tiny"


@dataclass(frozen=True)
class Said:
    """What a model of known habits says, and the log-probability of each of its tokens, which are words."""

    text: str
    logprob: float = -0.5

    @property
    def tokens(self) -> int:
        """Words, and the end."""
        return len(self.text.split()) + 1


Habit = Callable[[Sequence[Message], Sampling, int], Said]
# The settings beside the interface's own, as this server calls them.
LONGER = {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"}
LONGER |= {"repetition_penalty": "repetition_penalty"}


@dataclass
class Service:
    """What the server answers with, how, and what it was asked.

    Attributes:
        failures: what the next chat requests meet instead of an answer, first come, first served.
        refused: parameters that it does not know.
        habit: answers in the place of the network, where it is given: from the conversation, settings and seed.
        system: whether it takes a system turn.
        entry: what /models says of the model beside its name.
        slow: seconds before each answer.
        bodies: of the chat requests, in order; headers: of every request.
        most: chat requests under way at once, at most.
    """

    base: Base | None = None
    key: str = ""
    owner: str = "tests"
    created: int = 1
    logprobs: bool = True
    usage: bool = True
    models: bool = True
    refused: tuple[str, ...] = ()
    slow: float = 0.0
    habit: Habit | None = None
    system: bool = True
    entry: Mapping[str, Any] = field(default_factory=dict)
    failures: list[Callable[[Any], None]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    most: int = 0
    url: str = ""
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _network: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """As a recipe names the model."""
        return f"openai:{MODEL}@{self.url}"

    def chat(self, handler: Any, body: dict[str, Any]) -> None:
        """Answer one chat request, or fail as told."""
        with self._lock:
            self.bodies.append(body)
            self.times.append(time.monotonic())
            failure = self.failures.pop(0) if self.failures else None
            self._running += 1
            self.most = max(self.most, self._running)
        try:
            time.sleep(self.slow)
            unknown = [name for name in self.refused if name in body]
            if failure:
                failure(handler)
            elif unknown:
                text = f"Unsupported parameter: '{unknown[0]}' is not supported with this model."
                handler.send(400, {"error": {"message": text, "param": unknown[0]}})
            elif not self.system and any(m["role"] == "system" for m in body["messages"]):
                handler.send(400, {"error": {"message": "System role not supported"}})
            else:
                handler.send(200, self.answer(body))
        finally:
            with self._lock:
                self._running -= 1

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The response to a chat request."""
        messages = tuple(Message(m["role"], m["content"]) for m in body["messages"])
        longest = body.get("max_tokens") or body["max_completion_tokens"]
        more = {own: body[name] for name, own in LONGER.items() if name in body}
        sampling = Sampling(
            longest, body["temperature"], top_p=body["top_p"], stop=tuple(body.get("stop", ())), **more
        )
        output, read = self._output(messages, sampling, body.get("seed", 0))
        choice: dict[str, Any] = {
            "message": {"role": "assistant", "content": output.text},
            "finish_reason": output.finish,
        }
        if body.get("logprobs") and self.logprobs:
            choice["logprobs"] = {"content": [{"token": "", "logprob": value} for value in output.logprobs]}
        content: dict[str, Any] = {"object": "chat.completion", "choices": [choice]}
        if self.usage:
            content["usage"] = {
                "prompt_tokens": read,
                "completion_tokens": len(output.logprobs),
            }
        return content

    def _output(self, messages: tuple[Message, ...], sampling: Sampling, seed: int) -> tuple[Output, int]:
        """An answer, and how many tokens the conversation has."""
        if self.habit:
            said = self.habit(messages, sampling, seed)
            output = Output("asked", seed, said.text, (said.logprob,) * said.tokens)
            return output, sum(len(message.content.split()) for message in messages)
        assert self.base
        with self._network:
            (output,) = sampler.answer(self.base, [Question("asked", messages, sampling, seed)])
        return output, len(prompt_ids(self.base.tokenizer, messages))


def status(code: int, body: Any = None, **headers: str) -> Callable[[Any], None]:
    """Fail with a status, an error object and headers, whose underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.send(code, body or {"error": {"message": f"failing with {code}"}}, named)


def raw(content: bytes) -> Callable[[Any], None]:
    """Answer 200 with these bytes."""
    return lambda handler: handler.write(200, content, {})


def late(seconds: float) -> Callable[[Any], None]:
    """Answer when nobody waits any more."""

    def fail(handler: Any) -> None:
        time.sleep(seconds)
        handler.send(200, {})

    return fail


def dropped(handler: Any) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.close()


@contextlib.contextmanager
def serving(service: Service) -> Iterator[Service]:
    """The service at its address, for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.allowed():
                return
            if not service.models:
                self.send(404, {"error": {"message": "no such page"}})
                return
            entry = {"id": MODEL, "object": "model", "owned_by": service.owner, "created": service.created}
            entry |= service.entry
            self.send(200, {"object": "list", "data": [entry]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.allowed():
                return
            if self.path != "/v1/chat/completions":
                self.send(404, {"error": {"message": "no such page"}})
                return
            service.chat(self, body)

        def allowed(self) -> bool:
            service.headers.append(dict(self.headers))
            if not service.key or self.headers["Authorization"] == f"Bearer {service.key}":
                return True
            given = self.headers["Authorization"]
            self.send(401, {"error": {"message": f"Incorrect API key provided: {given}", "code": "invalid"}})
            return False

        def send(self, code: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            self.write(code, json.dumps(body).encode(), headers or {})

        def write(self, code: int, content: bytes, headers: Mapping[str, str]) -> None:
            # The client may have gone.
            with contextlib.suppress(ConnectionError):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    service.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
