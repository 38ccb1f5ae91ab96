"""The rung *prompt*."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import fmean, quantiles
from typing import Any

import jinja2

from trimtab.adjust import prompt
from trimtab.adjust.stack import Stack
from trimtab.candidates import PromptCandidate
from trimtab.data.split import cluster_keys
from trimtab.model.find import AnyBase
from trimtab.model.load import Base, load, prompt_ids
from trimtab.model.local import Local
from trimtab.records import Example, Message, Model
from trimtab.rungs.proposals import propose
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Fitted, Speed, Workshop, in_time

# Items of tune that proposed instructions are compared on.
SCORED = 32
# Distinct answers that a list of them may have, and items of tune for each, before it counts as complete.
LABELS, ITEMS_A_LABEL = 12, 3


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[PromptCandidate]:
    """Exemplars, diverse and nearest, and the task in a sentence: as many as can be measured on select in time."""
    said = statement(shop.prepared.parts["tune"], shop.prepared.recipe.data.instruction)
    wanted = [PromptCandidate(instruction=said)]
    if any(_single(example) for example in shop.prepared.parts["tune"]):
        wanted = [
            PromptCandidate(exemplars=4, choose="nearest"),
            PromptCandidate(exemplars=2),
            PromptCandidate(instruction=said, exemplars=4, choose="nearest"),
            *wanted,
            PromptCandidate(exemplars=4),
        ]
    return in_time(wanted, lambda candidate: _on_select(shop, candidate, speed), seconds)


def seconds(shop: Workshop, candidate: PromptCandidate, speed: Speed) -> float:
    """Time that comparing proposed instructions is expected to take; choosing exemplars takes next to none."""
    if not candidate.proposals_from:
        return 1.0
    longest = shop.prepared.recipe.sampling.max_new_tokens
    scored = min(SCORED, len(shop.prepared.parts["tune"])) * len(shop.prepared.seeds)
    return (candidate.proposals + 1) * scored * (longest * speed.sample + _read(shop, candidate) * speed.read)


def fit(shop: Workshop, candidate: PromptCandidate) -> Fitted:
    """Choose exemplars from tune, and the best of the proposed instructions on tune."""
    started = time.monotonic()
    if candidate.proposals_from:
        fitted, cost = _best(shop, candidate, _proposing(shop, candidate.proposals_from))
    else:
        fitted, cost = _fitted(shop, candidate), {}
    notes = _notes(shop, candidate, fitted)
    cost |= {"notes": notes} if notes else {}
    return Fitted(fitted, {"seconds": time.monotonic() - started, **cost})


def wording(base: AnyBase, candidate: PromptCandidate) -> prompt.Wording:
    """What a candidate says; its instruction goes before the user's turn where the template has no system turn."""
    own = candidate.model_dump(exclude={"proposals_from", "proposals"})
    # A service takes a system turn, as its protocol says.
    if candidate.instruction and isinstance(base, Base) and not takes_system(base.tokenizer):
        own["prefix"] = "\n\n".join(text for text in (candidate.instruction, candidate.prefix) if text)
        own["instruction"] = ""
    return prompt.Wording(**own)


def takes_system(tokenizer: Any) -> bool:
    """Whether a chat template shows a system turn."""
    told = [Message("system", "Be brief."), Message("user", "a")]
    try:
        return prompt_ids(tokenizer, told) != prompt_ids(tokenizer, told[1:])
    except jinja2.TemplateError:
        return False


