"""Suites: items with their metrics; the built-in ones, and public sets recognised by their columns."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from trimtab.errors import DataError, MetricError, several
from trimtab.measure import rows, sets
from trimtab.measure.contract import Metric
from trimtab.measure.registry import find as find_metric
from trimtab.records import Example


@dataclass(frozen=True, slots=True)
class Suite:
    """Items and the metrics that they are made for, the first one first."""

    name: str
    examples: tuple[Example, ...]
    metrics: tuple[Metric, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of rows: the columns that give it away, how a row becomes an item, its metrics with options."""

    about: str
    columns: frozenset[str]
    item: Callable[[Mapping[str, Any]], Example | None]
    metrics: tuple[tuple[str, Mapping[str, Any]], ...]
    accepts: Callable[[Mapping[str, Any]], bool] = lambda row: True


SHAPES: Mapping[str, Shape] = {
    "choices": Shape(
        "questions with choices",
        frozenset({"question", "choices", "answer"}),
        sets.choices,
        (("choice", {}),),
    ),
    "bbq": Shape(
        "BBQ: questions about people, answered from ambiguous or clear contexts",
        frozenset({"context", "question", "ans0", "ans1", "ans2", "label"}),
        sets.bbq,
        (("choice", {}),),
    ),
    "pairs": Shape("minimal pairs", frozenset({"good", "bad"}), sets.minimal_pair, (("minimal_pair", {}),)),
    "crows_pairs": Shape(
        "CrowS-Pairs: good is the less stereotyped sentence; even treatment is 0.5",
        frozenset({"sent_more", "sent_less", "bias_type"}),
        sets.crows_pair,
        (("minimal_pair", {}),),
    ),
    "twins": Shape(
        "prompts beside themselves with groups of people swapped",
        frozenset({"prompt", "twin_of"}),
        sets.twin,
        (("twin_gap", {}),),
    ),
    "answered": Shape(
        "prompts with a good answer, which is compared with its counterfactual",
        frozenset({"prompt", "answer"}),
        sets.answered,
        (("bias_gap", {}),),
    ),
    "gsm8k": Shape(
        "sums in words; the last number of the answer counts",
        frozenset({"question", "answer"}),
        sets.sum_in_words,
        (("exact_match", {"take": "last_number"}),),
        lambda row: "####" in str(row["answer"]),
    ),
    "ifeval": Shape(
        "verifiable instructions",
        frozenset({"prompt", "instruction_id_list", "kwargs"}),
        sets.verifiable,
        (("instructions", {}),),
    ),
    "xstest": Shape(
        "XSTest: safe requests that sound unsafe, and unsafe ones",
        frozenset({"prompt", "type", "label", "focus"}),
        sets.xstest,
        (("refusal", {}),),
    ),
    "requests": Shape(
        "requests to refuse or to answer",
        frozenset({"text", "should_refuse"}),
        sets.request,
        (("refusal", {}),),
    ),
    "bold": Shape(
        "BOLD: beginnings of sentences about people, to be continued",
        frozenset({"domain", "group", "entity", "prompt"}),
        sets.bold,
        (("toxicity", {}), ("sentiment", {})),
    ),
    "passages": Shape("plain text", frozenset({"text"}), sets.passage, (("nll", {}),)),
}

BUILT_IN: Mapping[str, tuple[str, str]] = {
    "general-english": ("passages.jsonl", "passages"),
    "general-questions": ("questions.jsonl", "choices"),
    "careful-requests": ("requests.jsonl", "requests"),
}


def names() -> tuple[str, ...]:
    """The names of the built-in suites."""
    return tuple(BUILT_IN)


def find(name: str) -> Suite:
    """The built-in suite of this name, or the suite in a file (.jsonl, .csv or .txt, also .gz).

    Raises:
        MetricError: no such suite or file, or columns that are not recognised.
        DataError: broken lines or rows; all of them are named at once.
    """
    if name in BUILT_IN:
        file, shape = BUILT_IN[name]
        with resources.as_file(resources.files("trimtab").joinpath("demo", file)) as path:
            return _suite(name, rows.read(path), SHAPES[shape], str(path))
    path = Path(name)
    if not path.is_file():
        near = difflib.get_close_matches(name, BUILT_IN, n=2, cutoff=0.4)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise MetricError(
            f"suite {name!r}: neither a built-in suite nor a file{meant}", f"built in: {', '.join(BUILT_IN)}"
        )
    return _from_file(path)


def recognise(row: Mapping[str, Any]) -> str:
    """The shape of a row by its columns, "" if it is none of the known ones; the fullest match wins."""
    fitting = [key for key, shape in SHAPES.items() if shape.columns <= row.keys() and shape.accepts(row)]
    return max(fitting, key=lambda key: len(SHAPES[key].columns), default="")


def _from_file(path: Path) -> Suite:
    bare = path.name.removesuffix(".gz")
    name = bare.rpartition(".")[0] or bare
    if bare.endswith(".txt"):
        found = [{"text": text} for text in sets.paragraphs(rows.text_of(path))]
        return _suite(name, found, SHAPES["passages"], str(path))
    content = rows.read(path)
    if not content:
        raise MetricError(f"suite {path}: no rows", "give it at least two")
    if sets.is_winobias(content[0]):
        content, kind = sets.winobias_pairs(content), "pairs"
    elif sets.is_twins(content[0]):
        content, kind = sets.twins(content), "twins"
    else:
        kind = recognise(content[0])
    if not kind:
        known = "; ".join(f"{key}: {', '.join(sorted(shape.columns))}" for key, shape in SHAPES.items())
        raise MetricError(
            f"suite {path}: columns {', '.join(map(str, content[0]))} are not recognised",
            f"known columns: {known}",
        )
    return _suite(name, content, SHAPES[kind], str(path))


def _suite(name: str, content: list[dict[str, Any]], shape: Shape, place: str) -> Suite:
    examples: list[Example] = []
    problems: list[str] = []
    for number, row in enumerate(content, 1):
        try:
            example = shape.item(row)
        except (KeyError, TypeError, ValueError) as error:
            missing = f"no column {error}" if isinstance(error, KeyError) else str(error)
            problems.append(f"row {number}: {missing}")
            continue
        if example is not None:
            examples.append(sets.numbered(example, row, name, number))
    if problems:
        raise DataError(
            f"{place}:\n{several(problems)}", f"rows of {shape.about} need: {', '.join(shape.columns)}"
        )
    if not examples:
        raise MetricError(f"suite {place}: no items", "give it at least two")
    metrics = tuple(find_metric(metric, options) for metric, options in shape.metrics)
    return Suite(name, tuple(examples), metrics, shape.about)
