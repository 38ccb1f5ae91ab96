"""The one training loop: cross-entropy on supervised tokens, or preferences, in trees of rows, with exact resume.

The loss of an update is the mean over all supervised tokens of its rows, however many trees they are computed in,
so accumulation never changes the update; what it can weigh beside that is in `regularisers`, and the losses on pairs
of answers, which stand in for it, are in `preference`. Everything random
depends on the seed and the update's number only, so a resumed run repeats the uninterrupted one.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trimtab.adjust import checkpoint, preference, regularisers
from trimtab.adjust.regularisers import Beside, Reading, Update, Weights
from trimtab.adjust.schedule import Schedule, factor
from trimtab.errors import TrainingDiverged
from trimtab.model.memory import peak_bytes
from trimtab.model.pack import packs, plain_logprobs
from trimtab.model.trunk import Read
from trimtab.records import Progress, Report, TokenRow

ALONE = Beside()


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train; the same names as in the recipe's `training`.

    Attributes:
        replay: share of an update's rows that are replayed, in [0, 1); kl and balance: weights of the penalties;
            0 is off. See `regularisers`.
        counterfactual: whether rows bring along their twins, with groups of people swapped.
        augment: whether the rows that are given hold some that were made of others.
        loss: of the rows' tokens (sft), or of pairs of answers (dpo, kto), which `Beside` then holds; beta,
            undesirable: see `preference`.
        proximity: lambda of a penalty lambda * ||theta||^2 on the trained parameters, for those that are themselves
            a difference to the base; it is part of the gradient, and not of the loss that is shown.
    """

    epochs: float = 2.0
    batch_size: int = 8
    micro_tokens: int = 512
    learning_rate: float = 5e-4
    schedule: Schedule = "linear"
    warmup: float = 0.03
    weight_decay: float = 0.0
    clip: float = 1.0
    patience: int = 0
    replay: float = 0.0
    kl: float = 0.0
    counterfactual: bool = False
    balance: float = 0.0
    augment: bool = False
    seed: int = 0
    proximity: float = 0.0
    loss: preference.Loss = "sft"
    beta: float = 0.1
    undesirable: float = 1.0

    @property
    def rule(self) -> preference.Rule:
        """What pairs of answers are weighed by."""
        return preference.Rule(self.loss, self.beta, self.undesirable)


@dataclass
class State:
    """Where a training stands; with the parameters and the optimiser's state it is all that resume needs."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    history: list[dict[str, float | None]] = field(default_factory=list)
    best_loss: float | None = None
    best_step: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Training:
    """What a training did: its history, and what it cost."""

    history: tuple[dict[str, float | None], ...]
    seconds: float
    tokens: int
    peak_bytes: int
    best_step: int
    shared_beginnings: bool


def batches(rows: Sequence[TokenRow], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Numbers of the rows of each update, in random order; the rows of one example lie in as few updates as can be.

    An example with more rows than an update takes fills whole ones; what is left over fills the gaps of others.
    """
    by_example: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_example.setdefault(row.example, []).append(number)
    groups = list(by_example.values())
    dice = np.random.default_rng([seed, epoch])
    shuffled = [groups[group] for group in dice.permutation(len(groups))]
    whole: list[list[int]] = []
    rests: list[list[int]] = []
    for group in shuffled:
        full = len(group) - len(group) % size
        whole += [group[start : start + size] for start in range(0, full, size)]
        rests += [group[full:]] if len(group) > full else []
    whole += _joined(rests, size)
    *full_ones, last = whole
    return [full_ones[place] for place in dice.permutation(len(full_ones))] + [last]


def _joined(rests: Sequence[list[int]], size: int) -> list[list[int]]:
    """Rests put together to updates of `size` rows (the last of fewer), each taking the first rest that fits."""
    waiting = list(rests)
    joined: list[list[int]] = []
    while waiting:
        update: list[int] = []
        while len(update) < size and waiting:
            free = size - len(update)
            place = next((i for i, rest in enumerate(waiting) if len(rest) <= free), None)
            if place is None:
                update, waiting[0] = update + waiting[0][:free], waiting[0][free:]
            else:
                update = update + waiting.pop(place)
        joined.append(update)
    return joined


