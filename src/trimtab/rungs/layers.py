"""The rung *layers*."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.adjust import layers
from trimtab.candidates import LayersCandidate
from trimtab.rungs import training
from trimtab.rungs.workshop import Fitted, Speed, Workshop


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[LayersCandidate]:
    """The last quarter of the blocks, at a small rate."""
    return [LayersCandidate(learning_rate=1e-4)]


def seconds(shop: Workshop, candidate: LayersCandidate, speed: Speed) -> float:
    """Time that training is expected to take."""
    return training.seconds(shop, candidate, speed, partial=True)


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
