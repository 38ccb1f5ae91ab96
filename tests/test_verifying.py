"""A run with a watermark from recipe to verdict, and what the detector says of its texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from trimtab.adjust.stack import Stack
from trimtab.adjust.watermark import Watermark
from trimtab.errors import RecipeError, RunError, UserError
from trimtab.model.load import load, tokenizer
from trimtab.records import Example, Message, Sampling
from trimtab.rungs import disclosed
from trimtab.verifying import detect, record, text_of, verify

pytestmark = pytest.mark.usefixtures("cache")
LONG = "ok then, so it goes on and on and on, as a text does that has no end, or none that comes soon"
MARKED: dict[str, Any] = {"disclosure": {"watermark": "green-list", "bias": 4.0}}


def project(folder: Path, network: Path, **changes: Any) -> Path:
    """A change that makes no good answers, but long ones, so that there is something to detect."""
    recipe: dict[str, Any] = {
        "goal": {"metric": "chrf"},
        "sampling": {"max_new_tokens": 60, "temperature": 1.0},
        "training": {"epochs": 1, "batch_size": 8, "learning_rate": 0.0001},
        "data": {"examples": "rows.jsonl", "max_tokens": 160},
        "guards": [],
        **MARKED,
    }
    path = projects.written(folder, network, **recipe | changes)
    rows = [{"prompt": f"item {n}", "completion": f"{n} {LONG}"} for n in range(60)]
    projects.lines(folder / "rows.jsonl", rows)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, network: Path) -> Any:
    """An exploring run whose answers are marked, by a key that is the same each time: p-values depend on it."""
    folder = tmp_path_factory.mktemp("marked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        patch.setattr("trimtab.adjust.watermark.secrets.token_hex", lambda _: "5eed" * 8)
        return trimtab.tune(project(folder, network), root=folder / "runs", explore=True)


def test_a_marked_stack_may_ship(tmp_path: Path, network: Path) -> None:
    changes: Any = {"disclosure": {"watermark": "green-list", "bias": 0.1, "share": 0.5}}
    found = trimtab.tune(projects.written(tmp_path, network, **changes), root=tmp_path / "runs")
    assert found.verdict.outcome == "ship", found.verdict.reasons
    first, second = found.stack.adjustments
    assert first == disclosed.of(found.folder.path)
    assert second.kind == "layers"
    told = found.folder.read(f"trials/{found.verdict.stack}/stack.json")["adjustments"][0]
    assert told["settings"]["bias"]["value"] == 0.1


def test_a_text_of_the_run_is_known_and_another_is_not(run: Any, network: Path) -> None:
    with Stack((disclosed.of(run.folder.path),)).attach(load(str(network))) as generate:
        asked = [Example((Message("user", f"item {n}"),), id=str(n)) for n in range(3)]
        outputs = generate(asked, Sampling(max_new_tokens=120, temperature=1.0))
    for output in outputs:
        found = verify(run.folder, output.text)
        assert found.p_value < 0.001, found
        assert found.scheme == "green-list"
    plain = verify(run.folder, LONG)
    assert plain.p_value > 0.001
    assert verify(run.folder, "ok").undefined == "1 tokens count, at least 16 are needed"


def test_its_record_says_what_is_found(run: Any) -> None:
    found = record(run.folder)
    assert found["texts"]["answers"]["found"].value > 0.7
    assert found["texts"]["references"]["found"].value < 0.2
    assert found["texts"]["base answers"]["texts"] == found["texts"]["answers"]["texts"] > 5
    assert run.folder.read("verified.json")["texts"].keys() == found["texts"].keys()


def test_the_key_stands_in_its_own_file_alone(run: Any) -> None:
    record(run.folder)
    key = disclosed.of(run.folder.path).mark.key
    holding = [
        path for path in run.folder.path.rglob("*") if path.is_file() and key.encode() in path.read_bytes()
    ]
    assert {path.name for path in holding} == {"watermark.json"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in holding)
    assert key not in repr(run.stack) + str(run.stack.adjustments[0].describe())


def test_another_key_finds_nothing(run: Any, network: Path) -> None:
    own = disclosed.of(run.folder.path)
    other = Watermark(type(own.mark)("green-list", "0" * 32, own.mark.vocabulary))
    rows = run.folder.rows(f"trials/{run.verdict.stack}/outputs.jsonl")
    text = " ".join(row["text"] for row in rows[:3])
    words = tokenizer(str(network))[0]
    assert detect(own, words, text).p_value < 1e-6 < 0.001 < detect(other, words, text).p_value


def test_a_run_keeps_its_key_and_one_may_be_given(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: Any = {"disclosure": {"watermark": "green-list", "key": "MARK_SECRET"}}
    path = project(tmp_path, network, **changes)
    with pytest.raises(RecipeError, match="MARK_SECRET is not set"):
        trimtab.tune(path, root=tmp_path / "runs")
    monkeypatch.setenv("MARK_SECRET", "short")
    with pytest.raises(RecipeError, match="has 5 characters"):
        trimtab.tune(path, root=tmp_path / "runs")
    monkeypatch.setenv("MARK_SECRET", "sixteen characters, and more")
    marked = [trimtab.tune(path, root=tmp_path / place, explore=True) for place in ("runs", "others")]
    keys = {disclosed.of(one.folder.path).mark.key for one in marked}
    assert len(keys) == 1
    assert "sixteen" not in (marked[0].folder.path / "recipe.yaml").read_text()


def test_what_cannot_be_marked_is_refused(tmp_path: Path, network: Path) -> None:
    with pytest.raises(RecipeError, match="synthid works by chance"):
        trimtab.plan(
            project(tmp_path, network, disclosure={"watermark": "synthid"}, sampling={"max_new_tokens": 8})
        )
    plain = trimtab.tune(projects.written(tmp_path / "plain", network), root=tmp_path / "runs", explore=True)
    with pytest.raises(RunError, match="carry no watermark"):
        verify(plain.folder, LONG)


def test_a_text_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LONG, encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    assert text_of(str(tmp_path / "a.txt")) == LONG
    assert text_of(LONG * 200) == LONG * 200
    with pytest.raises(UserError, match="not a text"):
        text_of(str(tmp_path / "b.txt"))
