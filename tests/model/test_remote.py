"""A model behind a service: a real client and a real server on the loopback interface, with a network of ours."""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.served import Service, dropped, late, raw, serving, status
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.adjust.overlay import Layer, lay
from trimtab.adjust.room import TURN, measured
from trimtab.adjust.stack import Stack
from trimtab.errors import ModelError
from trimtab.model import connection, find, load, sampler
from trimtab.model.kept import item_key
from trimtab.model.load import Base, wrap
from trimtab.model.remote import Remote, connect
from trimtab.model.service import Options
from trimtab.records import Example, Message, Output, Progress, Question, Sampling

KEY = "sk-tests-0123456789abcdef"
GREEDY = Sampling(max_new_tokens=12)
DRAWN = Sampling(max_new_tokens=12, temperature=1.0, top_p=0.9)
TEXTS = ("Hi", "Tell me about the sea.", "What?", "Why so?", "And then?")


@pytest.fixture(scope="module")
def base() -> Base:
    """A network with large weights, so that its answers vary."""
    network = tiny_model(initializer_range=0.4)
    network.requires_grad_(False)
    return wrap(network, tiny_tokenizer())


@pytest.fixture
def service(base: Base) -> Iterator[Service]:
    with serving(Service(base)) as found:
        yield found


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, no key, and no long waits between tries."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(connection, "FIRST", 0.01)


def asked(sampling: Sampling = GREEDY, seeds: tuple[int, ...] = (0,)) -> list[Question]:
    return [
        Question(f"e{number}", (Message("system", "Be brief."), Message("user", text)), sampling, seed)
        for number, text in enumerate(TEXTS)
        for seed in seeds
    ]


def remote(service: Service, **options: Any) -> Remote:
    return connect(service.name, Options(**options))


def texts(outputs: list[Output]) -> list[str]:
    return [output.text for output in outputs]


@pytest.mark.parametrize("owner", ["tests", "llamacpp", "me"])
@pytest.mark.parametrize(
    "sampling",
    [
        GREEDY,
        DRAWN,
        dataclasses.replace(DRAWN, top_k=20, min_p=0.02, repetition_penalty=1.3),
        dataclasses.replace(DRAWN, stop=("e", "\n"), max_new_tokens=40),
    ],
    ids=["greedy", "drawn", "all settings", "stop"],
)
def test_answers_equal_local_ones_token_for_token(
    service: Service, base: Base, sampling: Sampling, owner: str
) -> None:
    service.owner = owner
    questions = asked(sampling, (3, 4))
    local = sampler.answer(base, questions)
    found = remote(service).answer(questions)
    assert [(o.example, o.seed, o.text, o.finish) for o in found] == [
        (o.example, o.seed, o.text, o.finish) for o in local
    ]
    assert len({output.text for output in local}) >= 4
    for one, other in zip(found, local, strict=True):
        assert one.tokens == len(one.logprobs)
        # One by one and in a batch, products round differently.
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_known_servers_are_told_what_is_off_and_others_only_what_is_on(service: Service) -> None:
    sent: dict[str, dict[str, Any]] = {}
    for owner in ("openai", "llamacpp", "vllm"):
        service.owner, service.failures = owner, [raw(json.dumps(answer("x")).encode())]
        remote(service).answer(asked()[:1])
        sent[owner] = service.bodies[-1]
    assert not {"top_k", "min_p", "repeat_penalty", "repetition_penalty"} & sent["openai"].keys()
    assert (sent["llamacpp"]["top_k"], sent["llamacpp"]["min_p"]) == (0, 0.0)
    assert sent["llamacpp"]["repeat_penalty"] == 1.0
    assert (sent["vllm"]["top_k"], sent["vllm"]["repetition_penalty"]) == (-1, 1.0)
    assert sent["openai"] | {"seed": 0} == sent["openai"]
    assert sent["openai"]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


def answer(text: str | None, finish: str = "stop", **more: Any) -> dict[str, Any]:
    """The response of a chat completion."""
    return {"choices": [{"message": {"content": text, **more}, "finish_reason": finish}]}


