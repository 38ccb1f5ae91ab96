"""A whole audit: one pass over the rows, what they have in common, and the findings in the order of their weight."""

from __future__ import annotations

import time

import numpy as np

from trimtab.audit.between import in_common
from trimtab.audit.checks import NORMAL, chosen, settle
from trimtab.audit.checks.languages import majority
from trimtab.audit.checks.lengths import Truncated, outlier_lengths, quantiles
from trimtab.audit.columns import Columns
from trimtab.audit.features import beginning
from trimtab.audit.findings import Finding
from trimtab.audit.groups import UNSEEN, Groups
from trimtab.audit.known import gathered, often
from trimtab.audit.meaning import Meant, look
from trimtab.audit.meaning.categories import present
from trimtab.audit.periods import Periods
from trimtab.audit.privacy import detect, quasi
from trimtab.audit.provenance import Origins, missing
from trimtab.audit.result import Asked, Audit
from trimtab.audit.rows import Source, opened
from trimtab.audit.scan import Scanned, Work, scan
from trimtab.audit.tallies import Counting
from trimtab.audit.told.tally import Told
from trimtab.audit.tone import Tone
from trimtab.errors import MissingPart
from trimtab.records import Report

GRAVE = ("error", "warning", "note")
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
    findings = in_common(source, asked.columns, scanned, work.begin, report)
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
