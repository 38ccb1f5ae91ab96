"""report.html: one self-contained page that a product manager understands, made from the run folder alone."""

from __future__ import annotations

from functools import partial
from typing import Any

from markupsafe import Markup

from trimtab.document import (
    augmentation,
    charts,
    doses,
    figures,
    offence,
    pages,
    probed,
    reviewed,
    rounds,
    rungs,
    tables,
    tradeoff,
    words,
)
from trimtab.document.limits import limits
from trimtab.document.masking import mask, printable
from trimtab.document.record import Record, metric_title, read, scores, suite_title
from trimtab.document.samples import Samples, common_instruction, samples
from trimtab.document.sections import Section
from trimtab.records import Comparison, GuardResult
from trimtab.run import RunFolder

LARGEST = 3_000_000
TEXT_LIMITS = (2000, 800, 200)
TONES: dict[str, charts.Tone] = {
    "better": "good",
    "held": "good",
    "worse": "bad",
    "breached": "bad",
    "too small": "bad",
}


def report(folder: RunFolder) -> str:
    """The page of a finished run, as HTML of less than three megabytes that loads nothing from anywhere.

    Raises:
        RunError: the run has no verdict yet, or a file of it is damaged.
    """
    record = read(folder)
    made = ""
    for limit in TEXT_LIMITS:
        made = pages.page("report.html.j2", _context(record, limit))
        if len(made.encode()) < LARGEST:
            break
    return made


def write_report(folder: RunFolder) -> None:
    """Write the page into the run folder as report.html; the run folder stays its only writer."""
    folder.write_text("report.html", report(folder))


def _context(record: Record, limit: int) -> dict[str, Any]:
    shown = samples(record, limit=limit)
    target = words.judged(record)
    return {
        "record": record,
        "run": record.folder.path.name,
        "finished": figures.moment(record.provenance.get("finished")),
        "version": record.provenance.get("trimtab") or "",
        "kind": words.kind(record),
        "word": words.VERDICTS[words.kind(record)],
        "headline": words.headline(record),
        "meaning": words.meaning(record),
        "next_step": words.next_step(record),
        "reasons": [mask(printable(reason)) for reason in record.verdict.reasons],
        "target": _target(record, target) if target is not None else None,
        "guards": [_guard(record, guard, number) for number, guard in enumerate(record.verdict.guards, 1)],
        "guards_phrase": words.guards_phrase(record.verdict.guards),
        "samples": shown,
        "closed": offence.NOTE if offence.offending(record.folder) else "",
        "instruction": common_instruction(record),
        "ladder": _ladder(record),
        "dose": doses.section(record),
        "probed": _parts(record),
        "links": rounds.LINK | reviewed.LINKS | probed.LINKS,
        "loss": _loss(record),
        "cost": _cost(record),
        "decided": _decided(record, target),
        "certificate": tables.certificate(record) if record.certificate else None,
        "augmented": augmentation.learned(record),
        "limits": limits(record, shown),
        "provenance": tables.provenance(record) if record.provenance else None,
        "recipe": _recipe(record),
        "signed": partial(_score, shown, signed=True),
        "score": partial(_score, shown),
    }


def _score(shown: Samples, value: float, *, signed: bool = False) -> Markup:
    largest = max(abs(score) for item in (*shown.best, *shown.worst) for score in (item.before, item.after))
    count = 1 if largest >= 20 else 2 if largest >= 2 else 3
    return figures.tagged(value, figures.fixed(value, count, signed=signed))


def _tone(outcome: str) -> charts.Tone:
    return TONES.get(outcome, "open")


def _target(record: Record, target: Comparison) -> dict[str, Any]:
    estimate = target.difference
    gain = figures.significant(record.min_gain)
    label = f"smallest gain worth having: {gain}" if record.min_gain else "no gain"
    title = f"Gain in {record.metric}"
    mark = charts.Mark(
        figures.interval(estimate, record.min_gain, 0.0), estimate, _tone(target.outcome), record.metric
    )
    return {
        "tone": "plain" if record.verdict.look == 0 else _tone(target.outcome),
        "outcome": "undefined" if estimate.undefined else target.outcome,
        "drawing": charts.intervals(
            [mark], charts.Threshold(record.min_gain, label), name="target", title=title
        ),
        "scores": _pair(target, record.goal.get("direction")),
        "gain": tables.measured(estimate, record.min_gain, 0.0),
        "undefined": estimate.undefined,
        "level": figures.percent(estimate.level),
        "n": estimate.n,
        "min_gain": figures.tagged(record.min_gain, gain),
        "min_gain_zero": record.min_gain == 0,
        "unit": record.goal.get("unit") or "",
        "direction": record.goal.get("direction") or "",
        "question": record.goal.get("question") or "",
        "table": tables.bounds(estimate, record.min_gain, "smallest gain worth having", title),
    }


def _pair(comparison: Comparison, direction: str | None) -> tuple[Markup, Markup] | None:
    pair = scores(comparison, direction)
    if pair is None:
        return None
    count = figures.places(comparison.difference)
    before, after = (figures.tagged(value, figures.fixed(value, count)) for value in pair)
    return before, after


