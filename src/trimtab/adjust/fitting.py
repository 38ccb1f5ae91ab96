"""What adapter and layers are fitted by alike: the loop, with the loss on held-out rows followed."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from trimtab.adjust import preference
from trimtab.adjust.loop import Settings, Training, train
from trimtab.adjust.regularisers import Beside
from trimtab.model.likelihood import logprobs
from trimtab.model.load import Base
from trimtab.model.trunk import ensure
from trimtab.records import Report, TokenRow


def keep(base: Base, first: int, rows: Sequence[TokenRow], beside: Beside) -> Beside:
    """Keep what the base says, which training reads over and over; to be called while the network is the base's own.

    That is what the blocks below `first` compute for all rows, and how likely it finds the answers of pairs.
    """
    started = time.monotonic()
    trunk = ensure(base, first, beside.rows(rows))
    pairs, judged = (
        preference.referred(base, pairs) if pairs else None for pairs in (beside.pairs, beside.judged)
    )
    spent = time.monotonic() - started
    return dataclasses.replace(beside, trunk=trunk, pairs=pairs, judged=judged, spent=spent)


def train_followed(
    base: Base,
    parameters: Mapping[str, torch.nn.Parameter],
    rows: Sequence[TokenRow],
    settings: Settings,
    *,
    beside: Beside,
    held_out: Sequence[TokenRow],
    folder: Path | None,
    report: Report | None,
) -> Training:
    """Train parameters of the base's network in place; arguments as in `loop.train` and in the kinds' own `fit`.

    Args:
        beside: as `keep` left it.
    """
    evaluate = functools.partial(mean_loss, base, held_out) if held_out else None
    if beside.judged:
        evaluate = functools.partial(preference.mean_loss, base, beside.judged, settings.rule)
    training = train(
        base.network,
        parameters,
        rows,
        settings,
        beside=beside,
        evaluate=evaluate,
        folder=folder,
        report=report,
    )
    return dataclasses.replace(training, seconds=training.seconds + beside.spent)


def mean_loss(base: Base, rows: Sequence[TokenRow]) -> float:
    """Mean negative log-likelihood (nats a token) of the supervised tokens of rows."""
    results = logprobs(base, rows)
    return -sum(total for total, _ in results) / sum(count for _, count in results)
