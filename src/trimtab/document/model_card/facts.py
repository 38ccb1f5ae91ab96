"""What a model card rests on: the record of a run, and what only people know. What neither says is shown as missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab import taint
from trimtab.document import words
from trimtab.document.masking import mask, printable
from trimtab.document.record import Record, read
from trimtab.errors import UserError
from trimtab.licences import UNKNOWN, hub
from trimtab.run import RunFolder

NOT_KNOWN = "not known"
# What no record says, and the key that says it.
KEYS: Mapping[str, str] = {
    "name": "name=NAME",
    "creator": "creator=NAME",
    "intended use": "uses=TEXT",
    "licence": "licence=ID",
    "language": "language=CODE",
    "base model on the Hub": "base_model=OWNER/NAME",
    "licence of the base model": "base_licence=ID",
    "training compute of the base model": "base_compute=FLOP",
}
EMBEDDED = "smollm2-135m-instruct"
EMBEDDED_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
EMBEDDED_LICENCE = "apache-2.0"
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# Kinds whose numbers are weights, and what the Hub calls what they make of a base model.
RELATIONS = {"layers": "finetune", "adapter": "adapter", "embedding": "adapter", "steering": "adapter"}


@dataclass(frozen=True, slots=True)
class Declared:
    """What no record says; empty where it is not known.

    Attributes:
        uses: what the model is meant for; language: as ISO 639 names it, such as en; several with commas.
        licence, base_licence: of what is released, and of the base model, as SPDX or the Hub names them.
        base_model: its id on the Hub; base_compute: floating-point operations that trained it, such as 1.6e21.
        benchmark: guard suites, or `target`, that are a benchmark of the Hub, as SUITE=OWNER/NAME:TASK.
    """

    name: str = ""
    creator: str = ""
    uses: str = ""
    licence: str = ""
    language: str = ""
    base_model: str = ""
    base_licence: str = ""
    base_compute: str = ""
    benchmark: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All that a model card says. `command`: what writes it again."""

    record: Record
    declared: Declared
    adjustments: tuple[Mapping[str, Any], ...]
    tainted: Mapping[str, Any] | None
    command: str = ""

    @property
    def released(self) -> bool:
        """Whether the verdict is ship, and nothing that was learned from has been erased since."""
        return words.kind(self.record) == "ship" and self.tainted is None

    @property
    def name(self) -> str:
        """What the model is called: as declared, else as its run."""
        return shown(self.declared.name) or printable(self.record.folder.path.resolve().name)

    @property
    def stack(self) -> str:
        """Hash of the stack that the verdict is about; empty where it is about none."""
        return "" if self.record.verdict.stack == "base" else self.record.verdict.stack

    @property
    def model(self) -> Mapping[str, Any]:
        """What the record says of the base model."""
        found = self.record.provenance.get("model")
        return found if isinstance(found, Mapping) else {"name": self.record.recipe.get("model")}

    @property
    def base_model(self) -> str:
        """The base model's id on the Hub; empty where it is not known."""
        named = str(self.record.recipe.get("model") or "")
        if named == EMBEDDED:
            return EMBEDDED_ID
        return self.declared.base_model or (named if _ID.fullmatch(named) and ".gguf" not in named else "")

    @property
    def base_licence(self) -> str:
        """The base model's licence, as the Hub names it; empty where it is not known."""
        said = EMBEDDED_LICENCE if self.base_model == EMBEDDED_ID else self.declared.base_licence
        return hub(said) or shown(said)

    @property
    def licence(self) -> str:
        """The licence of what is released, as the Hub names it."""
        return hub(self.declared.licence) or shown(self.declared.licence) or UNKNOWN

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the adjustments, in the order of the stack, without those that are off."""
        return tuple(str(one.get("kind") or "") for one in self.adjustments if one.get("strength") != 0)

    @property
    def relation(self) -> str:
        """What the Hub calls this beside its base model; empty where no weight is changed."""
        found = {RELATIONS[kind] for kind in self.kinds if kind in RELATIONS}
        return "finetune" if "finetune" in found else next(iter(found), "")

    @property
    def guidelines(self) -> Mapping[str, Any]:
        """Version, dates, audience and tone of the rules, as recorded; empty without any."""
        found = self.record.provenance.get("guidelines")
        return found if isinstance(found, Mapping) else {}

    @property
    def data(self) -> Mapping[str, Any]:
        """What the record says of the rows."""
        found = self.record.provenance.get("data")
        return found if isinstance(found, Mapping) else {}

    def missing(self) -> list[str]:
        """The facts that neither the record nor anybody says, as `KEYS` names them."""
        said = {
            "name": self.declared.name,
            "creator": self.declared.creator,
            "intended use": self.declared.uses,
            "licence": self.declared.licence,
            "language": self.declared.language,
            "base model on the Hub": self.base_model,
            "licence of the base model": self.base_licence,
            "training compute of the base model": self.declared.base_compute
            or self.base_model == EMBEDDED_ID,
        }
        return [name for name in KEYS if not said[name]]


def facts(folder: RunFolder, declared: Declared | None = None, *, command: str = "") -> Facts:
    """Gather what a run's card says.

    Raises:
        RunError: the run has no verdict yet, or a file of it is damaged.
        UserError: what was declared of the base model or its compute is no id or no number.
    """
    record = read(folder)
    declared = declared or Declared()
    _check(declared)
    stack = record.verdict.stack
    name = f"trials/{stack}/stack.json"
    content = folder.read(name) if folder.has(name) else {}
    return Facts(
        record, declared, tuple(content.get("adjustments") or ()), taint.of(folder.trial(stack)), command
    )


def _check(declared: Declared) -> None:
    if declared.base_model and not _ID.fullmatch(declared.base_model):
        raise UserError(
            f"base_model: expected an id of the Hub, received {declared.base_model!r}",
            "such as HuggingFaceTB/SmolLM2-135M-Instruct",
        )
    try:
        known = not declared.base_compute or 0 < float(declared.base_compute) < float("inf")
    except ValueError:
        known = False
    if not known:
        raise UserError(
            f"base_compute: expected a number above 0, received {declared.base_compute!r}",
            "floating-point operations, such as 1.6e21",
        )


def shown(text: object) -> str:
    """A text as a card may show it: masked, in one line, printable."""
    return " ".join(mask(printable(str(text or ""))).split())


def unknown(where: str) -> str:
    """The one form of a fact that is missing; where: what would say it."""
    return f"{NOT_KNOWN} ({where})"


def undeclared(fact: str) -> str:
    """A fact of `KEYS` that nobody has said."""
    return unknown(f"say it with --use {KEYS[fact]}")
