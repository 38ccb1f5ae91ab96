"""What the record says of augmented rows: what they did to the goal on select, and how many were learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trimtab.document.figures import fixed, interval, known, percent, places, significant
from trimtab.document.record import Record
from trimtab.document.sections import Table
from trimtab.document.tables import exact
from trimtab.run import comparison_from

LIMITS = (
    "Plus means better with it. Both had the same settings and took as many updates, each of as many rows. The "
    "interval says how far other items might differ, and nothing of other seeds of training, which may move it by as "
    "much: give candidates with several seeds before you believe it. It decided nothing; the race did."
)


def effects(record: Record) -> list[str]:
    """A sentence for each candidate that was trained with augmented rows and without them."""
    found = (one for rung in record.ladder.get("rungs") or () for one in rung.get("augmentation") or ())
    return [_effect(record, one) for one in found]


def learned(record: Record) -> Table:
    """The augmented rows that were learned beside tune; no rows in the table where none were."""
    told = next(_told(record), {})
    rows = [
        ("augmented rows", exact(told.get("rows"))),
        ("made from this many rows of tune", exact(told.get("parents"))),
        *((f"by {kind}", exact(count)) for kind, count in (told.get("by_kind") or {}).items()),
        ("their tokens learned from", exact(told.get("supervised"))),
        ("left out: they ask what select or confirm asks", exact(told.get("overlaps"))),
        ("left out: longer than the longest row allowed", exact(told.get("too_long"))),
        *(("licence of what they were made with", text) for text in told.get("licences") or ()),
    ]
    return Table("Augmented rows, beside tune", ("what", "recorded"), tuple(rows) if told else ())


def _told(record: Record) -> Iterator[Mapping[str, Any]]:
    """What each candidate's record says of its augmented rows, the shown one's first."""
    entries = [record.candidate(), *(entry for _, entry in record.candidates())]
    for entry in entries:
        told = (entry.get("cost") or {}).get("augmented")
        if told:
            yield told


def _effect(record: Record, one: Mapping[str, Any]) -> str:
    compared = comparison_from(one["comparison"])
    found = compared.difference
    level = f", {percent(found.level)} interval" if known(found.low) else ""
    chance = f", one-sided p {significant(compared.p_value, 2)}" if known(compared.p_value) else ""
    costs = {entry["stack"]: entry.get("cost") or {} for _, entry in record.candidates()}
    stacks = [*one["with"], *one["without"]]
    tokens = [int(costs.get(stack, {}).get("tokens") or 0) for stack in stacks]
    spent = f"; trained on {sum(tokens[: len(one['with'])]):,} tokens and {sum(tokens[len(one['with']) :]):,}"
    return (
        f"{one['name']} beside the same without: {record.metric} {interval(found, 0.0)}{level}{chance}, "
        f"n {found.n:,}{_each(one)}{spent if all(tokens) else ''}"
    )


def _each(one: Mapping[str, Any]) -> str:
    """What each seed of training gave, where there are several."""
    values = [comparison_from(each).difference for each in one["each"]]
    if len(values) < 2:
        return "; one seed of training"
    digits = max(map(places, values))
    said = ", ".join(fixed(value.value, digits, signed=True) for value in values if known(value.value))
    return f"; mean of {len(values)} seeds of training: {said}"
