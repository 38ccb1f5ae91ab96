"""preview, compare, report and runs, on a tiny saved model, files of scores and recorded runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Call
from trimtab import taint
from trimtab.records import Comparison, Estimate, Example, Message, Output, Score, Verdict
from trimtab.run import RunFolder, provenance

PAIR = {"prompt": "Say hello.", "completion": "Hello to [you]."}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_scores(path: Path, values: np.ndarray, metric: str = "chrf", first: int = 0) -> Path:
    rows = [
        {"example": f"e{first + k}", "metric": metric, "seed": 0, "value": float(v)}
        for k, v in enumerate(values)
    ]
    return write_rows(path, rows)


def recorded_run(root: Path, name: str, gain: float, *, finished: bool = True) -> RunFolder:
    """A run as the run folder's writer leaves it: base and one candidate on 40 items of select."""
    folder = RunFolder.create(root, f"{name}-identity")
    metric = "exact_match"
    goal = f"data: {{examples: data.jsonl}}\ngoal: {{metric: {metric}, min_gain: 0.1}}\n"
    folder.write_text("recipe.yaml", goal)
    examples = [Example((Message("user", f"q{k}"),), ("yes",), id=f"e{k}") for k in range(40)]
    folder.write_rows("examples.jsonl", examples)
    draw = np.random.default_rng(7).random(40)
    for stack, level in (("base", 0.3), ("abc", 0.3 + gain)):
        outputs = [Output(e.id, 0, "yes" if d < level else "no") for e, d in zip(examples, draw, strict=True)]
        folder.write_trial(
            stack, outputs, [Score(o.example, metric, 0, float(o.text == "yes")) for o in outputs]
        )
    candidate = {"stack": "abc", "name": "lora rank 4", "chosen": True}
    folder.write("ladder.json", {"rungs": [{"rung": "adapter", "candidates": [candidate]}]})
    if finished:
        difference = Estimate(gain, gain - 0.1, gain + 0.1, 0.95, 60, "t")
        target = Comparison(difference, 0.01, "better", None, 0.2, 0.1, 0.3, 0.3 + gain)
        verdict = Verdict("ship", "abc", difference, (), ("target better",), None, target, 0.9, 1)
        folder.write("verdict.json", verdict)
        goal_facts = {"metric": metric, "unit": "share", "direction": "higher"}
        folder.write("provenance.json", provenance() | {"goal": goal_facts})
    return folder


def test_preview_brackets_what_is_learned(call: Call, tmp_path: Path, network: Path) -> None:
    write_rows(tmp_path / "a.jsonl", [PAIR | {"id": f"row-{n}"} for n in range(5)])
    done = call("preview", "a.jsonl", "--model", network, "--rows", 2)
    assert done.code == 0
    assert "prompt/completion, 5 rows" in done.out
    assert done.out.count("[Hello to [you].<|im_end|>]") == 2
    assert "[Say hello" not in done.out
    assert "row-1" in done.out
    assert "row-2" not in done.out
    assert "\x1b" not in done.out


def test_preview_as_json_counts_tokens(call: Call, tmp_path: Path, network: Path) -> None:
    write_rows(tmp_path / "a.jsonl", [PAIR])
    document = call("preview", "a.jsonl", "--model", network, "--json").document
    row = document["rows"][0]
    assert document["shape"]["columns"] == {"prompt": "prompt", "completion": "completion"}
    # Every byte is a token of the tiny tokenizer, and the end of the turn is one more.
    assert row["learned"] == len(PAIR["completion"]) + 1
    assert "".join(text for text, learned in row["pieces"] if learned) == "Hello to [you].<|im_end|>"
    assert row["tokens"] > row["learned"]
    assert row["lost"] == 0


