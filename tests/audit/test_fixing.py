"""A cleaned copy: what changes, what stays, the ledger, and the way back."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.audit.made import read_rows
from trimtab.audit import fixing
from trimtab.audit.findings import Finding, Row, Text
from trimtab.audit.privacy.hiding import Hiding
from trimtab.errors import DataError

RAW: list[dict[str, Any]] = [
    {"prompt": "Say hello.", "completion": "Hello there."},
    {"prompt": "Say hello.", "completion": "Hello there."},
    {"prompt": "Price?", "completion": "It costs 5 â‚¬ and is <b>new</b>."},
    {"prompt": "Mail?", "completion": "Write to ann.lee@example.org soon."},
    {"prompt": "Why?", "completion": ""},
]
FOUND = {
    "exact_duplicate": (1,),
    "encoding": (2,),
    "html_remains": (2,),
    "personal_data": (3,),
    "empty_answer": (4,),
}


def rows() -> list[Row]:
    return [
        Row(
            number,
            f"rows.jsonl:{number + 1}",
            raw,
            (Text("prompt", raw["prompt"], "prompt"), Text("completion", raw["completion"], "answer")),
        )
        for number, raw in enumerate(RAW)
    ]


def findings() -> list[Finding]:
    return [Finding(kind, "warning", found) for kind, found in FOUND.items()]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_copy_is_mended_and_each_change_has_its_line(tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    done = fixing.fix(rows(), findings(), out, fixing.rules())
    left = read(out)
    assert left == [
        RAW[0],
        {"prompt": "Price?", "completion": "It costs 5 € and is new."},
        {"prompt": "Mail?", "completion": "Write to [EMAIL_ADDRESS] soon."},
    ]
    ledger = read(Path(done.ledger))
    assert [(line["row"], line["rule"], line["action"]) for line in ledger] == [
        (1, "exact_duplicate", "left out"),
        (2, "encoding", "mended"),
        (2, "html_remains", "mended"),
        (3, "personal_data", "mended"),
        (4, "empty_answer", "left out"),
    ]
    assert ledger[1]["after"] == ledger[2]["before"] != ledger[2]["after"]
    assert "ann.lee" not in Path(done.ledger).read_text(encoding="utf-8")
    assert (done.rows, done.kept, sum(done.changes.values())) == (5, 3, 5)


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".tsv"])
def test_undo_gives_the_rows_back(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"clean{ending}"
    fixing.fix(rows(), findings(), out, fixing.rules())
    back = tmp_path / f"back{ending}"
    assert fixing.undo(out, back) == len(RAW)
    if ending == ".jsonl":
        assert read(back) == RAW
    else:
        with back.open(encoding="utf-8", newline="") as file:
            assert list(csv.DictReader(file, delimiter="\t" if ending == ".tsv" else ",")) == RAW


def test_a_rule_that_is_off_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    done = fixing.fix(rows(), findings(), out, fixing.rules(off=list(FOUND)))
    assert read(out) == RAW
    assert done.changes == {}
    assert read(Path(done.ledger)) == []


def test_of_rows_that_are_alike_the_first_of_each_group_stays(tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    alike = Finding("near_duplicate", "warning", (0, 1, 3, 4), groups=((0, 1), (3, 4)))
    fixing.fix(rows(), [alike], out, fixing.rules(on=["near_duplicate"]))
    assert read(out) == [RAW[0], RAW[2], RAW[3]]


def test_what_people_decide_is_off_unless_asked_for() -> None:
    assert "refusal" not in fixing.rules()
    assert "refusal" in fixing.rules(on=["refusal"])
    with pytest.raises(DataError, match="no rule speling"):
        fixing.rules(on=["speling"])


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    done = fixing.fix(rows(), findings(), tmp_path / "clean.jsonl", fixing.rules(), dry_run=True)
    assert done.changes["encoding"] == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over_and_nothing_half_written(tmp_path: Path) -> None:
    taken = tmp_path / "clean.jsonl"
    taken.write_text("mine\n")
    with pytest.raises(DataError, match="is there already"):
        fixing.fix(rows(), findings(), taken, fixing.rules())

    def broken() -> Any:
        yield rows()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fixing.fix(broken(), findings(), tmp_path / "other.jsonl", fixing.rules())
    assert [path.name for path in tmp_path.iterdir()] == ["clean.jsonl"]


def test_a_text_deep_in_a_row_is_put_back_where_it_was(tmp_path: Path) -> None:
    raw = {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a\u200bb"}],
        "n": 1,
    }
    row = Row(0, "r:1", raw, (Text("messages[1].content", "a\u200bb", "answer"),))
    after, changes = fixing.fixed(row, {"invisible_character"})
    assert after == {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "ab"}],
        "n": 1,
    }
    assert raw["messages"][1]["content"] == "a\u200bb", "the row itself is not written to"
    assert [change.field for change in changes] == ["messages[1].content"]


PEOPLE: list[dict[str, Any]] = [
    {
        "prompt": "My name is Anna Berg.",
        "completion": "Hello Anna Berg, write to ann@corp.test.",
        "source": "ann@corp.test",
    },
    {
        "prompt": "Who?",
        "completion": "Dr. Anna Berg.",
        "source": "web",
        "meta": {"a.b": [{"mail": "ann@corp.test"}]},
    },
]
PERSONAL = [Finding("personal_data", "error", (0, 1))]


def test_pseudonyms_are_the_same_through_the_file_and_its_fields(tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    done = fixing.fix(read_rows(*PEOPLE), PERSONAL, out, fixing.rules(), hiding=Hiding("pseudonyms"))
    first, second = read(out)
    person = first["prompt"].removeprefix("My name is ").removesuffix(".")
    mail = first["source"]
    assert person != "Anna Berg"
    assert mail.endswith("@example.com")
    assert first["completion"] == f"Hello {person}, write to {mail}."
    assert second == {
        "prompt": "Who?",
        "completion": f"Dr. {person}.",
        "source": "web",
        "meta": {"a.b": [{"mail": mail}]},
    }
    said = Path(done.ledger).read_text(encoding="utf-8")
    assert not any(word in said for word in ("Anna", "Berg", "corp.test"))
    ledger = read(Path(done.ledger))
    assert {line["rule"] for line in ledger} == {"personal_data"}
    assert {line["reason"] for line in ledger} == {"Personal data in a text: replaced by pseudonyms"}
    assert [line["field"] for line in ledger] == [
        "prompt",
        "completion",
        "source",
        "completion",
        "meta.a.b[0].mail",
    ]
    back = tmp_path / "back.jsonl"
    assert fixing.undo(out, back) == 2
    assert read(back) == PEOPLE


def test_masks_are_what_is_usual(tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    done = fixing.fix(read_rows(*PEOPLE), PERSONAL, out, fixing.rules())
    assert read(out)[0]["completion"] == "Hello [PERSON], write to [EMAIL_ADDRESS]."
    assert read(Path(done.ledger))[0]["reason"] == "Personal data in a text: masked"
