"""Nothing that a rater is sent says whose an answer is, how it was measured, or why it is shown."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from tests.serve import made
from tests.serve.made import GUIDELINES, SECRETS, STACKS, Scene
from trimtab.records import Example, Message
from trimtab.review import people, sampling
from trimtab.review.reading import said
from trimtab.review.sampling import Plan, Purpose, Review
from trimtab.review.store import Store
from trimtab.review.tables import items, judgements, tasks
from trimtab.serve.limits import Limits, Rate

PURPOSES = sampling.PURPOSES
# The pages themselves say these, of rules.
SPOKEN = ("keeps", "breaks")
# Names of the run and of items that check.
RUN, ATTENTION = "run-zq7xj", "held-zq8xk"
UNSAID = (
    *(word for word in SECRETS if word not in SPOKEN),
    RUN,
    "zq7xj",
    ATTENTION,
    "zq8xk",
    "chosen",
    "verdict",
)
# What is drawn anew each time: ids of pairs, keys, seals, sessions.
DRAWN = re.compile(r"\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b")
TIMES = re.compile(r"expires=[^;]*")
COOKIE = re.compile(r"(trimtab_\w+)=[A-Za-z0-9_-]{32}")


@dataclass
class Heard:
    """A rater's browser that remembers all that it was sent."""

    scenery: Scene
    client: TestClient
    sent: list[str] = field(default_factory=list)

    def ask(self, path: str, form: dict[str, str] | None = None) -> str:
        answer = self.client.get(path) if form is None else self.client.post(path, data=form)
        assert answer.status_code < 500
        for one in (*answer.history, answer):
            self.sent += [
                str(one.url),
                *(f"{name}: {value}" for name, value in one.headers.multi_items()),
                one.text,
            ]
        return answer.text


def build(folder: Path, purpose: Purpose, *, salt: str = "", count: int = 8) -> Scene:
    """A review with training, checks, and a rater who never has to wait; `salt` is part of every secret name."""
    store = Store.open(f"sqlite:///{folder / 'people.db'}")
    stacks = tuple(f"{stack}{salt}" for stack in STACKS)
    plan = Plan(again=0.3, attention=0.3, margin=None if purpose == "learning" else 0.1)
    real = [
        dataclasses.replace(
            item,
            example=f"zq9{salt}-{number}",
            answers=dict(zip(stacks, item.answers.values(), strict=True)),
            share="chosen" if purpose == "learning" and number % 3 == 0 else "estimate",
        )
        for number, item in enumerate(made.items(count))
    ]
    known = [
        Example(
            (Message("user", f"Name tea {number}."),),
            (f"This is tea {number}.",),
            f"{ATTENTION}{salt}-{number}",
        )
        for number in range(6)
    ]
    checks = sampling.attention(known, count=6, seed=1)
    review = Review(f"{RUN}{salt}", "Teas of spring", purpose, stacks, GUIDELINES, plan)
    number = sampling.begin(store, review, [*sampling.training(GUIDELINES), *real, *checks]).id
    endless = Rate(1e9, 1e9)
    return Scene(store, number, Limits(endless, endless, endless))


def rated(scenery: Scene) -> Heard:
    """A whole review by one rater, from the invitation to the end, with all that can be said on the way."""
    rater = Heard(scenery, scenery.client())
    path = f"/reviews/{scenery.review}"
    door = f"/join/{people.invite(scenery.store, 'Ada', 'rater')}"
    rater.ask(door, {"seal": made.field(rater.ask(door), "seal")})
    undone = False
    while 'name="task"' in (page := rater.ask(path)):
        form = made.fields(page, choice=right(scenery, made.field(page, "task")))
        form |= {"left keeps steeping-time": "yes", "right is": "wrong fact", "seconds": "3"}
        told = rater.ask(f"{path}/judgements", form)
        # Sent again, as by a browser that heard nothing, it is answered alike and kept once.
        assert DRAWN.sub("", rater.ask(f"{path}/judgements", form)) == DRAWN.sub("", told)
        if not undone and "Practice" not in told:
            undone = True
            rater.ask(f"{path}/undo", {"seal": form["seal"]})
            rater.ask(f"{path}/comments", {"seal": form["seal"], "rule": "", "text": "Unclear."})
    for wrong in ("99", "x"):
        rater.ask(f"/reviews/{wrong}")
    rater.ask(f"{path}/author")
    rater.ask(f"{path}?task={'0' * 32}")
    rater.ask(f"{path}/judgements", {"seal": made.field(page, "seal")})
    rater.ask("/")
    return rater


def right(scenery: Scene, task: str) -> str:
    """The side of a training item that keeps its rule; left of any other pair."""
    with scenery.store.reading() as connection:
        wanted = select(tasks.c.left, items.c.good).join(items).where(tasks.c.id == task)
        left, good = connection.execute(wanted).one()
    return "left" if good is None or left == good else "right"


def shown(scenery: Scene) -> list[dict[str, Any]]:
    """All pairs that were shown, with what is known of them."""
    wanted = select(tasks, items.c.share).join(items).order_by(tasks.c.shown)
    with scenery.store.reading() as connection:
        return [dict(row) for row in connection.execute(wanted).mappings()]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_whole_review_says_nothing_of_what_is_compared(purpose: Purpose, tmp_path: Path) -> None:
    scenery = build(tmp_path, purpose)
    rater = rated(scenery)
    # It was a whole one: with practice, checks, repeats, and all items.
    pairs = shown(scenery)
    kinds = {pair["share"] for pair in pairs}
    assert {"training", "attention", "estimate"} <= kinds
    assert any(pair["again"] for pair in pairs)
    assert len({pair["item"] for pair in pairs if pair["share"] in ("estimate", "chosen")}) == 8
    assert len(rater.sent) > 300
    for part in rater.sent:
        for word in UNSAID:
            assert not re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", part.lower()), (word, part[:200])


