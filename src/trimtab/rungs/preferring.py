"""Pairs of a chosen and a rejected answer, as the rungs that train learn from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from trimtab.adjust.preference import Loss, Pairs, paired
from trimtab.data import certificate
from trimtab.data.cache import cached_rows
from trimtab.errors import RecipeError
from trimtab.model.embedded import cache_folder
from trimtab.records import Example, TokenRow
from trimtab.rungs.workshop import Workshop


def pairs(shop: Workshop, examples: Sequence[Example], loss: Loss) -> tuple[Pairs, dict[str, Any]]:
    """The pairs of examples, each reference a chosen answer, and what the record says of them.

    The last answer alone is learned. Pairs whose answers are the same in the tokens that are read are left out.

    Raises:
        MaskError: chosen or rejected answers of which nothing would be learned.
        RecipeError: no two answers differ.
    """
    worse = [
        dataclasses.replace(example, references=(str(example.fields["rejected"]),)) for example in examples
    ]
    (chosen, good), (rejected, bad) = (_certified(shop, side) for side in (examples, worse))
    other = {row.example: row for row in rejected}
    kept = [row for row in chosen if not np.array_equal(row.ids, other[row.example].ids)]
    if not kept:
        raise RecipeError(
            f"loss {loss}: in each of {len(chosen)} pairs both answers are the same in the tokens that are read",
            "raise data.max_tokens, or give answers that differ",
        )
    told = {"pairs": len(kept), "alike": len(chosen) - len(kept), "chosen": good, "rejected": bad}
    return paired(kept, [other[row.example] for row in kept], loss), told


def passes(loss: Loss, epochs: float, updates: float) -> float:
    """What pairs cost beyond rows of chosen answers alone, in forward passes over the rows of tune, at most.

    Args:
        updates: what the rows alone cost over all epochs.
    """
    if loss == "sft":
        return 0.0
    # The rejected answers, and the base's pass over both; for KTO two mismatched rows as well, whenever z is.
    return updates + (4 + 2 * epochs if loss == "kto" else 2)


def _certified(shop: Workshop, examples: Sequence[Example]) -> tuple[list[TokenRow], dict[str, int]]:
    """Rows in which the last answer is marked, and how many tokens they have, learn and lack."""
    longest = shop.prepared.recipe.data.max_tokens
    rows = cached_rows(
        cache_folder() / "tokens", examples, shop.base.tokenizer, max_tokens=longest, turns="last"
    )
    found = certificate.certificate(rows, examples, shop.base.tokenizer)
    certificate.check(found)
    return rows, {"tokens": found.tokens, "supervised": found.supervised, "lost": found.lost}