def _guard(record: Record, guard: GuardResult, number: int) -> dict[str, Any]:
    facts = record.guard(guard)
    estimate = guard.comparison.difference
    outcome = "held" if guard.by_construction else guard.comparison.outcome
    margin = figures.significant(guard.margin)
    name = f"{suite_title(guard.suite)}, {metric_title(guard.metric)}"
    mark = charts.Mark(figures.interval(estimate, -guard.margin), estimate, _tone(outcome), name)
    title = f"Change in {name}"
    threshold = charts.Threshold(-guard.margin, f"largest loss allowed: {margin}")
    return {
        "suite": suite_title(guard.suite),
        "metric": metric_title(guard.metric),
        "word": words.guard_word(guard),
        "tone": _tone(outcome),
        "sentence": words.guard_sentence(guard, looked=record.verdict.look > 0),
        "drawing": ""
        if guard.by_construction
        else charts.intervals([mark], threshold, name=f"guard-{number}", title=title),
        "scores": _pair(guard.comparison, facts.get("direction")),
        "unit": facts.get("unit") or "",
        "question": facts.get("question") or "",
        "n": estimate.n,
        "table": tables.bounds(estimate, -guard.margin, "largest loss allowed", title),
    }


def _ladder(record: Record) -> dict[str, Any]:
    marks = []
    for number, (_, entry) in enumerate(record.candidates(), 1):
        estimate = tables.gain(entry)
        if estimate is not None:
            chosen = bool(entry.get("chosen"))
            said = ", chosen" if chosen else ", dropped" if words.dropped(entry) else ""
            label = f"{number}{said}: {figures.interval(estimate)}"
            marks.append(
                charts.Mark(label, estimate, "good" if chosen else "plain", str(entry.get("name") or number))
            )
    threshold = charts.Threshold(
        record.min_gain, f"smallest gain worth having: {figures.significant(record.min_gain)}"
    )
    return {
        "climb": rungs.table(record),
        "tables": tables.ladder(record),
        "count": len(list(record.candidates())),
        "drawing": charts.intervals(
            marks[:40], threshold, name="ladder", title="Gain on select of each candidate"
        ),
        "chosen": record.candidate().get("name") or "",
        "race": words.race_sentences(record),
        "augmentation": augmentation.effects(record),
        "augmentation_limits": augmentation.LIMITS,
        "adjustment": tables.adjustment(record),
        "confidence": tables.confidence(record),
        "coverage": tables.coverage(record),
    }


def _parts(record: Record) -> list[Section]:
    """The round, where it is one, what people judged, and the parts of the run's probe.

    What was traded is read from the run's own record, so that every report has it.
    """
    round_ = rounds.section(record)
    found = [*([round_] if round_ else []), *reviewed.read(record.folder)]
    found += [one for one in probed.read(record.folder) if one.name != "tradeoff"]
    if record.folder.has("ladder.json"):
        traded = tradeoff.tradeoff(record.folder)
        if traded.trials and traded.margins:
            found.append(tradeoff.section(traded))
    return found


def _loss(record: Record) -> dict[str, Any] | None:
    rows = record.folder.rows(f"trials/{record.stack}/training.jsonl") if record.stack else []
    if not rows:
        return None
    points = charts.Curve(
        tuple((r["step"], r["loss"]) for r in rows if figures.known(r.get("loss"))),
        tuple((r["step"], r["select_loss"]) for r in rows if figures.known(r.get("select_loss"))),
    )
    drawing = charts.curve(points, name="loss", title="Loss during training")
    return {"drawing": drawing, "table": tables.training(rows), "select": bool(points.select)}


def _cost(record: Record) -> dict[str, Any]:
    stages = [v for v in (record.provenance.get("costs") or {}).values() if figures.known(v)]
    entries = [entry.get("cost") or {} for _, entry in record.candidates()]
    tokens = [cost["tokens"] for cost in entries if figures.known(cost.get("tokens"))]
    peaks = [cost["peak_bytes"] for cost in entries if figures.known(cost.get("peak_bytes"))]
    peak = record.provenance.get("peak_bytes") or max(peaks, default=None)
    planned = record.plan.get("minutes")
    return {
        "time": figures.duration(sum(stages) if stages else None),
        "planned_time": figures.duration(60 * planned) if figures.known(planned) else "",
        "tokens": f"{sum(tokens):,}" if tokens else figures.MISSING,
        "memory": figures.tagged(peak, figures.size(peak)),
        "planned_memory": figures.size(record.plan["memory_bytes"])
        if record.plan.get("memory_bytes")
        else "",
        "table": tables.costs(record),
        "spent": tables.spent(record),
    }


def _decided(record: Record, target: Comparison | None) -> dict[str, Any]:
    level = record.verdict.level
    return {
        "level": figures.percent(level) if figures.known(level) else "",
        "alpha": figures.percent((1 - level) / 2) if figures.known(level) else "",
        "look": record.verdict.look,
        "looked": record.verdict.look > 0,
        "parts": {name: record.part(name) for name in ("tune", "select", "confirm")},
        "table": tables.comparisons(record, target),
        "power": tables.power(record),
        "joint_power": figures.percent(record.plan.get("joint_power"), 1),
        "planned": [*(record.plan.get("notes") or ()), *(record.plan.get("problems") or ())],
        "notes": [note for c in _all(record, target) for note in c.notes],
    }


def _all(record: Record, target: Comparison | None) -> list[Comparison]:
    return [*([target] if target else []), *(guard.comparison for guard in record.verdict.guards)]


def _recipe(record: Record) -> str:
    path = record.folder.path / "recipe.yaml"
    return printable(path.read_text(encoding="utf-8")[:20_000]) if path.is_file() else ""
