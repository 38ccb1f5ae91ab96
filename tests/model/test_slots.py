"""Rows in places of their own against plain passes over the same tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.tiny import tiny_model, tiny_tokenizer, windowed_model
from trimtab.model import slots
from trimtab.model.load import Base, wrap
from trimtab.model.mixed import Mixed
from trimtab.model.slots import Slots, suited

BEGINNING = tuple(range(40, 60))
PROMPTS = [
    (*BEGINNING, 7, 8, 9),
    (*BEGINNING, 7, 30),
    (*BEGINNING, *range(100, 140)),
    BEGINNING,
    (5, 6),
]


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


class Followed:
    """Slots beside the tokens that each place holds."""

    def __init__(
        self, base: Base, rows: int = 64, prompts: int = 4, longest: tuple[int, int] = (64, 70)
    ) -> None:
        self.base, self.slots = base, Slots(base, rows, prompts, longest)
        self.ids: dict[int, list[int]] = {}
        self.dice = np.random.default_rng(0)

    def enter(self, *prompts: tuple[int, ...]) -> None:
        asked = [("", prompt) for prompt in prompts]
        for place, prompt in zip(self.slots.enter(asked, Mixed(self.base.network)), prompts, strict=True):
            self.ids[place] = list(prompt)

    def leave(self, *places: int) -> None:
        self.slots.leave(places)
        for place in places:
            del self.ids[place]

    def tighten(self) -> dict[int, int]:
        moved = self.slots.tighten()
        for source, target in moved.items():
            self.ids[target] = self.ids.pop(source)
        return moved

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            tokens = torch.zeros(len(self.slots.owner), dtype=torch.int64)
            for place, ids in self.ids.items():
                ids.append(int(self.dice.integers(3, 259)))
                tokens[place] = ids[-1]
            self.slots.step(tokens)

    def check(self) -> None:
        for place, ids in self.ids.items():
            expected = self.base.network(torch.tensor([ids])).logits[0, -1]
            np.testing.assert_allclose(self.slots.logits[place], expected, atol=2e-4)


@pytest.mark.parametrize("nodes", [512, 24])
@torch.no_grad()
def test_rows_go_on_as_if_alone(base: Base, nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "NODES", nodes)
    rows = Followed(base, prompts=5)
    rows.enter(*PROMPTS, PROMPTS[0], PROMPTS[2], PROMPTS[0])
    rows.check()
    rows.step()
    rows.check()
    rows.step(40)  # past the first rounding of the answer's length
    rows.check()


@torch.no_grad()
def test_places_are_taken_again(base: Base) -> None:
    rows = Followed(base)
    rows.enter(*[PROMPTS[0]] * 5, *[PROMPTS[1]] * 5, PROMPTS[4])
    rows.step(3)
    rows.leave(0, 1, 2, 3, 4, 6)
    assert rows.slots.free() == 64 - 5
    rows.enter(PROMPTS[2], PROMPTS[1], PROMPTS[3], PROMPTS[2])
    assert ("", PROMPTS[0]) not in rows.slots.prompts
    rows.check()
    rows.step(3)
    rows.check()


@torch.no_grad()
def test_rows_move_together_when_a_round_of_places_is_saved(base: Base) -> None:
    rows = Followed(base)
    rows.enter(*[PROMPTS[0]] * 30, *[PROMPTS[4]] * 20)
    rows.step(2)
    assert rows.tighten() == {}
    rows.leave(*range(5, 30))
    moved = rows.tighten()
    assert sorted(moved) == list(range(32, 50))
    assert max(rows.ids) < 32
    rows.step()
    assert rows.slots._now is not None
    assert rows.slots._now.rows == 32
    rows.check()


@torch.no_grad()
def test_a_prompt_is_held_and_read_once_for_all_its_rows(base: Base) -> None:
    suited(base)
    read: list[int] = []
    handle = base.network.register_forward_pre_hook(
        lambda _, __, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    rows = Followed(base)
    rows.enter(*[PROMPTS[0]] * 7)
    rows.enter(*[PROMPTS[0]] * 3)
    handle.remove()
    assert read == [32]
    assert {part.shape[0] for pair in rows.slots._shared.values() for part in pair} == {4}
    rows.step()
    rows.check()


def gpt2() -> Any:
    config = GPT2Config(vocab_size=259, n_embd=32, n_layer=2, n_head=4, n_positions=64, initializer_range=0.2)
    return GPT2LMHeadModel(config).eval()


def test_what_suits_is_found_out_by_trying() -> None:
    assert suited(wrap(tiny_model(initializer_range=0.4), tiny_tokenizer()))
    assert suited(wrap(gpt2(), tiny_tokenizer()))
    assert not suited(wrap(windowed_model(), tiny_tokenizer()))


def test_a_network_that_shifts_its_scores_does_not_suit() -> None:
    network = tiny_model(initializer_range=0.4)
    for block in network.model.layers:
        block.self_attn.scaling *= -1  # what it is told to use; its own attention is told the same
        block.self_attn.register_forward_pre_hook(
            lambda module, given, named: (given, named | {"softcap": 1.0}), with_kwargs=True
        )
    assert not suited(wrap(network, tiny_tokenizer()))