def test_each_distinct_question_is_asked_once_and_never_again(service: Service) -> None:
    first = remote(service)
    outputs = first.answer([*asked(GREEDY, (0, 1, 2)), *asked(DRAWN, (0, 1))])
    assert len(outputs) == 25
    assert len(service.bodies) == 5 + 10
    again = remote(service)
    assert again.answer([*asked(GREEDY, (7,)), *asked(DRAWN, (1,))])
    assert len(service.bodies) == 15
    assert again.spending()["known"] == 10
    assert again.spending()["answers"] == 0
    again.answer([dataclasses.replace(asked()[0], sampling=dataclasses.replace(GREEDY, max_new_tokens=13))])
    assert len(service.bodies) == 16


def test_another_model_of_the_same_name_is_asked_anew(service: Service) -> None:
    first = remote(service)
    first.answer(asked()[:1])
    service.created = 99
    assert remote(service).fingerprint == first.fingerprint
    service.owner = "somebody else"
    second = remote(service)
    assert second.fingerprint != first.fingerprint
    second.answer(asked()[:1])
    assert len(service.bodies) == 2


def test_a_damaged_file_of_an_answer_is_asked_for_again(service: Service) -> None:
    first = remote(service)
    (output,) = first.answer(asked()[:1])
    (file,) = [path for path in first.kept.folder.rglob("*.json") if path.is_file()]
    file.write_bytes(file.read_bytes()[:20])
    assert remote(service).answer(asked()[:1]) == [output]
    assert len(service.bodies) == 2


def test_a_kept_answer_says_by_a_hash_which_item_it_answers(service: Service) -> None:
    first = remote(service)
    question = asked()[0]
    first.answer([question])
    (file,) = [path for path in first.kept.folder.rglob("*.json") if path.is_file()]
    assert json.loads(file.read_text())["item"] == item_key(question.example) != ""
    assert remote(service).answer([question])
    assert len(service.bodies) == 1


def test_no_more_at_once_than_allowed(service: Service) -> None:
    service.slow = 0.2
    remote(service, at_once=3).answer(asked(DRAWN))
    assert service.most == 3
    service.most = 0
    remote(service, at_once=1).answer(asked(DRAWN, (2,)))
    assert service.most == 1


def test_no_more_a_minute_than_allowed(service: Service) -> None:
    remote(service, per_minute=1200, at_once=4).answer(asked())
    times = sorted(service.times)
    assert times[-1] - times[0] >= 4 * 0.05 - 0.02


@pytest.mark.parametrize(
    "failures",
    [
        [status(500), status(503), status(429)],
        [raw(b"<html>busy</html>"), raw(b"[1, 2]"), raw(b'{"choices": []}')],
        [raw(b'{"choices": [{"message": {"content": ["parts"]}}]}'), dropped, dropped],
        [status(408), raw(b"[" * 100_000), status(425)],
    ],
    ids=["statuses", "garbage", "dropped", "nested"],
)
def test_what_may_pass_is_tried_again(service: Service, base: Base, failures: list[Any]) -> None:
    service.failures = list(failures)
    model = remote(service, at_once=1)
    assert texts(model.answer(asked())) == texts(sampler.answer(base, asked()))
    spent = model.spending()
    assert spent["repeats"] == 3
    assert spent["requests"] == 1 + 5 + 3
    assert spent["answers"] == 5


def test_an_answer_that_does_not_come_is_asked_for_again(service: Service, base: Base) -> None:
    service.failures = [late(2.0)]
    model = remote(service, seconds=0.5, tries=20, at_once=1)
    assert texts(model.answer(asked()[:1])) == texts(sampler.answer(base, asked()[:1]))
    assert model.spending()["repeats"] >= 1
    service.failures = [late(2.0)] * 2
    with pytest.raises(ModelError, match=r"nothing came within 0\.5 s"):
        remote(service, seconds=0.5, tries=2).answer(asked()[1:2])


