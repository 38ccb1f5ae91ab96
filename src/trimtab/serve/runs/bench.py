"""Stacks of runs tried on one question: a base model is loaded at the first, and holds one stack at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from trimtab.errors import ModelError
from trimtab.model.find import dtype_of, loaded, tuned_on
from trimtab.model.service import served
from trimtab.records import Message, Progress, Report
from trimtab.run import RunFolder
from trimtab.serve.models import stacks
from trimtab.serve.models.answering import begun
from trimtab.serve.models.engine import Engine, Limits, apart
from trimtab.serve.models.schema import Asking, Refusal
from trimtab.serve.models.stacks import Served

# Tokens of a question and of an answer that are read and given here.
PROMPT, ANSWER = 2048, 512


@dataclass(frozen=True, slots=True)
class Side:
    """What answers: a run's stack at a strength, or with no run the base model."""

    run: RunFolder | None
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, and what it took.

    Attributes:
        tokens: that were drawn for it, those of drafts included.
        confidence: calibrated for the stack at strength 1, in [0, 1]; None where it has none.
        fired: rules that changed it.
    """

    text: str
    tokens: int
    seconds: float
    finish: str
    confidence: float | None
    fired: tuple[str, ...]


class Bench:
    """The model that is tried at present. It is asked from one thread at a time, and stopped from any."""

    def __init__(self) -> None:
        self._known, self._stopped = ("", ""), False
        self._engine: Engine | None = None

    def ask(
        self, folder: RunFolder, sides: Sequence[Side], messages: Sequence[Message], report: Report
    ) -> list[Answered]:
        """Each side's answer, one after the other, so that the seconds of one say nothing of the other.

        folder: the run whose base model is asked, as it was measured.

        Raises:
            ModelError: the model is a service, or a run was made with another one.
            RunError, TaintedError: a run has no stack, or one that may not be used any more.
        """
        engine = self._loaded(folder, report)
        found = []
        for number, side in enumerate(sides):
            report(Progress("answering", number, len(sides)))
            found.append(_answered(engine, _served(engine, folder, side), messages))
        return found

    def stop(self) -> None:
        """Answer nothing more."""
        self._stopped = True
        if self._engine is not None:
            self._engine.stop(finish=False)

    def _loaded(self, folder: RunFolder, report: Report) -> Engine:
        name = str(folder.recipe()["model"])
        if served(name):
            raise ModelError(
                f"{name}: a service keeps its weights", "try runs of a model that is loaded here"
            )
        wanted = name, dtype_of(folder)
        if self._engine is None or self._known != wanted or not self._engine.alive:
            report(Progress("loading the model", 0, 0))
            if self._engine is not None:
                # The memory of two models may not be there.
                self._engine.stop(finish=False)
                self._engine = None
            base = apart(lambda: loaded(tuned_on(folder)))
            self._engine = Engine(base, Limits(rows=8, prompt=PROMPT, answer=ANSWER, waiting=64))
            self._known = wanted
            if self._stopped:
                self.stop()
        return self._engine


def _served(engine: Engine, folder: RunFolder, side: Side) -> Served:
    found = stacks.of_run((side.run or folder).path, engine.base, unproven=True)
    if side.run is None:
        return stacks.of_base("base", found.sampling)
    return replace(found, stack=found.stack.scaled(side.strength))


def _answered(engine: Engine, served: Served, messages: Sequence[Message]) -> Answered:
    """An answer; the engine knows the stack no longer than that."""
    if served.whose:
        engine.know(served.whose, partial(served.stack.changes, engine.base))
    try:
        request = begun(engine, served, Asking(model=served.name, seed=0), messages, None)
        started = time.monotonic()
        (said,) = request.answers()
        seconds = time.monotonic() - started
    except Refusal as refusal:
        raise ModelError(refusal.message) from None
    finally:
        if served.whose:
            engine.forget(served.whose)
    return Answered(said.text, said.spent, seconds, said.finish, said.confidence, said.fired)
