"""Drawings: where things stand, and what is read aloud."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from trimtab.document.charts import Curve, Mark, Point, Scale, Threshold, curve, intervals, response
from trimtab.records import NAN, Estimate


def estimate(value: float, low: float, high: float, undefined: str = "") -> Estimate:
    return Estimate(value, low, high, 0.95, 30, "t", undefined)


def position(drawing: str, pattern: str) -> float:
    found = re.search(pattern, drawing)
    assert found is not None, pattern
    return float(found[1])


def drawn(*, value: float, low: float, high: float, threshold: float, tone: str = "good") -> str:
    mark = Mark("label", estimate(value, low, high), tone, "chrF")  # type: ignore[arg-type]
    return str(intervals([mark], Threshold(threshold, "smallest gain"), name="t", title="Gain"))


def test_everything_stands_in_the_order_of_its_value() -> None:
    svg = drawn(value=3.0, low=1.5, high=5.0, threshold=2.0)
    zero = position(svg, r'class="zero" x1="([\d.]+)%')
    threshold = position(svg, r'class="threshold" x1="([\d.]+)%')
    low, high = (float(v) for v in re.search(r'class="reach" x1="([\d.]+)%" x2="([\d.]+)%', svg).groups())  # type: ignore[union-attr]
    dot = position(svg, r'class="dot" cx="([\d.]+)%')
    assert 2 <= zero < low < threshold < dot < high <= 98
    assert abs((threshold - zero) / (dot - zero) - 2 / 3) < 0.001


def test_the_shaded_zone_begins_at_the_threshold() -> None:
    svg = drawn(value=-0.01, low=-0.02, high=0.0, threshold=-0.05)
    assert position(svg, r'class="zone" x="([\d.]+)%') == position(svg, r'class="threshold" x1="([\d.]+)%')


def test_the_outcome_shows_without_colour() -> None:
    assert 'class="cross"' in drawn(value=-1.0, low=-2.0, high=-0.5, threshold=0.0, tone="bad")
    hollow = drawn(value=-1.0, low=-2.0, high=0.5, threshold=0.0, tone="open")
    assert 'class="hollow"' in hollow
    assert 'class="cross"' not in hollow


def test_the_description_reads_the_numbers_aloud() -> None:
    svg = drawn(value=31.2384, low=28.9312, high=33.5729, threshold=2.0)
    assert '<title id="t-drawing-title">Gain</title>' in svg
    assert "chrF: +31.2 (+28.9 to +33.6). smallest gain, marked by a dashed line." in svg
    assert 'role="img" aria-labelledby="t-drawing-title t-drawing-desc"' in svg


def test_an_undefined_estimate_is_not_drawn() -> None:
    nothing = Mark("a", estimate(NAN, NAN, NAN, "too few"))
    assert intervals([nothing], Threshold(0, "no gain"), name="t", title="Gain") == ""
    assert intervals([], Threshold(0, "no gain"), name="t", title="Gain") == ""
    both = intervals([nothing, Mark("b", estimate(1, 0, 2))], Threshold(0, "no gain"), name="t", title="Gain")
    assert both.count('class="reach"') == 1


def test_no_width_at_all_is_still_drawn() -> None:
    assert 'class="dot"' in drawn(value=0.0, low=0.0, high=0.0, threshold=0.0)


def test_labels_are_escaped() -> None:
    mark = Mark("<script>", estimate(1, 0, 2), "plain", "<b>")
    svg = intervals([mark], Threshold(0, "</svg>"), name="t", title="<i>")
    assert not re.search(r"<(script|b|i)>", svg)
    assert svg.count("</svg>") == 1


def test_ticks_are_round_and_within() -> None:
    assert Scale(-0.06, 0.02).ticks() == [-0.06, -0.04, -0.02, 0.0, 0.02]
    assert Scale(-2.0, 36.0).ticks() == [0, 10, 20, 30]


def test_the_curve_falls_where_the_loss_falls() -> None:
    svg = str(curve(Curve(((1, 3.0), (2, 2.0), (3, 1.0)), ((3, 1.5),)), name="c", title="Loss"))
    points = re.search(r'class="faint" points="([^"]+)"', svg)
    assert points is not None
    places = [tuple(float(v) for v in pair.split(",")) for pair in points[1].split()]
    assert [p[0] for p in places] == [2.0, 50.0, 98.0]
    assert places[0][1] < places[1][1] < places[2][1]
    assert position(svg, r'class="select" cx="([\d.]+)%') == 98.0
    assert "from 3 at step 1 to 1 at step 3" in svg
    assert "on select is 1.5" in svg


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    svg = str(curve(Curve(tuple((s, 1.0 + 1 / s) for s in range(1, 20_001)), ()), name="c", title="Loss"))
    points = re.search(r'class="faint" points="([^"]+)"', svg)
    assert points is not None
    pairs = points[1].split()
    assert len(pairs) == 400
    assert pairs[0].startswith("2.00,")
    assert pairs[-1].startswith("98.00,")


def test_the_running_mean_follows_five_steps_or_a_twentieth_of_all() -> None:
    points = Curve(tuple((s, float(s % 2)) for s in range(40)), ())
    assert points.average[0] == (0, 0.0)
    assert {round(value, 9) for _, value in points.average[4:]} == {0.4, 0.6}
    assert Curve(((1, 5.0), (2, 1.0)), ()).average == ((1, 5.0), (2, 1.0))
    assert Curve(tuple((s, float(s)) for s in range(200)), ()).average[-1] == (199, 194.5)


def test_too_few_points_make_no_curve() -> None:
    assert curve(Curve(((1, 2.0),), ()), name="c", title="Loss") == ""
    assert 'class="firm"' in curve(Curve(((1, 2.0), (2, 2.0)), ()), name="c", title="Loss")


def dosed(*values: tuple[float, float, str]) -> str:
    points = [Point(s, estimate(v, v - 1, v + 1), tone) for s, v, tone in values]  # type: ignore[arg-type]
    return str(response(points, Threshold(2.0, "smallest gain"), name="d", title="Gain by strength"))


def test_a_response_stands_in_the_order_of_its_strengths_and_values() -> None:
    svg = dosed((0.0, 0.0, "plain"), (0.5, 2.5, "open"), (1.0, 5.0, "good"), (2.0, 4.0, "bad"))
    bars = re.findall(
        r'<g class="(\w+)"><line class="reach" x1="([\d.]+)%" x2="[\d.]+%" y1="([\d.]+)" y2="([\d.]+)"', svg
    )
    assert [tone for tone, *_ in bars] == ["plain", "open", "good", "bad"]
    assert [float(x) for _, x, *_ in bars] == [9.0, 31.25, 53.5, 98.0]
    middles = [(float(low) + float(high)) / 2 for *_, low, high in bars]
    assert middles[0] > middles[1] > middles[3] > middles[2]
    assert all(float(low) > float(high) for *_, low, high in bars)
    threshold = position(svg, r'class="threshold" x1="0" x2="100%" y1="([\d.]+)"')
    assert middles[1] < threshold < middles[0]
    assert position(svg, r'class="zone" x="0" width="100%" y="8" height="([\d.]+)"') == pytest.approx(
        threshold - 8
    )
    assert 'class="cross"' in svg
    assert 'class="hollow"' in svg
    assert "strength 0.5: +2.5 (+1.5 to +3.5); strength 1:" in svg


def test_strengths_that_lie_close_together_share_their_room() -> None:
    svg = dosed(*((s / 100, 1.0, "plain") for s in range(0, 201, 5)))
    labels = [float(x) for x in re.findall(r'x="([\d.]+)%" y="228"', svg)]
    assert 8 < len(labels) < 14
    assert min(b - a for a, b in pairwise(labels)) >= 7


def test_a_response_of_one_dose_is_not_drawn() -> None:
    assert dosed((0.0, 0.0, "plain")) == ""
    nothing = Point(1.0, estimate(NAN, NAN, NAN, "too few"))
    assert response([nothing, nothing], Threshold(0, "no gain"), name="d", title="x") == ""
