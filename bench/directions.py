"""Two directions to steer the embedded model by: what they are fitted from, what is asked, how an answer is scored.

    tone      40 pairs of reviews, good and bad, of the same things (reviews.jsonl, written for this project, CC0);
              then the model describes kinds of products, which nobody asked it to praise
    brevity   60 questions of the demo, each with its right choice as the answer and with the model's own answer;
              then it answers other questions of the demo

Neither score can be raised by saying something again: one counts different words, the other asks for a right answer
in few words. Items are shared out by their place in the file before anything is fitted.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from trimtab.adjust.contrast import Contrast
from trimtab.adjust.stack import Stack
from trimtab.language.text import words
from trimtab.model import likelihood
from trimtab.model.load import Base
from trimtab.records import Example, Message, Sampling

REVIEWS = Path(__file__).resolve().parent / "reviews.jsonl"
QUESTIONS = 60
BRIEF = 12


@dataclass(frozen=True)
class Direction:
    """What is steered towards.

    Attributes:
        measured: what the score counts, an answer.
        bounds: smallest and largest possible score; None: unbounded.
        tokens: most new tokens of an answer.
        contrasts: the pairs that the direction is fitted from.
        explore, confirm: items on which choices are made, and on which they are tried once; disjoint.
        score: of one answer; higher is more of it.
    """

    name: str
    measured: str
    bounds: tuple[float, float] | None
    tokens: int
    contrasts: Callable[[Base], list[Contrast]]
    explore: tuple[Example, ...]
    confirm: tuple[Example, ...]
    score: Callable[[Example, str], float]


def tone() -> Direction:
    """Warmth: a third of the kinds of products to choose on, the rest to confirm on."""
    kinds = dict.fromkeys(p["spec"]["type"] for p in _demo("products") if "type" in p["spec"])
    asked = [
        Example(_asked(f"Describe {'an' if kind[0] in 'aeiou' else 'a'} {kind} in a few sentences."), id=kind)
        for kind in kinds
    ]
    return Direction(
        "tone",
        "different positive less negative words",
        None,
        40,
        _reviews,
        tuple(asked[::3]),
        tuple(one for place, one in enumerate(asked) if place % 3),
        warmth,
    )


def brevity() -> Direction:
    """Short right answers: 60 questions to fit on, others to choose on, others to confirm on."""
    questions = _demo("questions")
    fitted, unused = questions[::3][:QUESTIONS], questions[::3][QUESTIONS:]
    explore, confirm = (
        tuple(filter(None, map(_question, rows))) for rows in (questions[1::3], questions[2::3] + unused)
    )
    return Direction(
        "brevity",
        f"share right in at most {BRIEF} words",
        (0.0, 1.0),
        64,
        lambda base: _answers(base, fitted),
        explore,
        confirm,
        lambda example, text: float(right(example, text) and len(words(text)) <= BRIEF),
    )


def warmth(example: Example, text: str) -> float:
    """Different words rated positive by VADER's list (Hutto and Gilbert 2014), less those rated negative."""
    rated = [_lexicon().get(word, 0.0) for word in {word.lower() for word in words(text)}]
    return float(sum(value > 0 for value in rated) - sum(value < 0 for value in rated))


def right(example: Example, text: str) -> bool:
    """Whether an answer holds the right choice, as whole words."""
    return _holds(text, example.references[0])


def _holds(text: str, choice: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(choice.lower())}(?!\w)", text.lower()))


def _question(row: dict[str, Any]) -> Example | None:
    """A question without its choices; None where its right answer stands in the question."""
    choice = re.sub(r"^(an?|the) ", "", row["choices"][row["answer"]], flags=re.IGNORECASE)
    if _holds(row["question"], choice):
        return None
    return Example(_asked(row["question"]), (choice,), id=row["id"])


def _reviews(base: Base) -> list[Contrast]:
    rows = [json.loads(line) for line in REVIEWS.read_text(encoding="utf-8").splitlines()]
    asked = [_asked(f"Write a short review of {row['subject']}.") for row in rows]
    return [
        Contrast(*(likelihood.row(base, messages, row[side]) for side in ("positive", "negative")))
        for messages, row in zip(asked, rows, strict=True)
    ]


def _answers(base: Base, rows: Sequence[dict[str, Any]]) -> list[Contrast]:
    examples = [Example(_asked(row["question"]), id=row["id"]) for row in rows]
    with Stack().attach(base) as generate:
        said = [output.text for output in generate(examples, Sampling(max_new_tokens=64))]
    short = [
        f"{choice[0].upper()}{choice[1:]}." for choice in (row["choices"][row["answer"]] for row in rows)
    ]
    return [
        Contrast(likelihood.row(base, e.messages, brief), likelihood.row(base, e.messages, own))
        for e, brief, own in zip(examples, short, said, strict=True)
    ]


def _asked(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


def _demo(name: str) -> list[dict[str, Any]]:
    text = resources.files("trimtab").joinpath("demo", f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@functools.cache
def _lexicon() -> dict[str, float]:
    found: dict[str, float] = SentimentIntensityAnalyzer().lexicon
    return found
