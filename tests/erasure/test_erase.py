"""Train, erase a person, and search every byte: on a real, tiny network through the real pipeline."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests.erasure import made
from tests.tiny import tiny_tokenizer
from trimtab import lineage, taint
from trimtab.adjust.stack import Stack
from trimtab.decide import ledger
from trimtab.erasure import Asked, erase
from trimtab.errors import DataError, RunError, TaintedError

MORE = {"data": {"examples": "rows.jsonl", "max_tokens": 96}}
PROMPTS = {**MORE, "ladder": ["prompt"], "candidates": {"prompt": [{"exemplars": 4, "choose": "nearest"}]}}


def tuned(folder: Path, network: Path, found: list[dict[str, Any]], **changes: Any) -> Any:
    """A finished run on these rows."""
    return trimtab.tune(made.project(folder, network, found, **MORE | changes), root=folder / "runs")


def token_rows(texts: list[str]) -> list[list[int]]:
    """The tokens of texts, as the tiny tokenizer writes them."""
    tokenizer = tiny_tokenizer()
    return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]


def test_nothing_holds_the_rows_and_what_learned_from_them_refuses(
    tmp_path: Path, network: Path, cache: Path
) -> None:
    home = tmp_path / "home"
    rows = made.rows()
    strangers = [made.row(n, prompt=f"other {n} about {n * n}", subject="someone") for n in range(90)]
    run = tuned(home, network, rows)
    clean = tuned(home / "other", network, strangers)
    own = made.texts_of(rows)
    assert len(own) == 5
    # The searches find what is there to be found, so that finding nothing later means something.
    before = made.holding(own, home, cache)
    assert {"rows.jsonl", "examples.jsonl", "report.html"} <= before, before
    assert any(name.endswith(".npz") for name in made.holding_tokens(token_rows(own), home, cache))
    stack = run.verdict.stack
    assert Stack.load(run.folder.trial(stack)).hash == stack

    record = erase(Asked(made.WHO, home))

    assert record["state"] == "done"
    assert made.holding(own, home, cache) == set()
    assert made.holding_tokens(token_rows(own), home, cache) == set()
    assert made.holding([made.WHO], home, cache) == set()
    with pytest.raises(TaintedError) as refused:
        Stack.load(run.folder.trial(stack))
    assert record["request"] in refused.value.message
    assert taint.of(run.folder.trial(stack))["date"] in refused.value.message  # type: ignore[index]
    assert "train again" in refused.value.hint
    with pytest.raises(TaintedError):
        trimtab.pipeline.Run(run.folder).stack  # noqa: B018
    assert Stack.load(clean.folder.trial(clean.verdict.stack)).hash == clean.verdict.stack
    # Everybody else's rows are as they were, byte for byte.
    left = [json.dumps(r) + "\n" for r in rows if r["subject"] != made.WHO]
    assert (home / "rows.jsonl").read_text() == "".join(left)
    # The page is there again, made from what is left.
    assert "ship" in (run.folder.path / "report.html").read_text().lower()
    (entry,) = [e for e in record["runs"] if e["run"] == str(run.folder.path.relative_to(home))]
    assert entry["rows"] == {"tune": 3, "select": 1, "confirm": 1}
    assert stack in entry["tainted"]
    assert [e["recipe"] for e in record["retrain"]] == [f"{entry['run']}/recipe.yaml"]
    assert record["checked"]["found"] == []
    # What the queue names can be trained: a run of its own, whose stack loads.
    again = trimtab.tune(home / record["retrain"][0]["recipe"], root=home / "runs")
    assert again.folder.path != run.folder.path
    assert Stack.load(again.folder.trial(again.verdict.stack)).hash == again.verdict.stack


def test_exemplars_and_unfinished_fits_lose_the_rows(tmp_path: Path, network: Path, cache: Path) -> None:
    rows = made.rows()
    run = tuned(tmp_path / "home", network, rows, **PROMPTS)
    (run.folder.path / "fits" / "prompt-0").mkdir()
    (run.folder.path / "fits" / "prompt-0" / "checkpoint.safetensors").write_bytes(b"half")
    assert "exemplars.jsonl" in made.holding(made.texts_of(rows), run.folder.path)
    erase(Asked(made.WHO, tmp_path / "home"))
    assert made.holding(made.texts_of(rows), tmp_path / "home", cache) == set()
    assert not (run.folder.path / "fits" / "prompt-0").exists()
    groups = [json.loads(p.read_text())["groups"] for p in run.folder.path.rglob("prompt.json")]
    ids = {row.id for row in lineage.rows(run.folder)}
    assert all(name.removeprefix("id ") in ids for g in groups for name in g if name.startswith("id "))


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path, network: Path, cache: Path) -> None:
    home = tmp_path / "home"
    tuned(home, network, made.rows())
    before = dict(made.contents(home, cache))
    planned = erase(Asked(made.WHO, home), dry_run=True)
    assert dict(made.contents(home, cache)) == before
    done = erase(Asked(made.WHO, home))
    said = [
        {k: c[k] for k in ("place", "path", "what", "rows", "texts")} for c in done["attempts"][-1]["changes"]
    ]
    assert said == planned["attempts"][-1]["changes"]


def test_adapters_are_deleted_when_told(tmp_path: Path, network: Path, cache: Path) -> None:
    home = tmp_path / "home"
    run = tuned(home, network, made.rows())
    copy = home / "shipped"
    shutil.copytree(run.folder.trial(run.verdict.stack), copy)
    record = erase(Asked(made.WHO, home, adapters="delete", retrain=False))
    for folder in (run.folder.trial(run.verdict.stack), copy):
        assert not list(folder.rglob("*.safetensors"))
        with pytest.raises(TaintedError, match="deleted"):
            Stack.load(folder)
    assert record["retrain"] == []
    assert not (home / "retrain.json").exists()


def test_only_confirm_rows_taint_nothing_and_carry_the_looks(
    tmp_path: Path, network: Path, cache: Path
) -> None:
    home = tmp_path / "home"
    rows = [r | ({"part": "confirm"} if r["subject"] == made.WHO else {}) for r in made.rows()]
    run = tuned(home, network, rows)
    assert run.verdict.look == 1
    record = erase(Asked(made.WHO, home))
    (entry,) = record["runs"]
    assert entry["rows"] == {"confirm": 5}
    assert entry["tainted"] == {}
    assert "verdict was read from 5 rows" in entry["said"]
    assert "1 looks at it count for what is left" in entry["said"]
    assert Stack.load(run.folder.trial(run.verdict.stack)).hash == run.verdict.stack
    path = home / "rows.jsonl"
    again = trimtab.tune(home / "recipe.yaml", root=home / "runs")
    assert again.verdict.look == 2
    assert len(json.loads(ledger.ledger_path(str(path), cache).read_text())) == 2


class Stop:
    """In place of the hash of a file: Ctrl-C at the n-th file."""

    def __init__(self, after: int) -> None:
        self.left = 2 * after

    def __call__(self, path: Path) -> str:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return ""


def test_a_request_cut_off_anywhere_is_completed(
    tmp_path: Path, network: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change in turn is the last one before the process is gone."""
    origin, rows = tmp_path / "origin", made.rows()
    tuned(origin, network, rows)
    kept = tmp_path / "kept"
    shutil.copytree(cache, kept)
    whole = len(erase(Asked(made.WHO, origin), dry_run=True)["attempts"][-1]["changes"])
    assert whole > 6
    module = importlib.import_module("trimtab.erasure.erase")
    for number in range(0, whole, 2):
        home = tmp_path / f"home-{number}"
        shutil.copytree(origin, home)
        recipes = home.rglob("recipe.yaml")
        for recipe in recipes:
            recipe.write_text(recipe.read_text().replace(str(origin), str(home)))
        shutil.rmtree(cache)
        shutil.copytree(kept, cache)
        with monkeypatch.context() as patch:
            patch.setattr(module, "file_hash", Stop(number))
            with contextlib.suppress(KeyboardInterrupt):
                erase(Asked(made.WHO, home))
        record = erase(Asked(made.WHO, home))
        assert record["state"] in ("done", "nothing left")
        assert made.holding(made.texts_of(rows), home, cache) == set(), number
        assert len(list((home / "erasures").glob("*.json"))) == 1
        (trial,) = [p.parent for p in home.rglob("stack.json")][:1]
        with pytest.raises(TaintedError):
            Stack.load(trial)


