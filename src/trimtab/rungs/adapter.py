"""The rung *adapter*."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.adjust import adapter
from trimtab.candidates import AdapterCandidate
from trimtab.model.sites import block_names
from trimtab.rungs import adapter_search, training
from trimtab.rungs.workshop import Fitted, Speed, Workshop


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[AdapterCandidate]:
    """LoRA on the blocks that a survey advises, else the last third, and on all of them, as far as time allows."""
    blocks = len(block_names(shop.base.network))
    last = AdapterCandidate(blocks=tuple(range(-max(1, blocks // 3), 0)))
    small = next(iter(shop.advised.adapter.candidates), last)
    update, _ = training.passes(training.share(shop, small.blocks))
    full = AdapterCandidate()
    epochs = shop.prepared.recipe.training.epochs
    if epochs * speed.epoch * (update + training.UPDATE) <= seconds:
        return [small, full]
    if epochs * speed.epoch * training.UPDATE <= seconds:
        return [full]
    fitting = max(0.25, min(epochs, seconds / (speed.epoch * update)))
    return [small.model_copy(update={"epochs": round(fitting, 2)})]


def seconds(shop: Workshop, candidate: AdapterCandidate, speed: Speed) -> float:
    """Time that training is expected to take, and the search before it where there is one."""
    largest = candidate.largest()
    one = training.seconds(shop, largest, speed, through=training.share(shop, largest.blocks))
    if candidate.search is None:
        return one
    return one + min(adapter_search.room(shop), candidate.search.trials * one)


def fit(shop: Workshop, candidate: AdapterCandidate) -> Fitted:
    """Train an adapter on tune; an interrupted training goes on from its last checkpoint.

    A candidate with ranges is searched first, on tune alone.
    """
    tried: dict[str, Any] = {}
    if candidate.search is not None:
        found = adapter_search.run(shop, candidate.search, functools.partial(_loss, shop, candidate))
        candidate, tried = candidate.with_found(found.settings), {"search": found.record}
    how = training.settings(shop, candidate)
    lesson = training.lesson(shop, how)
    fitted, trained = adapter.fit(
        shop.base,
        lesson.rows,
        shape(candidate),
        lesson.how,
        beside=lesson.beside,
        held_out=training.held_out(shop, how),
        folder=shop.folder,
        report=shop.report,
    )
    return Fitted(fitted, training.cost(trained, {**lesson.told, **tried}), trained.history, lesson.made)


def _loss(
    shop: Workshop, candidate: AdapterCandidate, part: adapter_search.Part, found: Mapping[str, float]
) -> float:
    """Loss on what a search holds out of tune, after training on the rest: the last one, or the best with patience."""
    chosen = candidate.with_found(found)
    how = training.settings(shop, chosen)
    lesson = training.lesson(shop, how, part.learned)
    beside = dataclasses.replace(lesson.beside, watch=part.watch)
    _, trained = adapter.fit(
        shop.base, lesson.rows, shape(chosen), lesson.how, beside=beside, held_out=part.held_out
    )
    losses = [loss for row in trained.history if (loss := row["select_loss"]) is not None]
    return min(losses) if how.patience else losses[-1]


def shape(candidate: AdapterCandidate) -> adapter.Shape:
    """The adapter that a candidate asks for."""
    return adapter.Shape(
        candidate.method,
        candidate.rank,
        candidate.alpha,
        candidate.dropout,
        candidate.modules,
        candidate.blocks,
        candidate.heads,
    )
