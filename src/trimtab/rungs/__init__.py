"""One module a rung: the candidates to try when the recipe names none, what they cost, and how one is fitted."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from trimtab.candidates import Rung
from trimtab.rungs.workshop import Kind

# From the smallest change to the largest. Modules are named, not imported: a prompt needs no PEFT.
MODULES: Mapping[Rung, str] = {
    "prompt": "prompt",
    "context": "context",
    "decoding": "decoding",
    "postprocess": "postprocess",
    "steering": "steering",
    "embedding": "embedding",
    "adapter": "adapter",
    "layers": "layers",
}


def kind(rung: Rung) -> Kind:
    """The module of a rung."""
    found: Kind = importlib.import_module(f"trimtab.rungs.{MODULES[rung]}")
    return found
