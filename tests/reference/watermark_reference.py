"""SynthID's rounds by plain integers: the hash of the reference implementation, one n-gram at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MULTIPLIER, WORD = 6364136223846793005, 2**64


def _on(state: int, numbers: Sequence[int]) -> int:
    for number in numbers:
        state = ((state + number) * MULTIPLIER + 1) % WORD
    return state


def _weights(depth: int) -> list[float]:
    raw = [10 - 9 * layer / (depth - 1) for layer in range(depth)]
    return [one / sum(raw) for one in raw]


def won(tokens: Sequence[int], keys: Sequence[int], table: Sequence[int], ngram: int) -> list[float]:
    """The weighted share of rounds won by each token whose context is there for the first time."""
    values, seen = [], set()
    for end in range(ngram, len(tokens) + 1):
        *context, token = tokens[end - ngram : end]
        if tuple(context) in seen:
            continue
        seen.add(tuple(context))
        state = _on(1, [*context, token])
        rounds = [table[_on(state, [key]) % len(table)] for key in keys]
        values.append(sum(w * g for w, g in zip(_weights(len(keys)), rounds, strict=True)))
    return values


def chance(keys: Sequence[int], table: Sequence[int]) -> tuple[float, float]:
    """Mean and standard deviation of a token's value over all hashes that differ in what the table is read by."""
    size = len(table)
    every = [
        sum(w * table[_on(state, [key]) % size] for w, key in zip(_weights(len(keys)), keys, strict=True))
        for state in range(0, size, 1)
    ]
    return float(np.mean(every)), float(np.std(every))
