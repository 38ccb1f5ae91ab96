"""What a review's author sees: who has come how far, what is disputed, which rules are unclear."""

from __future__ import annotations

from pathlib import Path

from tests.review.stored import RULES, begun, rater
from trimtab.review import assigning, judging, people
from trimtab.review.overview import overview
from trimtab.review.store import Store


def test_an_overview_of_two_raters_who_disagree(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/people.db")
    review = begun(store, rules=RULES)
    ann, bob = rater(store, "Ann"), rater(store, "Bob")
    people.invite(store, "Cay", "rater")
    for person, prefers, kept in ((ann, "second", True), (bob, "first", False)):
        number = 0
        while (shown := assigning.next_task(store, review, person)) is not None:
            if shown.kind == "training":
                choice = "left" if shown.left in ("Yes.", "No.") else "right"
                ratings: dict[str, dict[str, bool]] = {}
            else:
                # They agree on the first two items.
                wanted = "second" if shown.messages[0].content in ("Question 0?", "Question 1?") else prefers
                choice = "left" if shown.left.startswith(wanted) else "right"
                ratings = {"short": {"left": kept, "right": kept}}
            answer = judging.Answer(
                shown.task, f"{person:04}{number:06}", choice, ratings, reason=f"by {person}", seconds=4.0
            )
            judging.judge(store, person, answer)
            number += 1
    judging.comment(store, review, ann, "short", "How short?")
    found = overview(store, review)
    assert (found.judged, found.wanted) == (12, 12)
    assert [(one.person.name, one.judged, one.seconds) for one in found.raters[:2]] == [
        ("Ann", 8, 4.0),
        ("Bob", 8, 4.0),
    ]
    assert found.raters[2].judged == 0
    assert sorted(one.example for one in found.disputed) == ["item-2", "item-3", "item-4", "item-5"]
    assert found.disputed[0].votes == (1, 1, 0)
    assert set(found.disputed[0].reasons) == {f"by {ann}", f"by {bob}"}
    (unclear,) = found.unclear
    assert (unclear.rule, unclear.pairs, unclear.apart) == ("short", 12, 12)
    assert [(one.name, one.rule, one.text) for one in found.comments] == [("Ann", "short", "How short?")]
    store.close()


def test_of_the_sealed_part_no_text_is_seen(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/people.db")
    review = begun(store, purpose="verdict")
    for name, prefers in (("Ann", "second"), ("Bob", "first")):
        person = rater(store, name)
        while (shown := assigning.next_task(store, review, person)) is not None:
            choice = "left" if shown.left.startswith(prefers) else "right"
            judging.judge(store, person, judging.Answer(shown.task, f"key-{shown.task[:20]}", choice))
    found = overview(store, review)
    assert found.judged == 12
    assert found.disputed == ()
    store.close()
