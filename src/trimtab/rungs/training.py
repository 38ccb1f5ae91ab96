"""What the rungs that train have in common: settings, held-out rows, and what passes over tune cost."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.adjust.loop import Settings, Training
from trimtab.candidates import Trained
from trimtab.prepare import rows_of
from trimtab.records import TokenRow
from trimtab.rungs.workshop import Speed, Workshop

# Cost of an update relative to a forward pass over the same tokens: forward, backward to every activation, and the
# low-rank products. Where the last blocks only are trained, a backward pass through those; and from the second epoch
# on, no forward pass below them.
UPDATE = 2.8
LAST_THIRD = 1.6
LAST_THIRD_AGAIN = 0.95
# Held-out rows whose loss is followed for the curve alone; all of select where it decides when to stop.
CURVE_ROWS = 16


def settings(shop: Workshop, candidate: Trained) -> Settings:
    """The training settings of a candidate."""
    recipe = shop.prepared.recipe
    own = {"epochs": candidate.epochs, "learning_rate": candidate.learning_rate}
    merged = recipe.training.model_dump() | {key: value for key, value in own.items() if value is not None}
    return Settings(**merged, seed=recipe.seed)


def held_out(shop: Workshop, how: Settings) -> Sequence[TokenRow]:
    """Rows of select whose loss is followed."""
    rows = rows_of(shop.prepared, shop.base, "select")
    return rows if how.patience else rows[:CURVE_ROWS]


def seconds(shop: Workshop, candidate: Trained, speed: Speed, *, partial: bool) -> float:
    """Time that training takes; `partial` where nothing below the trained blocks needs a backward pass."""
    epochs = candidate.epochs or shop.prepared.recipe.training.epochs
    if not partial:
        return epochs * UPDATE * speed.epoch
    return (min(epochs, 1) * LAST_THIRD + max(epochs - 1, 0) * LAST_THIRD_AGAIN) * speed.epoch


def cost(training: Training) -> dict[str, float]:
    """What a training cost, as the record has it."""
    return {"seconds": training.seconds, "tokens": training.tokens, "peak_bytes": training.peak_bytes}
