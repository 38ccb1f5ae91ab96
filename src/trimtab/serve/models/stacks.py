"""The stacks that are served: from runs, checked against their records before anybody is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from trimtab import shipped
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.prompt import Prompt
from trimtab.adjust.stack import Stack
from trimtab.errors import ModelError
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Message, Sampling
from trimtab.serve.models.engine import Engine

# What is read to see whether a stack changes anything: the smallest difference of logits that is one.
PROBE = (Message("user", "Say in one sentence what you are."),)
LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Served:
    """A stack under the name that clients ask for.

    Attributes:
        sampling: how it was measured.
        outcome: of its run's verdict; empty for the base model.
        streams: its answers can be sent token by token: nothing edits them or chooses among several.
        changed: what a profile changed of what the verdict is about: facts, style, strengths.
        arm: the stack that a profile's choice fell on; empty where there was nothing to choose.
    """

    name: str
    stack: Stack
    sampling: Sampling
    outcome: str = ""
    run: str = ""
    changed: tuple[str, ...] = ()
    arm: str = ""

    @property
    def whose(self) -> str:
        """The name under which the engine knows its changes of the network; empty where it makes none.

        Stacks that differ in words alone have one, so that the network is changed once for all their rows.
        """
        within = tuple(one for one in self.stack.adjustments if one.strength and "network" in one.hooks)
        return Stack(within).hash if within else ""

    @property
    def streams(self) -> bool:
        """Whether its answers can be sent token by token."""
        return all(_plain(one) for one in self.stack.adjustments if one.strength)

    @property
    def bare(self) -> bool:
        """Whether it may go on with a text outside of any conversation: only network and sampling are changed."""
        return self.streams and "messages" not in self.stack.hooks


def _plain(adjustment: Adjustment) -> bool:
    """Whether one answer is one row of the engine: it is neither edited nor drawn again."""
    once = type(adjustment).answers is Adjustment.answers
    if isinstance(adjustment, Prompt):
        once = not adjustment.wording.revise
    return once and "text" not in adjustment.hooks


def of_run(path: Path | str, base: Base, *, unproven: bool = False) -> Served:
    """The stack that a run's verdict is about, under the run's name.

    Args:
        unproven: serve it whatever the verdict.

    Raises:
        RunError: there is no such run, its verdict is not ship, or it is about no stack.
        ModelError: it was made with another base, or under another chat template.
        TaintedError: it learned from rows that were erased since.
    """
    found = shipped.of_run(path, base, unproven=unproven)
    return Served(found.name, found.stack, found.sampling, found.outcome, found.name)


def of_base(name: str, sampling: Sampling) -> Served:
    """The base model as it is, answering as a run measured it."""
    return Served(name, Stack(), sampling)


def admitted(engine: Engine, served: Sequence[Served]) -> dict[str, Served]:
    """The stacks by name, known to the engine, each with an effect.

    Raises:
        ModelError: two have one name, or one changes nothing.
    """
    found: dict[str, Served] = {}
    for one in served:
        if one.name in found:
            raise ModelError(f"two models are called {one.name}", "rename one of the run folders")
        admit(engine, one)
        found[one.name] = one
    return found


def admit(engine: Engine, one: Served) -> None:
    """Let the engine know a stack.

    Raises:
        ModelError: it is to change the network, and changes nothing.
    """
    if not one.whose or engine.knows(one.whose):
        return
    engine.know(one.whose, partial(one.stack.changes, engine.base))
    if engine.do(partial(_effect, engine, one.whose)) < LEAST:
        engine.forget(one.whose)
        raise ModelError(f"{one.name}: its adjustment changes nothing", "tune again, or leave it out")


def _effect(engine: Engine, whose: str) -> float:
    """Largest difference of a logit to the base model's after the probe."""
    network = engine.base.network
    ids = torch.tensor([prompt_ids(engine.base.tokenizer, PROBE)], device=network.device)
    with torch.no_grad():
        before = network(input_ids=ids, use_cache=False).logits.float()
        with engine.mixed.applied({whose: None}):
            after = network(input_ids=ids, use_cache=False).logits.float()
    return float((after - before).abs().max())
