"""Maps as drawings."""

from __future__ import annotations

from trimtab.document import clouds


def test_many_labels_share_the_last_kind() -> None:
    found = clouds.kinds([*"aab", *"cdefghij"])
    assert found[0] == "a"
    assert found[-1] == clouds.OTHERS
    assert len(found) == clouds.KINDS


def test_every_point_is_drawn_where_it_lies_and_after_is_full() -> None:
    drawn = str(
        clouds.cloud([(0, 0), (10, 5), (0, 5)], ["<x>", "<x>", ""], [False, True, True], name="c", title="t")
    )
    assert drawn.count("<use") == 3 + 2
    assert '<g class="kind-0 before"><use href="#c-0" x="3.0%" y="306.0"/></g>' in drawn
    assert '<g class="kind-0"><use href="#c-0" x="97.0%" y="14.0"/></g>' in drawn
    assert "&lt;x&gt;" in drawn
    assert ">none</text>" in drawn
    assert clouds.cloud([], [], [], name="c", title="t") == ""


def test_of_very_many_points_some_are_drawn() -> None:
    points = [(float(n), 0.0) for n in range(2000)]
    drawn = str(clouds.cloud(points, ["a"] * 2000, [True] * 2000, name="c", title="t"))
    assert drawn.count("<use") == clouds.MOST + 1
    assert "600 of 2000 points" in drawn
