"""The stack that a run's verdict is about, checked against the run's record before anybody uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.adjust.stack import BASE, Stack
from trimtab.data.certificate import template_hash
from trimtab.errors import ModelError, RunError
from trimtab.model.load import Base
from trimtab.records import Sampling
from trimtab.run import RunFolder


@dataclass(frozen=True, slots=True)
class Shipped:
    """A stack as its run proved it. `sampling`: how it was measured; `outcome`: of the verdict."""

    folder: RunFolder
    stack: Stack
    sampling: Sampling
    outcome: str

    @property
    def name(self) -> str:
        """The name of the run's folder."""
        return self.folder.path.resolve().name


def of_run(path: Path | str, base: Base, *, unproven: bool = False) -> Shipped:
    """The stack that a run's verdict is about.

    Args:
        unproven: whatever the verdict.

    Raises:
        RunError: there is no such run, its verdict is not ship, or it is about no stack.
        ModelError: it was made with another base, or under another chat template.
        TaintedError: it learned from rows that were erased since.
    """
    folder = RunFolder.open(path)
    verdict = folder.verdict()
    if verdict.stack == BASE:
        raise RunError(f"{path}: its verdict is about no stack", "name a run that found one")
    if verdict.outcome != "ship" and not unproven:
        raise RunError(
            f"{path}: its verdict is {verdict.outcome}, not ship",
            "use it all the same, marked as unproven: --use unproven=yes",
        )
    _check_template(folder, base)
    stack = Stack.load(folder.trial(verdict.stack))
    for adjustment in stack.adjustments:
        adjustment.changes(base)
    return Shipped(folder, stack, _sampling(folder.recipe()), verdict.outcome)


def _check_template(folder: RunFolder, base: Base) -> None:
    """Refuse a template other than the one that the run was trained under."""
    if not folder.has("certificate.json"):
        return
    known, now = folder.read("certificate.json")["template"], template_hash(base.tokenizer)
    if known != now:
        raise ModelError(
            f"{folder.path}: trained under the chat template {known}, and the model's is {now}",
            "use it with the tokenizer that it was tuned with",
        )


def _sampling(recipe: Mapping[str, Any]) -> Sampling:
    given = {key: value for key, value in recipe["sampling"].items() if key != "seeds"}
    return Sampling(**given | {"stop": tuple(given["stop"])})
