"""What a review shows, and how it gets into the store and leaves it."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.review.stored import BASE, PLAIN, RULES, TUNED, begun, rater, rows, say, shown, some_items
from trimtab.errors import ReviewError
from trimtab.records import Example, Message
from trimtab.review import sampling
from trimtab.review.assigning import by_id, next_task
from trimtab.review.reading import said, votes
from trimtab.review.sampling import (
    KEEPS,
    OWN,
    STRAY,
    Item,
    Plan,
    Review,
    attention,
    begin,
    close,
    drawn,
    found,
)
from trimtab.review.store import Store
from trimtab.review.tables import answers, items

EXAMPLES = [Example((Message("user", f"{n}?"),), (f"{n}!",), f"e{n}") for n in range(40)]
DOUBTS = {f"e{n}": n / 40 for n in range(40)}
ABOUT = Review("run-1", "Plain words", "learning", (BASE, TUNED), PLAIN, Plan())


def test_items_are_drawn_at_random_and_by_doubt_and_mixed() -> None:
    got = drawn(EXAMPLES, DOUBTS, count=20, share=0.5, seed=1)
    random = [example.id for example, share in got if share == "estimate"]
    chosen = [example.id for example, share in got if share == "chosen"]
    assert len(random) == len(chosen) == 10
    assert not set(random) & set(chosen)
    rest = sorted((DOUBTS[one] for one in DOUBTS if one not in random), reverse=True)
    assert sorted((DOUBTS[one] for one in chosen), reverse=True) == rest[:10]
    shares = [share for _, share in got]
    assert shares not in (sorted(shares), sorted(shares, reverse=True))
    assert got == drawn(EXAMPLES, DOUBTS, count=20, share=0.5, seed=1)
    assert got != drawn(EXAMPLES, DOUBTS, count=20, share=0.5, seed=2)


def test_what_is_drawn_at_random_does_not_depend_on_doubt() -> None:
    """Over many seeds each example is drawn for the estimate equally often, however doubtful."""
    count = Counter(
        example.id
        for seed in range(400)
        for example, share in drawn(EXAMPLES, DOUBTS, count=20, share=0.5, seed=seed)
        if share == "estimate"
    )
    # 100 expected of each, with a standard deviation of 8.7.
    assert min(count.values()) > 60
    assert max(count.values()) < 140
    assert sum(count[f"e{n}"] for n in range(20)) == pytest.approx(2000, abs=150)


@pytest.mark.parametrize(("count", "share", "expected"), [(0, 0.5, 40), (100, 0.25, 40), (7, 0.0, 7)])
def test_no_more_are_drawn_than_there_are(count: int, share: float, expected: int) -> None:
    got = drawn(EXAMPLES, DOUBTS, count=count, share=share, seed=0)
    assert len({example.id for example, _ in got}) == len(got) == expected
    assert all(s == "estimate" for _, s in drawn(EXAMPLES, {}, count=count, share=0.5, seed=0))


def test_attention_shows_the_own_reference_beside_a_stray_one() -> None:
    blank = Example((Message("user", "?"),), (" ",), "blank")
    got = attention([*EXAMPLES, blank], count=15, seed=3)
    assert len(got) == 15
    own = {example.id: example.references[0] for example in EXAMPLES}
    for item in got:
        assert item.answers[OWN] == own[item.example]
        assert item.answers[STRAY] != own[item.example]
        assert item.answers[STRAY] in own.values()
        assert (item.share, item.good) == ("attention", OWN)
    same = [dataclasses.replace(example, references=("Yes.",)) for example in EXAMPLES]
    assert attention(same, count=15, seed=3) == []


def test_training_shows_each_pair_of_a_rules_examples() -> None:
    got = sampling.training(RULES)
    assert [(one.example, one.rule, one.answers[KEEPS]) for one in got] == [
        ("short-0", "short", "Yes."),
        ("short-1", "short", "No."),
    ]
    assert all(one.good == KEEPS and one.share == "training" for one in got)
    assert sampling.training({}) == sampling.training(PLAIN) == []


def test_a_review_comes_back_as_it_was_begun(store: Store) -> None:
    plan = Plan("Which is plainer?", 3, 0.2, 0.1, 0.9, 7)
    about = Review("run-9", "Plain", "verdict", (BASE, TUNED), RULES, plan)
    kept = begin(store, about, some_items(3))
    begin(store, dataclasses.replace(about, run="run-10"), some_items(1))
    assert found(store, "run-9") == [kept]
    assert [one.run for one in found(store)] == ["run-9", "run-10"]
    assert dataclasses.replace(kept, id=0, made=0.0) == dataclasses.replace(about, made=0.0)
    assert [row["position"] for row in rows(store, items) if row["review"] == kept.id] == [0, 1, 2]


def test_texts_of_a_model_may_hold_anything(store: Store) -> None:
    odd = Item(
        "odd\x00", (Message("user", "\x00 \ud800 🦀"),), {BASE: "a\x00b", TUNED: "\udfff" + "x" * 300_000}
    )
    review = begun(store, [odd])
    pair = shown(store, review, rater(store, "Ada"))
    assert {pair.left, pair.right} == {"a\ufffdb", "\ufffd" + "x" * 300_000}
    assert "🦀" in pair.messages[0].content


def test_all_that_is_wrong_with_items_is_said_at_once(store: Store) -> None:
    one = (Message("user", "?"),)
    pair = {BASE: "a", TUNED: "b"}
    wrong = [
        Item("alone", one, {BASE: "a"}),
        Item("twice", one, pair),
        Item("twice", one, pair),
        Item("known", one, pair, "attention", OWN),
        Item("long" * 100, one, {"s" * 65: "a", TUNED: "b"}),
    ]
    with pytest.raises(ReviewError) as caught:
        begin(store, dataclasses.replace(ABOUT, title="t" * 256), wrong)
    for part in (
        "'alone': a pair needs two answers, 1 given",
        "'twice': 2 times as estimate",
        "'known': the right answer is 'own'",
        "400 characters, at most 255",
        "65 characters, at most 64",
        "256 characters, at most 255",
    ):
        assert part in str(caught.value)
    assert found(store) == []


@pytest.mark.parametrize("purpose", ["verdict", "learning"])
def test_closing_empties_the_texts_of_a_verdict_alone(purpose: sampling.Purpose, store: Store) -> None:
    review, other = begun(store, purpose=purpose), begun(store, purpose="verdict")
    person = rater(store, "Ada")
    task = shown(store, review, person)
    say(store, person, task.task)
    before = votes(store, review)
    close(store, review)
    gone = purpose == "verdict"
    with store.reading() as connection:
        of = select(answers.c.text).join(items).where(items.c.review == review)
        assert all(text == "" for text in connection.scalars(of)) == gone
        rest = select(answers.c.text).join(items).where(items.c.review == other)
        assert all(connection.scalars(rest))
        messages = connection.scalars(select(items.c.messages).where(items.c.review == review))
        assert all(one == [] for one in messages) == gone
    assert votes(store, review) == before
    assert next_task(store, review, person) is None
    assert (said(store, review)[0].messages == ()) == gone
    assert by_id(store, review, task.task, person) is None


def test_closing_again_keeps_the_time(store: Store) -> None:
    review = begun(store)
    close(store, review)
    first = found(store)[0].closed
    close(store, review)
    assert first is not None
    assert found(store)[0].closed == first
    with pytest.raises(ReviewError, match="no review has the number 99"):
        close(store, 99)


def test_texts_of_a_closed_verdict_leave_the_file(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/people.db")
    texts = {BASE: "sealed-quux " * 400, TUNED: "sealed-quux two"}
    review = begun(store, [Item("one", (Message("user", "sealed-quux?"),), texts)], purpose="verdict")
    held = [path for path in tmp_path.iterdir() if b"sealed-quux" in path.read_bytes()]
    assert held
    close(store, review)
    assert [path for path in tmp_path.iterdir() if b"sealed-quux" in path.read_bytes()] == []
    store.close()


def test_attention_and_estimate_may_share_an_example(store: Store) -> None:
    real = [Item(e.id, e.messages, {BASE: "a", TUNED: "b"}) for e in EXAMPLES[:5]]
    begin(store, ABOUT, [*real, *attention(EXAMPLES[:5], count=5, seed=0)])
    by_share = itertools.groupby(rows(store, items), key=lambda row: row["share"])
    assert {share: len(list(some)) for share, some in by_share} == {"estimate": 5, "attention": 5}
