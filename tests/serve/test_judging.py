"""The page of a pair, and every form on it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from tests.serve.made import GUIDELINES, HOSTILE, LEFT_TEXT, STACKS, Scene, field, fields, scene
from trimtab.review import people, sampling
from trimtab.review.reading import said
from trimtab.review.tables import judgements


def opened(made: Scene, client: TestClient) -> str:
    return client.get(f"/reviews/{made.review}").text


def sent(made: Scene, client: TestClient, page: str = "", **changed: str) -> Any:
    """What is answered to a judgement of the pair that is shown."""
    form = fields(page or opened(made, client), **changed)
    return client.post(f"/reviews/{made.review}/judgements", data=form)


def kept(made: Scene) -> list[dict[str, Any]]:
    with made.store.reading() as connection:
        rows = connection.execute(select(judgements).order_by(judgements.c.id)).mappings()
        return [dict(row) for row in rows]


def texts(page: str) -> list[str]:
    """What stands in a page as text that somebody or something wrote, as a reader sees it."""
    return [unescape(one) for one in re.findall(r'<p class="text" dir="auto">(.*?)</p>', page, re.DOTALL)]


def test_a_page_shows_the_conversation_both_answers_and_the_question(tmp_path: Path) -> None:
    made = scene(tmp_path, question="Which would you print?")
    page = opened(made, made.joined())
    shown = texts(page)
    assert shown[:2] == ["Describe the tea.", "Tea number 0, from Uji"]
    assert sorted(shown[2:4]) == sorted([f"{LEFT_TEXT} (0)", f"{HOSTILE} (0)"])
    assert "Which would you print?" in page
    assert "1 of 3" in page


def test_texts_are_texts_and_nothing_else(tmp_path: Path) -> None:
    made = scene(tmp_path)
    page = opened(made, made.joined())
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page
    # White space is kept as it was written.
    assert f"{LEFT_TEXT} (0)" in page


def test_the_guidelines_stand_beside_with_their_examples(tmp_path: Path) -> None:
    made = scene(tmp_path)
    page = opened(made, made.joined())
    assert "version 3" in page
    for rule in GUIDELINES["rules"]:
        assert rule["text"] in page
        assert set(rule["good"] + rule["bad"]) <= set(texts(page))


@pytest.mark.parametrize(
    ("choice", "won"), [("left", True), ("right", True), ("tie", False), ("bad", False), ("skip", None)]
)
def test_a_choice_is_kept_as_it_was_meant(choice: str, won: bool | None, tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    page = opened(made, client)
    answer = sent(made, client, page, choice=choice)
    assert answer.history[0].status_code == 303
    assert "2 of" in answer.text
    assert [row["choice"] for row in kept(made)] == [choice]
    if won is None:
        assert said(made.store, made.review) == []
        return
    (vote,) = said(made.store, made.review)
    side = texts(page)[2 if choice == "left" else 3]
    winner = {f"{LEFT_TEXT} (0)": STACKS[0], f"{HOSTILE} (0)": STACKS[1]}[side]
    assert vote.vote.won == (winner if won else "")


def test_all_that_a_form_says_is_kept(tmp_path: Path) -> None:
    made = scene(tmp_path)
    more = {
        "reason": " It says\r\nhow long. ",
        "correction": "A mild tea.\r\n\r\nSteep it.\0",
        "seconds": "4.25",
        "left keeps steeping-time": "yes",
        "right keeps steeping-time": "no",
        "left keeps no-superlatives": "",
        "left keeps unheard-of": "yes",
        "right is": "wrong fact",
    }
    sent(made, made.joined(), **more)
    (row,) = kept(made)
    assert row["reason"] == "It says\nhow long."
    assert row["correction"] == "A mild tea.\n\nSteep it."
    assert row["seconds"] == 4.25
    assert row["ratings"] == {"steeping-time": {"left": True, "right": False}}
    assert row["flags"] == {"right": ["wrong fact"]}
    assert row["version"] == "3"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("", 0), ("x", 0), ("nan", 0), ("inf", 0), ("-5", 0), ("1e9", 3600), ("1_0", 10), ("12.5", 12.5)],
)
def test_a_judgement_is_not_lost_over_its_seconds(given: str, seconds: float, tmp_path: Path) -> None:
    made = scene(tmp_path)
    sent(made, made.joined(), seconds=given)
    assert [row["seconds"] for row in kept(made)] == [seconds]


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"choice": "up"}, "choice"),
        ({"choice": ""}, "choice"),
        ({"key": "short"}, "key"),
        ({"key": "x" * 33}, "key"),
        ({"key": "a b c d e f"}, "key"),
        ({"task": "../1"}, "task"),
        ({"task": ""}, "task"),
        ({"reason": "x" * 40_001}, "reason"),
        ({"correction": "x" * 40_001}, "correction"),
        ({"reason": "x" * 20_001}, "reason"),
    ],
)
def test_what_the_page_would_not_send_is_refused_and_named(
    changed: dict[str, str], wrong: str, tmp_path: Path
) -> None:
    made = scene(tmp_path)
    answer = sent(made, made.joined(), **changed)
    assert answer.status_code == 422
    assert wrong in answer.text
    assert kept(made) == []


def test_a_form_without_its_fields_is_refused_and_they_are_named(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    seal = field(opened(made, client), "seal")
    answer = client.post(f"/reviews/{made.review}/judgements", data={"seal": seal})
    assert answer.status_code == 422
    assert "choice, key, task" in answer.text


def test_lines_that_a_form_made_longer_are_not_too_long(tmp_path: Path) -> None:
    made = scene(tmp_path)
    assert sent(made, made.joined(), correction="a\r\n" * 10_000).status_code == 200
    assert len(kept(made)[0]["correction"]) == 19_999


def test_a_judgement_that_is_sent_twice_is_taken_once(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    page = opened(made, client)
    answers = [sent(made, client, page) for _ in range(3)]
    assert [one.history[0].status_code for one in answers] == [303] * 3
    assert len(kept(made)) == 1
    # With another key it is another judgement, of a pair that has one.
    refused = sent(made, client, page, key="another-key")
    assert refused.status_code == 422
    assert "judged already" in refused.text


def test_the_key_of_one_pair_judges_no_other(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    page = opened(made, client)
    sent(made, client, page)
    assert sent(made, client, key=field(page, "key")).status_code == 422
    assert len(kept(made)) == 1


def test_a_pair_stays_until_it_is_judged_on_whichever_device(tmp_path: Path) -> None:
    made = scene(tmp_path)
    token = people.invite(made.store, "Ada", "rater")
    devices = [made.client(), made.client()]
    for device in devices:
        device.post(f"/join/{token}", data={"seal": field(device.get(f"/join/{token}").text, "seal")})
    pages = [opened(made, device) for device in devices]
    assert field(pages[0], "task") == field(pages[1], "task")
    assert texts(pages[0]) == texts(pages[1])
    assert field(pages[0], "seal") != field(pages[1], "seal")
    assert sent(made, devices[0], pages[0]).status_code == 200
    late = sent(made, devices[1], pages[1], choice="right")
    assert late.status_code == 422
    assert [row["choice"] for row in kept(made)] == ["left"]
    assert field(opened(made, devices[0]), "task") == field(opened(made, devices[1]), "task")


def test_the_pair_of_somebody_else_is_not_shown_judged_or_taken_back(tmp_path: Path) -> None:
    made = scene(tmp_path)
    ada, ben = made.joined("Ada"), made.joined("Ben")
    page = opened(made, ada)
    task = field(page, "task")
    assert ben.get(f"/reviews/{made.review}?task={task}").status_code == 404
    refused = sent(made, ben, task=task)
    assert refused.status_code == 422
    assert "not shown to you" in refused.text
    sent(made, ada, page)
    ben.post(f"/reviews/{made.review}/undo", data={"seal": field(opened(made, ben), "seal")})
    assert [row["undone"] for row in kept(made)] == [None]


def test_undo_brings_the_last_pair_back(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    page = opened(made, client)
    assert re.search(r'id="undo"[^>]* disabled', page)
    sent(made, client, page)
    after = opened(made, client)
    assert not re.search(r'id="undo"[^>]* disabled', after)
    answer = client.post(f"/reviews/{made.review}/undo", data={"seal": field(after, "seal")})
    assert field(answer.text, "task") == field(page, "task")
    assert texts(answer.text) == texts(page)
    assert kept(made)[0]["undone"] is not None
    assert sent(made, client, answer.text, choice="right").status_code == 200
    assert [one.vote.won for one in said(made.store, made.review)] != [""]
    assert len(said(made.store, made.review)) == 1


def test_undo_of_nothing_goes_on(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined()
    page = opened(made, client)
    answer = client.post(f"/reviews/{made.review}/undo", data={"seal": field(page, "seal")})
    assert field(answer.text, "task") == field(page, "task")


def test_a_comment_reaches_the_author_of_the_guidelines(tmp_path: Path) -> None:
    made = scene(tmp_path)
    client = made.joined("Ada")
    seal = field(opened(made, client), "seal")
    path = f"/reviews/{made.review}/comments"
    answer = client.post(path, data={"seal": seal, "rule": "steeping-time", "text": f"Cold?\r\n{HOSTILE}"})
    assert "Thank you. The author of the guidelines will read it." in answer.text
    shown = made.joined("Grace", "author").get(f"/reviews/{made.review}/author").text
    assert "Ada, on steeping-time" in shown
    assert f"Cold?\n{HOSTILE}" in texts(shown)
    for wrong in (
        {"rule": "", "text": " "},
        {"rule": "none", "text": "x"},
        {"rule": "", "text": "x" * 20_001},
    ):
        assert client.post(path, data={"seal": seal, **wrong}).status_code == 422


def test_the_end_says_so_and_can_be_taken_back(tmp_path: Path) -> None:
    made = scene(tmp_path, count=1)
    client = made.joined()
    page = opened(made, client)
    done = sent(made, client, page)
    assert "Done. Thank you" in done.text
    assert "You judged 1 pair of Teas of spring" in done.text
    back = client.post(f"/reviews/{made.review}/undo", data={"seal": field(done.text, "seal")})
    assert field(back.text, "task") == field(page, "task")


def test_training_says_what_was_right_and_cannot_be_taken_back(tmp_path: Path) -> None:
    made = scene(tmp_path, training=True)
    client = made.joined()
    page = opened(made, client)
    assert "Practice: 1 of" in page
    rule = next(rule for rule in GUIDELINES["rules"] if rule["text"] == texts(page)[0])
    right = "left" if texts(page)[1] in rule["good"] else "right"
    wrong = {"left": "right", "right": "left"}[right]
    told = sent(made, client, page, choice=wrong).text
    assert f"Not so. The {right} answer keeps the rule." in told
    assert rule["text"] in told
    next_page = opened(made, client)
    client.post(f"/reviews/{made.review}/undo", data={"seal": field(next_page, "seal")})
    assert [row["undone"] for row in kept(made)] == [None]


def test_who_does_not_pass_the_training_judges_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path, training=True)
    client = made.joined()
    for _ in range(20):
        page = opened(made, client)
        if "The practice part was not passed" in page:
            break
        sent(made, client, page, choice="skip")
    assert "The practice part was not passed" in page
    assert "not passed" in client.get("/").text
    assert said(made.store, made.review) == []


def test_a_verdict_takes_no_correction(tmp_path: Path) -> None:
    made = scene(tmp_path, purpose="verdict")
    client = made.joined()
    page = opened(made, client)
    assert "correction" not in page
    assert sent(made, client, page, correction="Better.").status_code == 422
    assert sent(made, client, page).status_code == 200
    learning = scene(tmp_path / "other")
    assert 'name="correction"' in opened(learning, learning.joined())


@pytest.mark.parametrize("purpose", ["learning", "verdict"])
def test_nothing_is_judged_in_a_closed_review(purpose: sampling.Purpose, tmp_path: Path) -> None:
    made = scene(tmp_path, purpose=purpose)
    client = made.joined()
    sent(made, client)
    page = opened(made, client)
    sampling.close(made.store, made.review)
    answer = sent(made, client, page)
    assert answer.status_code == 422
    assert "closed" in answer.text
    undo = client.post(f"/reviews/{made.review}/undo", data={"seal": field(page, "seal")})
    assert undo.status_code == 422
    assert len(kept(made)) == 1
    # Nor is a pair of it shown any more, of which no text may be left.
    assert client.get(f"/reviews/{made.review}?task={field(page, 'task')}").status_code == 404
    assert "from Uji" not in opened(made, client)


def test_a_viewer_judges_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path)
    viewer = made.joined("Vera", "viewer")
    seal = field(viewer.get("/").text, "seal")
    path = f"/reviews/{made.review}"
    assert viewer.get(path).status_code == 403
    for form in ("judgements", "undo", "comments"):
        assert viewer.post(f"{path}/{form}", data={"seal": seal, "text": "x"}).status_code == 403
    assert kept(made) == []


def test_a_pair_is_shown_in_its_own_review_alone(tmp_path: Path) -> None:
    made = scene(tmp_path)
    plan = sampling.Plan(again=0, attention=0)
    other = sampling.begin(
        made.store,
        sampling.Review("run-2", "Other", "verdict", STACKS, GUIDELINES, plan),
        sampling.training(GUIDELINES),
    )
    client = made.joined()
    page = opened(made, client)
    task = field(page, "task")
    assert client.get(f"/reviews/{made.review}?task={task}").status_code == 200
    assert client.get(f"/reviews/{other.id}?task={task}").status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "1.5", "2147483648", "9" * 400, "١"])
def test_a_review_that_is_none_is_not_found(number: str, tmp_path: Path) -> None:
    client = scene(tmp_path).joined()
    assert client.get(f"/reviews/{number}").status_code == 404
    assert client.get(f"/reviews/{number}/author").status_code in (403, 404)