def statement(examples: Sequence[Example], instruction: str = "") -> str:
    """A sentence or two on what answers are wanted: the recipe's instruction, then what tune's answers have in common.

    A closed list of labels where few distinct answers recur; else the usual length in words (the middle half).
    """
    answers = [reference for example in examples for reference in example.references[:1]]
    distinct = sorted({answer.strip() for answer in answers})
    if 1 < len(distinct) <= LABELS and len(answers) >= ITEMS_A_LABEL * len(distinct):
        shape = f"Answer with exactly one of: {'; '.join(distinct)}."
    else:
        lengths = [len(answer.split()) for answer in answers]
        quarters = quantiles(lengths, n=4, method="inclusive") if len(lengths) > 1 else lengths
        low, high = max(1, round(quarters[0])), max(1, round(quarters[-1]))
        span = f"{low} to {high} words" if low < high else "one word" if high == 1 else f"about {high} words"
        lines = any("\n" in answer.strip() for answer in answers)
        shape = f"Answer in {span}{'' if lines or high == 1 else ', in one paragraph'}, without comments."
    return f"{instruction.strip()} {shape}".strip()


def _fitted(shop: Workshop, candidate: PromptCandidate) -> prompt.Prompt:
    tune, recipe = shop.prepared.parts["tune"], shop.prepared.recipe
    longest = recipe.sampling.max_new_tokens
    said = wording(shop.model, candidate)
    return prompt.fit(shop.model, tune, cluster_keys(tune), said, answer=longest, seed=recipe.seed)


def _best(shop: Workshop, candidate: PromptCandidate, model: Model) -> tuple[prompt.Prompt, dict[str, Any]]:
    """The candidate with the instruction that scores best on some of tune, its own among them."""
    tune, seed = shop.prepared.parts["tune"], shop.prepared.recipe.seed
    proposed = propose(model, tune, candidate.instruction, candidate.proposals, seed=seed)
    items = shop.some(SCORED)
    tried = {}
    for instruction in (candidate.instruction, *proposed):
        fitted = _fitted(shop, candidate.model_copy(update={"instruction": instruction}))
        tried[instruction] = (shop.value(Stack((fitted,)), items), fitted)
    # The first of equals is the candidate's own.
    chosen = max(tried, key=lambda instruction: tried[instruction][0])
    scores = [{"instruction": text, "tune": value} for text, (value, _) in tried.items()]
    return tried[chosen][1], {"proposals": scores, "scored_on": f"{len(items)} items of tune"}


def _proposing(shop: Workshop, name: str) -> Model:
    if name != shop.prepared.recipe.model:
        return Local(load(name))
    return Local(shop.model) if isinstance(shop.model, Base) else shop.model


def _notes(shop: Workshop, candidate: PromptCandidate, fitted: prompt.Prompt) -> list[str]:
    """What a reader should know: exemplars that do not fit, and an instruction that stands elsewhere."""
    notes = []
    if candidate.instruction and not fitted.wording.instruction and not candidate.proposals_from:
        notes.append("the template has no system turn: the instruction stands before the user's turn")
    if candidate.exemplars:
        shown = [len(fitted.shown(e.messages, e.id)) for e in shop.prepared.parts["tune"] if e.messages]
        if min(shown, default=0) < candidate.exemplars:
            notes.append(
                f"exemplars shown to tune's questions: {min(shown, default=0)} to {max(shown, default=0)} of "
                f"{candidate.exemplars}; more do not fit into the model's context, or are not there"
            )
    return notes


def _on_select(shop: Workshop, candidate: PromptCandidate, speed: Speed) -> float:
    """Seconds to measure a candidate on the target's items of select."""
    items = shop.prepared.parts["select"]
    drawn = shop.prepared.recipe.sampling.max_new_tokens * len(shop.prepared.seeds)
    return len(items) * (_read(shop, candidate) * speed.read + drawn * speed.sample)


def _read(shop: Workshop, candidate: PromptCandidate) -> float:
    """Tokens of a question with its exemplars."""
    tune = shop.prepared.parts["tune"]
    pair = fmean(len(e.prompt) + len(e.references[0]) for e in tune if e.references)
    return (pair * (candidate.exemplars + 1) + len(candidate.instruction)) / CHARACTERS_PER_TOKEN


def _single(example: Example) -> bool:
    return sum(message.role != "system" for message in example.messages) == 1
