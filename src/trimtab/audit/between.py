"""What rows have in common: copies, near copies, conflicts, and what leaks from one part into another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trimtab.audit import near, same
from trimtab.audit.batches import batches
from trimtab.audit.features import compared
from trimtab.audit.findings import Finding, Hit
from trimtab.audit.kinds import KINDS
from trimtab.audit.packed import pack
from trimtab.audit.parts import shared
from trimtab.audit.rows import rows
from trimtab.audit.scan import Scanned
from trimtab.audit.shingles import grams
from trimtab.records import Progress, Report

_BATCH = 2000


def in_common(
    source: str, columns: Mapping[str, str], scanned: Scanned, begin: str, report: Report | None = None
) -> list[Finding]:
    """The findings of rows beside each other; hits of leaks that the scan has already are among them.

    Args:
        columns: usual name to the source's own column; the source is read again for rows that may be near copies.
        scanned: what one pass over the source gave.
        begin: how all prompts begin, as the scan was told.

    Raises:
        DataError: the source cannot be read any more.
    """
    features = scanned.features
    kept = same.kept(features)

    def shingles(wanted: np.ndarray) -> dict[int, near.Sides]:
        return _shingles(source, columns, wanted, begin, report)

    if report:
        report(Progress("compare", 0, 0))
    groups = near.near(kept, features.signature[kept], shingles)
    members = tuple(sorted({row for group in groups for row in group}))
    alike = Finding(
        "near_duplicate",
        KINDS["near_duplicate"].severity,
        members,
        groups=groups,
        detail={"groups": len(groups), "least": near.LEAST, "rows": same.ALL},
    )
    found = [same.exact(features), alike if members else None, same.conflicts(features, groups)]
    scanned.hits.add(pack(shared(source, columns, features, report)))
    found.append(_leak(scanned, same.between_parts(features, groups)))
    return [finding for finding in found if finding]


def _leak(scanned: Scanned, groups: same.Groups) -> Finding | None:
    hits = list(scanned.hits.hits(("leak",)))
    for group in groups:
        parts = same.parts_of(scanned.features, group)
        hits += [Hit("leak", row, note=f"in {parts}") for row in group]
    if not hits:
        return None
    scanned.hits.replace(("leak",), hits)
    return replace(scanned.hits.finding("leak"), groups=groups)


def _shingles(
    source: str, columns: Mapping[str, str], wanted: np.ndarray, begin: str, report: Report | None
) -> dict[int, near.Sides]:
    """The 5-grams of some rows, by number, read again: all of them would not fit into memory."""
    found: dict[int, near.Sides] = {}
    read = ((row.number, compared(row, begin)) for row in rows(source, columns, wanted))
    for batch in batches(read, _BATCH, lambda one: sum(map(len, one[1]))):
        hashes, starts = grams([text for _, sides in batch for text in sides])
        pieces = [np.unique(piece) for piece in np.split(hashes, starts[1:])]
        for place, (number, sides) in enumerate(batch):
            prompt, answer = (
                piece if text else piece[:0]
                for piece, text in zip(pieces[2 * place : 2 * place + 2], sides, strict=True)
            )
            found[number] = prompt, answer
        if report:
            report(Progress("compare", float(len(found)), float(len(wanted))))
    return found
