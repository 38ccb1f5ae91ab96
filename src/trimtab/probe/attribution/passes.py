"""Readings of one prompt in as few passes of the network as it allows.

The answers of a contrast follow the same prompt; so they are laid out as branches of one tree after it, and the prompt
is run once, forward and backward, for both. A network that does not keep branches apart is given one answer at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.model import attention
from trimtab.model.load import Base
from trimtab.model.pack import inputs, pack, tree_is_exact
from trimtab.probe.attribution.targets import Reading
from trimtab.records import TokenRow


@dataclass(frozen=True, slots=True)
class Pass:
    """Some of a target's readings in one pass.

    Attributes:
        ids: (1, P) what the network is given, the T tokens of the prompt first.
        value: from ids (rows, P) whose prompts may differ to the readings' weighted sum (rows,), nats.
    """

    ids: torch.Tensor
    value: Callable[[torch.Tensor], torch.Tensor]


def row(ids: NDArray[np.int64], reading: Reading) -> TokenRow:
    """A reading's answer after a prompt (T,), with the tokens marked that are read."""
    marked = np.concatenate([np.zeros(len(ids), dtype=bool), reading.marked])
    return TokenRow("", np.concatenate([ids, reading.ids]), marked)


def passes(base: Base, ids: NDArray[np.int64], readings: Sequence[Reading]) -> list[Pass]:
    """One pass for all readings after a prompt of token ids (T,), or one for each."""
    rows = [row(ids, reading) for reading in readings]
    if len(rows) > 1 and tree_is_exact(base.network, rows):
        return [_branched(base, rows, readings)]
    return [_alone(base, one, reading) for one, reading in zip(rows, readings, strict=True)]


def _alone(base: Base, given: TokenRow, reading: Reading) -> Pass:
    device = base.network.device
    # The logits at a place predict the token after it.
    places = torch.from_numpy(np.flatnonzero(given.supervised) - 1).to(device)

    def value(ids: torch.Tensor) -> torch.Tensor:
        logits = base.network(input_ids=ids, use_cache=False, logits_to_keep=places).logits
        return reading.weight * reading.value(logits)

    return Pass(torch.from_numpy(given.ids)[None].to(device), value)


def _branched(base: Base, rows: Sequence[TokenRow], readings: Sequence[Reading]) -> Pass:
    tree = pack(rows)
    given = inputs(tree, base.network)
    heads = torch.from_numpy(tree.heads).to(base.network.device)
    places = [torch.from_numpy(tree.sources[tree.rows == k]).to(heads.device) for k in range(len(rows))]

    def value(ids: torch.Tensor) -> torch.Tensor:
        mask = given["attention_mask"].expand(len(ids), -1, -1, -1)
        positions = given["position_ids"].expand(len(ids), -1)
        with attention.attending(base.network):
            logits = base.network(
                input_ids=ids,
                position_ids=positions,
                attention_mask=mask,
                use_cache=False,
                logits_to_keep=heads,
            ).logits
        parts = [one.weight * one.value(logits[:, at]) for one, at in zip(readings, places, strict=True)]
        return torch.stack(parts).sum(0)

    return Pass(given["input_ids"], value)
