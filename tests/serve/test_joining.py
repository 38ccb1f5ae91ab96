"""Coming in by an invitation, the list of reviews, and leaving."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from tests.serve.made import HOSTILE, STACKS, Scene, field, fields, items, scene
from trimtab.review import people, sampling
from trimtab.review.sampling import Plan, Review
from trimtab.review.tables import keys
from trimtab.serve.sessions import COOKIE, VISIT


def sessions(made: Scene) -> int:
    with made.store.reading() as connection:
        wanted = select(func.count()).select_from(keys).where(keys.c.kind == "session")
        return connection.scalar(wanted) or 0


def test_looking_at_an_invitation_begins_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path)
    token = people.invite(made.store, "Ada", "rater")
    client = made.client()
    answer = client.get(f"/join/{token}")
    assert answer.status_code == 200
    assert COOKIE not in client.cookies
    assert sessions(made) == 0
    # Nor does it say whether there is such an invitation, and whose.
    other = made.client().get(f"/join/{'x' * 32}")
    assert other.status_code == 200
    assert "Ada" not in answer.text
    one, two = (text.replace(token, "T") for text in (answer.text, other.text.replace("x" * 32, "T")))
    assert one.replace(field(one, "seal"), "") == two.replace(field(two, "seal"), "")


def test_an_invitation_leads_to_the_list_of_reviews(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.client()
    token = people.invite(made.store, "Ada", "rater")
    answer = client.post(f"/join/{token}", data={"seal": field(client.get(f"/join/{token}").text, "seal")})
    assert answer.history[0].status_code == 303
    assert answer.url.path == "/"
    assert "Teas of spring" in answer.text
    assert "Ada" in answer.text
    assert f'href="/reviews/{made.review}"' in answer.text
    assert COOKIE in client.cookies
    assert VISIT not in client.cookies
    assert client.cookies[COOKIE] != token


def test_an_invitation_that_was_pasted_by_another_site_needs_its_own_page(tmp_path: Path) -> None:
    """So that nobody is signed in as somebody else without a click of theirs."""
    made = scene(tmp_path)
    path = f"/join/{people.invite(made.store, 'Eve', 'rater')}"
    seen = made.client()
    seal = field(seen.get(path).text, "seal")
    assert made.client().post(path, data={"seal": seal}).status_code == 403
    assert seen.post(path).status_code == 400
    assert seen.post(path, data={"seal": "x"}).status_code == 403
    assert seen.post(path, data={"seal": seal}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert sessions(made) == 0
    assert seen.post(path, data={"seal": seal}).status_code == 200
    assert sessions(made) == 1


@pytest.mark.parametrize("end", ["expired", "revoked", "forgotten", "never was"])
def test_an_invitation_that_has_ended_opens_nothing(end: str, tmp_path: Path) -> None:
    made = scene(tmp_path)
    token = people.invite(made.store, "Ada", "rater")
    person = people.everyone(made.store)[0].id
    if end == "expired":
        with made.store.writing() as connection:
            connection.execute(update(keys).values(expires=time.time() - 1))
    elif end == "revoked":
        people.revoke(made.store, person)
    elif end == "forgotten":
        people.forget(made.store, person)
    else:
        token = "x" * 32
    client = made.client()
    answer = client.post(f"/join/{token}", data={"seal": field(client.get(f"/join/{token}").text, "seal")})
    assert answer.status_code == 404
    assert "has ended, was withdrawn, or never was" in answer.text
    assert COOKIE not in client.cookies


@pytest.mark.parametrize("token", ["x", "x" * 129, "a b" * 10, "%00" * 20, "..%2f" * 6, "é" * 20])
def test_what_cannot_be_an_invitation_is_not_looked_up(token: str, tmp_path: Path) -> None:
    client = scene(tmp_path).client()
    assert client.get(f"/join/{token}").status_code == 404
    assert client.post(f"/join/{token}", data={"seal": "x"}).status_code in (403, 404)


def test_the_list_says_how_far_one_is(tmp_path: Path) -> None:
    made = scene(tmp_path, count=2)
    client = made.joined()
    assert "0 of 2 judged" in client.get("/").text
    assert "Begin" in client.get("/").text
    path = f"/reviews/{made.review}"
    client.post(f"{path}/judgements", data=fields(client.get(path).text))
    assert "1 of 2 judged" in client.get("/").text
    assert "Go on" in client.get("/").text
    client.post(f"{path}/judgements", data=fields(client.get(path).text))
    assert "Nothing is left to judge here" in client.get("/").text
    assert f'href="{path}"' not in client.get("/").text


def test_a_closed_review_stays_in_the_lists_of_those_who_judged_in_it(tmp_path: Path) -> None:
    made = scene(tmp_path)
    judged, late, author = made.joined("Ada"), made.joined("Ben"), made.joined("Grace", "author")
    path = f"/reviews/{made.review}"
    judged.post(f"{path}/judgements", data=fields(judged.get(path).text))
    sampling.close(made.store, made.review)
    assert "Teas of spring" in judged.get("/").text
    assert "Teas of spring" in author.get("/").text
    assert "Teas of spring" not in late.get("/").text
    assert "No review is open" in late.get("/").text
    assert late.get(path).status_code == 404


def test_each_role_sees_its_own_doors(tmp_path: Path) -> None:
    made = scene(tmp_path)
    judge, standing = f'href="/reviews/{made.review}"', f'href="/reviews/{made.review}/author"'
    doors = {
        role: [door in made.joined(role, role).get("/").text for door in (judge, standing, 'href="/people"')]
        for role in ("rater", "viewer", "author")
    }
    assert doors == {
        "rater": [True, False, False],
        "viewer": [False, True, False],
        "author": [True, True, True],
    }


def test_reviews_stand_newest_first_and_their_titles_are_texts(tmp_path: Path) -> None:
    made = scene(tmp_path)
    sampling.begin(made.store, Review("run-2", HOSTILE, "learning", STACKS, {}, Plan()), items(1))
    page = made.joined(HOSTILE[:80]).get("/").text
    assert page.index("7 * 7") < page.index("Teas of spring")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page


def test_who_left_is_told_how_to_come_back(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    answer = client.post("/leave", data={"seal": field(client.get("/").text, "seal")})
    assert answer.url.path == "/left"
    assert "open the link of your invitation again" in answer.text
    refused = client.get("/")
    assert refused.status_code == 401
    assert "Open the link of your invitation" in refused.text
