"""Rows mixed from two of the training part, and thin groups filled up."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

from trimtab.data.augment.made import chance, child
from trimtab.records import Example, Message


def mixed(examples: Sequence[Example], *, most: int, seed: int) -> list[Example]:
    """Each row after a solved other one, at most `most` times, so that it is learned with an example before it.

    A row names both parents; the other is in `fields["beside"]`. Two rows about different people are never mixed, so
    that each has one subject. What they do not share is given of both: "one AND other" licence, "one and other" source
    and consent; and the earlier date, from which keeping is counted.
    """
    found = []
    for parent in examples:
        mates = [e for e in examples if _may_mix(parent, e)]
        chosen = chance(seed, parent.id, "mixing").sample(mates, min(most, len(mates)))
        found += [_mix(parent, mate, number) for number, mate in enumerate(chosen)]
    return found


def balanced(examples: Sequence[Example], *, by: str, most: int) -> list[Example]:
    """Further copies of the rows of thin topics, until each has the median number of rows, at most `most` a row.

    Args:
        by: the field that names the topic; or group, or tags (the first one). Rows without it are left out.
    """
    topics: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        topic = _topic(example, by)
        if topic:
            topics[topic].append(example)
    if len(topics) < 2:
        return []
    wanted = math.floor(statistics.median(map(len, topics.values())))
    found = []
    for rows in topics.values():
        lacking = min(wanted - len(rows), most * len(rows))
        found += [
            child(rows[n % len(rows)], rows[n % len(rows)].messages, "balance", n) for n in range(lacking)
        ]
    return found


def _topic(example: Example, by: str) -> str:
    if by == "tags":
        return example.tags[0] if example.tags else ""
    value = example.group if by == "group" else example.fields.get(by, "")
    return str(value) if value is not None else ""


def _may_mix(parent: Example, other: Example) -> bool:
    """Whether another, single exchange with an answer may stand before a row."""
    subjects = {parent.subject, other.subject} - {""}
    single = [m.role for m in other.messages if m.role != "system"] == ["user"]
    return other.id != parent.id and single and bool(other.references) and len(subjects) < 2


def _mix(parent: Example, mate: Example, number: int) -> Example:
    system = [m for m in parent.messages if m.role == "system"]
    before = [Message("user", mate.prompt), Message("assistant", mate.references[0])]
    own = [m for m in parent.messages if m.role != "system"]
    row = child(parent, [*system, *before, *own], "mixing", number)
    return dataclasses.replace(
        row,
        source=_joined(parent.source, mate.source, " and "),
        licence=_joined(parent.licence, mate.licence, " AND "),
        subject=parent.subject or mate.subject,
        consent=_joined(parent.consent, mate.consent, " and "),
        collected_at=min(filter(None, (parent.collected_at, mate.collected_at)), default=""),
        fields={**row.fields, "beside": mate.id},
    )


def _joined(one: str, other: str, word: str) -> str:
    return word.join(dict.fromkeys(text for text in (one, other) if text))
