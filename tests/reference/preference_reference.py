"""DPO and KTO written down from their formulas, row by row: one pass for each answer, no tree, no batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from trimtab.records import TokenRow


def answer_logprob(network: Any, row: TokenRow) -> torch.Tensor:
    """log p(answer | prompt), the sum over the marked tokens."""
    total = torch.zeros((), dtype=torch.float64)
    logits = network(torch.from_numpy(row.ids)[None]).logits[0].double()
    for place in range(1, len(row.ids)):
        if row.supervised[place]:
            before = logits[place - 1]
            total = total + before[row.ids[place]] - torch.logsumexp(before, 0)
    return total


def ratio(network: Any, base: Any, row: TokenRow) -> torch.Tensor:
    """log p(answer | prompt) - log p0(answer | prompt)."""
    with torch.no_grad():
        fixed = answer_logprob(base, row)
    return answer_logprob(network, row) - fixed


def dpo(
    network: Any, base: Any, chosen: Sequence[TokenRow], rejected: Sequence[TokenRow], beta: float
) -> torch.Tensor:
    """Equation 7 of Rafailov et al. 2023."""
    losses = []
    for good, bad in zip(chosen, rejected, strict=True):
        margin = beta * ratio(network, base, good) - beta * ratio(network, base, bad)
        losses.append(torch.log(1 + torch.exp(-margin)))
    return torch.stack(losses).mean()


def kto(
    network: Any,
    base: Any,
    sides: Sequence[Sequence[TokenRow]],
    beta: float,
    undesirable: float,
) -> torch.Tensor:
    """Equation 8 of Ethayarajh et al. 2024; sides: chosen, rejected, and the mismatched rows of both."""
    chosen, rejected, *others = sides
    with torch.no_grad():
        apart = [float(ratio(network, base, row)) for side in others for row in side]
    z = max(0.0, math.fsum(apart) / len(apart))
    losses = []
    for row in chosen:
        losses.append(1 - 1 / (1 + torch.exp(-beta * (ratio(network, base, row) - z))))
    for row in rejected:
        losses.append(undesirable * (1 - 1 / (1 + torch.exp(-beta * (z - ratio(network, base, row))))))
    return torch.stack(losses).mean()
