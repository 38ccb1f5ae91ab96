"""Rows that are far longer or shorter than the rest, and rows that the model would not read to their end."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.audit.findings import Hit, Row
from trimtab.data.render import render
from trimtab.errors import MaskError, ModelError
from trimtab.model import load
from trimtab.records import TokenRow

# Quartile ranges beyond a quartile, on a logarithmic scale: Tukey's "far out" (Exploratory Data Analysis, 1977, 2D).
FAR = 3.0
# A range of nothing would call every other length an outlier: a quarter more or less is the least that counts.
NARROWEST = float(np.log(1.25))
_FEWEST = 20
_BATCH = 64
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def words_of(row: Row) -> tuple[int, int]:
    """How many words, parted by white space, a row's prompt and its answers have."""
    prompt = sum(len(text.text.split()) for text in row.texts if text.side == "prompt")
    return prompt, sum(len(text.text.split()) for text in row.texts if text.side == "answer")


def outlying(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """Which of some lengths (n,) are far out, as (n,) bool: none of fewer than 20, none of length 0."""
    lengths = np.log1p(np.asarray(counts, dtype=np.float64))
    held = lengths[lengths > 0]
    if held.size < _FEWEST:
        return np.zeros(lengths.shape, dtype=bool)
    low, high = np.quantile(held, (0.25, 0.75))
    reach = FAR * max(high - low, NARROWEST)
    far: np.ndarray = (lengths > 0) & ((lengths < low - reach) | (lengths > high + reach))
    return far


def outlier_lengths(
    numbers: Sequence[int] | np.ndarray,
    prompts: Sequence[int] | np.ndarray,
    answers: Sequence[int] | np.ndarray,
) -> Iterator[Hit]:
    """`outlier_length`, for rows by number (n,) with words of the prompt (n,) and of the answers (n,)."""
    for side, counts in (("prompt", np.asarray(prompts)), ("answer", np.asarray(answers))):
        middle = float(np.median(counts[counts > 0])) if np.any(counts > 0) else 0.0
        for place in np.flatnonzero(outlying(counts)):
            held = int(counts[int(place)])
            note = f"{side} of {held} word{'s' if held != 1 else ''}, where {middle:g} are usual"
            yield Hit("outlier_length", int(numbers[int(place)]), note=note)


def quantiles(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Quantiles of some figures by name (0.01 to 0.99), with `mean` and `n`; only n where there are none."""
    held = np.asarray(values, dtype=np.float64)
    held = held[np.isfinite(held)]
    if not held.size:
        return {"n": 0}
    found = {
        f"{part:g}": float(value)
        for part, value in zip(_QUANTILES, np.quantile(held, _QUANTILES), strict=True)
    }
    return {"n": int(held.size), "mean": float(held.mean()), **found}


@dataclass(frozen=True, slots=True)
class Truncated:
    """`truncated`, for a model by its name; every process that looks at rows reads the tokenizer once.

    Attributes:
        model: as a recipe names it.
        limit: longest row, in tokens.
    """

    model: str
    limit: int

    @classmethod
    def of(cls, model: str, limit: int = 0) -> Truncated:
        """The check for a model; rows are held to the lower of the limit and what the model reads.

        Args:
            limit: in tokens; 0: what the model reads.

        Raises:
            ModelError: no such model, or it does not say how much it reads and no limit is given.
            MaskError: its tokenizer has no chat template.
            MissingPart: torch or transformers are not installed.
        """
        tokenizer, reads = _tokenizer(model)
        if not tokenizer.chat_template:
            raise MaskError(
                f"model {model}: its tokenizer has no chat template, so that no row can be rendered",
                "name the instruction-tuned version of the model",
            )
        if not limit and not reads:
            raise ModelError(
                f"model {model}: it does not say how many tokens it reads", "give the limit: limit=1024"
            )
        return cls(model, min(found for found in (limit, reads) if found))

    def __call__(self, row: Row) -> Iterator[Hit]:
        """A hit where training would lose the end of a row."""
        yield from truncated([row], _tokenizer(self.model)[0], self.limit)


@functools.lru_cache(maxsize=1)
def _tokenizer(model: str) -> tuple[Any, int]:
    return load.tokenizer(model)


def truncated(rows: Iterable[Row], tokenizer: Any, limit: int) -> Iterator[Hit]:
    """`truncated`: rows of which training would lose the end, rendered as training renders them.

    Rows that the model's template does not take are left out: training names them.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        limit: longest row, in tokens.

    Raises:
        MaskError: the tokenizer has no chat template.
    """
    batch: list[Row] = []
    for row in rows:
        if row.example is None or not row.example.references or not row.example.messages:
            continue
        batch.append(row)
        if len(batch) == _BATCH:
            yield from _cut(batch, tokenizer, limit)
            batch = []
    yield from _cut(batch, tokenizer, limit)


def _cut(batch: Sequence[Row], tokenizer: Any, limit: int) -> Iterator[Hit]:
    if not batch:
        return
    examples = [row.example for row in batch if row.example]
    try:
        rendered = iter(render(examples, tokenizer, max_tokens=limit))
    except MaskError:
        if len(batch) == 1 and tokenizer.chat_template:
            return
        if len(batch) == 1:
            raise
        for row in batch:
            yield from _cut([row], tokenizer, limit)
        return
    for row, example in zip(batch, examples, strict=True):
        mine: list[TokenRow] = [next(rendered) for _ in example.references]
        worst = max(mine, key=lambda one: one.lost)
        if worst.lost:
            note = f"{worst.lost} of {worst.lost + len(worst.ids)} tokens beyond the limit of {limit}"
            yield Hit("truncated", row.number, note=note)
