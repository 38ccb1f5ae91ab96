"""Losses of preferences: by hand, by an independent computation, in any batches, resumed, on what is planted."""

from __future__ import annotations

import copy
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adjust import made
from tests.reference import preference_reference
from tests.tiny import tiny_model, tiny_tokenizer, windowed_model
from trimtab.adjust import adapter, layers, preference
from trimtab.adjust.loop import Settings, Training, train
from trimtab.adjust.preference import Pairs, Rule, paired, referred
from trimtab.adjust.regularisers import Beside
from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base, wrap
from trimtab.model.pack import packs_of, token_logprobs, tree_size
from trimtab.records import Progress

CHOSEN, REJECTED = made.answered()
HOW = dataclasses.replace(made.HOW, loss="dpo", learning_rate=5e-3)
LOSSES = ("dpo", "kto")


def pairs(loss: preference.Loss, base: Base | None = None) -> Pairs:
    """The pairs as a base finds them."""
    return referred(base or made.base(), paired(CHOSEN, REJECTED, loss))


def moved(base: Base) -> Any:
    """The base's network with other weights."""
    network = copy.deepcopy(base.network).requires_grad_(True)
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network


def run(how: Settings, given: Pairs | None = None) -> tuple[dict[str, torch.Tensor], Training]:
    """Train all weights of a fresh network; returns them and what the training did."""
    network = tiny_model(initializer_range=0.1)
    parameters = dict(network.named_parameters())
    done = train(network, parameters, CHOSEN, how, beside=Beside(pairs=given or pairs(how.loss)))
    return {name: p.data for name, p in parameters.items()}, done


def losses(done: Training) -> list[float]:
    return [row["loss"] or 0.0 for row in done.history]


def test_dpo_by_hand() -> None:
    ratios = torch.tensor([[2.0, -1.0], [-1.0, 3.0]], dtype=torch.float64)
    found = preference.dpo(ratios, Rule("dpo", 0.5))
    assert found.tolist() == pytest.approx([math.log(1 + math.exp(-1.5)), math.log(1 + math.exp(2.0))])


def test_kto_by_hand() -> None:
    """A chosen answer 2 nats up and a rejected one 1 nat down, with z at 1."""
    ratios = torch.tensor([[2.0], [-1.0]], dtype=torch.float64)
    found = preference.kto(ratios, 1.0, Rule("kto", 0.5, undesirable=3.0))
    assert found[:, 0].tolist() == pytest.approx([1 / (1 + math.exp(0.5)), 3 / (1 + math.exp(1.0))])


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_the_losses_are_their_derivatives(loss: preference.Loss) -> None:
    rule = Rule(loss, 0.7, undesirable=1.5)
    ratios = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 3.0, 0.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda given: preference._losses(given, 0.4, rule), ratios)


@pytest.mark.parametrize("tree", [True, False], ids=["tree", "row by row"])
@pytest.mark.parametrize("budget", [20, 60, 2000])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_an_independent_computation(
    loss: preference.Loss, budget: int, tree: bool
) -> None:
    base = made.base()
    network = moved(base)
    some = pairs(loss, base).some([7, 0, 3, 4, 11])
    rule = Rule(loss, 0.3, undesirable=1.7)
    read = token_logprobs if tree else None
    whole, terms = 0.0, {"reward_margin": 0.0, "reward_accuracy": 0.0}
    for part, found in preference.parts(network, some, rule, budget, read):
        part.backward()  # type: ignore[no-untyped-call]
        whole += float(part.detach())
        terms = {name: terms[name] + found[name] for name in terms}
    if loss == "dpo":
        expected = preference_reference.dpo(network, base.network, some.sides[0], some.sides[1], 0.3)
    else:
        expected = preference_reference.kto(network, base.network, some.sides, 0.3, 1.7)
    theirs = torch.autograd.grad(expected, list(network.parameters()))
    assert whole == pytest.approx(float(expected.detach()), rel=1e-5)
    for one, two in zip(network.parameters(), theirs, strict=True):
        torch.testing.assert_close(one.grad, two, atol=1e-5, rtol=1e-3)
    ratios = np.array(_ratios(network, some))
    margins = 0.3 * (ratios[0] - ratios[1])
    assert terms["reward_margin"] == pytest.approx(np.mean(margins), abs=1e-4)
    assert terms["reward_accuracy"] == pytest.approx(np.mean(margins > 0))


def test_z_counts_where_mismatched_answers_became_likelier() -> None:
    """The mean over mismatched rows decides the loss, unless it is below 0."""
    base = made.base()
    network = moved(base)
    given = pairs("kto", base)
    for shift, moves in ((-5.0, True), (500.0, False), (900.0, False)):
        reference = given.reference.copy()
        reference[2:] += shift
        found = sum(
            float(part.detach())
            for part, _ in preference.parts(
                network, dataclasses.replace(given, reference=reference), Rule("kto", 0.1), 500, None
            )
        )
        ratios = torch.tensor(_ratios(network, given))
        z = float(ratios[2:].mean()) - shift if moves else 0.0
        expected = float(preference.kto(ratios[:2], z, Rule("kto", 0.1)).mean())
        assert found == pytest.approx(expected, rel=1e-4)


