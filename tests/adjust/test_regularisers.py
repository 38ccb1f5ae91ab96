"""Penalties and replay: off they change nothing, on their gradients are those of an independent computation."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.adjust import made
from tests.tiny import tiny_model
from trimtab.adjust import adapter, layers, lowrank, regularisers
from trimtab.adjust.loop import Settings, Training, batches, train
from trimtab.adjust.regularisers import Beside, Reading, Update, Weights, gathered, pieces, replayed
from trimtab.adjust.schedule import factor
from trimtab.model.pack import packs, token_logprobs
from trimtab.records import Progress, TokenRow

ROWS = made.rows()
HOW = made.HOW
TWINS = {number: row for number, row in enumerate(made.rows(seed=7)) if number % 3}
REPLAY = made.rows(5, seed=8)
# What the loop gave before it knew of penalties: `made.HOW` on `made.rows()`, all weights of the tiny network.
BEFORE = (5.598427, 5.486587, 5.232264, 4.745811, 4.435897, 4.31656, 4.166343, 4.060505, 4.013792)


def run(how: Settings = HOW, **more: Any) -> tuple[dict[str, torch.Tensor], Training]:
    """Train all weights of a fresh network; returns them and what the training did."""
    network = tiny_model(initializer_range=0.1)
    parameters = dict(network.named_parameters())
    done = train(network, parameters, ROWS, how, **more)
    return {name: p.data for name, p in parameters.items()}, done


def earlier(how: Settings) -> tuple[dict[str, torch.Tensor], list[float]]:
    """The loop in its plainest form: likelihood alone."""
    network = tiny_model(initializer_range=0.1)
    parameters = dict(network.named_parameters())
    optimiser = torch.optim.AdamW(
        list(parameters.values()), lr=how.learning_rate, weight_decay=how.weight_decay, fused=True
    )
    each = math.ceil(len(ROWS) / how.batch_size)
    total = round(each * how.epochs)
    losses = []
    network.train()
    for step in range(total):
        numbers = batches(ROWS, how.batch_size, how.seed, step // each)[step % each]
        rows = [ROWS[number] for number in numbers]
        scored = sum(int(row.supervised[1:].sum()) for row in rows)
        optimiser.zero_grad(set_to_none=True)
        found = 0.0
        for _, tree in packs(rows, how.micro_tokens):
            share = -token_logprobs(network, tree).sum() / scored
            share.backward()  # type: ignore[no-untyped-call]
            found += float(share.detach())
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), how.clip)
        optimiser.param_groups[0]["lr"] = how.learning_rate * factor(how.schedule, step, total, how.warmup)
        optimiser.step()
        losses.append(found)
    return {name: p.data for name, p in parameters.items()}, losses


OFF = {
    "nothing given": Beside(),
    "replay given, share 0": Beside(replay=REPLAY),
    "a way to the base, weight 0": Beside(bare=contextlib.nullcontext),
}


@pytest.mark.parametrize("name", OFF)
@pytest.mark.parametrize("micro_tokens", [30, 512])
def test_off_it_is_the_loop_before_bit_for_bit(name: str, micro_tokens: int) -> None:
    how = dataclasses.replace(HOW, micro_tokens=micro_tokens)
    weights, losses = earlier(how)
    found, done = run(how, beside=OFF[name])
    assert [row["loss"] for row in done.history] == losses
    assert made.same(found, weights)
    assert all(not {"kl", "gap"} & row.keys() for row in done.history)


def test_off_it_gives_the_recorded_losses() -> None:
    _, done = run()
    assert [row["loss"] for row in done.history] == pytest.approx(list(BEFORE), rel=1e-4)


def moved() -> tuple[Any, Any, Callable[[], Any]]:
    """A base, a network with other weights, and how to give the network the base's."""
    base = tiny_model(initializer_range=0.2)
    network = copy.deepcopy(base)
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    own = {name: p.data for name, p in base.named_parameters()}
    parameters = dict(network.named_parameters())
    return base, network, lambda: layers._pointing(parameters, own)


