"""From logits to the next token: penalties, temperature, truncation, and a draw that does not depend on the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from trimtab.records import Sampling

# Most likely tokens that are looked at, more where fewer do not tell the draw.
HEAD = 64
WIDER = (1024, 8192)
# Temperatures below it are 0: logits divided by less are no numbers any more.
COLDEST = 1e-4


@dataclass(frozen=True, slots=True)
class Settings:
    """Decoding settings of many rows, one tensor (rows,) for each."""

    temperature: torch.Tensor
    top_k: torch.Tensor
    top_p: torch.Tensor
    min_p: torch.Tensor
    penalty: torch.Tensor

    @classmethod
    def of(cls, rows: Sequence[Sampling], device: Any) -> Settings:
        """From the settings of each row."""

        def column(values: list[float], dtype: torch.dtype = torch.float32) -> torch.Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        return cls(
            column([s.temperature for s in rows]),
            column([s.top_k for s in rows], torch.int64),
            column([s.top_p for s in rows]),
            column([s.min_p for s in rows]),
            column([s.repetition_penalty for s in rows]),
        )

    def take(self, rows: torch.Tensor) -> Settings:
        """Those of some rows."""
        return Settings(*(getattr(self, f.name)[rows] for f in fields(self)))


def penalise(logits: torch.Tensor, seen: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
    """Repetition penalty (Keskar et al. 2019, CTRL, section 4.1) on tokens of the prompt and the answer.

    Args:
        logits: (rows, vocabulary).
        seen: (rows, tokens) int64, the tokens; each may stand there more than once.
        penalty: (rows,); above 1 discourages, 1 changes nothing.
    """
    values = logits.gather(-1, seen)
    changed = torch.where(values > 0, values / penalty[:, None], values * penalty[:, None])
    return logits.scatter(-1, seen, changed)


def choose(logits: torch.Tensor, settings: Settings, uniforms: torch.Tensor) -> torch.Tensor:
    """The next token of each row, (rows,) int64; temperature 0, and below `COLDEST`, takes the most likely one.

    The order of steps is transformers': temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al.
    2024). The draw inverts the cumulative distribution, most likely tokens first, at one uniform number a row, so it
    needs only as many of them as reach the number.

    Args:
        logits: (rows, vocabulary) float32, after penalties.
        uniforms: (rows,) float64 in [0, 1).
    """
    greedy = settings.temperature < COLDEST
    if greedy.all():
        return logits.argmax(-1)
    if greedy.any():
        tokens = logits.argmax(-1)
        tokens[~greedy] = _draw(logits[~greedy], settings.take(~greedy), uniforms[~greedy])
        return tokens
    return _draw(logits, settings, uniforms)


def _draw(logits: torch.Tensor, chosen: Settings, uniforms: torch.Tensor) -> torch.Tensor:
    """`choose` for rows whose temperature is above 0."""
    scores = logits / chosen.temperature[:, None]
    total = log_total(scores)
    found = _within(scores, total, chosen, uniforms, min(HEAD, logits.shape[-1]))
    free = (chosen.top_k == 0) & (chosen.top_p >= 1) & (chosen.min_p == 0)
    for width in (*WIDER, logits.shape[-1]):
        rest = torch.nonzero((found < 0) & ~free)[:, 0]
        if len(rest):
            most = min(width, logits.shape[-1])
            found[rest] = _within(scores[rest], total[rest], chosen.take(rest), uniforms[rest], most)
    rest = torch.nonzero(found < 0)[:, 0]
    if len(rest):
        found[rest] = _beyond(scores[rest], total[rest], uniforms[rest])
    return found


def log_total(scores: torch.Tensor) -> torch.Tensor:
    """log sum exp of each row, (rows, 1); three times as fast over a large vocabulary as torch's own."""
    return scores[:, :1] - scores.log_softmax(-1)[:, :1]


def _within(
    scores: torch.Tensor, total: torch.Tensor, settings: Settings, uniforms: torch.Tensor, width: int
) -> torch.Tensor:
    """The token drawn from each row if its `width` most likely ones tell it, else -1."""
    values = _largest(scores, width)
    whole = width == scores.shape[-1]
    rank = torch.arange(width, device=scores.device)
    kept = (values - total).exp().double()
    limited = (settings.top_k > 0)[:, None]
    kept = torch.where(limited & (rank >= settings.top_k[:, None]), 0.0, kept)
    mass = torch.where(limited, kept.sum(-1, keepdim=True), 1.0)
    before = kept.cumsum(-1) - kept
    first = rank == 0
    by_mass = (before < settings.top_p.double()[:, None] * mass) | first
    by_ratio = (kept >= settings.min_p.double()[:, None] * kept[:, :1]) | first
    cut = ~(by_mass & by_ratio)
    kept = kept.masked_fill(cut, 0.0)
    # What lies beyond the width is known to be cut, or has the mass that is left.
    ended = cut.any(-1) | ((settings.top_k > 0) & (settings.top_k <= width))
    remaining = torch.where(ended | whole, kept.sum(-1), 1.0)
    reach = kept.cumsum(-1)
    place = torch.searchsorted(reach, (uniforms * remaining)[:, None], right=True)[:, 0]
    last = (kept > 0).sum(-1) - 1
    # Where something is cut, the mass of all that is kept must be known before a share of it can be found.
    free = (settings.top_k == 0) & (settings.top_p >= 1) & (settings.min_p == 0)
    known = ended | (free & (place <= last)) | whole
    if known.all():
        return _at(scores, values, torch.minimum(place, last))
    found = torch.full_like(place, -1)
    found[known] = _at(scores[known], values[known], torch.minimum(place, last)[known])
    return found


def _largest(scores: torch.Tensor, width: int) -> torch.Tensor:
    """The `width` largest scores of each row (rows, width), in falling order.

    On processors by NumPy, whose selection among a large vocabulary is 2 to 15 times as fast as torch's.
    """
    if scores.device.type != "cpu":
        return scores.topk(width, dim=-1).values
    part = scores.numpy()
    if width < part.shape[-1]:
        part = np.partition(part, -width, axis=-1)[:, -width:]
    return torch.from_numpy(np.ascontiguousarray(np.sort(part, axis=-1)[:, ::-1]))


def _at(scores: torch.Tensor, values: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """The token at a place (rows,) of each row's falling order, equal scores in the vocabulary's order."""
    wanted = values.gather(-1, place[:, None])
    earlier = place - (values > wanted).sum(-1)
    row, token = torch.nonzero(scores == wanted, as_tuple=True)
    start = torch.searchsorted(row, torch.arange(len(scores), device=row.device))
    return token[start + earlier]


def _beyond(scores: torch.Tensor, total: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """The token drawn from rows that nothing is cut from, when it is none of the `HEAD` most likely.

    The others follow in the order of the vocabulary, which saves sorting them.
    """
    values = _largest(scores, min(HEAD, scores.shape[-1]))
    mass = (values - total).exp().double().sum(-1)
    least = values[:, -1:]
    equal = scores == least
    # Of those that equal the least of the most likely, the first in the vocabulary are among these.
    inside = (values == least).sum(-1, keepdim=True)
    ahead = (scores > least) | (equal & (equal.cumsum(-1) <= inside))
    others = (scores - total).exp().masked_fill_(ahead, 0.0).double()
    reach = others.cumsum(-1)
    # Rounding may leave the number above the last of them.
    wanted = torch.minimum(uniforms - mass, reach[:, -1] * (1 - 1e-12))
    place = torch.searchsorted(reach, wanted[:, None], right=True)[:, 0]
    return place.clamp(max=scores.shape[-1] - 1)
