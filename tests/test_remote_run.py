"""The main job with a model behind a service: what it records, what it pays, what it refuses before it pays."""

from __future__ import annotations

import dataclasses
import json
import sys
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest
import yaml
from pydantic import Field

from tests.served import Service, serving, status
from tests.tiny import tiny_model, tiny_tokenizer
from trimtab import pipeline, planning, rungs
from trimtab.adjust import stack as stacks
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.candidates import Candidate, Candidates
from trimtab.errors import ModelError, RecipeError
from trimtab.model import connection
from trimtab.model.load import wrap
from trimtab.recipe import Recipe, load, parse
from trimtab.records import Message, Output, Question, content_hash
from trimtab.run import read_json, write_json
from trimtab.rungs.workshop import Fitted, Workshop

ROWS = 90
KEY = "sk-tests-0123456789abcdef"
RULE = "Answer with ok."


@dataclass(frozen=True)
class Rule(Adjustment):
    """A system turn that asks for "ok", and a check that puts "ok" in the place of any other answer."""

    kind: ClassVar[str] = "prompt"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"messages", "text"})
    rule: str
    strength: float = 1.0

    @property
    def hash(self) -> str:
        return content_hash([self.kind, self.rule, self.strength])

    def scaled(self, factor: float) -> Self:
        return dataclasses.replace(self, strength=self.strength * factor)

    def save(self, folder: Path) -> None:
        write_json(folder / "rule.json", {"rule": self.rule, "strength": self.strength})

    @classmethod
    def load(cls, folder: Path) -> Self:
        content = read_json(folder / "rule.json")
        return cls(content["rule"], content["strength"])

    def describe(self) -> Description:
        return Description(self.kind, self.strength, {"rule": Setting(self.rule)}, 0, 0)

    def messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        return (Message("system", self.rule), *messages)

    def text(self, question: Question, output: Output) -> Output:
        return dataclasses.replace(output, text="ok", fired=("ok",))


class RuleCandidate(Candidate):
    """A rule to try."""

    rule: str = RULE


class WithRules(Candidates):
    """Candidates with rules on the rung *prompt*."""

    prompt: tuple[RuleCandidate, ...] = Field((), description="rules")  # type: ignore[assignment]


class Rung:
    """The rung *prompt*, as a module would provide it; fitting asks the model on tune."""

    def defaults(self, shop: Workshop, speed: Any, seconds: float) -> Sequence[RuleCandidate]:
        return [RuleCandidate()]

    def seconds(self, shop: Workshop, candidate: RuleCandidate, speed: Any) -> float:
        return 0.0

    def fit(self, shop: Workshop, candidate: RuleCandidate) -> Fitted:
        rule = Rule(candidate.rule)
        gain = shop.value(stacks.Stack((rule,)), shop.prepared.parts["tune"][:4])
        return Fitted(rule, {"gain": gain})


@pytest.fixture(autouse=True)
def rung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ladder of one rung, a cache and a key of the test's own."""
    module = types.ModuleType("trimtab.adjust.rule_of_a_test")
    module.Rule = Rule  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(stacks.KINDS, "prompt", ("rule_of_a_test", "Rule"))  # type: ignore[misc]
    monkeypatch.setattr(rungs, "kind", lambda _: Rung())
    monkeypatch.setattr(planning, "Candidates", WithRules)
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setattr(connection, "FIRST", 0.01)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service(wrap(tiny_model(), tiny_tokenizer()), key=KEY)) as found:
        yield found


