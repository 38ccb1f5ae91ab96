"""A study as JSON values, and as a section with tables and pictures."""

from __future__ import annotations

import math
from typing import Any

from trimtab.document.charts import Point, Threshold, Tone
from trimtab.document.figures import interval, percent, significant
from trimtab.document.pictures import Response as Picture
from trimtab.document.sections import Section, Table
from trimtab.probe.sensitivity.curves import Response
from trimtab.probe.sensitivity.studying import OfMetric, Study
from trimtab.probe.sensitivity.surface import Effect
from trimtab.records import Estimate, plain

_TONES: dict[str, Tone] = {"held": "good", "breached": "bad"}
_SAID = {
    "held": "not worse",
    "breached": "worse",
    "inconclusive": "open",
    "undefined": "undefined",
    "": "default",
}
_WORDS = {
    "change": "from low to high",
    "bend": "ends against the middle",
    "interaction": "change by the first, more at the high end of the second",
}


def to_json(study: Study) -> dict[str, Any]:
    """All figures as JSON values."""
    return {
        "prompts": study.prompts,
        "tokens": study.tokens,
        "default": plain(study.plan.default),
        "ranges": plain(study.design.ranges),
        "settings": plain(study.design.settings),
        "metrics": {one.metric.name: _figures(one) for one in study.metrics},
    }


def _figures(one: OfMetric) -> dict[str, Any]:
    return {
        "unit": one.metric.unit,
        "direction": one.metric.direction,
        "means": plain(one.means),
        "shares": plain(dict(one.surface.shares)),
        "fit": plain(one.surface.fit),
        "prompts": one.surface.prompts,
        "effects": plain(one.surface.effects),
        "responses": plain(one.responses),
    }


def section(study: Study) -> Section:
    """What matters, and the safe band of each setting, for people."""
    tables = [table for one in study.metrics for table in (_matters(one), _bands(one), _points(one))]
    said = (
        f"{study.prompts} prompts, each answered under {len(study.design.settings)} settings. Differences are "
        "oriented: plus is better. A finding holds after Holm's correction for all effects of all metrics at 5%.",
        "The safe band reaches over neighbouring values from the default at which a loss of the margin is ruled out; "
        "over the wider one no such loss is shown, which is weaker. Between tried values nothing was measured.",
        "Effects are those of a response surface of second order over the ranges; where it fits badly, trust the "
        "curves of one setting more. Shares rank the settings, have no interval, and count a joint effect for each.",
    )
    return Section(
        "sensitivity", "What the output is sensitive to", said, tuple(tables), to_json(study), pictures(study)
    )


def _matters(one: OfMetric) -> Table:
    shares = dict(one.surface.shares)
    order = list(shares)
    effects = sorted(
        one.surface.effects,
        key=lambda e: (order.index(e.parameters[0]), len(e.parameters), e.kind != "change"),
    )
    rows = [
        (
            " and ".join(effect.parameters),
            _WORDS[effect.kind],
            interval(effect.estimate),
            significant(effect.adjusted),
            "yes" if effect.found else "not shown",
            _share(effect, shares),
        )
        for effect in effects
        if effect.kind == "change" or effect.found
    ]
    title = f"{one.metric.name}: what matters ({one.metric.unit}; fit {percent(one.surface.fit, 0)})"
    header = ("setting", "effect", "size", "p", "matters", "share")
    return Table(title, header, tuple(rows))


def _share(effect: Effect, shares: dict[str, float]) -> str:
    return percent(shares[effect.parameters[0]], 0) if effect.kind == "change" else ""


def _bands(one: OfMetric) -> Table:
    rows = [
        (r.parameter, _value(r, r.centre), _band(r, r.held), _band(r, r.unharmed), significant(r.temperature))
        for r in one.responses
    ]
    margin = significant(one.responses[0].margin) if one.responses else ""
    header = ("setting", "default", "safe", "no loss shown", "at temperature")
    return Table(f"{one.metric.name}: the safe band (margin {margin} {one.metric.unit})", header, tuple(rows))


def _points(one: OfMetric) -> Table:
    rows = []
    for r in one.responses:
        for point in r.points:
            found = point.comparison
            told = interval(found.difference) if found else "0"
            rows.append((r.parameter, _value(r, point.value), told, _SAID[found.outcome if found else ""]))
    return Table(
        f"{one.metric.name}: one setting at a time", ("setting", "value", "change", "outcome"), tuple(rows)
    )


def _value(r: Response, value: float) -> str:
    return "off" if r.parameter == "top_k" and value == 0 else significant(value)


def _band(r: Response, ends: tuple[float, float]) -> str:
    low, high = (_value(r, end) for end in ends)
    return low if low == high else f"{low} to {high}"


def pictures(study: Study) -> tuple[Picture, ...]:
    """A curve with its band for each metric and setting; along x top_k is log10, and off stands beyond its largest."""
    return tuple(
        _drawn(one, r, study.design.ranges[place].high)
        for one in study.metrics
        for place, r in enumerate(one.responses)
    )


def _drawn(one: OfMetric, r: Response, high: float) -> Picture:
    points = []
    for point in r.points:
        found = point.comparison
        n = one.surface.prompts
        estimate = found.difference if found else Estimate(0.0, 0.0, 0.0, 1.0, n, "the default itself")
        tone: Tone = _TONES.get(found.outcome, "open") if found else "plain"
        points.append(Point(_across(r, point.value, high), estimate, tone))
    axis = "log10 of top_k" if r.parameter == "top_k" else r.parameter
    return Picture(
        f"sensitivity-{one.metric.name}-{r.parameter}",
        f"{one.metric.name} by {axis}: change from the default, plus is better",
        axis,
        tuple(points),
        Threshold(-r.margin, "largest loss allowed"),
    )


def _across(r: Response, value: float, high: float) -> float:
    if r.parameter != "top_k":
        return value
    return round(math.log10(value), 3) if value else round(math.log10(high), 3)
