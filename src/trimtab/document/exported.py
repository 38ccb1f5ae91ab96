"""What a run records of its exports: exports.json, and the file that each exported folder holds of its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trimtab.run import RunFolder

FILE = "exports.json"
# In an exported folder: which run and stack it is of, and what is not in its weights.
ORIGIN = "trimtab.json"
# How files of weights end.
WEIGHTS = (".safetensors", ".gguf")


def entries(folder: RunFolder) -> list[Mapping[str, Any]]:
    """Every export that was tried, oldest first.

    Raises:
        RunError: the record is damaged.
    """
    return list(folder.read(FILE)["exports"]) if folder.has(FILE) else []


def add(folder: RunFolder, entry: Mapping[str, Any]) -> None:
    """Record one more. `held`: whether it answered as the stack does, and was handed over.

    Raises:
        RunError: the record is damaged, or cannot be written.
    """
    folder.write(FILE, {"exports": [*entries(folder), entry]})


def released(folder: RunFolder, stack: str) -> list[Mapping[str, Any]]:
    """The exports of a stack that were handed over.

    Raises:
        RunError: the record is damaged.
    """
    return [one for one in entries(folder) if one["held"] and one["stack"] == stack]
