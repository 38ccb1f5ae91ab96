"""The official client against the server: what it knows of OpenAI's interface works unchanged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import trimtab
from tests import projects
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import Stack
from trimtab.adjust.watermark import drawn
from trimtab.errors import ModelError, RunError
from trimtab.guidelines.schema import parse
from trimtab.model.load import Base, load, wrap
from trimtab.records import Sampling
from trimtab.serve import running
from trimtab.serve.models import stacks
from trimtab.serve.models.app import application
from trimtab.serve.models.engine import Engine, Limits
from trimtab.serve.models.notice import notice
from trimtab.serve.models.serving import Serving
from trimtab.serve.models.stacks import Served

WARM = Sampling(max_new_tokens=12, temperature=1.0)
ASK: Any = [{"role": "user", "content": "Say 1."}]
RULES = {
    "version": "1",
    "rules": [{"id": "sign", "text": "Say who wrote it.", "disclose": {"sentence": "By a machine."}}],
}


def base_model() -> Base:
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


class Server:
    """A server in a thread, and the official client of it."""

    def __init__(self, served: list[Served], base: Base, *, prompt: int = 128, **more: Any) -> None:
        self.engine = Engine(base, Limits(rows=8, prompt=prompt, answer=64))
        known = stacks.admitted(self.engine, served)
        self.serving = Serving(self.engine, known, **{"seconds": 20.0} | more)
        self.listening = running.listen()
        self.place = running.address(self.listening)
        self.server = running.server(application(self.serving))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]})
        self.thread.start()
        self.client = self.client_of("none")

    def client_of(self, key: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.place}/v1", api_key=key, max_retries=0, timeout=30)

    def stop(self) -> None:
        self.client.close()
        self.server.should_exit = True
        self.thread.join()
        self.listening.close()
        assert self.engine.stop(finish=False)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    edited = Stack((Postprocess(parse(RULES), "off", None, 1.0),))
    found = Server(
        [Served("plain", Stack(), WARM), Served("signed", edited, WARM, "ship", "run-7")], base_model()
    )
    yield found
    found.stop()


@pytest.fixture(scope="module")
def told() -> Iterator[Server]:
    """A server whose stack is marked, with a notice."""
    base = base_model()
    marked = Stack((drawn(base, "green-list", bias=8.0),))
    signed = Stack((Postprocess(parse(RULES), "off", None, 1.0),))
    found = Server([Served("marked", marked, WARM), Served("signed", signed, WARM)], base)
    found.serving.notice = notice("By a machine.")
    yield found
    found.stop()


def test_a_notice_ends_every_answer_once_and_a_watermark_is_told(told: Server) -> None:
    ask = told.client.chat.completions.create
    whole = ask(model="marked", messages=ASK, seed=4)
    text = whole.choices[0].message.content or ""
    assert text.endswith(" By a machine.")
    assert whole.choices[0].model_extra["trimtab"]["rules"] == ["notice"]  # type: ignore[index]
    assert whole.model_extra["trimtab"]["watermark"] == "green-list"  # type: ignore[index]
    pieces = [
        c.choices[0].delta.content or "" for c in ask(model="marked", messages=ASK, seed=4, stream=True)
    ]
    assert "".join(pieces) == text
    assert len(pieces) > 3
    signed = ask(model="signed", messages=ASK, seed=4)
    assert (signed.choices[0].message.content or "").count("By a machine.") == 1
    assert signed.choices[0].model_extra["trimtab"]["rules"] == ["sign"]  # type: ignore[index]
    assert "watermark" not in signed.model_extra["trimtab"]  # type: ignore[index]
    more = told.client.completions.create(model="marked", prompt="Once", seed=1)
    assert more.choices[0].text.endswith("By a machine.")


def test_models_are_listed_and_found(server: Server) -> None:
    assert [one.id for one in server.client.models.list()] == ["plain", "signed"]
    assert server.client.models.retrieve("signed").owned_by == "trimtab"
    with pytest.raises(openai.NotFoundError, match="there are: plain, signed"):
        server.client.models.retrieve("other")


def test_answers_of_one_seed_are_the_same_and_say_what_they_are(server: Server) -> None:
    one, other = (
        server.client.chat.completions.create(model="plain", messages=ASK, n=3, seed=5) for _ in range(2)
    )
    texts = [choice.message.content for choice in one.choices]
    assert texts == [choice.message.content for choice in other.choices]
    assert len(set(texts)) == 3
    assert one.usage is not None
    assert one.usage.completion_tokens >= 3
    assert one.usage.total_tokens == one.usage.prompt_tokens + one.usage.completion_tokens
    extra: Any = one.model_extra
    assert extra["trimtab"] == {"stack": "base", "verdict": None, "as_measured": True, "ai_generated": True}
    cold = server.client.chat.completions.create(model="plain", messages=ASK, temperature=0, max_tokens=2)
    assert cold.model_extra["trimtab"]["as_measured"] is False  # type: ignore[index]
    assert cold.choices[0].finish_reason in ("length", "stop")


def test_a_stream_says_what_the_whole_answer_says(server: Server) -> None:
    whole = server.client.chat.completions.create(model="plain", messages=ASK, n=2, seed=9, logprobs=True)
    pieces: dict[int, str] = {0: "", 1: ""}
    logprobs: dict[int, list[float]] = {0: [], 1: []}
    ends, usage = [], None
    stream = server.client.chat.completions.create(
        model="plain",
        messages=ASK,
        n=2,
        seed=9,
        logprobs=True,
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            pieces[choice.index] += choice.delta.content or ""
            logprobs[choice.index] += (
                [one.logprob for one in (choice.logprobs.content or [])] if choice.logprobs else []
            )
            ends += [choice.finish_reason] if choice.finish_reason else []
    assert [pieces[0], pieces[1]] == [choice.message.content for choice in whole.choices]
    told = [
        [one.logprob for one in choice.logprobs.content or []] for choice in whole.choices if choice.logprobs
    ]
    assert [logprobs[0], logprobs[1]] == told
    assert all(value <= 0 for values in told for value in values)
    assert len(ends) == 2
    assert usage == whole.usage


def test_a_stack_that_edits_answers_says_which_rules_fired(server: Server) -> None:
    found = server.client.chat.completions.create(model="signed", messages=ASK, seed=1)
    assert str(found.choices[0].message.content).endswith("By a machine.")
    assert found.choices[0].model_extra["trimtab"]["rules"] == ["sign"]  # type: ignore[index]
    stream = server.client.chat.completions.create(model="signed", messages=ASK, seed=1, stream=True)
    text = "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert text == found.choices[0].message.content
    with pytest.raises(openai.BadRequestError, match="edits its answers"):
        server.client.chat.completions.create(model="signed", messages=ASK, logprobs=True)
    with pytest.raises(openai.BadRequestError, match="chat/completions"):
        server.client.completions.create(model="signed", prompt="Once")


def test_a_text_is_gone_on_with(server: Server) -> None:
    found = server.client.completions.create(model="plain", prompt="Once", seed=2, max_tokens=5, logprobs=1)
    assert found.usage is not None
    assert found.usage.completion_tokens <= 5
    assert found.choices[0].logprobs is not None
    stream = server.client.completions.create(model="plain", prompt="Once", seed=2, max_tokens=5, stream=True)
    assert "".join(choice.text for chunk in stream for choice in chunk.choices) == found.choices[0].text


def test_mistakes_are_named_in_openais_form(server: Server) -> None:
    create = server.client.chat.completions.create
    with pytest.raises(openai.NotFoundError) as unknown:
        create(model="missing", messages=ASK)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="n: "):
        create(model="plain", messages=ASK, n=99)
    with pytest.raises(openai.BadRequestError, match="at most 128") as long:
        create(model="plain", messages=[{"role": "user", "content": "x" * 500}])
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.NotFoundError):
        server.client.embeddings.create(model="missing", input="x")


def test_a_client_that_leaves_gives_its_places_back(server: Server) -> None:
    stream = server.client.chat.completions.create(
        model="plain", messages=ASK, n=4, max_tokens=64, temperature=2.0, stream=True
    )
    next(iter(stream))
    stream.close()
    deadline = time.monotonic() + 10
    while server.engine.running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.engine.running == 0


@pytest.mark.usefixtures("cache")
def test_a_run_is_served_as_it_was_judged_and_refused_where_it_is_not_what_it_was(
    tmp_path: Path, network: Path
) -> None:
    run = trimtab.tune(projects.written(tmp_path, network), root=tmp_path / "runs")
    base = load(str(network))
    served = stacks.of_run(run.folder.path, base)
    assert (served.outcome, served.whose) == ("ship", run.verdict.stack)
    found = Server([served, stacks.of_base("base", served.sampling)], base, prompt=256)
    try:
        create = found.client.chat.completions.create
        ask: Any = [{"role": "user", "content": "item 3"}]
        assert create(model=served.name, messages=ask).choices[0].message.content == "ok"
        assert create(model="base", messages=ask).choices[0].message.content != "ok"
    finally:
        found.stop()
    base.tokenizer.chat_template += " "
    with pytest.raises(ModelError, match="chat template"):
        stacks.of_run(run.folder.path, base)
    verdict = run.folder.read("verdict.json")
    run.folder.write("verdict.json", verdict | {"outcome": "hold"})
    with pytest.raises(RunError, match="not ship"):
        stacks.of_run(run.folder.path, load(str(network)))
