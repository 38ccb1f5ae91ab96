"""A whole audit: one pass over the rows, what they have in common, and the findings in the order of their weight."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trimtab.audit import near, same
from trimtab.audit.batches import batches
from trimtab.audit.checks import NORMAL, chosen, settle
from trimtab.audit.checks.languages import majority
from trimtab.audit.checks.lengths import Truncated, outlier_lengths, quantiles
from trimtab.audit.columns import Columns
from trimtab.audit.features import beginning, compared
from trimtab.audit.findings import Finding, Hit
from trimtab.audit.groups import UNSEEN, Groups
from trimtab.audit.kinds import KINDS
from trimtab.audit.known import gathered, often
from trimtab.audit.meaning import Meant, look
from trimtab.audit.meaning.categories import present
from trimtab.audit.packed import pack
from trimtab.audit.parts import shared
from trimtab.audit.periods import Periods
from trimtab.audit.privacy import detect, quasi
from trimtab.audit.provenance import Origins, missing
from trimtab.audit.rows import Source, opened, rows
from trimtab.audit.scan import Scanned, Work, scan
from trimtab.audit.shingles import grams
from trimtab.audit.tallies import Counting, Section
from trimtab.audit.told.tally import Told
from trimtab.audit.tone import Tone
from trimtab.errors import MissingPart
from trimtab.records import Progress, Report

GRAVE = ("error", "warning", "note")
_BATCH = 2000
# `settle` looks at these; hits of all other kinds stay in arrays.
_SETTLED = (*NORMAL, "empty_answer")
_TALLIES: tuple[Counting, ...] = (Origins, Columns, Groups, Tone, Periods, Told)
_MEANING = "meaning: paraphrases, topics, outliers, doubtful labels (--use meaning=yes reads the texts)"
_NAMES = "names of people and places that no title or phrase announces (--use names=yes looks for them)"
# 3,400 rows of 60 tokens a second on one core.
_LIMIT = (
    "rows that a model does not read to their end (--use model=NAME, such as smollm2-135m-instruct, and limit=TOKENS; "
    "five minutes for a million short rows on one core)"
)


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        source: as it was asked for; shape: what its rows are, such as prompt/completion.
        rows: how many there are, broken ones included.
        findings: the gravest first, of equal ones that with most rows.
        not_looked_at: what was left out, and why, in words.
        seconds: wall-clock time.
        figures: spread of lengths in words, by side.
        sections: what is said about the set as a whole.
        language: that of most texts, or as declared, as an ISO 639-1 code; empty where none is known.
        columns: usual name to the source's own column.
    """

    source: str
    shape: str
    rows: int
    findings: tuple[Finding, ...]
    not_looked_at: tuple[str, ...]
    seconds: float
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    language: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> Finding | None:
        """The finding of a kind, if there is one."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def section(self, name: str) -> Section | None:
        """The section of a name, if there is one."""
        return next((section for section in self.sections if section.name == name), None)


@dataclass(frozen=True)
class Asked:
    """What is looked for beyond what is always looked for.

    Attributes:
        columns: usual name to the source's own column.
        language: ISO 639-1 code that the rows are declared to be in; empty: that of most.
        guidelines: path of a file of guidelines.
        against: files whose texts must not be among the rows, such as those that are kept for measuring.
        stale_before: rows with an earlier date are stale.
        names: search for names of people and places, which needs the part `privacy` and takes long.
        model: rows that this model would not read to their end are found; empty: not looked for.
        limit: longest row, in tokens; 0: what the model reads.
        meaning: paraphrases, topics, outliers and doubtful labels by a sentence encoder, which takes long.
        label: the column of labels; empty: the one that looks like it.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    guidelines: str = ""
    against: tuple[str, ...] = ()
    stale_before: datetime.date | None = None
    names: bool = False
    model: str = ""
    limit: int = 0
    meaning: bool = False
    label: str = ""


def audit(
    source: str, asked: Asked | None = None, *, workers: int = 0, report: Report | None = None
) -> Audit:
    """Look at every row of a source, and say what is wrong with it; nothing is changed.

    Args:
        source: a file of rows, a text file with a row a line, a folder of texts, or hub:<dataset>[:<split>].
        workers: processes; 0: one for each core.

    Raises:
        DataError: the source, or what it is held against, cannot be read, or lacks the column of labels.
        GuidelinesError: the guidelines have a problem.
        MissingPart: what the source, the search for names or the model needs is not installed.
        ModelError, MaskError: there is no such model, or it has no chat template.
    """
    began, asked = time.monotonic(), asked or Asked()
    read = opened(source, asked.columns)
    work, unseen, language = _work(read, asked)
    scanned = scan(read, work, workers=workers, report=report)
    unseen = list(
        dict.fromkeys([*unseen, *(f"{name}: {why}" for name, why in sorted(scanned.missing.items()))])
    )
    _settle(scanned, work)
    findings = _of_sets(source, asked, scanned, work.begin, report)
    meant = _meant(source, asked, scanned, work.begin, findings, report) if asked.meaning else Meant()
    findings += meant.findings
    findings += [scanned.hits.finding(kind) for kind in scanned.hits.kinds if kind != "leak"]
    findings += [one for tally in scanned.tallies.values() for one in tally.findings()]
    findings.sort(key=lambda one: (GRAVE.index(one.severity), -one.count, one.kind))
    words = scanned.features.words
    figures = {side: quantiles(words[:, place]) for place, side in enumerate(("prompt", "answer"))}
    return Audit(
        source,
        read.maker.shape.kind,
        scanned.rows,
        tuple(findings),
        (*unseen, *meant.unseen),
        time.monotonic() - began,
        figures,
        (*(section for tally in scanned.tallies.values() for section in tally.sections()), *meant.sections),
        language,
        read.maker.shape.columns,
    )


