"""Speed of Trimtab's adapter training beside TRL's SFTTrainer, on the same rows, to the same loss.

    python bench/train.py --case lora-shared     60 inputs with all their references (717 rows), all blocks, one epoch
    python bench/train.py --case lora-last6      the same rows, adapters on the last 6 blocks, three epochs
    python bench/train.py --case lora-plain      120 long rows that share nothing, all blocks, one epoch

LoRA of rank 16 and alpha 32 on every linear layer of the embedded model, in the dtype that `load` chooses here, in
batches of 8. TRL runs without gradient checkpointing, in the faster of two ways, padded or packed, found by a probe.
The probe also says how fast that way would be if its C library kept freed memory, as `load` lets ours.
Trimtab and TRL take turns, each training in a process of its own after two updates on other rows. The clock runs from
the first update's batch to the end of the last update; with set-up is reported apart. Tokens are those of the rows,
before sharing and padding. Peak memory is read before the trained networks are judged.

Exits with 1 unless the losses on other rows after training agree within 2%.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from arms import run
from cases import ALPHA, CASES, RANK
from machine import choices, describe
from record import OUT, gib, ratio, spread, write

TOLERANCE = 0.02
PROBE_ROWS = 48
# TRL's two ways, and whether each packs.
WAYS = {"padded": False, "packed": True}


def probe(job: dict[str, Any], rows: int) -> dict[str, float]:
    """Row tokens a second of TRL's ways on a part of the work."""
    job = {**job, "rows": rows, "seed": 0}
    return {
        way: run("train-trl", **job, packing=packing)["tokens_per_second"] for way, packing in WAYS.items()
    }


def compare(job: dict[str, Any], repeats: int, probe_rows: int) -> dict[str, Any]:
    """Both arms in turn, under a seed for each repeat."""
    speeds = probe(job, probe_rows)
    way = max(speeds, key=lambda name: speeds[name])
    kept = run("train-trl", **{**job, "rows": probe_rows}, seed=0, packing=WAYS[way], keep_memory=True)[
        "tokens_per_second"
    ]
    rounds = []
    for seed in range(repeats):
        ours = run("train-trimtab", **job, seed=seed)
        peer = run("train-trl", **job, seed=seed, packing=WAYS[way])
        rounds.append({"ours": ours, "peer": peer})
        print(f"round {seed + 1}: {ours['seconds']:.1f} s and {peer['seconds']:.1f} s", file=sys.stderr)
    return {
        "peer_name": f"TRL, {way}",
        "probe_tokens_per_second": speeds,
        "probe_with_kept_memory": kept,
        **judged(rounds),
    }


def judged(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The ratio, and whether both arms learned the same and what memory they took."""

    def all_of(arm: str, name: str) -> list[float]:
        return [found[arm][name] for found in rounds]

    speed = ratio(all_of("ours", "tokens_per_second"), all_of("peer", "tokens_per_second"))
    setup = "tokens_per_second_with_setup"
    losses = {arm: statistics.median(all_of(arm, "dev_loss")) for arm in ("ours", "peer")}
    peaks = {arm: max(all_of(arm, "peak_bytes")) for arm in ("ours", "peer")}
    off = losses["ours"] / losses["peer"] - 1
    first = rounds[0]["ours"]
    return {
        **speed,
        "unit": "row tokens/s",
        "samples_per_second": {
            arm: statistics.median(all_of(arm, "samples_per_second")) for arm in ("ours", "peer")
        },
        "with_setup": ratio(all_of("ours", setup), all_of("peer", setup)),
        "dev_loss": {**losses, "off": off, "agree": abs(off) <= TOLERANCE},
        "peak_bytes": {**peaks, "ours_is_below": peaks["ours"] < peaks["peer"]},
        "samples": first["samples"],
        "inputs": first["inputs"],
        "tokens": first["tokens"],
        "rounds": rounds,
    }


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    loss, peak = result["dev_loss"], result["peak_bytes"]
    print(f"{result['case']}: {result['samples']} samples of {result['inputs']} inputs, {result['tokens']} tokens, "
          f"{result['machine']['dtype']} on {result['machine']['name']}")  # fmt: skip
    print(f"{'':14}{'tokens/s':>10}{'samples/s':>11}{'dev loss':>10}{'peak':>12}")
    for arm, name in (("ours", "Trimtab"), ("peer", result["peer_name"])):
        print(f"{name:14}{result[arm]:10.0f}{result['samples_per_second'][arm]:11.2f}"
              f"{loss[arm]:10.4f}{gib(peak[arm]):>12}")  # fmt: skip
    print(f"Trimtab is {spread(result)} times as fast over {result['repeats']} repeats, "
          f"{spread(result['with_setup'])} with set-up")  # fmt: skip
    print(f"losses {'agree' if loss['agree'] else 'DO NOT agree'}: {loss['off']:+.2%} ({TOLERANCE:.0%} allowed); "
          f"our peak memory is {'below' if peak['ours_is_below'] else 'NOT below'} the peer's")  # fmt: skip


def main() -> int:
    """Run one case and write its JSON; 1 unless the final losses agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/<case>.json otherwise")
    parser.add_argument("--repeats", type=int, default=3, help="trainings of each arm")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    parser.add_argument("--rows", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--probe-rows", type=int, default=PROBE_ROWS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    chosen = choices(options.threads)
    machine = describe(chosen)
    job = {"case": options.case, "rows": options.rows, **chosen}
    found = compare(job, options.repeats, options.probe_rows)
    result = {
        "case": options.case,
        **found,
        "device": chosen["device"],
        "settings": {"rank": RANK, "alpha": ALPHA, "last_blocks": CASES[options.case].last,
                     **asdict(CASES[options.case].settings(0))},
        "machine": machine,
        "minutes": round((time.monotonic() - started) / 60, 2),
    }  # fmt: skip
    write(result, options.json or OUT / f"{options.case}.json")
    show(result)
    return 0 if result["dev_loss"]["agree"] else 1


if __name__ == "__main__":
    sys.exit(main())
