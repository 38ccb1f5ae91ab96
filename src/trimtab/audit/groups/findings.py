"""What of the figures of groups is worth a finding: strong and certain associations, and one group named far more."""

from __future__ import annotations

import math

import numpy as np

from trimtab import stats
from trimtab.audit.findings import Finding
from trimtab.audit.groups.measured import Association, Measured
from trimtab.audit.kinds import KINDS

# An association is strong from twice the odds on, and certain where Holm's correction over all leaves 5%.
STRONG, ALPHA = math.log(2), 0.05
# One group is named far more often where, with 95%, it has at least three of four rows that name one of the two.
FAR = 0.75


def certain(one: Association) -> bool:
    """Whether an association is strong and certain."""
    return one.p <= ALPHA and abs(one.ratio.value) >= STRONG


def found(figures: Measured) -> tuple[Finding, ...]:
    """The findings `one_sided` and `group_share`, where there is reason for them."""
    return tuple(finding for finding in (_one_sided(figures), _group_share(figures)) if finding)


def _one_sided(figures: Measured) -> Finding | None:
    strong = [one for one in figures.associations if certain(one)]
    if not strong:
        return None
    notes: dict[int, str] = {}
    for one in strong:
        group, other = (one.one, one.other) if one.ratio.value > 0 else (one.other, one.one)
        for row in one.rows:
            notes.setdefault(row, f"{one.attribute} beside {group.name}, far more than beside {other.name}")
    detail = {
        "associations": [
            {
                "groups": [one.one.name, one.other.name],
                "attribute": one.attribute,
                "rows": len(one.rows),
                "log_odds_ratio": one.ratio.value,
                "p": one.p,
            }
            for one in strong
        ]
    }
    return Finding("one_sided", KINDS["one_sided"].severity, tuple(sorted(notes)), notes=notes, detail=detail)


def _group_share(figures: Measured) -> Finding | None:
    rows: list[np.ndarray] = []
    said = []
    for (one, other), (own, others) in figures.halves.items():
        if len(own) < len(others):
            one, other, own, others = other, one, others, own
        share = stats.wilson(len(own), len(own) + len(others))
        if share.n and share.low >= FAR:
            rows.append(own)
            said.append(
                {"more": one.name, "less": other.name, "rows": [len(own), len(others)]}
                | {"share": share.value, "low": share.low, "high": share.high}
            )
    if not rows:
        return None
    every = tuple(np.unique(np.concatenate(rows)).tolist())
    return Finding("group_share", KINDS["group_share"].severity, every, detail={"shares": said})
