"""The way from rows to a verdict: a version of the data, its parts, the stack, the verdict, a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trimtab.document import exported, words
from trimtab.document.charts import Tone
from trimtab.document.figures import significant
from trimtab.document.flows import Box
from trimtab.document.model_card.facts import NOT_KNOWN, Facts, shown
from trimtab.document.pictures import Flow
from trimtab.document.sections import Section, Table
from trimtab.previous import FACTS

PARTS = ("tune", "select", "confirm")
LINES = (
    ("data", "tune"), ("data", "select"), ("data", "confirm"), ("before", "stack"), ("tune", "stack"),
    ("select", "stack"), ("stack", "verdict"), ("confirm", "verdict"), ("verdict", "release"),
)  # fmt: skip


def section(facts: Facts) -> Section:
    """The way as a drawing and as a table.

    Raises:
        RunError: round.json is damaged.
    """
    boxes = [*_rows(facts), *_made(facts)]
    labels = {box.name: box.label for box in boxes}
    lines = tuple((one, other) for one, other in LINES if one in labels)
    rows = tuple(
        (box.label, box.detail, ", ".join(labels[one] for one, other in lines if other == box.name) or "–")
        for box in boxes
    )
    return Section(
        "lineage",
        "Lineage",
        (),
        (Table("The same in words", ("what", "which", "made of"), rows), *_handed(facts)),
        {"nodes": {box.name: box.detail for box in boxes}, "edges": lines},
        (Flow("card-lineage", "From rows to the verdict", tuple(boxes), lines),),
    )


def _rows(facts: Facts) -> Iterator[Box]:
    source = shown(facts.data.get("source")) or NOT_KNOWN
    yield Box("data", "data", f"{source}, {facts.data.get('hash') or 'no hash'}", 0)
    for part, x in zip(PARTS, (17.0, 50.0, 83.0), strict=True):
        count = facts.record.part(part)
        yield Box(part, part, NOT_KNOWN if count is None else f"{count:,} rows", 1, x, 30.0)


def _made(facts: Facts) -> Iterator[Box]:
    """What was made of the rows; the round before stands beside the stack that goes on from it."""
    folder, verdict, row = facts.record.folder, facts.record.verdict, 2
    if folder.has(FACTS):
        content = folder.read(FACTS)
        before = Box("before", f"round {content['number'] - 1}", str(content["run"]), row, 33.5, 63.0)
        yield before
        row += 1
    kinds = " + ".join(map(shown, facts.kinds)) or "none"
    yield Box("stack", f"stack: {kinds}", facts.stack or "base", row, 33.5, 63.0)
    difference = verdict.difference
    gain = "undefined" if difference.undefined else significant(difference.value, signed=True)
    word = words.VERDICTS[words.kind(facts.record)]
    tone: Tone = "good" if facts.released else "bad" if verdict.outcome == "hold" else "open"
    yield Box("verdict", f"verdict: {word}", f"gain {gain} in {facts.record.metric}", row + 1, tone=tone)
    yield Box("release", "release", _release(facts), row + 2, tone=tone)


def _release(facts: Facts) -> str:
    if facts.tainted is not None:
        return "none: it learned from erased rows"
    if not facts.released:
        return "none: the verdict is not ship"
    last = {f"{one['form']} {one['type']}": str(one["time"])[:10] for one in _exports(facts)}
    told = [f"{what}, {day}" for what, day in last.items()]
    return "; ".join(told) or "none recorded yet"


def _exports(facts: Facts) -> list[Mapping[str, Any]]:
    return exported.released(facts.record.folder, facts.stack)


def _handed(facts: Facts) -> list[Table]:
    """What was exported, with the check that it passed; no table where there is nothing."""
    rows = tuple(
        (
            f"{shown(one['form'])} {shown(one['type'])}",
            str(one["time"])[:10],
            f"{one['bytes'] / 2**20:,.1f} MiB",
            f"{one['parity']['largest']:.2g}",
            f"{one['parity']['agreement']:.1%} of {one['parity']['tokens']}",
            _hash(one["files"]),
        )
        for one in _exports(facts)
    )
    head = (
        "form",
        "day",
        "size",
        "nats apart at most",
        "likeliest tokens the same",
        "SHA-256 of the weights",
    )
    return [Table("Exported, and compared with the stack", head, rows)] if rows else []


def _hash(files: Mapping[str, str]) -> str:
    return "; ".join(
        f"{name} {digest[:16]}" for name, digest in files.items() if name.endswith(exported.WEIGHTS)
    )
