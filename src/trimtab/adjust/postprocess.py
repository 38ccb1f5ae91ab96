"""Edits of an answer after it was drawn: rules of the guidelines, and facts that the question does not hold.

It is on or off. What no rule finds fault with comes back byte for byte, and an edited answer, edited again, stays as
it is. An answer that a rule rejects is drawn again, by sampling, until one is fit or the rule's number is reached.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.adjust.draws import chosen_from
from trimtab.adjust.grounded import Mode, Source, ground
from trimtab.guidelines import Compiled, Guidelines, compiled, parse
from trimtab.records import Model, Output, Question, Report, content_hash
from trimtab.run import read_json, write_json

FACTS = "facts"
# A greedy answer would be the same each time: another is drawn at this temperature at least, from a seed far off
# those of other answers.
WARMER = 0.7
APART = 1_000_003


@dataclass(frozen=True)
class Postprocess(Adjustment):
    """Rules that are applied to an answer in order, and the check of its facts before them.

    Attributes:
        guidelines: the rules; the answer that they fall back to.
        facts: what happens to numbers, dates and names that stand neither in the conversation, as this adjustment is
            asked it, nor in what the rules insert. Passages count where they were put into the conversation by an
            adjustment that stands after this one in the stack.
        draws: answers drawn again at most, instead of the rejecting rule's own number.
        strength: 1 is on, 0 is off.
    """

    kind: ClassVar[str] = "postprocess"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"text"})
    guidelines: Guidelines
    facts: Mode = "off"
    draws: int | None = None
    strength: float = 1.0

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        return content_hash([self.kind, self._record()])

    @functools.cached_property
    def compiled(self) -> Compiled:
        """The rules ready for use."""
        return compiled(self.guidelines)

    def scaled(self, factor: float) -> Postprocess:
        """The same edits, off where the factor is 0; half an edit does not exist."""
        return dataclasses.replace(self, strength=1.0 if self.strength and factor else 0.0)

    def text(self, question: Question, output: Output) -> Output:
        """The answer edited; `fired` names the rules that changed it, after those that did so before."""
        return self._edited(question, output)[0]

    def answers(self, model: Model, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """Answer and edit; those that a rule rejects are asked again, all of them together in each round."""
        drawn = model.answer(list(asked), report)
        found = [self._edited(question, output) for question, output in zip(asked, drawn, strict=True)]
        most = self._draws() if self.strength else {}
        for number in range(1, max(most.values(), default=0) + 1):
            waiting = [
                place for place, (_, unfit) in enumerate(found) if any(most[r] >= number for r in unfit)
            ]
            if not waiting:
                break
            again = model.answer([_again(asked[place], number) for place in waiting], report)
            for place, output in zip(waiting, again, strict=True):
                before, unfit = found[place]
                edited, rejecting = self._redrawn(asked[place], output, unfit)
                found[place] = chosen_from(edited, [before, output]), rejecting
        return [output for output, _ in found]

    def save(self, folder: Path) -> None:
        """Write `postprocess.json`."""
        write_json(folder / "postprocess.json", self._record())

    @classmethod
    def load(cls, folder: Path) -> Postprocess:
        """Read what `save` wrote."""
        record = read_json(folder / "postprocess.json")
        return cls(parse(record["guidelines"]), record["facts"], record["draws"], record["strength"])

    def describe(self) -> Description:
        """Every rule by its id, with its sentence; the check of facts; how often is drawn again."""
        settings = {
            **{f"rule {rule.id}": Setting(rule.text) for rule in self.guidelines.rules},
            "facts": Setting(self.facts),
            "draws": Setting(max(self._draws().values(), default=0), "answers drawn again at most"),
            "guidelines": Setting(self.guidelines.version, "version"),
        }
        size = len(json.dumps(self._record(), ensure_ascii=False).encode())
        return Description(self.kind, self.strength, settings, 0, size)

    def _record(self) -> dict[str, object]:
        return {
            "guidelines": self.guidelines.model_dump(mode="json", exclude_defaults=True),
            "facts": self.facts,
            "draws": self.draws,
            "strength": self.strength,
        }

    def _draws(self) -> dict[str, int]:
        """How often is drawn again at most, by the id of the rejecting rule."""
        own = self.compiled.draws
        return own if self.draws is None else dict.fromkeys(own, self.draws)

    def _edited(self, question: Question, output: Output) -> tuple[Output, tuple[str, ...]]:
        """The answer edited, and the rules that rejected it."""
        if not self.strength:
            return output, ()
        text, fired = self.compiled.apply(output.text, self._first(question))
        if not fired:
            return output, ()
        rejecting = tuple(rule for rule in fired if rule in self.compiled.draws)
        return dataclasses.replace(output, text=text, fired=(*output.fired, *fired)), rejecting

    def _redrawn(
        self, question: Question, output: Output, unfit: tuple[str, ...]
    ) -> tuple[Output, tuple[str, ...]]:
        """Another answer to the question, edited; the rules that rejected the one before it have fired too."""
        edited, rejecting = self._edited(question, dataclasses.replace(output, seed=question.seed))
        fired = dict.fromkeys((*unfit, *edited.fired))
        return dataclasses.replace(edited, fired=tuple(fired)), rejecting

    def _first(self, question: Question) -> list[tuple[str, Callable[[str], str]]]:
        """The edit that comes before the rules: what the question does not hold."""
        if self.facts == "off":
            return []
        source = Source([*(message.content for message in question.messages), *self.compiled.inserts])
        return [(FACTS, lambda text: ground(text, source, self.facts))]


def _again(question: Question, number: int) -> Question:
    """The same question for another answer, the `number`th after the first."""
    warm = max(WARMER, question.sampling.temperature)
    sampling = dataclasses.replace(question.sampling, temperature=warm)
    return dataclasses.replace(question, sampling=sampling, seed=question.seed + APART * number)
