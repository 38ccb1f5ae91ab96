"""Boxes in rows with lines between them: where they stand, and what fits into them."""

from __future__ import annotations

import re

from trimtab.document.flows import BOX, ROW, Box, flow


def lines(drawn: str) -> list[tuple[float, float, float, float]]:
    found = re.findall(r'<line class="reach" x1="([\d.]+)%" y1="(\d+)" x2="([\d.]+)%" y2="(\d+)"', drawn)
    return [(float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2 in found]


def test_lines_run_straight_down_where_one_box_reaches_over_the_other() -> None:
    boxes = (
        Box("top", "Top", "", 0, 50.0, 96.0),
        Box("left", "Left", "", 1, 17.0, 30.0),
        Box("far", "Far", "", 2, 83.0, 20.0),
    )
    drawn = str(flow(boxes, [("top", "left"), ("top", "far"), ("left", "far")], name="f", title="t"))
    first, second, third = lines(drawn)
    assert first == (17.0, 2 + BOX, 17.0, ROW + 2)
    assert second == (83.0, 2 + BOX, 83.0, 2 * ROW + 2)
    assert third == (17.0, ROW + 2 + BOX, 83.0, 2 * ROW + 2)
    assert drawn.count('class="head"') == 3


def test_what_is_too_long_for_a_box_is_cut_and_read_aloud_in_full() -> None:
    long = "a name that is far too long for so narrow a box"
    drawn = str(flow((Box("a", long, "<b>", 0, 50.0, 30.0),), [], name="f", title="t & u"))
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert shown == [f"{long[:12]}…", "&lt;b&gt;"]
    assert f"{long}: &lt;b&gt;" in drawn
    assert "t &amp; u" in drawn


def test_nothing_is_drawn_of_nothing() -> None:
    assert flow((), [], name="f", title="t") == ""