def test_a_service_that_stays_away_is_given_up_and_answers_are_kept(service: Service) -> None:
    model = remote(service, tries=3, at_once=1)
    model.answer(asked()[:2])
    service.failures = [status(503)] * 3
    with pytest.raises(ModelError, match=r"no answer after 3 tries; the last: status 503") as caught:
        model.answer(asked())
    assert "kept" in caught.value.hint
    assert len(service.bodies) == 2 + 3
    model.answer(asked())
    assert len(service.bodies) == 5 + 3


def test_a_service_that_is_not_there_is_named(service: Service, base: Base) -> None:
    with serving(Service(base)) as gone:
        name = gone.name
    with pytest.raises(ModelError, match="no answer after 2 tries") as caught:
        connect(name, Options(seconds=2))
    assert name in caught.value.message


def date(seconds: float) -> str:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return email.utils.format_datetime(at, usegmt=True)


def test_the_wait_that_a_service_asks_for_is_kept_by_all(service: Service) -> None:
    def beside(handler: Any) -> None:
        time.sleep(0.4)
        handler.send(200, answer("late"))

    service.failures = [status(429, Retry_After="0.8"), beside]
    remote(service, at_once=2).answer(asked())
    # The one that was told, the one that was under way beside it, and nothing more for so long.
    assert service.times[2] - service.times[0] >= 0.8
    assert len(service.times) == 6


@pytest.mark.parametrize(("header", "low", "high"), [("7", 7, 7), ("soon", None, None), ("-3", 0, 0)])
def test_a_wait_in_seconds(header: str, low: float | None, high: float | None) -> None:
    found = connection._after(header)
    assert found is None if low is None else low <= (found or 0.0) <= (high or 0.0)


def test_a_wait_as_a_date() -> None:
    assert 28 <= (connection._after(date(30)) or 0) <= 30
    assert connection._after(date(-30)) == 0


def test_a_wait_that_is_too_long_ends_the_run(service: Service) -> None:
    service.failures = [status(429, Retry_After="7200")]
    with pytest.raises(ModelError, match=r"after 1 try.*wait for 7200 s"):
        remote(service).answer(asked()[:1])


def test_an_account_without_money_is_not_tried_again(service: Service) -> None:
    service.failures = [status(429, {"error": {"message": "You exceeded it", "code": "insufficient_quota"}})]
    with pytest.raises(ModelError, match="insufficient_quota"):
        remote(service).answer(asked()[:1])
    assert len(service.bodies) == 1


def test_a_response_without_end_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LIMIT", 2**20)
    service.failures = [raw(b" " * (2**20 + 1))]
    with pytest.raises(ModelError, match="more than 1 MiB"):
        remote(service).answer(asked()[:1])
    assert len(service.bodies) == 1


def test_a_redirect_is_not_followed(service: Service) -> None:
    service.failures = [status(307, Location="http://127.0.0.1:1/v1/chat/completions")]
    with pytest.raises(ModelError, match="status 307") as caught:
        remote(service).answer(asked()[:1])
    assert "redirects" in caught.value.hint


def test_what_a_service_does_not_know_is_said_otherwise_or_left_out(service: Service, base: Base) -> None:
    service.refused = ("max_tokens", "logprobs", "seed")
    model = remote(service, at_once=1)
    assert texts(model.answer(asked())) == texts(sampler.answer(base, asked()))
    assert model.facts()["otherwise"] == {
        "max_tokens": "max_completion_tokens",
        "logprobs": "left out",
        "seed": "left out",
    }
    # Three that were refused, and five that were not.
    assert len(service.bodies) == 8
    assert service.bodies[-1]["max_completion_tokens"] == 12


def test_what_matters_is_never_left_out(service: Service) -> None:
    service.refused = ("top_k",)
    with pytest.raises(ModelError, match="'top_k' is not supported"):
        remote(service).answer(asked(dataclasses.replace(DRAWN, top_k=5))[:1])
    assert len(service.bodies) == 1


def test_a_wrong_model_is_answered_with_those_that_there_are(service: Service) -> None:
    service.failures = [status(404, {"error": {"message": "The model does not exist", "code": "none"}})]
    with pytest.raises(ModelError, match="does not exist") as caught:
        connect(f"openai:other@{service.url}", Options()).answer(asked()[:1])
    assert "these models: tiny" in caught.value.hint


