"""Memory: an estimate before the work, the peak after it, in bytes."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys
from pathlib import Path
from typing import Any

ADAM_STATES = 2
FLOAT32 = 4
# glibc's mallopt: what its options are called by number, and the values set.
MALLOPT = {-1: 2**31 - 1, -2: 2**26, -3: 2**30}
# Assumed to be free where the system does not say.
UNKNOWN_MEMORY = 4 * 2**30


def training_bytes(network: Any, *, trainable: int, tokens: int) -> int:
    """Estimate what training holds at its peak: weights, float32 optimiser state, activations, logits.

    Activations of a Llama-like block are counted as 14 hidden-sized and 4 intermediate-sized values a token
    (queries, keys, values, attention output, norms and residuals, two gates and their product), and the logits
    three times (values, probabilities, gradient). Attention scores are counted as not kept.

    Args:
        trainable: number of trained weights.
        tokens: tokens in one forward pass.
    """
    config = network.config
    weights = sum(p.numel() * p.element_size() for p in network.parameters())
    optimiser = trainable * FLOAT32 * (ADAM_STATES + 2)
    size = next(network.parameters()).element_size()
    hidden = config.hidden_size
    intermediate = getattr(config, "intermediate_size", None) or 4 * hidden
    block = tokens * (14 * hidden + 4 * intermediate) * size
    logits = 3 * tokens * config.vocab_size * FLOAT32
    return int(weights + optimiser + block * config.num_hidden_layers + logits)


def available_bytes(device: str = "cpu") -> int:
    """Memory that can still be taken: the accelerator's when one is used, else the machine's."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return _told("/proc/meminfo", "MemAvailable:") or UNKNOWN_MEMORY


def peak_bytes(device: str = "cpu") -> int:
    """Largest memory held so far: the accelerator's when one is used, else the process's resident set."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated())
    # getrusage also counts what a parent process held before it became this one; the kernel's status does not.
    if told := _told("/proc/self/status", "VmHWM:"):
        return told
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _told(file: str, name: str) -> int:
    """A size that the kernel tells, in bytes; 0 where it does not."""
    with contextlib.suppress(OSError):
        for line in Path(file).read_text(encoding="ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed for the next tensor; True where it can (glibc).

    By default it hands arrays of more than some hundred kilobytes back to the system at once, and each new one costs a
    page fault every 4 KiB: half of the time of attention over a few hundred tokens (decisions/0008). Up to 2 GiB of
    freed memory stays with the process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return all(mallopt(option, value) for option, value in MALLOPT.items())
