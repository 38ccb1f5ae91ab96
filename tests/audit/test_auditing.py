"""Whole audits: of real data, of parts, against files; order, JSON and what was not looked at."""

from __future__ import annotations

import json
from pathlib import Path

from tests.audit.made import raw, write
from trimtab.audit import Asked, as_json, audit, same
from trimtab.audit.known import gathered
from trimtab.audit.rows import opened
from trimtab.audit.scan import Work, scan
from trimtab.records import plain

LONG = (
    "the harbour master wrote down every ship that came in that night, with its flag and its load and the name of "
    "whoever stood at the wheel, and then went home to sleep at last while the lamps on the pier burned low"
)


def test_the_exact_copies_among_the_lines_of_e2e(public_data: Path) -> None:
    # Without the checks of single rows, which take their time and have tests of their own.
    read = opened(str(public_data / "e2e_nlg" / "lora_train.txt.gz"))
    found = scan(read, Work(read.maker, (), gathered()), workers=1)
    copies = same.exact(found.features)
    assert copies
    assert read.maker.shape.kind == "prompt/completion"
    assert (found.rows, copies.count) == (42_061, 1202)
    assert len(copies.groups) == 1136


def test_references_of_e2e_are_no_conflict_to_mend(public_data: Path) -> None:
    found = audit(str(public_data / "e2e_nlg" / "devset.csv.gz")).of("conflict")
    assert found is not None
    assert found.severity == "note"


def test_the_gravest_come_first_and_json_keeps_its_contract(tmp_path: Path) -> None:
    pairs = [
        ("a", "write to anna@example.org"),
        ("b", LONG),
        ("b", LONG),
        ("b", LONG.replace("night", "evening")),
    ]
    found = audit(write(tmp_path / "r.jsonl", raw(*pairs)))
    order = [one.severity for one in found.findings]
    assert order == sorted(order, key=("error", "warning", "note").index)
    said = json.loads(json.dumps(plain(as_json(found)), allow_nan=False))
    assert said["rows"] == 4
    kinds = {one["kind"]: one for one in said["findings"]}
    assert kinds["exact_duplicate"]["rows"] == [2]
    assert kinds["near_duplicate"]["rows"] == [1, 3]
    personal = kinds["personal_data"]
    assert (personal["severity"], personal["count"], personal["rows"]) == ("error", 1, [0])
    assert personal["spans"] == [
        {"row": 0, "field": "completion", "start": 9, "end": 25, "type": "EMAIL_ADDRESS"}
    ]


def test_rows_in_two_parts_leak_near_copies_included(tmp_path: Path) -> None:
    pairs = [("ask me one", "red"), ("b", "short and good"), ("ask me one", "red")]
    rows = raw(*pairs, part=("tune", "tune", "confirm"))
    leak = audit(write(tmp_path / "r.jsonl", rows)).of("leak")
    assert leak
    assert (leak.rows, leak.groups) == ((0, 2), ((0, 2),))
    assert leak.notes[0] == "in confirm and tune"


def test_thirteen_words_of_a_row_to_measure_by_leak_into_one_to_learn_from(tmp_path: Path) -> None:
    words = LONG.split()
    inside, apart = " ".join(words[3:17]), " ".join(words[3:15])
    pairs = [
        ("a", f"He told us: {inside}!"),
        ("b", f"He told us: {apart}!"),
        ("c", LONG),
        ("d", f"so {LONG}"),
    ]
    rows = raw(*pairs, part=("tune", "tune", "confirm", "select"))
    leak = audit(write(tmp_path / "r.jsonl", rows)).of("leak")
    assert leak
    assert leak.rows == (0,)
    (span,) = leak.spans
    assert (span.row, span.field) == (0, "completion")
    assert pairs[0][1][span.start : span.end] == inside


def test_two_labels_of_one_long_prompt_conflict_and_are_no_copies(tmp_path: Path) -> None:
    pairs = [(LONG, "Yes"), (LONG, "No"), ("b", LONG), ("b", LONG.replace("night", "evening"))]
    found = audit(write(tmp_path / "r.jsonl", raw(*pairs)))
    conflict, near = found.of("conflict"), found.of("near_duplicate")
    assert conflict
    assert conflict.rows == (0, 1)
    assert near
    assert near.rows == (2, 3)


def test_a_file_with_the_same_instruction_does_not_leak(tmp_path: Path) -> None:
    ask = "You are a careful assistant of a shop. Rewrite the following text without any praise in it: "
    pairs = [(f"{ask}{n} plus {n + 1}", f"sum {n}") for n in range(60)]
    source = write(tmp_path / "r.jsonl", raw(*pairs, (f"{ask}{LONG}", "x")))
    # The instruction and the word behind it are thirteen words that both sides have.
    kept = write(tmp_path / "kept.jsonl", raw((f"{ask}7 plus that", "y"), (f"{ask}{LONG}", "z")))
    leak = audit(source, Asked(against=(kept,))).of("leak")
    assert leak
    assert leak.rows == (60,)


def test_against_a_file(tmp_path: Path) -> None:
    kept = write(tmp_path / "kept.jsonl", raw(("q", LONG)))
    source = write(tmp_path / "r.jsonl", raw(("a", f"so {LONG}"), ("b", "c")))
    assert audit(source).of("leak") is None
    leak = audit(source, Asked(against=(kept,))).of("leak")
    assert leak
    assert leak.rows == (0,)


def test_a_row_far_longer_than_others(tmp_path: Path) -> None:
    pairs = [(f"ask {n}", " ".join(f"w{n}x{k}" for k in range(10))) for n in range(40)]
    pairs[7] = ("ask 7", " ".join(f"w{k}" for k in range(900)))
    found = audit(write(tmp_path / "r.jsonl", raw(*pairs)))
    long = found.of("outlier_length")
    assert long
    assert long.rows == (7,)
    assert found.figures["answer"]["n"] == 40


def test_guidelines_and_what_was_guessed(tmp_path: Path) -> None:
    rules = tmp_path / "guidelines.yaml"
    rules.write_text("rules:\n- id: no-cheap\n  text: Say inexpensive.\n  forbid: {phrases: [cheap]}\n")
    rows = [{"x": "what is it?", "y": "it is cheap"}, {"x": "and this?", "y": "it is fine"}]
    found = audit(write(tmp_path / "r.jsonl", rows), Asked(guidelines=str(rules)))
    broken = found.of("guideline")
    assert broken
    assert broken.rows == (0,)
    assert any("guessed" in text for text in found.not_looked_at)
    assert any("names=yes" in text for text in found.not_looked_at)


def test_personal_data_in_rows_of_no_known_shape(tmp_path: Path) -> None:
    rows = [{"body": "write to anna@example.org", "n": 1}, {"body": "nothing here", "n": 2}]
    found = audit(write(tmp_path / "r.jsonl", rows))
    assert found.shape == "unknown"
    personal = found.of("personal_data")
    assert personal
    assert personal.rows == (0,)
    assert found.of("broken_shape") is None
    assert any("expected prompt and completion" in text for text in found.not_looked_at)
