"""What stands before every route: how often, how much, and what every answer says to the browser."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.serve.made import Scene, field, fields, scene
from trimtab.errors import StoreError
from trimtab.review import people
from trimtab.serve.app import application
from trimtab.serve.limits import Limits, Rate
from trimtab.serve.shield import HEADERS, HTTPS_ONLY

MANY = Rate(10_000, 10_000)


def limited(folder: Path, **limits: Any) -> Scene:
    """A review where nothing is limited but what is named."""
    made = scene(folder)
    made.limits = Limits(**{"session": MANY, "address": MANY, "joining": MANY, **limits})
    return made


def broken(made: Scene) -> None:
    """Take away a table, so that whatever needs it fails."""
    with made.store.writing() as connection:
        connection.execute(text("ALTER TABLE answers RENAME TO lost"))


def test_a_session_that_asks_too_often_waits_and_is_told_how_long(tmp_path: Path) -> None:
    made = limited(tmp_path, session=Rate(5, 0.5))
    rater = made.joined()
    made.now += 1000
    assert [rater.get("/left").status_code for _ in range(6)] == [200] * 5 + [429]
    refused = rater.get("/left")
    assert refused.headers["retry-after"] == "2"
    assert "too fast" in refused.text
    made.now += 2
    assert rater.get("/left").status_code == 200


def test_one_session_takes_nothing_from_another(tmp_path: Path) -> None:
    made = limited(tmp_path, session=Rate(5, 0.5))
    client, other = made.client(), made.client()
    # One application, as one server is.
    other.app = client.app
    client.cookies.set("trimtab_session", "a")
    other.cookies.set("trimtab_session", "b")
    assert [client.get("/left").status_code for _ in range(6)][-1] == 429
    assert other.get("/left").status_code == 200


def test_made_up_sessions_do_not_get_round_the_limit_of_an_address(tmp_path: Path) -> None:
    client = limited(tmp_path, address=Rate(5, 1)).client()
    found = [
        client.get("/left", headers={"cookie": f"trimtab_session={number}"}).status_code
        for number in range(8)
    ]
    assert found == [200] * 5 + [429] * 3


def test_addresses_of_one_machine_share_a_limit_and_others_do_not(tmp_path: Path) -> None:
    made = limited(tmp_path, address=Rate(2, 1))
    app = application(made.store, limits=made.limits, clock=lambda: made.now)

    def ask(address: str) -> int:
        return TestClient(app, client=(address, 50000)).get("/left").status_code

    assert [ask(f"2001:db8::{number}") for number in (1, 2, 3)] == [200, 200, 429]
    assert ask("2001:db8:0:1::1") == 200
    assert ask("192.0.2.1") == 200


def test_a_header_of_the_client_does_not_change_its_address(tmp_path: Path) -> None:
    client = limited(tmp_path, address=Rate(2, 1)).client()
    found = [
        client.get("/left", headers={"x-forwarded-for": f"192.0.2.{number}"}).status_code
        for number in range(4)
    ]
    assert found == [200, 200, 429, 429]


def test_guessing_invitations_is_slow(tmp_path: Path) -> None:
    made = limited(tmp_path, joining=Rate(3, 0.1))
    client = made.client()
    path = f"/join/{'x' * 32}"
    seal = field(client.get(path).text, "seal")
    found = [client.post(f"/join/{number:032}", data={"seal": seal}) for number in range(4)]
    assert [one.status_code for one in found] == [404, 404, 404, 429]
    assert found[-1].headers["retry-after"] == "10"
    # Looking is no attempt.
    assert client.get(path).status_code == 200
    good = f"/join/{people.invite(made.store, 'Ada', 'rater')}"
    assert client.post(good, data={"seal": seal}).status_code == 429
    made.now += 10
    assert client.post(good, data={"seal": seal}).status_code == 200


def test_a_body_may_be_as_long_as_is_allowed_and_no_longer(tmp_path: Path) -> None:
    made = limited(tmp_path, body=2000)
    rater = made.joined()
    path = f"/reviews/{made.review}/comments"
    seal = field(rater.get(f"/reviews/{made.review}").text, "seal")
    fixed = len(f"seal={seal}&rule=&text=")
    fits = {"seal": seal, "rule": "", "text": "x" * (2000 - fixed)}
    assert rater.post(path, data=fits).status_code == 200
    refused = rater.post(path, data=fits | {"text": fits["text"] + "x"})
    assert refused.status_code == 413
    assert "too long" in refused.text


def test_a_body_that_does_not_say_how_long_it_is_is_stopped(tmp_path: Path) -> None:
    made = limited(tmp_path, body=2000)
    rater = made.joined()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    pieces = (b"text=" + b"x" * 500 for _ in range(1000))
    refused = rater.post(f"/reviews/{made.review}/comments", content=pieces, headers=kind)
    assert "content-length" not in refused.request.headers
    assert refused.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "", "９", "0x10", "9" * 400, "9" * 5000])
def test_a_length_that_is_none_is_refused(length: str, tmp_path: Path) -> None:
    """Servers refuse most of these before; nothing depends on it."""
    answer = _asked(scene(tmp_path), [(b"content-length", length.encode())])
    assert answer["status"] == 413


def test_the_longest_correction_that_a_page_takes_gets_through(tmp_path: Path) -> None:
    made = scene(tmp_path)
    rater = made.joined()
    page = rater.get(f"/reviews/{made.review}").text
    # Four bytes each, and every byte as three characters.
    sent = fields(page, correction="\U0001f375" * 20_000)
    assert rater.post(f"/reviews/{made.review}/judgements", data=sent).status_code == 200


@pytest.mark.parametrize("secure", [False, True])
def test_every_answer_keeps_a_page_to_itself(secure: bool, tmp_path: Path) -> None:
    made = limited(tmp_path, session=Rate(4, 0.1), body=1000)
    token = people.invite(made.store, "Ada", "rater")
    app = application(made.store, secure=secure, limits=made.limits, clock=lambda: made.now)
    client = TestClient(
        app,
        base_url=f"http{'s' * secure}://testserver",
        raise_server_exceptions=False,
        follow_redirects=False,
    )
    found = [
        client.get("/"),
        client.get("/left"),
        client.get("/assets/pages.css"),
        client.get("/nothing"),
        client.put("/left"),
        client.get("/left/"),
        client.post("/people", data={"text": "x" * 2000}),
        client.post("/leave", json={}),
        client.get(f"/join/{token}"),
        client.post(f"/join/{token}", data={"seal": field(client.get(f"/join/{token}").text, "seal")}),
        client.get("/"),
        client.get("/reviews/99"),
    ]
    broken(made)
    found += [client.get(f"/reviews/{made.review}"), client.get("/left"), client.get("/left")]
    assert [one.status_code for one in found] == [
        401, 200, 200, 404, 405, 307, 413, 400, 200, 303, 200, 404, 500, 200, 429,
    ]  # fmt: skip
    wanted = HEADERS | (HTTPS_ONLY if secure else {})
    for one in found:
        assert {name: one.headers.get(name) for name in wanted} == wanted, one.request.url
        kept = "max-age=300" if one.request.url.path.startswith("/assets/") else "no-store"
        assert one.headers["cache-control"] == kept
        assert ("strict-transport-security" in one.headers) == secure


def test_trouble_with_the_store_is_no_mistake_of_who_asks_and_is_raised_for_the_log(tmp_path: Path) -> None:
    made = scene(tmp_path)
    rater = made.joined()
    broken(made)
    logged = TestClient(rater.app, cookies=dict(rater.cookies))
    with pytest.raises(StoreError, match="no such table"):
        logged.get(f"/reviews/{made.review}")


def test_an_error_on_our_side_shows_nothing_of_itself(tmp_path: Path) -> None:
    made = scene(tmp_path)
    rater = made.joined()
    broken(made)
    answer = rater.get(f"/reviews/{made.review}")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert not any(
        word in answer.text for word in ("Traceback", "sqlalchemy", "SELECT", "answers", str(tmp_path))
    )


def test_scripts_and_frames_of_others_have_no_place(tmp_path: Path) -> None:
    policy = scene(tmp_path).client().get("/left").headers["content-security-policy"]
    rules = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert rules["default-src"] == rules["script-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert "unsafe" not in policy


def _asked(made: Scene, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """The beginning of the answer to a form whose headers no client would send."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/leave", "raw_path": b"/leave", "query_string": b"",
        "headers": headers, "client": ("192.0.2.1", 1), "server": ("testserver", 80), "scheme": "http",
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    app = application(made.store, limits=made.limits, clock=lambda: made.now)
    asyncio.run(app(scope, receive, send))
    return said[0]
