"""What the options against forgetting cost and give: seconds an update, and what general English loses.

    python bench/penalties.py            some minutes on two cores
    python bench/penalties.py --updates 8    a quick look

The same LoRA adapter of all blocks on the demo's examples, at a learning rate that forgets: without any option, with
the penalty on the divergence from the base, with replay, and with both. Seconds an update are medians, read beside the
arm without any; the loss of general English is compared with the base model's, paired, with an interval.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from trimtab import starter, stats
from trimtab.adjust import adapter
from trimtab.adjust.loop import Settings
from trimtab.adjust.regularisers import Beside
from trimtab.adjust.stack import Stack
from trimtab.measure import suites
from trimtab.measure.trial import measure, paired
from trimtab.model.load import load
from trimtab.prepare import prepare, rows_of
from trimtab.recipe import load as load_recipe
from trimtab.rungs import replay
from trimtab.rungs.workshop import Workshop

OUT = Path(__file__).resolve().parent / "out"
HOW = Settings(batch_size=8, learning_rate=2e-3, schedule="constant")
ARMS: dict[str, dict[str, float]] = {
    "none": {},
    "kl 0.5": {"kl": 0.5},
    "replay 0.3": {"replay": 0.3},
    "kl 0.5, replay 0.3": {"kl": 0.5, "replay": 0.3},
}


def main() -> int:
    """Tune every arm, print a table and write bench/out/penalties.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=30)
    parser.add_argument("--items", type=int, default=100)
    options = parser.parse_args()
    recipe = starter.demo_recipe(OUT / "penalties")
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    print(f"demo data: {content['data']['examples']}")
    base = load()
    prepared = prepare(load_recipe(recipe))
    rows = rows_of(prepared, base, "tune")
    mixed = replay.rows(Workshop(prepared, base, OUT / "penalties" / "fit"))
    print(f"replay: {mixed.told}")
    held_out = rows_of(prepared, base, "select")[:64]
    suite = suites.find("general-english")
    examples, metric = list(suite.examples)[: options.items], suite.metrics[0]
    with Stack().attach(base) as model:
        _, own = measure(examples, [metric], likelihood=model.likelihood)
    result: dict[str, Any] = {"updates": options.updates, "replay": dict(mixed.told), "arms": {}}
    for arm, more in ARMS.items():
        epochs = options.updates * HOW.batch_size / len(rows)
        how = dataclasses.replace(HOW, epochs=epochs, **more)
        fitted, trained = adapter.fit(
            base, rows, adapter.Shape(), how, beside=Beside(replay=mixed.rows), held_out=held_out
        )
        with Stack((fitted,)).attach(base) as model:
            _, after = measure(examples, [metric], likelihood=model.likelihood)
        _, one, two = paired(own, after, metric)
        difference = stats.compare(one, two).difference
        passed = np.diff([0.0, *(float(row["seconds"] or 0) for row in trained.history)])
        tokens = np.diff([0, *(int(row["tokens"] or 0) for row in trained.history)])
        result["arms"][arm] = {
            "seconds_an_update": statistics.median(passed),
            "tokens_an_update": statistics.median(tokens.tolist()),
            "select_loss": trained.history[-1]["select_loss"],
            "general_english": [difference.value, difference.low, difference.high],
        }
        first = result["arms"]["none"]["seconds_an_update"]
        row = result["arms"][arm]
        print(
            f"{arm:20} {row['seconds_an_update']:.2f} s an update ({row['seconds_an_update'] / first:.2f} of none), "
            f"{row['tokens_an_update']:.0f} tokens; select loss {row['select_loss']:.3f}; "
            f"general English {difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}] nats a token",
            flush=True,
        )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "penalties.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
