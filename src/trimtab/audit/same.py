"""Rows that are the same as others: exact copies, one prompt with several answers, and copies in two parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trimtab.audit.features import PARTS, Features
from trimtab.audit.findings import Finding
from trimtab.audit.kinds import KINDS

Groups = tuple[tuple[int, ...], ...]
# Which rows of its groups a finding counts, as its detail says: of exact copies the first is no fault.
LATER, ALL = "later copies; groups hold the first too", "all of each group"


def exact(features: Features) -> Finding | None:
    """`exact_duplicate`: every copy but the first of its group; groups hold the first too."""
    groups = grouped(features.whole)
    rows = sorted(row for group in groups for row in group[1:])
    return _finding("exact_duplicate", rows, groups)


def kept(features: Features) -> np.ndarray:
    """Rows (m,) int64 that have something to compare, of each group of copies the first."""
    values, first = np.unique(features.whole, return_index=True)
    return np.sort(first[values != 0]).astype(np.int64)


def conflicts(features: Features, near: Groups = ()) -> Finding | None:
    """`conflict`: rows with one prompt and different answers.

    Rows that declare several good answers are left out, and answers of near duplicates count as one, unless their
    numbers or negations differ: 12 euros and 15 euros are two prices. Where most prompts are said more than once, the
    set gives several references a prompt on purpose, and the finding is a note.
    """
    usable = (features.prompt != 0) & (features.answer != 0) & ~features.several
    prompts = np.where(usable, features.prompt, np.uint64(0))
    repeated = grouped(prompts)
    star = {int(features.whole[row]): place for place, group in enumerate(near) for row in group}
    groups = tuple(group for group in repeated if len(_answers(features, group, star)) > 1)
    rows = sorted(row for group in groups for row in group)
    distinct = len(np.unique(prompts[usable]))
    share = len(repeated) / distinct if distinct else 0.0
    severity = "note" if share > 0.5 else KINDS["conflict"].severity
    detail = {"prompts": distinct, "repeated": len(repeated), "rows": ALL}
    if not rows:
        return None
    return Finding("conflict", severity, tuple(rows), groups=groups, detail=detail)


def _answers(features: Features, group: Sequence[int], star: Mapping[int, int]) -> set[tuple[int, int]]:
    """The different answers of some rows; copies of near duplicates are found by their hash."""
    place = list(group)
    held = zip(features.whole[place], features.answer[place], features.stance[place], strict=True)
    return {
        (star[int(whole)], int(stance)) if int(whole) in star else (-1, int(answer))
        for whole, answer, stance in held
    }


def between_parts(features: Features, near: Groups = ()) -> Groups:
    """Groups of rows that are copies, near copies, or share a prompt, and do not all lie in one part."""
    if not features.part.any():
        return ()
    found = (*grouped(features.whole), *grouped(features.prompt), *near)
    across = {
        tuple(row for row in group if features.part[row])
        for group in found
        if len(set(features.part[list(group)].tolist()) - {0}) > 1
    }
    return tuple(sorted(across))


def parts_of(features: Features, group: Sequence[int]) -> str:
    """The parts that rows lie in, in words."""
    return " and ".join(sorted({PARTS[code] for code in features.part[list(group)].tolist()} - {""}))


def grouped(keys: np.ndarray) -> Groups:
    """Rows with one key (n,) uint64, ascending within a group; groups by their first row; 0 is no key."""
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    same = np.flatnonzero((sorted_keys[1:] == sorted_keys[:-1]) & (sorted_keys[1:] != 0))
    if not len(same):
        return ()
    breaks = np.flatnonzero(np.diff(same) > 1)
    begins = same[np.concatenate([[0], breaks + 1])]
    ends = same[np.concatenate([breaks, [len(same) - 1]])] + 2
    return tuple(
        sorted(
            tuple(order[begin:end].tolist())
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        )
    )


def _finding(kind: str, rows: Sequence[int], groups: Groups) -> Finding | None:
    if not rows:
        return None
    detail = {"groups": len(groups), "rows": LATER}
    return Finding(kind, KINDS[kind].severity, tuple(rows), groups=groups, detail=detail)
