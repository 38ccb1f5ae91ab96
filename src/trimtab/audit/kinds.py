"""Every kind of fault that an audit can name: how grave it is, what it does to a fine-tune, and the fix."""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.audit.findings import Severity


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: a word that reports, JSON and rules of `--fix` share.
        title: what a report calls it.
        harm: what it does to a fine-tune, one sentence.
        remedy: what to do about it, one sentence.
        rule: the rule of `--fix` that mends it, the same name where there is one; empty where people must decide.
    """

    name: str
    severity: Severity
    title: str
    harm: str
    remedy: str
    rule: str = ""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "exact_duplicate",
            "warning",
            "The same row more than once",
            "Its weight in training is multiplied, and copies in two parts of the data leak from one to the other.",
            "Keep one of each.",
            rule="exact_duplicate",
        ),
        Kind(
            "missing_source",
            "note",
            "Rows that do not say where they come from",
            "Nobody can tell later what the model learned from, and a bad source cannot be taken out again.",
            "Fill a column source: a file, a page, a system.",
        ),
        Kind(
            "missing_licence",
            "note",
            "Rows without a licence",
            "Whether the tuned model may be passed on depends on rows whose terms are not known.",
            "Fill a column licence, such as CC-BY-4.0, or leave the rows out.",
        ),
        Kind(
            "missing_consent",
            "note",
            "Rows of a person without their consent",
            "What is learned from them may have to be given up, since it cannot be taken out of weights.",
            "Fill a column consent with what the person agreed to, or leave the rows out.",
        ),
        Kind(
            "missing_date",
            "note",
            "Rows without the date on which they were collected",
            "Stale rows and drift between periods cannot be seen, nor rows that are due to be deleted.",
            "Fill a column collected_at, such as 2026-03-31.",
        ),
    )
}