def test_pages_are_the_same_whatever_the_names_of_what_is_compared(tmp_path: Path) -> None:
    """Not even a length, an order or a hash of a name gets through."""
    one, other = (
        [plain(part) for part in rated(build(tmp_path / salt, "learning", salt=salt)).sent]
        for salt in ("a", "zq5y")
    )
    assert one == other
    assert any("Steep it" in part for part in one)


def test_what_checks_a_rater_looks_like_what_does_not(tmp_path: Path) -> None:
    scenery = build(tmp_path, "learning", count=12)
    rater = rated(scenery)
    pages = {made.field(part, "task"): part for part in rater.sent if 'name="task"' in part}
    pairs = [pair for pair in shown(scenery) if pair["share"] != "training"]
    frames = {bare(pages[pair["id"]]) for pair in pairs}
    # The very first has nothing to take back.
    assert len(frames - {bare(pages[pairs[0]["id"]])}) == 1
    # The total is that of what went before, and not of what the pair is.
    checks = [pair["again"] or pair["share"] == "attention" for pair in pairs]
    assert any(checks)
    told = [re.search(r"(\d+) of (\d+)</strong>", pages[pair["id"]]) for pair in pairs]
    counts = [(int(one[1]), int(one[2])) for one in told if one]
    assert counts == [(place + 1, 12 + sum(checks[:place])) for place in range(len(pairs))]


def test_a_repeat_has_its_sides_the_other_way_round_and_sides_are_even(tmp_path: Path) -> None:
    scenery = build(tmp_path, "learning", count=10)
    for _ in range(2):
        rated(scenery)
    pairs = shown(scenery)
    first = {(pair["person"], pair["item"]): pair for pair in pairs if not pair["again"]}
    again = [pair for pair in pairs if pair["again"]]
    assert again
    for pair in again:
        before = first[pair["person"], pair["item"]]
        assert (pair["left"], pair["right"]) == (before["right"], before["left"])
    # Two raters of an item see it both ways round.
    real = [pair for pair in first.values() if pair["share"] in ("estimate", "chosen")]
    assert len(real) == 20
    assert sum(pair["left"] == STACKS[0] for pair in real) == 10


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_rater_sees_nothing_of_what_others_judged(purpose: Purpose, tmp_path: Path) -> None:
    quiet, loud = (build(tmp_path / name, purpose, count=4) for name in ("quiet", "loud"))
    word = "quuxly"
    for scenery, choice in ((quiet, "left"), (loud, "right")):
        ada = scenery.joined("Ada Other")
        path = f"/reviews/{scenery.review}"
        while 'name="task"' in (page := ada.get(path).text):
            pair = made.field(page, "task")
            side = right(scenery, pair) if "Practice:" in page else choice
            reason = "" if choice == "left" else f"{word} reason"
            ada.post(f"{path}/judgements", data=made.fields(page, choice=side, reason=reason))
        if choice == "right":
            seal = made.field(ada.get("/").text, "seal")
            ada.post(f"{path}/comments", data={"seal": seal, "rule": "", "text": f"{word} comment"})
    heard = [[plain(part) for part in rated(scenery).sent] for scenery in (quiet, loud)]
    assert heard[0] == heard[1]
    assert not any(word in part or "Ada Other" in part for part in heard[1])
    assert word in loud.joined("Grace", "author").get(f"/reviews/{loud.review}/author").text


def test_two_devices_of_one_rater_judge_each_pair_once(tmp_path: Path) -> None:
    scenery = build(tmp_path, "learning")
    token = people.invite(scenery.store, "Ada", "rater")
    devices = [scenery.client(), scenery.client()]
    for device in devices:
        seal = made.field(device.get(f"/join/{token}").text, "seal")
        device.post(f"/join/{token}", data={"seal": seal})
    path, taken = f"/reviews/{scenery.review}", []
    while 'name="task"' in (page := devices[0].get(path).text):
        other = devices[1].get(path).text
        task = made.field(page, "task")
        assert made.field(other, "task") == task
        assert _answers(page) == _answers(other)
        choice = right(scenery, task)
        sent = [
            device.post(f"{path}/judgements", data=made.fields(text, choice=choice)).status_code
            for device, text in zip(devices, (page, other), strict=True)
        ]
        assert sent == [200, 422]
        taken.append(task)
    assert len(set(taken)) == len(taken)
    with scenery.store.reading() as connection:
        assert sorted(connection.scalars(select(judgements.c.task))) == sorted(taken)
    assert len({one.vote.item for one in said(scenery.store, scenery.review) if not one.vote.again}) >= 8


def plain(part: str) -> str:
    """What was sent, without what is drawn anew each time."""
    part = COOKIE.sub(r"\1=", re.sub(r"/join/[A-Za-z0-9_-]+", "/join/", part))
    return TIMES.sub("", DRAWN.sub("", part))


def bare(page: str) -> str:
    """A page without its texts and counts."""
    page = re.sub(r'<p class="(?:text|quiet)"[^>]*>.*?</p>', "", page, flags=re.DOTALL)
    page = re.sub(r'<div class="turn .*?</div>', "", page, flags=re.DOTALL)
    return re.sub(r"\d+ of \d+|value=\"\d+\" max=\"\d+\"", "", DRAWN.sub("", page))


def _answers(page: str) -> list[str]:
    return re.findall(r'<p class="text" dir="auto">(.*?)</p>', page, re.DOTALL)