def test_preview_reads_as_the_recipe_does(call: Call, tmp_path: Path, network: Path) -> None:
    write_rows(tmp_path / "a.jsonl", [{"ask": "Say hello.", "say": "Hello."}])
    text = (
        f"model: {network}\ngoal: {{metric: chrf}}\n"
        "data: {examples: a.jsonl, instruction: Be kind., max_tokens: 40,\n"
        "  columns: {prompt: ask, completion: say}}\n"
    )
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    row = call("preview", "a.jsonl", "--recipe", "recipe.yaml", "--json").document["rows"][0]
    assert "Be kind.\n\nSay hello." in row["pieces"][0][0]
    assert row["tokens"] == 40
    assert row["lost"] > 0
    assert call("preview", "a.jsonl", "--recipe", "recipe.yaml", "--model", "x").code == 2


def test_preview_of_rows_without_answers_needs_no_model(call: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", [{"prompt": "Only a question?"}])
    done = call("preview", "a.jsonl", "--model", "no/such-model")
    assert done.code == 0
    assert "Only a question?" in done.out
    assert "guard" in done.out


def test_preview_of_a_wrong_model_is_the_users_mistake(call: Call, tmp_path: Path) -> None:
    write_rows(tmp_path / "a.jsonl", [PAIR])
    assert (
        call("preview", "a.jsonl", "--model", "./nowhere", "--json").document["error"]["kind"] == "ModelError"
    )


@pytest.mark.parametrize(
    ("gain", "arguments", "outcome", "code"),
    [
        (5.0, [], "better", 0),
        (5.0, ["--min-gain", "9"], "too small", 10),
        (-5.0, [], "worse", 10),
        (0.0, [], "inconclusive", 11),
        (0.0, ["--margin", "2"], "held", 0),
        (-5.0, ["--margin", "2"], "breached", 10),
        (5.0, ["--better", "lower"], "worse", 10),
    ],
)
def test_compare_two_files_of_scores(
    call: Call, tmp_path: Path, gain: float, arguments: list[str], outcome: str, code: int
) -> None:
    draw = np.random.default_rng(1)
    before = draw.normal(50, 10, 60)
    write_scores(tmp_path / "a.jsonl", before)
    noise = draw.normal(0, 2, 60)
    write_scores(tmp_path / "b.jsonl", before + gain + noise - noise.mean())
    done = call("compare", "a.jsonl", "b.jsonl", *arguments)
    assert done.out.startswith(f"{outcome}: ")
    assert done.code == code
    document = call("compare", "a.jsonl", "b.jsonl", *arguments, "--json").document
    assert document["comparison"]["outcome"] == outcome
    assert document["comparison"]["difference"]["n"] == 60


def test_compare_pairs_by_example_and_says_what_it_left_out(call: Call, tmp_path: Path) -> None:
    write_scores(tmp_path / "a.jsonl", np.arange(30.0))
    write_scores(tmp_path / "b.jsonl", np.arange(10.0, 40.0) + np.tile([1.0, 2.0, 4.0], 10), first=10)
    document = call("compare", "a.jsonl", "b.jsonl", "--json").document
    assert document["alone"] == [10, 10]
    assert document["comparison"]["difference"]["n"] == 20
    assert "10 of A and 10 of B" in call("compare", "a.jsonl", "b.jsonl").out


def test_compare_needs_one_metric(call: Call, tmp_path: Path) -> None:
    lines = [{"example": f"e{k}", "metric": m, "value": k} for k in range(9) for m in ("chrf", "bleu")]
    write_rows(tmp_path / "a.jsonl", lines)
    done = call("compare", "a.jsonl", "a.jsonl")
    assert done.code == 2
    assert "--metric: bleu, chrf" in done.err
    write_scores(tmp_path / "b.jsonl", np.arange(9.0), metric="rouge_l")
    assert "no metric in common" in call("compare", "a.jsonl", "b.jsonl").err


def test_compare_names_broken_lines(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"example": "a"}\n{no\n', encoding="utf-8")
    done = call("compare", "a.jsonl", "a.jsonl")
    assert done.code == 2
    assert "line 1" in done.err
    assert "line 2" in done.err


def test_compare_refuses_two_questions_at_once(call: Call, tmp_path: Path) -> None:
    write_scores(tmp_path / "a.jsonl", np.arange(9.0))
    assert call("compare", "a.jsonl", "a.jsonl", "--min-gain", "1", "--margin", "1").code == 2
    assert call("compare", "a.jsonl", "a.jsonl", "--better", "maybe").code == 2


def test_compare_a_run_with_its_base_and_with_another_run(call: Call, tmp_path: Path) -> None:
    first = recorded_run(tmp_path / "runs", "one", 0.5)
    second = recorded_run(tmp_path / "runs", "two", 0.5)
    against_base = call("compare", first.path, "--json").document
    assert against_base["comparison"]["outcome"] == "better"
    assert against_base["comparison"]["threshold"] == 0.1
    assert against_base["baseline"].endswith("/base")
    assert against_base["candidate"].endswith("/abc")
    same = call("compare", first.path, second.path, "--json").document["comparison"]
    assert same["difference"]["value"] == 0
    assert "chosen" in call("compare", first.path).out
    trial = call("compare", first.path / "trials" / "base", second.path, "--metric", "exact_match", "--json")
    assert trial.document["comparison"]["outcome"] == "better"


def test_compare_a_run_without_a_stack_says_so(call: Call, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "runs", "empty-identity")
    assert "no stack was chosen" in call("compare", folder.path, folder.path).err


def test_report_is_written_again(call: Call, tmp_path: Path) -> None:
    folder = recorded_run(tmp_path / "runs", "one", 0.5)
    done = call("report", folder.path)
    assert done.code == 0
    assert "SHIP" in done.out.upper()
    assert "<html" in (folder.path / "report.html").read_text(encoding="utf-8")
    assert call("report", folder.path, "--json").document["verdict"]["outcome"] == "ship"


def test_report_of_an_unfinished_run_is_the_users_mistake(call: Call, tmp_path: Path) -> None:
    folder = recorded_run(tmp_path / "runs", "one", 0.5, finished=False)
    assert call("report", folder.path, "--json").document["error"]["kind"] == "RunError"


def test_runs_lists_finished_unfinished_and_damaged_ones(call: Call, tmp_path: Path) -> None:
    assert "trimtab demo" in call("runs").out
    done, open_run, broken = (
        recorded_run(tmp_path / "runs", name, 0.5, finished=name != "open")
        for name in ("done", "open", "torn")
    )
    (broken.path / "verdict.json").write_text("{", encoding="utf-8")
    listed = {row["run"]: row for row in call("runs", "--json").document["runs"]}
    assert listed[done.path.name]["outcome"] == "ship"
    assert listed[done.path.name]["difference"]["value"] == 0.5
    assert listed[open_run.path.name]["outcome"] == "unfinished"
    assert listed[broken.path.name]["outcome"] == "damaged"
    text = call("runs").out
    assert "0.5 [0.4, 0.6]" in text
    assert "exact_match" in text
    assert max(map(len, text.splitlines())) <= 80
    assert call("runs", "--runs", tmp_path / "elsewhere", "--json").document == {"runs": []}


def test_runs_says_which_learned_from_erased_rows(call: Call, tmp_path: Path) -> None:
    clean, marked = (recorded_run(tmp_path / "runs", name, 0.5) for name in ("clean", "marked"))
    stack = marked.read("verdict.json")["stack"]
    marked.trial(stack).mkdir(parents=True, exist_ok=True)
    taint.mark(marked.trial(stack), "20261125-0a0721d8", 3)
    listed = {row["run"]: row["tainted"] for row in call("runs", "--json").document["runs"]}
    assert listed == {clean.path.name: False, marked.path.name: True}
    assert "tainted by an erasure" in call("runs").out
