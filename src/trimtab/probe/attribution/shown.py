"""Attributions as coloured text, as tables, and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trimtab.document.coloured import Part
from trimtab.document.figures import interval, known, significant
from trimtab.document.masking import mask, mask_parts, printable
from trimtab.document.pictures import Passage
from trimtab.document.sections import Section as ReportSection
from trimtab.document.sections import Table
from trimtab.language.text import shortened
from trimtab.probe.attribution.attributing import Attribution
from trimtab.probe.attribution.prompt import Feature, Piece
from trimtab.probe.attribution.suite import Driven, Ranking
from trimtab.records import plain

METHODS = {
    "integrated_gradients": "integrated gradients",
    "gradient_x_input": "gradient times input",
    "ablation": "leaving out",
}
_MOST = 10
_CELL = 40


def passage(one: Attribution, number: int = 1) -> Passage | None:
    """The prompt, masked, with what each part adds to the target; None where that is undefined.

    number: of the item on the page.
    """
    if one.undefined:
        return None
    placed = sorted(
        (
            (piece, feature, value)
            for feature, value in zip(one.features, one.values, strict=True)
            for piece in feature.pieces
        ),
        key=lambda part: (part[0].turn, part[0].start),
    )
    texts = mask_parts([_text(feature, piece) for piece, feature, _ in placed])
    parts = tuple(
        Part(piece.turn, printable(text), feature.section, value)
        for text, (piece, feature, value) in zip(texts, placed, strict=True)
    )
    return Passage(
        f"attribution-{one.method.replace('_', '-')}-{one.unit}-{number}",
        _title(one, number),
        mask(printable(f"What drove {one.target}")),
        parts,
    )


def _title(one: Attribution, number: int) -> str:
    return f"Item {number}, {METHODS[one.method]}, each {one.unit}{_gap(one)}"


def _gap(one: Attribution) -> str:
    """How much of the target's change integrated gradients miss, in words; nothing for other methods."""
    if not known(one.relative_gap):
        return ""
    return f" ({significant(100 * one.relative_gap)}% of the target's change is not accounted for)"


def _text(feature: Feature, piece: Piece) -> str:
    """A piece's own text; a feature's pieces are joined by line breaks."""
    before = sum(other.end - other.start + 1 for other in feature.pieces[: feature.pieces.index(piece)])
    return feature.text[before : before + piece.end - piece.start]


def table(one: Attribution, number: int = 1) -> Table:
    """The ten parts with the largest |value|, in numbers; `number` of the item on the page."""
    texts = mask_parts([feature.text for feature in one.features])
    order = sorted(range(len(one.values)), key=lambda k: -abs(one.values[k]))[:_MOST]
    rows = tuple(
        (
            shortened(" ".join(printable(texts[k]).split()), _CELL),
            one.features[k].section,
            significant(one.values[k], signed=True),
        )
        for k in order
    )
    return Table(_title(one, number), ("part", "section", "adds"), rows, quotes=True)


def sections_table(ranking: Ranking) -> Table:
    """A ranking of sections in numbers."""
    rows = tuple(
        (
            one.section,
            interval(one.share, signed=False),
            interval(one.value),
            interval(one.first, signed=False),
            str(one.share.n),
        )
        for one in ranking.standings
    )
    header = ("section", "share", "adds", "comes first in", "items")
    return Table(f"Sections of the prompt by {METHODS[ranking.method]}", header, rows)


def section(driven: Driven) -> ReportSection:
    """A suite's attribution as a part of a report; what was looked at word by word is shown as coloured text too."""
    near = [one for one in driven.items if one.unit == "word"]
    said = [
        "What a section adds is how much more likely it makes the answer, beside a neutral text (gradients) or beside "
        "nothing (leaving out). The methods ask different questions and need not agree; where they do not, "
        "leaving out is what the model was seen to do.",
    ]
    for one in driven.rankings:
        if one.skipped:
            said.append(f"{one.skipped} items could not be looked at by {METHODS[one.method]}.")
        if known(one.worst_gap):
            worst = significant(100 * one.worst_gap)
            said.append(
                f"What {METHODS[one.method]} give the parts misses at most {worst}% of the target's change from the "
                "neutral text to the prompt, in the worst item."
            )
    numbers = {name: number for number, name in enumerate(dict.fromkeys(one.example for one in near), 1)}
    drawn = [passage(one, numbers[one.example]) for one in near]
    if any(drawn):
        said.append(
            "In the texts, what is underlined speaks for the answer (+) or against it (−), and the thicker the more."
        )
    tables = (
        *map(sections_table, driven.rankings),
        *(table(one, numbers[one.example]) for one in near if not one.undefined),
    )
    pictures = tuple(one for one in drawn if one is not None)
    return ReportSection(
        "attribution", "What drove the answers", tuple(said), tables, values(driven), pictures
    )


def values(driven: Driven) -> dict[str, Any]:
    """JSON values of a suite's attribution: rankings with intervals, and every item's parts with their values."""
    return {"rankings": plain(driven.rankings), "items": item_values(driven.items)}


def item_values(items: Sequence[Attribution]) -> list[dict[str, Any]]:
    """JSON values of attributions, masked, each part with its value; nan is null."""
    found = []
    for one in items:
        told = plain(one)
        numbers = told.pop("values") or [None] * len(one.features)
        texts = mask_parts([feature.text for feature in one.features])
        told["target"] = mask(told["target"])
        told["features"] = [
            {**feature, "text": text, "value": value}
            for feature, text, value in zip(told["features"], texts, numbers, strict=True)
        ]
        found.append(told)
    return found
