"""The report's tables: what the run recorded, row by row, ready to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from markupsafe import Markup

from trimtab.document.figures import (
    MISSING,
    duration,
    fixed,
    interval,
    known,
    percent,
    places,
    significant,
    size,
    tagged,
)
from trimtab.document.masking import printable
from trimtab.document.record import Record, metric_title, scores, suite_title
from trimtab.document.sections import Cell, Row, Table
from trimtab.document.words import dropped
from trimtab.records import Comparison, Estimate
from trimtab.run import comparison_from, estimate_from


def exact(value: float | None) -> Cell:
    """A number as recorded, to six significant digits, with all of it behind the text."""
    return tagged(value, significant(value, 6))


def comparisons(record: Record, target: Comparison | None) -> Table:
    """Every number that the decision was read from: the target first, then each guard."""
    rows = []
    if target is not None:
        rows.append(_comparison(f"target: {record.metric}", target))
    for guard in record.verdict.guards:
        name = f"guard: {suite_title(guard.suite)}, {metric_title(guard.metric)}"
        rows.append(_comparison(name, guard.comparison))
    head = (
        "what",
        "difference",
        "low",
        "high",
        "held against",
        "outcome",
        "p",
        "n",
        "items needed",
        "detectable",
    )
    return Table("The comparisons, as recorded (plus is better)", head, tuple(rows))


def _comparison(name: str, comparison: Comparison) -> Row:
    estimate = comparison.difference
    how = Markup("{}<small>{}, level {}</small>").format(name, estimate.method, exact(estimate.level))
    if estimate.undefined:
        numbers: Row = (f"undefined ({estimate.undefined})", "–", "–")
    else:
        numbers = tuple(exact(v) for v in (estimate.value, estimate.low, estimate.high))
    return (
        how,
        *numbers,
        exact(comparison.threshold),
        comparison.outcome,
        _p(comparison.p_value),
        exact(estimate.n),
        exact(comparison.need_n) if comparison.need_n is not None else "–",
        exact(comparison.detectable) if known(comparison.detectable) else "–",
    )


def _p(value: float) -> Cell:
    if not known(value):
        return "–"
    return tagged(value, "< 0.0001" if value < 1e-4 else "> 0.99" if value > 0.99 else significant(value, 2))


def ladder(record: Record) -> tuple[Table, ...]:
    """One table for each rung that was tried: its candidates on select, what they cost, which was chosen."""
    tables: list[Table] = []
    number = count(1)
    for rung in record.ladder.get("rungs") or ():
        if not rung.get("candidates"):
            continue
        spent = f" at level {percent(rung['level'])}" if known(rung.get("level")) else ""
        looked = f"one look at confirm{spent}" if rung.get("looked") else "no look at confirm"
        rows = tuple(
            _candidate(entry, next(number), record.goal.get("direction"))
            for entry in rung.get("candidates") or ()
        )
        caption = f"Rung {rung.get('rung', '')}: {rung.get('outcome', MISSING)}; {looked}"
        tables.append(
            Table(
                caption, ("candidate", "score on select", "gain on select", "time", "tokens", "memory"), rows
            )
        )
    return tuple(tables)


def _candidate(entry: Mapping[str, Any], number: int, direction: str | None) -> Row:
    cost = entry.get("cost") or {}
    name: Cell = f"{number}. {entry.get('name') or entry.get('stack') or MISSING}"
    if entry.get("chosen"):
        name = Markup('{} <strong class="chosen">chosen</strong>').format(name)
    elif dropped(entry):
        name = Markup("{} <small>{}</small>").format(name, dropped(entry))
    if entry.get("reason"):
        name = Markup("{} <small>{}</small>").format(name, printable(str(entry["reason"])))
    pair = scores(comparison_from(entry["comparison"]), direction) if entry.get("comparison") else None
    seconds, peak = cost.get("seconds"), cost.get("peak_bytes")
    return (
        name,
        tagged(pair[1], significant(pair[1])) if pair else MISSING,
        measured(gain(entry)),
        tagged(seconds, duration(seconds)),
        exact(cost.get("tokens")),
        tagged(peak, size(peak)),
    )


def gain(entry: Mapping[str, Any]) -> Estimate | None:
    """A candidate's gain over the base model on select."""
    return comparison_from(entry["comparison"]).difference if entry.get("comparison") else None


