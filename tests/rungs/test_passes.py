"""The plan counts what a candidate reads and draws beyond the base model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rungs import made, shops
from trimtab.candidates import ContextCandidate, DecodingCandidate, PromptCandidate
from trimtab.rungs import passes
from trimtab.rungs.workshop import Speed, Workshop

DRAWING, READING = Speed(0.0, 1.0, 0.0), Speed(1.0, 0.0, 0.0)


def cost(shop: Workshop, how: passes.Pass, speed: Speed) -> float:
    return passes.seconds(shop.prepared, speed, "select", how)


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return made.workshop(tmp_path)


def test_the_best_of_several_draws_several(shop: Workshop) -> None:
    base = cost(shop, passes.BASE, DRAWING)
    four = passes.of(shop, "decoding", DecodingCandidate(best_of=4, temperature=0.7))
    up_to = passes.of(shop, "decoding", DecodingCandidate(best_of=(1, 6), temperature=0.7))
    assert cost(shop, four, DRAWING) == pytest.approx(4 * base)
    assert cost(shop, up_to, DRAWING) == pytest.approx(6 * base)


def test_what_the_model_judges_itself_is_read_again(shop: Workshop) -> None:
    likely = DecodingCandidate(best_of=3, temperature=0.7)
    own = passes.of(shop, "decoding", likely.model_copy(update={"by": "judgement"}))
    plain = cost(shop, passes.of(shop, "decoding", likely), READING)
    assert cost(shop, own, READING) > 3 * plain


def test_seeds_count_only_where_answers_differ(tmp_path: Path) -> None:
    shop = made.workshop(tmp_path, sampling={"max_new_tokens": 8, "seeds": 3})
    warm = passes.of(shop, "decoding", DecodingCandidate(temperature=0.7))
    assert cost(shop, warm, DRAWING) == pytest.approx(3 * cost(shop, passes.BASE, DRAWING))


def test_exemplars_are_read_with_each_question_or_once_for_all(shop: Workshop) -> None:
    items = len(shop.prepared.parts["select"])
    base = cost(shop, passes.BASE, READING)
    near, alike = (
        passes.of(shop, "prompt", PromptCandidate(exemplars=4, choose=choose))
        for choose in ("nearest", "diverse")
    )
    beside = cost(shop, alike, READING) - base
    assert beside > 4
    assert cost(shop, near, READING) - base == pytest.approx(items * beside)


def test_a_revision_draws_twice_and_reads_the_draft(shop: Workshop) -> None:
    twice = passes.of(shop, "prompt", PromptCandidate(revise="Shorter, please."))
    assert cost(shop, twice, DRAWING) == pytest.approx(2 * cost(shop, passes.BASE, DRAWING))
    drafts = cost(shop, passes.BASE, DRAWING)
    read = cost(shop, passes.BASE, READING)
    assert cost(shop, twice, READING) == pytest.approx(2 * read + drafts)


def test_passages_are_read_with_each_question(tmp_path: Path) -> None:
    shop = shops.workshop(tmp_path)
    one, three = (passes.of(shop, "context", ContextCandidate(passages=n, method="bm25")) for n in (1, 3))
    base = cost(shop, passes.BASE, READING)
    more = cost(shop, one, READING) - base
    assert more > 0
    assert cost(shop, three, READING) - base == pytest.approx(3 * more)


def test_a_guard_that_a_rung_cannot_touch_takes_no_time(tmp_path: Path) -> None:
    guards = [{"suite": "general-english", "metric": "nll", "margin": 0.1}]
    shop = made.workshop(tmp_path, guards=guards)
    cooler = passes.of(shop, "decoding", DecodingCandidate(repetition_penalty=1.1))
    steered = passes.Pass(frozenset({"network"}))
    plain = made.workshop(tmp_path / "plain")
    assert cost(shop, cooler, READING) == pytest.approx(cost(plain, passes.BASE, READING))
    assert cost(shop, steered, READING) == pytest.approx(cost(shop, passes.BASE, READING))
    assert cost(shop, steered, READING) > 10 * cost(shop, cooler, READING)


def test_joined_stacks_take_what_both_take(shop: Workshop) -> None:
    four = passes.of(shop, "decoding", DecodingCandidate(best_of=4, temperature=0.7))
    near = passes.of(shop, "prompt", PromptCandidate(exemplars=2, choose="nearest", revise="Again."))
    joined = near.over(four)
    assert (joined.draws, joined.temperature, joined.beside) == (8, 0.7, near.beside)
    assert joined.hooks == {"messages", "sampling"}
