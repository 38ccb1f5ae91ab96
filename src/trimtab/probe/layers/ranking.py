"""An order of blocks from several measures, with its reason in words, and candidates of rungs that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.candidates import AdapterCandidate, LayersCandidate, SteeringCandidate
from trimtab.probe.layers.surveying import CHANCE, MEASURES, Block, Blocks, Measure

Rung = Literal["steering", "adapter", "layers"]
# What a rung does with a block decides which measures speak for it: a direction must be there and move answers; weights
# must move them, and be used.
SPEAKS: Mapping[Rung, tuple[Measure, ...]] = {
    "steering": ("probe", "steering"),
    "adapter": ("gradient", "ablation"),
    "layers": ("gradient", "ablation"),
}
STEERED = 2
# From this rise of the loss (nats a token) on, skipping a block spoils all text, and what is lost says little of the
# attribute.
SPOILT = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands.

    Attributes:
        mean_rank: mean of its places among all blocks by the measures, 1 is first.
        ranks: its place by each measure.
        reason: in words, with the figures.
    """

    block: int
    mean_rank: float
    ranks: Mapping[Measure, float]
    reason: str


def ranked(found: Blocks, measures: Sequence[Measure] = MEASURES) -> tuple[Place, ...]:
    """All blocks by the mean of their places, best first.

    Only blocks whose interval lies above no effect (of the probe: above chance) are told apart by a measure; all others
    share the mean of the places that are left. Of equal values the lower block comes first: what a block writes can
    still be read from those above it.
    """
    places = {measure: _places(found.blocks, measure) for measure in measures}
    ordered = [
        Place(
            block.block,
            sum(ranks.values()) / len(ranks),
            ranks,
            "; ".join(_words(block, measure, ranks[measure], len(found.blocks)) for measure in measures),
        )
        for block in found.blocks
        for ranks in [{measure: places[measure][block.block] for measure in measures}]
    ]
    return tuple(sorted(ordered, key=lambda place: (place.mean_rank, place.block)))


def candidates(
    found: Blocks, rung: Rung, count: int | None = None
) -> list[SteeringCandidate] | list[AdapterCandidate] | list[LayersCandidate]:
    """What to try at a rung, by the measures that speak for it.

    Steering: a candidate for each of the best `count` blocks (2 when not given) whose effect lies above 0 by its whole
    interval, with the strength that was tried; none where there is no such block. Adapter and layers: one candidate
    with the best `count` blocks (a quarter of all when not given).
    """
    order = [place.block for place in ranked(found, SPEAKS[rung])]
    if rung == "steering":
        moved = {one.block for one in found.blocks if _is_shown(one, "steering")}
        best = [block for block in order if block in moved][: STEERED if count is None else count]
        steer = found.settings.steer
        return [
            SteeringCandidate(blocks=(block,), strength=steer.strength, method=steer.method) for block in best
        ]
    blocks = tuple(sorted(order[: max(1, len(order) // 4) if count is None else count]))
    return [AdapterCandidate(blocks=blocks)] if rung == "adapter" else [LayersCandidate(blocks=blocks)]


def advice(found: Blocks) -> dict[str, Any]:
    """What tuning is to try, as JSON values: `layers.json` of a run folder, which `rungs.advised` reads.

    For each rung its candidates, by the fields that they set; and for each block, the best first, the reason of its
    place by the measures that speak for that rung.
    """
    return {
        rung: {
            "candidates": [
                one.model_dump(mode="json", exclude_unset=True) for one in candidates(found, rung)
            ],
            "blocks": {str(place.block): place.reason for place in ranked(found, measures)},
        }
        for rung, measures in SPEAKS.items()
    }


def _places(blocks: Sequence[Block], measure: Measure) -> dict[int, float]:
    # Rounded, because sums in another order differ in the last digits.
    shown = sorted(
        (one for one in blocks if _is_shown(one, measure)),
        key=lambda one: (-round(one.of(measure).value, 9), one.block),
    )
    last = (len(shown) + 1 + len(blocks)) / 2
    first = {one.block: float(place) for place, one in enumerate(shown, start=1)}
    return {one.block: first.get(one.block, last) for one in blocks}


def _is_shown(block: Block, measure: Measure) -> bool:
    one = block.of(measure)
    return not one.undefined and one.low > (CHANCE if measure == "probe" else 0.0)


def _words(block: Block, measure: Measure, rank: float, count: int) -> str:
    one = block.of(measure)
    if one.undefined:
        return f"{measure} undefined ({one.undefined})"
    said = f"{_FORMS[measure].format(one.value)} ({rank:g} of {count})"
    if measure == "probe" and one.low <= CHANCE:
        return f"{said}, which may be chance"
    if measure in ("steering", "ablation") and one.low <= 0:
        return f"{said}, an effect {'below 0' if one.high < 0 else 'that may be none'}"
    if measure == "ablation" and block.loss.value >= SPOILT:
        return f"{said}, but without it all text is spoilt ({block.loss.value:+.3g} nats a token of loss)"
    return said


_FORMS: Mapping[Measure, str] = {
    "probe": "a probe is right for {:.0%}",
    "steering": "steering moves the margin by {:+.3g} nats a token",
    "gradient": "gradient of length {:.3g}",
    "ablation": "skipping it takes {:+.3g} nats a token off the margin",
}
