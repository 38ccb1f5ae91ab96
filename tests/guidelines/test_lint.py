"""The linter of guidelines: each fault planted alone is found, and sound guidelines have none."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab.cli.main import call
from trimtab.errors import GuidelinesError
from trimtab.guidelines import Remark, compiled, lint, load, parse

TODAY = datetime.date(2026, 11, 25)
DATES = {"version": "2", "date": "2026-11-01", "review_by": "2027-05-01"}


def rule(name: str = "one", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "text": "Say less.",
        "forbid": {"phrases": ["wow"]},
        "good": ["Fine."],
        "bad": ["Wow, fine."],
    } | more


def checked(name: str, check: str, how: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "text": "Say less.", check: how, **more}


def remarks(*rules: dict[str, Any], **more: Any) -> list[Remark]:
    return lint(parse({"rules": list(rules)} | DATES | more), TODAY)


def kinds(*rules: dict[str, Any], **more: Any) -> set[tuple[str, str, str]]:
    return {(r.kind, r.severity, r.rule) for r in remarks(*rules, **more) if r.kind != "no_example"}


def test_sound_guidelines_have_no_findings() -> None:
    assert remarks(rule()) == []


FAULTS: list[tuple[list[dict[str, Any]], dict[str, Any], tuple[str, str, str]]] = [
    ([rule(f"r{n}") for n in range(26)], {}, ("too_many_rules", "warning", "")),
    ([rule(text="word " * 41)], {}, ("long_rule", "warning", "one")),
    (
        [rule(text="Organisational communication necessitates institutional responsibility " * 3)],
        {},
        ("hard_to_read", "warning", "one"),
    ),
    ([rule()], {"tone": "Calm."}, ("no_check", "note", "")),
    ([rule()], {"date": None}, ("no_date", "warning", "")),
    ([rule()], {"review_by": None}, ("no_review", "note", "")),
    ([rule()], {"review_by": "2026-11-24"}, ("review_passed", "warning", "")),
    ([rule(bad=["Fine."])], {}, ("bad_not_caught", "error", "one")),
    ([rule(good=["Wow."])], {}, ("good_breaks_rule", "error", "one")),
    (
        [rule(), rule("two", forbid={"phrases": ["fine"]}, good=["Ok."], bad=["fine"])],
        {},
        ("good_breaks_other", "warning", "one"),
    ),
    ([rule(), checked("must", "require", {"phrases": ["wow"]})], {}, ("contradiction", "error", "must")),
    (
        [rule(), checked("must", "require", {"phrases": ["wow", "tea"]})],
        {},
        ("contradiction", "warning", "must"),
    ),
    (
        [rule(), checked("say", "disclose", {"sentence": "Wow, a machine."})],
        {},
        ("contradiction", "error", "say"),
    ),
    (
        [rule(), checked("swap", "replace", {"phrases": {"hey": "wow"}})],
        {},
        ("contradiction", "error", "swap"),
    ),
    (
        [checked("must", "require", {"phrases": ["tea"], "add": "Have some."})],
        {},
        ("contradiction", "error", "must"),
    ),
    ([rule()], {"fallback": "Wow, no."}, ("contradiction", "error", "fallback")),
    (
        [rule(forbid={"pattern": "(a|a)+(b|b)+(a|a)+c"}, bad=["a" * 9000])],
        {},
        ("slow_pattern", "error", ""),
    ),
    (
        [checked("swap", "replace", {"phrases": {"a1": "b1", "b1": "c1"}})],
        {},
        ("replace_chain", "error", "swap"),
    ),
    (
        [checked("swap", "replace", {"phrases": {"a1": "b1", "b1": "a1"}})],
        {},
        ("replace_cycle", "error", "swap"),
    ),
    (
        [checked(n, "replace", {"phrases": {"a1": t}}) for n, t in (("x", "b1"), ("y", "c1"))],
        {},
        ("conflict", "warning", "y"),
    ),
]


@pytest.mark.parametrize(("rules", "more", "expected"), FAULTS, ids=[fault[2][0] for fault in FAULTS])
def test_each_fault_is_found(
    rules: list[dict[str, Any]], more: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert expected in kinds(*rules, **more)


def test_what_is_refused_is_an_error_of_the_linter_and_what_is_sound_loads() -> None:
    for rules, more, _ in FAULTS:
        found = parse({"rules": rules} | DATES | more)
        worst = {remark.severity for remark in lint(found, TODAY)}
        try:
            compiled(found)
        except GuidelinesError:
            assert "error" in worst
    compiled(parse({"rules": [rule()]} | DATES))


def test_on_the_day_of_review_it_has_not_passed() -> None:
    assert kinds(rule(), review_by="2026-11-25") == set()


def test_a_forbidden_opening_may_be_required_at_the_end() -> None:
    opening = rule(forbid={"phrases": ["wow"], "where": "opening"})
    assert kinds(opening, checked("must", "require", {"phrases": ["wow"]})) == set()
    start = checked("must", "require", {"phrases": ["wow"], "place": "start"})
    assert ("contradiction", "error", "must") in kinds(opening, start)


def test_missing_examples() -> None:
    both, one = remarks(rule(good=[], bad=[])), remarks(rule(bad=[]))
    assert [(r.kind, r.severity) for r in both + one] == [("no_example", "warning"), ("no_example", "note")]


def written(folder: Path, *rules: dict[str, Any], **more: Any) -> Path:
    path = folder / "guidelines.yaml"
    path.write_text(yaml.safe_dump({"rules": list(rules)} | more), encoding="utf-8")
    return path


def test_preview_shows_findings_and_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, rule(bad=["Fine."]))
    assert call(["preview", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [f["kind"] for f in found] == ["bad_not_caught", "no_version", "no_date", "no_review"]
    assert call(["preview", str(path)]) == 0
    said = capsys.readouterr().out
    assert "bad.0" in said
    assert "To mend it" in said
    assert call(["preview", str(written(tmp_path, rule(), **DATES))]) == 0
    assert "Nothing is wrong" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["rules: [", "rules: [{id: one}]", "colour: red"])
def test_only_what_cannot_be_read_is_a_mistake(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "guidelines.yaml"
    path.write_text(text, encoding="utf-8")
    assert call(["preview", str(path)]) == 2
    assert call(["preview", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err


def test_an_audit_finds_what_the_compiled_rules_find(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, rule(), checked("short", "limit", {"words": 4}))
    texts = ["Wow, tea.", "One two three four five six.", "Calm.", "Wow wow wow wow wow, wow."]
    data = tmp_path / "rows.jsonl"
    data.write_text(
        "".join(json.dumps({"prompt": f"q{n}", "completion": t}) + "\n" for n, t in enumerate(texts)),
        encoding="utf-8",
    )
    compiled_rules = load(path)
    expected = {number for number, text in enumerate(texts) if compiled_rules.check(text)}
    assert expected == {0, 1, 3}
    call(["audit", str(data), "--use", f"guidelines={path}", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    (one,) = [finding for finding in findings if finding["kind"] == "guideline"]
    assert one["count"] == len(expected)
    assert set(one["rows"]) == expected
