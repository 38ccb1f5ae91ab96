"""Rows of different stacks in one pass: each is changed by its own stack alone, and by all of it."""

from __future__ import annotations

import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model import slots
from trimtab.model.hooks import LowRankPart, changing
from trimtab.model.load import Base, wrap
from trimtab.model.mixed import SETS, Changes, Mixed

PROMPTS = [(5, 6, 7, 8, 9), (5, 6, 7, 11), (5, 6, 7, 8, 12, 13)]
NAMES = ("", "one", "two", "three")


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(), tiny_tokenizer())


def part(module: torch.nn.Linear, rank: int, seed: int) -> LowRankPart:
    dice = torch.Generator().manual_seed(seed)
    down = torch.randn(module.in_features, rank, generator=dice)
    return LowRankPart(down, 0.3 * torch.randn(rank, module.out_features, generator=dice))


def stacks(base: Base) -> dict[str, Changes]:
    """Low-rank parts of different ranks at other modules, one with a push after it, and one that changes the head."""
    linear = [name for name, m in base.network.named_modules() if type(m) is torch.nn.Linear]
    inner = [name for name in linear if name != "lm_head"]
    modules = {name: base.network.get_submodule(name) for name in linear}
    one = {name: (part(modules[name], 2, 1),) for name in inner}
    two = {name: (part(modules[name], 3, 2),) for name in inner[1:]}
    pushed = inner[2]
    two[pushed] = (*two[pushed], lambda _, states: states + 0.5)  # type: ignore[assignment]
    return {"one": one, "two": two, "three": {"lm_head": (part(modules["lm_head"], 2, 3),)}}


def known(base: Base) -> Mixed:
    mixed = Mixed(base.network)
    for name, changes in stacks(base).items():
        mixed.know(name, changes)
    return mixed


def alone(base: Base, whose: str, ids: torch.Tensor) -> torch.Tensor:
    """Logits of the last token under one stack, its changes made one after another."""
    changes = stacks(base).get(whose, {})

    def all_of(name: str) -> object:
        def change(asked: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
            for one in changes[name]:
                output = one(asked, output)
            return output

        return change

    with torch.no_grad(), changing(base.network, {name: all_of(name) for name in changes}):  # type: ignore[misc]
        logits: torch.Tensor = base.network(input_ids=ids, use_cache=False).logits[:, -1]
    return logits


@torch.no_grad()
def test_rows_of_a_batch_are_changed_by_their_own_stack(base: Base) -> None:
    ids = torch.tensor([[5, 6, 7, 8]] * 5)
    with known(base).applied({"two": [0, 3], "": [2], "one": [4], "three": [1]}):
        together = base.network(input_ids=ids, use_cache=False).logits[:, -1]
    for row, whose in enumerate(("two", "three", "", "two", "one")):
        torch.testing.assert_close(together[row], alone(base, whose, ids[:1])[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[4])


def test_prompts_of_different_stacks_are_read_in_one_tree(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed, places = known(base), slots.Slots(base, 12, 12, (32, 32))
    passes = []
    monkeypatch.setattr(slots, "inputs", lambda tree, of: passes.append(len(tree.ids)) or inputs(tree, of))
    asked = [(whose, prompt) for prompt in PROMPTS for whose in NAMES]
    found = places.enter(asked, mixed)
    # Nodes are shared within a stack alone; a stack that changes the head is read by itself.
    assert passes == [3 * 8, 8]
    for place, (whose, prompt) in zip(found, asked, strict=True):
        expected = alone(base, whose, torch.tensor([prompt]))[0]
        torch.testing.assert_close(places.logits[place], expected, rtol=1e-4, atol=1e-5)


def test_a_stack_that_is_forgotten_or_made_anew_leaves_nothing(base: Base) -> None:
    ids, rows = torch.tensor([[5, 6, 7, 8]] * 2), {"one": [0], "two": [1]}
    mixed = known(base)

    def first() -> torch.Tensor:
        with torch.no_grad(), mixed.applied(rows):
            logits: torch.Tensor = base.network(input_ids=ids, use_cache=False).logits[0, -1]
        return logits

    before = first()
    mixed.know("one", {})
    torch.testing.assert_close(first(), alone(base, "", ids[:1])[0])
    assert not torch.allclose(before, first())
    mixed.forget("one")
    with pytest.raises(KeyError), mixed.applied(rows):
        pass


def test_only_so_many_sets_of_stacks_are_kept(base: Base) -> None:
    mixed = Mixed(base.network)
    (name,) = list(stacks(base)["three"])
    for number in range(2 * SETS):
        mixed.know(f"{number}", {name: (part(base.network.get_submodule(name), 2, number),)})
        with mixed.applied({f"{number}": [0]}):
            pass
    assert len(mixed._together) == SETS


inputs = slots.inputs
