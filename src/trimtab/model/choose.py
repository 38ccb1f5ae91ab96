"""From logits to the next token: penalties, temperature, truncation, and a draw that does not depend on the batch."""

from __future__ import annotations

import numpy as np
import torch

from trimtab.records import Sampling

HEAD = 256


def penalise(logits: torch.Tensor, seen: torch.Tensor, penalty: float | torch.Tensor) -> torch.Tensor:
    """Repetition penalty (Keskar et al. 2019, CTRL, section 4.1) on tokens of the prompt and the answer.

    Args:
        logits: (rows, vocabulary).
        seen: (rows, vocabulary) bool.
        penalty: above 1 discourages, 1 changes nothing; one, or one for each row (rows, 1).
    """
    changed = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen, changed, logits)


def choose(logits: torch.Tensor, sampling: Sampling, uniforms: np.ndarray) -> torch.Tensor:
    """The next token of each row, (rows,) int64.

    The order of steps is transformers': temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al.
    2024). The draw inverts the cumulative distribution at one uniform number per row.

    Args:
        logits: (rows, vocabulary) float32, after penalties.
        uniforms: (rows,) in [0, 1).
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    scores = logits / sampling.temperature
    if not (sampling.top_k or sampling.top_p < 1 or sampling.min_p):
        return _invert(scores.softmax(-1), uniforms)
    probabilities, tokens = _sorted_head(scores, sampling)
    kept = _truncate(probabilities, sampling)
    drawn = _invert(kept / kept.sum(-1, keepdim=True), uniforms)
    return tokens.gather(-1, drawn[:, None])[:, 0]


def _sorted_head(scores: torch.Tensor, sampling: Sampling) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities in falling order with their tokens; only as many as truncation can keep."""
    vocabulary = scores.shape[-1]
    total = scores.logsumexp(-1, keepdim=True)
    if sampling.top_k:
        values, tokens = scores.topk(min(sampling.top_k, vocabulary), dim=-1)
        return values.softmax(-1), tokens
    values, tokens = scores.topk(min(HEAD, vocabulary), dim=-1)
    head = (values - total).exp()
    enough_mass = bool((head.sum(-1) >= sampling.top_p).all()) and sampling.top_p < 1
    enough_ratio = sampling.min_p > 0 and bool((head[:, -1] < sampling.min_p * head[:, 0]).all())
    if enough_mass or (enough_ratio and sampling.top_p == 1):
        return head, tokens
    values, tokens = scores.sort(dim=-1, descending=True)
    return (values - total).exp(), tokens


def _truncate(probabilities: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    kept = probabilities
    if sampling.top_p < 1:
        before = kept.cumsum(-1) - kept
        kept = torch.where(before < sampling.top_p, kept, 0.0)
        kept[:, 0] = probabilities[:, 0]
    if sampling.min_p:
        kept = torch.where(kept >= sampling.min_p * kept[:, :1], kept, 0.0)
    return kept


def _invert(probabilities: torch.Tensor, uniforms: np.ndarray) -> torch.Tensor:
    cumulative = probabilities.double().cumsum(-1)
    marks = torch.from_numpy(uniforms).to(cumulative)[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, marks, right=True)[:, 0].clamp(max=probabilities.shape[-1] - 1)
