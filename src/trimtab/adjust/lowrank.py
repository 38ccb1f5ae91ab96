"""LoRA's forward and backward pass in as few sweeps over memory as there are products.

    y  = x W^T + s (x A^T) B^T             Hu et al. 2021, eq. 3, with s = alpha / r
    dB = s (dy)^T (x A^T),  dA = (s dy B)^T x,  dx = dy W + (s dy B) A

As separate operations the low-rank part costs more in sweeps over (tokens, width) arrays (scale, add, cast, and the
same again backwards) than in arithmetic. Here it is added by the products themselves, and only x and x A^T are kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch


class LowRank(torch.autograd.Function):
    """One linear map with a trained low-rank part; W, and a bias, are frozen."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """y (..., out) from x (..., in), weight (out, in), down (r, in) and up (out, r)."""
        rows = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        inner = rows @ down.to(weight.dtype).T
        y = rows @ weight.T if bias is None else torch.addmm(bias, rows, weight.T)
        y.addmm_(inner, up.to(weight.dtype).T, alpha=scale)
        ctx.save_for_backward(rows, inner, weight, down, up)
        ctx.scale, ctx.shape, ctx.dtype = scale, x.shape, x.dtype
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients of x, down and up."""
        rows, inner, weight, down, up = ctx.saved_tensors
        given = grads[0].reshape(-1, weight.shape[0]).to(weight.dtype)
        narrow = (given @ up.to(weight.dtype)).mul_(ctx.scale)
        into_up = (given.T @ inner).mul_(ctx.scale).to(up.dtype)
        into_down = (narrow.T @ rows).to(down.dtype)
        into_x = None
        if ctx.needs_input_grad[0]:
            into_x = (given @ weight).addmm_(narrow, down.to(weight.dtype)).view(ctx.shape).to(ctx.dtype)
        return into_x, None, None, into_down, into_up, None


@contextlib.contextmanager
def fused(model: Any) -> Iterator[None]:
    """Let a PEFT model's plain LoRA modules compute by `LowRank`; others (dropout, DoRA, Conv1D) stay as they are."""
    changed = [module for module in model.modules() if _is_plain(module)]
    for module in changed:
        module.forward = _forward_of(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _is_plain(module: Any) -> bool:
    from peft.tuners.lora.layer import Linear

    if type(module) is not Linear or len(module.active_adapters) != 1:
        return False
    name = module.active_adapters[0]
    return (
        type(module.get_base_layer()) is torch.nn.Linear
        and not module.fan_in_fan_out
        and not module.lora_variant
        and isinstance(module.lora_dropout[name], torch.nn.Identity)
        and module.lora_B[name].bias is None
    )


def _forward_of(module: Any) -> Any:
    name = module.active_adapters[0]
    base, down, up = module.get_base_layer(), module.lora_A[name], module.lora_B[name]
    scale = float(module.scaling[name])

    def forward(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        y: torch.Tensor = LowRank.apply(x, base.weight, base.bias, down.weight, up.weight, scale)  # type: ignore[no-untyped-call]
        return y

    return forward
