"""Steering against a copy of the network that has the same push as a bias, and directions against planted ones."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.adjust import made
from tests.tiny import tiny_tokenizer, windowed_model
from trimtab.adjust import contrast, steering
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Push, Steering
from trimtab.errors import DataError, ModelError
from trimtab.model import sampler, slots
from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base, wrap
from trimtab.model.pack import pack, token_logprobs
from trimtab.model.trunk import ensure
from trimtab.records import Message, Question, Sampling

PROMPTS = ("Hi", "Hi there", "What is it?", "A", "Hi", "What else is there to say?")


def steered(base: Base, *blocks: int, strength: float = 0.7, **shape: Any) -> Steering:
    found = contrast.survey(base, made.contrasts())
    return steering.of_survey(base, found, steering.Shape(blocks=blocks, strength=strength, **shape))


def biased(base: Base, fitted: Steering) -> Base:
    """The same network with what is added as a bias of each block's last linear module, which nothing hooks."""
    network = copy.deepcopy(base.network)
    for block, direction in fitted.directions.items():
        inner = network.model.layers[block].mlp
        old, inner.down_proj = inner.down_proj, torch.nn.Linear(*reversed(inner.down_proj.weight.shape))
        inner.down_proj.weight.data = old.weight.data
        inner.down_proj.bias.data = fitted.strength * fitted.pushes[block].norm * direction
    return wrap(network.requires_grad_(False), base.tokenizer)


def left(base: Base, block: int, *stack: Steering) -> torch.Tensor:
    """What leaves a block (tokens, hidden) under steerings."""
    seen: list[torch.Tensor] = []
    with Stack(stack).attach(base):
        handle = base.network.model.layers[block].register_forward_hook(
            lambda *given: seen.append(given[2][0])
        )
        made.logits(base)
        handle.remove()
    return seen[0]


def answers(base: Base) -> list[str]:
    asked = [
        Question(str(n), (Message("user", text),), Sampling(max_new_tokens=9))
        for n, text in enumerate(PROMPTS)
    ]
    return [output.text for output in sampler.answer(base, asked)]


