"""The webhook: what it sends, what it tries again, and where it never sends anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trimtab.errors import UserError
from trimtab.watching import Webhook, named


@contextmanager
def receiver(*answers: int) -> Iterator[tuple[str, list[object]]]:
    """A server of this machine: its address, and what it was sent; it answers with these, the last one for ever."""
    got: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(json.loads(body))
            status = answers[min(len(got), len(answers)) - 1]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/secret-path", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("answers", "tries", "problem"),
    [
        ((200,), 1, ""),
        ((503, 429, 204), 3, ""),
        ((500,), 3, "status 500"),
        ((404,), 1, "status 404"),
        ((302,), 1, "status 302"),
    ],
)
def test_it_is_tried_again_where_that_may_help(answers: tuple[int, ...], tries: int, problem: str) -> None:
    waited: list[float] = []
    with receiver(*answers) as (url, got):
        said = Webhook(url, sleep=waited.append).send({"alarm": "drift", "evidence": float("inf")})
    assert got == [{"alarm": "drift", "evidence": None}] * tries
    assert said.endswith(problem)
    assert bool(said) == bool(problem)
    assert "secret" not in said
    assert waited == [0.0, 1.0, 5.0][:tries]


def test_nobody_there_is_said() -> None:
    with receiver(200) as (url, _):
        pass
    assert "127.0.0.1 did not take it: ConnectError" in Webhook(url, pauses=()).send({})


@pytest.mark.parametrize("url", ["http://example.org/x", "ftp://localhost/x", "localhost:80", "https:///x"])
def test_what_others_could_read_on_the_way_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="https"):
        Webhook(url)


def test_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIMTAB_WEBHOOK", raising=False)
    assert named() is None
    monkeypatch.setenv("TRIMTAB_WEBHOOK", "https://hooks.example.org/secret")
    found = named()
    assert found is not None
    assert found.host == "hooks.example.org"
