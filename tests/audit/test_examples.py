"""Excerpts: around what was found, masked, in one line."""

from __future__ import annotations

from pathlib import Path

from tests.audit.made import raw, read, write
from trimtab.audit import audit
from trimtab.audit.examples import examples, excerpt
from trimtab.audit.findings import Finding, Row, Span

ADDRESS = "anna.brown@example.org"


def test_what_was_found_stands_in_the_excerpt_and_is_masked() -> None:
    said = f"{'far away ' * 60}write to {ADDRESS} or call +1 212-555-0147. {'and so on ' * 60}"
    row = read(("p", said))[0]
    start = said.index(ADDRESS)
    shown = excerpt(row, [Span(0, "completion", start, start + len(ADDRESS), "EMAIL_ADDRESS")], hide=True)
    assert "[EMAIL_ADDRESS]" in shown
    assert "anna" not in shown
    assert "555" not in shown
    assert len(shown) < 240
    assert (shown[0], shown[-1]) == ("…", "…")


def test_another_finding_shows_no_personal_data_either() -> None:
    key = "sk_live_" + "a1B2c3D4e5F6" * 2
    row = read((f"mail {ADDRESS}", f"mail {ADDRESS}\nthe key is {key}"))[0]
    assert excerpt(row) == "mail [EMAIL_ADDRESS] the key is " + excerpt(row).partition(" is ")[2]
    assert key not in excerpt(row)


def test_a_row_without_text_says_why() -> None:
    assert excerpt(Row(3, "f:4", {}, problem="f:4: broken JSON: x\x1b")) == "broken JSON: x\ufffd"


def test_groups_are_side_by_side_and_at_most_three(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl", raw(*(("p", f"answer {n % 5}") for n in range(10))))
    found = audit(source)
    shown = examples(source, {}, found.findings)
    assert [one.rows for one in shown["exact_duplicate"]] == [(0, 5), (1, 6), (2, 7)]
    assert shown["exact_duplicate"][1].excerpts == ("answer 1", "answer 1")


def test_what_is_told_by_its_prompt_shows_the_prompt(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl", raw(("where is it", "soon"), ("is it here", "soon")))
    same = Finding("same_meaning", "note", (0, 1), groups=((0, 1),))
    assert examples(source, {}, [same])["same_meaning"][0].excerpts == ("where is it", "is it here")
    alone = Finding("outlier_meaning", "note", (0,))
    write(tmp_path / "t.jsonl", [{"text": "no prompt here"}])
    shown = examples(str(tmp_path / "t.jsonl"), {}, [alone])["outlier_meaning"]
    assert shown[0].excerpts == ("no prompt here",)


def test_what_rows_do_not_say_has_no_examples(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl", raw(("a", "b c")))
    found = audit(source)
    assert found.of("missing_source")
    assert examples(source, {}, found.findings)["missing_source"] == ()
