"""A sentence at the end of every answer that is served, for people who read it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from trimtab.guidelines import parse
from trimtab.guidelines.checks import Check, check
from trimtab.serve.models.answering import Said

RULE = "notice"


@dataclass(frozen=True)
class Notice:
    """The sentence, and what finds it where an answer has it already."""

    sentence: str
    check: Check

    def on(self, said: Said) -> Said:
        """An answer with the sentence behind it when it is finished; what was sent of it before stays as it is."""
        if not said.finish or not self.check.find(said.text):
            return said
        between = "\n\n" if "\n" in said.text.strip() else " "
        text = f"{said.text}{between if said.text else ''}{self.sentence}"
        return dataclasses.replace(said, text=text, fired=(*said.fired, RULE))


def notice(sentence: str) -> Notice:
    """A notice as a rule of guidelines adds it.

    Raises:
        GuidelinesError: the sentence is too long, or empty.
    """
    rule = {"id": RULE, "text": "Say who wrote it.", "disclose": {"sentence": sentence, "place": "end"}}
    (found,) = parse({"rules": [rule]}, name="--use notice").rules
    return Notice(sentence.strip(), check(found))