def train(
    network: Any,
    parameters: Mapping[str, torch.nn.Parameter],
    rows: Sequence[TokenRow],
    settings: Settings,
    *,
    beside: Beside = ALONE,
    evaluate: Callable[[], float] | None = None,
    folder: Path | None = None,
    report: Report | None = None,
) -> Training:
    """Train `parameters` of `network` in place on `rows`.

    Args:
        beside: what the training works with beside its rows; nothing by default.
        evaluate: loss on held-out items, called after each epoch; early stopping follows it, and the parameters
            end at its best value when `settings.patience` is above 0.
        folder: where checkpoints are kept while training lasts; an interrupted training found there goes on.

    Raises:
        TrainingDiverged: the loss or the gradient is no longer a finite number.
    """
    with _autocast(network):
        reading = Reading.of(network, rows, beside)
    optimiser = torch.optim.AdamW(
        list(parameters.values()),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=network.device.type in ("cpu", "cuda"),
    )
    total = max(1, round(_per_epoch(rows, settings) * settings.epochs))
    keeper = checkpoint.Keeper(folder, parameters, optimiser)
    state = keeper.load(State())
    regularisers.training(network)
    try:
        with torch.random.fork_rng(devices=[]):
            _updates(
                network,
                rows,
                settings,
                state,
                keeper,
                beside,
                reading,
                total,
                evaluate,
                report,
            )
    except KeyboardInterrupt:
        if keeper.whole:
            keeper.save(state)
        raise
    finally:
        network.eval()
    if settings.patience:
        keeper.restore_best()
    keeper.save(state)
    device = str(network.device)
    return Training(
        tuple(state.history),
        state.seconds,
        state.tokens,
        peak_bytes(device),
        state.best_step,
        reading.logprobs is not None,
    )


def _updates(
    network: Any,
    rows: Sequence[TokenRow],
    settings: Settings,
    state: State,
    keeper: checkpoint.Keeper,
    beside: Beside,
    reading: Reading,
    total: int,
    evaluate: Callable[[], float] | None,
    report: Report | None,
) -> None:
    per_epoch = _per_epoch(rows, settings)
    while True:
        if evaluate and _due(state, per_epoch, total):
            _judge(network, evaluate, settings, state, keeper)
            state.stopped |= beside.watch is not None and beside.watch(
                state.history[-1]["select_loss"] or 0.0
            )
        if state.step >= total or state.stopped:
            return
        started = time.monotonic()
        epoch, place = divmod(state.step, per_epoch)
        numbers = batches(rows, settings.batch_size, settings.seed, epoch)[place]
        rate = settings.learning_rate * factor(settings.schedule, state.step, total, settings.warmup)
        torch.manual_seed(settings.seed * 1_000_003 + state.step)
        update = regularisers.gathered(rows, numbers, beside, _replayed(beside, settings, state.step))
        terms = _gradients(network, update, settings, keeper.optimiser, reading, state.step)
        keeper.whole = False
        keeper.optimiser.param_groups[0]["lr"] = rate
        keeper.optimiser.step()
        state.step += 1
        state.tokens += sum(len(row.ids) for row in update.rows)
        state.seconds += time.monotonic() - started
        state.history.append(
            {
                "step": state.step,
                **terms,
                "learning_rate": rate,
                "tokens": state.tokens,
                "seconds": round(state.seconds, 3),
                "select_loss": None,
            }
        )
        keeper.whole = True
        keeper.save_now_and_then(state)
        if report:
            facts = {
                "loss": round(terms["loss"], 3),
                "tokens/s": round(state.tokens / max(state.seconds, 1e-9)),
            }
            report(Progress("training", state.step, total, facts))


