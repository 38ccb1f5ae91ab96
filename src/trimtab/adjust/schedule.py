"""Learning-rate curves as pure functions of progress."""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["constant", "linear", "cosine", "step", "exponential"]
STEPS = 3
FALL = 0.1
FINAL = 0.01


def factor(schedule: Schedule, step: int, total: int, warmup: float) -> float:
    """Share of the peak learning rate at update `step` of `total` (0-based), in (0, 1].

    It rises linearly over the first `warmup` share of the updates. After that, with p the progress from 0 to 1:
    constant 1; linear 1 - p; cosine (1 + cos(pi p)) / 2 (Loshchilov & Hutter 2017, eq. 5, one cycle to 0);
    step 0.1 ** floor(3 p); exponential 0.01 ** p.
    """
    rising = math.ceil(warmup * total)
    if step < rising:
        return (step + 1) / (rising + 1)
    progress = (step - rising) / max(1, total - rising)
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1.0 - progress
    if schedule == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    if schedule == "step":
        return float(FALL ** math.floor(STEPS * progress))
    return float(FINAL**progress)
