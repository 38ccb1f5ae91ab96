"""An attribution as coloured text that can be read without colour, as a table, and as JSON values.

A part that matters is underlined, the more strongly the thicker; + after it says that it speaks for the answer and
− against it; its title text has the number. Colours (blue for, orange against) only repeat that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from trimtab.audit.tallies import Section as ReportSection
from trimtab.audit.tallies import Table
from trimtab.document.figures import interval, known, significant
from trimtab.probe.attribution.attributing import Attribution
from trimtab.probe.attribution.prompt import Feature, Piece
from trimtab.probe.attribution.suite import Driven, Ranking
from trimtab.records import plain

# For a page that shows `coloured`; colours are see-through, so that they fit a light page and a dark one.
STYLE = Markup(
    ".why{white-space:pre-wrap;overflow-wrap:anywhere}"
    ".why .turn{margin:.3em 0}.why .role{font-weight:bold}"
    ".why u{text-decoration-style:solid;text-underline-offset:.2em;text-decoration-skip-ink:none}"
    ".why .s1{text-decoration-thickness:1px}.why .s2{text-decoration-thickness:2px}"
    ".why .s3{text-decoration-thickness:4px}.why .s4{text-decoration-thickness:6px}"
    ".why u.for{background:rgba(40,110,220,.14)}.why u.against{background:rgba(230,120,0,.16)}"
    ".why sup{font-size:.7em}"
)
METHODS = {
    "integrated_gradients": "integrated gradients",
    "gradient_x_input": "gradient times input",
    "ablation": "leaving out",
}
# Share of the largest |value| from which a part has strength 1, 2, 3, 4.
_FROM = (0.1, 0.25, 0.5, 0.8)
_MOST = 10


def strength(value: float, largest: float) -> int:
    """0 to 4: how thickly a part is underlined, by its share of the largest |value| of its prompt."""
    return sum(abs(value) >= share * largest for share in _FROM) if largest else 0


def coloured(one: Attribution) -> Markup:
    """The prompt with what each part adds to the target, as an HTML fragment for a page with `STYLE`."""
    told = f": undefined ({one.undefined})" if one.undefined else f"{_gap(one)}."
    head = Markup('<p class="what">What drove {}, by {}, each {} at a time{}</p>').format(
        one.target, METHODS[one.method], one.unit, told
    )
    if one.undefined:
        return head
    largest = max(map(abs, one.values), default=0.0)
    turns = Markup("").join(
        Markup('<div class="turn"><span class="role">{}</span> {}</div>').format(
            f"Turn {turn + 1}:", Markup("").join(_parts(one, turn, largest))
        )
        for turn in sorted({piece.turn for feature in one.features for piece in feature.pieces})
    )
    return Markup('<div class="why">{}{}</div>').format(head, turns)


def _gap(one: Attribution) -> str:
    """How much of the target's change integrated gradients miss, in words; nothing for other methods."""
    if not known(one.relative_gap):
        return ""
    return f" ({significant(100 * one.relative_gap)}% of the target's change is not accounted for)"


def _parts(one: Attribution, turn: int, largest: float) -> Iterator[Markup]:
    placed = [
        (piece, feature, value)
        for feature, value in zip(one.features, one.values, strict=True)
        for piece in feature.pieces
        if piece.turn == turn
    ]
    for piece, feature, value in sorted(placed, key=lambda part: part[0].start):
        yield _part(_text(feature, piece), feature, value, strength(value, largest))


def _part(text: str, feature: Feature, value: float, strong: int) -> Markup:
    body, space = text.rstrip(), text[len(text.rstrip()) :]
    title = f"{feature.section}: {significant(value, signed=True)}"
    if not strong or not body:
        return Markup('<span title="{}">{}</span>').format(title, text)
    way, sign = ("for", "+") if value > 0 else ("against", "−")
    return Markup('<u class="{} s{}" title="{}">{}</u><sup>{}</sup>{}').format(
        way, strong, title, body, sign, space
    )


def _text(feature: Feature, piece: Piece) -> str:
    """A piece's own text; a feature's pieces are joined by line breaks."""
    before = sum(other.end - other.start + 1 for other in feature.pieces[: feature.pieces.index(piece)])
    return feature.text[before : before + piece.end - piece.start]


def table(one: Attribution) -> Table:
    """The ten parts with the largest |value|, in numbers."""
    order = sorted(range(len(one.values)), key=lambda k: -abs(one.values[k]))[:_MOST]
    rows = tuple(
        (
            " ".join(one.features[k].text.split())[:40],
            one.features[k].section,
            significant(one.values[k], signed=True),
        )
        for k in order
    )
    title = f"{METHODS[one.method]}, by {one.unit}: {one.target}{_gap(one)}"
    return Table(title, ("part", "section", "adds"), rows)


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
    """A suite's attribution as a part of a report: what it means, its tables, its JSON values."""
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
                f"What integrated gradients give the parts misses at most {worst}% of the target's change from the "
                "neutral text to the prompt, in the worst item. Where that is much, more steps of the integral are "
                "needed, or the prompt changes the target too little to be shared out."
            )
    tables = tuple(map(sections_table, driven.rankings))
    return ReportSection("attribution", "What drove the answers", tuple(said), tables, values(driven))


def values(driven: Driven) -> dict[str, Any]:
    """JSON values of a suite's attribution: rankings with intervals, and every item's parts with their values."""
    return {"rankings": plain(driven.rankings), "items": item_values(driven.items)}


def item_values(items: Sequence[Attribution]) -> list[dict[str, Any]]:
    """JSON values of attributions, each part with its value; nan is null."""
    found = []
    for one in items:
        told = plain(one)
        numbers = told.pop("values") or [None] * len(one.features)
        told["features"] = [
            {**feature, "value": value} for feature, value in zip(told["features"], numbers, strict=True)
        ]
        found.append(told)
    return found
