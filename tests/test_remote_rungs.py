"""Each rung that leaves weights alone, through a service of known habits: what it changes, and what it costs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.served import Habit, Said, Service, serving
from trimtab import pipeline, rungs
from trimtab.adjust.context import Context
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.prompt import Prompt
from trimtab.adjust.room import Room
from trimtab.candidates import ConfidenceOptions, DecodingCandidate, Rung
from trimtab.errors import ModelError, RecipeError
from trimtab.model import connection
from trimtab.model.find import find
from trimtab.model.remote import SEEDS, Remote
from trimtab.pipeline import Run
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.records import Message, Sampling
from trimtab.rungs import confidence
from trimtab.rungs.workshop import Workshop

ROWS = 120
LABELLED = "Answer with exactly one of: no; yes."
LEARNED = "learned-opening-1"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, and no waiting."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(connection, "FIRST", 0.01)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as found:
        yield found


def number_in(messages: Sequence[Message]) -> int:
    """The number that the last turn asks about."""
    return int(re.findall(r"item (\d+)", messages[-1].content)[-1])


def talking(messages: Sequence[Message], sampling: Sampling, seed: int) -> Said:
    """Knows whether a number is even, and says so in a word only where it is told or shown."""
    if "better instruction" in messages[-1].content:
        return Said(f"Instruction: {LABELLED}")
    word = "no" if number_in(messages) % 2 else "yes"
    told = any(LABELLED in message.content for message in messages)
    shown = [message.content for message in messages if message.role == "assistant"]
    return Said(word if told or (shown and set(shown) <= {"yes", "no"}) else f"Well, I would say {word}")


def reading(messages: Sequence[Message], sampling: Sampling, seed: int) -> Said:
    """Knows no code that it does not find in the conversation."""
    found = re.search(
        rf"The code of item {number_in(messages)} is (\w+)\.", " ".join(m.content for m in messages)
    )
    return Said(found.group(1) if found else "I do not know")


def wavering(messages: Sequence[Message], sampling: Sampling, seed: int) -> Said:
    """Right in three draws of five, and surer then; wrong where it is greedy."""
    drawn = np.random.default_rng([seed, number_in(messages)]).random()
    return Said("ok", -0.1) if sampling.temperature and drawn < 0.6 else Said(f"eh {seed % 1000}", -2.0)


def cold(messages: Sequence[Message], sampling: Sampling, seed: int) -> Said:
    """Right below a temperature of 0.6."""
    return Said("ok" if sampling.temperature < 0.6 else "eh")


def polite(messages: Sequence[Message], sampling: Sampling, seed: int) -> Said:
    """Says one word too much before every answer."""
    return Said(f"Certainly! {sentence(number_in(messages))}")


def sentence(number: int) -> str:
    return f"The number is {'odd' if number % 2 else 'even'}."


def parity(number: int) -> str:
    return "no" if number % 2 else "yes"


def code(number: int) -> str:
    return f"K{number * 37 + 11}"


def always(number: int) -> str:
    return "ok"


def project(
    folder: Path, service: Service, rung: str, answer: Callable[[int], str], /, **changes: Any
) -> Path:
    """Rows on items by number, a folder of documents on their codes, and a recipe for one rung."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    rows = [{"prompt": f"What of item {n}?", "completion": answer(n)} for n in range(ROWS)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for first in range(0, ROWS, 10):
        text = "\n\n".join(f"The code of item {n} is {code(n)}." for n in range(first, first + 10))
        (folder / "docs" / f"from-{first}.md").write_text(text, encoding="utf-8")
    recipe: dict[str, Any] = {
        "model": service.name,
        "data": {"examples": "rows.jsonl"} | ({"documents": "docs"} if rung == "context" else {}),
        "goal": {"metric": "exact_match", "min_gain": 0.1, "expected_gain": 0.6},
        "sampling": {"max_new_tokens": 16},
        "ladder": [rung],
        "guards": [],
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe | changes), encoding="utf-8")
    return path


def tuned(folder: Path, path: Path, **more: Any) -> Run:
    return pipeline.tune(path, root=folder / "runs", **more)


def shop(folder: Path, path: Path) -> Workshop:
    """The project as a rung sees it."""
    prepared = prepare(load(path))
    return Workshop(prepared, find(prepared.recipe.model), folder / "work")


