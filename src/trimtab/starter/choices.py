"""From a user's rows to the options of a recipe, each with the reason for it.

The aim is a first verdict in twelve minutes at most on two processor cores with the embedded model, for rows that
nobody has looked at. Only the rows are read: no model, no tokenizer.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.errors import DataError
from trimtab.measure.contract import Metric
from trimtab.measure.registry import find
from trimtab.records import Example
from trimtab.starter.decision import Decision
from trimtab.starter.ladders import CONTEXTS, DECODINGS, PROMPTS, STEERINGS, Given, Traits, ladder

MINUTES = 12
# Tokens per second of the embedded model on two cores, and seconds for everything else; on the safe side.
TRAINED, WRITTEN = 250.0, 200.0
FIXED = 150.0
# What guards add for rungs before the adapter: of a rung that changes what is asked, and one of the network.
ASKING, PUSHING = 25.0, 45.0
# Tokens of the answers that steering is fitted on.
PAIRS = 32 * 64
# UTF-8 bytes in a token: fewer than usual, so that lengths in tokens are rather too long than too short.
BYTES = 3.2
# Tokens that a chat template adds to a row.
FRAME = 48
LONGEST = 2048
CONFIRM, SELECT = 200, 80
LABEL_WORDS, LABEL_COUNT, SHORT_WORDS, NAMED_LABELS = 5, 100, 3, 20
# More passes over few rows gain little and cost general English.
MOST_EPOCHS = 2.0
FEW = 40
WHY_BATCH = "small batches give more updates from few rows"
RATE = 2e-4
WHY_RATE = "small enough for general English to be kept; 0.0005 learns more and forgets more"
WHY_MINUTES = (
    "an estimate on the safe side for two cores: trimtab plan says what it takes here, and a rung that would "
    "pass the budget is skipped; give more for a better result"
)
_POINTS = "points of 100; less is hardly seen by a reader"
_SHARE = "5 answers of 100; less is rarely worth another model"
# Metric: min_gain, the reason for it, and expected_gain.
GAINS = {
    "chrf": (2.0, _POINTS, 6.0),
    "bleu": (2.0, _POINTS, 6.0),
    "accuracy": (0.05, _SHARE, 0.2),
    "exact_match": (0.05, _SHARE, 0.2),
}

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ENGLISH = re.compile(
    r"(?:the|an?|of|and|to|in|is|are|was|were|for|with|on|that|it|as|be|by|this|from|or|you|i)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What matters of a file of examples; lengths in (estimated) tokens.

    labels: the distinct answers if answers are labels, else empty; words: median of an answer's words; single: each
    row is one question; stating: most answers state numbers, nearly all of which their question holds.
    """

    rows: int
    labels: tuple[str, ...]
    words: float
    answer: int
    row: int
    mean: float
    english: bool
    single: bool = True
    stating: bool = False


def tokens(text: str) -> int:
    """An estimate, rather too long than too short, of a text's tokens."""
    return math.ceil(len(text.encode()) / BYTES)


def profile(examples: Sequence[Example]) -> Profile:
    """Measure examples that each have at least one reference.

    Raises:
        DataError: there is none.
    """
    if not examples:
        raise DataError("no examples to start from", "give a file with at least some dozen rows")
    answers = [example.references[0].strip() for example in examples]
    words = [len(answer.split()) for answer in answers]
    rows = [
        FRAME + sum(tokens(m.content) for m in example.messages) + tokens(answer)
        for example, answer in zip(examples, answers, strict=True)
    ]
    distinct = sorted(set(answers))
    are_labels = (
        max(words) <= LABEL_WORDS
        and len(distinct) <= LABEL_COUNT
        and len(examples) >= 4 * len(distinct)
        and len(distinct) > 1
    )
    return Profile(
        rows=len(examples),
        labels=tuple(distinct) if are_labels else (),
        words=statistics.median(words),
        answer=_high([tokens(answer) for answer in answers]),
        row=max(rows),
        mean=statistics.fmean(rows),
        english=_is_english([example.prompt for example in examples[:200]] + answers[:200]),
        single=all(sum(m.role != "system" for m in example.messages) == 1 for example in examples),
        stating=_states(examples),
    )


def _high(lengths: Sequence[int]) -> int:
    """The length that 98 of 100 do not exceed."""
    return sorted(lengths)[math.ceil(0.98 * len(lengths)) - 1]


def _states(examples: Sequence[Example]) -> bool:
    """Whether half of the answers hold numbers, and nine in ten of those none that their question lacks."""
    said = [set(_NUMBER.findall(example.references[0])) for example in examples]
    stating = [(numbers, example) for numbers, example in zip(said, examples, strict=True) if numbers]
    within = [
        numbers <= {n for m in e.messages for n in _NUMBER.findall(m.content)} for numbers, e in stating
    ]
    return 2 * len(stating) >= len(examples) and sum(within) >= 0.9 * len(within)


