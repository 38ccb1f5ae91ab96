"""The generated pages say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimtab.cli import reference
from trimtab.cli.main import VERBS
from trimtab.recipe import Goal, Recipe

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_generated_pages_are_fresh() -> None:
    assert reference.stale(DOCS) == [], "write them again: python -m trimtab.cli.reference"


def test_a_changed_or_missing_page_is_stale(tmp_path: Path) -> None:
    pages = reference.pages()
    (tmp_path / "cli.md").write_text(pages["cli.md"], encoding="utf-8")
    (tmp_path / "guidelines.md").write_text(pages["guidelines.md"], encoding="utf-8")
    (tmp_path / "recipe.md").write_text(pages["recipe.md"] + "more\n", encoding="utf-8")
    assert reference.stale(tmp_path) == ["recipe.md"]
    (tmp_path / "cli.md").unlink()
    assert reference.stale(tmp_path) == ["cli.md", "recipe.md"]


def test_check_writes_nothing_and_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert reference.main(["--check"]) == 1
    assert not (tmp_path / "docs").exists()
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_section(verb: str) -> None:
    page = reference.pages()["cli.md"]
    assert f"\n## {verb}\n" in page
    section = page.partition(f"\n## {verb}\n")[2].partition("\n## ")[0]
    assert VERBS[verb][1] in section
    assert "`--json`" in section


def test_every_option_is_described() -> None:
    page = reference.pages()["recipe.md"]
    for section in (Recipe, Goal):
        for name, field in section.model_fields.items():
            assert field.description
            assert f"| `{name}` |" in page
            assert reference._cell(field.description) in page
