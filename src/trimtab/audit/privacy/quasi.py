"""Which facts together single people out: the sizes of the groups that share them (k-anonymity).

A postcode, a date of birth and a gender name nobody; together they may fit one person only. A table is k-anonymous
in some columns if every combination of their values occurs at least k times (Sweeney 2002, "k-anonymity: a model for
protecting privacy", section 2.2). This is a hint, not a proof: it sees no other table that could be joined.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# Facts that others may know of a person, by what a column that holds them is called.
_NAMES = {
    "postcode": ("zip", "zipcode", "postcode", "postal", "plz"),
    "place": ("city", "town", "county", "state", "region", "country", "village", "municipality", "district"),
    "birth": ("birth", "birthday", "birthdate", "dob", "born"),
    "age": ("age",),
    "gender": ("gender", "sex"),
    "origin": ("nationality", "ethnicity", "race", "origin", "citizenship", "language", "religion"),
    "job": ("job", "occupation", "profession", "employer", "position"),
    "family": ("marital", "children", "household"),
    "education": ("education", "degree", "school"),
    "health": ("diagnosis", "disease", "blood", "height", "weight"),
}
_LEAST_ROWS = 2
_MOST = 8  # columns together; with more nearly every row is alone


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of rows that agree in some columns.

    Attributes:
        columns: those that were put together.
        rows: how many rows had a value in at least one of them.
        k: the size of the smallest group; 0 where no row had any.
        alone: rows, 0-based and ascending, that no other row agrees with.
        below: how many rows stand in groups smaller than the wanted size.
        smallest: the smallest groups as row numbers, smallest first; values are not given, as they tell the person.
    """

    columns: tuple[str, ...]
    rows: int
    k: int
    alone: tuple[int, ...]
    below: int
    smallest: tuple[tuple[int, ...], ...]


def quasi_columns(names: Iterable[str]) -> list[str]:
    """Columns whose name says that they hold a fact others may know: postcode, birth, gender, job and the like."""
    wanted = {word for words in _NAMES.values() for word in words}
    return [name for name in names if wanted & {word.lower() for word in _WORDS.findall(name)}]


def groups(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), wanted: int = 5, shown: int = 10
) -> Groups | None:
    """The groups of rows that agree in the columns that may tell who they are about.

    Args:
        rows: raw rows.
        columns: which; those that their names betray where none are given, eight at most.
        wanted: the group size that is asked for, at least 2.
        shown: how many of the smallest groups to give.

    Returns:
        None where there are no such columns, or fewer than two rows.
    """
    known = dict.fromkeys(name for row in rows for name in row)
    chosen = tuple(name for name in (columns or quasi_columns(known)) if name in known)[:_MOST]
    if not chosen or len(rows) < _LEAST_ROWS:
        return None
    members: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        values = tuple(_plain(row.get(name)) for name in chosen)
        if any(values):
            members[values].append(number)
    ranked = sorted(members.values(), key=lambda group: (len(group), group))
    return Groups(
        columns=chosen,
        rows=sum(map(len, ranked)),
        k=len(ranked[0]) if ranked else 0,
        alone=tuple(group[0] for group in ranked if len(group) == 1),
        below=sum(len(group) for group in ranked if len(group) < max(2, wanted)),
        smallest=tuple(tuple(group) for group in ranked[:shown]),
    )


def _plain(value: Any) -> str:
    return "" if value is None else " ".join(str(value).casefold().split())
