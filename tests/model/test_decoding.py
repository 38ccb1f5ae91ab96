"""Rows that join, leave and belong to different stacks, beside the same rows answered alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer, windowed_model
from trimtab.model import hooks
from trimtab.model.decoding import Decoding, Row, decode, places_for
from trimtab.model.load import Base, wrap
from trimtab.model.mixed import Mixed
from trimtab.records import Sampling

GREEDY = Sampling(max_new_tokens=12)
WARM = Sampling(max_new_tokens=9, temperature=1.0, top_p=0.9)
PENALISED = Sampling(max_new_tokens=10, repetition_penalty=1.3)


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


def wanted() -> list[Row]:
    prompts = [(40, 41, 42, 7), (40, 41, 42, 9, 10), (5, 6), (40, 41, 42, 7)]
    how = [GREEDY, WARM, PENALISED, WARM]
    return [
        Row(prompt, seed, sampling) for seed, (prompt, sampling) in enumerate(zip(prompts, how, strict=True))
    ]


def alone(base: Base, row: Row) -> list[int]:
    fresh = Row(row.prompt, row.seed, row.sampling, whose=row.whose)
    for _ in decode(base, [fresh]):
        pass
    return fresh.tokens


def opened(base: Base, rows: list[Row], **more: Any) -> Decoding:
    return Decoding(base, places_for(base, rows, 8), 64, **more)


def test_rows_that_join_later_get_the_answers_that_they_get_alone(base: Base) -> None:
    rows = wanted()
    decoding = opened(base, rows)
    decoding.joining = 1
    for row in rows:
        decoding.add([row])
        decoding.advance()
        decoding.advance()
    while decoding.busy:
        decoding.advance()
    assert [row.tokens for row in rows] == [alone(base, row) for row in rows]


def test_a_row_that_is_dropped_leaves_its_place_and_the_others_alone(base: Base) -> None:
    rows = wanted()
    decoding = opened(base, rows)
    decoding.joining = 1
    decoding.add(rows)
    decoding.advance()
    free = decoding.places.free()
    waiting = Row((5, 6, 7), 9, GREEDY)
    decoding.add([waiting])
    decoding.drop(rows[0])
    decoding.drop(waiting)
    assert decoding.places.free() == free + 1
    while decoding.busy:
        assert rows[0] not in decoding.advance()
    assert waiting.tokens == []
    assert len(rows[0].tokens) == 1
    for row in rows[1:]:
        assert row.tokens == alone(base, row)


@pytest.mark.parametrize("network", [partial(tiny_model, initializer_range=0.4), windowed_model])
def test_rows_of_different_stacks_share_a_batch_and_nothing_else(network: Any) -> None:
    base = wrap(network(), tiny_tokenizer())
    name = next(name for name, _ in base.network.named_modules() if name.endswith("layers.0"))
    pushes = {
        whose: torch.randn(base.network.config.hidden_size, generator=torch.Generator().manual_seed(seed))
        for seed, whose in enumerate(("one", "two"))
    }
    mixed = Mixed(base.network)
    for whose, push in pushes.items():
        mixed.know(whose, {name: [lambda _, states, push=push: states + push]})
    asked = [(40, 41, 42, 7), (5, 6)]
    rows = [Row(prompt, 1, WARM, whose=whose) for prompt in asked for whose in ("", "one", "two")]
    found = opened(base, rows, mixed=mixed)
    found.joining = 1
    found.add(rows)
    while found.busy:
        found.advance()
    answers = [tuple(row.tokens) for row in rows]
    assert len(set(answers)) == len(answers)
    for row in rows:
        fresh = Row(row.prompt, row.seed, row.sampling)
        pushed = {name: lambda _, states, whose=row.whose: states + pushes[whose]} if row.whose else {}
        with hooks.changing(base.network, pushed):
            for _ in decode(base, [fresh]):
                pass
        assert fresh.tokens == row.tokens, row.whose