def texts(run: Run, stack: str) -> dict[str, str]:
    """What a stack answered on select, by item."""
    return {row["example"]: row["text"] for row in run.folder.rows(f"trials/{stack}/outputs.jsonl")}


def wanted(run: Run) -> dict[str, str]:
    """The references of select, by item."""
    return {row["id"]: row["references"][0] for row in run.folder.rows("examples.jsonl")}


def check_paid_once(run: Run, service: Service) -> dict[str, float]:
    """That no question went out twice, and that the record counts what the server saw; returns the record."""
    sent = [json.dumps(body, sort_keys=True) for body in service.bodies]
    assert len(set(sent)) == len(sent)
    spent: dict[str, float] = run.folder.read("spent.json")
    assert spent["answers"] == len(sent)
    assert spent["requests"] == len(sent) + 1
    assert spent["prompt_tokens"] > 0
    assert spent["answer_tokens"] > 0
    return spent


def only(run: Run) -> dict[str, Any]:
    """What is recorded of the one rung of a run."""
    (entry,) = run.folder.read("ladder.json")["rungs"]
    return dict(entry)


def test_prompt_defaults_make_it_answer_in_a_word(tmp_path: Path, service: Service) -> None:
    service.habit = talking
    run = tuned(tmp_path, project(tmp_path, service, "prompt", parity))
    assert run.verdict.outcome == "ship", run.verdict.reasons
    (prompt,) = run.stack.adjustments
    assert isinstance(prompt, Prompt)
    assert prompt.room == Room()
    assert texts(run, run.verdict.stack) == wanted(run)
    assert all(text.startswith("Well") for text in texts(run, "base").values())
    asked = [[message["role"] for message in body["messages"]] for body in service.bodies]
    assert ["system", "user"] in asked
    assert any("assistant" in roles for roles in asked)
    spent = check_paid_once(run, service)
    # At least the base and the winner, on select and on confirm.
    parts = run.folder.read("provenance.json")["data"]["parts"]
    assert spent["answers"] >= 2 * (parts["select"] + parts["confirm"])


def test_a_prompt_that_says_nothing_of_use_does_not_ship(tmp_path: Path, service: Service) -> None:
    service.habit = talking
    path = project(tmp_path, service, "prompt", parity, candidates={"prompt": [{"prefix": "Hello."}]})
    run = tuned(tmp_path, path)
    assert run.verdict.outcome != "ship"
    assert any(body["messages"][-1]["content"].startswith("Hello.\n\n") for body in service.bodies)
    assert set(texts(run, "base").values()) == {"Well, I would say yes", "Well, I would say no"}


def test_the_served_model_proposes_its_instruction(tmp_path: Path, service: Service) -> None:
    service.habit = talking
    given = {"instruction": "Speak.", "proposals_from": service.name, "proposals": 2}
    run = tuned(tmp_path, project(tmp_path, service, "prompt", parity, candidates={"prompt": [given]}))
    assert run.verdict.outcome == "ship", run.verdict.reasons
    (prompt,) = run.stack.adjustments
    assert isinstance(prompt, Prompt)
    assert prompt.wording.instruction == LABELLED
    (candidate,) = only(run)["candidates"]
    assert [row["tune"] for row in candidate["cost"]["proposals"]] == [0.0, 1.0]
    check_paid_once(run, service)


