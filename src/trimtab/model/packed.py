"""Products with frozen weights, kept in the layout that the processor's matrix library computes in.

The library lays a weight out anew for every product. For bfloat16 on a processor that takes a quarter of a product of
256 rows and half of one of 64, and in float32 a third of one of 32; a frozen weight never changes, so it is done once.
Values are the same up to rounding; training in float32 keeps the plain product and its numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from trimtab.model.memory import available_bytes

# Rows that the layout is chosen for.
ROWS = 256
# Share of the free memory that copies of weights may take.
SHARE = 0.25


class Frozen:
    """y = x W^T + b for a frozen W (out, in), and the gradient of x; x is (rows, in)."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        """Keep the weight, and lay it out when it can be."""
        self.weight, self.bias = weight, bias
        self._ahead: torch.Tensor | None = None
        self._back: torch.Tensor | None = None
        if weight.dtype is torch.bfloat16 and fits(2 * weight.nbytes) and suits(weight):
            self._ahead = _laid_out(weight)
            self._back = _laid_out(weight.t().contiguous())

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """y, a tensor of its own."""
        if self._ahead is None:
            return torch.nn.functional.linear(x, self.weight, self.bias)
        return _product(x, self._ahead, self.bias)

    def back(self, given: torch.Tensor) -> torch.Tensor:
        """The gradient of x (rows, in) from that of y (rows, out)."""
        return given @ self.weight if self._back is None else _product(given, self._back, None)


class Ahead:
    """A network's linear layers, whose weights are laid out once for many passes without gradients."""

    def __init__(self, network: Any) -> None:
        """Lay out what can be; nothing is where memory is short."""
        layers = [m for m in network.modules() if type(m) is torch.nn.Linear and suits(m.weight)]
        if not fits(sum(layer.weight.nbytes for layer in layers)):
            layers = []
        self.forwards = [(layer, _forward(layer)) for layer in layers]


@contextlib.contextmanager
def used(ahead: Ahead | None) -> Iterator[None]:
    """Let the network compute with what was laid out, if anything was, while the block runs."""
    forwards = ahead.forwards if ahead else []
    changed = [(layer, forward) for layer, forward in forwards if "forward" not in vars(layer)]
    for layer, forward in changed:
        layer.forward = forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer, _ in changed:
            del layer.forward


def suits(weight: torch.Tensor) -> bool:
    """Whether a weight can be laid out: on a processor that computes its type, in a build with the library."""
    return (
        weight.device.type == "cpu"
        and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
        and (weight.dtype is torch.float32 or (weight.dtype is torch.bfloat16 and _computes_low()))
    )


def _computes_low() -> bool:
    """Whether the library has products in bfloat16 for this processor."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def fits(size: int) -> bool:
    """Whether copies of so many bytes take a fair share of the free memory at most."""
    return size <= SHARE * available_bytes("cpu")


def _forward(layer: torch.nn.Linear) -> Any:
    laid_out, bias = _laid_out(layer.weight.data), layer.bias
    return lambda x: _product(x, laid_out, bias)


def _laid_out(weight: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
    return found


def _product(x: torch.Tensor, laid_out: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, laid_out, bias, "none", [], "")
    return found
