"""The rung *steering*."""

from __future__ import annotations

import time
from collections.abc import Sequence

from trimtab.adjust import steering
from trimtab.candidates import SteeringCandidate
from trimtab.records import plain
from trimtab.rungs import contrasts
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Fitted, Speed, Workshop

# Blocks and strengths that are tried when the recipe names none. From half a norm on answers of the embedded model
# fall apart (docs/results.md, Steering).
BLOCKS = 2
STRENGTHS = (0.1, 0.25)
FEWEST = 16


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[SteeringCandidate]:
    """The blocks that a survey advises, each at some strengths.

    Without one, the blocks of the middle half that tell references from the base's answers best. They are found here,
    from as many pairs as time allows; fitting them takes no more.
    """
    pairs = SteeringCandidate()
    most = int(min(pairs.most, max(FEWEST, seconds / _seconds_a_pair(shop, speed))))
    pairs = pairs.model_copy(update={"most": most})
    if shop.advised.steering.candidates:
        return [
            pairs.model_copy(update={"blocks": one.blocks, "method": one.method, "strength": strength})
            for one in shop.advised.steering.candidates
            for strength in STRENGTHS
        ]
    found = contrasts.surveyed(shop, pairs)
    blocks = found.best(BLOCKS)
    contrasts.tell(shop, found, blocks)
    return [
        pairs.model_copy(update={"blocks": (block,), "strength": strength})
        for block in blocks
        for strength in STRENGTHS
    ]


def seconds(shop: Workshop, candidate: SteeringCandidate, speed: Speed) -> float:
    """Time that drawing and reading the pairs is expected to take; candidates with the same pairs share it."""
    most = min(candidate.most, len(shop.prepared.parts["tune"]))
    sides = 2 if candidate.positive else 1
    return most * _seconds_a_pair(shop, speed) * sides


def fit(shop: Workshop, candidate: SteeringCandidate) -> Fitted:
    """Directions from the pairs; `layers` in the cost says of every block how well it tells them apart."""
    started = time.monotonic()
    found = contrasts.surveyed(shop, candidate)
    shape = steering.Shape(candidate.mode, candidate.blocks, candidate.chosen_strength, candidate.value)
    fitted = steering.of_survey(shop.base, found, shape)
    contrasts.tell(shop, found, list(fitted.pushes))
    cost = {
        "seconds": time.monotonic() - started,
        "pairs": found.pairs,
        "layers": [plain(layer) for layer in found.layers],
    }
    return Fitted(fitted, cost)


def _seconds_a_pair(shop: Workshop, speed: Speed) -> float:
    """Drawing one answer, and reading it and another after their prompt."""
    drawn = min(shop.prepared.sampling.max_new_tokens, contrasts.LONGEST)
    prompt = sum(len(example.prompt) for example in shop.prepared.parts["tune"]) / len(
        shop.prepared.parts["tune"]
    )
    return drawn * speed.sample + (prompt / CHARACTERS_PER_TOKEN + 2 * contrasts.LONGEST) * speed.read
