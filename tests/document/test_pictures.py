"""Pictures: what is kept of them draws the same again."""

from __future__ import annotations

import json

import pytest

from trimtab.document.charts import Mark, Point, Threshold
from trimtab.document.coloured import Part
from trimtab.document.flows import Box
from trimtab.document.pictures import Bars, Cloud, Flow, Passage, Picture, Plane, Response, picture
from trimtab.document.planes import Axis, Place
from trimtab.errors import RunError
from trimtab.records import NAN, Estimate, plain

KNOWN = Estimate(1.0, 0.5, 1.5, 0.95, 9, "t")
LOST = Estimate(NAN, NAN, NAN, 0.95, 0, "t", "too few")
EVERY: tuple[Picture, ...] = (
    Response(
        "r",
        "a <title>",
        "block",
        (Point(0, KNOWN, "good"), Point(1, LOST, "open"), Point(2, KNOWN)),
        Threshold(0.5, "chance"),
    ),
    Cloud("c", "map", ((0.0, 1.0), (2.0, 0.5)), ("a", "b"), (False, True)),
    Plane("p", "trade", Axis("gain", 1.0), Axis("guard", -1.0), (Place("one", 1.0, 0.0, chosen=True),)),
    Bars("b", "gain", (Mark("+1", KNOWN, "good", "gain"), Mark("?", LOST)), Threshold(0.2, "least")),
    Flow("f", "way", (Box("a", "A", "<1>", 0), Box("b", "B", "2", 1, 30.0, 40.0, "bad")), (("a", "b"),)),
    Passage("w", "why", "lead", (Part(0, "Hello ", "system", 0.5), Part(1, "there", "question", -1.0))),
)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.kind)
def test_what_is_kept_draws_the_same(one: Picture) -> None:
    again = picture(json.loads(json.dumps(plain(one), allow_nan=False)))
    assert type(again) is type(one)
    assert again.drawn() == one.drawn() != ""


@pytest.mark.parametrize(
    "content", [{"kind": "nothing"}, {"kind": "cloud", "points": [[1]]}, {}, {"kind": "plane"}]
)
def test_what_is_no_picture_is_said_so(content: dict[str, object]) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        picture(content)
