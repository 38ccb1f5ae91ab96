"""Speed of Trimtab's adapter training beside TRL's SFTTrainer, on the same updates of the same adapter.

    HF_HUB_OFFLINE=1 python bench/train.py             one reference for each input
    HF_HUB_OFFLINE=1 python bench/train.py --shared    also inputs with all their references, a row apart

Both train LoRA (rank 16, alpha 32, every linear layer, no dropout) on the embedded model in float32: the same initial
weights, token rows, loss mask, batches in the same order, AdamW, linear rate, and clipping. TRL is handed the rows as
tokens and labels, because of its own it would also learn the template's newline after the end of the turn. It runs in
two ways, with padding and padding-free, both without gradient checkpointing, which would slow it down; the way that is
slower in the first round is then left out, and the ratio is to the other. The arms alternate, and each one's median
over its rounds counts. Tokens are those of the rows, before sharing and padding.

The clock of both runs from the first update's batch to the last update's end; set-up is reported apart.
Exits with 1 unless the losses of the last quarter of updates agree within 2%.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import itertools
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e import DATA, inputs
from sample import stock
from trimtab.adjust.adapter import Shape, fit
from trimtab.adjust.loop import Settings, batches
from trimtab.data.render import render
from trimtab.model.load import Base, load, quiet
from trimtab.model.pack import packs
from trimtab.records import Example, Message, TokenRow

OUT = Path(__file__).resolve().parent / "out"
BATCH = 8
RANK, ALPHA = 16, 32
MAX_TOKENS = 256
TOLERANCE = 0.02
SETTINGS = Settings(epochs=1, batch_size=BATCH, learning_rate=5e-4, schedule="linear", warmup=0.0, seed=0)
VERSIONS = ("torch", "transformers", "peft", "trl", "datasets")


@dataclass(frozen=True)
class Round:
    """One training: loss of each update, seconds of all updates, and seconds of what came before and after them."""

    losses: list[float]
    seconds: float
    setup: float


def load_rows(base: Base, count: int, *, shared: bool) -> list[TokenRow]:
    """The first `count` rows of the file, distinct inputs with their first reference, or with all of them."""
    examples, taken = [], 0
    for number, (facts, references) in enumerate(inputs(DATA / "lora_train.txt.gz")):
        kept = references[: count - taken] if shared else references[:1]
        examples.append(Example((Message("user", facts),), tuple(kept), id=str(number)))
        taken += len(kept)
        if taken == count:
            break
    return render(examples, base.tokenizer, max_tokens=MAX_TOKENS)


def computed_tokens(rows: Sequence[TokenRow]) -> dict[str, int]:
    """Tokens that each arm runs through the network for the tokens of the rows."""
    updates = [[rows[i] for i in numbers] for numbers in batches(rows, BATCH, SETTINGS.seed, 0)]
    return {
        "rows": sum(len(row.ids) for row in rows),
        "trimtab": sum(
            len(tree.ids) for update in updates for _, tree in packs(update, SETTINGS.micro_tokens)
        ),
        "trl": sum(len(update) * max(len(row.ids) for row in update) for update in updates),
        "trl padding-free": sum(len(row.ids) for row in rows),
    }


def train_trimtab(base: Base, rows: Sequence[TokenRow]) -> Round:
    """One training by Trimtab; the identity of the base, computed once in its life, is not on the clock."""
    base.fingerprint  # noqa: B018
    started = time.monotonic()
    _, training = fit(base, rows, Shape(rank=RANK, alpha=ALPHA), SETTINGS)
    wall = time.monotonic() - started
    return Round(
        [float(row["loss"] or 0.0) for row in training.history], training.seconds, wall - training.seconds
    )


def train_trl(threads: int, rows: Sequence[TokenRow], *, padding_free: bool) -> Round:
    """One training by TRL on a network of its own, because TRL changes the network's forward for good."""
    with silent():
        import datasets
        from peft import LoraConfig
        from transformers import PrinterCallback
        from trl import SFTTrainer

        base = stock(threads)
        ordered = [rows[i] for numbers in batches(rows, BATCH, SETTINGS.seed, 0) for i in numbers]
        data = datasets.Dataset.from_dict({
            "input_ids": [row.ids.tolist() for row in ordered],
            "labels": [[t if s else -100 for t, s in zip(row.ids.tolist(), row.supervised, strict=True)]
                       for row in ordered],
        })  # fmt: skip
        lora = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            clock = _clock()
            trainer = SFTTrainer(
                base.network,
                args=_trl_config(folder, len(rows) // BATCH, padding_free, base.device.value),
                train_dataset=data,
                processing_class=base.tokenizer,
                peft_config=lora,
                callbacks=[clock],
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
            wall = time.monotonic() - started
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return Round(losses, clock.seconds, wall - clock.seconds)


def _trl_config(folder: str, updates: int, padding_free: bool, device: str) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=folder,
        max_steps=updates,
        per_device_train_batch_size=BATCH,
        train_sampling_strategy="sequential",
        learning_rate=SETTINGS.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=0,
        weight_decay=SETTINGS.weight_decay,
        max_grad_norm=SETTINGS.clip,
        completion_only_loss=True,
        max_length=None,
        padding_free=padding_free,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=device == "cpu",
        seed=SETTINGS.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=device != "cpu",
    )


def _clock() -> Any:
    """A callback that counts the seconds from the start of TRL's loop, first batch included, to its last update."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        started = 0.0
        seconds = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.started = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.seconds = time.monotonic() - self.started

    return Clock()


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """No advice from TRL and transformers between the rows of the table."""
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        yield


def compare(base: Base, rows: Sequence[TokenRow], rounds: int, threads: int) -> dict[str, Any]:
    """Run the arms in turn, `rounds` times, after one update of each that warms the processor up.

    TRL's slower way of the first round takes no part in the others.
    """
    arms: dict[str, Callable[[Sequence[TokenRow]], Round]] = {
        "trimtab": lambda some: train_trimtab(base, some),
        "trl": lambda some: train_trl(threads, some, padding_free=False),
        "trl padding-free": lambda some: train_trl(threads, some, padding_free=True),
    }
    for run in arms.values():
        run(rows[:BATCH])
    seen = {name: [run(rows)] for name, run in arms.items()}
    peer = min((name for name in arms if name != "trimtab"), key=lambda name: seen[name][0].seconds)
    for _, name in itertools.product(range(rounds - 1), ("trimtab", peer)):
        seen[name].append(arms[name](rows))
    tokens = computed_tokens(rows)
    result = {name: _summary(found, len(rows), tokens["rows"]) for name, found in seen.items()}
    _relate(result)
    return {"samples": len(rows), "inputs": len({row.example for row in rows}), "tokens": tokens, "peer": peer,
            "ratio": result[peer]["trimtab_is_faster_by"], "arms": result}  # fmt: skip


def _relate(result: dict[str, dict[str, Any]]) -> None:
    own = result["trimtab"]
    for summary in result.values():
        summary["trimtab_is_faster_by"] = own["samples_per_second"] / summary["samples_per_second"]
        summary["trimtab_is_faster_by_with_setup"] = summary["seconds_with_setup"] / own["seconds_with_setup"]
        summary["final_loss_off"] = summary["final_loss"] / own["final_loss"] - 1
        pairs = zip(summary["rounds"][0]["losses"], own["rounds"][0]["losses"], strict=True)
        summary["largest_loss_off"] = max(abs(theirs / ours - 1) for theirs, ours in pairs)


def _summary(rounds: Sequence[Round], samples: int, tokens: int) -> dict[str, Any]:
    seconds = statistics.median(r.seconds for r in rounds)
    last = max(1, len(rounds[0].losses) // 4)
    return {
        "samples_per_second": samples / seconds,
        "tokens_per_second": tokens / seconds,
        "seconds": seconds,
        "seconds_with_setup": statistics.median(r.seconds + r.setup for r in rounds),
        "final_loss": statistics.median(statistics.fmean(r.losses[-last:]) for r in rounds),
        "rounds": [asdict(r) for r in rounds],
    }


def show(title: str, result: dict[str, Any]) -> None:
    """Print one table."""
    tokens = result["tokens"]
    print(f"\n{title}: {result['samples']} rows of {result['inputs']} inputs, {tokens['rows']} tokens")
    print(
        f"{'':18}{'samples/s':>10}{'tokens/s':>10}{'computed':>10}{'final loss':>12}{'off':>9}{'Trimtab is':>13}"
    )
    for name, arm in result["arms"].items():
        ratio = "" if name == "trimtab" else f"{arm['trimtab_is_faster_by']:.2f} x"
        print(f"{name:18}{arm['samples_per_second']:10.2f}{arm['tokens_per_second']:10.0f}{tokens[name]:10}"
              f"{arm['final_loss']:12.4f}{arm['final_loss_off']:9.3%}{ratio:>13}")  # fmt: skip
    print(
        f"Trimtab is {result['ratio']:.2f} times as fast as the faster of TRL's two ways ({result['peer']})"
    )


def main() -> int:
    """Run the benchmark and write bench/out/train.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=24, help="updates of 8 rows in each training")
    parser.add_argument("--rounds", type=int, default=2, help="trainings of each arm")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    parser.add_argument("--shared", action="store_true", help="also measure inputs with several references")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    base = load(dtype="float32", threads=options.threads)
    report: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": int(base.threads.value),
        "load_before": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
        "settings": {"rank": RANK, "alpha": ALPHA, "updates": options.updates, **asdict(SETTINGS)},
    }
    cases = {"one reference": False, **({"several references": True} if options.shared else {})}
    for title, shared in cases.items():
        rows = load_rows(base, options.updates * BATCH, shared=shared)
        report[title] = compare(base, rows, options.rounds, options.threads)
        show(title, report[title])
    report |= {"load_after": os.getloadavg()[0], "minutes": round((time.monotonic() - started) / 60, 2)}
    OUT.mkdir(exist_ok=True)
    (OUT / "train.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    off = max(abs(arm["final_loss_off"]) for title in cases for arm in report[title]["arms"].values())
    print(
        f"\nlargest difference of final loss {off:.2%} ({TOLERANCE:.0%} allowed), {report['minutes']} minutes"
    )
    return 0 if off <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
