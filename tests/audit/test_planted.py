"""How many planted faults an audit finds in real rows, and how much of what it names is one."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.audit import planted
from trimtab.audit import audit, checks
from trimtab.audit.findings import Finding

RECALL, PRECISION = 0.95, 0.90
NEAR = {"near_duplicate": (0.85, 0.80)}
OF_ROWS = ("empty_answer", "encoding", "control_character", "html_remains", "refusal", "secret")


@functools.cache
def set_of(data: Path, seed: int) -> planted.Planted:
    return planted.plant(data, seed)


@functools.cache
def by_row_checks(data: Path, seed: int) -> Mapping[str, set[int]]:
    rows = set_of(data, seed).read()
    chosen = checks.chosen(rows[:500])
    found = checks.settle([hit for row in rows for check in chosen for hit in check(row)], rows)
    kinds: dict[str, set[int]] = defaultdict(set)
    for hit in found:
        kinds[hit.kind].add(hit.row)
    return kinds


@pytest.fixture(scope="module")
def by_audit(public_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[int]]:
    path = tmp_path_factory.mktemp("planted") / "planted.jsonl"
    planted.write(set_of(public_data, 0), path)
    return {finding.kind: _concerned(finding) for finding in audit(str(path)).findings}


def _concerned(finding: Finding) -> set[int]:
    """Rows of a finding with the first of each group. The names of real people in real rows are no false finds."""
    rows = set(finding.rows) | {row for group in finding.groups for row in group}
    if finding.kind == "personal_data":
        return {span.row for span in finding.spans if span.type != "PERSON"}
    return rows


def named(found: Mapping[str, set[int]], kind: str) -> set[int]:
    return set().union(*(found.get(one, set()) for one in (kind, *planted.ALSO.get(kind, ()))))


def test_two_hundred_faults_stand_in_two_thousand_rows(public_data: Path) -> None:
    made = set_of(public_data, 0)
    assert len(made.rows) == planted.ROWS
    pairs = ("exact_duplicate", "near_duplicate", "conflict")
    assert {kind: len(rows) for kind, rows in made.truth.items()} == {
        kind: (2 if kind in pairs else 1) * planted.EACH for kind in planted.KINDS
    }
    every = [row for rows in made.truth.values() for row in rows]
    assert len(every) == len(set(every))
    assert made == planted.plant(public_data, 0)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", OF_ROWS)
def test_row_checks_find_what_was_planted(public_data: Path, kind: str, seed: int) -> None:
    found = named(by_row_checks(public_data, seed), kind)
    recall, precision = planted.score(found, set_of(public_data, seed).truth[kind])
    assert recall >= RECALL
    assert precision >= PRECISION


@pytest.mark.parametrize("kind", planted.KINDS)
def test_an_audit_finds_what_was_planted(
    public_data: Path, by_audit: Mapping[str, set[int]], kind: str
) -> None:
    recall, precision = planted.score(named(by_audit, kind), set_of(public_data, 0).truth[kind])
    least = NEAR.get(kind, (RECALL, PRECISION))
    assert recall >= least[0]
    assert precision >= least[1]
