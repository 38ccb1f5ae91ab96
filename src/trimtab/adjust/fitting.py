"""What adapter and layers are fitted by alike: the loop, with the loss on held-out rows followed."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from trimtab.adjust.loop import Settings, Training, train
from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base
from trimtab.model.trunk import Trunk
from trimtab.records import Report, TokenRow


def train_followed(
    base: Base,
    parameters: Mapping[str, torch.nn.Parameter],
    rows: Sequence[TokenRow],
    settings: Settings,
    *,
    trunk: Trunk | None,
    held_out: Sequence[TokenRow],
    folder: Path | None,
    report: Report | None,
) -> Training:
    """Train parameters of the base's network in place; arguments as in `loop.train` and in the kinds' own `fit`."""
    evaluate = functools.partial(mean_loss, base, held_out) if held_out else None
    return train(
        base.network,
        parameters,
        rows,
        settings,
        trunk=trunk,
        evaluate=evaluate,
        folder=folder,
        report=report,
    )


def mean_loss(base: Base, rows: Sequence[TokenRow]) -> float:
    """Mean negative log-likelihood (nats a token) of the supervised tokens of rows."""
    results = logprobs(base, rows)
    return -sum(total for total, _ in results) / sum(count for _, count in results)
