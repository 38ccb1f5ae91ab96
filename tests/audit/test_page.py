"""audit.html holds what was found, loads nothing, escapes all, and hides what is personal."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from tests.audit.made import raw, write
from trimtab.audit import audit
from trimtab.audit.examples import examples
from trimtab.audit.findings import Finding
from trimtab.audit.kinds import KINDS
from trimtab.audit.page import extent, page


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def made(folder: Path, *pairs: tuple[str, str]) -> str:
    source = write(folder / "r.jsonl", raw(*pairs))
    found = audit(source)
    return page(found, examples(source, {}, found.findings))


def test_every_finding_is_there_with_harm_and_fix(tmp_path: Path) -> None:
    text = made(tmp_path, ("a", "mail anna@example.org <script>alert(1)</script>"), ("b", ""), ("b", ""))
    for kind in ("personal_data", "empty_answer", "exact_duplicate", "missing_source"):
        assert f'id="{kind}"' in text
        assert KINDS[kind].title in text
    assert "anna@example.org" not in text
    assert "<script" not in text
    tags = Tags(text).found
    assert not [tag for tag, at in tags if tag in ("script", "link", "img", "iframe") or "src" in at]
    assert all(str(at["href"]).startswith("#") for tag, at in tags if tag == "a")
    assert len(text) < 3_000_000


def test_nothing_found_says_so(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "completion": "b c", "source": "s", "licence": "l", "collected_at": "2026-01-01"}]
    found = audit(write(tmp_path / "r.jsonl", rows))
    assert found.findings == ()
    assert "Nothing found" in page(found, {})


def test_what_is_said_of_the_whole_set_is_a_table(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "completion": "b", "licence": "<b>MIT</b>", "subject": "p-1"}]
    text = page(audit(write(tmp_path / "r.jsonl", rows)), {})
    assert '<th scope="row">&lt;b&gt;MIT&lt;/b&gt;</th><td>1</td>' in text
    assert "1 person is named by 1 of 1 row; no day of collection is known." in text


def test_extent_in_words() -> None:
    assert extent(Finding("stale", "note", (1,)), 10) == "1 row, 10.0%"
    assert extent(Finding("stale", "note", (1,)), 10**6) == "1 row, less than 0.1%"
    assert (
        extent(Finding("exact_duplicate", "note", (1, 2), groups=((0, 1, 2),)), 4)
        == "2 rows in 1 group, 50.0%"
    )
