"""The report's section on strength: gain and guards against dose, as drawings, as one table and in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.document import charts
from trimtab.document.figures import fixed, known, percent, significant, tagged
from trimtab.document.masking import mask, printable
from trimtab.document.record import Record, metric_title, suite_title
from trimtab.document.sections import Cell, Table
from trimtab.document.tables import measured
from trimtab.records import Comparison
from trimtab.run import comparison_from

TONES: Mapping[str, charts.Tone] = {
    "better": "good",
    "held": "good",
    "worse": "bad",
    "breached": "bad",
    "inconclusive": "open",
}
KINDS = {"over": "Too much", "under": "Too little"}


def section(record: Record) -> dict[str, Any] | None:
    """What the page shows of dose.json; None where no dose study was made."""
    content = record.folder.read("dose.json") if record.folder.has("dose.json") else None
    if not isinstance(content, dict) or not content.get("doses"):
        return None
    doses = content["doses"]
    return {
        "summary": summary(content, record.metric),
        "other": content["stack"] if content["stack"] != record.stack else "",
        "curves": [_target(record, content), *(_guard(content, i) for i in range(len(doses[0]["guards"])))],
        "table": table(record, doses),
        "findings": [_finding(finding) for finding in content["findings"]],
        "limits": _sentence(content["limits"]),
    }


def summary(content: Mapping[str, Any], metric: str) -> str:
    """The smallest effective and the first harmful strength, in two or three sentences."""
    effective, harmful = content["smallest_effective"], content["first_harmful"]
    least = f"The smallest strength that is shown to gain enough in {metric} is {significant(effective)}."
    if effective is None:
        least = f"No strength is shown to gain enough in {metric}."
    first = f"The first that is shown to harm is {significant(harmful)}."
    if harmful is None:
        first = "None is shown to harm."
    strengths = [dose["strength"] for dose in content["doses"]]
    tried = ", ".join(significant(strength) for strength in strengths)
    return (
        f"{least} {first} Strength 0 is the base model, 1 the adjustment as fitted; tried: {tried}. Intervals have "
        f"level {percent(content['level'])}, so that those of one curve all hold together at least 95% of the time."
    )


def _target(record: Record, content: Mapping[str, Any]) -> dict[str, Any]:
    least = content["min_gain"] or 0.0
    label = f"smallest gain worth having: {significant(least)}" if least else "no gain"
    compared = [(dose["strength"], comparison_from(dose["target"])) for dose in content["doses"]]
    drawing = charts.response(
        _points(compared),
        charts.Threshold(least, label),
        name="dose-target",
        title=f"Gain in {record.metric} by strength",
    )
    caption = f"Gain in {record.metric} over the base model by strength; each bar is an interval on select."
    return {"drawing": drawing, "caption": caption if drawing else f"{caption} Too few are defined to draw."}


def _guard(content: Mapping[str, Any], number: int) -> dict[str, Any]:
    rows = [(dose["strength"], dose["guards"][number]) for dose in content["doses"]]
    first = rows[0][1]
    name = f"{suite_title(first['suite'])}, {metric_title(first['metric'])}"
    if all(guard["by_construction"] for _, guard in rows):
        return {"drawing": "", "caption": f"{name}: held by construction at every strength."}
    compared = [(strength, comparison_from(guard["comparison"])) for strength, guard in rows]
    threshold = charts.Threshold(-first["margin"], f"largest loss allowed: {significant(first['margin'])}")
    drawing = charts.response(
        _points(compared), threshold, name=f"dose-guard-{number + 1}", title=f"Change in {name} by strength"
    )
    caption = f"Change in {name} by strength; the guard is held where the whole bar lies in the shaded zone."
    return {"drawing": drawing, "caption": caption if drawing else f"{caption} Too few are defined to draw."}


def _points(compared: Sequence[tuple[float, Comparison]]) -> list[charts.Point]:
    return [
        charts.Point(strength, c.difference, "plain" if strength == 0 else TONES.get(c.outcome, "plain"))
        for strength, c in compared
    ]


def table(record: Record, doses: Sequence[Mapping[str, Any]]) -> Table:
    """Every strength with its gain, guards, variety and copies."""
    guards = [f"{suite_title(g['suite'])}, {metric_title(g['metric'])}" for g in doses[0]["guards"]]
    head = ("strength", f"gain in {record.metric}", "outcome", *guards, "variety", "usual", "copied")
    rows: list[tuple[Cell, ...]] = []
    for dose in doses:
        target = comparison_from(dose["target"])
        strength = dose["strength"]
        cells: list[Cell] = [
            tagged(strength, significant(strength)),
            "base model" if strength == 0 else measured(target.difference, target.threshold, 0.0),
            "–" if strength == 0 else target.outcome,
        ]
        cells += [_held(guard) for guard in dose["guards"]]
        cells += [_share(dose[key], key) for key in ("variety", "usual", "copied")]
        rows.append(tuple(cells))
    return Table("By strength, on select (plus is better)", head, tuple(rows))


def _held(guard: Mapping[str, Any]) -> Cell:
    if guard["by_construction"]:
        return "held by construction"
    compared = comparison_from(guard["comparison"])
    return measured(compared.difference, -guard["margin"]) + f" {compared.outcome}"


def _share(value: Any, key: str) -> Cell:
    if not known(value):
        return "–"
    return tagged(value, percent(value, 1) if key == "copied" else fixed(value, 2))


def _finding(finding: Mapping[str, Any]) -> dict[str, str]:
    head = f"{KINDS[finding['kind']]}: {finding['name']} at strength {significant(finding['strength'])}."
    return {"head": head, "said": _sentence(finding["said"]), "remedy": f"Remedy: {finding['remedy']}."}


def _sentence(text: str) -> str:
    text = mask(printable(text))
    return f"{text[:1].upper()}{text[1:]}."
