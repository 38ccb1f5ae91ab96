"""LoRA's forward and backward pass in few products: modules that read the same input are computed as one.

    y  = x W^T + s (x A^T) B^T             Hu et al. 2021, eq. 3, with s = alpha / r
    dB = s (dy)^T (x A^T),  dA = (s dy B)^T x,  dx = dy W + (s dy B) A

As separate operations the low-rank part costs more in sweeps over (tokens, width) arrays (scale, add, cast, and the
same again backwards) than in arithmetic. Here it is added by the products themselves, only x and x A^T are kept, and
of queries, keys and values, or of gate and up, the W and the A stand one below the other and the B on a diagonal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from trimtab.model.packed import Frozen


class LowRank(torch.autograd.Function):
    """Linear maps of one input, each with a trained low-rank part; W, and a bias, are frozen."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        frozen: Frozen,
        scales: tuple[float, ...],
        *trained: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """One y_i (..., out_i) for each map, from x (..., in) and the frozen W (sum of out_i, in).

        Args:
            trained: each map's down (r_i, in), then each map's up (out_i, r_i).
        """
        downs, ups = trained[: len(scales)], trained[len(scales) :]
        dtype = frozen.weight.dtype
        rows = x.reshape(-1, x.shape[-1]).to(dtype)
        down = torch.cat([d.to(dtype) for d in downs]) if len(downs) > 1 else downs[0].to(dtype)
        up = _diagonal(ups, dtype)
        by = _factors(scales, ups, rows)
        inner = (rows @ down.T).mul_(by)
        y = frozen(rows).addmm_(inner, up.T)
        ctx.save_for_backward(rows, inner, down, up)
        ctx.frozen, ctx.by, ctx.shape, ctx.dtype = frozen, by, x.shape, x.dtype
        ctx.sides = [part.shape for part in ups]
        ctx.trained = [t.dtype for t in trained]
        parts = torch.split(y, [height for height, _ in ctx.sides], -1)
        return tuple(part.view(*x.shape[:-1], part.shape[-1]) for part in parts)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients of x, and of each down and up."""
        rows, inner, down, up = ctx.saved_tensors
        flat = [g.reshape(len(rows), -1).to(rows.dtype) for g in grads]
        given = torch.cat(flat, -1) if len(flat) > 1 else flat[0]
        narrow = (given @ up).mul_(ctx.by)
        into_downs = (narrow.T @ rows).split([width for _, width in ctx.sides])
        into_up = given.T @ inner
        into_ups, row, column = [], 0, 0
        for height, width in ctx.sides:
            into_ups.append(into_up[row : row + height, column : column + width])
            row, column = row + height, column + width
        into_x = None
        if ctx.needs_input_grad[0]:
            into_x = ctx.frozen.back(given).addmm_(narrow, down).view(ctx.shape).to(ctx.dtype)
        trained = [g.to(dtype) for g, dtype in zip((*into_downs, *into_ups), ctx.trained, strict=True)]
        return into_x, None, None, *trained


def _factors(
    scales: Sequence[float], ups: Sequence[torch.Tensor], like: torch.Tensor
) -> float | torch.Tensor:
    """The scale of each inner dimension: one number where all maps have the same."""
    if len(set(scales)) == 1:
        return scales[0]
    return torch.cat([like.new_full((up.shape[1],), scale) for up, scale in zip(ups, scales, strict=True)])


def _diagonal(ups: Sequence[torch.Tensor], dtype: torch.dtype) -> torch.Tensor:
    """Each up (out_i, r_i) on the diagonal of (sum of out_i, sum of r_i)."""
    if len(ups) == 1:
        return ups[0].to(dtype)
    heights, widths = zip(*(up.shape for up in ups), strict=True)
    whole = torch.zeros(sum(heights), sum(widths), dtype=dtype, device=ups[0].device)
    row = column = 0
    for up, height, width in zip(ups, heights, widths, strict=True):
        whole[row : row + height, column : column + width] = up
        row, column = row + height, column + width
    return whole


@dataclass
class Group:
    """LoRA modules that are given the same input one after another, the first of which computes for all."""

    modules: list[Any]
    frozen: Frozen
    waiting: dict[int, torch.Tensor] = field(default_factory=dict)
    given: torch.Tensor | None = None

    def __call__(self, place: int, x: torch.Tensor) -> torch.Tensor:
        """What the module at `place` answers to x."""
        if x is not self.given or place not in self.waiting:
            self.given, self.waiting = x, dict(enumerate(self._apply(x)))
        y = self.waiting.pop(place)
        if not self.waiting:
            self.given = None
        return y

    def _apply(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if self.modules[0].disable_adapters:
            heights = [module.out_features for module in self.modules]
            return torch.split(
                torch.nn.functional.linear(x, self.frozen.weight, self.frozen.bias), heights, -1
            )
        pairs = [(module, module.active_adapters[0]) for module in self.modules]
        found: tuple[torch.Tensor, ...] = LowRank.apply(  # type: ignore[no-untyped-call]
            x,
            self.frozen,
            tuple(float(module.scaling[name]) for module, name in pairs),
            *(module.lora_A[name].weight for module, name in pairs),
            *(module.lora_B[name].weight for module, name in pairs),
        )
        return found


@contextlib.contextmanager
def fused(model: Any, ids: torch.Tensor) -> Iterator[None]:
    """Let a PEFT model's plain LoRA modules compute by `LowRank`; others (dropout, DoRA, Conv1D) stay as they are.

    Args:
        ids: (1, T) int64, a few tokens to see by which modules share their input.
    """
    with contextlib.ExitStack() as stack:
        for members in _sharing(model, ids):
            group = stack.enter_context(_joined(members))
            for place, module in enumerate(members):
                module.forward = _forward_of(group, place)
                stack.callback(delattr, module, "forward")
        yield


def _forward_of(group: Group, place: int) -> Any:
    def forward(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        return group(place, x)

    return forward


@contextlib.contextmanager
def _joined(members: list[Any]) -> Iterator[Group]:
    """A group whose frozen weights lie in one piece for as long as the block runs, held once."""
    layers = [module.get_base_layer() for module in members]
    if len(layers) == 1:
        yield Group(members, Frozen(layers[0].weight.data, layers[0].bias))
        return
    strides = [layer.weight.stride() for layer in layers]
    whole = torch.cat([layer.weight.data for layer in layers])
    for layer, part in zip(layers, torch.split(whole, [len(layer.weight) for layer in layers]), strict=True):
        layer.weight.data = part
    try:
        yield Group(members, Frozen(whole))
    finally:
        for layer, stride in zip(layers, strides, strict=True):
            part = layer.weight.data
            layer.weight.data = part.new_empty_strided(part.shape, stride).copy_(part)


@torch.no_grad()
def _sharing(model: Any, ids: torch.Tensor) -> list[list[Any]]:
    """The plain LoRA modules that are used; those of one parent that are given one and the same tensor together."""
    parents: dict[Any, str] = {}
    calls: dict[Any, list[torch.Tensor]] = {}
    handles = []
    for name, module in model.named_modules():
        if _is_plain(module):
            parents[module] = name.rpartition(".")[0]
            note = lambda m, given: calls.setdefault(m, []).append(given[0])  # noqa: E731
            handles.append(module.register_forward_pre_hook(note))
    try:
        model(input_ids=ids, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    groups: dict[Any, list[Any]] = {}
    for module, given in calls.items():
        alone = len(given) > 1 or module.get_base_layer().bias is not None
        groups.setdefault(module if alone else (parents[module], id(given[0])), []).append(module)
    return list(groups.values())


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