def bounds(estimate: Estimate, threshold: float, name: str, drawing: str) -> Table:
    """The numbers of one drawing, whose title tells this table from the others of the page."""
    if estimate.undefined:
        rows: tuple[Row, ...] = (("difference", f"undefined ({estimate.undefined})"),)
    else:
        pairs = (("difference", estimate.value), ("low end", estimate.low), ("high end", estimate.high))
        rows = tuple((label, exact(value)) for label, value in pairs)
    more: tuple[Row, ...] = (
        (name, exact(threshold)),
        ("level", exact(estimate.level)),
        ("items", exact(estimate.n)),
        ("method", estimate.method),
    )
    return Table(f"{drawing}, in numbers", ("what", "recorded"), rows + more)


def measured(estimate: Estimate | None, *against: float, signed: bool = True) -> Cell:
    """An estimate with its interval, each number with the recorded one behind it."""
    if estimate is None:
        return MISSING
    if estimate.undefined or not all(known(v) for v in (estimate.value, estimate.low, estimate.high)):
        return interval(estimate, *against, signed=signed)
    digits = places(estimate, *against)
    value, low, high = (
        tagged(v, fixed(v, digits, signed=signed)) for v in (estimate.value, estimate.low, estimate.high)
    )
    return Markup('{} <span class="range">({} to {})</span>').format(value, low, high)


def costs(record: Record) -> Table:
    """Time by stage, longest share visible as a bar."""
    stages = {k: v for k, v in (record.provenance.get("costs") or {}).items() if known(v)}
    whole = sum(stages.values())
    rows: list[Row] = []
    for stage, seconds in stages.items():
        share = 100 * seconds / whole if whole else 0.0
        bar = Markup(
            '<span class="bar" role="img" aria-label="{0:.0f}%" style="width:{0:.1f}%"></span>'
        ).format(share)
        rows.append((stage.replace("_", " "), tagged(seconds, duration(seconds)), bar))
    return Table("Time by stage", ("stage", "time", "share"), tuple(rows))


def spent(record: Record) -> Table:
    """What counts against the budget: minutes of all processes, stopped ones too; and what a service took."""
    rows: list[Row] = []
    minutes, budget = record.ladder.get("minutes"), record.ladder.get("budget")
    if known(minutes):
        of = f" of {significant(budget)} minutes" if known(budget) else " minutes"
        rows.append(("time, processes that were stopped included", Markup("{}{}").format(exact(minutes), of)))
    if record.folder.has("spent.json"):
        counts = record.folder.read("spent.json")
        rows += [(f"service: {_flat_name(name)}", exact(counts[name])) for name in counts if name != "schema"]
    return Table("Spent so far, by every process of the run", ("what", "recorded"), tuple(rows))


def _flat_name(name: str) -> str:
    return name.replace("_", " ")


