"""What authors and viewers see of a review, and whom authors let in and out."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serve.made import GUIDELINES, HOSTILE, STACKS, Scene, field, fields, scene
from trimtab.review import people, sampling
from trimtab.review.people import Person
from trimtab.review.reading import said


def person(made: Scene, name: str) -> Person:
    return next(one for one in people.everyone(made.store) if one.name == name)


def author(made: Scene) -> tuple[TestClient, str]:
    """Somebody who decides, and the seal of their session."""
    client = made.joined("Grace", "author")
    return client, field(client.get("/people").text, "seal")


def link(page: str) -> str:
    """The invitation that a page shows, as an address without the host."""
    found = re.search(r"http://testserver(/join/[A-Za-z0-9_-]+)", page)
    assert found, page
    return found[1]


def entered(made: Scene, path: str) -> Any:
    client = made.client()
    return client.post(path, data={"seal": field(client.get(path).text, "seal")})


def judged(made: Scene, name: str, choice: str = "left", **more: str) -> TestClient:
    """A rater who has judged the first pair."""
    client = made.joined(name)
    path = f"/reviews/{made.review}"
    answer = client.post(f"{path}/judgements", data=fields(client.get(path).text, choice=choice, **more))
    assert answer.status_code == 200
    return client


@pytest.mark.parametrize(
    ("role", "standing", "everyone"), [("rater", 403, 403), ("viewer", 200, 403), ("author", 200, 200)]
)
def test_each_role_sees_what_is_its_own(
    role: people.Role, standing: int, everyone: int, tmp_path: Path
) -> None:
    made = scene(tmp_path)
    client = made.joined("Ada", role)
    assert client.get(f"/reviews/{made.review}/author").status_code == standing
    assert client.get("/people").status_code == everyone


@pytest.mark.parametrize("role", ["rater", "viewer"])
def test_only_an_author_decides(role: people.Role, tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined("Eve", role)
    ada = made.joined("Ada")
    seal = field(client.get("/").text, "seal")
    number = person(made, "Ada").id
    form = {"seal": seal, "name": "Mallory", "role": "author", "meant": "yes"}
    for path in (
        f"/reviews/{made.review}/author/close",
        "/people",
        *(f"/people/{number}/{what}" for what in ("link", "revoke", "forget")),
    ):
        assert client.post(path, data=form).status_code == 403
    assert [one.name for one in people.everyone(made.store)] == ["Eve", "Ada"]
    assert ada.get("/").status_code == 200
    assert sampling.found(made.store)[0].closed is None


def test_a_viewer_is_offered_nothing_to_change(tmp_path: Path) -> None:
    made = scene(tmp_path)
    page = made.joined("Vera", "viewer").get(f"/reviews/{made.review}/author").text
    assert re.findall(r'action="([^"]+)"', page) == ["/leave"]
    assert 'href="/people"' not in page


def test_an_invitation_is_shown_once_and_works(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    answer = client.post("/people", data={"seal": seal, "name": " Ada ", "role": "rater"})
    assert "This link is Ada's key" in answer.text
    path = link(answer.text)
    assert "/join/" not in client.get("/people").text
    assert entered(made, path).status_code == 200
    assert person(made, "Ada").role == "rater"


def test_another_link_is_another_key_to_the_same_person(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    first = link(client.post("/people", data={"seal": seal, "name": "Ada", "role": "viewer"}).text)
    number = person(made, "Ada").id
    again = client.post(f"/people/{number}/link", data={"seal": seal})
    assert link(again.text) != first
    assert "Ada's key" in again.text
    for path in (first, link(again.text)):
        assert "Ada" in entered(made, path).text
    assert len(people.everyone(made.store)) == 2
    assert client.post("/people/99/link", data={"seal": seal}).status_code == 422


@pytest.mark.parametrize(
    ("name", "role", "wrong"),
    [
        ("", "rater", "a name of 0 characters"),
        (" \r\n ", "rater", "a name of 0 characters"),
        ("x" * 81, "rater", "a name of 81 characters"),
        ("Ada", "king", "king"),
        ("Ada", "", "one of author, rater, viewer"),
    ],
)
def test_who_cannot_be_invited_is_not(name: str, role: str, wrong: str, tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    answer = client.post("/people", data={"seal": seal, "name": name, "role": role})
    assert answer.status_code == 422
    assert wrong in unescape(answer.text)
    assert len(people.everyone(made.store)) == 1


def test_who_is_locked_out_is_out_and_what_they_judged_stays(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    ada = judged(made, "Ada")
    path = link(client.post(f"/people/{person(made, 'Ada').id}/link", data={"seal": seal}).text)
    client.post(f"/people/{person(made, 'Ada').id}/revoke", data={"seal": seal})
    assert ada.get("/").status_code == 401
    assert entered(made, path).status_code == 404
    assert len(said(made.store, made.review)) == 1
    assert "Ada" in client.get("/people").text


def test_forgetting_must_be_meant_and_leaves_no_name(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    ada = judged(made, "Ada", reason="As I, Ada, said.")
    path = f"/people/{person(made, 'Ada').id}/forget"
    for form in ({"seal": seal}, {"seal": seal, "meant": ""}, {"seal": seal, "meant": "no"}):
        answer = client.post(path, data=form)
        assert answer.status_code == 422
        assert "Tick the box" in answer.text
    assert ada.get("/").status_code == 200
    assert client.post(path, data={"seal": seal, "meant": "yes"}).url.path == "/people"
    assert ada.get("/").status_code == 401
    for page in ("/people", f"/reviews/{made.review}/author"):
        assert "Ada" not in client.get(page).text
    assert b"Ada" not in b"".join(file.read_bytes() for file in tmp_path.glob("people.db*"))
    assert [one.vote.won != "" for one in said(made.store, made.review)] == [True]
    assert client.post(path, data={"seal": seal, "meant": "yes"}).status_code == 422


def test_nobody_locks_themselves_out(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    own = person(made, "Grace").id
    for what in ("revoke", "forget"):
        answer = client.post(f"/people/{own}/{what}", data={"seal": seal, "meant": "yes"})
        assert answer.status_code == 422
        assert "That is you" in answer.text
    page = client.get("/people")
    assert page.status_code == 200
    assert f"/people/{own}/" not in page.text


def test_a_review_is_ended_once_and_for_all(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, seal = author(made)
    path = f"/reviews/{made.review}/author"
    assert "End this review" in client.get(path).text
    page = client.post(f"{path}/close", data={"seal": seal})
    assert page.url.path == path
    assert ", closed" in page.text
    assert "End this review" not in page.text
    closed = sampling.found(made.store)[0].closed
    assert closed is not None
    client.post(f"{path}/close", data={"seal": seal})
    assert sampling.found(made.store)[0].closed == closed
    assert client.get("/reviews/99/author").status_code in (404, 422)
    assert client.post("/reviews/99/author/close", data={"seal": seal}).status_code in (404, 422)


def test_how_a_review_goes_is_counted(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client, _ = author(made)
    path = f"/reviews/{made.review}/author"
    assert "0 of 6 judgements" in client.get(path).text
    for name, choice in (("Ada", "left"), ("Ben", "tie")):
        judged(made, name, choice, seconds="4", reason=f"{name} says {HOSTILE}")
    made.joined("Cleo")
    page = client.get(path).text
    assert "2 of 6 judgements" in page
    rows = re.findall(r"<tr>.*?</tr>", page[page.index("Who judges") :], re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>\s*(.*?)\s*</t[dh]>", row, re.DOTALL) for row in rows]
    count = {row[0]: row[2] for row in cells if len(row) == 4}
    assert count == {"name": "judged", "Ada": "1", "Ben": "1", "Cleo": "0"}
    # Where people disagree is shown, as text.
    assert "Where people disagree most" in page
    assert "from Uji" in page
    assert f"Ada says {HOSTILE}" in unescape(page)
    assert "<script>alert" not in page


def test_a_rule_that_is_read_differently_is_named(tmp_path: Path) -> None:
    made = scene(tmp_path, per_item=2)
    client, _ = author(made)
    path = f"/reviews/{made.review}/author"
    for name, kept in (("Ada", "yes"), ("Ben", "no")):
        judged(made, name, "tie", **{f"{side} keeps steeping-time": kept for side in ("left", "right")})
    page = client.get(path).text
    assert "Rules that are read differently" in page
    assert "2 of 2" in page


@pytest.mark.parametrize("closed", [False, True])
def test_of_a_review_for_the_verdict_no_text_of_an_item_is_shown(closed: bool, tmp_path: Path) -> None:
    made = scene(tmp_path, purpose="verdict", training=True, pass_mark=0.0)
    client, seal = author(made)
    path = f"/reviews/{made.review}"
    for name, choice in (("Ada", "left"), ("Ben", "tie")):
        rater = made.joined(name)
        while "Practice:" in (page := rater.get(path).text):
            right = next(
                side
                for side, text in zip(("left", "right"), _answers(page), strict=True)
                if any(text in rule["good"] for rule in GUIDELINES["rules"])
            )
            rater.post(f"{path}/judgements", data=fields(page, choice=right))
        assert "from Uji" in page
        reason = f"I read that {_answers(page)[0]}"
        rater.post(f"{path}/judgements", data=fields(page, choice=choice, reason=reason))
    assert len(said(made.store, made.review)) >= 2
    if closed:
        client.post(f"{path}/author/close", data={"seal": seal})
    for looking in (client, made.joined("Vera", "viewer")):
        page = looking.get(f"{path}/author").text
        assert "2 of 6 judgements" in page
        assert "no text of it is shown here" in page
        for word in ("from Uji", "Describe the tea", "mild tea.", "alert(1)", "I read that", "tea-0"):
            assert word not in page, word


@pytest.mark.parametrize("purpose", ["learning", "verdict"])
def test_not_even_an_author_is_told_which_answer_is_whose(purpose: sampling.Purpose, tmp_path: Path) -> None:
    """An author may judge as well."""
    made = scene(tmp_path, purpose=purpose)
    client, _ = author(made)
    judged(made, "Ada", "left", **{"left keeps steeping-time": "yes", "right is": "harmful"})
    judged(made, "Ben", "right")
    page = client.get(f"/reviews/{made.review}/author")
    assert page.status_code == 200
    assert not any(stack in page.text for stack in STACKS)
    # Nor on the page of a pair, which they see as raters do.
    assert not any(stack in client.get(f"/reviews/{made.review}").text for stack in STACKS)


def _answers(page: str) -> list[str]:
    """The two answers on the page of a pair, left first."""
    found = re.findall(r'id="(?:left|right)-name">.*?<p class="text" dir="auto">(.*?)</p>', page, re.DOTALL)
    return [unescape(text) for text in found]
