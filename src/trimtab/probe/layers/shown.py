"""The measures over blocks as a section with tables and pictures, and as JSON values."""

from __future__ import annotations

from typing import Any

from trimtab.document.charts import Point, Threshold
from trimtab.document.figures import interval, significant
from trimtab.document.pictures import Response
from trimtab.document.sections import Section, Table
from trimtab.probe.layers.ranking import Place, ranked
from trimtab.probe.layers.surveying import CHANCE, Block, Blocks
from trimtab.records import Estimate, plain

# Name, title, the value to hold against and what it is called.
DRAWN = (
    ("probe", "Share of texts that a linear probe classifies rightly, by block", Threshold(CHANCE, "chance")),
    ("steering", "Nats a token that steering adds to the margin, by block", Threshold(0.0, "no effect")),
    ("gradient", "Length of the margin's gradient by the block's weights", Threshold(0.0, "no gradient")),
    ("ablation", "Nats a token that the margin falls without the block", Threshold(0.0, "no effect")),
    ("loss", "Nats a token that the loss rises without the block", Threshold(0.0, "no effect")),
)
SHOWN = 5


def pictures(found: Blocks) -> tuple[Response, ...]:
    """A drawing for each measure, over blocks, with intervals."""
    return tuple(
        Response(
            f"layers-{name}",
            title,
            "block",
            tuple(
                Point(block.block, one, "good" if one.low > line.value else "open")
                for block in found.blocks
                for one in [_of(block, name)]
            ),
            line,
        )
        for name, title, line in DRAWN
    )


def section(found: Blocks) -> Section:
    """What was found, for a report: the order with its reasons, and every figure."""
    order = ranked(found)
    ways = found.settings.steer
    said = (
        f"{found.pairs} pairs of {found.given} in {found.groups} groups. Probes and directions are of the other "
        f"{min(found.settings.folds, found.groups)}-fold parts of the pairs; steering at ±{ways.strength:g} norms.",
        f"As it is, the model finds positive answers likelier by {interval(found.margin)} nats a token.",
        "Each interval is for itself: of many blocks, one may differ by chance. A probe shows what can be read, "
        "not what is used; answers of unlike lengths can be told apart by that alone.",
    )
    tables = (_order(order), _figures(found))
    return Section("layers", "Which blocks carry it", said, tables, to_json(found), pictures(found))


def to_json(found: Blocks) -> dict[str, Any]:
    """All that was found as JSON values, with the order and its reasons."""
    data: dict[str, Any] = plain(found)
    return data | {"order": plain(ranked(found))}


def _order(order: tuple[Place, ...]) -> Table:
    rows = tuple((str(p.block), significant(p.mean_rank), p.reason) for p in order[:SHOWN])
    return Table("Best blocks", ("block", "mean place", "why"), rows)


def _figures(found: Blocks) -> Table:
    names = [name for name, _, _ in DRAWN]
    rows = tuple((str(b.block), *(interval(_of(b, name)) for name in names)) for b in found.blocks)
    return Table("Every block", ("block", *names), rows)


def _of(block: Block, name: str) -> Estimate:
    found: Estimate = getattr(block, name)
    return found
