"""How the cost of LoRA training on all blocks grows, beside the least that the machine's arithmetic allows.

    python bench/growth.py

Seconds of one epoch against the number of rows (E2E in file order, all references of each input), and against the
length of rows (medical answers that share nothing, cut to one length). An epoch of more than three minutes is counted
over as many updates as fit, and scaled by its row tokens; the record says where. The floor is the multiply-adds of the
trees' nodes (see floor.py) over the rate of the fastest matrix product measured in the same run; the memory floor, the
bytes of frozen weights over the measured bandwidth, is recorded and not drawn. Writes bench/out/growth.json and
docs/growth.svg.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

from arms import run
from chart import Panel, Series, draw
from machine import choices, describe
from record import OUT, write

ROWS = (500, 1000, 2000, 4000)
LENGTHS = (64, 128, 256, 512, 1024)
LONG_ROWS = 32
LIMIT = 180.0
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "growth.svg"


def measure(
    job: dict[str, Any], machine: dict[str, Any], sizes: list[tuple[int, int]]
) -> list[dict[str, Any]]:
    """One training for each (rows, tokens of a row, 0 for E2E), with its floors and the share of them reached."""
    points = []
    for rows, tokens in sizes:
        point = run("growth", **job, rows=rows, tokens=tokens)
        point["floor_seconds"] = 2 * point["multiply_adds"] / machine["matmul_flops_per_second"]
        point["memory_floor_seconds"] = point["weight_bytes"] / machine["bandwidth_bytes_per_second"]
        point["times_the_floor"] = point["seconds"] / point["floor_seconds"]
        points.append({"tokens_of_a_row": tokens, **point})
        how = (
            "whole"
            if point["counted_whole"]
            else f"{point['updates']} of {point['updates_of_epoch']} updates"
        )
        print(f"{rows:5} rows {tokens or '':>5}{point['seconds']:9.1f} s{point['floor_seconds']:9.1f} s floor"
              f"{point['times_the_floor']:7.2f} x   {how}")  # fmt: skip
    return points


def exponent(points: list[dict[str, Any]], size: str) -> float:
    """Slope of log seconds over log size, by least squares: 1 is in proportion."""
    logs = [(math.log(point[size]), math.log(point["seconds"])) for point in points]
    x = sum(a for a, _ in logs) / len(logs)
    y = sum(b for _, b in logs) / len(logs)
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


def panel(title: str, label: str, points: list[dict[str, Any]], size: str) -> Panel:
    """Measured seconds and the floor against one size."""
    sizes = [point[size] for point in points]
    return Panel(
        title,
        label,
        "seconds an epoch",
        (
            Series("measured", sizes, [point["seconds"] for point in points], "#0b5fa5"),
            Series("floor", sizes, [point["floor_seconds"] for point in points], "#c2410c", dashed=True),
        ),
    )


def main() -> int:
    """Measure, write JSON and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=OUT / "growth.json", help="where the result goes")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where the picture goes")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    parser.add_argument("--limit", type=float, default=LIMIT, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, help=argparse.SUPPRESS)
    parser.add_argument("--long-rows", type=int, default=LONG_ROWS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    chosen = choices(options.threads)
    machine = describe(chosen)
    job = {"limit": options.limit, **chosen}
    by_rows = measure(job, machine, [(count, 0) for count in options.rows])
    by_length = measure(job, machine, [(options.long_rows, length) for length in options.lengths])
    result = {
        "case": "growth",
        "by_rows": by_rows,
        "by_length": by_length,
        "exponent_of_rows": exponent(by_rows, "rows"),
        "exponent_of_length": exponent(by_length, "tokens_of_a_row"),
        "device": chosen["device"],
        "machine": machine,
        "minutes": round((time.monotonic() - started) / 60, 2),
    }
    write(result, options.json)
    panels = (
        panel("E2E rows, all references", "rows", by_rows, "rows"),
        panel(
            f"{options.long_rows} rows that share nothing", "tokens of a row", by_length, "tokens_of_a_row"
        ),
    )
    options.picture.write_text(draw(panels), encoding="utf-8")
    print(f"seconds grow as rows to the power {result['exponent_of_rows']:.2f}, as length to the power "
          f"{result['exponent_of_length']:.2f}; {result['minutes']} minutes")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