def test_a_service_that_lists_no_models_answers_all_the_same(service: Service) -> None:
    service.models = False
    model = remote(service)
    assert model.entry == {}
    assert len(model.answer(asked())) == 5


def test_a_wrong_key_is_named_by_its_variable(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.key = "sk-the-right-one-0123456789"
    with pytest.raises(ModelError, match="asks for a key") as caught:
        remote(service)
    assert "OPENAI_API_KEY" in caught.value.hint
    monkeypatch.setenv("TEST_KEY", KEY)
    with pytest.raises(ModelError, match="refuses the key in TEST_KEY") as caught:
        remote(service, key="TEST_KEY")
    assert KEY not in f"{caught.value.message} {caught.value.hint} {caught.getrepr()}"
    monkeypatch.setenv("TEST_KEY", service.key)
    assert remote(service, key="TEST_KEY").answer(asked()[:1])


def test_the_key_goes_to_the_service_and_nowhere_else(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    service.key = KEY
    echo = {"error": {"message": f"bad request with {KEY}", "code": KEY}}
    service.failures = [
        raw(json.dumps(answer(f"You sent {KEY}.")).encode()),
        status(500, echo),
        status(400, echo),
    ]
    model = remote(service, at_once=1)
    (output,) = model.answer(asked()[:1])
    assert output.text == "You sent [key]."
    with pytest.raises(ModelError) as caught:
        model.answer(asked()[1:2])
    assert "[key]" in caught.value.message
    assert service.headers[-1]["Authorization"] == f"Bearer {KEY}"
    shown = [str(caught.value), caught.value.hint, str(caught.getrepr(style="long")), caplog.text]
    shown += [repr(model), repr(model.connection), json.dumps(model.facts(), default=str)]
    shown += [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(shown) > 7
    assert not [text for text in shown if KEY in text]


def test_interrupting_loses_no_answer(service: Service) -> None:
    service.slow = 0.02
    seen: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 3:
            raise KeyboardInterrupt

    questions = asked(DRAWN, tuple(range(8)))
    model = remote(service, at_once=2)
    with pytest.raises(KeyboardInterrupt):
        model.answer(questions, interrupt)
    asked_before = len(service.bodies)
    assert 3 <= asked_before <= 7
    assert model.spending()["answers"] == asked_before
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("(run)")]
    again = remote(service)
    again.answer(questions)
    assert len(service.bodies) == 40
    assert again.spending()["answers"] == 40 - asked_before


def test_waiting_for_a_turn_ends_with_the_run(service: Service) -> None:
    service.failures = [status(503, Retry_After="300")]
    service.slow = 1.0  # both are asked before one is told to wait, or no answer would come to interrupt at

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remote(service, at_once=2).answer(asked()[:2], interrupt)
    assert len(service.bodies) <= 3


def test_progress_counts_answers_and_tokens(service: Service) -> None:
    seen: list[Progress] = []
    outputs = remote(service).answer(asked(), seen.append)
    assert [progress.done for progress in seen] == [1, 2, 3, 4, 5]
    assert {(progress.stage, progress.total) for progress in seen} == {("generating", 5)}
    assert seen[-1].facts["tokens"] == sum(output.tokens for output in outputs)


def test_spending_is_counted_and_priced(service: Service) -> None:
    model = remote(service, price_prompt=1.0, price_answer=10.0)
    outputs = model.answer(asked(GREEDY, (0, 1)))
    spent = model.spending()
    assert spent["answer_tokens"] == sum(output.tokens for output in outputs[::2])
    expected = (spent["prompt_tokens"] + 10 * spent["answer_tokens"]) / 1e6
    assert spent["price"] == pytest.approx(expected, abs=1e-6)
    assert spent["prompt_tokens"] > 5 * 20
    assert spent["uncounted"] == 0


def test_a_service_that_counts_nothing_and_gives_no_logprobs(service: Service) -> None:
    service.usage = service.logprobs = False
    model = remote(service)
    outputs = model.answer(asked())
    assert {(output.logprobs, output.tokens) for output in outputs} == {((), 0)}
    assert model.spending()["uncounted"] == 5


@pytest.mark.parametrize(
    ("response", "text", "finish", "fired"),
    [
        (answer("yes"), "yes", "stop", ()),
        (answer("yes", "length"), "yes", "length", ()),
        (answer(None, "content_filter"), "", "stop", ("the service's content filter",)),
        (answer(None, refusal="I cannot."), "I cannot.", "stop", ()),
        (answer("yes END more"), "yes ", "stop", ()),
    ],
)
def test_how_answers_end(
    service: Service, response: dict[str, Any], text: str, finish: str, fired: tuple[str, ...]
) -> None:
    service.failures = [raw(json.dumps(response).encode())]
    (output,) = remote(service).answer(asked(Sampling(stop=("END",)))[:1])
    assert (output.text, output.finish, output.fired) == (text, finish, fired)


def test_it_takes_the_place_of_a_base_in_a_stack(service: Service, base: Base) -> None:
    examples = [Example(question.messages, id=question.example) for question in asked()]
    with Stack().attach(remote(service)) as served, Stack().attach(base) as local:
        assert texts(served(examples, DRAWN, (0, 1))) == texts(local(examples, DRAWN, (0, 1)))
        with pytest.raises(ModelError, match="likelihood") as caught:
            served.likelihood([((), "some text")])
    assert "read answers" in caught.value.hint


def test_the_name_decides_between_a_service_and_a_network(service: Service, tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path / "network")
    tiny_tokenizer().save_pretrained(tmp_path / "network")
    here, there = find.find(str(tmp_path / "network")), find.find(service.name)
    assert isinstance(here, Base)
    assert isinstance(there, Remote)
    assert find.loaded(here) is here
    with pytest.raises(ModelError, match="keeps its network") as caught:
        find.loaded(there)
    assert "prompt, context, decoding and postprocess" in caught.value.hint
    with pytest.raises(ModelError, match="a service"):
        load.load(service.name)


def test_what_an_adjustment_remembers_of_settings_is_not_paid_for_again(service: Service) -> None:
    model = remote(service)
    (question, *_) = asked(DRAWN)
    (first,) = model.answer([question])
    laid_over = lay(question.sampling, Layer({"temperature": DRAWN.temperature}))
    again = dataclasses.replace(question, sampling=dataclasses.replace(laid_over, chosen=True))
    assert model.answer([again]) == [first]
    assert len(service.bodies) == 1


def test_seeds_are_such_as_every_service_takes(service: Service) -> None:
    large = [dataclasses.replace(question, seed=2**63 + 5) for question in asked(DRAWN)[:1]]
    (output,) = remote(service).answer(large)
    assert service.bodies[0]["seed"] == 5
    assert output.seed == 2**63 + 5


@pytest.mark.parametrize(
    ("entry", "tokens"),
    [
        ({}, None),
        ({"max_model_len": 4096}, 4096),
        ({"meta": {"n_ctx_train": 8192, "n_params": 7}}, 8192),
        ({"meta": {"n_ctx_train": 8192, "n_ctx": 2048}}, 2048),
        ({"meta": None, "max_model_len": "long"}, None),
    ],
)
def test_how_long_a_conversation_may_be_is_read_from_what_the_service_says(
    service: Service, entry: dict[str, Any], tokens: int | None
) -> None:
    service.entry = entry
    model = remote(service)
    assert model.context == tokens
    room = measured(model, ["any text"], answer=100)
    assert room.tokens == (None if tokens is None else tokens - 100 - TURN)
    if tokens:
        # Careful: text of one byte for a half of a token.
        assert room.needed("x" * 100) == 50 + TURN
    service.entry = {}


def test_a_setting_that_is_not_taken_is_named(service: Service) -> None:
    service.refused = ("min_p",)
    with pytest.raises(ModelError, match="does not take min_p; it says") as caught:
        remote(service).answer(asked(dataclasses.replace(DRAWN, min_p=0.1, top_k=5))[:1])
    assert "allowed: max_new_tokens, temperature, top_p, stop" in caught.value.hint