def _ratios(network: Any, given: Pairs) -> list[list[float]]:
    """r of every row, (sides, pairs)."""
    return [
        [
            float(preference_reference.answer_logprob(network, row).detach()) - before
            for row, before in zip(side, reference, strict=True)
        ]
        for side, reference in zip(given.sides, given.reference, strict=True)
    ]


def test_mismatched_rows_join_a_prompt_with_another_ones_answer() -> None:
    given = pairs("kto")
    for side, others in ((CHOSEN, given.sides[2]), (REJECTED, given.sides[3])):
        for number, (row, other) in enumerate(zip(side, others, strict=True)):
            before = side[number - 1]
            assert other.ids.tolist() == [*row.ids[~row.supervised], *before.ids[before.supervised]]
            assert other.ids[other.supervised].tolist() == before.ids[before.supervised].tolist()
    twice = [CHOSEN[0], CHOSEN[0], CHOSEN[1]]
    answers = [row.ids[row.supervised].tolist() for row in preference.mismatched(twice)]
    own = [row.ids[row.supervised].tolist() for row in twice]
    assert answers == [own[2], own[2], own[1]]


def test_mismatched_rows_are_no_longer_than_the_longest() -> None:
    rows = made.rows(12)
    found = preference.mismatched(rows)
    assert max(len(row.ids) for row in found) <= max(len(row.ids) for row in rows)
    assert all(len(row.ids) == len(row.supervised) for row in found)


@settings(max_examples=6)
@given(st.integers(16, 200), st.sampled_from(LOSSES), st.integers(0, 3))
def test_accumulation_gives_the_update_of_the_big_batch(micro: int, loss: str, seed: int) -> None:
    whole = dataclasses.replace(HOW, loss=loss, epochs=1, batch_size=8, micro_tokens=10_000, seed=seed)
    first, a = run(whole)
    second, b = run(dataclasses.replace(whole, micro_tokens=micro))
    assert losses(a) == pytest.approx(losses(b), rel=1e-5)
    moved_by = sum(
        float((first[n] - p.data).square().sum())
        for n, p in tiny_model(initializer_range=0.1).named_parameters()
    )
    assert sum(float((first[n] - second[n]).square().sum()) for n in first) < 1e-3 * moved_by


@pytest.mark.parametrize("budget", [10, 40, 100, 1000])
def test_no_pair_is_torn_and_both_answers_share_their_prompt(budget: int) -> None:
    rows = [*CHOSEN, *REJECTED]
    units = [[number, number + 12] for number in range(12)]
    found = list(packs_of(rows, units, budget))
    assert sorted(n for numbers, _ in found for n in numbers) == list(range(24))
    for numbers, tree in found:
        assert all(other == one + 12 for one, other in zip(numbers[::2], numbers[1::2], strict=True))
        assert len(tree.ids) <= budget or len(numbers) == 2
    both = [CHOSEN[0], REJECTED[0]]
    assert tree_size(both) == sum(len(row.ids) for row in both) - int((~CHOSEN[0].supervised).sum())
    assert list(packs_of([], [], budget)) == []


@pytest.mark.parametrize(("loss", "start"), [("dpo", math.log(2)), ("kto", 0.5)])
def test_training_starts_where_base_and_network_are_the_same(loss: Any, start: float) -> None:
    how = dataclasses.replace(HOW, loss=loss)
    _, done = adapter.fit(made.base(), CHOSEN, adapter.Shape(rank=4), how, beside=Beside(pairs=raw(loss)))
    assert done.history[0]["loss"] == pytest.approx(start, abs=1e-5)
    assert losses(done)[-1] < 0.95 * start
    assert done.history[-1]["reward_accuracy"] > 0.7
    assert done.tokens == 3 * sum(len(row.ids) for row in raw(loss).rows())


def raw(loss: preference.Loss) -> Pairs:
    """Pairs that no base has seen yet."""
    return paired(CHOSEN, REJECTED, loss)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_planted_preference_is_learned_and_the_base_stays(loss: Any) -> None:
    """On pairs that were not trained on: which answer is likelier, before and after."""
    base = made.base()
    weights, held_out = made.weights(base), made.answered(40, seed=4)

    def right() -> float:
        good, bad = ([total for total, _ in logprobs(base, side)] for side in held_out)
        return float(np.mean([one > other for one, other in zip(good, bad, strict=True)]))

    before = right()
    sides = made.answered(48, seed=5)
    how = dataclasses.replace(HOW, loss=loss, epochs=4, learning_rate=1e-2, beta=0.2)
    beside = Beside(pairs=paired(*sides, loss))
    fitted, _ = adapter.fit(base, sides[0], adapter.Shape(rank=4), how, beside=beside)
    assert made.same(weights, made.weights(base))
    with fitted.attach(base):
        assert right() > max(0.9, before + 0.2)
    told = fitted.describe().settings
    assert (told["loss"].value, told["beta"].value) == (loss, 0.2)