def test_another_service_proposes_and_does_not_get_the_key(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-tests-0123456789")
    service.habit, service.key = talking, "sk-tests-0123456789"
    with serving(Service(habit=talking)) as other:
        given = {"proposals_from": other.name, "proposals": 1}
        path = project(
            tmp_path, service, "prompt", parity,
            candidates={"prompt": [given]}, service={"key": "TEST_KEY"},
        )  # fmt: skip
        run = tuned(tmp_path, path)
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert len(other.bodies) == 1
    assert not any("Authorization" in headers for headers in other.headers)
    (candidate,) = only(run)["candidates"]
    assert candidate["cost"]["proposing"]["answers"] == 1
    check_paid_once(run, service)


def test_without_a_system_turn_the_instruction_stands_before_the_question(
    tmp_path: Path, service: Service
) -> None:
    service.habit, service.system = talking, False
    given = {"prompt": [{"instruction": LABELLED}, {"instruction": f"{LABELLED} Now."}]}
    run = tuned(tmp_path, project(tmp_path, service, "prompt", parity, candidates=given))
    assert run.verdict.outcome == "ship", run.verdict.reasons
    (prompt,) = run.stack.adjustments
    assert isinstance(prompt, Prompt)
    assert prompt.wording.instruction == ""
    assert prompt.wording.prefix.startswith(LABELLED)
    assert texts(run, run.verdict.stack) == wanted(run)
    assert "takes no system turn" in only(run)["candidates"][0]["cost"]["notes"][0]
    # Tried once for the whole rung.
    assert sum(body["messages"][0]["role"] == "system" for body in service.bodies) == 1


def test_context_finds_what_the_model_does_not_know(tmp_path: Path, service: Service) -> None:
    service.habit = reading
    given = {"context": [{"passages": 1, "method": "bm25", "words": 20, "overlap": 0}]}
    run = tuned(tmp_path, project(tmp_path, service, "context", code, candidates=given))
    assert run.verdict.outcome == "ship", run.verdict.reasons
    (context,) = run.stack.adjustments
    assert isinstance(context, Context)
    found = texts(run, run.verdict.stack)
    right = sum(found[item] == answer for item, answer in wanted(run).items())
    assert right > 0.9 * len(found)
    assert set(texts(run, "base").values()) == {"I do not know"}
    assert any("[1] from-" in body["messages"][-1]["content"] for body in service.bodies)
    check_paid_once(run, service)


def test_a_short_context_leaves_no_room_for_passages(tmp_path: Path, service: Service) -> None:
    service.habit, service.entry = reading, {"max_model_len": 40}
    given = {"context": [{"passages": 1, "method": "bm25", "words": 20, "overlap": 0}]}
    path = project(tmp_path, service, "context", code, candidates=given)
    run = tuned(tmp_path, path)
    assert run.verdict.outcome != "ship"
    assert not any("[1] from-" in body["messages"][-1]["content"] for body in service.bodies)
    fitted = rungs.kind("context").fit(shop(tmp_path, path), load(path).candidates.context[0]).adjustment
    assert isinstance(fitted, Context)
    assert fitted.room.tokens == 40 - 16 - 8


def test_decoding_defaults_take_the_likeliest_of_several(tmp_path: Path, service: Service) -> None:
    service.habit = wavering
    path = project(tmp_path, service, "decoding", always, sampling={"max_new_tokens": 16, "temperature": 1.0})
    run = tuned(tmp_path, path)
    assert run.verdict.outcome == "ship", run.verdict.reasons
    (decoding,) = run.stack.adjustments
    assert isinstance(decoding, Decoding)
    assert (decoding.best_of, decoding.by) == (4, "likelihood")
    before, after = (
        [text == "ok" for text in texts(run, stack).values()] for stack in ("base", run.verdict.stack)
    )
    assert np.mean(before) < 0.8 < np.mean(after)
    assert all(0 <= body["seed"] < SEEDS for body in service.bodies)
    # What this service may not read is not tried unasked.
    assert not any({"top_k", "min_p", "repetition_penalty"} & set(body) for body in service.bodies)
    # The first draw of four is the base's own answer.
    spent = check_paid_once(run, service)
    assert spent["known"] > 0


def test_a_service_that_reads_them_is_tried_with_all_settings(tmp_path: Path, service: Service) -> None:
    service.habit, service.owner = wavering, "vllm"
    path = project(tmp_path, service, "decoding", always, sampling={"max_new_tokens": 16, "temperature": 1.0})
    planned = pipeline.plan(path)["candidates"]["decoding"]
    assert {1.1, 1.2} <= {one["repetition_penalty"] for one in planned}
    assert 0.1 in {one["min_p"] for one in planned}


def test_without_log_probabilities_the_best_is_chosen_otherwise(tmp_path: Path, service: Service) -> None:
    service.habit, service.logprobs = wavering, False
    sampling = {"max_new_tokens": 16, "temperature": 1.0}
    path = project(tmp_path, service, "decoding", always, sampling=sampling)
    planned = pipeline.plan(path)["candidates"]["decoding"]
    assert not any(one["best_of"] > 1 and one["by"] == "likelihood" for one in planned)
    assert any(one["by"] == "agreement" for one in planned)
    asked = len(service.bodies)
    refused = project(
        tmp_path, service, "decoding", always, sampling=sampling, candidates={"decoding": [{"best_of": 4}]}
    )
    with pytest.raises(RecipeError, match="best_of by likelihood") as caught:
        pipeline.tune(refused, root=tmp_path / "runs")
    assert "agreement, vote or repetition" in caught.value.hint
    assert len(service.bodies) == asked
    voted = [{"best_of": 5, "by": "vote"}]
    path = project(tmp_path, service, "decoding", always, sampling=sampling, candidates={"decoding": voted})
    run = tuned(tmp_path, path)
    assert run.verdict.outcome == "ship", run.verdict.reasons
    assert only(run)["race"]["tokens_spent"] > 0


def test_a_setting_that_a_service_refuses_is_named_with_those_that_it_takes(
    tmp_path: Path, service: Service
) -> None:
    service.habit, service.refused = wavering, ("top_k", "min_p")
    path = project(tmp_path, service, "decoding", always, candidates={"decoding": [{"top_k": 5}]})
    with pytest.raises(ModelError, match="the service does not take top_k") as caught:
        tuned(tmp_path, path)
    assert "allowed: max_new_tokens, temperature, top_p, stop" in caught.value.hint


def test_a_setting_that_a_service_may_not_read_is_noted(tmp_path: Path, service: Service) -> None:
    service.habit = wavering
    path = project(tmp_path, service, "decoding", always)
    fitted = rungs.kind("decoding").fit(shop(tmp_path, path), DecodingCandidate(top_k=5, temperature=0.5))
    assert fitted.cost["notes"] == ["top_k: sent, but this service may not read it"]
    plain = rungs.kind("decoding").fit(shop(tmp_path, path), DecodingCandidate(temperature=0.5))
    assert "notes" not in plain.cost


def test_judging_itself_is_refused_before_the_service_is_asked(tmp_path: Path, service: Service) -> None:
    given = {"decoding": [{"best_of": 4, "by": "judgement", "temperature": 0.7}]}
    with pytest.raises(RecipeError, match="by judgement: not available") as caught:
        pipeline.plan(project(tmp_path, service, "decoding", always, candidates=given))
    assert "likelihood, agreement, vote or repetition" in caught.value.hint
    assert service.headers == []


def test_postprocess_learns_its_rule_from_answers_that_are_paid_once(
    tmp_path: Path, service: Service
) -> None:
    service.habit, service.logprobs = polite, False
    run = tuned(tmp_path, project(tmp_path, service, "postprocess", sentence))
    assert run.verdict.outcome == "ship", run.verdict.reasons
    (edits,) = run.stack.adjustments
    assert isinstance(edits, Postprocess)
    assert LEARNED in {rule.id for rule in edits.guidelines.rules}
    assert texts(run, run.verdict.stack) == wanted(run)
    assert all(text.startswith("Certainly! ") for text in texts(run, "base").values())
    (candidate,) = only(run)["candidates"]
    # "Certainly! The number is odd." and its end, by the count of the service.
    assert candidate["cost"]["tokens"] == 48 * 6
    spent = check_paid_once(run, service)
    parts = run.folder.read("provenance.json")["data"]["parts"]
    # Each item of select and confirm, and those of tune that rules are learned from; edits ask nothing.
    assert spent["answers"] == parts["select"] + parts["confirm"] + 48


def stop_at(stage: str) -> Callable[[Any], None]:
    """A report that ends the run once half of a stage is done."""

    def report(progress: Any) -> None:
        if progress.stage == stage and 2 * progress.done >= progress.total:
            raise KeyboardInterrupt

    return report


@pytest.mark.parametrize(
    ("rung", "habit", "answer", "stage", "given"),
    [
        ("postprocess", polite, sentence, "fitting postprocess-0", {}),
        ("prompt", talking, parity, "measuring prompt-0 on select", {}),
        (
            "decoding",
            cold,
            always,
            "fitting decoding-0",
            {"candidates": {"decoding": [{"temperature": [0.5, 0.9], "trials": 3}]}},
        ),
    ],
)
def test_a_stopped_run_goes_on_without_paying_twice(
    tmp_path: Path,
    service: Service,
    rung: str,
    habit: Habit,
    answer: Callable[[int], str],
    stage: str,
    given: dict[str, Any],
) -> None:
    service.habit = habit
    given = given | {"sampling": {"max_new_tokens": 16, "temperature": 0.8}}
    path = project(tmp_path, service, rung, answer, **given)
    whole = pipeline.tune(path, root=tmp_path / "whole")
    assert whole.verdict.outcome == "ship", whole.verdict.reasons
    asked = {json.dumps(body, sort_keys=True) for body in service.bodies}
    assert len(asked) == len(service.bodies)
    for file in (tmp_path / "cache" / "answers").rglob("*.json"):
        file.unlink()
    service.bodies.clear()
    with pytest.raises(KeyboardInterrupt):
        tuned(tmp_path, path, report=stop_at(stage))
    assert 0 < len(service.bodies) < len(asked)
    resumed = tuned(tmp_path, path)
    assert len(service.bodies) == len(asked)
    assert {json.dumps(body, sort_keys=True) for body in service.bodies} == asked
    assert resumed.verdict.stack == whole.verdict.stack
    assert resumed.verdict.difference == whole.verdict.difference
    assert resumed.folder.read("spent.json")["answers"] == len(asked)


def test_a_ladder_of_all_light_rungs_ends_in_a_verdict(tmp_path: Path, service: Service) -> None:
    service.habit = lambda messages, sampling, seed: Said("nothing of use")
    light = ["prompt", "context", "decoding", "postprocess"]
    path = project(tmp_path, service, "context", parity, ladder=light)
    run = tuned(tmp_path, path)
    assert run.verdict.outcome != "ship"
    entries = run.folder.read("ladder.json")["rungs"]
    # Joining needs a rung that changes the network.
    assert [entry["rung"] for entry in entries] == light
    assert all(entry["candidates"] for entry in entries)
    check_paid_once(run, service)


@pytest.mark.parametrize("rung", ["steering", "embedding", "adapter", "layers"])
def test_rungs_that_change_weights_say_why_not(tmp_path: Path, service: Service, rung: Rung) -> None:
    service.habit = talking
    with pytest.raises(RecipeError) as caught:
        pipeline.plan(project(tmp_path, service, rung, parity))
    assert f"ladder: {rung}: not available, because a service keeps its weights" in caught.value.message
    assert "prompt, context, decoding and postprocess" in caught.value.hint
    assert service.headers == []
    with pytest.raises(ModelError, match="a service, which keeps its network and its tokenizer"):
        _ = shop(tmp_path, project(tmp_path, service, "prompt", parity)).base


def test_confidence_is_calibrated_for_a_service(tmp_path: Path, service: Service) -> None:
    service.habit = wavering
    path = project(tmp_path, service, "decoding", always, sampling={"max_new_tokens": 16, "temperature": 1.0})
    found = shop(tmp_path, path)
    stack = confidence.Stack()
    options = ConfidenceOptions(good=1.0, features=("mean_logprob",), threshold=0.5)
    fitted = confidence.calibrate(found, stack, options)
    assert fitted.cost["brier"].value < fitted.cost["brier_of_base_rate"] / 2
    with (stack + confidence.Stack((fitted.adjustment,))).attach(found.model) as model:
        outputs = model(found.prepared.parts["select"], found.prepared.sampling, found.prepared.seeds)
    said = {output.text for output in outputs}
    assert said == {"ok", options.sentence}
    paid = len(service.bodies)
    with pytest.raises(ModelError, match="p_true") as caught:
        confidence.calibrate(found, stack, ConfidenceOptions(good=1.0))
    assert "mean_logprob, min_logprob, entropy, agreement" in caught.value.hint
    assert len(service.bodies) == paid


def test_confidence_without_log_probabilities_is_refused_at_once(tmp_path: Path, service: Service) -> None:
    service.habit, service.logprobs = wavering, False
    found = shop(tmp_path, project(tmp_path, service, "decoding", always))
    assert isinstance(found.model, Remote)
    options = ConfidenceOptions(good=1.0, features=("mean_logprob", "agreement"), samples=2)
    with pytest.raises(ModelError, match="no log-probabilities") as caught:
        confidence.calibrate(found, confidence.Stack(), options)
    assert "some of: agreement;" in caught.value.hint
    assert len(service.bodies) == found.model.options.at_once
