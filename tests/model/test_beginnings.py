"""What of a prompt is read after one that begins like it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model import beginnings, slots
from trimtab.model.load import Base, wrap
from trimtab.model.mixed import Mixed

SIZE = 100
OPENING = (5, 6, 7, 8, 9, 10)


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(), tiny_tokenizer())


def test_only_what_is_new_is_read_after_the_prompt_that_saves_most() -> None:
    new = [("", (*OPENING, 20)), ("", (*OPENING[:4], 30, 31)), ("one", (*OPENING, 20))]
    there = [("one", (5, 9)), None, ("", (5, 6)), ("", (*OPENING, 40, 41))]
    (left,) = beginnings.left(new, there, 64, SIZE)
    assert dict(zip(left.numbers, left.shared, strict=True)) == {
        0: (3, 6),
        1: (3, 4),
        2: (0, 1),
    }
    (part,) = left.parts
    assert sorted(part.after) == [(0, 1), (3, 6)]
    assert sorted(left.tree.ids.tolist()) == sorted([20, 30, 31, *OPENING[1:], 20])
    for end, number in zip(left.tree.ends, left.numbers, strict=True):
        _, ids = new[number]
        assert left.tree.depth[end] == len(ids) - 1
        assert part.sees[end].sum() == left.shared[left.numbers.index(number)][1]
    assert sorted(left.nodes) == ["", "one"]


def test_the_last_token_is_read_though_all_is_known() -> None:
    (left,) = beginnings.left([("", OPENING)], [("", (*OPENING, 11))], 64, SIZE)
    assert left.tree.ids.tolist() == [OPENING[-1]]
    assert left.shared == [(0, len(OPENING) - 1)]


def test_nothing_is_read_after_another_stacks_prompt() -> None:
    (left,) = beginnings.left([("one", OPENING)], [("", OPENING), ("two", OPENING)], 64, SIZE)
    assert left.shared == [(-1, 0)]
    assert [part.after for part in left.parts] == [[]]


def test_parts_see_nothing_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginnings, "FEW", 3)
    new = [("", (*OPENING, 20, 21)), ("", (*OPENING, 30)), ("", (40, 41, 42, 43)), ("one", (5, 6, 7))]
    (left,) = beginnings.left(new, [("", (*OPENING, 50)), ("one", (5, 9))], 64, SIZE)
    ends = [(part.start, part.stop) for part in left.parts]
    assert ends == [(0, 3), (3, 7), (7, 9)]
    inside = np.zeros_like(left.tree.sees)
    for start, stop in ends:
        inside[start:stop, start:stop] = True
    assert not (left.tree.sees & ~inside).any()
    assert [part.after for part in left.parts] == [[(0, 6)], [], [(1, 1)]]


@pytest.mark.parametrize("few", [1, 64])
def test_answers_go_on_from_a_beginning_as_from_the_whole_prompt(
    base: Base, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(beginnings, "FEW", few)
    read = []
    inputs = slots.inputs
    monkeypatch.setattr(slots, "inputs", lambda tree, of: read.append(len(tree.ids)) or inputs(tree, of))
    places, mixed = slots.Slots(base, 32, 8, (64, 32)), Mixed(base.network)
    ids: dict[int, list[int]] = {}
    for prompts in ([(*OPENING, 20, 21)], [(*OPENING, 22), (*OPENING[:3], 23, 24)], [(*OPENING, 22, 25, 26)]):
        found = places.enter([("", prompt) for prompt in prompts], mixed)
        ids |= {place: list(prompt) for place, prompt in zip(found, prompts, strict=True)}
        tokens = torch.zeros(32, dtype=torch.int64)
        for place, row in ids.items():
            row.append(int(np.random.default_rng(len(row)).integers(5, 40)))
            tokens[place] = row[-1]
        places.step(tokens)
    assert read == [8, 1 + 2, 2]
    with torch.no_grad():
        for place, row in ids.items():
            whole = base.network(input_ids=torch.tensor([row]), use_cache=False).logits[0, -1]
            torch.testing.assert_close(places.logits[place], whole, rtol=1e-4, atol=1e-5)