def plainly(base: Any, network: Any, update: Update, weights: Weights) -> torch.Tensor:
    """The whole loss of an update, written down from its formula, row by row."""
    likelihood, divergence, means = torch.zeros(()), torch.zeros(()), []
    for row in update.rows:
        ids, scored = torch.from_numpy(row.ids), torch.from_numpy(row.supervised[1:])
        own = network(ids[None]).logits[0, :-1][scored].log_softmax(-1)
        with torch.no_grad():
            fixed = base(ids[None]).logits[0, :-1][scored].log_softmax(-1)
        logs = own.gather(-1, ids[1:][scored][:, None])[:, 0]
        likelihood, means = likelihood - logs.sum(), [*means, logs.mean()]
        divergence = divergence + torch.nn.functional.kl_div(own, fixed, log_target=True, reduction="sum")
    gaps = [(means[one] - means[other]) ** 2 for one, other in update.pairs]
    even = torch.stack(gaps).mean() if gaps else torch.zeros(())
    tokens = sum(int(row.supervised[1:].sum()) for row in update.rows)
    return likelihood / tokens + weights.kl * divergence / tokens + weights.balance * even


@pytest.mark.parametrize("tree", [True, False], ids=["tree", "row by row"])
@pytest.mark.parametrize("budget", [20, 60, 2000])
@pytest.mark.parametrize(("kl", "balance"), [(0.7, 0.0), (0.0, 3.0), (0.7, 3.0)])
def test_gradients_are_those_of_an_independent_computation(
    kl: float, balance: float, budget: int, tree: bool
) -> None:
    base, network, bare = moved()
    update = gathered(ROWS, [0, 1, 4, 5, 6], Beside(twins=TWINS, replay=REPLAY), [2, 0])
    assert update.pairs == [(1, 5), (2, 6), (3, 7)]
    weights = Weights(kl, balance, budget)
    reading = Reading.of(network, update.rows, Beside(bare=bare)) if tree else Reading(None, None, bare)
    assert (reading.logprobs is not None) == tree
    parameters = list(network.parameters())
    network.zero_grad()
    terms: dict[str, float] = {}
    whole = 0.0
    for part, found in regularisers.parts(network, update, weights, reading):
        part.backward()  # type: ignore[no-untyped-call]
        whole += float(part.detach())
        terms = {name: terms.get(name, 0.0) + found.get(name, 0.0) for name in {*terms, *found}}
    mine = [p.grad.clone() for p in parameters if p.grad is not None]
    expected = plainly(base, network, update, weights)
    theirs = torch.autograd.grad(expected, parameters)
    assert whole == pytest.approx(float(expected.detach()), rel=1e-5)
    assert whole == pytest.approx(
        terms["loss"] + kl * terms.get("kl", 0) + balance * terms.get("gap", 0), rel=1e-6
    )
    for one, two in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-3)
    assert (kl > 0, balance > 0) == ("kl" in terms, "gap" in terms)


def test_the_base_is_read_with_its_own_weights_and_these_come_back() -> None:
    base, network, bare = moved()
    before = {name: p.data.clone() for name, p in network.named_parameters()}
    with bare():
        assert made.same({n: p.data for n, p in network.named_parameters()}, dict(base.named_parameters()))
    assert made.same({n: p.data for n, p in network.named_parameters()}, before)


@pytest.mark.parametrize("budget", [10, 40, 100, 1000])
def test_no_pair_is_torn_and_trees_keep_to_the_budget(budget: int) -> None:
    update = gathered(ROWS, range(8), Beside(twins=TWINS, replay=REPLAY), [0])
    network = tiny_model()
    found = list(pieces(update, Weights(0, 1, budget), Reading.of(network, update.rows, Beside())))
    assert sorted(n for numbers, _ in found for n in numbers) == list(range(len(update.rows)))
    for numbers, tree in found:
        assert tree is not None
        assert all((one in numbers) == (other in numbers) for one, other in update.pairs)
        assert len(tree.ids) <= budget or len(numbers) <= 2
    assert (len(found) == 1) == (budget == 1000)


