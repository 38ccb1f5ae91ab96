"""The arm that trains with TRL's SFTTrainer, padded or packed, without gradient checkpointing.

TRL is handed the rows as tokens and labels: of its own it would also learn the template's newline after the end of
the turn. Padded, it takes Trimtab's own batches in Trimtab's order, in which rows of one input lie together. Packed,
it fills sequences of 1,024 tokens as it likes, draws them at random, and makes an update of as many as hold 8 rows, at
least one.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import torch

import stock
from cases import ALPHA, BATCH, CASES, LEARNING_RATE, RANK
from machine import synchronised
from training import counted, mean_loss
from trimtab.adjust.loop import batches
from trimtab.model.load import Base
from trimtab.model.memory import peak_bytes
from trimtab.records import TokenRow

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
PACKED_TOKENS = 1024


def train(job: dict[str, Any]) -> dict[str, Any]:
    """One counted training after two updates on other rows by a network that is then dropped."""
    case = CASES[job["case"]]
    base = stock.opened(job)
    rows = case.rows(base.tokenizer, job["rows"])
    with stock.silent():
        _trained(base, case.warm_rows(base.tokenizer), job, epochs=1)
        del base
        gc.collect()
        base = stock.opened(job)
        started = time.monotonic()
        trainer, clock = _trained(base, rows, job, epochs=case.epochs)
        wall = synchronised(job["device"]) - started
        result = {
            "seconds": clock.seconds,
            "seconds_with_setup": wall,
            "peak_bytes": peak_bytes(job["device"]),
            "losses": [row["loss"] for row in trainer.state.log_history if "loss" in row],
            "updates": trainer.state.global_step,
        }
        network = trainer.model.merge_and_unload()
    loss = mean_loss(network, case.dev_rows(base.tokenizer))
    return {**result, **counted(rows, case.epochs, result), "dev_loss": loss}


def _trained(base: Base, rows: Sequence[TokenRow], job: dict[str, Any], epochs: int) -> tuple[Any, Any]:
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTTrainer

    torch.manual_seed(job["seed"])
    last, blocks = CASES[job["case"]].last, base.network.config.num_hidden_layers
    lora = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        target_modules=LINEAR,
        layers_to_transform=list(range(blocks - last, blocks)) if last else None,
        task_type="CAUSAL_LM",
    )
    clock = _clock(job["device"])
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            base.network,
            args=_config(folder, rows, job, epochs),
            train_dataset=_dataset(rows, job["seed"]),
            processing_class=base.tokenizer,
            peft_config=lora,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return trainer, clock


def _dataset(rows: Sequence[TokenRow], seed: int) -> Any:
    import datasets

    datasets.disable_progress_bars()
    ordered = [rows[i] for numbers in batches(rows, BATCH, seed, 0) for i in numbers]
    labels = [
        [token if counts else -100 for token, counts in zip(row.ids.tolist(), row.supervised, strict=True)]
        for row in ordered
    ]
    return datasets.Dataset.from_dict({"input_ids": [row.ids.tolist() for row in ordered], "labels": labels})


def _config(folder: str, rows: Sequence[TokenRow], job: dict[str, Any], epochs: int) -> Any:
    from trl import SFTConfig

    packed = job["packing"]
    tokens_of_a_row = sum(len(row.ids) for row in rows) / len(rows)
    sequences = max(1, round(BATCH * tokens_of_a_row / PACKED_TOKENS))
    return SFTConfig(
        output_dir=folder,
        num_train_epochs=epochs,
        packing=packed,
        per_device_train_batch_size=1 if packed else BATCH,
        gradient_accumulation_steps=sequences if packed else 1,
        max_length=PACKED_TOKENS if packed else None,
        train_sampling_strategy="random" if packed else "sequential",
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="linear",
        warmup_steps=0,
        weight_decay=0.0,
        max_grad_norm=1.0,
        gradient_checkpointing=False,
        bf16=job["dtype"] == "bfloat16",
        use_cpu=job["device"] == "cpu",
        seed=job["seed"],
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=job["device"] != "cpu",
    )


def _clock(device: str) -> Any:
    """A callback that counts the seconds from the start of TRL's loop, first batch included, to its end."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        started = 0.0
        seconds = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.started = synchronised(device)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.seconds = synchronised(device) - self.started

    return Clock()
