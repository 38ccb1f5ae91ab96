"""The ten best and ten worst outputs of select."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document import made
from trimtab.document.record import read
from trimtab.document.samples import common_instruction, folded, samples
from trimtab.records import NAN, Example, Message, Output, Score
from trimtab.run import RunFolder


def scored(
    root: Path, before: list[list[float]], after: list[list[float]], *, direction: str = "higher"
) -> RunFolder:
    """A run whose items have these scores (items, seeds)."""
    items = [
        Example((Message("user", f"prompt {i}"),), (f"good {i}",), f"item{i}") for i in range(len(before))
    ]
    folder = made.folder(root, items=items)
    for stack, values in (("base", before), (made.STACK, after)):
        pairs = [(i, s, v) for i, row in enumerate(values) for s, v in enumerate(row)]
        folder.write_trial(
            stack,
            [Output(f"item{i}", s, f"{stack} {i} {s}") for i, s, _ in pairs],
            [
                Score(f"item{i}", metric, s, v if metric == "chrf" else 0.0)
                for i, s, v in pairs
                for metric in ("chrf", "length")
            ],
        )
    facts = made.provenance()
    facts["goal"]["direction"] = direction
    folder.write("provenance.json", facts)
    return folder


def test_ordered_by_change_and_no_item_twice(tmp_path: Path) -> None:
    after = [[float(value)] for value in (5, -3, 9, 1, 0)]
    found = samples(read(scored(tmp_path, [[0.0]] * 5, after)))
    assert [item.example for item in found.best] == ["item2", "item0", "item3"]
    assert [item.example for item in found.worst] == ["item1", "item4"]
    assert found.best[0].base.head == "base 2 0"
    assert found.best[0].tuned.head == f"{made.STACK} 2 0"
    assert (found.best[0].before, found.best[0].after, found.best[0].change) == (0.0, 9.0, 9.0)


def test_at_most_ten_of_each(tmp_path: Path) -> None:
    after = [[float(value)] for value in range(30)]
    found = samples(read(scored(tmp_path, [[0.0]] * 30, after)))
    assert [item.change for item in found.best] == [float(v) for v in range(29, 19, -1)]
    assert [item.change for item in found.worst] == [float(v) for v in range(10)]


def test_where_lower_is_better_a_fall_is_a_gain(tmp_path: Path) -> None:
    found = samples(read(scored(tmp_path, [[4.0], [4.0]], [[1.0], [6.0]], direction="lower")))
    assert (found.best[0].example, found.best[0].change) == ("item0", 3.0)
    assert (found.worst[0].example, found.worst[0].change) == ("item1", -2.0)


def test_seeds_are_averaged_within_an_item(tmp_path: Path) -> None:
    found = samples(read(scored(tmp_path, [[1.0, 3.0], [0.0, 0.0]], [[2.0, 6.0], [0.0, 1.0]])))
    assert (found.best[0].before, found.best[0].after, found.seeds) == (2.0, 4.0, 2)


def test_an_item_without_a_score_is_left_out(tmp_path: Path) -> None:
    found = samples(read(scored(tmp_path, [[1.0], [NAN], [1.0]], [[2.0], [2.0], [3.0]])))
    assert found.scored == 2
    assert "item1" not in {item.example for item in (*found.best, *found.worst)}


def test_without_outputs_it_says_so(tmp_path: Path) -> None:
    folder = scored(tmp_path, [[1.0]], [[2.0]])
    (folder.trial("base") / "scores.jsonl").unlink()
    assert "No outputs and scores" in samples(read(folder)).missing


@pytest.mark.parametrize("text", ["short", "word " * 200, "x" * 1500, "", "two\n\nparagraphs " * 60])
def test_folding_loses_nothing(text: str) -> None:
    made_of = folded(text)
    assert made_of.head + made_of.tail == text.strip()
    assert len(made_of.head) < 550


def test_what_is_over_the_limit_is_counted() -> None:
    made_of = folded("y" * 5000, limit=2000)
    assert len(made_of.head) + len(made_of.tail) + made_of.cut == 5000
    assert made_of.cut == 3000


def test_several_turns_are_shown_in_order(tmp_path: Path) -> None:
    turns = (Message("user", "hello"), Message("assistant", "yes?"), Message("user", "go on"))
    folder = made.folder(tmp_path, items=[Example(turns, ("ok",), "talk")])
    assert samples(read(folder)).best[0].prompt.head == "User: hello\n\nAssistant: yes?\n\nUser: go on"


def test_the_instruction_is_named_once_where_it_is_the_same(tmp_path: Path) -> None:
    assert common_instruction(read(made.folder(tmp_path / "a"))) == made.INSTRUCTION
    mixed = [*made.examples(2), Example((Message("user", "bare"),), ("x",), "bare")]
    assert common_instruction(read(made.folder(tmp_path / "b", items=mixed))) == ""


def test_the_line_of_an_item_begins_where_prompts_differ(tmp_path: Path) -> None:
    found = samples(read(scored(tmp_path, [[0.0]] * 2, [[2.0], [1.0]])))
    assert [item.begin for item in (*found.best, *found.worst)] == ["0", "1"]
    assert found.best[0].prompt.head == "prompt 0"
