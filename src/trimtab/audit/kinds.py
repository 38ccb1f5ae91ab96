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
            "personal_data",
            "error",
            "Personal data in a text",
            "The model can learn names, addresses and numbers by heart and give them to anybody who asks.",
            "Mask it, or replace it by consistent pseudonyms; keep a row as it is only with a legal ground to do so.",
            rule="personal_data",
        ),
        Kind(
            "quasi_identifier",
            "warning",
            "Facts that together single people out",
            "Each fact alone names nobody, but rows that share theirs with no other can be traced to a person.",
            "Make columns coarser (year for date, region for postcode) until every group has five rows, or drop one.",
        ),
    )
}