@pytest.mark.parametrize("blocks", [(0,), (1,), (0, 1)])
def test_adding_is_a_bias_of_the_block(blocks: tuple[int, ...]) -> None:
    base = made.base(initializer_range=0.3)
    fitted = steered(base, *blocks)
    other = biased(base, fitted)
    rows = made.rows()
    plain = logprobs(base, rows)
    with Stack((fitted,)).attach(base):
        torch.testing.assert_close(made.logits(base), made.logits(other), atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(logprobs(base, rows), logprobs(other, rows), atol=1e-3)
        assert np.abs(np.array(logprobs(base, rows)) - plain).max() > 0.1


@pytest.mark.parametrize("family", ["slots", "padded"])
def test_answers_are_those_of_the_biased_network(family: str) -> None:
    network = windowed_model().requires_grad_(False) if family == "padded" else None
    base = wrap(network, tiny_tokenizer()) if network else made.base(initializer_range=0.4)
    assert slots.suited(base) == (family == "slots")
    fitted = steered(base, 0, 1)
    before = answers(base)
    with Stack((fitted,)).attach(base):
        found = answers(base)
    assert found == answers(biased(base, fitted))
    assert found != before
    assert answers(base) == before


def test_gradients_pass_through_it() -> None:
    base = made.base(initializer_range=0.3)
    fitted = steered(base, 0, 1)
    other = biased(base, fitted)
    tree = pack(made.rows())
    grads = []
    for one, stack in ((base, Stack((fitted,))), (other, Stack())):
        weight = one.network.model.layers[0].self_attn.q_proj.weight.requires_grad_(True)
        with stack.attach(one):
            token_logprobs(one.network, tree).sum().backward()
        grads.append(weight.grad)
    torch.testing.assert_close(*grads, atol=1e-3, rtol=1e-3)
    assert float(grads[0].abs().max()) > 1e-2


def test_clamping_sets_the_component_and_nothing_else() -> None:
    base = made.base(initializer_range=0.3)
    fitted = steered(base, 0, strength=1.0, mode="clamp", value=1.5)
    direction, norm = fitted.directions[0], fitted.pushes[0].norm
    before, after = left(base, 0), left(base, 0, fitted)
    half = left(base, 0, fitted.scaled(0.5))
    target = torch.full((len(before),), 1.5 * norm)
    torch.testing.assert_close(after @ direction, target, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(half @ direction, (target + before @ direction) / 2, atol=1e-4, rtol=1e-4)

    def across(states: torch.Tensor) -> torch.Tensor:
        return states - (states @ direction)[:, None] * direction

    torch.testing.assert_close(across(after), across(before), atol=1e-4, rtol=1e-4)


def test_clamping_without_a_value_takes_the_positive_texts_own() -> None:
    base = made.base()
    fitted = steered(base, 1, mode="clamp")
    pairs = made.contrasts()
    wanted = []
    for pair in pairs:
        ids = torch.from_numpy(pair.positive.ids)[None]
        states: list[torch.Tensor] = []
        handle = base.network.model.layers[1].register_forward_hook(
            lambda *given, into=states: into.append(given[2][0])
        )
        base.network(ids)
        handle.remove()
        wanted.append(
            states[0][torch.from_numpy(pair.positive.supervised)].mean(dim=0) @ fitted.directions[1]
        )
    norm = fitted.pushes[1].norm
    assert fitted.pushes[1].value * norm == pytest.approx(float(torch.stack(wanted).mean()), rel=1e-3)


def test_the_push_is_linear_in_strength_and_in_units_of_the_norm() -> None:
    base = made.base()
    fitted = steered(base, 0, strength=1.0)
    before = left(base, 0)
    for strength in (-2.0, 0.5, 3.0):
        moved = left(base, 0, fitted.scaled(strength)) - before
        torch.testing.assert_close(
            moved.norm(dim=1),
            torch.full((len(moved),), abs(strength) * fitted.pushes[0].norm),
            rtol=1e-3,
            atol=1e-4,
        )
    typical = float(before.norm(dim=1).median())
    assert fitted.pushes[0].norm == pytest.approx(typical, rel=0.5)


def test_a_steered_lower_block_is_never_read_from_the_trunk() -> None:
    base = made.base(num_hidden_layers=4)
    rows = made.rows()
    low, high = steered(base, 1), steered(base, 2)
    plain = logprobs(base, rows)
    found = []
    trunk = ensure(base, 2, rows)
    assert trunk is not None
    passes: list[int] = []
    handle = base.network.model.layers[0].register_forward_pre_hook(
        lambda _, given: passes.append(given[0].shape[1])
    )
    for one in (low, high):
        with Stack((one,)).attach(base):
            passes.clear()
            found.append(logprobs(base, rows))
            below = max(passes, default=0)
        whole = len(pack(rows).ids)
        assert (below >= whole) == (one is low)
    np.testing.assert_allclose(logprobs(base, rows), plain, atol=1e-4)
    handle.remove()
    base.trunk = None
    for one, values in zip((low, high), found, strict=True):
        with Stack((one,)).attach(base):
            np.testing.assert_allclose(values, logprobs(base, rows), atol=1e-4)
        assert np.abs(np.array(values) - plain).max() > 0.01


def test_the_sum_of_two_is_both_at_once() -> None:
    base = made.base()
    one = steered(base, 0, strength=0.5)
    found = contrast.survey(base, made.contrasts(6), "pca")
    two = steering.of_survey(base, found, steering.Shape(blocks=(0, 1), strength=-0.8))
    both = one + two
    assert list(both.pushes) == [0, 1]
    assert float(both.directions[0].norm()) == pytest.approx(1.0, abs=1e-5)
    with Stack((one, two)).attach(base):
        expected = made.logits(base)
    with Stack((both,)).attach(base):
        torch.testing.assert_close(made.logits(base), expected, atol=1e-4, rtol=1e-4)
    with Stack((0.5 * both,)).attach(base), Stack((0.5 * both,)).attach(base):
        torch.testing.assert_close(made.logits(base), expected, atol=1e-4, rtol=1e-4)
    before = made.logits(base)
    with Stack((one + one.scaled(-1),)).attach(base):
        torch.testing.assert_close(made.logits(base), before, atol=1e-4, rtol=1e-4)


def test_what_has_no_sum_says_so() -> None:
    base = made.base()
    clamped = steered(base, 0, mode="clamp")
    with pytest.raises(ModelError, match=r"no sum in blocks \[0\]"):
        clamped + clamped
    with pytest.raises(ModelError, match="add and clamp have no sum"):
        steered(base, 1) + clamped
    apart = clamped + steered(base, 1, strength=0.5, mode="clamp")
    assert [push.amount for push in apart.pushes.values()] == [0.7, 0.5]
    with pytest.raises(ModelError, match="made for the base model"):
        steered(base, 1) + dataclasses.replace(steered(base, 1), base="another")


def test_a_sum_is_saved_exactly(tmp_path: Path) -> None:
    base = made.base()
    both = steered(base, 0) + steered(base, 0, 1, strength=-0.3)
    both.save(tmp_path)
    assert Steering.load(tmp_path).hash == both.hash
    moved = dataclasses.replace(both, pushes={**both.pushes, 1: Push(1.0)})
    assert moved.hash != both.hash


def test_unknown_blocks_and_too_few_or_equal_pairs_are_refused() -> None:
    base = made.base()
    with pytest.raises(ModelError, match="2 blocks"):
        steered(base, 5)
    with pytest.raises(DataError, match="3 pairs"):
        contrast.survey(base, made.contrasts(3))
    same = [contrast.Contrast(pair.positive, pair.positive) for pair in made.contrasts()]
    with pytest.raises(DataError, match="are the same"):
        contrast.survey(base, same)
