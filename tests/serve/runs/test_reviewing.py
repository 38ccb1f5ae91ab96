"""A review begun in the browser: links are shown once, and nothing of confirm is on a page of runs."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serve.made import field
from tests.serve.runs.made import Place
from trimtab.pipeline import reopened
from trimtab.review import people
from trimtab.run import RunFolder

pytestmark = pytest.mark.usefixtures("cache")


def begun(client: TestClient, run: RunFolder, **changes: str) -> Any:
    """The page of a review once it has begun."""
    path = f"/runs/{run.path.name}/review"
    form = {"seal": field(client.get(path).text, "seal"), "purpose": "", "stacks": "two", "items": "5"}
    answer = client.post(path, data=form | changes)
    deadline = time.monotonic() + 60
    while "data-again" in answer.text and time.monotonic() < deadline:
        time.sleep(0.05)
        answer = client.get(answer.url.path)
    return answer


def test_a_review_is_begun_and_raters_come_in_by_links_that_are_shown_once(
    place: Place, run: RunFolder
) -> None:
    author = place.joined()
    page = begun(author, run, names="Ben\r\n\r\nCleo\r\nBen\r\n")
    assert "Make their links" in page.text
    assert "/join/" not in page.text
    assert ">\nBen\nCleo</textarea>" in page.text
    seal = field(page.text, "seal")
    made = author.post(page.url.path, data={"seal": seal, "names": "Ben\r\nCleo"}).text
    links = re.findall(r"http://testserver(/join/[A-Za-z0-9_-]+)", made)
    assert len(links) == 2
    assert "/join/" not in author.get(page.url.path).text
    rater = place.client()
    assert "Begin" in rater.post(links[0], data={"seal": field(rater.get(links[0]).text, "seal")}).text
    assert {one.name for one in people.everyone(place.store)} == {"Ada", "Ben", "Cleo"}
    known = author.get(f"/runs/{run.path.name}/review").text
    assert "Review 1, for learning" in known
    assert author.get("/reviews/1/author").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"items": "0"}, {"items": "many"}, {"purpose": "fun"}, {"stacks": "none"}, {"names": "x" * 81}],
)
def test_what_no_form_offers_is_refused(place: Place, run: RunFolder, changes: dict[str, str]) -> None:
    assert begun(place.joined(), run, **changes).status_code == 422
    assert len(people.everyone(place.store)) == 1


def test_a_run_that_cannot_be_reviewed_says_why(place: Place, run: RunFolder) -> None:
    run.write("identity.json", {"identity": "another"})
    page = begun(place.joined(), run)
    assert page.status_code == 200
    assert "No review was begun" in page.text
    assert "no longer those of the run" in page.text


def test_texts_of_confirm_are_on_no_page_of_runs(place: Place, run: RunFolder) -> None:
    _, prepared = reopened(run.path)
    sealed = {example.prompt for example in prepared.parts["confirm"]}
    author = place.joined()
    begun(author, run)
    name = run.path.name
    for path in (
        "",
        f"/{name}",
        f"/{name}/report",
        f"/{name}/try",
        f"/{name}/review",
        f"/{name}/compare?other={name}",
    ):
        page = author.get(f"/runs{path}").text
        assert not [text for text in sealed if re.search(rf"\b{text}\b", page)], path
