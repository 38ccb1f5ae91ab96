"""Log-probabilities of given answers against a plain forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model.likelihood import answers
from trimtab.model.load import Base, Choice, prompt_ids, wrap
from trimtab.records import Message

PAIRS: list[tuple[Sequence[Message], str]] = [
    ((Message("user", "Is it?"),), "yes"),
    ((Message("user", "Is it?"),), "no"),
    ((Message("system", "Short."), Message("user", "Is it?")), "yes"),
    ((), "Plain text."),
    ((Message("user", "Is it?"),), "yes"),
]


def plainly(base: Base, messages: Sequence[Message], answer: str) -> tuple[float, int]:
    prompt = prompt_ids(base.tokenizer, list(messages)) if messages else []
    ids = prompt + list(base.tokenizer(answer)["input_ids"])
    with torch.no_grad():
        logs = (
            base.network(torch.tensor([ids]), logits_to_keep=torch.arange(len(ids))).logits[0].log_softmax(-1)
        )
    places = range(max(1, len(prompt)), len(ids))
    return float(sum(logs[p - 1, ids[p]] for p in places)), len(places)


@pytest.mark.parametrize("pairs", [PAIRS, PAIRS[3:4], PAIRS[:2], PAIRS[:0]])
def test_totals_and_counts_equal_plain_passes(pairs: list[tuple[Sequence[Message], str]]) -> None:
    base = wrap(tiny_model(initializer_range=0.3), tiny_tokenizer())
    for (total, count), pair in zip(answers(base, pairs), pairs, strict=True):
        expected, number = plainly(base, *pair)
        assert total == pytest.approx(expected, abs=1e-3)
        assert count == number


class Running(torch.nn.Module):
    """A causal network without attention: trees of rows do not suit it."""

    def __init__(self) -> None:
        super().__init__()
        self.device = torch.device("cpu")
        self.table = torch.nn.Parameter(torch.randn(259, 16, generator=torch.Generator().manual_seed(0)))

    def forward(self, input_ids: torch.Tensor, logits_to_keep: torch.Tensor, **_: Any) -> SimpleNamespace:
        counts = torch.arange(1, input_ids.shape[1] + 1)[None, :, None]
        mixed = self.table[input_ids].cumsum(1) / counts
        return SimpleNamespace(logits=mixed[:, logits_to_keep] @ self.table.T)


def test_networks_that_trees_do_not_suit_are_run_row_by_row() -> None:
    given = Choice("", "")
    base = Base(Running(), tiny_tokenizer(), "running", given, given, given)
    for (total, count), pair in zip(answers(base, PAIRS), PAIRS, strict=True):
        expected, number = plainly(base, *pair)
        assert total == pytest.approx(expected, abs=1e-3)
        assert count == number