def _is_english(texts: Sequence[str]) -> bool:
    """Whether the commonest English words are as frequent as in English; yes where there are few words."""
    words = [word for text in texts for word in _WORD.findall(text)]
    return len(words) < 200 or sum(bool(_ENGLISH.fullmatch(word)) for word in words) / len(words) > 0.12


def decide(
    measured: Profile,
    *,
    goal: str = "",
    instruction: str = "",
    bare: bool = True,
    given: Given = Given(),  # noqa: B008 - frozen
) -> list[Decision]:
    """All options that depend on the data, in the order of the recipe.

    goal: the metric that the user named, or empty to choose one. instruction: the user's own. bare: whether
    the prompts are bare texts, before which an instruction can stand. given: what else the user has.
    """
    before = _instruction(measured, instruction, bare)
    added = sum(tokens(str(decision.value)) for decision in before)
    measured = dataclasses.replace(measured, row=measured.row + added, mean=measured.mean + added)
    shares = _shares(measured.rows)
    chosen = (goal, "as you asked") if goal else _metric(measured)
    rungs = ladder(given, _traits(measured, find(chosen[0])))
    # Of another model's tokens nothing is known, and rows are not padded: a byte is the shortest that a token can be.
    fits = measured.row if given.embedded else math.ceil(measured.row * BYTES)
    longest = min(_up(fits, 64), LONGEST)
    answer = min(_up(measured.answer + 8, 16), 512)
    return [
        *before,
        *_beside(given),
        Decision("data.max_tokens", longest, _why_longest(measured, longest)),
        Decision("data.split", shares, _why_split(measured.rows, shares)),
        *_goal(*chosen),
        *_labels(measured, goal),
        Decision(
            "sampling.max_new_tokens",
            answer,
            "98 of 100 of your answers fit, by an estimate on the safe side",
        ),
        *_seeds(find(chosen[0])),
        *_guards(english=measured.english, served=given.served),
        *_rules(given),
        *rungs,
        *([] if given.served else _training(measured, shares, answer, rungs)),
        Decision("budget.minutes", MINUTES, WHY_MINUTES),
    ]


def blank(*, goal: str = "", given: Given = Given()) -> list[Decision]:  # noqa: B008 - frozen
    """All options for rows that are not there yet: as for 200 rows of a paragraph or two."""
    training = [
        Decision("training.epochs", MOST_EPOCHS, "passes over your rows"),
        Decision("training.batch_size", 4, WHY_BATCH),
        Decision("training.learning_rate", RATE, WHY_RATE),
    ]
    metric = find(goal or "chrf")
    return [
        *_beside(given),
        Decision("data.max_tokens", 512, "longest prompt and answer together, about 350 words"),
        Decision("data.split", _shares(200), "the verdict is read from confirm only"),
        *_goal(goal or "chrf", "as you asked" if goal else "likeness of free text to your answers, 0 to 100"),
        Decision("sampling.max_new_tokens", 128, "longest answer, about 90 words"),
        *_seeds(metric),
        *_guards(english=True, served=given.served),
        *_rules(given),
        *ladder(given, Traits(answered=metric.needs == "generation")),
        *([] if given.served else training),
        Decision("budget.minutes", MINUTES, WHY_MINUTES),
    ]


def _traits(measured: Profile, goal: Metric) -> Traits:
    return Traits(
        measured.rows,
        measured.single,
        not measured.labels and measured.words > SHORT_WORDS,
        goal.needs == "generation",
        measured.stating,
    )


def _beside(given: Given) -> list[Decision]:
    if not given.documents:
        return []
    reason = "found beside your rows" if "documents" in given.found else "as you named them"
    return [Decision("data.documents", given.documents, reason)]


def _rules(given: Given) -> list[Decision]:
    if not given.guidelines:
        return []
    reason = "found beside your rows" if "guidelines" in given.found else "as you named them"
    return [Decision("guidelines", given.guidelines, reason)]


def _seeds(goal: Metric) -> list[Decision]:
    if goal.least_seeds < 2:
        return []
    why = "the goal compares answers to one question, and greedy ones never differ"
    return [
        Decision("sampling.temperature", 0.7, why),
        Decision("sampling.seeds", goal.least_seeds, "answers to each question that are compared"),
    ]


def _up(length: int, step: int) -> int:
    return math.ceil(length / step) * step


def _instruction(measured: Profile, given: str, bare: bool) -> list[Decision]:
    if given:
        return [Decision("data.instruction", given, "as you asked; the base model sees it too")]
    listed = ", ".join(measured.labels)
    if bare and 0 < len(measured.labels) <= NAMED_LABELS and len(listed) <= 400:
        text = f"Answer with exactly one of these, and nothing else: {listed}."
        return [
            Decision("data.instruction", text, "the base model cannot guess your labels; it sees this too")
        ]
    return []


