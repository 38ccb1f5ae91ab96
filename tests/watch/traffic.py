"""Made traffic: answers of a shop's assistant, drawn by a seed, with every figure under control."""

from __future__ import annotations

import numpy as np

from trimtab.watch import Traffic

WORDS = (
    "we",
    "can",
    "help",
    "with",
    "your",
    "order",
    "and",
    "the",
    "parcel",
    "is",
    "on",
    "its",
    "way",
    "now",
)
PLACES = ("parcel", "order", "delivery", "package")


def traffic(
    n: int,
    seed: int,
    *,
    refusals: float = 0.1,
    words: float = 20.0,
    confidence: float | None = 0.7,
    fired: float = 0.1,
    praise: float = 0.1,
    stack: str = "tuned",
    first: int = 0,
) -> list[Traffic]:
    """Rows from number `first` on, a minute apart; `words`: the middle length of an answer."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(first, first + n):
        said = " ".join(rng.choice(WORDS, max(1, int(rng.lognormal(np.log(words), 0.3)))))
        if rng.random() < praise:
            said += ", what a wonderful and lovely day"
        if rng.random() < refusals:
            said = f"I'm sorry, but I can't help with that. {said}"
        sure = None if confidence is None else float(np.clip(rng.normal(confidence, 0.1), 0, 1))
        rules = ("no-promises",) if rng.random() < fired else ()
        time = f"2026-01-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00"
        asked = f"Where is my {rng.choice(PLACES)} number {rng.integers(1000)}?"
        rows.append(Traffic(time, asked, said, sure, rules, stack))
    return rows
