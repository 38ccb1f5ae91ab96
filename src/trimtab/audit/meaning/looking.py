"""What meaning shows of a set, in one step after the pass over its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from trimtab.audit import drift
from trimtab.audit.features import Features
from trimtab.audit.findings import Finding, Hit
from trimtab.audit.meaning import alike, labels, outliers, topics
from trimtab.audit.meaning.categories import codes
from trimtab.audit.meaning.embedded import MOST, Embedded, drawn, embedded
from trimtab.audit.packed import Collected, pack
from trimtab.document.sections import Section
from trimtab.errors import MissingPart
from trimtab.model.sentences import default_encoder
from trimtab.records import Progress, Report

_SEED = 0


@dataclass(frozen=True, slots=True)
class Meant:
    """What was found by meaning.

    Attributes:
        unseen: what was not looked at, and why, in words.
        moved: the chance that meaning is the same in both halves of time, and by how much it differs; None where
            there are no dates.
    """

    findings: tuple[Finding, ...] = ()
    sections: tuple[Section, ...] = ()
    unseen: tuple[str, ...] = ()
    moved: drift.Difference | None = None


def look(
    source: str,
    columns: Mapping[str, str],
    features: Features,
    copies: alike.Groups,
    *,
    begin: str = "",
    label: str = "",
    since: drift.Day = None,
    report: Report | None = None,
) -> Meant:
    """Paraphrases, topics, outliers, doubtful labels and drift of a set.

    Args:
        features: of all rows; copies: groups of near duplicates.
        begin: how most prompts begin; label: the column of labels, empty for the usual ones.
        since: the first day of the later half of the rows, which are compared with the earlier ones.

    Raises:
        DataError: the source cannot be read any more, or lacks the column of labels.
    """
    written = np.flatnonzero(features.whole != 0)
    chosen = drawn(written, MOST, _SEED)
    try:
        found = embedded(
            source, columns, chosen, default_encoder().embed_all, begin=begin, label=label, report=report
        )
    except MissingPart as error:
        return Meant(unseen=(f"meaning: {error.message}: {error.hint}",))
    if report:
        report(Progress("compare meaning", 0, 0))
    unseen = list(_unseen(found, len(written)))
    same = _same(found, features, copies)
    theme, texts = found.theme()
    hits = list(outliers.outliers(found.rows, theme))
    findings, sections = [same], list[Section]()
    if len(found.rows) >= topics.FEWEST:
        about = topics.topics(theme, texts, _SEED)
        findings.append(topics.thin(about, found.rows))
        sections.append(topics.section(about))
    hits += _labels(found)
    findings += [_finding(kind, hits, len(found.rows)) for kind in ("outlier_meaning", "label_noise")]
    return Meant(
        tuple(one for one in findings if one),
        tuple(sections),
        tuple(unseen),
        drift.meaning(found.days, theme, since, _SEED),
    )


def _unseen(found: Embedded, written: int) -> Iterator[str]:
    looked = len(found.rows)
    if looked < written:
        yield f"the meaning of {written - looked:,} rows: {looked:,} of {written:,} were drawn by a seed"
    if looked < max(topics.FEWEST, outliers.FEWEST):
        yield f"topics and outliers of meaning: expected at least {topics.FEWEST} rows, received {looked}"
    if not found.labels.column:
        why = found.labels.missed or "no column of labels was found (--use label=COLUMN names one)"
        yield f"label noise: {why}"


def _same(found: Embedded, features: Features, copies: alike.Groups) -> Finding | None:
    """Paraphrases among rows of which none is an exact copy of another."""
    _, first = np.unique(features.whole[found.rows], return_index=True)
    first.sort()
    sides = [side[first] for side in (found.prompt, found.answer) if side.any()]
    if not sides:
        return None
    keys = alike.numbers([found.texts[place] for place in first.tolist()])
    return alike.same_meaning(found.rows[first], sides, keys, copies)


def _labels(found: Embedded) -> Iterator[Hit]:
    if not found.labels.column:
        return
    labelled, names = codes(found.labels.values)
    # An answer of few texts is the label itself, or tells it: only the prompt may say what it should be.
    vectors = found.prompt if found.few(1) and found.prompt.any() else found.theme()[0]
    yield from labels.noisy(found.rows, vectors, labelled, names, _SEED)


def _finding(kind: str, hits: list[Hit], looked: int) -> Finding | None:
    held = Collected()
    held.add(pack(hit for hit in hits if hit.kind == kind))
    if not held.kinds:
        return None
    one = held.finding(kind)
    return Finding(kind, one.severity, one.rows, notes=one.notes, detail={"looked_at": looked})