def training(rows: Iterable[Mapping[str, Any]], most: int = 40) -> Table:
    """The loss curve's numbers; of a long training evenly spaced steps, and those with a loss on select."""
    rows = list(rows)
    stride = max(1, -(-len(rows) // most))
    kept = [
        r for i, r in enumerate(rows) if i % stride == 0 or i == len(rows) - 1 or known(r.get("select_loss"))
    ]
    kept = kept if len(kept) <= 4 * most else kept[:: len(kept) // (2 * most)]
    body = tuple(
        (
            exact(r.get("step")),
            exact(r.get("loss")),
            exact(r["select_loss"]) if known(r.get("select_loss")) else "–",
            exact(r.get("learning_rate")),
            exact(r.get("tokens")),
            tagged(r.get("seconds"), duration(r.get("seconds"))),
        )
        for r in kept
    )
    caption = f"{len(body)} of {len(rows)} recorded steps"
    return Table(
        caption,
        ("step", "training loss", "loss on select", "learning rate", "tokens so far", "time so far"),
        body,
    )


def certificate(record: Record) -> Table:
    """Totals of the mask certificate: what was trained on."""
    content = record.certificate
    stops = content.get("stop_tokens") or {}
    named = ", ".join(f"{text!r} in {times:,} rows" for text, times in stops.items())
    rows: list[Row] = [
        ("rows", exact(len(content["rows"])) if isinstance(content.get("rows"), list) else MISSING),
        ("tokens read", exact(content.get("tokens"))),
        ("tokens learned from (the answers)", exact(content.get("supervised"))),
        ("tokens lost to truncation", exact(content.get("lost"))),
        ("rows truncated", exact(content.get("truncated"))),
        ("stop token learned", named or MISSING),
        *((f"{key} hash", str(content.get(key) or MISSING)) for key in ("data", "tokenizer", "template")),
    ]
    return Table("Totals of the mask certificate", ("what", "recorded"), tuple(rows))


def power(record: Record) -> Table:
    """What the plan expected this data to show, before any time was spent."""
    rows = tuple(
        (
            f"{entry.get('role', '')}: {entry.get('name', '')}",
            exact(entry.get("n")),
            exact(entry.get("threshold")),
            exact(entry.get("expected")),
            exact(entry.get("detectable")),
            tagged(entry.get("power"), percent(entry.get("power"), 1)),
            exact(entry["need_n"]) if entry.get("need_n") is not None else "–",
            str(entry.get("assumed") or MISSING),
        )
        for entry in record.plan.get("power") or ()
    )
    head = ("what", "n", "held against", "expected", "detectable", "power", "items needed", "assumed")
    return Table("Planned before the run", head, rows)


def provenance(record: Record) -> Table:
    """What the run was made with and from."""
    rows = [
        (key, text)
        for key, text in _flat(record.provenance)
        if not key.startswith(("goal", "costs", "guards", "data, origins"))
    ]
    return Table("What the run was made with and from", ("what", "recorded"), tuple(rows))


def adjustment(record: Record) -> Table:
    """The adjustment shown: kind, strength, settings and size."""
    name = f"trials/{record.stack}/stack.json"
    content = record.folder.read(name) if record.stack and record.folder.has(name) else {}
    rows: list[Row] = []
    for entry in content.get("adjustments") or ():
        rows += [
            ("kind", str(entry.get("kind", MISSING))),
            ("strength", exact(entry.get("strength"))),
            ("numbers trained", exact(entry.get("parameters"))),
            ("size on disk", tagged(entry.get("bytes"), size(entry.get("bytes")))),
        ]
        rows += [
            (key.replace("_", " "), _setting(value)) for key, value in (entry.get("settings") or {}).items()
        ]
    return Table("The adjustment", ("what", "recorded"), tuple(rows))


def confidence(record: Record) -> Table:
    """What the confidence told with the shown stack's answers is worth; no rows where none is told."""
    found = (record.candidate().get("cost") or {}).get("confidence") or {}
    rows: list[Row] = []
    if found.get("left_off"):
        rows.append(("left off", str(found["left_off"])))
    elif found:
        rows = [
            ("answers calibrated on", exact(found.get("items"))),
            ("share of them that are good", exact(found.get("good"))),
            ("Brier score", measured(_estimate(found.get("brier")), signed=False)),
            ("Brier score of always saying that share", exact(found.get("brier_of_base_rate"))),
            ("expected calibration error", measured(_estimate(found.get("calibration_error")), signed=False)),
            ("mean risk over all coverages", exact(found.get("aurc"))),
            ("risk without abstaining", exact(found.get("risk"))),
            ("share abstained", exact(found.get("abstained"))),
            ("risk of what is answered", exact(found.get("risk_of_answered"))),
        ]
    return Table(
        "Confidence, each from a calibration that had not seen the answer", ("what", "recorded"), tuple(rows)
    )


def coverage(record: Record, most: int = 10) -> Table:
    """Risk against coverage of the shown stack's confidence: of the surest share of answers, how many are not good."""
    found = (record.candidate().get("cost") or {}).get("confidence") or {}
    points = list(found.get("curve") or ())
    kept = (
        points
        if len(points) <= most
        else [points[round(n * (len(points) - 1) / (most - 1))] for n in range(most)]
    )
    rows = tuple((tagged(share, percent(share)), tagged(risk, percent(risk, 1))) for share, risk in kept)
    return Table("Risk and coverage: answering the surest only", ("answered", "of these not good"), rows)


def _estimate(content: Any) -> Estimate | None:
    return estimate_from(content) if isinstance(content, Mapping) else None


def _setting(setting: Any) -> Cell:
    if not isinstance(setting, Mapping):
        return _text(setting)
    value, unit = setting.get("value"), str(setting.get("unit") or "")
    return Markup("{} {}").format(_text(value), unit) if unit else _text(value)


def _flat(content: Any, prefix: str = "") -> list[tuple[str, Cell]]:
    if not isinstance(content, Mapping):
        return [(prefix, _text(content))]
    if set(content) == {"value", "reason"}:
        return [(prefix, Markup("{} <small>({})</small>").format(_text(content["value"]), content["reason"]))]
    if prefix == "packages":
        return [(prefix, ", ".join(f"{name} {version}" for name, version in content.items()))]
    return [
        item
        for key, value in content.items()
        if key != "schema"
        for item in _flat(value, f"{prefix}, {key}" if prefix else str(key))
    ]


def _text(value: Any) -> Cell:
    if value is None or value == "" or value == []:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if known(value):
        return exact(value)
    if isinstance(value, list):
        return ", ".join(str(_text(item)) for item in value)
    return str(value)
