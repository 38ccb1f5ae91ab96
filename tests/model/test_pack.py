"""Trees of rows against the plain loop: log-probabilities, gradients, budgets, and networks they do not suit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GPT2Config, GPT2LMHeadModel

from tests.tiny import tiny_model
from trimtab.model.pack import pack, packs, plain_logprobs, token_logprobs, tree_is_exact, tree_size, unscored
from trimtab.records import TokenRow


def row(ids: list[int], prompt: int = 1, example: str = "") -> TokenRow:
    """Token ids of which those from `prompt` on are supervised."""
    return TokenRow(example, np.array(ids, dtype=np.int64), np.arange(len(ids)) >= prompt)


def random_ids(length: int, seed: int) -> list[int]:
    return [int(i) for i in np.random.default_rng(seed).integers(3, 259, length)]


HEAD = random_ids(12, 0)
SETS = {
    "one row": [row(HEAD, 4)],
    "unrelated": [row(random_ids(9, 1), 3), row(random_ids(14, 2), 5)],
    "shared beginning": [row(HEAD + random_ids(n, n), 12) for n in (3, 7, 5)],
    "one inside another": [row(HEAD[:5], 2), row(HEAD[:9], 4), row(HEAD, 6), row([*HEAD[:9], 7, 8], 3)],
    "identical": [row(HEAD, 4), row(HEAD, 4), row(HEAD, 6)],
    "scored in the shared part": [row(HEAD + random_ids(4, n), 1) for n in (5, 6)],
    "first token supervised": [row(HEAD, 0), row([*HEAD[:6], 9, 9], 0)],
    "nothing scored in one": [row(HEAD, 12), row([*HEAD[:6], 9, 9], 3)],
}


def plain(network: Any, rows: list[TokenRow]) -> torch.Tensor:
    return torch.cat([plain_logprobs(network, r) for r in rows])


def by_row(values: torch.Tensor, owners: np.ndarray, count: int) -> list[list[float]]:
    return [values[torch.from_numpy(owners == i)].tolist() for i in range(count)]


@pytest.mark.parametrize("rows", SETS.values(), ids=SETS)
def test_equals_the_plain_loop(rows: list[TokenRow]) -> None:
    network = tiny_model(initializer_range=0.2)
    tree = pack(rows)
    together, alone = token_logprobs(network, tree), plain(network, rows)
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    expected = [len(plain_logprobs(network, r)) for r in rows]
    assert [len(found) for found in by_row(together, tree.rows, len(rows))] == expected
    weights = list(network.parameters())
    given_by_tree = torch.autograd.grad(together.sum(), weights)
    given_plainly = torch.autograd.grad(alone.sum(), weights)
    difference = sum(
        float((a - b).double().square().sum()) for a, b in zip(given_by_tree, given_plainly, strict=True)
    )
    size = sum(float(b.double().square().sum()) for b in given_plainly)
    assert (difference / size) ** 0.5 < 1e-4


def test_gradients_equal_to_nine_digits_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    # The log-probabilities are taken in float32 on purpose, and so are a Llama's norms; here all is float64.
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)
    config = GPT2Config(vocab_size=259, n_embd=32, n_layer=2, n_head=4, n_positions=64, initializer_range=0.2)
    network = GPT2LMHeadModel(config).eval().double()
    rows = SETS["shared beginning"] + SETS["one inside another"] + SETS["unrelated"]
    weights = list(network.parameters())
    together = token_logprobs(network, pack(rows))
    alone = plain(network, rows)
    assert together.dtype is torch.float64
    torch.testing.assert_close(together, alone, atol=1e-10, rtol=1e-10)
    for a, b in zip(
        torch.autograd.grad(together.sum(), weights), torch.autograd.grad(alone.sum(), weights), strict=True
    ):
        assert float((a - b).norm()) <= 1e-9 * float(b.norm())


def test_shared_beginnings_are_laid_out_once() -> None:
    tree = pack(SETS["shared beginning"])
    assert len(tree.ids) == 12 + 3 + 7 + 5
    assert tree.tokens == 3 * 12 + 3 + 7 + 5
    assert len(pack(SETS["identical"]).ids) == 12


def test_a_node_sees_itself_and_its_ancestors_only() -> None:
    tree = pack([row([5, 6, 7]), row([5, 8])])
    assert tree.ids.tolist() == [5, 6, 7, 8]
    assert tree.depth.tolist() == [0, 1, 2, 1]
    assert tree.sees.astype(int).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 1]]
    assert tree.heads.tolist() == [0, 1]
    assert tree.sources.tolist() == [0, 1, 0]
    assert tree.targets.tolist() == [6, 7, 8]
    assert tree.rows.tolist() == [0, 0, 1]


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.integers(3, 5), min_size=2, max_size=8), min_size=1, max_size=8), st.integers(1, 40)
)
def test_splitting_by_a_budget_loses_and_changes_nothing(ids: list[list[int]], budget: int) -> None:
    network = NETWORK
    rows = [row(found) for found in ids]
    values: dict[int, list[float]] = {}
    with torch.no_grad():
        for numbers, tree in packs(rows, budget):
            assert len(numbers) == 1 or len(tree.ids) <= budget
            found = by_row(token_logprobs(network, tree), tree.rows, len(numbers))
            values |= dict(zip(numbers, found, strict=True))
        assert sorted(values) == list(range(len(rows)))
        for number, r in enumerate(rows):
            np.testing.assert_allclose(values[number], plain_logprobs(network, r).numpy(), atol=1e-5)


@given(st.lists(st.lists(st.integers(3, 5), min_size=1, max_size=8), min_size=1, max_size=8))
def test_the_size_of_a_tree_is_known_without_building_it(ids: list[list[int]]) -> None:
    rows = [unscored(found) for found in ids]
    tree = pack(rows)
    assert tree_size(rows) == len(tree.ids)
    assert [int(tree.ids[end]) for end in tree.ends] == [found[-1] for found in ids]
    assert not len(tree.targets)


NETWORK = tiny_model(initializer_range=0.2)


class Mean(torch.nn.Module):
    """A causal network that mixes tokens by their running mean, whatever mask it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.device = torch.device("cpu")
        generator = torch.Generator().manual_seed(0)
        self.table = torch.nn.Parameter(torch.randn(259, 16, generator=generator))
        self.head = torch.nn.Parameter(torch.randn(259, 16, generator=generator))

    def forward(self, input_ids: torch.Tensor, logits_to_keep: torch.Tensor, **_: Any) -> SimpleNamespace:
        vectors = self.table[input_ids]
        counts = torch.arange(1, input_ids.shape[1] + 1)[None, :, None]
        return SimpleNamespace(logits=(vectors.cumsum(1) / counts)[:, logits_to_keep] @ self.head.T)