def _work(read: Source, asked: Asked) -> tuple[Work, list[str], str]:
    """The work on each row, what is not looked at, and the language."""
    unseen = [UNSEEN]
    unseen += [text for text, looked in ((_NAMES, asked.names), (_MEANING, asked.meaning)) if not looked]
    if asked.label and not asked.meaning:
        unseen.append(f"label noise in {asked.label}: --use meaning=yes looks for it")
    elif asked.label:
        present(asked.label, read.sample)
    language = asked.language
    try:
        language = language or majority(read.sample)
    except MissingPart as error:
        unseen.append(f"language: {error.message}: {error.hint}")
    unseen += read.guessed
    if not read.maker.shape.certain:
        columns = ", ".join(f"{usual}: {own}" for usual, own in read.maker.shape.columns.items())
        unseen.append(f"columns other than {columns}, which were guessed (--use prompt=COLUMN names one)")
    checks = chosen(language=language, guidelines=asked.guidelines, stale_before=asked.stale_before)
    if asked.model:
        checks = (*checks, Truncated.of(asked.model, asked.limit))
    else:
        unseen.append(_LIMIT)
    checks = (*checks, missing) if asked.names else (*checks, missing, detect.check)
    if asked.names:
        detect.Detector(names=True)  # what is lacking is said before the long work
    known = gathered(asked.against).without(often(read.sample))
    tallies = (*_TALLIES, *quasi.tallies(read.sample))
    work = Work(read.maker, checks, known, asked.names, beginning(read.sample), tallies)
    return work, unseen, language


def _settle(scanned: Scanned, work: Work) -> None:
    settled = settle(list(scanned.hits.hits(_SETTLED)), scanned.rows)
    scanned.hits.replace(_SETTLED, settled)
    numbers = np.arange(scanned.rows)
    words = scanned.features.words
    far = list(outlier_lengths(numbers, words[:, 0], words[:, 1]))
    if far:
        scanned.hits.replace(("outlier_length",), far)


def _of_sets(source: str, asked: Asked, scanned: Scanned, begin: str, report: Report | None) -> list[Finding]:
    """What rows have in common."""
    features = scanned.features
    kept = same.kept(features)

    def shingles(wanted: np.ndarray) -> dict[int, near.Sides]:
        return _shingles(source, asked.columns, wanted, begin, report)

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
    scanned.hits.add(pack(shared(source, asked.columns, features, report)))
    found.append(_leak(scanned, same.between_parts(features, groups)))
    return [finding for finding in found if finding]


def _meant(
    source: str, asked: Asked, scanned: Scanned, begin: str, found: list[Finding], report: Report | None
) -> Meant:
    """What meaning shows; the tally of periods is told of it, so that one correction is for all that is compared."""
    periods = scanned.tallies.get("periods")
    meant = look(
        source,
        asked.columns,
        scanned.features,
        next((one.groups for one in found if one.kind == "near_duplicate"), ()),
        begin=begin,
        label=asked.label,
        since=periods.first if isinstance(periods, Periods) else None,
        report=report,
    )
    if isinstance(periods, Periods):
        periods.moved = meant.moved
    return meant


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


def as_json(found: Audit) -> dict[str, Any]:
    """An audit as JSON values; spans have the keys row, field, start, end and type."""
    return {
        "source": found.source,
        "shape": found.shape,
        "rows": found.rows,
        "findings": [
            {
                "kind": one.kind,
                "severity": one.severity,
                "count": one.count,
                "rows": list(one.rows),
                **({"spans": list(one.spans)} if one.spans else {}),
                **({"groups": one.groups} if one.groups else {}),
                **({"notes": one.notes} if one.notes else {}),
                **({"detail": one.detail} if one.detail else {}),
                "title": KINDS[one.kind].title,
                "harm": KINDS[one.kind].harm,
                "remedy": KINDS[one.kind].remedy,
            }
            for one in found.findings
        ],
        "not_looked_at": found.not_looked_at,
        "seconds": found.seconds,
        "figures": found.figures,
        "language": found.language,
        "columns": found.columns,
        "sections": {one.name: one.data for one in found.sections},
    }
