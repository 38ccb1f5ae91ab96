"""Profiles in one batch: everybody gets what they would get alone, and nothing of anybody else's."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.adjust import made
from trimtab.adjust import adapter, layers
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.errors import ProfileError
from trimtab.live import answers, feedback, profiles
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.live.keys import Key
from trimtab.live.profiles import Profile
from trimtab.model.load import Base
from trimtab.records import Example, Message, Sampling
from trimtab.review.store import Store
from trimtab.serve.models import stacks
from trimtab.serve.models.app import application
from trimtab.serve.models.engine import Engine, Limits, Ticket
from trimtab.serve.models.personal import Profiles, checked
from trimtab.serve.models.schema import Refusal
from trimtab.serve.models.serving import Serving
from trimtab.serve.models.stacks import Served

WARM = Sampling(max_new_tokens=12, temperature=1.0)
HOW = Settings(epochs=1, batch_size=6, learning_rate=1e-2, schedule="constant", warmup=0.0)
QUESTION = "Say 12."
SEEDS = (1, 2, 3)
PEOPLE = {
    "ann": Profile(stack="drawn", facts=("ANN-7F",), style=("Be short.",)),
    "ben": Profile(stack="drawn", facts=("BEN-2C",), strengths={"adapter": 0.5}),
    "cem": Profile(stack="blocks", facts=("CEM-9D",)),
    "dee": Profile(facts=("DEE-4A",)),
    "eva": Profile(stack="blocks"),
    "team": Profile(),
}


def peaked() -> Base:
    """A base whose next tokens are far apart: where all are as likely, rounding decides between neighbours."""
    return made.base(initializer_range=0.4)


class Watched(Engine):
    """An engine that remembers what it was asked."""

    def submit(self, tickets: Sequence[Ticket]) -> None:
        """Let rows wait for places."""
        self.asked = [*getattr(self, "asked", []), *(ticket.row for ticket in tickets)]
        super().submit(tickets)


@pytest.fixture(scope="module")
def runs() -> list[Served]:
    base = peaked()
    lora = adapter.fit(base, made.rows(), adapter.Shape(rank=4), HOW)[0]
    block = layers.fit(base, made.rows(), layers.Where("blocks", ()), HOW)[0]
    return [
        Served("drawn", Stack((lora,)), WARM, "ship", "drawn"),
        Served("blocks", Stack((block,)), WARM, "ship", "blocks"),
        Served("unsure", Stack((lora.scaled(2),)), WARM, "inconclusive", "unsure"),
    ]


class Place:
    """A server of some profiles."""

    def __init__(self, folder: Path, runs: list[Served], people: dict[str, Profile], base: Base) -> None:
        for name, profile in people.items():
            profiles.write(folder, name, profile)
        self.engine = Watched(base, Limits(rows=8, prompt=400, answer=16))
        known = stacks.admitted(self.engine, runs)
        found = Profiles(folder, self.engine, known, stacks.of_base("base", WARM))
        self.serving = Serving(self.engine, known, seconds=600.0, profiles=found)
        self.client = TestClient(application(self.serving))

    def ask(self, model: str, seed: int = 3, **more: Any) -> Any:
        content = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "seed": seed} | more
        return self.client.post("/v1/chat/completions", json=content)

    def drawn(self, model: str, seed: int) -> tuple[str, list[float]]:
        """An answer, and the log-probabilities of its tokens."""
        choice = self.ask(model, seed, logprobs=True).json()["choices"][0]
        return choice["message"]["content"], [one["logprob"] for one in choice["logprobs"]["content"]]

    def said(self, model: str, seed: int = 3) -> str:
        answer = self.ask(model, seed)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["choices"][0]["message"]["content"])


@pytest.fixture
def place(tmp_path: Path, runs: list[Served]) -> Iterator[Place]:
    found = Place(tmp_path / "profiles", runs, PEOPLE, peaked())
    yield found
    assert found.engine.stop(finish=False)


def test_profiles_are_models_and_others_are_unknown(place: Place) -> None:
    listed = place.client.get("/v1/models").json()["data"]
    assert [one["id"] for one in listed] == ["drawn", "blocks", "unsure", *sorted(PEOPLE)]
    about = {one["id"]: one["trimtab"] for one in listed}
    assert about["ann"]["changed"] == ["facts", "style"]
    assert about["ben"]["changed"] == ["facts", "strengths"]
    assert (about["ann"]["run"], about["team"]["stack"]) == ("drawn", "base")
    assert not [
        one for one in listed if any(str(p.facts) in json.dumps(one) for p in PEOPLE.values() if p.facts)
    ]
    answer = place.ask("ann").json()
    assert (answer["model"], answer["trimtab"]["as_measured"]) == ("ann", False)
    for wrong in (
        "fred",
        "ANN",
        "../ann",
        "ann.yaml",
        "ann/",
        "%2e%2e/ann",
        "",
        " ann",
        "a" * 200,
        "ann\x00",
    ):
        assert place.ask(wrong).status_code in (400, 404), wrong
        assert place.client.get(f"/v1/models/{wrong or 'x'}".replace("\x00", "%00")).status_code == 404, wrong


def test_a_key_opens_its_own_profile_and_does_not_say_that_there_are_others(place: Place) -> None:
    key = Key("k1", "ann", ("ann",))
    assert place.serving.find("ann", key).name == "ann"
    assert list(place.serving.open_to(key)) == ["ann"]
    with pytest.raises(Refusal) as refused:
        place.serving.find("ben", key)
    assert (refused.value.status, refused.value.message) == (404, "no model 'ben'; there are: ann")


def test_in_one_batch_everybody_gets_the_answer_that_they_get_alone(
    place: Place, runs: list[Served], tmp_path: Path
) -> None:
    asked = [(name, seed) for seed in SEEDS for name in (*PEOPLE, "drawn")]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda one: place.drawn(*one), asked))
    together = dict(zip(asked, found, strict=True))
    for name in PEOPLE:
        alone = Place(tmp_path / name, runs, {name: PEOPLE[name]}, peaked())
        for seed in SEEDS:
            (text, logprobs), (other, others) = alone.drawn(name, seed), together[name, seed]
            assert (text, logprobs) == (other, pytest.approx(others, abs=1e-4))
        assert alone.engine.stop(finish=False)
        # The same by another way: the stack on the network for itself.
        with place.serving.find(name).stack.attach(peaked()) as generate:
            outputs = generate([Example((Message("user", QUESTION),))], WARM, SEEDS)
        assert [output.text for output in outputs] == [together[name, seed][0] for seed in SEEDS]
    assert len({text for text, _ in together.values()}) > 12


def test_nobodys_facts_stand_in_anybody_elses_prompt_or_in_a_log(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: place.said([*PEOPLE, "drawn"][number % 7], number), range(42)))
    decode = place.engine.base.tokenizer.decode
    prompts = [str(decode(list(row.prompt))) for row in place.engine.asked]
    markers = [line for profile in PEOPLE.values() for line in profile.facts]
    assert {marker: sum(marker in prompt for prompt in prompts) for marker in markers} == dict.fromkeys(
        markers, 6
    )
    assert all(sum(marker in prompt for marker in markers) <= 1 for prompt in prompts)
    # Of those with the same network only the words differ.
    assert {row.whose for row in place.engine.asked if "ANN-7F" in decode(list(row.prompt))} == {
        place.serving.stacks["drawn"].whose
    }
    assert not any(marker in caplog.text for marker in markers)


def test_a_changed_profile_is_read_again_and_a_deleted_one_is_gone(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    before, network = place.said("ben"), place.serving.find("ben").whose
    profiles.write(folder, "ben", Profile(stack="blocks", facts=("BEN-3D",)))
    assert place.said("ben") != before
    assert "BEN-3D" in str(place.engine.base.tokenizer.decode(list(place.engine.asked[-1].prompt)))
    place.said("ann")
    assert not place.engine.knows(network)
    assert place.engine.knows(place.serving.find("ben").whose)
    (folder / "ben.yaml").unlink()
    assert place.ask("ben").status_code == 404
    assert "ben" not in [one["id"] for one in place.client.get("/v1/models").json()["data"]]
    (folder / "cem.yaml").write_text("stack: missing\nfacts: [CEM-9D]\n")
    answer = place.ask("cem")
    assert (answer.status_code, "CEM-9D" in answer.text) == (503, False)
    assert place.said("ann")


def test_what_cannot_be_served_is_said_before_anybody_is_answered(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "others"
    people = {
        "one": Profile(stack="missing"),
        "two": Profile(arms=("unsure",)),
        "blocks": Profile(),
        "three": Profile(stack="own", own="20260101-000000-abcdefgh"),
        "fine": Profile(stack="unsure"),
    }
    for name, profile in people.items():
        profiles.write(folder, name, profile)
    found = Profiles(folder, place.engine, place.serving.stacks, stacks.of_base("base", WARM))
    with pytest.raises(ProfileError) as error:
        checked(found)
    said = error.value.message
    assert "no stack 'missing'; there are: base, own, blocks, drawn, unsure" in said
    assert "the verdict of unsure is inconclusive" in said
    assert "profile blocks: a stack that is served has this name" in said
    assert "not a run folder" in said
    assert "fine" not in said
    with pytest.raises(ProfileError, match="no profiles there"):
        checked(Profiles(tmp_path / "none", place.engine, {}, stacks.of_base("base", WARM)))


def test_feedback_decides_which_stack_answers_and_the_response_names_it(
    place: Place, tmp_path: Path, quick: Store
) -> None:
    profiles.write(tmp_path / "profiles", "eva", Profile(stack="drawn", facts=("EVA-5B",), arms=("blocks",)))
    found = place.serving.profiles
    assert found is not None
    # Without a store nothing can be learned: the default answers.
    assert {place.serving.find("eva").arm for _ in range(20)} == {""}
    found.store = quick
    arms = [place.serving.find("eva").arm for _ in range(60)]
    first, other = sorted(set(arms), key=lambda arm: not arm.startswith("drawn@"))
    assert 35 < arms.count(first) < 55
    for number in range(40):
        time = f"2026-03-01T00:00:{number:02}+00:00"
        arm = (first, other)[number % 2]
        answers.keep(quick, [Kept(f"e{number}-0", time, "", "eva", "s", "", "", None, (), arm)])
        feedback.give(quick, Given(f"e{number}-0", "", time, thumb=1 if arm == first else -1))
    profiles.write(tmp_path / "profiles", "eva", Profile(stack="drawn", facts=("EVA-6B",), arms=("blocks",)))
    # Another fact is not another stack: what was learned stays, and the worse one was stopped.
    assert {place.serving.find("eva").arm for _ in range(60)} == {first}
    answer = place.ask("eva").json()
    assert answer["trimtab"]["arm"] == first
    assert "EVA-6B" in str(place.engine.base.tokenizer.decode(list(place.engine.asked[-1].prompt)))
