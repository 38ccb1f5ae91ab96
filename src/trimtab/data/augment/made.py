"""An augmented row: what it takes over from its parent, and whether it still says the same facts."""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Sequence

from trimtab.data.split import instruction_before
from trimtab.language.names import Known, terms
from trimtab.language.quantities import quantities, spelled
from trimtab.language.text import words
from trimtab.records import Example, Message, content_hash

_DENIED = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|cannot|without)\b|n['’]t\b", re.IGNORECASE
)
# A rewriting of more than this many times the words says something of its own.
LONGER = 2.0


def child(
    parent: Example,
    messages: Sequence[Message],
    how: str,
    number: int = 0,
    references: Sequence[str] | None = None,
) -> Example:
    """A row made from another, which it names in `fields["parent"]`.

    Source, licence, consent, date, subject, group and fields are the parent's, and its references where none are given.
    """
    messages = tuple(messages)
    answers = parent.references if references is None else tuple(references)
    return dataclasses.replace(
        parent,
        messages=messages,
        references=answers,
        id=content_hash([parent.id, how, number, messages, answers]),
        group=parent.group or parent.id,
        fields={**parent.fields, "parent": parent.id, "augmented": how},
    )


def asked(example: Example) -> str:
    """What may be reworded: the last user turn without the recipe's instruction, which stays as models are asked it."""
    return example.prompt.removeprefix(instruction_before(example))


def reworded(parent: Example, text: str, how: str, number: int) -> Example | None:
    """The row with what it asks in other words; None where nothing changed, or what it says did."""
    before = asked(parent)
    places = [place for place, message in enumerate(parent.messages) if message.role == "user"]
    if not places or text == before or not same_said(before, text):
        return None
    prompt = parent.prompt.removesuffix(before) + text
    messages = list(parent.messages)
    messages[places[-1]] = Message("user", prompt)
    return child(parent, messages, how, number)


def same_said(before: str, after: str) -> bool:
    """Whether two texts may say the same: the same facts, both denied or neither, both a question or neither.

    A text of more than twice the words does not.
    """
    denied = [bool(_DENIED.search(text)) for text in (before, after)]
    asked = ["?" in text for text in (before, after)]
    short = len(words(after)) <= LONGER * max(1, len(words(before)))
    return denied[0] == denied[1] and asked[0] == asked[1] and short and facts_kept(before, after)


def facts_kept(before: str, after: str) -> bool:
    """Whether two texts state the same numbers with their units, equally often, and the same names."""
    if Counter(quantities(before)) != Counter(quantities(after)):
        return False
    if Counter(spelled(before)) != Counter(spelled(after)):
        return False
    old, new = Known([before]), Known([after])
    return all(map(new.keeps, terms(before))) and all(map(old.keeps, terms(after)))


def chance(seed: int, *names: object) -> random.Random:
    """A generator of its own for each row and use, so that rows added elsewhere change nothing."""
    return random.Random(content_hash([seed, *map(str, names)]))
