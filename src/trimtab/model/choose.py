"""From logits to the next token: penalties, temperature, truncation, and a draw that does not depend on the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch

from trimtab.records import Sampling

# Most likely tokens that are looked at, more where fewer do not tell the draw.
HEAD = 64
WIDER = (1024, 8192)


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
        seen: (rows, vocabulary) bool.
        penalty: (rows,); above 1 discourages, 1 changes nothing.
    """
    changed = torch.where(logits > 0, logits / penalty[:, None], logits * penalty[:, None])
    return torch.where(seen, changed, logits)


def choose(logits: torch.Tensor, settings: Settings, uniforms: torch.Tensor) -> torch.Tensor:
    """The next token of each row, (rows,) int64; temperature 0 takes the most likely one.

    The order of steps is transformers': temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al.
    2024). The draw inverts the cumulative distribution, most likely tokens first, at one uniform number a row, so it
    needs only as many of them as reach the number.

    Args:
        logits: (rows, vocabulary) float32, after penalties.
        uniforms: (rows,) float64 in [0, 1).
    """
    tokens = logits.argmax(-1)
    drawn = torch.nonzero(settings.temperature > 0)[:, 0]
    if not len(drawn):
        return tokens
    chosen, some = settings.take(drawn), uniforms[drawn]
    scores = logits[drawn] / chosen.temperature[:, None]
    total = scores.logsumexp(-1, keepdim=True)
    found = torch.full((len(drawn),), -1, device=logits.device)
    free = (chosen.top_k == 0) & (chosen.top_p >= 1) & (chosen.min_p == 0)
    for width in (HEAD, *WIDER, logits.shape[-1]):
        rest = torch.nonzero((found < 0) & ~(free & (width > HEAD)))[:, 0]
        width = min(width, logits.shape[-1])
        if len(rest):
            found[rest] = _within(scores[rest], total[rest], chosen.take(rest), some[rest], width)
    rest = torch.nonzero(found < 0)[:, 0]
    if len(rest):
        found[rest] = _beyond(scores[rest], total[rest], some[rest])
    tokens[drawn] = found
    return tokens


def _within(
    scores: torch.Tensor, total: torch.Tensor, settings: Settings, uniforms: torch.Tensor, width: int
) -> torch.Tensor:
    """The token drawn from each row if its `width` most likely ones tell it, else -1."""
    values, tokens = scores.topk(width, dim=-1)
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
    chosen = tokens.gather(-1, torch.minimum(place, last)[:, None])[:, 0]
    return torch.where(known, chosen, -1)


def _beyond(scores: torch.Tensor, total: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """The token drawn from rows that nothing is cut from, when it is none of the `HEAD` most likely.

    The others follow in the order of the vocabulary, which saves sorting them.
    """
    values, tokens = scores.topk(min(HEAD, scores.shape[-1]), dim=-1)
    mass = (values - total).exp().double().sum(-1)
    others = (scores - total).exp().scatter_(-1, tokens, 0.0).double()
    reach = others.cumsum(-1)
    # Rounding may leave the number above the last of them.
    wanted = torch.minimum(uniforms - mass, reach[:, -1] * (1 - 1e-12))
    place = torch.searchsorted(reach, wanted[:, None], right=True)[:, 0]
    return place.clamp(max=scores.shape[-1] - 1)
