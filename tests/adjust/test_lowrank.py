"""The fused low-rank pass against PEFT's own modules and against numerical gradients."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.adjust import made
from tests.tiny import tiny_model
from trimtab.adjust import adapter
from trimtab.adjust.lowrank import LowRank, fused
from trimtab.model.hooks import LowRankPart, changing
from trimtab.model.pack import pack, token_logprobs
from trimtab.model.packed import Frozen

FEW = torch.arange(3, 7)[None]


def peft_model(**settings: Any) -> Any:
    torch.manual_seed(0)
    config = LoraConfig(
        **{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"} | settings
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = get_peft_model(tiny_model(initializer_range=0.2).requires_grad_(False), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def pass_through(model: Any) -> tuple[torch.Tensor, list[torch.Tensor]]:
    torch.manual_seed(1)
    found = token_logprobs(model.get_base_model(), pack(made.rows(6)))
    weights = [p for p in model.parameters() if p.requires_grad]
    return found.detach(), list(torch.autograd.grad(found.sum(), weights))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("wants", [False, True])
def test_gradients_are_the_numerical_ones(bias: bool, wants: bool) -> None:
    dice = torch.Generator().manual_seed(0)

    def drawn(*shape: int, trained: bool) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=dice).requires_grad_(trained)

    given = (
        drawn(2, 3, 5, trained=wants),
        Frozen(drawn(4, 5, trained=False), drawn(4, trained=False) if bias else None),
        (0.7,),
        drawn(2, 5, trained=True),
        drawn(4, 2, trained=True),
    )
    assert torch.autograd.gradcheck(LowRank.apply, given)


@pytest.mark.parametrize("scales", [(0.7, 0.7), (0.7, 2.0)])
def test_gradients_of_maps_that_share_their_input(scales: tuple[float, ...]) -> None:
    dice = torch.Generator().manual_seed(0)

    def drawn(*shape: int, trained: bool = True) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=dice).requires_grad_(trained)

    weight = drawn(4 + 3, 5, trained=False)
    trained = (drawn(2, 5), drawn(1, 5), drawn(4, 2), drawn(3, 1))
    x = drawn(2, 3, 5)
    found = LowRank.apply(x, Frozen(weight), scales, *trained)
    expected = [
        x @ w.T + scale * (x @ down.T) @ up.T
        for w, scale, down, up in zip(weight.split([4, 3]), scales, trained[:2], trained[2:], strict=True)
    ]
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, plain)
    assert torch.autograd.gradcheck(LowRank.apply, (x, Frozen(weight), scales, *trained))


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"target_modules": ["q_proj", "down_proj"]}])
def test_equals_stock_peft(settings: dict[str, Any]) -> None:
    model = peft_model(**settings)
    expected, gradients = pass_through(model)
    with fused(model, FEW):
        found, ours = pass_through(model)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    for mine, theirs in zip(ours, gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
    again, _ = pass_through(model)
    assert torch.equal(again, expected)


@pytest.mark.parametrize(
    ("settings", "plain"), [({}, True), ({"use_dora": True}, False), ({"lora_dropout": 0.3}, False)]
)
def test_only_plain_modules_are_changed(settings: dict[str, Any], plain: bool) -> None:
    model = peft_model(**settings)
    with fused(model, FEW):
        changed = ["forward" in vars(module) for module in model.modules()]
    assert any(changed) == plain
    assert not any("forward" in vars(module) for module in model.modules())


def test_low_precision_weights_keep_float32_gradients() -> None:
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    weight = torch.eye(4, 5, dtype=torch.bfloat16)
    down, up = torch.ones(2, 5, requires_grad=True), torch.ones(4, 2, requires_grad=True)
    (y,) = LowRank.apply(x.to(torch.bfloat16), Frozen(weight), (0.5,), down, up)
    assert y.dtype is torch.bfloat16
    y.sum().backward()
    assert down.grad is not None
    assert up.grad is not None
    assert (down.grad.dtype, up.grad.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(down.grad, (4 * 0.5 * x.sum(0)).expand(2, 5), atol=0.1, rtol=0.02)


@pytest.mark.parametrize(("dtype", "part"), [(torch.float32, 1e-4), (torch.bfloat16, 0.1)])
def test_what_is_added_to_outputs_is_as_wide_as_the_network_and_what_merged_weights_give(
    dtype: torch.dtype, part: float
) -> None:
    base = made.base(initializer_range=0.2)
    base.network.to(dtype)
    found, _ = adapter.fit(base, made.rows(6), adapter.Shape(rank=4), made.HOW)
    bare = made.logits(base)
    with found.attach(base):
        merged = made.logits(base)
    changes = {name: one for name, (one,) in found.changes(base).items()}
    added = [one for one in changes.values() if isinstance(one, LowRankPart)]
    assert len(added) == len(changes) > 8
    assert {tensor.dtype for one in added for tensor in (one.down, one.up)} == {dtype}
    with changing(base.network, changes):
        beside = made.logits(base)
    assert (beside - merged).float().abs().mean() < part * (merged - bare).float().abs().mean()