def _why_longest(measured: Profile, longest: int) -> str:
    if measured.row > LONGEST:
        return f"your longest row has about {measured.row} tokens; what exceeds {longest} is cut off"
    return "your longest row fits"


def _shares(rows: int) -> dict[str, float]:
    confirm = round(min(0.3, CONFIRM / rows), 3)
    select = round(min(0.2, SELECT / rows), 3)
    return {"tune": round(1 - select - confirm, 3), "select": select, "confirm": confirm}


def _why_split(rows: int, shares: dict[str, float]) -> str:
    counts = " / ".join(str(round(rows * share)) for share in shares.values())
    if shares["confirm"] < 0.3:
        return f"about {counts} of your {rows} rows: more would take too long to answer"
    return f"about {counts} of your {rows} rows; the verdict is read from confirm only"


def _metric(measured: Profile) -> tuple[str, str]:
    """The metric that fits the answers, and why."""
    if measured.labels:
        return "accuracy", f"your answers are {len(measured.labels)} short labels that repeat"
    if measured.words <= SHORT_WORDS:
        return "exact_match", "your answers are short and differ, so they are right or wrong as a whole"
    words = f"{measured.words:g} words in the median"
    return "chrf", f"your answers are free text, {words}: likeness to them is measured, 0 to 100"


def _goal(metric: str, reason: str) -> list[Decision]:
    decisions = [Decision("goal.metric", metric, reason)]
    if metric not in GAINS:
        return decisions
    least, why, expected = GAINS[metric]
    return [
        *decisions,
        Decision("goal.min_gain", least, why),
        Decision(
            "goal.expected_gain", expected, "modest for a tuned small model; plan counts the power for it"
        ),
    ]


def _labels(measured: Profile, named: str) -> list[Decision]:
    if not measured.labels or named not in ("", "accuracy"):
        return []
    reason = "an answer counts by the first of these that it names"
    return [Decision("goal.options", {"labels": list(measured.labels)}, reason)]


def _guards(*, english: bool, served: bool) -> list[Decision]:
    if served:
        refusals = {"suite": "careful-requests", "metric": "refusal", "margin": 0.1, "max_new_tokens": 16}
        reason = "harmless requests must still be answered; a service gives no likelihoods to guard more by"
        return [Decision("guards", [refusals], reason)] if english else []
    questions = {"suite": "general-questions", "metric": "choice", "margin": 0.1}
    passages = {"suite": "general-english", "metric": "nll", "margin": 0.05}
    if not english:
        reason = "knowledge must be kept; no guard of English text, because your rows are not English"
        return [Decision("guards", [questions], reason)]
    reason = "general English and knowledge must be kept; tighter margins need more items to prove"
    return [Decision("guards", [passages, questions], reason)]


def _training(
    measured: Profile, shares: dict[str, float], answer: int, rungs: Sequence[Decision]
) -> list[Decision]:
    """Epochs that fit into the time that answering leaves over."""
    on = {decision.option.removeprefix("ladder.") for decision in rungs}
    tried = {
        "prompt": len(PROMPTS),
        "context": len(CONTEXTS),
        "decoding": len(DECODINGS),
        "steering": len(STEERINGS),
    }
    more = [count for rung, count in tried.items() if rung in on]
    passes = (2 + sum(more)) * shares["select"] + (2 + len(more)) * shares["confirm"]
    drawn = measured.rows * passes * answer + PAIRS * ("steering" in on)
    fixed = FIXED + ASKING * len(on & {"prompt", "context"}) + PUSHING * ("steering" in on)
    seconds = max(MINUTES * 60 - fixed - drawn / WRITTEN, 60)
    epoch = measured.rows * shares["tune"] * min(measured.mean, LONGEST) / TRAINED
    epochs = max(min(math.floor(4 * seconds / epoch) / 4, MOST_EPOCHS), 0.25)
    minutes = max(epoch * epochs / 60, 0.1)
    reason = f"passes over your rows: about {minutes:.1f} minutes of training on two cores"
    if epoch * epochs > 1.5 * seconds:
        reason += ": your rows are many or long"
    return [
        Decision("training.epochs", epochs, reason),
        Decision("training.batch_size", 4, WHY_BATCH),
        Decision("training.learning_rate", RATE, WHY_RATE),
    ]


def as_yaml(value: object) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_yaml(item) for item in value) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", value):
        return (
            value
            if value.lower() not in ("yes", "no", "true", "false", "null", "on", "off")
            else f'"{value}"'
        )
    return json.dumps(value, ensure_ascii=False)
