"""Four adaptations on real public data: which rows, which goal, which guards, which ladder."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rows import MEDQUAD, SHARED

ENGLISH = {"suite": "general-english", "metric": "nll", "margin": 0.05}
QUESTIONS = {"suite": "general-questions", "metric": "choice", "margin": 0.1}
ALL = ["prompt", "decoding", "postprocess", "steering", "adapter"]
ANSWER_WORDS = 60
# Twice as many as there are questions: reading all 2,564 with the sentence encoder takes six minutes.
PAGES = 800

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """One project: what makes its rows, its documents if it has any, and the recipe beside the data."""

    rows: Callable[[int], Rows]
    recipe: dict[str, Any]
    documents: Callable[[], Rows] | None = None
    count: int = 400


def records(path: Path) -> Rows:
    """The rows of a file, in an order that the file's own does not bias."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return sorted(found, key=lambda row: hashlib.sha256(json.dumps(row).encode()).digest())


def rude_to_neutral(count: int) -> Rows:
    """ParaDetox: a rude sentence and up to three neutral ones that mean the same."""
    found = records(SHARED / "neutral_paradetox" / "pairs.jsonl.gz")
    return [{"prompt": row["toxic"], "references": row["neutral"]} for row in found[:count]]


def voice(count: int) -> Rows:
    """DSTC9: the dry answer of a hotel's FAQ in the voice of its agent; items of one entity stay together."""
    found = records(SHARED / "hotel_agent" / "dstc9_faq_to_voice_val.jsonl.gz")
    once = {(row["question"], row["faq_answer"]): row for row in found}
    return [
        {
            "prompt": f"Guest: {row['question']}\nFAQ: {row['faq_answer']}",
            "completion": row["response"],
            "group": row["entity"],
        }
        for row in list(once.values())[:count]
    ]


def elementary(count: int) -> Rows:
    """OneStopEnglish: an advanced sentence and its elementary wordings, where they differ from it."""
    wordings: dict[str, list[str]] = {}
    for row in records(SHARED / "style_onestop" / "pairs.jsonl.gz"):
        if row["pair"] == "ADV-ELE" and row["a"] != row["b"]:
            wordings.setdefault(row["a"], []).append(row["b"])
    return [{"prompt": hard, "references": easy} for hard, easy in list(wordings.items())[:count]]


def medical(count: int) -> Rows:
    """MedQuAD: a question and the beginning of its answer; questions of one page stay together."""
    return [
        {
            "prompt": row["question"],
            "completion": " ".join(row["answer"].split()[:ANSWER_WORDS]),
            "group": row["url"],
        }
        for row in records(MEDQUAD)[:count]
    ]


def pages() -> Rows:
    """Pages that MedQuAD's answers come from, as documents: those of the questions, and as many that are not."""
    return [
        {"title": f"{row['focus']}: {row['qtype']}", "text": row["answer"], "source": row["url"]}
        for row in records(MEDQUAD)[:PAGES]
    ]


def _recipe(
    instruction: str, goal: dict[str, Any], guards: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    return {
        "model": "smollm2-135m-instruct",
        "data": {
            "examples": "rows.jsonl",
            "instruction": instruction,
            "max_tokens": 384,
            "split": {"tune": 0.5, "select": 0.15, "confirm": 0.35},
        },
        "goal": goal,
        "sampling": {"max_new_tokens": 64},
        "guards": [*guards, ENGLISH, QUESTIONS],
        "ladder": ALL,
        "training": {"epochs": 2, "batch_size": 4, "learning_rate": 0.0003},
        # Exemplars that are the same for every item are read once; the nearest ones would be read for each guard item.
        "candidates": {
            "prompt": [{"exemplars": 2}, {"exemplars": 4}],
            "adapter": [{"method": "lora", "rank": 16}],
        },
        "budget": {"minutes": 40},
        **more,
    }


MEANING = {"suite": "target", "metric": "similarity", "margin": 0.05}
FACTS = {"suite": "facts-kept", "metric": "coverage", "margin": 0.15}

# Likeness to the references does not see an answer that says one thing again and again.
VARIED = {"suite": "target", "metric": "repetition", "margin": 0.05}


def _health(gain: dict[str, Any], *guards: dict[str, Any]) -> dict[str, Any]:
    return _recipe(
        "Answer this question about health in two or three sentences.",
        {"metric": "chrf", **gain},
        [*guards],
        ladder=["context", "adapter"],
    )


TASKS = {
    "paradetox": Task(
        rude_to_neutral,
        _recipe(
            "Rewrite this sentence politely. Keep what it says.",
            # Toxicity alone is no goal here: the base model has little of it, because it refuses most of these.
            {"metric": "chrf", "min_gain": 2.0, "expected_gain": 10.0},
            [{"suite": "target", "metric": "toxicity", "margin": 0.1}, MEANING],
        ),
    ),
    "hotel": Task(
        voice,
        _recipe(
            "Answer the guest in the voice of a friendly hotel agent, from the FAQ.",
            {"metric": "chrf", "min_gain": 2.0, "expected_gain": 8.0},
            [FACTS],
        ),
    ),
    "onestop": Task(
        elementary,
        _recipe(
            "Rewrite this sentence in simple English. Keep what it says.",
            # Readability alone is no goal here: the base model reads more easily than the references, by leaving out
            # most of what was said.
            {"metric": "chrf", "min_gain": 2.0, "expected_gain": 8.0},
            [{"suite": "target", "metric": "readability", "margin": 15.0}, MEANING],
        ),
    ),
    "medquad": Task(medical, _health({"min_gain": 2.0, "expected_gain": 8.0}, VARIED), documents=pages),
    # More than either change has, and no guard that the adapter breaks: so that the climb goes on to both together.
    "medquad-both": Task(medical, _health({"min_gain": 15.0, "expected_gain": 25.0}), documents=pages),
}


def write(name: str, folder: Path, count: int) -> Path:
    """Write a task's rows, documents and recipe into a folder; returns the recipe's path."""
    task = TASKS[name]
    folder.mkdir(parents=True, exist_ok=True)
    _lines(folder / "rows.jsonl", task.rows(count or task.count))
    recipe = dict(task.recipe)
    if task.documents:
        _lines(folder / "documents.jsonl", task.documents())
        recipe["data"] = {**recipe["data"], "documents": "documents.jsonl"}
    # JSON is YAML.
    (folder / "recipe.yaml").write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
    return folder / "recipe.yaml"


def _lines(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
