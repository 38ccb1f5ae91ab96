"""A study as JSON values, as a section with tables, and as drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from trimtab.audit.tallies import Section, Table
from trimtab.document.charts import Point, Threshold, Tone, response
from trimtab.document.figures import interval, percent, significant
from trimtab.probe.sensitivity.curves import Response
from trimtab.probe.sensitivity.ranges import Range
from trimtab.probe.sensitivity.studying import OfMetric, Study
from trimtab.probe.sensitivity.surface import Effect
from trimtab.records import Comparison, Estimate, plain

_TONES: dict[str, Tone] = {"held": "good", "breached": "bad"}
_SAID = {
    "held": "not worse",
    "breached": "worse",
    "inconclusive": "open",
    "undefined": "undefined",
}
_WORDS = {
    "bend": "ends against the middle",
    "interaction": "effect of the first: at the high end of the second less at its low end",
}
# A p value below is not told more exactly.
LEAST_P = 0.0001


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
    tables = [
        table
        for one in study.metrics
        for table in (_matters(one, study.design.ranges), _bands(one), _points(one))
    ]
    return Section(
        "sensitivity", "What the output is sensitive to", _said(study), tuple(tables), to_json(study)
    )


def _said(study: Study) -> tuple[str, ...]:
    plan, count = study.plan, len(study.design.settings)
    times = f"once for each of {len(plan.seeds)} seeds, " if len(plan.seeds) > 1 else ""
    return (
        f"{study.prompts} prompts, each answered under {count} settings, {times}in at most "
        f"{plan.default.max_new_tokens} new tokens. Differences are oriented: plus is better. A finding holds after "
        "Holm's correction for all effects of all metrics at 5%; p values are corrected so.",
        "What matters is read from a response surface of second order: each effect is averaged over the ranges of the "
        "other settings. Where it fits badly, trust the curves of one setting more. Shares rank the settings, have no "
        "interval, and count a joint effect for each.",
        "One setting at a time, the others stay at their default. Safe are the default and the values next to it, on "
        "to the first at which a loss of the margin is not ruled out; no loss shown goes on to the first at which such "
        "a loss is shown, and is weaker. Worse means by more than the margin, not worse by at most that. Between tried "
        "values nothing was measured.",
    )


def _matters(one: OfMetric, ranges: Sequence[Range]) -> Table:
    ends: dict[str, str] = {r.parameter: _ends(r) for r in ranges}
    shares = dict(one.surface.shares)
    order = list(shares)
    effects = sorted(
        one.surface.effects,
        key=lambda e: (order.index(e.parameters[0]), len(e.parameters), e.kind != "change"),
    )
    rows = [
        (
            " and ".join(effect.parameters),
            _WORDS.get(effect.kind, ends[effect.parameters[0]]),
            interval(effect.estimate),
            _p(effect.adjusted),
            "yes" if effect.found else "not shown",
            _share(effect, shares),
        )
        for effect in effects
        if effect.kind == "change" or effect.found
    ]
    title = f"{one.metric.name}: what matters ({one.metric.unit}; fit {percent(one.surface.fit, 0)})"
    header = ("setting", "effect", "size", "p", "matters", "share")
    return Table(title, header, tuple(rows))


def _ends(r: Range) -> str:
    """The range as its own positions give it: top_k ends with off."""
    low, high = (_value(r.parameter, r.value(end)) for end in (-1.0, 1.0))
    return f"from {low} to {high}"


def _p(value: float) -> str:
    return f"< {LEAST_P}" if value < LEAST_P else significant(value, 2)


def _share(effect: Effect, shares: dict[str, float]) -> str:
    return percent(shares[effect.parameters[0]], 0) if effect.kind == "change" else ""


def _bands(one: OfMetric) -> Table:
    rows = [
        (
            r.parameter,
            _value(r.parameter, r.centre),
            _band(r, r.held),
            _band(r, r.unharmed),
            "" if r.parameter == "temperature" else significant(r.temperature),
        )
        for r in one.responses
    ]
    margin = significant(one.responses[0].margin) if one.responses else ""
    header = ("setting", "default", "safe", "no loss shown", "at temperature")
    return Table(
        f"{one.metric.name}: the safe band (margin {margin}; {one.metric.unit})", header, tuple(rows)
    )


def _points(one: OfMetric) -> Table:
    rows = []
    for r in one.responses:
        for point in r.points:
            found = point.comparison
            told = interval(found.difference, 0.0) if found else "0"
            rows.append((r.parameter, _value(r.parameter, point.value), told, _outcome(found)))
    return Table(
        f"{one.metric.name}: one setting at a time", ("setting", "value", "change", "outcome"), tuple(rows)
    )


def _outcome(found: Comparison | None) -> str:
    if found is None:
        return "default"
    return "better" if found.difference.low > 0 else _SAID[found.outcome]


def _value(parameter: str, value: float) -> str:
    return "off" if parameter == "top_k" and value == 0 else significant(value)


def _band(r: Response, ends: tuple[float, float]) -> str:
    low, high = (_value(r.parameter, end) for end in ends)
    return low if low == high else f"{low} to {high}"


def drawings(study: Study) -> dict[tuple[str, str], Markup]:
    """A curve with its band for each (metric, setting); along x top_k is log10, and off stands beyond its largest."""
    return {
        (one.metric.name, r.parameter): _drawn(one, r, study.design.ranges[place].high)
        for one in study.metrics
        for place, r in enumerate(one.responses)
    }


def _drawn(one: OfMetric, r: Response, high: float) -> Markup:
    points = []
    for point in r.points:
        found = point.comparison
        n = one.surface.prompts
        estimate = found.difference if found else Estimate(0.0, 0.0, 0.0, 1.0, n, "the default itself")
        tone: Tone = _TONES.get(found.outcome, "open") if found else "plain"
        points.append(Point(_across(r, point.value, high), estimate, tone))
    axis = "log10 of top_k" if r.parameter == "top_k" else r.parameter
    return response(
        points,
        Threshold(-r.margin, "largest loss allowed"),
        name=f"sensitivity-{one.metric.name}-{r.parameter}",
        title=f"Change of {one.metric.name} against {axis}, with intervals; plus is better",
    )


def _across(r: Response, value: float, high: float) -> float:
    if r.parameter != "top_k":
        return value
    return round(math.log10(value), 3) if value else round(math.log10(high), 3)
