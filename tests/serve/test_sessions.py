"""Who asks, and that only pages of ours send forms."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from tests.serve.made import Scene, field, fields, scene
from trimtab.review import people
from trimtab.review.tables import judgements, keys
from trimtab.serve.app import application
from trimtab.serve.sessions import COOKIE, VISIT, seal

FORMS: tuple[Callable[[Scene], str], ...] = (
    lambda made: f"/reviews/{made.review}/judgements",
    lambda made: f"/reviews/{made.review}/undo",
    lambda made: f"/reviews/{made.review}/comments",
    lambda made: f"/reviews/{made.review}/author/close",
    lambda _: "/people",
    lambda _: "/people/1/link",
    lambda _: "/people/1/revoke",
    lambda _: "/people/1/forget",
    lambda _: "/leave",
)  # fmt: skip
PAGES: tuple[Callable[[Scene], str], ...] = (
    lambda _: "/",
    lambda made: f"/reviews/{made.review}",
    lambda made: f"/reviews/{made.review}/author",
    lambda _: "/people",
)  # fmt: skip


def author(made: Scene) -> tuple[TestClient, str]:
    """Somebody who may send every form, and the seal of their session."""
    client = made.joined("Grace", "author")
    return client, field(client.get(f"/reviews/{made.review}").text, "seal")


def state(made: Scene) -> str:
    """All that the store holds of what forms change."""
    names = ("reviews", "people", "keys", "comments", "judgements")
    with made.store.reading() as connection:
        return str([connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names])


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_shown_without_a_session(path: Callable[[Scene], str], tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.client()
    assert client.get(path(made)).status_code == 401
    client.cookies.set(COOKIE, "x" * 32)
    assert client.get(path(made)).status_code == 401
    assert author(made)[0].get(path(made)).status_code == 200


@pytest.mark.parametrize("path", FORMS)
def test_no_form_is_taken_without_its_session_and_seal(path: Callable[[Scene], str], tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, own = author(made)
    stranger = made.client()
    other = author(made)[1]
    token = client.cookies[COOKIE]
    before = state(made)
    address = path(made)
    form = {"name": "Eve", "role": "author", "text": "Hello", "meant": "yes"}
    assert stranger.post(address, data=form | {"seal": own}).status_code == 401
    for wrong in (
        "",
        "x",
        other,
        own[:-1],
        own.upper() + "x",
        seal(""),
        seal(VISIT),
        token,
        "é",
    ):
        assert client.post(address, data=form | {"seal": wrong}).status_code == 403, wrong
    assert client.post(address, data=form).status_code == 403
    assert client.get(f"{address}?seal={own}").status_code in (200, 404, 405)
    assert state(made) == before


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense", ""])
def test_a_form_that_another_site_sent_is_not_taken(site: str, tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, own = author(made)
    before = state(made)
    for path in FORMS:
        answer = client.post(path(made), data={"seal": own}, headers={"sec-fetch-site": site})
        assert answer.status_code == 403
        assert "another site" in answer.text
    assert state(made) == before


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_form_of_ours_is_taken_whatever_the_browser_says_of_it(site: str, tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, own = author(made)
    answer = client.post("/leave", data={"seal": own}, headers={"sec-fetch-site": site})
    assert answer.url.path == "/left"


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded-not",
        "",
    ],
)
def test_only_plain_forms_are_read(kind: str, tmp_path: Path) -> None:
    """What other sites may send without asking first is among the others."""
    made = scene(tmp_path)
    client, own = author(made)
    before = state(made)
    for path in FORMS:
        answer = client.post(path(made), content=f"seal={own}", headers={"content-type": kind})
        assert answer.status_code == 400, path(made)
    assert state(made) == before


def test_the_kind_of_a_form_may_name_its_encoding(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, own = author(made)
    kind = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    assert client.post("/leave", content=f"seal={own}", headers=kind).url.path == "/left"


def test_a_file_cannot_stand_for_a_seal(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, own = author(made)
    assert client.post("/leave", files={"seal": ("x", own.encode())}).status_code == 400


def test_a_seal_needs_the_cookie_and_is_not_it() -> None:
    assert seal("one") == seal("one")
    assert len({seal("one"), seal("two"), seal(""), "one"}) == 4
    assert "one" not in seal("one")
    assert len(seal("\ud800")) == 64


def test_the_cookie_of_a_session_is_for_nobody_else(tmp_path: Path) -> None:
    made = scene(tmp_path)
    token = people.invite(made.store, "Ada", "rater")
    for secure in (False, True):
        app = application(made.store, secure=secure)
        client = TestClient(app, base_url=f"http{'s' * secure}://testserver", follow_redirects=False)
        page = client.get(f"/join/{token}")
        entered = client.post(f"/join/{token}", data={"seal": field(page.text, "seal")})
        for answer, name in ((page, VISIT), (entered, COOKIE)):
            given = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))
            said = {part.strip().lower() for part in given.split(";")[1:]}
            assert {"httponly", "samesite=lax", "path=/"} <= said
            assert ("secure" in said) == secure
            assert not any(part.startswith("domain") for part in said)


@pytest.mark.parametrize("end", ["expired", "revoked", "forgotten", "left"])
def test_a_session_that_has_ended_opens_nothing(end: str, tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    session = client.cookies[COOKIE]
    page = client.get(f"/reviews/{made.review}").text
    person = people.everyone(made.store)[0].id
    if end == "expired":
        with made.store.writing() as connection:
            connection.execute(update(keys).values(expires=time.time() - 1))
    elif end == "revoked":
        people.revoke(made.store, person)
    elif end == "forgotten":
        people.forget(made.store, person)
    else:
        client.post("/leave", data={"seal": field(page, "seal")})
        assert COOKIE not in client.cookies
        client.cookies.set(COOKIE, session)
    assert client.get("/").status_code == 401
    assert client.post(f"/reviews/{made.review}/judgements", data=fields(page)).status_code == 401
    with made.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(judgements)) == 0


def test_leaving_ends_one_device_alone(tmp_path: Path) -> None:
    made = scene(tmp_path)
    token = people.invite(made.store, "Ada", "rater")
    devices = [made.client(), made.client()]
    for device in devices:
        device.post(f"/join/{token}", data={"seal": field(device.get(f"/join/{token}").text, "seal")})
    devices[0].post("/leave", data={"seal": field(devices[0].get("/").text, "seal")})
    assert [device.get("/").status_code for device in devices] == [401, 200]


def test_a_session_outlives_the_server(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    page = client.get(f"/reviews/{made.review}").text
    later = made.client()
    later.cookies.set(COOKIE, client.cookies[COOKIE])
    assert later.post(f"/reviews/{made.review}/judgements", data=fields(page)).status_code == 200