def test_above_a_kept_trunk_it_is_the_same_training() -> None:
    """Only the last block is trained, so what the first computes for both answers is kept."""
    base, shape = made.base(), adapter.Shape(rank=4, blocks=(1,))
    _, done = adapter.fit(base, CHOSEN, shape, HOW, beside=Beside(pairs=raw("dpo")))
    assert base.trunk is not None
    assert base.trunk.remembered >= tree_size(raw("dpo").rows())
    eager = made.base()
    eager.network.config.attention_dropout = 1e-9
    _, plain = adapter.fit(eager, CHOSEN, shape, HOW, beside=Beside(pairs=raw("dpo")))
    assert eager.trunk is None
    assert losses(done) == pytest.approx(losses(plain), rel=1e-4)


def test_layers_learn_from_pairs_too() -> None:
    base = made.base()
    weights = made.weights(base)
    _, done = layers.fit(base, CHOSEN, layers.Where("blocks"), HOW, beside=Beside(pairs=raw("dpo")))
    assert made.same(weights, made.weights(base))
    assert done.history[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert done.history[-1]["loss"] < 0.9 * math.log(2)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_network_that_no_tree_suits_is_read_row_by_row(loss: Any) -> None:
    base = wrap(windowed_model(8).requires_grad_(False), tiny_tokenizer())
    how = dataclasses.replace(HOW, loss=loss, batch_size=12, epochs=2, micro_tokens=30)
    _, done = adapter.fit(base, CHOSEN, adapter.Shape(rank=4), how, beside=Beside(pairs=raw(loss)))
    assert not done.shared_beginnings
    first, last = losses(done)
    assert first == pytest.approx(math.log(2) if loss == "dpo" else 0.5, abs=1e-5)
    assert last < first


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_on_held_out_pairs_is_followed_and_ends_training(loss: Any) -> None:
    base = made.base()
    judged = paired(*made.answered(10, seed=6), loss)
    how = dataclasses.replace(HOW, loss=loss, epochs=4)
    fitted, done = adapter.fit(
        base, CHOSEN, adapter.Shape(rank=4), how, beside=Beside(pairs=raw(loss), judged=judged)
    )
    followed = [row["select_loss"] for row in done.history if row["select_loss"] is not None]
    assert len(followed) == 4
    network = copy.deepcopy(base.network)
    with fitted.attach(base):
        if loss == "dpo":
            expected = preference_reference.dpo(base.network, network, *judged.sides, how.beta)
        else:
            expected = preference_reference.kto(base.network, network, judged.sides, how.beta, 1.0)
    assert followed[-1] == pytest.approx(float(expected.detach()), rel=1e-4)
    early = dataclasses.replace(how, epochs=30, learning_rate=1.0, schedule="constant", patience=1)
    _, ended = adapter.fit(
        base, CHOSEN, adapter.Shape(rank=4), early, beside=Beside(pairs=raw(loss), judged=judged)
    )
    assert len(ended.history) < 90


@pytest.mark.parametrize("loss", LOSSES)
def test_an_interrupted_training_goes_on_exactly(loss: Any, tmp_path: Path) -> None:
    how = dataclasses.replace(HOW, loss=loss)
    shape, beside = adapter.Shape(rank=4, dropout=0.1), Beside(pairs=raw(loss))

    def interrupt(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    whole, done = adapter.fit(made.base(), CHOSEN, shape, how, beside=beside)
    with pytest.raises(KeyboardInterrupt):
        adapter.fit(made.base(), CHOSEN, shape, how, beside=beside, folder=tmp_path, report=interrupt)
    resumed, again = adapter.fit(made.base(), CHOSEN, shape, how, beside=beside, folder=tmp_path)
    assert losses(again) == losses(done)
    assert resumed.hash == whole.hash


def test_the_base_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    own = preference.logprobs
    monkeypatch.setattr(preference, "logprobs", lambda base, rows: asked.append(len(rows)) or own(base, rows))
    adapter.fit(made.base(), CHOSEN, adapter.Shape(rank=4), HOW, beside=Beside(pairs=raw("dpo")))
    assert asked == [24]


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    fitted, _ = adapter.fit(made.base(), CHOSEN, adapter.Shape(rank=4), HOW, beside=Beside(pairs=raw("dpo")))
    fitted.save(tmp_path)
    loaded = adapter.Adapter.load(tmp_path)
    assert loaded.hash == fitted.hash
    assert loaded.training == fitted.training
