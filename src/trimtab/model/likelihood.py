"""How likely the model finds given answers; prompts that begin alike are run once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from trimtab.model.load import Base, prompt_ids
from trimtab.model.pack import packs, plain_logprobs, token_logprobs, tree_is_exact
from trimtab.records import Message, TokenRow

BUDGET = 512


@torch.no_grad()
def logprobs(
    base: Base,
    rows: Sequence[TokenRow],
    *,
    budget: int = BUDGET,
    report: Callable[[int, int], None] | None = None,
) -> list[tuple[float, int]]:
    """Total log-probability (nats) of the supervised tokens of each row, and their number.

    Args:
        budget: tokens in one forward pass.
        report: called with rows read, rows in all.
    """
    if not rows:
        return []
    totals = np.zeros(len(rows))
    counts = np.zeros(len(rows), dtype=np.int64)
    shared = tree_is_exact(base.network, rows)
    read = base.trunk.reading(base.network) if base.trunk else token_logprobs
    done = 0
    for numbers, tree in packs(rows, budget):
        if shared:
            values = read(base.network, tree).double().cpu().numpy()
        else:
            values = (
                torch.cat([plain_logprobs(base.network, rows[i]) for i in numbers]).double().cpu().numpy()
            )
        owners = np.array(numbers)[tree.rows]
        np.add.at(totals, owners, values)
        np.add.at(counts, owners, 1)
        done += len(numbers)
        if report:
            report(done, len(rows))
    return [(float(total), int(count)) for total, count in zip(totals, counts, strict=True)]


def answers(
    base: Base,
    pairs: Sequence[tuple[Sequence[Message], str]],
    *,
    report: Callable[[int, int], None] | None = None,
) -> list[tuple[float, int]]:
    """Log-probability (nats) and number of tokens of each answer after its prompt.

    Without messages the answer is plain text, scored from its second token on.
    """
    return logprobs(base, [row(base, messages, answer) for messages, answer in pairs], report=report)


def row(base: Base, messages: Sequence[Message], answer: str) -> TokenRow:
    """The tokens of an answer after its prompt, the answer's marked; without a token that ends the turn."""
    prompt = prompt_ids(base.tokenizer, list(messages)) if messages else []
    tail = list(base.tokenizer(answer, add_special_tokens=False)["input_ids"])
    supervised = np.array([False] * len(prompt) + [True] * len(tail))
    return TokenRow("", np.array(prompt + tail, dtype=np.int64), supervised)
