"""What an update weighs beside the likelihood of its rows: against forgetting, and for even treatment of groups.

For an update with N supervised tokens in all its rows (own, twins, replayed) and P pairs of a row a with its twin a':

    L =   -1/N sum over tokens of log p(t)
        + kl       * 1/N sum over tokens of KL(p0 || p)
        + balance  * 1/P sum over pairs of (mean log p(a) - mean log p(a'))^2

    p0         the network without what is trained, which says the next token at the same place; a second forward
               pass over the same tree, without gradients
    mean log p over the supervised tokens of a row, nats a token

KL(p0 || p) keeps whatever the base would say, likely or not: the distillation term of Li and Hoiem 2016 (Learning
without Forgetting, eq. 2) at temperature 1, up to a constant. Replay mixes in rows of another source (rehearsal: Robins
1995). Twins are the rows with their groups of people swapped; the third term is counterfactual logit pairing (Garg et
al. 2019, section 4), with squares for absolute values, of whole answers. Each is off by default and costs nothing then.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from trimtab.adjust.preference import Pairs
from trimtab.model.divergence import compared, of_logits, said
from trimtab.model.pack import (
    Pack,
    head_states,
    packs,
    packs_of,
    plain_logits,
    plain_logprobs,
    token_logprobs,
    tree_is_exact,
)
from trimtab.model.trunk import Read, Trunk
from trimtab.records import TokenRow

# Which of the streams of random numbers that a seed gives the order of replayed rows is.
REPLAY = 1


@dataclass(frozen=True, slots=True)
class Beside:
    """What a training works with beside its own rows.

    Attributes:
        trunk: what the blocks below all trained ones compute, where it is kept.
        spent: seconds that making the trunk took, which count as training.
        twins: of rows, by their number, the same row with its groups of people swapped; in every update of its row.
        replay: rows that are mixed into updates at the share that the settings name.
        bare: takes what is trained off the network for as long as its context lasts.
        watch: told the loss on held-out rows after each epoch; training ends when it answers True.
        pairs: of each row, the pair of answers whose chosen one it is, where the loss is one of preferences.
        judged: pairs whose loss is followed instead of that of held-out rows.
    """

    trunk: Trunk | None = None
    spent: float = 0.0
    twins: Mapping[int, TokenRow] = field(default_factory=dict)
    replay: Sequence[TokenRow] = ()
    bare: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    watch: Callable[[float], bool] | None = None
    pairs: Pairs | None = None
    judged: Pairs | None = None

    def rows(self, own: Sequence[TokenRow]) -> list[TokenRow]:
        """Every row that training reads."""
        if self.pairs:
            return self.pairs.rows()
        return [*own, *self.twins.values(), *self.replay]


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of the two penalties and the room for one tree, in tokens."""

    kl: float
    balance: float
    budget: int


