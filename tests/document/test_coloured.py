"""Texts whose parts speak for or against something."""

from __future__ import annotations

import re

from trimtab.document.coloured import Part, passage


def test_it_is_escaped_and_can_be_read_without_colour() -> None:
    texts, values = ("<b>&", ' "no" ', "so so", "nil"), (2.0, -1.1, 0.5, 0.0)
    parts = [Part(0, text, "question", value) for text, value in zip(texts, values, strict=True)]
    html = str(passage("<why>", parts))
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html
    found = re.findall(r'<u class="(\w+) (s\d)" title="([^"]*)">([^<]*)</u><sup>(.)</sup>', html)
    assert [(way, strong, sign) for way, strong, _, _, sign in found] == [
        ("for", "s4", "+"),
        ("against", "s3", "−"),
        ("for", "s2", "+"),
    ]
    assert found[1][2] == "question: −1.1"
    assert "nil</span>" in html
    assert "&lt;why&gt;" in html


def test_each_turn_is_a_paragraph_and_nothing_is_marked_where_nothing_counts() -> None:
    html = str(passage("", [Part(0, "a", "system", 0.0), Part(2, "b", "question", 0.0)]))
    assert html.count("<p") == 3
    assert "Turn 3" in html
    assert "<u" not in html
