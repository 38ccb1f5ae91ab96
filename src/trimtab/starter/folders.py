"""Writes the folders that `init` and `demo` start from. Nothing that exists is overwritten by `init`."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from trimtab import recipe as recipes
from trimtab.data import documents as texts
from trimtab.data.files import load
from trimtab.data.read import read, recognise
from trimtab.data.shape import Shape
from trimtab.data.split import prompt_key, split
from trimtab.errors import DataError, RecipeError
from trimtab.guidelines import load as load_guidelines
from trimtab.measure.registry import find
from trimtab.model.service import served
from trimtab.records import Example, Part
from trimtab.run import write_atomic
from trimtab.starter.choices import FEW, as_yaml, blank, decide, profile
from trimtab.starter.decision import Decision
from trimtab.starter.ladders import Given

PACKAGE = Path(__file__).resolve().parents[1]
EMBEDDED = "smollm2-135m-instruct"
# Folders and files beside the rows that are taken for documents and guidelines.
DOCUMENTS, GUIDELINES = ("docs", "documents"), ("guidelines.yaml", "guidelines.yml")
LEARNABLE = ("prompt/completion", "instruction", "messages")
HEAD = "# Written by `trimtab init`. It runs as it is: trimtab tune {name}\n# Every option: docs/recipe.md\n"
README = """\
What lies here

recipe.yaml          what shall improve, what must not get worse, and how it is tried
data/examples.jsonl  one example a line: a prompt, and the completion that you would like

1. Overwrite data/examples.jsonl with your own rows. The eight that are there only show the form.
   From 100 rows there is something to prove; 200 to 500 are a good beginning.
2. trimtab preview data/examples.jsonl    what is learned from each row
3. trimtab plan recipe.yaml               what your rows can prove, and how long it takes
4. trimtab tune recipe.yaml               the verdict, and a report to read

