"""The style sheet and the script: what is served, as what, and that no address leads to another file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.serve.made import scene

ELSEWHERE = (
    "",
    "pages.css.map",
    "review.css",
    "theme.css",
    "PAGES.CSS",
    "../app.py",
    "..%2fapp.py",
    "%2e%2e/app.py",
    "....//app.py",
    "..%5capp.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "pages.css%00",
    "pages.css/",
    "x" * 5000,
)


@pytest.mark.parametrize(("name", "kind"), [("pages.css", "text/css"), ("review.js", "text/javascript")])
def test_an_asset_has_its_type_and_may_be_kept_for_some_minutes(name: str, kind: str, tmp_path: Path) -> None:
    answer = scene(tmp_path).client().get(f"/assets/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["cache-control"] == "max-age=300"
    assert "set-cookie" not in answer.headers
    assert len(answer.text) > 500


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_address_leads_to_another_file(name: str, tmp_path: Path) -> None:
    answer = scene(tmp_path).client().get(f"/assets/{name}", follow_redirects=False)
    assert answer.status_code in (307, 404)
    assert "import" not in answer.text
    assert "root:" not in answer.text


def test_the_style_of_the_report_is_part_of_that_of_the_pages(tmp_path: Path) -> None:
    style = scene(tmp_path).client().get("/assets/pages.css").text
    assert all(word in style for word in ("prefers-color-scheme", ".panel", ".choices", ".pair"))


@pytest.mark.parametrize("name", ["pages.css", "review.js"])
def test_an_asset_loads_nothing_from_elsewhere(name: str, tmp_path: Path) -> None:
    content = scene(tmp_path).client().get(f"/assets/{name}").text
    assert not re.search(r"https?://(?!www\.w3\.org/)|@import|url\(\s*['\"]?//", content)
    assert "sourceMappingURL" not in content


def test_a_page_asks_for_nothing_but_assets_that_there_are(tmp_path: Path) -> None:
    scenery = scene(tmp_path)
    rater = scenery.joined()
    page = rater.get(f"/reviews/{scenery.review}").text
    wanted = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert {"/assets/pages.css", "/assets/review.js"} <= set(wanted)
    assert all(rater.get(address).status_code == 200 for address in wanted)
    # Under the policy of the pages neither would be used.
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", _without_texts(page))


def _without_texts(page: str) -> str:
    return re.sub(r'<p class="text"[^>]*>.*?</p>', "", page, flags=re.DOTALL)
