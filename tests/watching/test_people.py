"""Samples of live answers that people judge: who is drawn, when, beside what, and what it comes to."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select

from tests.test_reviewing import entered, judged
from trimtab import concluding, reviewing
from trimtab.adjust.stack import BASE
from trimtab.errors import ReviewError
from trimtab.live import answers
from trimtab.live.answers import Kept as Answer
from trimtab.live.answers import iso
from trimtab.review import assigning, sampling
from trimtab.review.store import Store
from trimtab.review.tables import answers as texts
from trimtab.review.tables import items
from trimtab.reviewing import Wanted as Review
from trimtab.run import RunFolder
from trimtab.stats.levels import series_alpha
from trimtab.watching import Cadence, Follower, Kept, Telling, Wanted, look

DAY = 86_400.0


def served(store: Store, stack: str, count: int, first: int = 0, days: float = 1.0) -> None:
    """Answers "ok" of a stack to different questions, so many days ago."""
    at = time.time() - days * DAY
    rows = [
        Answer(f"r{n}-0", iso(at + n), "", "m", stack, f"live question {n}", "ok", None, ())
        for n in range(first, first + count)
    ]
    answers.keep(store, rows)


def sides(folder: RunFolder, store: Store, choose: Any) -> int:
    """Have somebody judge all pairs of the open sample."""
    review = reviewing.begin(folder.path, store, Review(purpose="live"))
    return judged(store, review.id, entered(store, f"Ann {review.id}"), choose)


def test_levels_of_all_samples_spend_the_rate() -> None:
    assert sum(series_alpha(0.05, number) for number in range(1, 2000)) == pytest.approx(0.05, rel=1e-3)
    assert series_alpha(0.05, 1) == pytest.approx(0.025)


def test_a_sample_goes_to_people_each_week_and_its_verdict_is_part_of_the_watch(
    run: RunFolder,
) -> None:
    stack = run.verdict().stack
    store = Store.open(reviewing.address(run.path))
    said: list[Any] = []
    # Eighteen items of select are too few to be held against; the first answers are what later ones are.
    follower = Follower(run.path, Kept(store))
    cadence = Cadence(24, 7 * DAY)

    def looked(now: float | None = None, **wanted: Any) -> Any:
        asked = Wanted(baseline="traffic:20", **wanted)
        return look(follower, store, asked, Telling(said.append), cadence=cadence, now=now)

    with pytest.raises(ReviewError, match="no sample of live answers"):
        reviewing.begin(run.path, store, Review(purpose="live"))
    assert looked().begun is None
    served(store, stack, 60)
    served(store, stack, 5, first=100, days=30)
    first = looked()
    assert first.begun is not None
    assert looked().begun is None
    with store.reading() as connection:
        rows = list(
            connection.execute(
                select(items.c.example, items.c.messages, texts.c.stack, texts.c.text).join(texts)
            )
        )
    drawn = {row.example for row in rows}
    assert len(drawn) == 24
    assert drawn < {f"r{n}-0" for n in range(60)}
    assert {row.text for row in rows if row.stack == stack} == {"ok"}
    assert all(row.messages == [["user", f"live question {row.example[1:-2]}"]] for row in rows)
    assert any(row.text != "ok" for row in rows if row.stack == BASE)
    # It is no review of the run's own: nothing of it enters verdict or rows.
    with pytest.raises(ReviewError, match="no review was begun"):
        concluding.standing(run.path, store)
    assert sides(run, store, _against_ok) >= 24
    found = looked()
    assert found.outcome == "alarm"
    (alarm,) = found.alarms
    assert (alarm["alarm"], alarm["review"], alarm["judgements"]) == ("people", first.begun.id, 24)
    assert said == [alarm]
    assert looked().told == ()
    assert "live question" not in str(said)
    # A week on: what came since is drawn from, the sample of before is closed, and its texts are gone.
    served(store, stack, 30, first=200, days=-3)
    later = looked(now=time.time() + 8 * DAY)
    assert later.begun is not None
    with store.reading() as connection:
        new = set(connection.scalars(select(items.c.example).where(items.c.review == later.begun.id)))
        old = select(texts.c.text).join(items).where(items.c.review == first.begun.id)
        assert set(connection.scalars(old)) == {""}
    assert len(new) == 24
    assert new < {f"r{n}-0" for n in range(200, 230)}
    assert later.outcome == "alarm"
    assert looked(again=True).alarms == ()
    assert sampling.found(store)[-1].plan.level == pytest.approx(1 - 2 * 0.05 / 6)
    store.close()


def _against_ok(shown: assigning.Shown) -> str:
    return "right" if shown.left == "ok" else "left"


def test_who_is_forgotten_leaves_a_sample_that_people_judge(run: RunFolder) -> None:
    stack = run.verdict().stack
    store = Store.open(reviewing.address(run.path))
    served(store, stack, 10)
    look(
        Follower(run.path, Kept(store)),
        store,
        Wanted(baseline="traffic:20"),
        Telling(print),
        cadence=Cadence(10),
    )
    assert answers.forget(store, owner="") == 10
    with store.reading() as connection:
        assert set(connection.scalars(select(texts.c.text))) == {""}
        assert [list(one) for one in connection.scalars(select(items.c.messages))] == [[]] * 10
    store.close()
    place = run.path.parent / "people.db"
    assert b"live question" not in b"".join(path.read_bytes() for path in place.parent.glob("people.db*"))


def test_a_closed_sample_is_figures_alone(run: RunFolder) -> None:
    stack = run.verdict().stack
    store = Store.open(reviewing.address(run.path))
    served(store, stack, 10)
    follower = Follower(run.path, Kept(store))
    asked = Wanted(baseline="traffic:20")
    look(follower, store, asked, Telling(print), cadence=Cadence(10))
    assert sides(run, store, lambda shown: "left") >= 10
    concluding.conclude(run.path, store, "live")
    assert run.read("review.json")["live"]["judgements"] == 10
    assert not (run.path / "review").exists()
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "live answers" in page
    assert "live question" not in page
    store.close()
