"""What a benchmark ran on: the machine, the versions, and what it can do at most, measured in the same run."""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trimtab.model.load import load

VERSIONS = ("trimtab", "torch", "transformers", "peft", "trl", "datasets", "accelerate")
# Rows, inputs and outputs of the products that are timed; the best rate counts.
SHAPES = ((512, 576, 1536), (1024, 576, 1536), (1024, 1536, 576), (1024, 1024, 1024), (2048, 2048, 2048))
LARGE = ((8192, 4096, 4096), (8192, 8192, 8192))
COPIED_BYTES = 2**28
LEAST_SECONDS = 0.3


def synchronised(device: str) -> float:
    """The clock in seconds, once all work that was given to the device is done."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.monotonic()


def choices(threads: int) -> dict[str, Any]:
    """What `load` chooses here for every arm; it also unpacks the model where that was never done."""
    base = load(threads=threads)
    chosen = {
        "dtype": base.dtype.value,
        "device": base.device.value,
        "threads": int(base.threads.value),
    }
    del base
    gc.collect()
    return chosen


def describe(chosen: dict[str, Any]) -> dict[str, Any]:
    """Names, versions, load of the machine, and its measured limits."""
    versions = {}
    for name in VERSIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    accelerator = torch.cuda.get_device_name() if chosen["device"].startswith("cuda") else ""
    return {
        "name": accelerator or _processor(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "versions": versions,
        "load": os.getloadavg()[0],
        "matmul_flops_per_second": matmul_rate(chosen["dtype"], chosen["device"]),
        "bandwidth_bytes_per_second": bandwidth(chosen["device"]),
        **chosen,
    }


def matmul_rate(dtype: str, device: str) -> float:
    """Floating-point operations a second of the fastest of some matrix products (a multiply-add is two)."""
    best = 0.0
    for rows, inputs, outputs in SHAPES + (LARGE if device.startswith("cuda") else ()):
        x = torch.randn(rows, inputs, device=device, dtype=getattr(torch, dtype))
        w = torch.randn(outputs, inputs, device=device, dtype=getattr(torch, dtype))
        seconds = _seconds(lambda x=x, w=w: torch.nn.functional.linear(x, w), device)
        best = max(best, 2 * rows * inputs * outputs / seconds)
    return best


def bandwidth(device: str) -> float:
    """Bytes a second, read and written, of the copy of a large array."""
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    return 2 * COPIED_BYTES / _seconds(lambda: target.copy_(source), device)


@torch.no_grad()
def _seconds(work: Callable[[], Any], device: str) -> float:
    """Seconds of one piece of work: the fastest of some sets of calls, after calls that are not counted."""
    work()
    started, calls = synchronised(device), 0
    while synchronised(device) - started < LEAST_SECONDS / 3:
        work()
        calls += 1
    best = float("inf")
    for _ in range(3):
        started = synchronised(device)
        for _ in range(calls):
            work()
        best = min(best, (synchronised(device) - started) / calls)
    return best


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
