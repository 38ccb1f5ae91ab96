"""The folders that init and demo write: complete, valid, and never over something that exists."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

from trimtab import measure, recipe, starter
from trimtab.data.read import read, recognise
from trimtab.data.split import split
from trimtab.errors import DataError, MetricError, RecipeError

TEXT = "It will be sent to you as soon as the shop has it in stock again, which may take a week."


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def letters(count: int = 200) -> list[list[str]]:
    return [[f"Where is order {number}?", f"Order {number}: {TEXT}"] for number in range(count)]


def test_from_nothing_writes_a_recipe_that_reads_its_own_rows(tmp_path: Path) -> None:
    started = starter.from_nothing(tmp_path / "new")
    loaded = recipe.load(started.recipe)
    examples = read(loaded.data.examples, loaded.data.columns, loaded.data.instruction)
    assert len(examples) == 8
    assert all(example.references for example in examples)
    assert loaded.budget.minutes == 12
    assert "trimtab tune" in (tmp_path / "new" / "README.txt").read_text(encoding="utf-8")
    assert "CC0" in (tmp_path / "new" / "README.txt").read_text(encoding="utf-8")


def test_a_recipe_is_never_overwritten(tmp_path: Path) -> None:
    first = starter.from_nothing(tmp_path).recipe
    first.write_text("mine: true\n", encoding="utf-8")
    source = write_csv(tmp_path / "a.csv", ["prompt", "completion"], letters())
    for again in (
        lambda: starter.from_nothing(tmp_path),
        lambda: starter.from_file(source, tmp_path, columns={}),
    ):
        with pytest.raises(RecipeError, match="exists already"):
            again()
    assert first.read_text(encoding="utf-8") == "mine: true\n"


def test_an_unknown_goal_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="chrff"):
        starter.from_nothing(tmp_path / "new", goal="chrff")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("folder", ["beside", "deep/er", "."])
def test_from_file_names_the_data_from_the_recipes_folder(tmp_path: Path, folder: str) -> None:
    source = write_csv(tmp_path / "in" / "mail.csv", ["question", "reply"], letters())
    started = starter.from_file(source, tmp_path / folder, columns={})
    loaded = recipe.load(started.recipe)
    assert not yaml.safe_load(started.recipe.read_text(encoding="utf-8"))["data"]["examples"].startswith("/")
    assert Path(loaded.data.examples).resolve() == source
    assert len(read(loaded.data.examples, loaded.data.columns)) == 200
    assert loaded.goal.metric == "chrf"
    assert started.notes == ()


def test_the_recipe_holds_every_decision_under_its_reason(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "mail.csv", ["prompt", "completion"], letters())
    started = starter.from_file(source, tmp_path / "out", columns={})
    text = started.recipe.read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    for decision in started.decisions:
        section, _, name = decision.option.partition(".")
        assert (content[section][name] if name else content[section]) == decision.value
        assert decision.reason.split()[0] in text
        line = next(part for part in text.splitlines() if decision.reason.startswith(part.strip(" #") or "?"))
        assert line.lstrip().startswith("# ")


def test_own_names_of_columns_stand_in_the_recipe(tmp_path: Path) -> None:
    source = write_csv(
        tmp_path / "odd.csv", ["nr", "what they ask", "what we say"], [["x", *r] for r in letters()]
    )
    columns = {"prompt": "what they ask", "completion": "what we say"}
    with pytest.raises(DataError) as caught:
        starter.from_file(source, tmp_path / "out", columns={})
    assert "nr, what they ask, what we say" in caught.value.message
    assert '--prompt "what they ask" --answer "what we say"' in caught.value.hint
    assert not (tmp_path / "out").exists()
    started = starter.from_file(source, tmp_path / "out", columns=columns)
    assert recipe.load(started.recipe).data.columns == columns


def test_a_wrong_name_of_a_column_is_answered_with_the_nearest(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "odd.csv", ["body", "reply text"], letters())
    with pytest.raises(DataError, match="did you mean body") as caught:
        starter.from_file(source, tmp_path / "out", columns={"prompt": "bdy", "completion": "reply text"})
    assert "--prompt COLUMN" in caught.value.hint


def test_a_text_and_a_label_without_usual_names_ask_for_names(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "labels.csv", ["text", "category"], letters())
    with pytest.raises(DataError, match="text, category") as caught:
        starter.from_file(source, tmp_path / "out", columns={})
    assert "--prompt text --answer category" in caught.value.hint


def test_conversations_need_an_answer_and_take_no_instruction(tmp_path: Path) -> None:
    asked = {"messages": [{"role": "user", "content": "Where is it?"}]}
    source = tmp_path / "talk.jsonl"
    source.write_text(f"{json.dumps(asked)}\n", encoding="utf-8")
    with pytest.raises(DataError, match="no answer"):
        starter.from_file(source, tmp_path / "out", columns={})
    asked["messages"].append({"role": "assistant", "content": TEXT})
    source.write_text(f"{json.dumps(asked)}\n" * 80, encoding="utf-8")
    with pytest.raises(DataError, match="bare text"):
        starter.from_file(source, tmp_path / "out", columns={}, instruction="Be short.")
    assert starter.from_file(source, tmp_path / "out", columns={}).shape


def test_broken_rows_are_all_named(tmp_path: Path) -> None:
    source = tmp_path / "bad.jsonl"
    source.write_text('{"prompt": "a", "completion": ""}\n{"prompt"\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        starter.from_file(source, tmp_path / "out", columns={})
    assert "bad.jsonl:1" in caught.value.message
    assert "bad.jsonl:2" in caught.value.message


def test_few_rows_are_noted(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "few.csv", ["prompt", "completion"], letters(20))
    assert "of 20 rows, " in starter.from_file(source, tmp_path / "out", columns={}).notes[0]


def test_few_prompts_in_many_rows_are_noted(tmp_path: Path) -> None:
    rows = [[f"Where is order {number % 20}?", f"Order {number}: {TEXT}"] for number in range(200)]
    source = write_csv(tmp_path / "same.csv", ["prompt", "completion"], rows)
    assert "20 different prompts" in starter.from_file(source, tmp_path / "out", columns={}).notes[0]


def test_rows_that_cannot_be_shared_out_are_noted(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "one.csv", ["prompt", "completion"], [["Where is it?", TEXT]] * 50)
    assert "would be empty" in starter.from_file(source, tmp_path / "out", columns={}).notes[0]


def test_the_demo_is_what_it_says(tmp_path: Path) -> None:
    path = starter.demo_recipe(tmp_path / "demo")
    loaded = recipe.load(path)
    assert (loaded.goal.metric, loaded.goal.min_gain) == ("chrf", 2.0)
    assert loaded.goal.expected_gain
    assert loaded.goal.expected_gain > 2.0
    assert {(guard.suite, guard.metric) for guard in loaded.guards} == {
        ("general-english", "nll"),
        ("general-questions", "choice"),
        ("careful-requests", "refusal"),
        ("facts-kept", "coverage"),
    }
    instruction = "Rewrite this product text factually and neutrally. Keep every fact."
    assert loaded.data.instruction == instruction
    assert recognise(loaded.data.examples).kind == "prompt/completion"
    examples = read(loaded.data.examples, loaded.data.columns, instruction)
    assert len(examples) >= 240
    assert len({example.id for example in examples}) == len(examples)
    assert {example.licence for example in examples} == {"CC0-1.0"}
    assert not any(example.group for example in examples)
    assert examples[0].prompt.startswith(instruction)
    shares = loaded.data.split.model_dump()
    assert all(len(part) > 20 for part in split(examples, shares, seed=loaded.seed).values())


def test_the_demos_facts_are_found_in_both_texts(tmp_path: Path) -> None:
    examples = read(recipe.load(starter.demo_recipe(tmp_path)).data.examples)
    coverage = measure.find("coverage")
    assert coverage.score is not None
    kept = [coverage.score(example, example.references[0]) for example in examples]
    assert sum(kept) / len(kept) > 0.95
    assert coverage.score(examples[0], "Nothing of it.") == 0


def test_the_demo_can_be_written_again_and_in_full(tmp_path: Path) -> None:
    quick = starter.demo_recipe(tmp_path).read_text(encoding="utf-8")
    assert starter.demo_recipe(tmp_path).read_text(encoding="utf-8") == quick
    short = recipe.load(tmp_path / "recipe.yaml")
    full = recipe.load(starter.demo_recipe(tmp_path, full=True))
    assert full.budget.minutes > short.budget.minutes
    assert len(full.candidates.adapter) > len(short.candidates.adapter)
    same = {"model", "data", "goal", "guards", "sampling", "seed"}
    assert full.model_dump(include=same) == short.model_dump(include=same)
