"""Text and tables for Markdown: signs stand for themselves, figures stand flush right."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from trimtab.document.markdown import escaped, safe, section
from trimtab.document.sections import Section, Table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("two\nlines", "two lines"),
        ("snake_case and _stress_", r"snake_case and \_stress\_"),
    ],
)
def test_signs_stand_for_themselves(text: str, shown: str) -> None:
    assert safe(text) == escaped(text) == shown


def test_only_what_is_not_masked_yet_is_masked() -> None:
    assert safe("mail a@b.org") == r"mail \[e-mail address\]"
    assert escaped("run 20261130-231058-5f0c1d9e") == "run 20261130-231058-5f0c1d9e"


def test_columns_of_figures_end_flush_right_and_elements_are_left_out() -> None:
    cells = (
        (Markup("a<small>t, 0.95</small>"), Markup('<data value="1.5">+1.5</data>'), "–"),
        ("b", "−2 (x)", "held"),
    )
    made = section(Section("s", "A *title*", ("said",), (Table("t", ("what", "n", "out"), cells),)))
    heading, said, table = made
    assert (heading, said) == (r"## A \*title\*", "said")
    assert table.split("\n")[3] == "| --- | ---: | --- |"
    assert table.split("\n")[4] == r"| a t, 0.95 | \+1.5 | – |"
