"""Which rows a stack learned from, as a run records it; and that what is tainted is refused by every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimtab import lineage, taint
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import KINDS, Stack, _class
from trimtab.errors import RunError, TaintedError
from trimtab.lineage import Learned
from trimtab.records import Example, Message
from trimtab.run import RunFolder


def example(name: str, **more: object) -> Example:
    """An item with its id as its text."""
    return Example((Message("user", name),), ("ok",), id=name, **more)  # type: ignore[arg-type]


def folder(path: Path) -> RunFolder:
    """A run folder without a run."""
    return RunFolder.create(path, "abcdefgh")


def test_rows_are_recorded_once_without_their_texts(tmp_path: Path) -> None:
    run = folder(tmp_path)
    parts = {
        "tune": [example("a secret text", subject="p")],
        "select": [example("b", fields={"parent": "a"})],
    }
    lineage.record(run, parts, [example("guard", subject="q"), example("nobody")])  # type: ignore[arg-type]
    rows = lineage.rows(run)
    assert [(r.part, r.subject, r.parent) for r in rows] == [
        ("tune", "p", ""),
        ("select", "", "a"),
        ("guard", "q", ""),
    ]
    assert "ok" not in {r.content for r in rows}
    lineage.record(run, {"tune": []})
    assert lineage.rows(run) == rows


def test_made_rows_are_recorded_once_with_both_parents(tmp_path: Path) -> None:
    run = folder(tmp_path)
    lineage.record(run, {"tune": [example("a", subject="p"), example("b")]})
    mixed = example("c", subject="p", fields={"parent": "b", "beside": "a", "augmented": "mixing"})
    noisy = example("d", fields={"parent": "b", "augmented": "noise"})
    lineage.record_made(run, [mixed])
    lineage.record_made(run, [mixed, noisy])
    found = [(r.part, r.id, r.subject, r.parent, r.beside) for r in lineage.rows(run)]
    assert found == [
        ("tune", "a", "p", "", ""),
        ("tune", "b", "", "", ""),
        ("augmented", "c", "p", "b", "a"),
        ("augmented", "d", "", "b", ""),
    ]
    assert [row["id"] for row in run.rows(lineage.MADE)] == ["c", "d"]
    # A run of an older version knows no second parent.
    run.write_rows(lineage.ROWS, [{"part": "tune", "id": "a", "content": "x", "subject": "", "parent": ""}])
    assert lineage.rows(run) == [lineage.Row("tune", "a", "x")]


def test_a_stack_is_affected_by_its_parts_its_files_and_what_it_was_joined_from() -> None:
    known = {
        "a": Learned("a", parts=("tune",)),
        "b": Learned("b", parts=("tune", "select")),
        "c": Learned("c", parts=("tune",), files=("pairs.jsonl",)),
        "d": Learned("d", stacks=("b", "x")),
    }
    assert lineage.affected(known, {"tune": 2}, {}) == {"a": 2, "b": 2, "c": 2, "d": 2}
    assert lineage.affected(known, {"select": 1, "confirm": 3}, {}) == {"b": 1, "d": 1}
    assert lineage.affected(known, {}, {"pairs.jsonl": 4}) == {"c": 4}
    assert lineage.affected(known, {"confirm": 3}, {}) == {}


def test_what_a_stack_learned_from_is_read_back(tmp_path: Path) -> None:
    run = folder(tmp_path)
    stack = Stack((Decoding({"temperature": 0.5}),))
    stack.save(run.trial(stack.hash))
    assert lineage.stacks(run) == {stack.hash: Learned(stack.hash, parts=("tune",))}
    said = Learned(stack.hash, "decoding-0", ("tune", "select"), ("pairs.jsonl",), ("other",))
    lineage.record_stack(run, said)
    assert lineage.stacks(run) == {stack.hash: said}


def test_a_tainted_stack_is_refused_with_request_date_and_next_step(tmp_path: Path) -> None:
    stack = Stack((Decoding({"temperature": 0.5}),))
    stack.save(tmp_path)
    taint.mark(tmp_path, "20261125-ab", 3)
    taint.mark(tmp_path, "later", 9)
    said = taint.of(tmp_path)
    assert said is not None
    with pytest.raises(TaintedError) as refused:
        Stack.load(tmp_path)
    assert all(word in refused.value.message for word in ("20261125-ab", said["date"], "3 rows"))
    assert "train again" in refused.value.hint
    (tmp_path / taint.FILE).write_text("{")
    with pytest.raises(RunError, match="damaged"):
        Stack.load(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_refuses_a_marked_folder(tmp_path: Path, kind: str) -> None:
    taint.mark(tmp_path, "20261125-ab", 1)
    with pytest.raises(TaintedError, match="20261125-ab"):
        _class(kind).load(tmp_path)


def test_origins_are_counted_and_what_no_row_says_is_empty() -> None:
    said = [
        example(
            "a", licence="MIT", source="s", subject="p", consent="yes", collected_at="2026-02-03T10:00:00Z"
        ),
        example("b", licence="MIT", subject="p", collected_at="2026-01-02"),
        example("c"),
    ]
    assert lineage.origins(said) == {
        "rows": 3,
        "licence": {"MIT": 2},
        "source": {"s": 1},
        "consent": {"yes": 1},
        "subjects": 1,
        "unnamed": 1,
        "days": ["2026-01-02", "2026-02-03"],
    }
    many = lineage.origins([example(f"{n}", source=f"s{n % 30}") for n in range(31)])
    assert len(many["source"]) == lineage.MOST
    assert next(iter(many["source"].items())) == ("s0", 2)
    assert lineage.origins([])["days"] == []
