"""Hits come back from arrays as they went in."""

from __future__ import annotations

from trimtab.audit.findings import Hit, Span
from trimtab.audit.packed import Collected, pack

HITS = [
    Hit("secret", 4, Span(4, "prompt", 1, 9, "key"), "a"),
    Hit("secret", 2, Span(2, "completion", 0, 3, "token")),
    Hit("secret", 2, note="b"),
    Hit("stale", 7),
    Hit("stale", 7),
]


def test_hits_survive_and_words_of_two_parts_are_told_apart() -> None:
    collected = Collected()
    collected.add(pack(HITS))
    more = [Hit("secret", 9, Span(9, "other", 2, 3, "prompt"), "completion")]
    collected.add(pack(more))
    assert list(collected.hits(["secret", "stale"])) == [*HITS[:3], *more, *HITS[3:]]


def test_a_finding_names_each_row_once_in_order() -> None:
    collected = Collected()
    collected.add(pack(HITS))
    found = collected.finding("secret")
    assert (found.rows, found.severity, found.count) == ((2, 4), "error", 2)
    assert found.spans == (HITS[1].span, HITS[0].span)
    assert found.notes == {2: "b", 4: "a"}
    assert collected.finding("stale").rows == (7,)


def test_replaced_hits_are_gone() -> None:
    collected = Collected()
    collected.add(pack(HITS))
    collected.replace(["secret"], HITS[:1])
    assert list(collected.hits(["secret"])) == HITS[:1]
    collected.replace(["secret"], [])
    assert collected.kinds == ("stale",)
