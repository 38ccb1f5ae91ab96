"""The rung *adapter*."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.adjust import adapter
from trimtab.candidates import AdapterCandidate
from trimtab.model.sites import block_names
from trimtab.prepare import rows_of
from trimtab.rungs import training
from trimtab.rungs.workshop import Fitted, Speed, Workshop


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[AdapterCandidate]:
    """LoRA on the last third of the blocks and on all of them, as far as time allows."""
    blocks = len(block_names(shop.base.network))
    small = AdapterCandidate(blocks=tuple(range(-max(1, blocks // 3), 0)))
    full = AdapterCandidate()
    epochs = shop.prepared.recipe.training.epochs
    if epochs * speed.epoch * (training.LAST_THIRD + training.UPDATE) <= seconds:
        return [small, full]
    if epochs * speed.epoch * training.UPDATE <= seconds:
        return [full]
    fitting = max(0.25, min(epochs, seconds / (speed.epoch * training.LAST_THIRD)))
    return [small.model_copy(update={"epochs": round(fitting, 2)})]


def seconds(shop: Workshop, candidate: AdapterCandidate, speed: Speed) -> float:
    """Time that training is expected to take."""
    return training.seconds(shop, candidate, speed, partial=bool(candidate.blocks))


def fit(shop: Workshop, candidate: AdapterCandidate) -> Fitted:
    """Train an adapter on tune; an interrupted training goes on from its last checkpoint."""
    how = training.settings(shop, candidate)
    rows = rows_of(shop.prepared, shop.base, "tune")
    fitted, trained = adapter.fit(
        shop.base,
        rows,
        shape(candidate),
        how,
        held_out=training.held_out(shop, how),
        folder=shop.folder,
        report=shop.report,
    )
    return Fitted(fitted, training.cost(trained), trained.history)


def shape(candidate: AdapterCandidate) -> adapter.Shape:
    """The adapter that a candidate asks for."""
    return adapter.Shape(
        candidate.method,
        candidate.rank,
        candidate.alpha,
        candidate.dropout,
        candidate.modules,
        candidate.blocks,
    )
