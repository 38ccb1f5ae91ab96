"""The verb audit: 80 columns, one JSON document, a page; a finding is no failure, a mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.made import raw, write
from tests.cli.conftest import Call

MET = [("her", "She", "nurse"), ("him", "He", "farmer")]
PAIRS = [("a", "mail anna@example.org now"), ("b", "one two three"), ("b", "one two three"), ("c", "")]


@pytest.fixture
def data(tmp_path: Path) -> str:
    return Path(write(tmp_path / "data.jsonl", raw(*PAIRS))).name


def test_the_report_fits_a_terminal_and_hides_what_is_personal(call: Call, data: str) -> None:
    done = call("audit", data)
    assert done.code == 0
    assert "ERROR  Personal data in a text: 1 row, 25.0%" in done.out
    assert "row 0 (EMAIL_ADDRESS): mail [EMAIL_ADDRESS] now" in done.out
    assert "Harm: " in done.out
    assert "Fix: " in done.out
    assert "Not looked at:" in done.out
    assert "anna" not in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.index("ERROR") < done.out.index("WARNING") < done.out.index("NOTE")


def test_json_is_one_document(call: Call, data: str) -> None:
    done = call("audit", data, "--json")
    assert done.code == 0
    found = done.document
    assert found["rows"] == 4
    kinds = {one["kind"]: one["rows"] for one in found["findings"]}
    assert kinds["exact_duplicate"] == [2]
    assert kinds["empty_answer"] == [3]


def test_a_page_is_written(call: Call, data: str, tmp_path: Path) -> None:
    done = call("audit", data, "--html", "audit.html")
    assert "Page: audit.html" in done.out
    assert (tmp_path / "audit.html").read_text().startswith("<!DOCTYPE html>")
    assert call("audit", data, "--html", "no/such/audit.html").code == 2


def test_own_columns(call: Call, tmp_path: Path) -> None:
    write(tmp_path / "own.jsonl", [{"x": "a", "y": ""}, {"x": "b", "y": "c d"}])
    found = call("audit", "own.jsonl", "--use", "prompt=x", "--use", "completion=y", "--json").document
    assert {one["kind"]: one["rows"] for one in found["findings"]}["empty_answer"] == [0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["none.jsonl"],
        ["data.jsonl", "--use", "prompt"],
        ["data.jsonl", "--use", "colour=red"],
        ["data.jsonl", "--use", "on=speling"],
        ["data.jsonl", "--use", "meaning=perhaps"],
        ["data.jsonl", "--use", "meaning=yes", "--use", "label=kind"],
        ["data.jsonl", "--use", "stale=31.1.2024"],
        ["data.jsonl", "--against", "none"],
        ["data.jsonl", "--use", "personal=blur"],
    ],
)
def test_a_mistake_is_told_and_ends_with_2(call: Call, data: str, arguments: list[str]) -> None:
    done = call("audit", *arguments)
    assert done.code == 2
    assert "Hint" in done.err


def test_a_cleaned_copy_its_ledger_and_the_way_back(call: Call, data: str, tmp_path: Path) -> None:
    before = (tmp_path / data).read_bytes()
    assert "Would change" in call("audit", data, "--fix", "clean.jsonl", "--dry-run").out
    assert not (tmp_path / "clean.jsonl").exists()
    done = call("audit", data, "--fix", "clean.jsonl", "--use", "off=personal_data")
    assert "2 of 4 rows stay." in done.out
    assert "anna" in (tmp_path / "clean.jsonl").read_text()
    assert len((tmp_path / "clean.jsonl.ledger.jsonl").read_text().splitlines()) == 2
    assert call("audit", "clean.jsonl", "--undo", "back.jsonl").code == 0
    assert (tmp_path / "back.jsonl").read_bytes() == before == (tmp_path / data).read_bytes()
    assert call("audit", data, "--fix", "clean.jsonl").code == 2, "nothing is written over"


def test_personal_data_gives_way_to_stand_ins_if_asked(call: Call, data: str, tmp_path: Path) -> None:
    assert call("audit", data, "--fix", "clean.jsonl", "--use", "personal=pseudonyms").code == 0
    left = (tmp_path / "clean.jsonl").read_text()
    assert "@example.com now" in left
    assert "anna" not in left
    assert "anna" not in (tmp_path / "clean.jsonl.ledger.jsonl").read_text()


def test_rows_are_held_against_several_files_and_the_guards_of_a_recipe(call: Call, tmp_path: Path) -> None:
    said = [f"{' '.join(f'word{n}x{k}' for k in range(15))}." for n in range(3)]
    write(tmp_path / "data.jsonl", raw(*((f"ask {n}", text) for n, text in enumerate(said))))
    write(tmp_path / "kept.jsonl", [{"text": said[0]}])
    write(tmp_path / "guard.jsonl", [{"text": said[2]}])
    (tmp_path / "recipe.yaml").write_text(
        "model: smollm2-135m-instruct\ndata: {examples: data.jsonl}\ngoal: {metric: chrf, min_gain: 1}\n"
        "guards: [{suite: guard.jsonl, metric: nll, margin: 0.1}, {suite: target, metric: nll, margin: 0.1}]\n"
    )
    found = call(
        "audit", "data.jsonl", "--against", "kept.jsonl", "--against", "recipe.yaml", "--json"
    ).document
    assert {one["kind"]: one["rows"] for one in found["findings"]}["leak"] == [0, 2]


def test_rows_of_an_earlier_date_than_wanted(call: Call, tmp_path: Path) -> None:
    rows = [row | {"date": f"202{place}-03-01"} for place, row in enumerate(raw(*PAIRS))]
    write(tmp_path / "dated.jsonl", rows)
    found = call("audit", "dated.jsonl", "--use", "stale=2022-03-01", "--json").document
    assert {one["kind"]: one["rows"] for one in found["findings"]}["stale"] == [0, 1]
    assert list(found["sections"]["periods"]["periods"]) == ["2020-03", "2021-03", "2022-03", "2023-03"]
    done = call("audit", "dated.jsonl", "--use", "stale=soon")
    assert "expected a day as YYYY-MM-DD, received 'soon'" in done.err


def test_groups_are_told_and_pairs_are_written(call: Call, tmp_path: Path) -> None:
    told = [
        (f"What of {who} {n}?", f"{said} is the {job} of house {n}.")
        for n in range(40)
        for who, said, job in MET
    ]
    write(tmp_path / "people.jsonl", raw(*told))
    done = call("audit", "people.jsonl", "--use", "pairs=pairs.jsonl")
    assert done.code == 0
    assert "WARNING  A group of people beside the same words far more than another" in done.out
    assert "women (1st, 40 rows) against men (2nd, 40 rows)" in done.out
    assert "Not looked at: languages other than English" in " ".join(done.out.split())
    assert "Pairs: 40 in pairs.jsonl, of 80 prompts that name a group" in done.out
    assert len((tmp_path / "pairs.jsonl").read_text().splitlines()) == 40
    assert max(map(len, done.out.splitlines())) <= 80
    found = call("audit", "people.jsonl", "--json", "--use", "pairs=pairs.jsonl").document
    assert found["pairs"]["pairs"] == 40
    assert found["sections"]["groups"]["axes"]["gender"]["women"]["answers"]["rows"] == 40
    assert {one["kind"] for one in found["findings"]} >= {"one_sided"}
