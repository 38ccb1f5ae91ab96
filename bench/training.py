"""The arm that trains with Trimtab, what both arms are judged by, and the trainings whose growth is measured."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import torch

import rows as data
from cases import ALPHA, BATCH, CASES, RANK
from floor import multiply_adds
from machine import synchronised
from trimtab.adjust.adapter import Shape, fit
from trimtab.adjust.loop import Training
from trimtab.model.load import Base, load
from trimtab.model.memory import peak_bytes
from trimtab.model.pack import plain_logprobs
from trimtab.records import TokenRow

PILOT = 4


def opened(job: dict[str, Any]) -> Base:
    """The base model as `load` gives it, with the choices that the whole benchmark shares."""
    return load(dtype=job["dtype"], device=job["device"], threads=job["threads"])


def shape(last: int) -> Shape:
    """LoRA on every linear layer of the `last` blocks, of all blocks for 0."""
    return Shape(rank=RANK, alpha=ALPHA, blocks=tuple(range(-last, 0)))


def train(job: dict[str, Any]) -> dict[str, Any]:
    """One counted training after two updates on other rows."""
    case = CASES[job["case"]]
    base = opened(job)
    rows = case.rows(base.tokenizer, job["rows"])
    settings = case.settings(job["seed"])
    fit(base, case.warm_rows(base.tokenizer), shape(case.last), case.settings(0, epochs=1))
    base.trunk = None
    started = time.monotonic()
    adapter, training = fit(base, rows, shape(case.last), settings)
    wall = synchronised(base.device.value) - started
    result = {
        "seconds": training.seconds,
        "seconds_with_setup": wall,
        "peak_bytes": peak_bytes(base.device.value),
        "losses": [row["loss"] for row in training.history],
    }
    with adapter.attach(base):
        loss = mean_loss(base.network, case.dev_rows(base.tokenizer))
    return {**result, **counted(rows, case.epochs, result), "dev_loss": loss}


def counted(rows: Sequence[TokenRow], epochs: int, result: dict[str, Any]) -> dict[str, float]:
    """Rows and their tokens, before sharing and padding, in all and a second."""
    tokens, samples = epochs * sum(len(row.ids) for row in rows), epochs * len(rows)
    seconds = result["seconds"]
    return {
        "tokens": tokens,
        "samples": samples,
        "inputs": len({row.example for row in rows}),
        "tokens_per_second": tokens / seconds,
        "samples_per_second": samples / seconds,
        "tokens_per_second_with_setup": tokens / result["seconds_with_setup"],
    }


@torch.no_grad()
def mean_loss(network: Any, rows: Sequence[TokenRow]) -> float:
    """Mean negative log-likelihood (nats a token) of the supervised tokens, row by row without any sharing."""
    network.eval()
    found = torch.cat([plain_logprobs(network, row) for row in rows])
    return -float(found.double().mean())


def growth(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds of one epoch on all blocks, counted whole or over as many updates as fit into `limit` seconds."""
    base = opened(job)
    if job["tokens"]:
        rows = data.long_rows(base.tokenizer, job["rows"], job["tokens"])
    else:
        rows = data.e2e_rows(base.tokenizer, 0, None)[: job["rows"]]
    whole = math.ceil(len(rows) / BATCH)
    pilot = _train_some(base, rows, min(PILOT, whole), seed=1)
    pace = pilot.seconds / min(PILOT, whole)
    updates = min(whole, max(PILOT, int(job["limit"] / pace)))
    training = _train_some(base, rows, updates, seed=0)
    settings = CASES["lora-shared"].settings(0, epochs=1)
    return {
        "rows": len(rows),
        "row_tokens": sum(len(row.ids) for row in rows),
        "updates": updates,
        "updates_of_epoch": whole,
        "counted_whole": updates == whole,
        "counted_seconds": training.seconds,
        "seconds": training.seconds * sum(len(row.ids) for row in rows) / training.tokens,
        "peak_bytes": peak_bytes(base.device.value),
        **multiply_adds(base.network, rows, settings, RANK),
    }


def _train_some(base: Base, rows: Sequence[TokenRow], updates: int, seed: int) -> Training:
    share = updates / math.ceil(len(rows) / BATCH)
    return fit(base, rows, shape(0), CASES["lora-shared"].settings(seed, epochs=share))[1]
