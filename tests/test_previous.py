"""What a round takes over: where rows stand, and whose words are learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from trimtab.data.split import content_key
from trimtab.lineage import ORIGINAL
from trimtab.previous import Previous
from trimtab.records import Example, Message, Part

PARTS: Mapping[str, Part] = {"a": "tune", "b": "select", "c": "confirm"}
ROW = Example((Message("user", "How?"),), ("So.",), id="a", source="letters", subject="p", group="g")


def test_sealed_rows_stay_sealed_or_make_way_for_fresh_ones() -> None:
    known = Previous(PARTS, {}, {})
    assert known.settled("kept") == PARTS
    assert known.settled("fresh") == {"a": "tune", "b": "select", "c": "tune"}


def test_a_corrected_row_keeps_whose_it_is_and_says_what_it_was() -> None:
    known = Previous(PARTS, {"a": ("Thus.", "So.")}, {})
    (row,) = known.learned([ROW], "instead")
    assert row.references == ("Thus.", "So.")
    assert (row.id, row.subject, row.group, row.source) == ("a", "p", "g", "correction")
    assert row.fields[ORIGINAL] == content_key(ROW) != content_key(row)
    assert Previous(PARTS, {"a": ("Thus.",)}, {}).learned([ROW], "beside")[0].references == ("Thus.", "So.")
    other = dataclasses.replace(ROW, id="z")
    assert known.learned([other], "instead") == [other]


def test_its_content_is_where_rows_stand_and_what_is_learned() -> None:
    known = Previous(PARTS, {"a": ("Thus.",)}, {"number": 2})
    assert known.content == Previous(dict(PARTS), {"a": ("Thus.",)}, {"number": 3}).content
    assert known.content != Previous({**PARTS, "c": "tune"}, {"a": ("Thus.",)}, {}).content
    assert known.content != Previous(PARTS, {"a": ("Hence.",)}, {}).content