@pytest.mark.parametrize(("share", "size"), [(0.05, 8), (0.5, 4), (0.3, 1), (0.9, 2)])
def test_replayed_rows_make_up_their_share(share: float, size: int) -> None:
    drawn = [replayed(7, share=share, size=size, step=step, seed=3) for step in range(400)]
    flat = [number for numbers in drawn for number in numbers]
    assert len(flat) / (len(flat) + 400 * size) == pytest.approx(share, abs=0.01)
    assert max(map(len, drawn)) - min(map(len, drawn)) <= 1
    for start in range(0, len(flat) - 6, 7):
        assert sorted(flat[start : start + 7]) == list(range(7))
    assert flat[:7] != flat[7:14] or flat[:7] != flat[14:21]
    assert drawn == [replayed(7, share=share, size=size, step=step, seed=3) for step in range(400)]
    assert drawn != [replayed(7, share=share, size=size, step=step, seed=4) for step in range(400)]


def test_nothing_is_replayed_without_rows_or_share() -> None:
    assert replayed(0, share=0.5, size=8, step=0, seed=0) == []
    assert replayed(7, share=0.0, size=8, step=5, seed=0) == []


def test_replay_and_twins_are_trained_on() -> None:
    how = dataclasses.replace(HOW, replay=0.5)
    found, done = run(how, beside=Beside(replay=REPLAY))
    plain, before = run()
    assert not made.same(found, plain)
    assert done.tokens > 1.5 * before.tokens
    doubled, twice = run(beside=Beside(twins=TWINS))
    assert not made.same(doubled, plain)
    assert twice.tokens == before.tokens + 3 * sum(len(row.ids) for row in TWINS.values())


def divergence(base: Any, network: Any) -> float:
    """Mean divergence over the rows."""
    found = plainly(base, network, Update(ROWS, []), Weights(1.0, 0.0, 0))
    return float((found - plainly(base, network, Update(ROWS, []), Weights(0.0, 0.0, 0))).detach())


def test_a_penalty_keeps_the_network_near_the_base() -> None:
    moved_by = {}
    for kl in (0.0, 3.0):
        base, network = tiny_model(initializer_range=0.1), tiny_model(initializer_range=0.1)
        own = {name: p.data for name, p in base.named_parameters()}
        parameters = dict(network.named_parameters())
        how = dataclasses.replace(HOW, kl=kl)
        done = train(
            network,
            parameters,
            ROWS,
            how,
            beside=Beside(bare=lambda p=parameters, o=own: layers._pointing(p, o)),
        )
        moved_by[kl] = divergence(base, network)
        if kl:
            assert done.history[0]["kl"] == pytest.approx(0.0, abs=1e-6)
            assert all(row["kl"] is not None and row["kl"] >= -1e-6 for row in done.history)
    assert moved_by[3.0] < 0.3 * moved_by[0.0]


def test_balance_brings_twins_together() -> None:
    """Twins are in both trainings; only the weight of the gap differs."""
    gaps = {}
    for balance in (0.0, 20.0):
        network = tiny_model(initializer_range=0.1)
        how = dataclasses.replace(HOW, epochs=6, balance=balance)
        train(network, dict(network.named_parameters()), ROWS, how, beside=Beside(twins=TWINS))
        update = gathered(ROWS, range(len(ROWS)), Beside(twins=TWINS), [])
        with torch.no_grad():
            with_gap = plainly(network, network, update, Weights(0.0, 1.0, 0))
            gaps[balance] = float(
                (with_gap - plainly(network, network, update, Weights(0.0, 0.0, 0))).detach()
            )
    assert gaps[20.0] < 0.5 * gaps[0.0]


