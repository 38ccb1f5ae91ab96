"""Marks against transformers' own `generate`, processors and detector, and against a second implementation."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    WatermarkDetector,
)

from tests.reference import watermark_reference as reference
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model import watermark
from trimtab.model.decoding import Row, decode
from trimtab.model.load import Base, wrap
from trimtab.records import Mark, Sampling

SIZE = 259
GREEN = Mark("green-list", "0123456789abcdef" * 2, SIZE, bias=3.0)
SYNTH = Mark("synthid", "fedcba9876543210" * 2, SIZE)
PROMPT = (1, 80, 81, 82, 2)


@pytest.fixture(scope="module")
def base() -> Base:
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


def drawn(base: Base, *how: Sampling) -> list[Row]:
    """One row for each setting, all in one batch."""
    rows = [Row(PROMPT, number, sampling) for number, sampling in enumerate(how)]
    for _ in decode(base, rows):
        pass
    return rows


def test_greedy_answers_are_those_of_generate_token_for_token(base: Base) -> None:
    how = [
        Sampling(max_new_tokens=40, mark=mark, repetition_penalty=penalty)
        for mark in (GREEN, None, dataclasses.replace(GREEN, bias=0.5, share=0.5))
        for penalty in (1.0, 1.3)
    ]
    found = drawn(base, *how)
    for row in found:
        mark = row.sampling.mark
        wanted = base.network.generate(
            torch.tensor([PROMPT]),
            watermarking_config=watermark.config(mark) if mark else None,
            repetition_penalty=row.sampling.repetition_penalty,
            do_sample=False,
            max_new_tokens=40,
            eos_token_id=list(base.stop_ids()),
            pad_token_id=0,
        )[0, len(PROMPT) :].tolist()
        assert row.tokens == wanted[: len(row.tokens)]
        assert len(row.tokens) > 10
    assert found[0].tokens != found[2].tokens


WARMERS: dict[str, Sampling] = {
    "plain": Sampling(temperature=0.8),
    "top k": Sampling(temperature=1.0, top_k=20),
    "all": Sampling(temperature=1.3, top_k=40, top_p=0.9, min_p=0.05),
}


def stock(sampling: Sampling, mark: Mark) -> Any:
    """Transformers' processors in the order of `generate`; of a tournament, among as many tokens as ours."""
    most = min(sampling.top_k or SIZE, watermark.CONTENDERS if mark.scheme == "synthid" else SIZE)
    steps: list[Any] = [TemperatureLogitsWarper(sampling.temperature), TopKLogitsWarper(most)]
    steps += [TopPLogitsWarper(sampling.top_p)] if sampling.top_p < 1 else []
    steps += [MinPLogitsWarper(sampling.min_p)] if sampling.min_p else []
    steps.append(watermark.config(mark).construct_processor(SIZE, "cpu"))

    def scores(ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        for step in steps:
            logits = step(ids, logits)
        return logits

    return scores


@pytest.mark.parametrize("mark", [GREEN, SYNTH, dataclasses.replace(SYNTH, depth=7, ngram=3)])
@pytest.mark.parametrize("sampling", WARMERS.values(), ids=WARMERS)
def test_chances_are_those_of_transformers_processors(sampling: Sampling, mark: Mark) -> None:
    ours, theirs = watermark.Marking(sampling, mark, PROMPT[-1]), stock(sampling, mark)
    dice = torch.Generator().manual_seed(1)
    # Few different tokens, so that contexts come again.
    said = [*PROMPT, *torch.randint(5, 7, (40,), generator=dice).tolist()]
    for at in range(len(PROMPT), len(said)):
        logits = 2 * torch.randn(SIZE, generator=dice)
        found = ours.scores(logits.clone()).softmax(-1)
        wanted = theirs(torch.tensor([said[:at]]), logits[None])[0].softmax(-1)
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)
        ours.said(said[at])


