"""The list of runs, a run's page, its report: who sees them, what they say, and that no name becomes a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.runs.made import Place, copied
from trimtab import taint
from trimtab.run import RunFolder


def test_the_list_says_what_came_of_each_run_newest_first(place: Place, run: RunFolder) -> None:
    older = copied(run, "20200101-000000-00000000")
    (older.path / "verdict.json").unlink()
    page = place.joined().get("/runs").text
    assert page.index(run.path.name) < page.index(older.path.name)
    for said in ("ship", "unfinished", "layers", "exact match", "items", "1 January 2020"):
        assert said in page, said
    assert page.count('class="badge') == 2


def test_long_lists_have_pages(place: Place, run: RunFolder) -> None:
    for number in range(52):
        RunFolder.create(place.root, f"{number:08x}")
    client = place.joined()
    first, second = client.get("/runs").text, client.get("/runs?page=2").text
    assert first.count('<li class="panel"') == 50
    assert second.count('<li class="panel"') == 3
    assert "?page=2" in first
    assert "?page=1" in second
    assert client.get("/runs?page=0").status_code == 404


def test_a_finished_run_says_its_verdict_and_where_to_go(place: Place, run: RunFolder) -> None:
    page = place.joined().get(f"/runs/{run.path.name}").text
    for said in (
        "Ship",
        "Next step",
        "The ladder",
        "plain, negative log-likelihood",
        "/report",
        "/try",
        "/review",
    ):
        assert said in page, said
    assert "EventSource" not in page
    assert "data-events" not in page


def test_authors_begin_at_the_runs_and_nobody_else_sees_them(place: Place, run: RunFolder) -> None:
    assert place.client().get("/runs").status_code == 401
    for role in ("rater", "viewer"):
        other = place.joined(role)
        assert "My reviews" in other.get("/").text or role == "viewer"
        for path in ("", f"/{run.path.name}", f"/{run.path.name}/report", f"/{run.path.name}/events"):
            assert other.get(f"/runs{path}").status_code == 403, path
    author = place.joined()
    assert 'href="/runs"' in author.get("/").text


@pytest.mark.parametrize("name", ["nothing", "%2e%2e", "..%2fruns", "x" * 5000, "%00", "people.db"])
def test_a_name_that_is_no_run_is_not_there(place: Place, run: RunFolder, name: str) -> None:
    client = place.joined()
    for tail in ("", "/report", "/card", "/events", "/try", "/review", "/compare?other=x"):
        assert client.get(f"/runs/{name}{tail}").status_code in (404, 405), tail
    assert client.get(f"/runs/{run.path.name}/compare", params={"other": name}).status_code == 404


def test_a_report_is_a_page_of_its_own_that_may_do_nothing(place: Place, run: RunFolder) -> None:
    client = place.joined()
    answer = client.get(f"/runs/{run.path.name}/report")
    assert answer.content == (run.path / "report.html").read_bytes()
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert "script" not in policy
    assert client.get(f"/runs/{run.path.name}/card").status_code == 404
    assert "sandbox" not in client.get("/runs").headers["content-security-policy"]


def test_an_unfinished_a_damaged_and_a_tainted_run_say_so(place: Place, run: RunFolder) -> None:
    client = place.joined()
    taint.mark(run.trial(run.verdict().stack), "20261125-0a0721d8", 3)
    page = client.get(f"/runs/{run.path.name}").text
    assert "rows that were erased since" in page
    assert "/try" not in page
    torn = copied(run, "20200101-000000-00000000")
    (torn.path / "verdict.json").write_text("{", encoding="utf-8")
    assert "Damaged" in client.get(f"/runs/{torn.path.name}").text
    (torn.path / "verdict.json").unlink()
    (torn.path / "progress.json").write_text(
        '{"stage": "fitting <b>", "done": 3, "total": 10, "facts": {}}', encoding="utf-8"
    )
    page = client.get(f"/runs/{torn.path.name}").text
    assert "Not finished" in page
    assert "fitting &lt;b&gt; (30%)" in page


def test_what_a_folder_holds_is_escaped(place: Place, run: RunFolder, tmp_path: Path) -> None:
    ladder = run.read("ladder.json")
    ladder["rungs"][0]["rung"] = "<script>alert(1)</script>"
    run.write("ladder.json", ladder)
    page = place.joined().get(f"/runs/{run.path.name}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
