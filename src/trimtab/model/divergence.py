"""How far a network has moved from another one, token by token: the divergence of what they say next.

    KL(p0 || p) = sum over v of p0(v) (log p0(v) - log p(v))    nats, 0 where both say the same

over the whole vocabulary, with p0 held fixed. Kullback and Leibler 1951, eq. 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.utils.checkpoint

from trimtab.model import head


@dataclass(frozen=True, slots=True)
class Said:
    """What a network says after U nodes, without a gradient and for later.

    Attributes:
        states: (U, hidden size) last hidden states; logits (U, vocabulary) where `weight` is None.
        weight: (vocabulary, hidden size) the head's, and its bias (vocabulary,) if it has one.
    """

    states: torch.Tensor
    weight: torch.Tensor | None
    bias: torch.Tensor | None


def said(network: Any, states: torch.Tensor) -> Said:
    """Keep what `pack.head_states` gave of a network as it is now."""
    if not head.is_plain(network):
        return Said(states.detach(), None, None)
    own = network.get_output_embeddings()
    return Said(states.detach(), own.weight.data, None if own.bias is None else own.bias.data)


def compared(
    network: Any, states: torch.Tensor, other: Said, sources: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of each scored token (M,), and KL(other || network) where it is predicted (M,); nats, float32.

    Logits live for one chunk of nodes and are computed again for the gradient.

    Args:
        states: (U, ...) of `pack.head_states` for this network.
        sources: (M,) int64, the row of `states` that predicts each token.
        targets: (M,) int64, the tokens.
    """
    own = network.get_output_embeddings() if other.weight is not None else None
    if own is not None:
        states = states.to(own.weight.dtype)
    values, divergences, order = [], [], []
    for start in range(0, len(states), head.CHUNK):
        rows = states[start : start + head.CHUNK]
        here = torch.nonzero((sources >= start) & (sources < start + len(rows)))[:, 0]
        there = Said(other.states[start : start + head.CHUNK], other.weight, other.bias)
        value, apart = torch.utils.checkpoint.checkpoint(
            _chunk, own, rows, there, sources[here] - start, targets[here], use_reentrant=False
        )
        values.append(value)
        divergences.append(apart)
        order.append(here)
    back = torch.cat(order).argsort()
    return torch.cat(values)[back], torch.cat(divergences)[back]


def of_logits(
    logits: torch.Tensor, other: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same from logits (M, vocabulary) before each token (M,)."""
    own, fixed = logits.float().log_softmax(-1), other.float().log_softmax(-1)
    apart = (fixed.exp() * (fixed - own)).sum(-1)
    return own.gather(-1, targets[:, None])[:, 0], apart


def _chunk(
    own: Any, rows: torch.Tensor, other: Said, at: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    logits = rows if own is None else own(rows)
    fixed = other.states
    if other.weight is not None:
        fixed = torch.nn.functional.linear(fixed.to(other.weight.dtype), other.weight, other.bias)
    mine, theirs = logits.float().log_softmax(-1), fixed.float().log_softmax(-1)
    apart = (theirs.exp() * (theirs - mine)).sum(-1)
    return mine[at, targets], apart[at]