@dataclass(frozen=True, slots=True)
class Update:
    """The rows of one update, and which of them are a pair: numbers of a row and of its twin.

    With a loss of preferences, `preferred` holds them as pairs of answers.
    """

    rows: list[TokenRow]
    pairs: list[tuple[int, int]]
    preferred: Pairs | None = None

    @property
    def scored(self) -> int:
        """Number of tokens that are predicted."""
        return sum(int(row.supervised[1:].sum()) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a training reads its rows: trees as log-probabilities or as head states; None where trees are not exact."""

    logprobs: Read | None
    states: Read | None
    bare: Callable[[], AbstractContextManager[None]]

    @classmethod
    def of(cls, network: Any, rows: Sequence[TokenRow], beside: Beside) -> Reading:
        """For this network as it is now."""
        if not tree_is_exact(network, beside.rows(rows)):
            return cls(None, None, beside.bare)
        if beside.trunk is None:
            return cls(token_logprobs, head_states, beside.bare)
        return cls(beside.trunk.reading(network), beside.trunk.reading(network, head_states), beside.bare)


def gathered(
    rows: Sequence[TokenRow], numbers: Sequence[int], beside: Beside, drawn: Sequence[int]
) -> Update:
    """An update: its own rows by their numbers, their twins, and the replayed rows that were drawn for it.

    With pairs of answers it is those of the rows' numbers alone.
    """
    if beside.pairs:
        preferred = beside.pairs.some(numbers)
        return Update(preferred.rows(), [], preferred)
    own = [rows[number] for number in numbers]
    places = [place for place, number in enumerate(numbers) if number in beside.twins]
    twins = [beside.twins[numbers[place]] for place in places]
    pairs = [(place, len(own) + index) for index, place in enumerate(places)]
    return Update(own + twins + [beside.replay[number] for number in drawn], pairs)


def replayed(count: int, *, share: float, size: int, step: int, seed: int) -> list[int]:
    """Numbers of the rows, of `count`, that are replayed in an update.

    Over many updates they make up `share` of the rows, beside `size` own ones in each (twins not counted); every row
    comes up before any comes again.
    """
    if not count or not share:
        return []
    each = size * share / (1 - share)
    numbers = []
    for position in range(math.floor(step * each), math.floor((step + 1) * each)):
        cycle, place = divmod(position, count)
        numbers.append(int(np.random.default_rng([seed, REPLAY, cycle]).permutation(count)[place]))
    return numbers


def parts(
    network: Any, update: Update, weights: Weights, reading: Reading
) -> Iterator[tuple[torch.Tensor, dict[str, float]]]:
    """An update's loss in parts that add up to it, each with a graph of its own, and each part's terms unweighted.

    The terms are `loss` (of the likelihood alone), and `kl` and `gap` where their weight is above 0.
    """
    scored = update.scored
    counts = torch.tensor(
        [max(1, int(row.supervised[1:].sum())) for row in update.rows], device=network.device
    )
    for numbers, tree in pieces(update, weights, reading):
        rows = [update.rows[number] for number in numbers]
        logs, apart, owners = _read(network, rows, tree, reading, compare=bool(weights.kl))
        whole = -logs.sum() / scored
        terms = {"loss": float(whole.detach())}
        if apart is not None:
            divergence = apart.sum() / scored
            whole, terms["kl"] = whole + weights.kl * divergence, float(divergence.detach())
        inside = {number: place for place, number in enumerate(numbers)} if weights.balance else {}
        pairs = [(inside[one], inside[other]) for one, other in update.pairs if one in inside]
        if pairs:
            totals = torch.zeros(len(numbers), device=logs.device).index_add(0, owners, logs)
            one, other = torch.tensor(pairs, device=logs.device).T
            means = totals / counts[numbers]
            gap = (means[one] - means[other]).square().sum() / len(update.pairs)
            whole, terms["gap"] = whole + weights.balance * gap, float(gap.detach())
        yield whole, terms


def pieces(update: Update, weights: Weights, reading: Reading) -> Iterator[tuple[list[int], Pack | None]]:
    """The rows of an update in trees of at most the budget's tokens, or single rows; with `balance` no pair is torn.

    One pair may be larger than the budget. Where trees are not exact a piece is a row, or a pair, without a tree.
    """
    rows, paired = update.rows, update.pairs if weights.balance else []
    if reading.logprobs is not None and not paired:
        yield from packs(rows, weights.budget)
        return
    torn = {number for pair in paired for number in pair}
    units = [list(pair) for pair in paired] + [[n] for n in range(len(rows)) if n not in torn]
    if reading.logprobs is None:
        yield from ((unit, None) for unit in units)
        return
    yield from packs_of(rows, units, weights.budget)


def _read(
    network: Any, rows: Sequence[TokenRow], tree: Pack | None, reading: Reading, *, compare: bool
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
    """Log-probability of each scored token (M,), the divergence there if asked for, and its row (M,)."""
    if tree is None:
        return _read_rows(network, rows, reading, compare=compare)
    owners = torch.from_numpy(tree.rows).to(network.device)
    if not compare or reading.states is None or reading.logprobs is None:
        return (reading.logprobs or token_logprobs)(network, tree), None, owners
    sources, targets = (torch.from_numpy(part).to(network.device) for part in (tree.sources, tree.targets))
    with _as_before(network, reading.bare):
        other = said(network, reading.states(network, tree))
    logs, apart = compared(network, reading.states(network, tree), other, sources, targets)
    return logs, apart, owners


def _read_rows(
    network: Any, rows: Sequence[TokenRow], reading: Reading, *, compare: bool
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
    logs, divergences = [], []
    for row in rows:
        if not compare:
            logs.append(plain_logprobs(network, row))
            continue
        with _as_before(network, reading.bare):
            other, _ = plain_logits(network, row)
        logits, targets = plain_logits(network, row)
        found, apart = of_logits(logits, other, targets)
        logs.append(found)
        divergences.append(apart)
    owners = torch.repeat_interleave(
        torch.arange(len(rows)), torch.tensor([len(found) for found in logs])
    ).to(network.device)
    return torch.cat(logs), torch.cat(divergences) if compare else None, owners


@contextlib.contextmanager
def _as_before(network: Any, bare: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """The network without what is trained, without gradients and without anything drawn at random."""
    with torch.no_grad(), bare():
        network.eval()
        try:
            yield
        finally:
            training(network)


def training(network: Any) -> None:
    """Training mode, except of modules that keep running statistics: those are the base's and stay as they are.

    So batch normalisation normalises by the statistics that it was given (Ioffe and Szegedy 2015, algorithm 2), in
    training as afterwards, and only its scale and shift can be trained.
    """
    network.train()
    for module in network.modules():
        if any(name.startswith("running_") for name, _ in module.named_buffers(recurse=False)):
            module.eval()
