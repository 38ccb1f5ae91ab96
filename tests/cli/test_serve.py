"""The verb serve: keys without a model, hosts that need one, and an end that finishes what is under way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

import trimtab
from tests import projects
from tests.cli.conftest import Call
from tests.cli.serving import started
from trimtab.live import answers, feedback
from trimtab.review.store import Store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, network: Path) -> Iterator[Path]:
    """A run that ships, of long answers, so that one can be interrupted."""
    folder = tmp_path_factory.mktemp("made")
    before = os.environ.get("TRIMTAB_CACHE")
    os.environ["TRIMTAB_CACHE"] = str(folder / "cache")
    try:
        yield trimtab.tune(projects.written(folder, network), root=folder / "runs").folder.path
    finally:
        os.environ.pop("TRIMTAB_CACHE")
        if before is not None:
            os.environ["TRIMTAB_CACHE"] = before


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of it, with a store of its own."""
    return Path(shutil.copytree(made, tmp_path / "runs" / "voice"))


class Process:
    """The verb as its own process."""

    def __init__(self, run: Path, *use: str) -> None:
        pairs = [part for pair in ("base=yes", *use) for part in ("--use", pair)]
        self.process, said = started("serve", str(run), *pairs)
        self.place, self.models = str(said["address"]), list(said["models"])

    def chat(self, **more: Any) -> Any:
        """An answer of the base model, as long as it may be unless it is said otherwise."""
        body = {"model": self.models[-1], "messages": [{"role": "user", "content": "item 1"}], "seed": 1}
        return httpx.post(f"{self.place}/chat/completions", json=body | more, timeout=60)

    def rows(self) -> float:
        """Answers in the batch."""
        text = httpx.get(self.place.replace("/v1", "/metrics"), timeout=60).text
        return float(text.partition('trimtab_rows{state="running"} ')[2].partition("\n")[0])

    def end(self, by: signal.Signals) -> tuple[int, list[dict[str, Any]]]:
        """How it ended, and what it logged."""
        self.process.send_signal(by)
        _, trouble = self.process.communicate(timeout=60)
        return self.process.returncode, [json.loads(line) for line in trouble.splitlines()]


def test_keys_are_made_listed_revoked_and_forgotten_without_a_model(call: Call, run: Path) -> None:
    made = call("serve", run, "--key", "Ann:voice,other", "--json").document
    assert made["key"].startswith("tt-")
    assert made["keys"][0] | {"id": ""} == {
        "name": "Ann",
        "id": "",
        "models": ["voice", "other"],
        "valid": True,
    }
    shown = call("serve", run, "--key", "Bob")
    assert "It is shown once." in shown.out
    listed = call("serve", run, "--keys")
    assert listed.out.split()[:4] == ["key", "id", "state", "models"]
    assert [line.split()[2] for line in listed.out.splitlines()[1:]] == ["valid", "valid"]
    assert made["key"] not in listed.out
    assert call("serve", run, "--use", "revoke=Ann").code == 0
    forgotten = call("serve", run, "--use", "forget=Ann", "--json").document
    assert [(key["name"], key["valid"]) for key in forgotten["keys"]] == [("", False), ("Bob", True)]
    again = call("serve", run, "--key", "Bob")
    assert (again.code, "there is a key called 'Bob'" in again.err) == (2, True)
    unknown = call("serve", run, "--use", "revoke=Cy")
    assert (unknown.code, "there are: Bob" in unknown.err) == (2, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "some-host"])
def test_others_are_not_let_in_without_a_key(call: Call, run: Path, host: str) -> None:
    done = call("serve", run, "--use", f"host={host}")
    assert (done.code, "there is no key" in done.err) == (2, True)
    assert f"trimtab serve {run} --key NAME" in " ".join(done.err.split())
    call("serve", run, "--key", "Ann")
    call("serve", run, "--use", "revoke=Ann")
    assert call("serve", run, "--use", f"host={host}").code == 2


def test_told_to_stop_it_finishes_what_is_under_way_and_takes_no_more(run: Path) -> None:
    server = Process(run, "answer=400", "record=yes")
    found: list[Any] = []
    ask: dict[str, Any] = {"temperature": 2, "n": 8, "max_tokens": 150}
    waiting = threading.Thread(target=lambda: found.append(server.chat(**ask)))
    streaming = threading.Thread(target=lambda: found.append(server.chat(stream=True, **ask)))
    expected = server.chat(**ask).json()["choices"]
    waiting.start()
    streaming.start()
    until = time.monotonic() + 30
    # Each request asks for 8: with more than 8 in the batch both are under way.
    while server.rows() <= 8 and time.monotonic() < until:
        time.sleep(0.02)
    server.process.send_signal(signal.SIGTERM)
    refused = False
    while waiting.is_alive() and not refused and time.monotonic() < until:
        try:
            httpx.get(f"{server.place}/models", timeout=5)
        except httpx.TransportError:
            refused = True
    code, lines = server.end(signal.SIGTERM)
    waiting.join()
    streaming.join()
    assert code == 0
    assert refused
    assert [one.status_code for one in found] == [200, 200]
    (whole,) = [one for one in found if not one.text.startswith("data:")]
    assert [one["message"] for one in whole.json()["choices"]] == [one["message"] for one in expected]
    (stream,) = [one for one in found if one.text.startswith("data:")]
    assert stream.text.endswith("data: [DONE]\n\n")
    assert stream.text.count('"finish_reason": "') == 8
    assert [line["status"] for line in lines if line["route"] == "/v1/chat/completions"] == [200] * 3
    store = Store.open(f"sqlite:///{run.parent}/people.db")
    assert len(answers.kept(store)) == 24
    store.close()


def test_a_client_that_vanishes_frees_its_rows_and_acknowledged_feedback_outlives_a_kill(run: Path) -> None:
    server = Process(run, "answer=800", f"log={run.parent}/log.jsonl", "record=yes")
    with pytest.raises(httpx.TimeoutException):
        httpx.post(
            f"{server.place}/chat/completions",
            json={
                "model": server.models[-1],
                "messages": [{"role": "user", "content": "x"}],
                "n": 16,
                "max_tokens": 800,
                "temperature": 2,
            },
            timeout=0.5,
        )
    until = time.monotonic() + 10
    while server.rows() and time.monotonic() < until:
        time.sleep(0.02)
    assert server.rows() == 0
    id = server.chat(max_tokens=2).json()["id"]
    said = httpx.post(f"{server.place}/feedback", json={"id": id, "rating": 5}, timeout=30)
    assert said.status_code == 200
    code, lines = server.end(signal.SIGKILL)
    assert (code, lines) == (-signal.SIGKILL, [])
    store = Store.open(f"sqlite:///{run.parent}/people.db")
    ((answer, given),) = feedback.of(store)
    assert (answer.id, given.rating) == (f"{id}-0", 5)
    assert answer.prompt == "item 1"
    store.close()
