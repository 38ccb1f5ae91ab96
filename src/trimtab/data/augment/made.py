"""An augmented row: what it takes over from its parent, and whether it still says the same facts."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Sequence

from trimtab.language.names import Known, terms
from trimtab.language.quantities import quantities, spelled
from trimtab.records import Example, Message, content_hash


def child(parent: Example, messages: Sequence[Message], how: str, number: int) -> Example:
    """A row made from another: source, licence, subject, group and fields are the parent's, which it names."""
    messages = tuple(messages)
    return dataclasses.replace(
        parent,
        messages=messages,
        id=content_hash([parent.id, how, number, messages, parent.references]),
        group=parent.group or parent.id,
        fields={**parent.fields, "parent": parent.id, "augmented": how},
    )


def reworded(parent: Example, prompt: str, how: str, number: int) -> Example | None:
    """The row with its last user turn in other words; None where nothing changed or a fact did."""
    places = [place for place, message in enumerate(parent.messages) if message.role == "user"]
    if not places or prompt == parent.prompt or not facts_kept(parent.prompt, prompt):
        return None
    messages = list(parent.messages)
    messages[places[-1]] = Message("user", prompt)
    return child(parent, messages, how, number)


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
