"""The head where it is needed only: log-probabilities of scored tokens, without the logits of a batch at once.

For hidden state h of a node, head W (V, hidden) and p = softmax(W h), a scored token t after it has

    log p_t,    d log p_t / dh = W_t - W^T p

so each node needs W^T p once, whatever tokens are scored after it, and logits live for one chunk of nodes.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch

from trimtab.model import hooks

# Nodes whose logits are held at once: enough that the products run at full speed.
CHUNK = 256
# Largest difference (nats) of a log-probability that rounding explains, in float32 and in bfloat16.
TOLERANCE = 0.01
LOW_TOLERANCE = 0.3

_plain: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


def scored(network: Any, hidden: torch.Tensor, nodes: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Natural log-probability of each scored token, (M,) float32.

    Args:
        hidden: (U, hidden size) last hidden states.
        nodes: (M,) int64, the row of `hidden` that predicts each token.
        targets: (M,) int64, the tokens.

    Only for networks of which `is_plain` is true.
    """
    head = network.get_output_embeddings()
    hidden = hidden.to(head.weight.dtype)
    trained = head.weight.requires_grad or (head.bias is not None and head.bias.requires_grad)
    if trained or hooks.is_changed(head):
        return _trained(head, hidden, nodes, targets)
    value: torch.Tensor = _Scored.apply(hidden, head.weight, head.bias, nodes, targets)  # type: ignore[no-untyped-call]
    return value


@torch.no_grad()
def is_plain(network: Any) -> bool:
    """Whether logits are the head's product with the last hidden state; some networks scale or cap them."""
    if network not in _plain:
        _plain[network] = _same_logits(network)
    return _plain[network]


def _same_logits(network: Any) -> bool:
    inner = getattr(network, "base_model", network)
    if inner is network or type(network.get_output_embeddings()) is not torch.nn.Linear:
        return False
    head = network.get_output_embeddings()
    ids = torch.arange(1, 9, device=network.device)[None] % network.config.vocab_size
    whole = network(input_ids=ids, use_cache=False).logits[0].float().log_softmax(-1)
    hidden = inner(input_ids=ids, use_cache=False).last_hidden_state[0]
    own = head(hidden.to(head.weight.dtype)).float().log_softmax(-1)
    low = head.weight.dtype is not torch.float32
    return bool((whole - own).abs().max() <= (LOW_TOLERANCE if low else TOLERANCE))


class _Scored(torch.autograd.Function):
    """Log-probabilities under a frozen head; the gradient of hidden states is prepared in the forward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        nodes: torch.Tensor,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        """As `scored`."""
        values = torch.empty(len(nodes), device=hidden.device)
        pulls = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(hidden), CHUNK):
            rows = hidden[start : start + CHUNK]
            logits = torch.nn.functional.linear(rows, weight, bias).float()
            here = (nodes >= start) & (nodes < start + len(rows))
            at = nodes[here] - start
            if pulls is None:
                values[here] = logits.log_softmax(-1)[at, targets[here]]
                continue
            probabilities = logits.softmax(-1)
            found = probabilities[at, targets[here]].log()
            # Where a probability is too small for float32 the logits themselves say it.
            lost = ~found.isfinite()
            if lost.any():
                found = torch.where(lost, logits.log_softmax(-1)[at, targets[here]], found)
            values[here] = found
            torch.mm(probabilities.to(weight.dtype), weight, out=pulls[start : start + len(rows)])
        ctx.save_for_backward(weight, nodes, targets, pulls)
        return values

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradient of the hidden states."""
        weight, nodes, targets, pulls = ctx.saved_tensors
        given = grads[0].to(pulls.dtype)
        total = torch.zeros(len(pulls), dtype=given.dtype, device=given.device).index_add_(0, nodes, given)
        into = pulls * -total[:, None]
        return into.index_add_(0, nodes, weight[targets] * given[:, None]), None, None, None, None


def _trained(head: Any, hidden: torch.Tensor, nodes: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The same with a head that is trained or changed by a hook: each chunk is computed again for its gradient."""
    if not len(nodes):
        return hidden.new_zeros(0, dtype=torch.float32)
    parts, order = [], []
    for start in range(0, len(hidden), CHUNK):
        rows = hidden[start : start + CHUNK]
        here = torch.nonzero((nodes >= start) & (nodes < start + len(rows)))[:, 0]
        part = torch.utils.checkpoint.checkpoint(
            _plain_chunk, head, rows, nodes[here] - start, targets[here], use_reentrant=False
        )
        parts.append(part)
        order.append(here)
    return torch.cat(parts)[torch.cat(order).argsort()]


def _plain_chunk(head: Any, rows: torch.Tensor, at: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logits = head(rows).float()
    values: torch.Tensor = logits.log_softmax(-1)[at, targets]
    return values
