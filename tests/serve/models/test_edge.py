"""Who is let in, and how far; what is counted and logged of them, which is never what they said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.serve.models.live import Live, error_of
from trimtab.live import forgetting, keys
from trimtab.review.store import Store
from trimtab.serve.models.edge import BODY, loopback


@pytest.fixture
def live(tmp_path: Path, quick: Store) -> Iterator[Live]:
    found = Live(tmp_path, quick, each=2)
    yield found
    found.stop()


def test_everybody_is_let_in_until_a_key_was_made_and_nobody_when_the_last_is_revoked(live: Live) -> None:
    assert live.chat().status_code == live.chat("none").status_code == 200
    key = live.key("Ann")
    assert live.chat(key).status_code == 200
    with pytest.raises(openai.AuthenticationError) as refused:
        live.client.models.list()
    assert refused.value.code == "invalid_api_key"
    assert refused.value.response.headers["www-authenticate"] == "Bearer"
    for path in ("/v1/models", "/v1/models/plain", "/nowhere", "/docs"):
        assert live.ask("GET", path).status_code == 401
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/feedback"):
        assert error_of(live.ask("POST", path, key[:-1] + "!", json={})) == (401, "invalid_api_key")
    assert {live.ask("GET", path).status_code for path in ("/healthz", "/readyz", "/openapi.json")} == {200}
    keys.revoked(live.store, "Ann")
    assert live.chat(key).status_code == live.chat().status_code == 401


def test_a_key_opens_its_models_and_shows_no_others(live: Live) -> None:
    ann = live.client_of(live.key("Ann", "plain", "gone"))
    assert [one.id for one in ann.models.list()] == ["plain"]
    for name in ("signed", "echo", "nothing", "all-MiniLM-L6-v2"):
        with pytest.raises(openai.NotFoundError) as refused:
            ann.models.retrieve(name)
        assert refused.value.message.endswith("there are: plain")
        with pytest.raises(openai.NotFoundError):
            ann.chat.completions.create(model=name, messages=[{"role": "user", "content": "Say 1."}])
    with pytest.raises(openai.NotFoundError):
        ann.embeddings.create(model="all-MiniLM-L6-v2", input="x")
    assert ann.chat.completions.create(
        model="plain", messages=[{"role": "user", "content": "Say 1."}]
    ).choices
    ann.close()


def test_keys_may_be_needed_before_one_was_made(tmp_path: Path, quick: Store) -> None:
    closed = Live(tmp_path, quick, keys=True)
    try:
        assert closed.chat().status_code == 401
        assert closed.chat(closed.key("Ann")).status_code == 200
    finally:
        closed.stop()


def test_what_is_too_large_or_too_much_at_once_is_refused(live: Live) -> None:
    key = live.key("Ann")
    with live.under_way(key, 2**21) as connection:
        assert connection.getresponse().status == 413
    # One that does not say how long it is, by a byte.
    pieces = iter([b"x" * 2**16] * (BODY // 2**16) + [b"x"])
    assert error_of(live.ask("POST", "/v1/feedback", key, content=pieces)) == (413, None)
    deep = live.ask("POST", "/v1/feedback", key, content=b"[" * 200_000)
    assert deep.status_code == 400
    with live.under_way(key), live.under_way(key):
        assert error_of(live.chat(key)) == (429, "too_many")
        assert live.chat(live.key("Bob")).status_code == 200
    assert live.until(lambda: live.chat(key).status_code == 200)


def test_counts_are_for_this_machine_or_for_a_key_that_opens_everything(live: Live) -> None:
    live.chat(model="signed")
    assert live.counted(
        'trimtab_requests_total{model="signed",route="/v1/chat/completions",status="200"} 1.0'
    )
    assert live.counted('trimtab_rules_fired_total{model="signed",rule="sign"} 1.0')
    assert live.counted('trimtab_first_token_seconds_count{model="signed"} 1.0')
    assert live.counted('trimtab_rows{state="running"} 0.0')
    far = {"x-forwarded-for": "203.0.113.9"}
    assert live.ask("GET", "/metrics", headers=far).status_code == 401
    assert live.ask("GET", "/metrics", live.key("Ann", "plain"), headers=far).status_code == 403
    assert live.ask("GET", "/metrics", live.key("Bob"), headers=far).status_code == 200
    assert live.counted('trimtab_refusals_total{reason="counts"} 2.0')


def test_a_request_is_one_line_of_the_log_without_a_word_of_it(live: Live) -> None:
    key = live.key("Ann Secret")
    answer = live.chat(key, text="hush-a-bye", model="echo").json()
    stream = live.chat(key, text="hush-a-bye", stream=True)
    live.ask("GET", "/hush-a-bye?key=hush-a-bye", key)
    live.chat(key, text="hush-a-bye", model="hush-a-bye")
    live.ask("POST", "/v1/feedback", key, json={"id": "hush-a-bye", "thumb": 1})
    whole, streamed, unknown, missing, feedback = live.lines(5)
    assert (whole["id"], whole["status"], whole["model"], whole["stack"]) == (
        answer["id"],
        200,
        "echo",
        live.serving.stacks["echo"].stack.hash,
    )
    usage = answer["usage"]
    assert (whole["prompt_tokens"], whole["answer_tokens"]) == (
        usage["prompt_tokens"],
        usage["completion_tokens"],
    )
    assert 0 < whole["first_token"] <= whole["seconds"]
    assert streamed["id"] == stream.headers["x-request-id"]
    assert (unknown["route"], unknown["status"]) == ("other", 404)
    assert (missing["code"], missing["model"], feedback["code"]) == (
        "model_not_found",
        "",
        "answer_not_found",
    )
    (known,) = keys.listed(live.store)
    assert {one["key"] for one in live.lines()} == {known.id}
    counts = live.ask("GET", "/metrics").text
    for said in (live.log.read_text(encoding="utf-8"), counts):
        assert "hush" not in said
        assert "Ann" not in said
        assert key not in said
    forgetting.forget(live.store, "Ann Secret")
    assert live.chat(key).status_code == 401


def test_a_store_that_fails_lets_nobody_in(live: Live) -> None:
    key = live.key("Ann")
    with live.store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE api_keys RENAME TO elsewhere")
    assert error_of(live.chat(key)) == (503, "store")
    assert "sqlite" not in live.chat(key).text
    assert live.ask("GET", "/healthz").status_code == 200


def test_a_fault_is_logged_by_its_place_and_says_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("planted secret")

    monkeypatch.setattr(live.serving, "open_to", broken)
    response = live.ask("GET", "/v1/models")
    assert (response.status_code, "planted" in response.text) == (500, False)
    assert live.lines(1)[-1]["fault"].startswith("ValueError at test_edge.py:")
    assert "planted" not in live.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("box", False),
    ],
)
def test_what_is_reached_from_this_machine_alone(host: str, near: bool) -> None:
    assert loopback(host) is near