def test_a_network_that_ignores_the_mask_is_found_out() -> None:
    rows = SETS["shared beginning"]
    assert not tree_is_exact(Mean(), rows)
    assert tree_is_exact(tiny_model(initializer_range=0.2), rows)


@pytest.mark.parametrize("name", ["identical", "one inside another"])
def test_it_is_found_out_though_the_first_rows_lie_on_one_path(name: str) -> None:
    rows = SETS[name][:2] * 3 + [row(HEAD[:6] + random_ids(6, 3), 4)]
    assert not tree_is_exact(Mean(), rows)


def test_one_path_is_exact_for_every_causal_network() -> None:
    assert tree_is_exact(Mean(), SETS["identical"])


def test_a_network_that_refuses_the_mask_is_not_exact() -> None:
    class Refusing(Mean):
        def forward(self, **given: Any) -> SimpleNamespace:
            if "attention_mask" in given:
                raise ValueError("no such mask")
            return super().forward(**given)

    assert not tree_is_exact(Refusing(), SETS["shared beginning"])


def test_a_window_that_rows_outgrow_is_not_exact() -> None:
    network = tiny_model(initializer_range=0.2)
    network.config.sliding_window = 16
    assert tree_is_exact(network, [row(HEAD, 4), row([*HEAD[:6], 9, 9], 0)])
    assert not tree_is_exact(network, SETS["shared beginning"])
    network.config.use_sliding_window = False
    assert tree_is_exact(network, SETS["shared beginning"])


def test_the_check_reads_few_tokens_of_long_rows() -> None:
    read: list[int] = []
    network = tiny_model(initializer_range=0.2)
    handle = network.register_forward_pre_hook(
        lambda _, __, given: read.append(given["input_ids"].numel()), with_kwargs=True
    )
    assert tree_is_exact(network, [row(random_ids(300, 0)), row(random_ids(200, 0) + random_ids(99, 1))])
    handle.remove()
    assert sum(read) <= 128


def test_eager_attention_either_suits_or_is_found_out() -> None:
    network = tiny_model(initializer_range=0.2)
    network.set_attn_implementation("eager")
    rows = SETS["shared beginning"]
    with torch.no_grad():
        right = torch.allclose(token_logprobs(network, pack(rows)), plain(network, rows), atol=0.02)
    assert tree_is_exact(network, rows) == right
