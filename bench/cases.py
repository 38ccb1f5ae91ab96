"""The training cases: which rows, which blocks, how long; the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import rows as data
from trimtab.adjust.loop import Settings
from trimtab.records import TokenRow

BATCH = 8
RANK, ALPHA = 16, 32
LEARNING_RATE = 5e-4
MEDQUAD_TOKENS = 512
INPUTS, PLAIN_ROWS = 60, 120
WARM_ROWS = 2 * BATCH
DEV_INPUTS, DEV_ROWS = 40, 24


@dataclass(frozen=True)
class Case:
    """One training; `last` blocks have adapters, 0 for all."""

    source: Literal["e2e", "medquad"]
    last: int
    epochs: int

    def rows(self, tokenizer: Any, count: int = 0) -> list[TokenRow]:
        """The rows that are learned from, or the first `count` of them."""
        if self.source == "e2e":
            found = data.e2e_rows(tokenizer, 0, INPUTS)
        else:
            found = data.medquad_rows(tokenizer, 0, PLAIN_ROWS, MEDQUAD_TOKENS)
        return found[: count or None]

    def warm_rows(self, tokenizer: Any) -> list[TokenRow]:
        """Rows of the same kind, none of them among `rows`, for two uncounted updates."""
        if self.source == "e2e":
            return data.e2e_rows(tokenizer, INPUTS, INPUTS + 5)[:WARM_ROWS]
        start = PLAIN_ROWS + DEV_ROWS
        return data.medquad_rows(tokenizer, start, start + WARM_ROWS, MEDQUAD_TOKENS)

    def dev_rows(self, tokenizer: Any) -> list[TokenRow]:
        """Rows that nothing is learned from, on which the trained networks are compared."""
        if self.source == "e2e":
            return data.e2e_dev_rows(tokenizer, DEV_INPUTS)
        return data.medquad_rows(tokenizer, PLAIN_ROWS, PLAIN_ROWS + DEV_ROWS, MEDQUAD_TOKENS)

    def settings(self, seed: int, epochs: float = 0) -> Settings:
        """AdamW, linear rate to 0 without warm-up, clipped to 1."""
        return Settings(
            epochs=epochs or self.epochs,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            schedule="linear",
            warmup=0.0,
            clip=1.0,
            seed=seed,
        )


CASES = {
    "lora-shared": Case("e2e", 0, 1),
    "lora-last6": Case("e2e", 6, 3),
    "lora-plain": Case("medquad", 0, 1),
}
