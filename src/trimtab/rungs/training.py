"""What the rungs that train have in common: settings, rows and what goes with them, and what passes over tune cost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from trimtab.adjust.loop import Settings, Training
from trimtab.adjust.regularisers import Beside
from trimtab.candidates import Trained
from trimtab.data import certificate, counterfactual
from trimtab.data.cache import cached_rows
from trimtab.errors import RecipeError
from trimtab.model import sites
from trimtab.model.embedded import cache_folder
from trimtab.prepare import rows_of
from trimtab.records import Example, TokenRow
from trimtab.rungs import augmenting, preferring, replay
from trimtab.rungs.workshop import Speed, Workshop

T = TypeVar("T")

# Cost of an update relative to a forward pass over the same tokens: forward, backward to every activation, and the
# low-rank products. Where the last blocks only are trained, a backward pass through those; and from the second epoch
# on, no forward pass below them.
UPDATE = 2.8
LAST_THIRD = 1.6
LAST_THIRD_AGAIN = 0.95
THIRD = 1 / 3
# A penalty on the divergence from the base: its forward pass, and the heads of both computed twice.
DIVERGENCE = 1.4
# Held-out rows whose loss is followed for the curve alone; all of select where it decides when to stop.
CURVE_ROWS = 16
# What a candidate may set instead of the recipe's training.
OWN = (
    "epochs",
    "learning_rate",
    "batch_size",
    "patience",
    "replay",
    "kl",
    "counterfactual",
    "balance",
    "seed",
    "loss",
    "beta",
    "undesirable",
)
# What a loss of preferences is not trained with: the base is held to by its beta, and other rows have no pairs.
NOT_WITH_PAIRS = ("replay", "kl", "counterfactual", "balance")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a candidate is trained on: rows, what goes with them, and what the record says of that.

    how: the settings, with epochs that come to as many updates as without augmented rows: what these do would else be
    taken for what more training does. made: the augmented examples among those of the rows.
    """

    rows: list[TokenRow]
    beside: Beside
    how: Settings
    told: Mapping[str, Any]
    made: Sequence[Example] = ()


def settings(shop: Workshop, candidate: Trained) -> Settings:
    """The training settings of a candidate.

    Raises:
        RecipeError: a loss of preferences with penalties or other rows.
    """
    recipe = shop.prepared.recipe
    own = {name: getattr(candidate, name) for name in OWN}
    merged = recipe.training.model_dump() | {"seed": recipe.seed}
    merged |= {key: value for key, value in own.items() if value is not None}
    merged["counterfactual"] = merged["counterfactual"] or merged["balance"] > 0
    also = [name for name in NOT_WITH_PAIRS if merged[name]]
    if candidate.loss != "sft" and also:
        raise RecipeError(
            f"loss {candidate.loss}: not available together with {', '.join(also)}",
            "leave these out: beta is what holds the candidate to the base",
        )
    return Settings(**merged, augment=augmenting.learned_by(recipe, candidate))


def lesson(shop: Workshop, how: Settings, examples: Sequence[Example] | None = None) -> Lesson:
    """Rows of tune, or of these examples of it, with what the settings ask for: augmented, twins, replayed.

    Raises:
        RecipeError: counterfactuals are asked for, and no example names a group of people.
        RecipeError, MissingPart: nothing could be augmented, or what it needs is not installed.
    """
    if how.loss != "sft":
        return _preferences(shop, how)
    if examples is None:
        examples, rows = shop.prepared.parts["tune"], rows_of(shop.prepared, shop.base, "tune")
    else:
        rows = _rendered(shop, examples)
    told: dict[str, Any] = {}
    twins: dict[int, TokenRow] = {}
    if how.counterfactual:
        twins = _twins(shop, examples, rows)
        told["counterfactual_rows"] = len(twins)
    made: Sequence[Example] = ()
    if how.augment:
        made, more, told["augmented"] = _augmented(shop, examples)
        updates = [math.ceil(count / how.batch_size) for count in (len(rows), len(rows) + len(more))]
        how = dataclasses.replace(how, epochs=how.epochs * updates[0] / updates[1])
        # Behind tune's own rows, whose numbers the twins go by.
        rows = [*rows, *more]
    mixed: Sequence[TokenRow] = ()
    if how.replay:
        kept = replay.rows(shop)
        mixed, told["replay"] = kept.rows, kept.told
    return Lesson(rows, Beside(twins=twins, replay=mixed), how, told, made)


