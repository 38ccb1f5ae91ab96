"""Moved words against networks whose weights are written by hand, tied and untied."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from tests.adjust import made
from tests.tiny import tiny_tokenizer
from trimtab.adjust import embedding, vocabulary
from trimtab.adjust.embedding import Embedding, Shape
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.errors import ModelError
from trimtab.model import sampler
from trimtab.model.hooks import changing
from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base, wrap
from trimtab.model.pack import pack, token_logprobs
from trimtab.model.trunk import ensure
from trimtab.records import Message, Question, Sampling

HOW = Settings(epochs=3, batch_size=4, learning_rate=1e-2, schedule="constant", warmup=0.0)
SIDES = [("input", True), ("both", True), ("input", False), ("both", False)]


def base_of(tied: bool, **settings: Any) -> Base:
    return made.base(tie_word_embeddings=tied, initializer_range=0.3, **settings)


def nudged(base: Base, side: embedding.Side, **shape: Any) -> Embedding:
    given = {"towards": ("12", "3"), "distance": 0.8, **shape}
    return embedding.from_words(base, Shape("nudge", ("ABC", "DE"), tied=side, **given))


def written(base: Base, fitted: Embedding, side: str) -> Base:
    """A copy of the network with the rows written into its weights; where only one side changes, in two matrices."""
    network = copy.deepcopy(base.network)
    own = network.model.embed_tokens.weight.data.clone()
    changed = own.clone()
    changed[list(fitted.ids)] += fitted.strength * fitted.rows
    head = network.lm_head.weight.data.clone()
    tied = network.lm_head.weight is network.model.embed_tokens.weight
    network.lm_head = torch.nn.Linear(own.shape[1], own.shape[0], bias=False)
    network.lm_head.weight.data = changed if side == "both" and tied else head
    network.model.embed_tokens.weight = torch.nn.Parameter(changed)
    return wrap(network.requires_grad_(False), base.tokenizer)


def answers(base: Base) -> list[str]:
    asked = [
        Question(str(n), (Message("user", text),), Sampling(max_new_tokens=9))
        for n, text in enumerate(("ABC", "Hi", "DEAD", "BED"))
    ]
    return [output.text for output in sampler.answer(base, asked)]


@pytest.mark.parametrize(("side", "tied"), SIDES)
def test_it_is_what_the_written_weights_are(side: embedding.Side, tied: bool) -> None:
    base = base_of(tied)
    fitted = nudged(base, side).scaled(1.5)
    other = written(base, fitted, side)
    rows = made.rows()
    before, said = logprobs(base, rows), answers(base)
    with Stack((fitted,)).attach(base):
        torch.testing.assert_close(made.logits(base), made.logits(other), atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(logprobs(base, rows), logprobs(other, rows), atol=1e-3)
        assert np.abs(np.array(logprobs(base, rows)) - before).max() > 0.05
        assert answers(base) == answers(other) != said
    assert logprobs(base, rows) == before


def test_the_head_of_a_tied_network_changes_only_when_asked() -> None:
    base = base_of(True)
    hidden = torch.randn(5, 32, generator=torch.Generator().manual_seed(0))
    own = base.network.lm_head(hidden)
    for side, stays in (("input", True), ("both", False)):
        fitted = nudged(base, side)
        with Stack((fitted,)).attach(base):
            found = base.network.lm_head(hidden)
        others = [n for n in range(259) if n not in fitted.ids]
        assert torch.equal(found[:, others], own[:, others])
        assert torch.equal(found, own) == stays


def test_other_words_are_read_as_before() -> None:
    base = base_of(True)
    fitted = nudged(base, "input")
    every = torch.arange(259)[None]
    own = base.network.model.embed_tokens(every)[0]
    for strength in (0.5, -1.0, 2.0):
        with Stack((fitted.scaled(strength),)).attach(base):
            found = base.network.model.embed_tokens(every)[0]
        others = [n for n in range(259) if n not in fitted.ids]
        assert torch.equal(found[others], own[others])
        moved = found[list(fitted.ids)] - own[list(fitted.ids)]
        torch.testing.assert_close(moved, strength * fitted.rows, atol=1e-5, rtol=1e-4)


def test_nudges_and_prototypes_are_their_formulas() -> None:
    base = base_of(True)
    weight, tokenizer = base.network.model.embed_tokens.weight, base.tokenizer

    def row(letter: str) -> torch.Tensor:
        return weight[tokenizer.convert_tokens_to_ids(letter)]

    def delta(fitted: Embedding, letter: str) -> torch.Tensor:
        return fitted.rows[fitted.ids.index(tokenizer.convert_tokens_to_ids(letter))]

    near, far = ((row("1") + row("2")) / 2 + row("3")) / 2, row("9")
    for shape, expected in (
        ({}, 0.8 * (near - row("A"))),
        ({"towards": (), "away": ("9",)}, 0.8 * (row("A") - far)),
        ({"away": ("9",)}, 0.8 * (near - far)),
    ):
        torch.testing.assert_close(delta(nudged(base, "input", **shape), "A"), expected, atol=1e-6, rtol=1e-4)
    others = embedding.from_words(base, Shape("prototype", ("A", "B", "C")))
    torch.testing.assert_close(delta(others, "A"), (row("B") + row("C")) / 2 - row("A"), atol=1e-6, rtol=1e-4)
    named = embedding.from_words(base, Shape("prototype", ("A",), towards=("12", "3")))
    with Stack((named.scaled(0.25),)).attach(base):
        found = base.network.model.embed_tokens(torch.tensor([named.ids[0]]))[0]
    torch.testing.assert_close(found, 0.75 * row("A") + 0.25 * near, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("side", "tied"), SIDES)
def test_gradients_are_those_of_the_rows_of_whole_matrices(side: embedding.Side, tied: bool) -> None:
    base = base_of(tied)
    network, tree = base.network, pack(made.rows())
    ids = tuple(sorted({n for word in ("ABC", "DE") for n in vocabulary.token_ids(base.tokenizer, word)}))
    delta = torch.nn.Parameter(torch.zeros(len(ids), 32))
    changes = {"model.embed_tokens": embedding._read(network, ids, delta)}
    if side == "both" and tied:
        changes["lm_head"] = embedding._said(ids, delta)
    with changing(network, changes):
        token_logprobs(network, tree).sum().backward()
    zero = dataclasses.replace(nudged(base, side), rows=torch.zeros(len(ids), 32), ids=ids)
    other = written(base, zero, side).network
    if side == "both" and tied:
        other.lm_head.weight = other.model.embed_tokens.weight
    other.model.embed_tokens.weight.requires_grad_(True)
    token_logprobs(other, tree).sum().backward()
    expected = other.model.embed_tokens.weight.grad[list(ids)]
    torch.testing.assert_close(delta.grad, expected, atol=1e-3, rtol=1e-3)
    assert float(expected.abs().max()) > 0.01


@pytest.mark.parametrize("side", ["input", "both"])
def test_training_lowers_the_loss_that_is_attached(side: embedding.Side) -> None:
    base = base_of(True)
    rows = made.rows()
    before = sum(total for total, _ in logprobs(base, rows))
    fitted, training = embedding.fit(
        base, rows, Shape("gradient", ("ABC", "DE"), tied=side), HOW, held_out=rows
    )
    with Stack((fitted,)).attach(base):
        found = logprobs(base, rows)
    after, count = (sum(part) for part in zip(*found, strict=True))
    assert after > before + 1
    told = [row["select_loss"] for row in training.history if row["select_loss"] is not None]
    assert -after / count == pytest.approx(told[-1], abs=1e-4)


def test_a_larger_penalty_stays_closer() -> None:
    lengths = []
    for penalty in (0.0, 1.0, 100.0):
        how = dataclasses.replace(HOW, proximity=penalty, epochs=8)
        fitted, _ = embedding.fit(base_of(True), made.rows(), Shape("gradient", ("ABC", "DE")), how)
        lengths.append(float(fitted.rows.norm()))
    assert lengths[0] > 1.1 * lengths[1] > 1.5 * lengths[2] > 0


def test_moved_words_are_never_read_from_the_trunk() -> None:
    base = base_of(True, num_hidden_layers=4)
    rows = made.rows()
    ensure(base, 2, rows)
    plain = logprobs(base, rows)
    for side in ("input", "both"):
        with Stack((nudged(base, side),)).attach(base):
            found = logprobs(base, rows)
            trunk, base.trunk = base.trunk, None
            assert found == logprobs(base, rows)
        base.trunk = trunk
        assert np.abs(np.array(found) - plain).max() > 0.05


def test_families_that_scale_what_they_look_up() -> None:
    config = Gemma3TextConfig(
        vocab_size=259, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, initializer_range=0.3, tie_word_embeddings=False,
    )  # fmt: skip
    base = wrap(Gemma3ForCausalLM(config).eval().requires_grad_(False), tiny_tokenizer())
    fitted = nudged(base, "input")
    expected = copy.deepcopy(base.network)
    expected.model.embed_tokens.weight[list(fitted.ids)] += fitted.rows
    with Stack((fitted,)).attach(base):
        torch.testing.assert_close(
            made.logits(base), expected(torch.arange(3, 40)[None]).logits, atol=1e-3, rtol=1e-3
        )


def merging_tokenizer() -> Any:
    """Knows "hi" as one token and " hi" as another; "hit" is made of two."""
    vocab = {
        token: n for n, token in enumerate(("<s>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "hi", "Ġhi"))
    }
    backend = Tokenizer(models.BPE(vocab=vocab, merges=[("h", "i"), ("Ġ", "hi")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", clean_up_tokenization_spaces=False
    )


def test_a_word_is_all_its_tokens_with_and_without_a_space_before() -> None:
    tokenizer = merging_tokenizer()

    def tokens(word: str) -> list[str]:
        return tokenizer.convert_ids_to_tokens(list(vocabulary.token_ids(tokenizer, word)))

    assert tokens("hi") == ["hi", "Ġhi"]
    assert tokens("hit") == ["hi", "t", "Ġhi"]
    assert tokens("it") == ["i", "t"]
    for nothing in ("", "  ", "<s>"):
        with pytest.raises(ModelError, match="no token"):
            vocabulary.token_ids(tokenizer, nothing)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (Shape("nudge", ("A",)), "no cluster"),
        (Shape("prototype", ("A",)), "two words"),
        (Shape("gradient", ("A",)), "needs examples"),
        (Shape("nudge", (), ("B",)), "no words"),
    ],
)
def test_what_cannot_be_moved_says_why(shape: Shape, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        embedding.from_words(base_of(True), shape)


def test_too_many_tokens_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST_TOKENS", 4)
    with pytest.raises(ModelError, match="5 tokens, expected at most 4"):
        nudged(base_of(True), "input")