The example rows are dedicated to the public domain (CC0 1.0).
"""


@dataclass(frozen=True, slots=True)
class Started:
    """What was written: the recipe's path, the decisions in it, and things to mind."""

    recipe: Path
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...] = ()
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What a user names beside the rows: a model, documents and guidelines; empty for the default, or none."""

    model: str = ""
    documents: str = ""
    guidelines: str = ""


def from_nothing(folder: Path, *, goal: str = "", beside: Beside = Beside()) -> Started:
    """Write a folder with eight example rows to overwrite, a recipe that fits 200 rows, and a README.

    Raises:
        RecipeError: the folder holds a recipe already.
        MetricError: there is no such metric.
    """
    target = _free(folder)
    _known(goal)
    rows = (PACKAGE / "starter" / "examples.jsonl").read_text(encoding="utf-8")
    write_atomic(folder / "data" / "examples.jsonl", rows)
    given = _given(beside, folder, None)
    decisions = blank(goal=goal, given=given)
    _write(target, "data/examples.jsonl", {}, decisions, given.model)
    write_atomic(folder / "README.txt", README)
    notes = ("The eight rows in data/examples.jsonl only show the form: overwrite them with yours.",)
    return Started(target, tuple(decisions), notes)


def from_file(
    source: Path,
    folder: Path,
    *,
    columns: Mapping[str, str],
    goal: str = "",
    instruction: str = "",
    beside: Beside = Beside(),
) -> Started:
    """Write a recipe for a file of the user's, with every option chosen from its rows.

    columns: usual name to own name, such as {"prompt": "question", "completion": "reply"}.

    Raises:
        DataError: the file cannot be read, its columns are not recognised, or rows have no answer.
        GuidelinesError: the guidelines cannot be read.
        MetricError: there is no such metric.
        RecipeError: the folder holds a recipe already.
    """
    target = _free(folder)
    _known(goal)
    shape, examples = _recognised(source, columns)
    _all_answered(source, examples, shape)
    bare = shape.kind != "messages"
    if instruction and not bare:
        raise DataError(
            f"{source}: an instruction needs prompts that are a bare text, received {shape.kind}",
            "leave --instruction out, and put it into a system turn of the rows",
        )
    given = _given(beside, folder, source)
    decisions = decide(profile(examples), goal=goal, instruction=instruction, bare=bare, given=given)
    _write(target, _relative(source, folder), columns, decisions, given.model)
    return Started(target, tuple(decisions), _notes(examples, decisions), shape)


def with_minutes(started: Started, minutes: float) -> Started:
    """The recipe with a budget that suffices for what its plan takes on this machine, with a fifth to spare."""
    (old,) = (decision for decision in started.decisions if decision.option == "budget.minutes")
    budget = max(math.ceil(1.2 * minutes), int(str(old.value)))
    reason = f"its plan says about {minutes:.1f} minutes on this machine; give more for a better result"
    new = Decision(old.option, budget, reason)
    text = started.recipe.read_text(encoding="utf-8")
    write_atomic(started.recipe, _overlaid(text, _laid_out([new]).lstrip("\n")))
    decisions = tuple(new if decision is old else decision for decision in started.decisions)
    return dataclasses.replace(started, decisions=decisions)


def demo_recipe(folder: Path, *, full: bool = False) -> Path:
    """Write the demo's data and recipe into a folder, and return the recipe's path.

    The data are product texts: promotional as the prompt, neutral as the completion. full: the settings for
    the best result instead of those for a quick one. The same files are written each time.
    """
    rows = []
    for line in (PACKAGE / "demo" / "products.jsonl").read_text(encoding="utf-8").splitlines():
        product: dict[str, Any] = json.loads(line)
        row = {
            "id": product["id"],
            "prompt": product["promotional"],
            "completion": product["neutral"],
            "subject": product["category"],
            "source": "trimtab demo",
            "licence": "CC0-1.0",
            "name": product["name"],
            "spec": product["spec"],
        }
        rows.append(json.dumps(row, ensure_ascii=False) + "\n")
    text = (PACKAGE / "demo" / "recipe.yaml").read_text(encoding="utf-8")
    if full:
        text = _overlaid(text, (PACKAGE / "demo" / "full.yaml").read_text(encoding="utf-8"))
    write_atomic(folder / "data" / "products.jsonl", "".join(rows))
    write_atomic(folder / "recipe.yaml", text)
    return folder / "recipe.yaml"


def _free(folder: Path) -> Path:
    target = folder / "recipe.yaml"
    if target.exists():
        raise RecipeError(
            f"{target}: exists already; nothing was written", "choose another folder with --out DIR"
        )
    if folder.exists() and not folder.is_dir():
        raise RecipeError(
            f"{folder}: expected a folder, received a file", "choose another folder with --out DIR"
        )
    return target


def _notes(examples: Sequence[Example], decisions: Sequence[Decision]) -> tuple[str, ...]:
    """What the rows cannot carry: too few of them, or too few that differ."""
    shares = next(decision.value for decision in decisions if decision.option == "data.split")
    try:
        sealed = split(examples, cast(Mapping[Part, float], shares))["confirm"]
    except DataError as error:
        return (f"{error.message}. Before tuning: {error.hint}.",)
    prompts, left = (len({prompt_key(example) for example in part}) for part in (examples, sealed))
    if left >= FEW:
        return ()
    same = f" with {prompts} different prompts" if prompts < len(examples) else ""
    return (
        f"of {len(examples)} rows{same}, {left} different ones are left to read the verdict from: "
        "only a large gain can be proven, and trimtab plan says which.",
    )


def _given(beside: Beside, folder: Path, source: Path | None) -> Given:
    """What the user has beside the rows, as the recipe names it; documents and guidelines are read once, to check."""
    model = _named(beside.model, folder) or EMBEDDED
    searched, rules, found = beside.documents, beside.guidelines, set()
    if source is not None and source.is_file():
        if not searched and (near := _near(source, DOCUMENTS)):
            searched = str(near)
            found.add("documents")
        if not rules and (near := _near(source, GUIDELINES)):
            rules = str(near)
            found.add("guidelines")
    if searched:
        texts.read(searched)
    if rules:
        load_guidelines(rules)
    return Given(
        model,
        served(model),
        model == EMBEDDED,
        _named(searched, folder),
        _named(rules, folder),
        frozenset(found),
    )


def _near(source: Path, names: Sequence[str]) -> Path | None:
    """The first of these beside the rows; a folder only if it holds a text."""
    for path in (source.resolve().parent / name for name in names):
        if path.is_file() or any(p.suffix.lower() in texts.TEXTS for p in path.rglob("*")):
            return path
    return None


def _named(name: str, folder: Path) -> str:
    """A file or folder as the recipe names it; any other name as it is."""
    return _relative(Path(name), folder) if name and Path(name).exists() else name


def _known(goal: str) -> None:
    """Refuse a metric that does not exist before anything is written."""
    if goal:
        find(goal)


def _recognised(source: Path, columns: Mapping[str, str]) -> tuple[Shape, Sequence[Example]]:
    """The shape and the examples of a file; how to name columns is said in terms of this command."""
    naming = ("COLUMN", "COLUMN")
    try:
        shape = recognise(str(source), columns)
        if not shape.certain:
            naming = shape.columns["prompt"], shape.columns["completion"]
        examples = read(str(source), columns)
    except DataError as error:
        raise DataError(
            error.message, _naming(source, *naming) if "columns" in error.hint else error.hint
        ) from None
    if shape.kind not in LEARNABLE:
        names = list(load(str(source)).rows[0][1])
        raise DataError(
            f"{source}: which column is the prompt, and which the answer? "
            f"As they are named, the rows look like {shape.kind}; columns: {', '.join(names)}",
            _naming(source, *(names if len(names) == 2 else naming)),
        )
    return shape, examples


def _naming(source: Path, prompt: str, answer: str) -> str:
    """The hint of how to name columns."""
    perhaps = "" if prompt == "COLUMN" else ", perhaps"
    command = f"trimtab init {source} --prompt {_quoted(prompt)} --answer {_quoted(answer)}"
    return f"name the columns{perhaps}:\n{command}"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'


def _all_answered(source: Path, examples: Sequence[Example], shape: Shape) -> None:
    lacking = [example.id for example in examples if not example.references]
    if lacking:
        raise DataError(
            f"{source}: {len(lacking)} of {len(examples)} rows ({shape.kind}) have no answer to learn from",
            "end each conversation with an assistant turn, or name the answer with --answer COLUMN",
        )


def _relative(source: Path, folder: Path) -> str:
    """The file as the recipe names it: from the recipe's own folder, where there is a way."""
    try:
        return Path(os.path.relpath(source.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return source.resolve().as_posix()


def _write(
    target: Path, source: str, columns: Mapping[str, str], decisions: Sequence[Decision], named: str
) -> None:
    """Write the recipe, after checking it against the schema."""
    fixed = [Decision("data.examples", source, "")]
    if columns:
        fixed.append(Decision("data.columns", dict(columns), "as you named them"))
    usual = "the embedded default; or a Hub id, a folder, a file.gguf, openai:<model>@<base_url>"
    model = Decision("model", named, usual if named == EMBEDDED else "as you named it")
    text = HEAD.format(name=target.name) + _laid_out([model, *fixed, *decisions])
    recipes.parse(yaml.safe_load(text), name=str(target))
    write_atomic(target, text)


def _laid_out(decisions: Sequence[Decision]) -> str:
    """Decisions as YAML, options of one section together, each under its reason."""
    lines, section = [], ""
    sections = list(dict.fromkeys(decision.option.partition(".")[0] for decision in decisions))
    for decision in sorted(decisions, key=lambda one: sections.index(one.option.partition(".")[0])):
        first, dot, name = decision.option.partition(".")
        if first != section:
            lines.append("")
            if dot:
                lines.append(f"{first}:")
        section = first
        indent = "  " if dot else ""
        if decision.reason:
            lines += textwrap.wrap(
                decision.reason, 98, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
            )
        lines += _entry(indent, name or first, decision.value)
    return "\n".join(lines) + "\n"


def _entry(indent: str, key: str, value: object) -> list[str]:
    if isinstance(value, list):
        return [f"{indent}{key}:", *(f"{indent}  - {as_yaml(item)}" for item in value)]
    return [f"{indent}{key}: {as_yaml(value)}"]


def _overlaid(text: str, changes: str) -> str:
    """Replace the top-level sections of a recipe's text that `changes` has."""
    new = {key: section for key, section in _sections(changes).items() if key}
    return "\n".join(section.rstrip("\n") + "\n" for section in (_sections(text) | new).values())


def _sections(text: str) -> dict[str, str]:
    """The text of each top-level key, with the comments after it up to the next; text before is under ''."""
    pieces = re.split(r"^(?=\w+:)", text, flags=re.MULTILINE)
    keyed = {piece.partition(":")[0]: piece for piece in pieces[1:]}
    return {"": pieces[0], **keyed}