KILLED = """
import os, signal, sys
from pathlib import Path
import importlib
from trimtab.erasure import Asked, erase
module, left = importlib.import_module("trimtab.erasure.erase"), [int(sys.argv[3])]
def stop(path):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return ""
module.file_hash = stop
erase(Asked(sys.argv[2], Path(sys.argv[1])))
"""


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_request_is_completed(tmp_path: Path, cache: Path, after: int) -> None:
    rows = [made.row(n) for n in range(40)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (tmp_path / "b.json").write_text(json.dumps(rows))
    copies = [{"prompt": r["prompt"], "completion": r["completion"]} for r in rows]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(r) + "\n" for r in copies))
    command = [sys.executable, "-c", KILLED, str(tmp_path), made.WHO, str(after)]
    done = subprocess.run(command, check=False, env=os.environ, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert made.holding(made.texts_of(rows), tmp_path), "killed too late to show anything"
    record = erase(Asked(made.WHO, tmp_path))
    assert record["state"] == "done"
    assert len(record["attempts"]) == 2
    assert made.holding(made.texts_of(rows), tmp_path) == set()
    assert len(json.loads((tmp_path / "b.json").read_text())) == 40 - len(made.texts_of(rows))


def test_a_second_request_says_that_nothing_is_left(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(made.row(4)) + "\n" + json.dumps(made.row(5)) + "\n")
    first = erase(Asked(made.WHO, tmp_path))
    again = erase(Asked(made.WHO, tmp_path))
    assert again["state"] == "nothing left"
    assert again["request"] == first["request"]


def test_an_unknown_subject_is_an_error_with_what_was_searched(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(made.row(n)) + "\n" for n in range(7)))
    with pytest.raises(DataError, match="among 7 rows of 1 data files") as caught:
        erase(Asked("nobody", tmp_path))
    assert "--column" in caught.value.hint
    assert list((tmp_path / "erasures").glob("*.json")) == []


def test_a_run_at_work_is_not_touched(tmp_path: Path, network: Path, cache: Path) -> None:
    home = tmp_path / "home"
    run = tuned(home, network, made.rows())
    with run.folder.locked(), pytest.raises(RunError, match="another process"):
        erase(Asked(made.WHO, home))
    assert made.WHO in (home / "rows.jsonl").read_text()


def test_the_proof_names_nobody_and_quotes_nothing(tmp_path: Path, cache: Path) -> None:
    rows = [made.row(n) for n in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    record = erase(Asked(made.WHO, tmp_path))
    proof = tmp_path / "erasures" / f"{record['request']}.txt"
    assert made.holding([*made.texts_of(rows), made.WHO], tmp_path / "erasures") == set()
    said = proof.read_text()
    assert "rows.jsonl: rows removed (1 row)" in said
    assert "nothing is unlearned" in said
    change = next(c for c in record["attempts"][0]["changes"] if c["place"] == "data")
    assert change["before"] != change["after"]