def _due(state: State, per_epoch: int, total: int) -> bool:
    """Whether an epoch has ended that was not evaluated yet, also by a training that was interrupted there."""
    ended = state.step > 0 and (state.step % per_epoch == 0 or state.step == total)
    return ended and state.history[-1]["select_loss"] is None


def _per_epoch(rows: Sequence[TokenRow], settings: Settings) -> int:
    return math.ceil(len(rows) / settings.batch_size)


def _replayed(beside: Beside, settings: Settings, step: int) -> list[int]:
    return regularisers.replayed(
        len(beside.replay), share=settings.replay, size=settings.batch_size, step=step, seed=settings.seed
    )


def _gradients(
    network: Any,
    update: Update,
    settings: Settings,
    optimiser: torch.optim.Optimizer,
    reading: Reading,
    step: int,
) -> dict[str, float]:
    """Leave the clipped gradients of an update in the parameters; returns its loss, and its penalties unweighted."""
    optimiser.zero_grad(set_to_none=True)
    terms = {"loss": 0.0}
    for part, found in _parts(network, update, settings, reading):
        part.backward()  # type: ignore[no-untyped-call]
        for name, value in found.items():
            terms[name] = terms.get(name, 0.0) + value
    parameters = optimiser.param_groups[0]["params"]
    if settings.proximity:
        lengths = torch.stack([parameter.square().sum() for parameter in parameters])
        (settings.proximity * lengths.sum()).backward()  # type: ignore[no-untyped-call]
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.clip))
    if not math.isfinite(norm) or not all(map(math.isfinite, terms.values())):
        raise TrainingDiverged(
            f"training: at update {step + 1} the loss is {terms['loss']:g} and the gradient norm {norm:g}",
            "lower the learning rate, or lengthen the warm-up",
        )
    return terms


def _parts(
    network: Any, update: Update, settings: Settings, reading: Reading
) -> Iterator[tuple[torch.Tensor, dict[str, float]]]:
    """An update's loss in parts, and the terms of each part."""
    if update.preferred:
        with _autocast(network):
            yield from preference.parts(
                network, update.preferred, settings.rule, settings.micro_tokens, reading.logprobs
            )
        return
    weights = Weights(settings.kl, settings.balance, settings.micro_tokens)
    if weights.kl or (weights.balance and update.pairs):
        with _autocast(network):
            yield from regularisers.parts(network, update, weights, reading)
        return
    scored = update.scored
    for part in _log_likelihoods(network, update.rows, settings.micro_tokens, reading.logprobs):
        share = -part.sum() / scored
        yield share, {"loss": float(share.detach())}


def _log_likelihoods(
    network: Any, rows: Sequence[TokenRow], budget: int, read: Read | None
) -> Iterator[torch.Tensor]:
    with _autocast(network):
        if read:
            for _, tree in packs(rows, budget):
                yield read(network, tree)
        else:
            for row in rows:
                yield plain_logprobs(network, row)


def _autocast(network: Any) -> contextlib.AbstractContextManager[Any]:
    """Products in bfloat16 where the base is kept so; trained weights stay in float32."""
    low = any(p.dtype is torch.bfloat16 for p in network.parameters())
    return torch.autocast(network.device.type, torch.bfloat16) if low else contextlib.nullcontext()


def _judge(
    network: Any, evaluate: Callable[[], float], settings: Settings, state: State, keeper: checkpoint.Keeper
) -> None:
    started = time.monotonic()
    network.eval()
    with torch.no_grad(), _autocast(network):
        loss = evaluate()
    regularisers.training(network)
    keeper.whole = False
    if state.best_loss is None or loss < state.best_loss:
        state.best_loss, state.best_step = loss, state.step
        keeper.note_best()
    state.history[-1]["select_loss"] = loss
    misses = [
        row
        for row in state.history
        if row["select_loss"] is not None and (row["step"] or 0) > state.best_step
    ]
    state.stopped = bool(settings.patience) and len(misses) >= settings.patience
    state.seconds += time.monotonic() - started
    keeper.whole = True