def test_rows_with_and_without_a_mark_share_a_batch_undisturbed(base: Base) -> None:
    warm = Sampling(max_new_tokens=12, temperature=1.0)
    how = [warm, dataclasses.replace(warm, mark=GREEN), dataclasses.replace(warm, mark=SYNTH), warm]
    together = drawn(base, *how)
    for number, sampling in enumerate(how):
        alone = Row(PROMPT, number, sampling)
        for _ in decode(base, [alone], at_once=1):
            pass
        assert alone.tokens == together[number].tokens
        assert alone.logprobs == pytest.approx(together[number].logprobs, abs=1e-4)
    assert len({tuple(row.tokens) for row in together}) == 4


def test_places_that_are_taken_again_forget_the_mark_before(base: Base) -> None:
    cold = Sampling(max_new_tokens=6)
    rows = [Row(PROMPT, 0, dataclasses.replace(cold, mark=GREEN)) for _ in range(3)]
    rows += [Row((*PROMPT, 5), 0, cold) for _ in range(3)]
    for _ in decode(base, rows, at_once=2):
        pass
    (alone,) = [Row((*PROMPT, 5), 0, cold)]
    for _ in decode(base, [alone]):
        pass
    assert [row.tokens for row in rows[3:]] == [alone.tokens] * 3


def test_a_greedy_answer_has_no_tournament(base: Base) -> None:
    cold = Sampling(max_new_tokens=10)
    plain, marked = drawn(base, cold, dataclasses.replace(cold, mark=SYNTH))
    assert marked.tokens == plain.tokens
    assert not watermark.marks(marked.sampling)


@pytest.mark.parametrize("temperature", [1e-38, 1e-5])
def test_a_temperature_of_nearly_0_is_0_with_a_mark_too(base: Base, temperature: float) -> None:
    cold = Sampling(max_new_tokens=6)
    how = [dataclasses.replace(cold, mark=mark) for mark in (GREEN, SYNTH)]
    nearly = [dataclasses.replace(one, temperature=temperature) for one in how]
    assert [row.tokens for row in drawn(base, *nearly)] == [row.tokens for row in drawn(base, *how)]


def test_green_pairs_are_those_of_transformers_detector(base: Base) -> None:
    row = drawn(base, Sampling(max_new_tokens=60, temperature=1.0, mark=GREEN))[0]
    tokens = [*row.tokens, *row.tokens[:9]]
    theirs = WatermarkDetector(
        base.network.config, "cpu", watermark.config(GREEN), ignore_repeated_ngrams=True
    )
    wanted: Any = theirs(torch.tensor([tokens]), return_dict=True)
    found = watermark.evidence(GREEN, tokens)
    assert len(found.values) == wanted.num_tokens_scored[0] < len(tokens) - 1
    assert found.values.sum() == wanted.num_green_tokens[0]
    # Theirs expects 25%, ours the share that the list really has: 64 of 259 tokens.
    assert found.mean == pytest.approx(64 / 259)


@pytest.mark.parametrize("mark", [SYNTH, dataclasses.replace(SYNTH, depth=3, ngram=3)])
def test_won_rounds_are_those_of_a_second_implementation(mark: Mark) -> None:
    tokens = [int(t) for t in np.random.default_rng(0).integers(3, 12, 200)]
    settings = watermark.config(mark)
    table = watermark._processor(mark).sampling_table.tolist()
    wanted = reference.won(tokens, settings.keys, table, mark.ngram)
    found = watermark.evidence(mark, tokens)
    assert found.values == pytest.approx(wanted)
    assert len(found.values) < len(tokens) - mark.ngram
    if mark.depth < 10:  # by hand, for all there are
        mean, sd = reference.chance(settings.keys, table)
        assert (found.mean, found.sd) == pytest.approx((mean, sd))


def test_keys_decide_apart_and_nothing_is_read_from_too_little() -> None:
    keys = watermark.config(SYNTH).keys
    assert len(set(keys)) == SYNTH.depth == 30
    other = dataclasses.replace(SYNTH, key="0" * 32)
    assert set(watermark.config(other).keys) != set(keys)
    assert watermark.config(other).sampling_table_seed != watermark.config(SYNTH).sampling_table_seed
    assert len(watermark.evidence(SYNTH, [5, 6, 7, 8]).values) == 0
    assert len(watermark.evidence(GREEN, [5]).values) == 0
    assert SYNTH.key not in repr(SYNTH) + repr(Sampling(mark=SYNTH))