def project(folder: Path, name: str, **changes: Any) -> Path:
    """Rows whose answer is always "ok", and a recipe for a model behind a service."""
    rows = [{"prompt": f"item {n}", "completion": "ok"} for n in range(ROWS)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    asked = [{"text": f"Please say {n}.", "should_refuse": False} for n in range(40)]
    (folder / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    recipe: dict[str, Any] = {
        "model": name,
        "service": {"key": "TEST_KEY", "at_once": 2, "price_prompt": 1.0, "price_answer": 10.0},
        "data": {"examples": "rows.jsonl"},
        "goal": {"metric": "exact_match", "min_gain": 0.2, "expected_gain": 0.8},
        "sampling": {"max_new_tokens": 4},
        "guards": [{"suite": "asked.jsonl", "metric": "refusal", "margin": 0.3}],
        "ladder": ["prompt"],
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe | changes), encoding="utf-8")
    return path


def recipe(folder: Path, name: str, **changes: Any) -> Recipe:
    found = load(project(folder, name, **changes))
    return found.model_copy(update={"candidates": WithRules()})


def test_a_rung_that_works_ships_and_is_recorded(tmp_path: Path, service: Service) -> None:
    run = pipeline.tune(recipe(tmp_path, service.name), root=tmp_path / "runs")
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert [guard.comparison.outcome for guard in run.verdict.guards] == ["held"]
    model = run.folder.read("provenance.json")["model"]
    assert model["name"] == service.name
    assert model["service"] == {"id": "tiny", "owned_by": "tests"}
    assert len(model["fingerprint"]) == 64
    assert "cannot be hashed" in model["fingerprint_of"]
    assert not run.folder.has("certificate.json")
    assert (run.folder.path / "report.html").is_file()
    ruled = [body for body in service.bodies if body["messages"][0]["content"] == RULE]
    assert 0 < len(ruled) < len(service.bodies)
    # Every question of the run was paid for once: planning, fitting and confirming included.
    sent = [json.dumps(body, sort_keys=True) for body in service.bodies]
    assert len(set(sent)) == len(sent)
    spent = run.folder.read("spent.json")
    assert spent["answers"] == len(sent)
    assert spent["requests"] == len(sent) + 1
    expected = (spent["prompt_tokens"] + 10 * spent["answer_tokens"]) / 1e6
    assert spent["price"] == pytest.approx(expected, abs=1e-5)
    assert run.folder.read("ladder.json")["rungs"][0]["race"]["tokens_spent"] > 0


def test_the_key_and_the_sealed_answers_are_not_in_the_run(tmp_path: Path, service: Service) -> None:
    run = pipeline.tune(recipe(tmp_path, service.name), root=tmp_path / "runs")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    shown = {row["id"] for row in run.folder.rows("examples.jsonl")}
    for file in run.folder.path.rglob("outputs.jsonl"):
        assert {json.loads(line)["example"] for line in file.read_text().splitlines()} == shown


def test_a_run_that_was_stopped_goes_on_without_paying_twice(tmp_path: Path, service: Service) -> None:
    whole = pipeline.tune(recipe(tmp_path, service.name), root=tmp_path / "whole")
    asked = len(service.bodies)
    for file in (tmp_path / "cache" / "answers").rglob("*.json"):
        file.unlink()
    service.bodies.clear()

    def interrupt(progress: Any) -> None:
        if progress.stage == "measuring prompt-0 on select" and progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.tune(recipe(tmp_path, service.name), root=tmp_path / "runs", report=interrupt)
    assert 0 < len(service.bodies) < asked
    resumed = pipeline.tune(recipe(tmp_path, service.name), root=tmp_path / "runs")
    assert len(service.bodies) == asked
    assert resumed.verdict.difference == whole.verdict.difference
    assert resumed.verdict.stack == whole.verdict.stack
    spent = resumed.folder.read("spent.json")
    # Both processes together; each looked at the list of models once.
    assert spent["answers"] == asked
    assert spent["requests"] == asked + 2


def test_a_service_that_fails_half_way_loses_nothing(tmp_path: Path, service: Service) -> None:
    given = recipe(tmp_path, service.name, service={"key": "TEST_KEY", "tries": 2, "at_once": 1})
    service.failures = [lambda handler: handler.send(200, service.answer(service.bodies[-1]))] * 10
    service.failures += [status(503)] * 2
    with pytest.raises(ModelError, match="no answer after 2 tries"):
        pipeline.tune(given, root=tmp_path / "runs")
    run = pipeline.tune(given, root=tmp_path / "runs")
    assert run.verdict.outcome == "ship"
    distinct = {json.dumps(body, sort_keys=True) for body in service.bodies}
    assert len(service.bodies) == len(distinct) + 2


def test_all_that_a_service_cannot_do_is_said_at_once_and_before_it_is_asked(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_KEY")
    guards = [
        {"suite": "general-english", "metric": "nll", "margin": 0.05},
        {"suite": "general-questions", "metric": "choice", "margin": 0.05},
        {"suite": "careful-requests", "metric": "refusal", "margin": 0.2},
        {"suite": "target", "metric": "nll", "margin": 0.2},
    ]
    path = project(tmp_path, service.name, ladder=["prompt", "steering", "adapter"], guards=guards)
    for verb in (pipeline.tune, pipeline.plan):
        with pytest.raises(RecipeError) as caught:
            verb(path)
        message = caught.value.message
        assert "steering, adapter: not available, because a service keeps its weights" in message
        for said in ("general-english with nll", "general-questions with choice", "target with nll"):
            assert f"guards: {said}: not available" in message
        assert "careful-requests" not in message
        assert "no variable of that name" in message
        assert "careful-requests with refusal" in caught.value.hint
        assert "prompt, context, decoding and postprocess" in caught.value.hint
    assert service.headers == []


def test_a_goal_of_likelihood_is_refused(tmp_path: Path, service: Service) -> None:
    with pytest.raises(RecipeError, match="goal: nll: not available"):
        pipeline.plan(recipe(tmp_path, service.name, goal={"metric": "nll"}))


def test_a_wrong_address_is_said_with_the_rest_and_its_password_is_not(tmp_path: Path) -> None:
    path = project(tmp_path, "openai:tiny@https://me:hunter2@a.example/v1", ladder=["layers"])
    with pytest.raises(RecipeError, match="a password") as caught:
        pipeline.tune(path)
    assert "layers: not available" in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "service_section", [{"key": "sk-proj-123"}, {"api_key": "sk-proj-123"}, "sk-proj-123"]
)
def test_a_key_in_the_recipe_is_refused_and_not_repeated(service_section: Any) -> None:
    with pytest.raises(RecipeError, match="service") as caught:
        parse({"data": {"examples": "a"}, "goal": {"metric": "chrf"}, "service": service_section})
    assert "sk-proj" not in caught.value.message + caught.value.hint


def test_a_plan_says_time_and_price_and_its_answers_are_used_again(tmp_path: Path, service: Service) -> None:
    service.slow = 0.02
    plan = pipeline.plan(recipe(tmp_path, service.name))
    assert len(service.bodies) == 2
    assert plan["speed"]["read_tokens_per_s"] is None
    # Two at once, 0.02 s each at least, four tokens at most.
    assert 0 < plan["speed"]["sample_tokens_per_s"] <= 2 * 4 / 0.02
    assert plan["memory_bytes"] == 0
    assert any("at the prices given" in note for note in plan["notes"])
    again = pipeline.plan(recipe(tmp_path, service.name))
    assert again["speed"] == plan["speed"]
    assert len(service.bodies) == 2


def test_how_a_service_is_asked_is_no_part_of_a_run(tmp_path: Path, service: Service) -> None:
    first = pipeline.tune(recipe(tmp_path, service.name), root=tmp_path / "runs")
    faster = {"key": "TEST_KEY", "at_once": 8, "tries": 3}
    again = pipeline.tune(recipe(tmp_path, service.name, service=faster), root=tmp_path / "runs")
    assert again.folder.path == first.folder.path
