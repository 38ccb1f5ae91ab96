"""The sampler against transformers' own generate, against plain forward passes, and against itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer, windowed_model
from trimtab.model.decoding import Row, decode
from trimtab.model.load import Base, load, prompt_ids, wrap
from trimtab.model.pack import rounded, tree_size, unscored
from trimtab.model.sampler import sample, stream
from trimtab.model.slots import suited
from trimtab.records import Example, Message, Sampling

TEXTS = (
    "Hi",
    "Tell me about the sea, please.",
    "What?",
    "A much longer question, with many words in it: why?",
)


def asked(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


def examples(texts: Sequence[str] = TEXTS) -> list[Example]:
    return [Example(asked(text), id=f"e{number}") for number, text in enumerate(texts)]


@pytest.fixture(scope="module")
def base() -> Base:
    """A network with large weights, so that its answers vary and do not hang on rounding."""
    return wrap(tiny_model(initializer_range=0.4), tiny_tokenizer())


def generated(base: Base, prompt: Sequence[int], **settings: Any) -> list[int]:
    """What transformers answers to one prompt."""
    ids = torch.tensor([list(prompt)])
    found = base.network.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, pad_token_id=0, **settings
    )
    return [int(token) for token in found[0, len(prompt) :]]


def made(base: Base, sampling: Sampling, seeds: Sequence[int] = (0,)) -> list[Row]:
    """Rows that ask every text under every seed."""
    return [
        Row(tuple(prompt_ids(base.tokenizer, asked(text))), seed, sampling)
        for text in TEXTS
        for seed in seeds
    ]


def finish(base: Base, rows: Sequence[Row], **settings: Any) -> None:
    for _ in decode(base, rows, **settings):
        pass


def shapes(base: Base, rows: Sequence[Row], **settings: Any) -> list[tuple[int, ...]]:
    """Rows and tokens of every forward pass, after those that find out whether the network suits."""
    suited(base)
    seen: list[tuple[int, ...]] = []
    handle = base.network.register_forward_pre_hook(
        lambda _, __, given: seen.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    finish(base, rows, **settings)
    handle.remove()
    return seen


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_greedy_equals_transformers_generate(base: Base, penalty: float) -> None:
    rows = made(base, Sampling(max_new_tokens=40, repetition_penalty=penalty))
    finish(base, rows)
    for row in rows:
        expected = generated(base, row.prompt, max_new_tokens=40, repetition_penalty=penalty)
        assert row.tokens == [token for token in expected if token != base.tokenizer.eos_token_id]


def test_the_repetition_penalty_changes_the_answer(base: Base) -> None:
    plain = sample(base, examples(), Sampling(max_new_tokens=30))
    changed = sample(base, examples(), Sampling(max_new_tokens=30, repetition_penalty=1.3))
    assert [o.text for o in plain] != [o.text for o in changed]


@pytest.mark.embedded
def test_greedy_equals_transformers_generate_on_the_embedded_model() -> None:
    base = load(dtype="float32", device="cpu", threads=torch.get_num_threads())
    rows = made(base, Sampling(max_new_tokens=12))
    finish(base, rows, at_once=3)
    for row in rows:
        expected = generated(base, row.prompt, max_new_tokens=12)
        assert row.tokens == [token for token in expected if token not in base.stop_ids()]


def test_outputs_stand_example_by_example_and_seed_by_seed(base: Base) -> None:
    outputs = sample(base, examples(), Sampling(max_new_tokens=3, temperature=1), seeds=(4, 2))
    assert [(o.example, o.seed) for o in outputs] == [(f"e{n}", s) for n in range(4) for s in (4, 2)]


def test_seeds_repeat_and_differ(base: Base) -> None:
    sampling = Sampling(max_new_tokens=12, temperature=1.0)
    once = sample(base, examples(), sampling, seeds=(0, 1))
    again = sample(base, examples(), sampling, seeds=(0, 1))
    assert once == again
    assert {o.text for o in once if o.seed == 0}.isdisjoint({o.text for o in once if o.seed == 1})


def test_greedy_answers_are_the_same_under_every_seed(base: Base) -> None:
    outputs = sample(base, examples(TEXTS[:1]), Sampling(max_new_tokens=8), seeds=(0, 7))
    assert [o.seed for o in outputs] == [0, 7]
    assert outputs[0].text == outputs[1].text


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(max_new_tokens=8, temperature=1.0),
        Sampling(max_new_tokens=8, temperature=0.8, top_p=0.9),
        Sampling(max_new_tokens=8, temperature=1.0, top_k=5, repetition_penalty=1.2),
    ],
)
def test_an_answer_does_not_depend_on_its_batch(base: Base, sampling: Sampling) -> None:
    together = sample(base, examples(), sampling, seeds=(0, 1, 2))
    alone = [
        o for example in examples() for s in range(3) for o in sample(base, [example], sampling, seeds=(s,))
    ]
    in_pairs = sample(base, examples(), sampling, seeds=(0, 1, 2), rows=2)
    assert [o.text for o in together] == [o.text for o in alone] == [o.text for o in in_pairs]


def test_equal_prompts_are_answered_alike(base: Base) -> None:
    twice = sample(base, examples(["Same", "Same"]), Sampling(max_new_tokens=9, temperature=1))
    assert twice[0].text == twice[1].text


def test_logprobs_equal_a_plain_forward_pass(base: Base) -> None:
    sampling = Sampling(max_new_tokens=25, temperature=0.7, top_p=0.8, repetition_penalty=1.1)
    rows = made(base, sampling, seeds=(3,))
    finish(base, rows)
    for row in rows:
        ids = [*row.prompt, *row.tokens]
        with torch.no_grad():
            logs = base.network(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = [float(logs[len(row.prompt) - 1 + i, t]) for i, t in enumerate(row.tokens)]
        assert len(row.logprobs) == len(row.tokens) + (row.finish == "stop")
        np.testing.assert_allclose(row.logprobs[: len(row.tokens)], expected, atol=1e-3)


def test_finished_rows_leave_without_an_effect_on_the_others() -> None:
    network = tiny_model(initializer_range=0.4)
    network.generation_config.eos_token_id = list(range(2, 60))
    base = wrap(network, tiny_tokenizer())
    sampling = Sampling(max_new_tokens=30, temperature=1.5)
    rows = made(base, sampling, seeds=range(20))
    sizes = shapes(base, rows)
    read, *written = sizes
    assert read[0] == 1  # all prompts, as one tree
    assert all(width == 1 for _, width in written)
    counts = [count for count, _ in written]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
    assert {row.finish for row in rows} >= {"stop"}
    for row in rows:
        alone = Row(row.prompt, row.seed, sampling)
        finish(base, [alone])
        assert (alone.tokens, alone.finish) == (row.tokens, row.finish)
    assert all(row.finish == "stop" or len(row.tokens) == 30 for row in rows)


def test_others_take_the_place_of_finished_rows(base: Base) -> None:
    lengths = (3, 40, 8, 25)
    rows = [
        Row(row.prompt, row.seed, Sampling(max_new_tokens=lengths[number % 4], temperature=1.2))
        for number, row in enumerate(made(base, Sampling(), seeds=range(12)))
    ]
    sizes = shapes(base, rows, at_once=20)
    assert max(count for count, width in sizes if width == 1) == 32  # 20, rounded up
    assert len(sizes) < sum(lengths)  # no batch waited for its longest row
    assert sum(width > 1 for _, width in sizes) > 1
    for row in rows:
        alone = Row(row.prompt, row.seed, row.sampling)
        finish(base, [alone])
        assert alone.tokens == row.tokens
        np.testing.assert_allclose(alone.logprobs, row.logprobs, atol=1e-3)


def test_each_prompt_is_read_once_though_its_rows_are_many(base: Base) -> None:
    rows = made(base, Sampling(max_new_tokens=3), seeds=range(50))
    read = [width for _, width in shapes(base, rows, at_once=32) if width > 1]
    assert len(read) > 1
    nodes = tree_size([unscored(prompt) for prompt in {row.prompt for row in rows}])
    alone = sum(rounded(len(prompt)) for prompt in {row.prompt for row in rows})
    assert rounded(nodes) <= sum(read) <= alone


def test_settings_share_a_batch(base: Base) -> None:
    settings = (
        Sampling(max_new_tokens=20),
        Sampling(max_new_tokens=20, temperature=1.0, top_p=0.9),
        Sampling(max_new_tokens=9, temperature=0.7, top_k=8),
        Sampling(max_new_tokens=20, repetition_penalty=1.4),
    )
    rows = [row for sampling in settings for row in made(base, sampling)]
    rows.sort(key=lambda row: row.prompt)
    finish(base, rows)
    for row in rows:
        alone = Row(row.prompt, row.seed, row.sampling)
        finish(base, [alone])
        assert alone.tokens == row.tokens
    assert len({tuple(row.tokens) for row in rows if row.prompt == rows[0].prompt}) > 1


def test_a_network_with_a_sliding_window_is_answered_batch_by_batch() -> None:
    base = wrap(windowed_model(), tiny_tokenizer())
    rows = made(base, Sampling(max_new_tokens=6), seeds=range(2))
    assert not suited(base)
    sizes = shapes(base, rows, at_once=3)
    assert sum(width > 1 for _, width in sizes) == 3
    for row in rows:
        alone = Row(row.prompt, row.seed, row.sampling)
        finish(base, [alone])
        assert alone.tokens == row.tokens


def test_stop_strings_cut_the_answer(base: Base) -> None:
    free = sample(base, examples(), Sampling(max_new_tokens=40))
    for output in free:
        mark = output.text[10:12]
        assert mark
        (cut,) = sample(
            base,
            [e for e in examples() if e.id == output.example],
            Sampling(max_new_tokens=40, stop=("never there", mark)),
        )
        assert cut.text == output.text[: output.text.index(mark)]
        assert cut.finish == "stop"
        assert len(cut.logprobs) < len(output.logprobs)


@pytest.mark.parametrize("stop", [(), ("e",), ("never there", "qq")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_streamed_pieces_join_to_the_answer(base: Base, temperature: float, stop: tuple[str, ...]) -> None:
    sampling = Sampling(max_new_tokens=20, temperature=temperature, stop=stop)
    for example in examples(TEXTS[:2]):
        pieces = list(stream(base, example.messages, sampling, seed=5))
        (answer,) = sample(base, [example], sampling, seeds=(5,))
        assert "".join(pieces) == answer.text
        assert all(pieces)
        assert len(pieces) > 1 or len(answer.text) < 5


def test_a_stop_string_is_never_streamed_in_part(base: Base) -> None:
    (free,) = sample(base, examples(TEXTS[:1]), Sampling(max_new_tokens=40))
    mark = free.text[8:14]
    pieces = list(stream(base, asked(TEXTS[0]), Sampling(max_new_tokens=40, stop=(mark,))))
    assert "".join(pieces) == free.text[: free.text.index(mark)]


def test_progress_counts_answers_and_tokens(base: Base) -> None:
    seen: list[tuple[int, int, int]] = []
    outputs = sample(
        base,
        examples(),
        Sampling(max_new_tokens=6, temperature=1),
        seeds=(0, 1),
        report=lambda done, total, tokens: seen.append((done, total, tokens)),
    )
    assert [s[0] for s in seen] == list(range(1, 9))
    assert seen[-1] == (8, 8, sum(len(o.logprobs) for o in outputs))
