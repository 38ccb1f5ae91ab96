"""Simulated coverage and width of a mean from few labels and many predictions, beside that of labels alone.

    python bench/predicted.py

Judges of known quality give the predictions; the true mean of labels is 0.6, or 0.9. `tests/stats/test_predicted.py`
runs some of the same cases.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from record import OUT, write
from trimtab import stats

JUDGES = ("good", "biased", "useless", "contrary")
SIZES = ((10, 100), (20, 200), (50, 50), (50, 500), (200, 800))
WINS = (0.6, 0.9)


def drawn(
    judge: str, n: int, others: int, rng: np.random.Generator, win: float = 0.6
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of n items, and a judge's predictions for them and for others; the mean label is win.

    good: right four times of five, else guessing. useless: guessing. biased: right seven times of ten, else always
    for the candidate, and a tie becomes a win. contrary: always the other one.
    """
    size = n + others
    ties = min(0.2, 1 - win)
    labels = rng.choice([0.0, 0.5, 1.0], size, p=[1 - win - ties / 2, ties, win - ties / 2])
    guess = rng.choice([0.0, 0.5, 1.0], size, p=[0.3, 0.4, 0.3])
    luck = rng.uniform(size=size)
    predictions = {
        "good": np.where(luck < 0.8, labels, guess),
        "useless": guess,
        "biased": np.where(luck < 0.7, np.minimum(1.0, np.ceil(labels)), 1.0),
        "contrary": 1 - labels,
    }[judge]
    return labels[:n], predictions[:n], predictions[n:]


def simulated(judge: str, n: int, others: int, win: float, replicates: int) -> dict[str, float | str]:
    """Shares of intervals that hold the true mean, that lie above it, below it; and width over that of labels alone."""
    rng = np.random.default_rng(1000 * n + others)
    above = below = people = 0
    width = alone = 0.0
    for _ in range(replicates):
        labels, predictions, rest = drawn(judge, n, others, rng, win)
        found = stats.predicted_mean(labels, predictions, rest)
        own = stats.bounded_mean(labels, (0.0, 1.0))
        above, below = above + (found.low > win), below + (found.high < win)
        people += own.low <= win <= own.high
        width, alone = width + found.high - found.low, alone + own.high - own.low
    return {
        "judge": judge,
        "win": win,
        "n": n,
        "others": others,
        "cover": 1 - (above + below) / replicates,
        "above": above / replicates,
        "below": below / replicates,
        "cover_alone": people / replicates,
        "width": width / alone,
    }


def main() -> int:
    """Run the simulation and write its JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=500, help="data sets of each case")
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/predicted.json otherwise")
    options = parser.parse_args()
    rows = []
    print(
        "| judge | true mean | labels, others | covers | lies above, below | labels alone cover | width over theirs |"
    )
    print("|---|---|---|---|---|---|---|")
    for win in WINS:
        for judge in JUDGES:
            for n, others in SIZES:
                row = simulated(judge, n, others, win, options.replicates)
                rows.append(row)
                print(
                    f"| {judge} | {win} | {n}, {others} | {row['cover']:.3f} | {row['above']:.3f}, {row['below']:.3f} "
                    f"| {row['cover_alone']:.3f} | {row['width']:.2f} |",
                    flush=True,
                )
    write(
        {"case": "predicted", "replicates": options.replicates, "rows": rows},
        options.json or OUT / "predicted.json",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
