"""Watermarks by transformers' own processors: put into answers row by row, and read from a text again.

- green-list (Kirchenbauer et al. 2023, arXiv 2301.10226): the token before divides the vocabulary into green and red
  by the key; the logits of green tokens are raised. Greedy answers are marked too.
- synthid (Dathathri et al. 2024, Nature 634, 818-823): a tournament of rounds among likely tokens, decided by the key
  and the tokens before. On average over keys the distribution stays as it was. It needs chance: greedy answers stay
  as they are, unmarked.

Both come last, after temperature and truncation, as in `generate`. All of it is computed on the processor, because a
GPU's generator would draw other lists of the same key.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from transformers import SynthIDTextWatermarkingConfig, WatermarkingConfig
from transformers.generation.logits_process import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from trimtab.model.choose import COLDEST
from trimtab.records import Mark, Sampling

# Most tokens that take part in a tournament: over a whole vocabulary it takes longer than the network does.
CONTENDERS = 256
# Logits below the greatest that have no chance: exp(-100) is 4e-44.
NEVER = 100.0
# Lists of green tokens that are kept: the same tokens come before others again and again.
LISTS = 512
# Contexts that a repetition is looked for among, as transformers does.
REMEMBERED = 1024
# What SynthID's hash of tokens is read by: its last 16 bits.
TABLE = 2**16


def config(mark: Mark) -> Any:
    """The mark as transformers' `generate(watermarking_config=...)` takes it; everything secret comes from the key."""
    if mark.scheme == "green-list":
        return WatermarkingConfig(
            greenlist_ratio=mark.share, bias=mark.bias, hashing_key=_numbers(mark, "hashing key", 62, 1)[0]
        )
    return SynthIDTextWatermarkingConfig(
        ngram_len=mark.ngram,
        # Keys that are equal in their last 16 bits would decide alike: the table is read by those alone.
        keys=_numbers(mark, "keys", 16, mark.depth),
        sampling_table_size=TABLE,
        sampling_table_seed=_numbers(mark, "table", 62, 1)[0],
        context_history_size=REMEMBERED,
    )


def marks(sampling: Sampling) -> bool:
    """Whether answers that are drawn so carry a watermark: of greedy ones with synthid, none does."""
    mark = sampling.mark
    return mark is not None and (mark.scheme == "green-list" or _warm(sampling))


def _warm(sampling: Sampling) -> bool:
    """Whether there is anything to chance: what `choose` takes for greedy is greedy here."""
    return sampling.temperature >= COLDEST


def unmarked(sampling: Sampling) -> Sampling:
    """How to draw from scores that `Marking` has made: temperature and truncation are in them."""
    if not marks(sampling):
        return sampling
    warm = 1.0 if _warm(sampling) else 0.0
    return replace(sampling, temperature=warm, top_k=0, top_p=1.0, min_p=0.0)


