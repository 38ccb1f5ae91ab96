"""Pictures of a report as plain values: kept in a run's record as JSON, and drawn again from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from trimtab.document import charts, clouds, coloured, flows, planes
from trimtab.errors import RunError
from trimtab.run import estimate_from


@dataclass(frozen=True, slots=True)
class Response:
    """A change against a setting or a place, with intervals; `axis` says what lies along x."""

    name: str
    title: str
    axis: str
    points: tuple[charts.Point, ...]
    threshold: charts.Threshold
    kind: Literal["response"] = "response"

    def drawn(self) -> Markup:
        """As inline SVG; empty where too little is defined."""
        return charts.response(self.points, self.threshold, name=self.name, title=self.title, axis=self.axis)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points on two axes without a unit, before and after, coloured by their labels."""

    name: str
    title: str
    points: tuple[tuple[float, float], ...]
    labels: tuple[str, ...]
    after: tuple[bool, ...]
    kind: Literal["cloud"] = "cloud"

    def drawn(self) -> Markup:
        """As inline SVG; empty without points."""
        return clouds.cloud(self.points, self.labels, self.after, name=self.name, title=self.title)


@dataclass(frozen=True, slots=True)
class Plane:
    """Trials by two changes, with the least that is asked of either."""

    name: str
    title: str
    across: planes.Axis
    up: planes.Axis
    trials: tuple[planes.Place, ...]
    kind: Literal["plane"] = "plane"

    def drawn(self) -> Markup:
        """As inline SVG; empty without trials."""
        return planes.plane(self.trials, self.across, self.up, name=self.name, title=self.title)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text whose parts speak for or against something, which `lead` says."""

    name: str
    title: str
    lead: str
    parts: tuple[coloured.Part, ...]
    kind: Literal["passage"] = "passage"

    def drawn(self) -> Markup:
        """As an HTML fragment."""
        return coloured.passage(self.lead, self.parts)


@dataclass(frozen=True, slots=True)
class Bars:
    """Intervals against the value that they are held against."""

    name: str
    title: str
    marks: tuple[charts.Mark, ...]
    threshold: charts.Threshold
    kind: Literal["bars"] = "bars"

    def drawn(self) -> Markup:
        """As inline SVG; empty where no interval is defined."""
        return charts.intervals(self.marks, self.threshold, name=self.name, title=self.title)


@dataclass(frozen=True, slots=True)
class Flow:
    """What came from what: boxes, and lines between those named."""

    name: str
    title: str
    boxes: tuple[flows.Box, ...]
    lines: tuple[tuple[str, str], ...]
    kind: Literal["flow"] = "flow"

    def drawn(self) -> Markup:
        """As inline SVG; empty without boxes."""
        return flows.flow(self.boxes, self.lines, name=self.name, title=self.title)


Picture = Response | Cloud | Plane | Passage | Bars | Flow


def picture(content: Mapping[str, Any]) -> Picture:
    """A picture from its JSON form.

    Raises:
        RunError: it is not one.
    """
    try:
        return _READ[content["kind"]](content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"a picture in the run's record cannot be read ({type(error).__name__}: {error})",
            "probe the run again",
        ) from None


def _response(content: Mapping[str, Any]) -> Picture:
    points = tuple(
        charts.Point(float(p["strength"]), estimate_from(p["estimate"]), p["tone"], str(p["label"]))
        for p in content["points"]
    )
    return Response(
        content["name"], content["title"], content["axis"], points, charts.Threshold(**content["threshold"])
    )


def _cloud(content: Mapping[str, Any]) -> Picture:
    points = tuple((float(x), float(y)) for x, y in content["points"])
    labels, after = tuple(map(str, content["labels"])), tuple(map(bool, content["after"]))
    if not len(points) == len(labels) == len(after):
        raise ValueError(f"{len(points)} points, {len(labels)} labels")
    return Cloud(content["name"], content["title"], points, labels, after)


def _plane(content: Mapping[str, Any]) -> Picture:
    axes = [planes.Axis(**content[side]) for side in ("across", "up")]
    trials = tuple(planes.Place(**trial) for trial in content["trials"])
    return Plane(content["name"], content["title"], axes[0], axes[1], trials)


def _passage(content: Mapping[str, Any]) -> Picture:
    parts = tuple(coloured.Part(**part) for part in content["parts"])
    return Passage(content["name"], content["title"], content["lead"], parts)


def _bars(content: Mapping[str, Any]) -> Picture:
    marks = tuple(
        charts.Mark(m["label"], estimate_from(m["estimate"]), m["tone"], m["name"]) for m in content["marks"]
    )
    return Bars(content["name"], content["title"], marks, charts.Threshold(**content["threshold"]))


def _flow(content: Mapping[str, Any]) -> Picture:
    lines = tuple((str(one), str(other)) for one, other in content["lines"])
    return Flow(content["name"], content["title"], tuple(flows.Box(**box) for box in content["boxes"]), lines)


_READ = {
    "response": _response,
    "cloud": _cloud,
    "plane": _plane,
    "passage": _passage,
    "bars": _bars,
    "flow": _flow,
}
