"""Which rungs a recipe begins with, with what weight, and what each of them tries first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trimtab.starter.decision import Decision

# What the light rungs and steering try: few settings, so that all of them take minutes.
PROMPTS = [{"exemplars": 4, "choose": "nearest"}, {"exemplars": 2}]
CONTEXTS = [{"passages": 1, "method": "bm25"}, {"passages": 3, "method": "bm25"}]
DECODINGS = [{"repetition_penalty": 1.1}, {"temperature": 0.3}]
STEERINGS = [{"most": 32, "strength": 0.5}, {"most": 32, "strength": 1.0}]
ADAPTER = [{"method": "lora", "rank": 16, "blocks": list(range(-10, 0))}]
WHY_ADAPTER = (
    "the last ten blocks: enough for tone and form, and twice as fast as all; add more to choose from"
)
# Rows that steering and exemplars are fitted on at least.
FEWEST = 40


@dataclass(frozen=True, slots=True)
class Given:
    """What a user has beside the rows: a model, documents and guidelines, by the names that the recipe gives them.

    served: the model is a service, which keeps its weights. embedded: it is the embedded default. found: what was not
    named but found beside the rows.
    """

    model: str = "smollm2-135m-instruct"
    served: bool = False
    embedded: bool = True
    documents: str = ""
    guidelines: str = ""
    found: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Traits:
    """What of the rows and the goal decides on rungs.

    single: each row is one question; free: answers are free text, no labels or short facts; answered: the goal reads
    answers; stating: answers state numbers, and their question holds them.
    """

    rows: int = 200
    single: bool = True
    free: bool = True
    answered: bool = True
    stating: bool = False


def ladder(given: Given, traits: Traits) -> list[Decision]:
    """The rungs with their weights, and candidates of those that are not left to defaults; a reason for each."""
    reasons = _light(given, traits)
    tried = {"prompt": PROMPTS, "context": CONTEXTS, "decoding": DECODINGS, "steering": STEERINGS}
    if not traits.single or traits.rows < FEWEST:
        del tried["prompt"]
    if not given.served:
        if traits.free and traits.rows >= FEWEST:
            reasons["steering"] = (
                "pushes a block from the model's own answers towards yours: tone and form without training"
            )
        reasons["adapter"] = (
            "the change that learns most; it keeps most of the error rate, so that what the smaller ones "
            "spend costs it little"
        )
        if given.embedded:
            tried["adapter"] = ADAPTER
    weights = dict.fromkeys(reasons, 1)
    if "adapter" in weights:
        weights["adapter"] = len(weights)
    return [
        *(Decision(f"ladder.{rung}", weights[rung], reason) for rung, reason in reasons.items()),
        *(Decision(f"candidates.{rung}", tried[rung], WHY[rung]) for rung in reasons if rung in tried),
    ]


WHY: Mapping[str, str] = {
    "prompt": "your own rows as solved examples: the nearest to each question, or the same for all",
    "context": "one passage before each question, and three, found by shared words",
    "decoding": "a little against repetition, and a little warmth; repetition is what small models do",
    "steering": "half a typical activation and a whole one, at the block that tells the two sides apart best",
    "adapter": WHY_ADAPTER,
}


def _light(given: Given, traits: Traits) -> dict[str, str]:
    """The rungs that change no weight, in the ladder's order, and why each is there."""
    reasons = {"prompt": "the smallest change: other words around the question, nothing to install or train"}
    if given.documents:
        reasons["context"] = "you have documents: passages of them before each question"
    if traits.answered and traits.free:
        reasons["decoding"] = "how answers are drawn; costs nothing when the model is used"
    if given.guidelines:
        reasons["postprocess"] = "you have guidelines: their rules are applied to each answer"
    elif traits.answered and traits.stating:
        reasons["postprocess"] = "your answers take their numbers from the question: others are edited out"
    return reasons
