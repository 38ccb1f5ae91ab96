"""Two stacks on one question: answers at their strengths, what they took, and that the engine keeps no stack."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from tests.serve.made import field
from tests.serve.runs.made import Place, copied
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.stack import Stack
from trimtab.guidelines.schema import parse
from trimtab.run import RunFolder
from trimtab.serve.runs import trying
from trimtab.serve.runs.trying import marked

RULES = {
    "version": "1",
    "rules": [
        {"id": "sign", "text": "Say who wrote it.", "disclose": {"sentence": "Write to ann@example.org."}}
    ],
}


@pytest.fixture
def author(place: Place, cache: Any) -> TestClient:
    return place.joined()


def asked(client: TestClient, run: RunFolder, **changes: str) -> str:
    """The page with the answers to a question."""
    path = f"/runs/{run.path.name}/try"
    form = {
        "seal": field(client.get(path).text, "seal"),
        "question": "item 1",
        "instruction": "",
        "left": "",
        "right": run.path.name,
        "left_strength": "1",
        "right_strength": "1",
    }
    answer = client.post(path, data=form | changes)
    deadline = time.monotonic() + 120
    while "data-again" in answer.text and time.monotonic() < deadline:
        assert 'http-equiv="refresh"' in answer.text
        time.sleep(0.05)
        answer = client.get(answer.url.path)
    assert answer.status_code == 200, answer.text
    return answer.text


def answers(page: str) -> list[str]:
    """The two answers of a page, without the marks in them."""
    pieces = page.split('<article class="panel"')[1:]
    texts = [piece.partition("</h3>")[2].partition("</article>")[0] for piece in pieces]
    return [text.replace("<mark>", "").replace("</mark>", "").strip() for text in texts]


def test_the_base_and_a_stack_answer_beside_one_another(
    place: Place, run: RunFolder, author: TestClient
) -> None:
    page = asked(author, run)
    base, tuned = answers(page)
    assert tuned == '<p class="text" dir="auto">ok</p>'
    assert base != tuned
    for said in (
        "The base model",
        f"{run.path.name} at strength 1.00",
        "tokens drawn",
        "seconds",
        "rules fired",
    ):
        assert said in page, said
    # At strength 0 it is the base model, and in between neither.
    same = asked(author, run, right_strength="0")
    assert answers(same)[1] == base
    assert "the same, word for word" in same
    strong = asked(author, run, left=run.path.name, left_strength="1.5", right_strength="0.05")
    assert answers(strong)[0] == tuned
    assert answers(strong)[1] != tuned
    engine = place.project.bench._engine
    assert engine is not None
    deadline = time.monotonic() + 10
    while list(engine.mixed._known) != [""] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(engine.mixed._known) == [""]
    assert engine.running == engine.waiting == 0


def test_rules_that_fired_are_named_and_personal_data_is_masked(
    place: Place, run: RunFolder, author: TestClient
) -> None:
    stack = Stack((Postprocess(parse(RULES)),))
    stack.save(run.trial(stack.hash))
    verdict = run.read("verdict.json")
    run.write("verdict.json", verdict | {"stack": stack.hash})
    page = asked(author, run, question="Who is it? <i>")
    assert "sign" in page
    assert "[e-mail address]" in page
    assert "ann@example.org" not in page
    assert "Who is it? &lt;i&gt;" in page


def test_a_run_of_another_model_is_not_offered_and_a_service_is_refused(
    place: Place, run: RunFolder, author: TestClient
) -> None:
    other = copied(run, "20200101-000000-00000000")
    recipe = other.recipe() | {"model": "openai:large@http://127.0.0.1:9/v1"}
    (other.path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    page = author.get(f"/runs/{run.path.name}/try").text
    assert f'value="{run.path.name}" selected' in page
    assert f'value="{other.path.name}"' not in page
    assert "a service keeps its weights" in asked(author, other)


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "  "},
        {"question": "x" * 20_001},
        {"right": "../../etc"},
        {"left_strength": "2"},
        {"left_strength": "nan"},
        {"right_strength": "strong"},
    ],
)
def test_what_cannot_be_asked_is_refused(
    place: Place, run: RunFolder, author: TestClient, changes: dict[str, str]
) -> None:
    path = f"/runs/{run.path.name}/try"
    form = {"seal": field(author.get(path).text, "seal"), "question": "a", "left": "", "right": run.path.name}
    assert author.post(path, data=form | changes).status_code == 422


def test_only_a_form_of_ours_asks_and_only_who_asked_sees(
    place: Place, run: RunFolder, author: TestClient
) -> None:
    path = f"/runs/{run.path.name}/try"
    form = {"question": "a", "left": "", "right": run.path.name}
    assert author.post(path, data=form).status_code == 403
    sealed = form | {"seal": field(author.get(path).text, "seal")}
    other_site = author.post(path, data=sealed, headers={"sec-fetch-site": "cross-site"})
    assert other_site.status_code == 403
    answer = author.post(path, data=sealed)
    assert answer.status_code == 200
    assert place.joined().get(answer.url.path).status_code == 404
    assert author.get(f"{path}/unknown-number").status_code == 404


def test_words_that_the_other_text_lacks_are_marked() -> None:
    left, right = marked("A mild tea. Two minutes.", "A dark tea. Two minutes.")
    assert left == [("A ", False), ("mild ", True), ("tea. Two minutes.", False)]
    assert right == [("A ", False), ("dark ", True), ("tea. Two minutes.", False)]
    assert marked("", "a") == [[], [("a", True)]]
    long = "word " * 2000
    assert marked(long, "a") == [[(long, False)], [("a", False)]]


def test_a_job_that_ends_while_its_page_is_made_is_still_waited_for(
    place: Place, run: RunFolder, author: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/runs/{run.path.name}/try"
    form = {"seal": field(author.get(path).text, "seal"), "question": "a", "left": "", "right": ""}
    page = author.post(path, data=form)
    looked = trying._choices

    def slow(folder: RunFolder, project: Any) -> dict[str, str]:
        # What the page is made of takes until the answers are there.
        (job,) = project.jobs._known.values()
        while not job.done:
            time.sleep(0.01)
        return looked(folder, project)

    monkeypatch.setattr(trying, "_choices", slow)
    shown = author.get(page.url.path).text
    assert ("data-again" in shown) != (len(answers(shown)) == 2)
    assert len(answers(author.get(page.url.path).text)) == 2
