"""Many users at once: nobody gets a word, an id or a name of another's; and what is made up breaks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies

from tests.serve.models.live import Live
from trimtab.live import answers, keys
from trimtab.review.store import Store

MODELS = ("plain", "signed", "echo", "pushed")
# Keys, and requests at once: several users have one key.
KEYS, USERS = 8, 40
HARD = "../%2e%2e%2f\x00\u202e'\";--<script>{}[]\ud83d\ude00"


@pytest.fixture
def live(tmp_path: Path, quick: Store) -> Iterator[Live]:
    found = Live(tmp_path, quick, texts=True)
    yield found
    found.stop()


def secret(user: int) -> str:
    return f"<{user:02d}-{user * 7919 % 9973:04d}>"


def asked(user: int) -> dict[str, Any]:
    """What a user asks; the answer is theirs alone, also by its seed."""
    turns = [{"role": "user", "content": f"Say {secret(user)}."}]
    return {"messages": turns, "seed": user, "n": 1 + user % 2}


def said(text: str) -> tuple[str, list[str]]:
    """The id of a response, whole or streamed, and its answers."""
    pieces = [line[6:] for line in text.splitlines() if line.startswith("data: {")] or [text]
    found: dict[int, str] = {}
    for piece in map(json.loads, pieces):
        for choice in piece["choices"]:
            part = choice.get("delta", choice.get("message", {})).get("content", "")
            found[choice["index"]] = found.get(choice["index"], "") + part
    return json.loads(pieces[0])["id"], [found[number] for number in sorted(found)]


def test_what_is_one_users_reaches_no_other(live: Live) -> None:
    # A key opens two of the four models.
    own = {number: {MODELS[number % 4], MODELS[(number + 1) % 4]} for number in range(KEYS)}
    alone = {
        user: said(live.chat(model=sorted(own[user % KEYS])[user // KEYS % 2], **asked(user)).text)[1]
        for user in range(USERS)
    }
    texts = {number: live.key(f"holder {number}", *models) for number, models in own.items()}
    before = len(live.lines(USERS))

    def use(user: int) -> tuple[str, list[str], list[str], int]:
        key, model = texts[user % KEYS], sorted(own[user % KEYS])[user // KEYS % 2]
        id, found = said(live.chat(key, model=model, stream=user % 3 == 0, **asked(user)).text)
        listed = [one["id"] for one in live.ask("GET", "/v1/models", key).json()["data"]]
        body = {"id": id, "thumb": 1, "reason": f"mine: {secret(user)}"}
        return id, found, listed, live.ask("POST", "/v1/feedback", key, json=body).status_code

    with ThreadPoolExecutor(USERS) as pool:
        used = dict(enumerate(pool.map(use, range(USERS))))

    for user, (_, found, listed, status) in used.items():
        assert found == alone[user]
        assert set(listed) == own[user % KEYS]
        assert status == 200
        others = [secret(other) for other in used if other != user]
        assert not any(marker in text for text in found for marker in others)
    assert any(secret(user) in found[0] for user, (_, found, _, _) in used.items()), "nothing echoes"
    # What is kept of a user's is found by their key alone, and holds no other's.
    holders = {key.name: key.id for key in keys.listed(live.store)}
    for user, (id, _, _, _) in used.items():
        owner, stranger = (holders[f"holder {number % KEYS}"] for number in (user, user + 1))
        row = answers.found(live.store, f"{id}-0", owner)
        assert row is not None
        assert row.prompt == f"Say {secret(user)}."
        assert answers.found(live.store, f"{id}-0", stranger) is None
        refused = live.ask("POST", "/v1/feedback", texts[(user + 1) % KEYS], json={"id": id, "thumb": -1})
        assert refused.status_code == 404
        assert id not in refused.text
    logged = "".join(json.dumps(line) for line in live.lines(before + 4 * USERS)[before:])
    counts = live.ask("GET", "/metrics").text
    assert not any(secret(user) in logged + counts for user in used)
    assert not any(f"holder {number}" in logged + counts for number in own)
    assert not any(id in counts for id, *_ in used.values())


@hypothesis.settings(max_examples=40)
@hypothesis.given(data=strategies.data())
def test_ids_and_paths_that_are_made_up_break_nothing(fuzzed: Live, data: strategies.DataObject) -> None:
    draw = data.draw
    odd = strategies.text(strategies.characters(codec="utf-8"), max_size=60) | strategies.sampled_from(
        [HARD[:-2], "chatcmpl-0-0", "../../people.db", "plain/../signed", "%00", "."]
    )
    key = draw(strategies.sampled_from(["", fuzzed.known]) | odd.map(lambda text: text.encode().hex()))
    if draw(strategies.booleans()):
        response = fuzzed.ask("POST", "/v1/feedback", key, json={"id": draw(odd), "thumb": 1})
    else:
        path = "".join(f"%{byte:02x}" for byte in draw(odd).encode())
        prefix = draw(strategies.sampled_from(["/", "/v1/models/", "/v1/"]))
        response = fuzzed.ask(draw(strategies.sampled_from(["GET", "POST", "PUT"])), prefix + path, key)
    assert response.status_code in (307, 400, 401, 404, 405)
    assert "SECRET" not in response.text


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that was asked already, by somebody else."""
    folder = tmp_path_factory.mktemp("fuzzed")
    store = Store.open(f"sqlite:///{folder}/people.db")
    found = Live(folder, store, texts=True)
    found.chat(text="SECRET")
    found.known = found.key("Ann")
    yield found
    found.stop()
    store.close()


def test_nothing_that_the_published_schema_allows_fails_on_our_side(fuzzed: Live) -> None:
    schema = schemathesis.openapi.from_url(f"{fuzzed.place}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert {one.path for one in operations} >= {"/v1/chat/completions", "/v1/feedback", "/metrics"}
    known = {"authorization": f"Bearer {fuzzed.known}"}
    seen: dict[str, set[int]] = {}

    for operation in operations:

        @hypothesis.settings(
            max_examples=10,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(), real=strategies.sampled_from(MODELS))
        def call(case: Any, real: str) -> None:
            if isinstance(case.body, dict) and "model" in case.body:
                # A name that is made up gets no further than the first look.
                case.body["model"] = real
            status = case.call(headers=known, timeout=300).status_code
            seen.setdefault(case.operation.path, set()).add(status)
            assert status < 500, case.as_curl_command()

        call()
    assert 200 in seen["/v1/chat/completions"]
    assert not any(line.get("fault") for line in fuzzed.lines())