SHAPES = {
    "lora": adapter.Shape(rank=4),
    "lora with dropout": adapter.Shape(rank=4, dropout=0.5),
    "dora": adapter.Shape(method="dora", rank=4),
    "ia3": adapter.Shape(method="ia3"),
    "one block": adapter.Shape(rank=4, blocks=(-1,)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_an_adapter_taken_off_is_the_base(name: str) -> None:
    base = made.base()
    before = made.logits(base)
    config = adapter._peft_config(base.network, SHAPES[name])
    few = torch.arange(3, 7)[None]
    with adapter._injected(base.network, config) as model, lowrank.fused(model, few):
        base.network.eval()
        torch.manual_seed(0)
        trained = [p for p in model.parameters() if p.requires_grad]
        for parameter in trained:
            parameter.data.add_(0.3 * torch.randn_like(parameter))
        on = made.logits(base)
        with adapter._off(model):
            off = made.logits(base)
        again = made.logits(base)
        assert all(p.requires_grad for p in trained)
    assert float((on - before).abs().max()) > 0.01
    torch.testing.assert_close(off, before, atol=1e-5, rtol=1e-5)
    assert torch.equal(again, on)


@pytest.mark.parametrize("name", SHAPES)
def test_adapters_take_every_penalty(name: str) -> None:
    """A strong pull to the base leaves an adapter that does less; the base stays as it was."""
    strong = dataclasses.replace(HOW, kl=50.0, replay=0.3, balance=1.0)
    moved_by = {}
    for how in (HOW, strong):
        base = made.base()
        weights, before = made.weights(base), made.logits(base)
        beside = Beside(twins=TWINS, replay=REPLAY) if how is strong else Beside()
        fitted, done = adapter.fit(base, ROWS, SHAPES[name], how, beside=beside)
        assert made.same(weights, made.weights(base))
        with fitted.attach(base):
            moved_by[how.kl] = float((made.logits(base) - before).abs().mean())
        if how is strong:
            assert {"loss", "kl", "gap"} <= done.history[-1].keys()
            again, _ = adapter.fit(made.base(), ROWS, SHAPES[name], how, beside=beside)
            assert again.hash == fitted.hash
            assert fitted.describe().settings["kl"].value == 50.0
    assert moved_by[50.0] < 0.7 * moved_by[0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("place", ["blocks", "norms", "head"])
def test_layers_take_every_penalty(place: layers.Place, dtype: torch.dtype) -> None:
    strong = dataclasses.replace(HOW, kl=50.0, replay=0.3, balance=1.0)
    moved_by = {}
    for how in (HOW, strong):
        base = made.base()
        base.network.to(dtype)
        weights = made.weights(base)
        beside = Beside(twins=TWINS, replay=REPLAY) if how is strong else Beside()
        fitted, _ = layers.fit(base, ROWS, layers.Where(place), how, beside=beside)
        assert made.same(weights, made.weights(base))
        moved_by[how.kl] = sum(float(delta.abs().mean()) for delta in fitted.deltas.values())
    assert moved_by[50.0] < moved_by[0.0]


def test_an_interrupted_training_with_every_term_goes_on_exactly(tmp_path: Path) -> None:
    how = dataclasses.replace(HOW, kl=0.5, replay=0.4, balance=1.0)
    beside = Beside(twins=TWINS, replay=REPLAY)

    def interrupt(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    shape = adapter.Shape(rank=4, dropout=0.1)
    whole, done = adapter.fit(made.base(), ROWS, shape, how, beside=beside)
    with pytest.raises(KeyboardInterrupt):
        adapter.fit(made.base(), ROWS, shape, how, beside=beside, folder=tmp_path, report=interrupt)
    resumed, again = adapter.fit(made.base(), ROWS, shape, how, beside=beside, folder=tmp_path)
    assert resumed.hash == whole.hash
    assert [row["kl"] for row in again.history] == [row["kl"] for row in done.history]


def test_whoever_watches_can_end_a_training() -> None:
    seen: list[float] = []

    def watch(loss: float) -> bool:
        seen.append(loss)
        return len(seen) == 2

    values = iter([3.0, 2.0, 1.0])
    _, done = run(beside=Beside(watch=watch), evaluate=lambda: next(values))
    assert seen == [3.0, 2.0]
    assert len(done.history) == 6


class Normed(torch.nn.Module):
    """A module followed by batch normalisation over its channels."""

    def __init__(self, inner: torch.nn.Module, size: int) -> None:
        super().__init__()
        self.inner = inner
        self.batch_norm = torch.nn.BatchNorm1d(size)
        with torch.no_grad():
            self.batch_norm.running_mean.normal_(std=0.1)
            self.batch_norm.running_var.uniform_(0.5, 2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the inner module, (B, T, size)."""
        found: torch.Tensor = self.batch_norm(self.inner(x).transpose(1, 2)).transpose(1, 2)
        return found


@pytest.fixture
def normed() -> Any:
    """A base with batch normalisation in its last block."""
    base = made.base()
    block = base.network.model.layers[-1]
    torch.manual_seed(2)
    block.mlp = Normed(block.mlp, base.network.config.hidden_size)
    base.network.eval().requires_grad_(False)
    return base


@pytest.mark.parametrize("place", ["norms", "blocks"])
def test_running_statistics_stay_the_bases_own(normed: Any, place: layers.Place) -> None:
    weights, before = made.weights(normed), made.logits(normed)
    held_out = made.rows(4, seed=9)
    fitted, done = layers.fit(normed, ROWS, layers.Where(place), HOW, held_out=held_out)
    name = "model.layers.1.mlp.batch_norm"
    assert made.same(weights, made.weights(normed))
    assert torch.equal(made.logits(normed), before)
    assert {f"{name}.weight", f"{name}.bias"} <= fitted.deltas.keys()
    assert float(fitted.deltas[f"{name}.weight"].abs().max()) > 0
    assert not any("running" in key for key in fitted.deltas)
    assert done.shared_beginnings
    first, last = (row["loss"] for row in (done.history[0], done.history[-1]))
    assert first is not None
    assert last is not None
    assert last < first
    with fitted.attach(normed):
        assert float((made.logits(normed) - before).abs().max()) > 1e-3
        assert torch.equal(made.weights(normed)[f"{name}.running_mean"], weights[f"{name}.running_mean"])
    assert torch.equal(made.logits(normed), before)


def test_an_adapter_leaves_running_statistics_alone(normed: Any) -> None:
    weights = made.weights(normed)
    adapter.fit(normed, ROWS, adapter.Shape(rank=4), HOW, held_out=made.rows(4, seed=9))
    assert made.same(weights, made.weights(normed))
    assert not normed.network.training


def test_training_mode_is_that_of_everything_else() -> None:
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 3)
    ).eval()
    regularisers.training(network)
    assert [module.training for module in network] == [True, False, True]
    bare = torch.nn.Sequential(torch.nn.BatchNorm1d(3, track_running_stats=False)).eval()
    regularisers.training(bare)
    assert bare[0].training


def test_a_row_without_scored_tokens_breaks_no_pair() -> None:
    empty = TokenRow("x", ROWS[0].ids, np.zeros(len(ROWS[0].ids), dtype=bool))
    _, network, bare = moved()
    update = gathered([*ROWS[:2], empty], [0, 2], Beside(twins={0: ROWS[1], 2: empty}), [])
    reading = Reading.of(network, update.rows[:1], Beside(bare=bare))
    found = [part for part, _ in regularisers.parts(network, update, Weights(0.5, 1.0, 100), reading)]
    assert all(bool(part.isfinite()) for part in found)
