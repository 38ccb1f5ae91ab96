"""Learning from preferences: losses on pairs of a chosen and a rejected answer to one prompt.

    r      = log p(answer | prompt) - log p0(answer | prompt), in nats, summed over the answer's tokens
    DPO      mean over pairs of    -log sigmoid(beta (r_chosen - r_rejected))     Rafailov et al. 2023, eq. 7
    KTO      mean over answers of  sigmoid(beta (z - r)) for a chosen one, and
                                   undesirable * sigmoid(beta (r - z)) for a rejected one
    z      = max(0, mean of r over mismatched rows), a constant                   Ethayarajh et al. 2024, eq. 8

    p0     the network without what is trained, asked once before training and never again

A mismatched row is a prompt with the answer to another one. Which answer that is stays the same throughout, so
that p0 need not be asked again; the paper takes one of the same batch. Both losses hold to p0 by beta: what lowers
them is a difference to it, ever less the larger it grows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base
from trimtab.model.pack import Pack, packs, packs_of, plain_logprobs
from trimtab.model.trunk import Read
from trimtab.records import TokenRow

Loss = Literal["sft", "dpo", "kto"]
Sides = tuple[Sequence[TokenRow], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Which loss; beta per nat of r, and the weight of a rejected answer of KTO where a chosen one's is 1."""

    loss: Loss
    beta: float
    undesirable: float = 1.0


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of answers as rows of tokens, the answer's marked.

    Attributes:
        sides: rows (pairs,) with the chosen answers and with the rejected ones; for KTO also each prompt with another
            one's chosen answer, and with another one's rejected answer.
        reference: (sides, pairs) log-probability of each row's answer under the base, nats; see `referred`.
    """

    sides: Sides
    reference: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def chosen(self) -> Sequence[TokenRow]:
        """The rows with chosen answers, (pairs,)."""
        return self.sides[0]

    def rows(self) -> list[TokenRow]:
        """The rows of all sides, one side after the other."""
        return [row for side in self.sides for row in side]

    def some(self, numbers: Sequence[int]) -> Pairs:
        """The pairs of these numbers."""
        sides = tuple([side[number] for number in numbers] for side in self.sides)
        return Pairs(sides, self.reference[:, list(numbers)])


def paired(chosen: Sequence[TokenRow], rejected: Sequence[TokenRow], loss: Loss) -> Pairs:
    """Pairs of rows (pairs,) both, with the mismatched rows that a loss needs."""
    sides: Sides = (chosen, rejected)
    return Pairs((*sides, *map(mismatched, sides)) if loss == "kto" else sides)


def mismatched(rows: Sequence[TokenRow]) -> list[TokenRow]:
    """Each prompt with the answer to the nearest other one before it, no longer than the longest row.

    The nearest is looked for from the end again at the beginning; where all prompts are the same it is the row before.
    """
    firsts = [int(row.supervised.argmax()) for row in rows]
    prompts = [row.ids[:first].tobytes() for row, first in zip(rows, firsts, strict=True)]
    longest = max(len(row.ids) for row in rows)
    found = []
    for number, row in enumerate(rows):
        before = [(number - step) % len(rows) for step in range(1, len(rows) + 1)]
        other = next((place for place in before if prompts[place] != prompts[number]), before[0])
        ids, marks = (
            np.concatenate([own[: firsts[number]], theirs[firsts[other] :]])[:longest]
            for own, theirs in (
                (row.ids, rows[other].ids),
                (np.zeros_like(row.supervised), rows[other].supervised),
            )
        )
        found.append(TokenRow(row.example, ids, marks))
    return found


def referred(base: Base, pairs: Pairs) -> Pairs:
    """The same pairs with the base's log-probabilities; to be called while the network is the base's own."""
    return dataclasses.replace(pairs, reference=_totals(base, pairs))


def dpo(ratios: torch.Tensor, rule: Rule) -> torch.Tensor:
    """Loss of each pair (pairs,), from r of chosen and of rejected answers (2, pairs)."""
    return -torch.nn.functional.logsigmoid(rule.beta * (ratios[0] - ratios[1]))


def kto(ratios: torch.Tensor, z: float, rule: Rule) -> torch.Tensor:
    """Loss of each answer (2, pairs), from r of chosen and of rejected ones (2, pairs)."""
    chosen, rejected = rule.beta * (z - ratios[0]), rule.beta * (ratios[1] - z)
    return torch.stack([chosen.sigmoid(), rule.undesirable * rejected.sigmoid()])


def parts(
    network: Any, pairs: Pairs, rule: Rule, budget: int, read: Read | None
) -> Iterator[tuple[torch.Tensor, dict[str, float]]]:
    """The loss of an update's pairs in parts that add up to it, each with a graph of its own, and each part's terms.

    The terms are `loss`, `reward_margin`: mean of beta (r_chosen - r_rejected), and `reward_accuracy`: share of pairs
    where that is above 0, 0 itself counting one half. No pair is torn; one may be larger than the budget.

    Args:
        budget: tokens of one tree.
        read: how trees are read; None where they are not exact, and rows are read one by one.
    """
    count = len(pairs.chosen)
    z = _z(network, pairs, budget, read) if rule.loss == "kto" else 0.0
    rows = [*pairs.sides[0], *pairs.sides[1]]
    units = [[number, count + number] for number in range(count)]
    trees = packs_of(rows, units, budget) if read else ((unit, None) for unit in units)
    for numbers, tree in trees:
        totals = _read(network, [rows[number] for number in numbers], tree, read)
        reference = torch.from_numpy(pairs.reference[:2, numbers[::2]]).to(totals)
        ratios = totals.view(-1, 2).T - reference
        lost = _losses(ratios, z, rule)
        whole = lost.mean() * (ratios.shape[1] / count)
        margins = rule.beta * (ratios[0] - ratios[1]).detach()
        right = (margins.sign() + 1) / 2
        yield (
            whole,
            {
                "loss": float(whole.detach()),
                "reward_margin": float(margins.sum() / count),
                "reward_accuracy": float(right.sum() / count),
            },
        )


def mean_loss(base: Base, pairs: Pairs, rule: Rule) -> float:
    """The loss of pairs, which `referred` has seen, under the network as it is now."""
    ratios = torch.from_numpy(_totals(base, pairs) - pairs.reference)
    return float(_losses(ratios[:2], _above(ratios[2:]), rule).mean())


def _losses(ratios: torch.Tensor, z: float, rule: Rule) -> torch.Tensor:
    return kto(ratios, z, rule) if rule.loss == "kto" else dpo(ratios, rule)


def _above(ratios: torch.Tensor) -> float:
    """The mean, at least 0; 0 of nothing."""
    return max(float(ratios.mean()), 0.0) if ratios.numel() else 0.0


def _totals(base: Base, pairs: Pairs) -> np.ndarray:
    found = np.array([total for total, _ in logprobs(base, pairs.rows())])
    return found.reshape(len(pairs.sides), -1)


@torch.no_grad()
def _z(network: Any, pairs: Pairs, budget: int, read: Read | None) -> float:
    count = len(pairs.chosen)
    rows, reference = pairs.rows()[2 * count :], torch.from_numpy(pairs.reference[2:].ravel())
    trees = packs(rows, budget) if read else (([number], None) for number in range(2 * count))
    ratios = [
        _read(network, [rows[number] for number in numbers], tree, read).cpu() - reference[numbers]
        for numbers, tree in trees
    ]
    return _above(torch.cat(ratios))


def _read(network: Any, rows: Sequence[TokenRow], tree: Pack | None, read: Read | None) -> torch.Tensor:
    """Log-probability of each row's answer, (rows,), nats."""
    if tree is None or read is None:
        return torch.stack([plain_logprobs(network, row).sum() for row in rows])
    logs = read(network, tree)
    owners = torch.from_numpy(tree.rows).to(logs.device)
    return torch.zeros(len(rows), device=logs.device).index_add(0, owners, logs)
