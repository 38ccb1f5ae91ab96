"""The rung *layers*."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.adjust import layers
from trimtab.candidates import LayersCandidate
from trimtab.rungs import training
from trimtab.rungs.workshop import Fitted, Speed, Workshop

RATE = 1e-4


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[LayersCandidate]:
    """The blocks that a survey advises, else the last quarter, at a small rate."""
    advised = shop.advised.layers.candidates or (LayersCandidate(),)
    return [one.model_copy(update={"learning_rate": RATE}) for one in advised]


def seconds(shop: Workshop, candidate: LayersCandidate, speed: Speed) -> float:
    """Time that training is expected to take."""
    through = training.share(shop, candidate.blocks) if candidate.blocks else training.THIRD
    return training.seconds(shop, candidate, speed, through=through)


def fit(shop: Workshop, candidate: LayersCandidate) -> Fitted:
    """Train weights in full on tune; an interrupted training goes on from its last checkpoint."""
    how = training.settings(shop, candidate)
    lesson = training.lesson(shop, how)
    fitted, trained = layers.fit(
        shop.base,
        lesson.rows,
        layers.Where(candidate.method, candidate.blocks),
        lesson.how,
        beside=lesson.beside,
        held_out=training.held_out(shop, how),
        folder=shop.folder,
        report=shop.report,
    )
    return Fitted(fitted, training.cost(trained, lesson.told), trained.history, lesson.made)