def _preferences(shop: Workshop, how: Settings) -> Lesson:
    """Pairs of tune to learn, and those of select whose loss is followed."""
    parts = shop.prepared.parts
    learned, told = preferring.pairs(shop, parts["tune"], how.loss)
    judged, _ = preferring.pairs(shop, _followed(parts["select"], how), how.loss)
    return Lesson(list(learned.chosen), Beside(pairs=learned, judged=judged), how, {"preferences": told})


def _augmented(
    shop: Workshop, examples: Sequence[Example]
) -> tuple[list[Example], list[TokenRow], dict[str, Any]]:
    """Augmented examples with their rows, and what the record says of them; those that would be cut are left out."""
    found = augmenting.rows(shop, examples)
    rendered = _rendered(shop, found.examples)
    cut = {row.example for row in rendered if row.lost}
    made = [example for example in found.examples if example.id not in cut]
    if not made:
        raise RecipeError(
            f"augment: each of {len(cut)} rows is longer than data.max_tokens allows", "raise data.max_tokens"
        )
    rows = [row for row in rendered if row.example not in cut]
    certified = certificate.certificate(rows, made, shop.base.tokenizer)
    certificate.check(certified)
    tokens = {"tokens": certified.tokens, "supervised": certified.supervised}
    return made, rows, {**augmenting.counted(made), **tokens, "too_long": len(cut), **found.told}


def _twins(shop: Workshop, examples: Sequence[Example], rows: Sequence[TokenRow]) -> dict[int, TokenRow]:
    swapped = counterfactual.augment(examples)
    if not swapped:
        raise RecipeError(
            f"counterfactual: none of the {len(examples)} examples of tune names a group of people",
            "leave counterfactual and balance out; groups/words.txt lists the words that are known",
        )
    rendered = _rendered(shop, swapped)
    certificate.check(certificate.certificate(rendered, swapped, shop.base.tokenizer))
    return counterfactual.twins(rows, swapped, rendered)


def _rendered(shop: Workshop, examples: Sequence[Example]) -> list[TokenRow]:
    longest = shop.prepared.recipe.data.max_tokens
    return cached_rows(cache_folder() / "tokens", examples, shop.base.tokenizer, max_tokens=longest)


def held_out(shop: Workshop, how: Settings) -> Sequence[TokenRow]:
    """Rows of select whose loss is followed; none where a lesson brings pairs instead."""
    if how.loss != "sft":
        return ()
    return _followed(rows_of(shop.prepared, shop.base, "select"), how)


def _followed(found: Sequence[T], how: Settings) -> Sequence[T]:
    return found if how.patience else found[:CURVE_ROWS]


def share(shop: Workshop, blocks: Sequence[int]) -> float:
    """Share of the network's blocks from the lowest of these on, which a backward pass goes through; 1 of none."""
    network = shop.base.network
    count = len(sites.block_names(network))
    return (count - sites.first_of(network, blocks)) / count


def passes(through: float) -> tuple[float, float]:
    """Cost of the first epoch and of each further one, in forward passes over all of tune.

    Args:
        through: share of the blocks that a backward pass goes through; up to a third counts as a third.
    """
    beyond = max(through - THIRD, 0.0) / (1 - THIRD)
    first, again = (cost + beyond * (UPDATE - cost) for cost in (LAST_THIRD, LAST_THIRD_AGAIN))
    return first, again


def seconds(shop: Workshop, candidate: Trained, speed: Speed, *, through: float = 1.0) -> float:
    """Time that training takes; nothing below the share `through` of the blocks needs a backward pass."""
    how = settings(shop, candidate)
    more = DIVERGENCE if how.kl else 1.0
    # Replayed rows come on top of tune's own; every row may have a twin.
    more *= 1 / (1 - how.replay) + how.counterfactual
    more *= augmenting.longer(shop.prepared.recipe) if how.augment else 1.0
    first, again = passes(through)
    updates = (min(how.epochs, 1) * first + max(how.epochs - 1, 0) * again) * more
    return (updates + preferring.passes(how.loss, how.epochs, updates)) * speed.epoch


def cost(training: Training, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a training cost, as the record has it, with what it was trained on beside tune."""
    spent = {"seconds": training.seconds, "tokens": training.tokens, "peak_bytes": training.peak_bytes}
    return {**spent, **told}
