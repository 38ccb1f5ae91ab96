"""The watermark of a run: drawn once, kept in the run folder, and put under every candidate."""

from __future__ import annotations

import os
from pathlib import Path

from trimtab.adjust.stack import Stack
from trimtab.adjust.watermark import FILE, Watermark, drawn
from trimtab.errors import RecipeError, RunError
from trimtab.model.find import AnyBase, loaded
from trimtab.prepare import Prepared
from trimtab.run import RunFolder

# Where it lies in a run folder: also for texts of a stack that was erased since.
FOLDER = "watermark"
# Characters of a secret that nobody guesses.
LEAST = 16


def of(folder: Path) -> Watermark:
    """The watermark of a run's answers.

    Raises:
        RunError: the run has none.
    """
    if not (folder / FOLDER / FILE).is_file():
        raise RunError(
            f"{folder}: its answers carry no watermark",
            "tune with a watermark in the recipe: disclosure: {watermark: green-list}",
        )
    return Watermark.load(folder / FOLDER)


def under(stack: Stack, prepared: Prepared, base: AnyBase, folder: RunFolder) -> Stack:
    """A stack with the run's watermark under it, so that all that it draws is marked; without one as it is.

    Raises:
        RecipeError: the secret that the recipe names is not set, or too short.
    """
    wanted = prepared.recipe.disclosure
    if not wanted.watermark:
        return stack
    place = folder.path / FOLDER
    if not (place / FILE).is_file():
        numbers = {"bias": wanted.bias, "share": wanted.share} if wanted.watermark == "green-list" else {}
        drawn(loaded(base), wanted.watermark, _secret(wanted.key), **numbers).save(place)
    return Stack((Watermark.load(place), *stack.adjustments))


def _secret(variable: str) -> str:
    if not variable:
        return ""
    secret = os.environ.get(variable, "")
    if len(secret) < LEAST:
        state = "is not set" if not secret else f"has {len(secret)} characters"
        raise RecipeError(
            f"disclosure.key: the environment variable {variable} {state}; at least {LEAST} are needed",
            f"set it: export {variable}=..., or leave disclosure.key out and one is drawn for the run",
        )
    return secret
