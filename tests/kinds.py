"""Two small kinds of adjustment that change no weights, and how to put them on a ladder: a rule and a preface.

They are real ones, with their own rungs, so that a whole ladder climbs in seconds on the tiny network.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import Field

from trimtab import planning, rungs
from trimtab.adjust import stack
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.candidates import Candidate, Candidates
from trimtab.records import Message, Output, Question, content_hash
from trimtab.run import read_json, write_json
from trimtab.rungs.workshop import Fitted, Speed, Workshop


@dataclass(frozen=True)
class Written(Adjustment):
    """An adjustment that is a text, on or off."""

    said: str = ""
    on: bool = True

    @property
    def strength(self) -> float:
        return float(self.on)

    @property
    def hash(self) -> str:
        return content_hash([self.kind, self.said, self.on])

    def scaled(self, factor: float) -> Any:
        return dataclasses.replace(self, on=self.on and factor >= 0.5)

    def save(self, folder: Path) -> None:
        write_json(folder / "written.json", {"said": self.said, "on": self.on})

    @classmethod
    def load(cls, folder: Path) -> Any:
        found = read_json(folder / "written.json")
        return cls(found["said"], found["on"])

    def describe(self) -> Description:
        return Description(self.kind, self.strength, {"said": Setting(self.said)}, 0, len(self.said))


@dataclass(frozen=True)
class Rule(Written):
    """Puts a full stop behind "ok" where the prompt asks for a dot, and answers "ok" itself where it says easy."""

    kind: ClassVar[str] = "postprocess"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"text"})

    def text(self, question: Question, output: Output) -> Output:
        asked = question.messages[-1].content
        found = "ok" if "easy" in asked else output.text
        return dataclasses.replace(output, text=found + self.said if "dot" in asked else found)


@dataclass(frozen=True)
class Preface(Written):
    """A sentence before the question."""

    kind: ClassVar[str] = "prompt"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"messages"})

    def messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        return (*messages[:-1], Message("user", f"{self.said} {messages[-1].content}"))


class WrittenCandidate(Candidate):
    """A text to try."""

    said: str = "."


class Wider(Candidates):
    """Candidates of the two kinds as well."""

    prompt: tuple[WrittenCandidate, ...] = Field(())  # type: ignore[assignment, unused-ignore]
    postprocess: tuple[WrittenCandidate, ...] = Field(())  # type: ignore[assignment, unused-ignore]


def _rung(kind: type[Written]) -> ModuleType:
    module = ModuleType(f"trimtab.rungs.written_{kind.kind}")

    def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[WrittenCandidate]:
        return [WrittenCandidate()]

    def seconds(shop: Workshop, candidate: WrittenCandidate, speed: Speed) -> float:
        return 0.0

    def fit(shop: Workshop, candidate: WrittenCandidate) -> Fitted:
        return Fitted(kind(candidate.said), {"seconds": 0.0})

    vars(module).update(defaults=defaults, seconds=seconds, fit=fit)
    return module


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recipes whose candidates are `Wider` climb prompt and postprocess with these kinds."""
    for kind in (Rule, Preface):
        module = _rung(kind)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(rungs.MODULES, kind.kind, module.__name__.rpartition(".")[2])  # type: ignore[arg-type]
        home = ModuleType(f"trimtab.adjust.written_{kind.kind}")
        vars(home)[kind.__name__] = kind
        monkeypatch.setitem(sys.modules, home.__name__, home)
        monkeypatch.setitem(stack.KINDS, kind.kind, (home.__name__.rpartition(".")[2], kind.__name__))  # type: ignore[arg-type]
    monkeypatch.setattr(planning, "Candidates", Wider)


def without_unit(told: Description) -> list[str]:
    """The settings of an adjustment that are numbers, or lists of them, and say nothing of their unit."""

    def number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    return [
        name
        for name, setting in told.settings.items()
        if not setting.unit
        and (
            number(setting.value)
            or (isinstance(setting.value, list) and bool(setting.value) and all(map(number, setting.value)))
        )
    ]