class Marking:
    """The mark of one answer in the making, which knows the tokens before the next one."""

    def __init__(self, sampling: Sampling, mark: Mark, before: int) -> None:
        """Begin after the prompt, whose last token is `before`."""
        self._sampling, self._mark, self._last = sampling, mark, before
        self._context = deque([0] * (mark.ngram - 1), maxlen=mark.ngram - 1)
        self._seen: deque[tuple[int, ...]] = deque(maxlen=REMEMBERED)

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        """What to draw the next token from, (vocabulary,), given the logits after penalties."""
        if self._mark.scheme == "green-list":
            scores = self._truncated(logits) if _warm(self._sampling) else logits
            green = _green(replace(self._mark, bias=1.0), self._last).to(logits.device)
            return torch.where(green, scores + self._mark.bias, scores)
        return self._tournament(logits)

    def said(self, token: int) -> None:
        """Go on behind a token that was drawn."""
        self._last = token
        self._context.append(token)

    def _tournament(self, logits: torch.Tensor) -> torch.Tensor:
        most = min(CONTENDERS, self._sampling.top_k or CONTENDERS, len(logits))
        likely, tokens = (logits / self._sampling.temperature).topk(most)
        scores = self._cut(likely[None])
        context = tuple(self._context)
        repeated = context in self._seen
        self._seen.append(context)
        if not repeated:
            processor = _processor(self._mark)
            kept = tokens.cpu()
            before = torch.tensor(context, dtype=torch.int64).expand(most, -1)
            keys = processor.compute_ngram_keys(torch.cat([before, kept[:, None]], 1)[None])
            scores = processor.update_scores(scores.cpu(), processor.sample_g_values(keys)).to(logits.device)
        found = torch.full_like(logits, -torch.inf)
        found[tokens] = scores[0]
        return _bounded(found)

    def _truncated(self, logits: torch.Tensor) -> torch.Tensor:
        scores = logits[None] / self._sampling.temperature
        if self._sampling.top_k:
            scores = TopKLogitsWarper(self._sampling.top_k)(None, scores)
        return _bounded(self._cut(scores)[0])

    def _cut(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores (1, tokens) without what top-p and min-p cut off, which is -inf."""
        if self._sampling.top_p < 1:
            scores = TopPLogitsWarper(self._sampling.top_p)(None, scores)
        return MinPLogitsWarper(self._sampling.min_p)(None, scores) if self._sampling.min_p else scores


@dataclass(frozen=True)
class Evidence:
    """What a text shows of a mark.

    Attributes:
        values: of each token that counts (n,): green-list 1 where it is green; synthid the weighted share of rounds
            that it wins, later rounds less. Of pairs or contexts that are repeated, the first alone counts.
        mean, sd: of a value in a text that was written without the key.
    """

    values: np.ndarray
    mean: float
    sd: float


def evidence(mark: Mark, tokens: Sequence[int]) -> Evidence:
    """What the tokens of a text show of a mark, the first of them only as those before others."""
    return _greens(mark, tokens) if mark.scheme == "green-list" else _won(mark, tokens)


def _greens(mark: Mark, tokens: Sequence[int]) -> Evidence:
    plain = replace(mark, bias=1.0)
    # In order, so that each list is drawn once. A tokenizer may know tokens that the network never says.
    pairs = [pair for pair in sorted(set(itertools.pairwise(tokens))) if max(pair) < mark.vocabulary]
    values = np.array([bool(_green(plain, before)[token]) for before, token in pairs], dtype=np.float64)
    share = int(mark.vocabulary * mark.share) / mark.vocabulary
    return Evidence(values, share, (share * (1 - share)) ** 0.5)


def _won(mark: Mark, tokens: Sequence[int]) -> Evidence:
    processor, weights = _processor(mark), _weights(mark.depth)
    mean, sd = _chance(mark)
    if len(tokens) < mark.ngram:
        return Evidence(np.zeros(0), mean, sd)
    ids = torch.tensor([list(tokens)])
    rounds = processor.compute_g_values(ids)[0].numpy()
    first = processor.compute_context_repetition_mask(ids)[0].numpy()
    return Evidence(rounds[first] @ weights, mean, sd)


@functools.lru_cache(maxsize=16)
def _chance(mark: Mark) -> tuple[float, float]:
    """Mean and standard deviation of a token's value where it has nothing to do with the key.

    A token's value depends on the last 16 bits of its hash alone, so that all there are can be looked at.
    """
    processor = _processor(mark)
    hashes = torch.arange(TABLE)[:, None].expand(-1, mark.depth)
    rounds = processor.sample_g_values(processor.accumulate_hash(hashes, processor.keys[None, :, None])[None])
    values = rounds[0].numpy() @ _weights(mark.depth)
    return float(values.mean()), float(values.std())


def _weights(depth: int) -> np.ndarray:
    """Weights of the rounds (depth,), from 10 to 1, with sum 1: the weighted mean of SynthID's own detector."""
    raw = np.linspace(10.0, 1.0, depth)
    weights: np.ndarray = raw / raw.sum()
    return weights


@functools.lru_cache(maxsize=16)
def _processor(mark: Mark) -> Any:
    return config(mark).construct_processor(mark.vocabulary, "cpu")


@functools.lru_cache(maxsize=LISTS)
def _green(mark: Mark, before: int) -> torch.Tensor:
    """Which tokens are green behind a token, (vocabulary,) bool; of a mark with bias 1."""
    nothing = torch.zeros(1, mark.vocabulary)
    green: torch.Tensor = _processor(mark)(torch.tensor([[before]]), nothing)[0] > 0
    return green


def _bounded(scores: torch.Tensor) -> torch.Tensor:
    """Scores (tokens,) whose least are too small to be drawn, but numbers."""
    return scores.clamp(min=float(scores.max()) - NEVER)


def _numbers(mark: Mark, purpose: str, bits: int, count: int) -> list[int]:
    """Different numbers of so many bits, drawn from the key for one purpose."""
    size = -(-bits // 8)
    stream = hashlib.shake_256(f"{mark.scheme} {purpose} {mark.key}".encode()).digest(64 * size * count)
    drawn = (int.from_bytes(stream[at : at + size], "big") % 2**bits for at in range(0, len(stream), size))
    return list(dict.fromkeys(drawn))[:count]
