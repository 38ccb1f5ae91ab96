"""What a form of a judgement may say, and that nothing that is sent breaks a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData
from starlette.testclient import TestClient

from tests.serve.made import Scene, field, scene
from trimtab.review import people
from trimtab.review.judging import Answer
from trimtab.serve.limits import Limits, Rate
from trimtab.serve.pages import Refused
from trimtab.serve.review.forms import FLAGS, answer_of, lines

PLAIN = [("task", "a1"), ("key", "12345678"), ("choice", "tie")]
NAMES = (
    "seal", "task", "key", "choice", "reason", "correction", "seconds", "rule", "text", "name", "role", "meant",
    "left is", "right is", "left keeps steeping-time", "right keeps steeping-time",
)  # fmt: skip
TELLING = (
    "left", "tie", "skip", "yes", "no", "author", "rater", "harmful", "steeping-time", "nan", "1e400", "-1", "\0",
    "\r\n", "\ud800", "' OR 1=1 --", "{{ 7 * 7 }}", "../..", "x" * 5000,
)  # fmt: skip
FORMS = ("judgements", "undo", "comments", "author/close")
DOINGS = ("link", "revoke", "forget")
VALUES = st.one_of(st.sampled_from(TELLING), st.text(max_size=30))
IDS = st.one_of(
    st.sampled_from(("1", "0", "-1", "99", "2147483648", "9" * 50, "%00", "1.0", "١")), st.text(max_size=8)
)


@dataclass
class Sender:
    """A review whose first author may do anything, as often as they like."""

    made: Scene
    client: TestClient
    seal: str

    def page(self) -> str:
        return self.client.get(f"/reviews/{self.made.review}").text


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    made = scene(tmp_path_factory.mktemp("forms"), count=60)
    endless = Rate(1e9, 1e9)
    made.limits = Limits(endless, endless, endless)
    client = made.joined("Grace", "author")
    people.invite(made.store, "Ada", "rater")
    yield Sender(made, client, field(client.get("/people").text, "seal"))
    made.store.close()


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    return urlencode(pairs, errors="surrogatepass").encode()


def post(sender: Sender, path: str, content: bytes) -> Any:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return sender.client.post(path, content=content, headers=kind, follow_redirects=False)


@given(pairs=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8), form=st.sampled_from(FORMS[:3]))
def test_no_form_breaks_a_page(sender: Sender, pairs: list[tuple[str, str]], form: str) -> None:
    path = f"/reviews/{sender.made.review}/{form}"
    answer = post(sender, path, encoded([("seal", sender.seal), *pairs]))
    assert answer.status_code in (303, 403, 422)
    assert sender.client.get(f"/reviews/{sender.made.review}").status_code == 200


@given(pairs=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6))
def test_no_judgement_of_a_pair_that_is_shown_breaks_a_page(
    sender: Sender, pairs: list[tuple[str, str]]
) -> None:
    page = sender.page()
    given = [(name, field(page, name)) for name in ("seal", "task", "key")] + [("choice", "left")]
    # The last field of a name counts: what is drawn replaces what the page would send.
    answer = post(sender, f"/reviews/{sender.made.review}/judgements", encoded([*given, *pairs]))
    assert answer.status_code in (303, 403, 422)
    assert sender.client.get(f"/reviews/{sender.made.review}/author").status_code == 200


@given(content=st.binary(max_size=200))
def test_no_bytes_break_a_page(sender: Sender, content: bytes) -> None:
    for path in (
        f"/reviews/{sender.made.review}/judgements",
        "/people",
        "/people/2/forget",
        "/leave",
        f"/join/{'x' * 32}",
    ):
        assert post(sender, path, content).status_code in (400, 403)
    sealed = b"seal=" + sender.seal.encode() + b"&" + content
    assert post(sender, f"/reviews/{sender.made.review}/judgements", sealed).status_code < 500


@given(pairs=st.lists(st.tuples(st.sampled_from(("name", "role")), VALUES), max_size=4))
def test_nobody_is_invited_in_a_way_that_breaks_a_page(sender: Sender, pairs: list[tuple[str, str]]) -> None:
    given = [("seal", sender.seal), ("name", "Ada"), ("role", "rater"), *pairs]
    assert post(sender, "/people", encoded(given)).status_code in (200, 422)
    assert sender.client.get("/people").status_code == 200


@settings(max_examples=25)
@given(number=IDS, task=VALUES, noted=VALUES, name=VALUES)
def test_no_address_breaks_a_page(sender: Sender, number: str, task: str, noted: str, name: str) -> None:
    number = quote(number, safe="%")
    asked = urlencode({"task": task, "noted": noted}, errors="surrogatepass")
    pages = (
        f"/reviews/{number}?{asked}",
        f"/reviews/{number}/author",
        f"/assets/{number}",
        f"/join/{number}",
        f"/{number}",
    )
    for path in pages:
        assert sender.client.get(path).status_code < 500, path
    forms = [f"/reviews/{number}/{form}" for form in FORMS[:3]] + [f"/join/{number}"]
    if number not in ("1", "2"):
        forms += [f"/people/{number}/{doing}" for doing in DOINGS]
    for path in forms:
        assert post(sender, path, encoded([("seal", sender.seal), ("name", name)])).status_code < 500, path


@given(text=st.text(max_size=50))
def test_line_ends_of_forms_become_those_that_were_written(text: str) -> None:
    written = text.replace("\r", "").replace("\0", "")
    assert lines(written.replace("\n", "\r\n")) == written
    assert not {"\r", "\0"} & set(lines(text))


def test_a_form_with_nothing_but_a_choice_is_a_judgement() -> None:
    assert answer_of(FormData(PLAIN), ["r"]) == Answer("a1", "12345678", "tie")


def test_ratings_and_flags_are_read_by_their_names() -> None:
    more = [
        ("left keeps r", "yes"),
        ("right keeps r", "no"),
        ("left keeps other", "yes"),
        ("right keeps s", "perhaps"),
        *(("left is", flag) for flag in reversed(FLAGS)),
        ("right is", "ugly"),
        ("middle is", "harmful"),
    ]
    found = answer_of(FormData(PLAIN + more), ["r", "s"])
    assert found.ratings == {"r": {"left": True, "right": False}}
    assert found.flags == {"left": FLAGS}


def test_all_that_is_wrong_with_a_form_is_named_at_once() -> None:
    form = FormData([("task", "a b"), ("key", "1"), ("reason", "x" * 40_001)])
    with pytest.raises(Refused) as refused:
        answer_of(form, [])
    assert refused.value.status_code == 422
    assert refused.value.detail == "Not as the page makes them: choice, key, reason, task."
