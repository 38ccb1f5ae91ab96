"""What one pass of a stack over a suite takes: answers drawn, and tokens read, beyond what the base model needs.

The plan counts with it before anything is fitted, so every figure is the most that a candidate's options allow:
as many exemplars and passages as it may show, as many draws as its range ends at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from trimtab.adjust.stack import hooks_of
from trimtab.candidates import (
    Candidate,
    ContextCandidate,
    DecodingCandidate,
    PostprocessCandidate,
    PromptCandidate,
    Rung,
)
from trimtab.model.service import served
from trimtab.prepare import GuardSuite, Prepared
from trimtab.records import Example, Part
from trimtab.rungs.context import shown
from trimtab.rungs.decoding import LONGER
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Speed, Workshop

ALL_HOOKS = frozenset({"messages", "sampling", "network", "text"})
# Tokens of a chat template around a text that is read.
FRAME = 25


@dataclass(frozen=True, slots=True)
class Pass:
    """How a stack answers, where that costs more or less than the base model's own answer.

    Attributes:
        hooks: of the stack; a guard that none of them touches is not measured.
        draws: answers drawn for each that is given, a draft included.
        temperature, longest: instead of the recipe's sampling.
        beside: tokens read with each question, different for each.
        before: tokens read before every question alike: once where beginnings are shared, each time at a service.
        again: times that a question is read again with an answer to it.
    """

    hooks: frozenset[str] = ALL_HOOKS
    draws: int = 1
    temperature: float | None = None
    longest: int | None = None
    beside: float = 0.0
    before: float = 0.0
    again: int = 0

    def over(self, under: Pass) -> Pass:
        """Both in one stack, this one over the other."""
        return Pass(
            self.hooks | under.hooks,
            self.draws * under.draws,
            under.temperature if self.temperature is None else self.temperature,
            under.longest if self.longest is None else self.longest,
            self.beside + under.beside,
            self.before + under.before,
            self.again + under.again,
        )


BASE = Pass()


def of(shop: Workshop, rung: Rung, candidate: Candidate) -> Pass:
    """The pass of a candidate's stack."""
    hooks = hooks_of(rung)
    if isinstance(candidate, PromptCandidate):
        return _prompt(shop, candidate, hooks)
    if isinstance(candidate, ContextCandidate):
        return Pass(hooks, beside=shown(shop, candidate))
    if isinstance(candidate, DecodingCandidate):
        draws = int(_most(candidate.best_of) or 1)
        longest = _most(candidate.max_new_tokens)
        return Pass(
            hooks,
            draws,
            _most(candidate.temperature),
            None if longest is None else int(longest),
            again=draws if draws > 1 and candidate.by == "judgement" else 0,
        )
    if isinstance(candidate, PostprocessCandidate) and candidate.confidence is not None:
        asked = candidate.confidence
        sampled = bool({"entropy", "agreement"} & set(asked.features))
        return Pass(hooks, 1 + asked.samples * sampled, again=int("p_true" in asked.features))
    return Pass(hooks)


def calibrates(candidate: Candidate) -> bool:
    """Whether select is answered once more, to calibrate a confidence."""
    return isinstance(candidate, PostprocessCandidate) and candidate.confidence is not None


def seconds(prepared: Prepared, speed: Speed, part: Part, how: Pass = BASE) -> float:
    """Seconds to measure one stack on one part: the target's items, and every guard suite that it can touch."""
    held = prepared.untouched(how.hooks, part)
    items = prepared.parts[part]
    longest = how.longest or prepared.recipe.sampling.max_new_tokens
    answers = [min(longest, _tokens(e.references[0]) * LONGER) for e in items]
    found = _answered(prepared, speed, items, answers, how)
    for guard in prepared.guards:
        if not guard.on_target and guard.key not in held:
            found += _guard(prepared, guard, guard.parts[part], speed, how)
    return found


def _prompt(shop: Workshop, candidate: PromptCandidate, hooks: frozenset[str]) -> Pass:
    tune = shop.prepared.parts["tune"]
    pairs = [len(e.prompt) + len(e.references[0]) for e in tune if e.references]
    exemplars = candidate.exemplars * (fmean(pairs) if pairs else 0.0) / CHARACTERS_PER_TOKEN
    own = _tokens(candidate.prefix + candidate.suffix)
    # Exemplars that are the same for all stand before the question, as an instruction does.
    near = candidate.choose == "nearest"
    return Pass(
        hooks,
        draws=2 if candidate.revise.strip() else 1,
        beside=own + (exemplars if near else 0.0),
        before=_tokens(candidate.instruction) + (0.0 if near else exemplars),
        again=1 if candidate.revise.strip() else 0,
    )


def _guard(prepared: Prepared, guard: GuardSuite, items: Sequence[Example], speed: Speed, how: Pass) -> float:
    if guard.metric.needs == "generation":
        longest = how.longest or guard.max_new_tokens or prepared.recipe.sampling.max_new_tokens
        return _answered(prepared, speed, items, [float(longest)] * len(items), how)
    texts = [e.prompt + "".join(e.references) + "".join(map(str, e.fields.get("choices", ()))) for e in items]
    read = sum(_tokens(text) + FRAME for text in texts)
    asking = [e for e in items if _asks(guard, e)] if "messages" in how.hooks else []
    return (read + _more(prepared, how, len(asking))) * speed.read


def _asks(guard: GuardSuite, example: Example) -> bool:
    """Whether a likelihood is read after a conversation, around which words can stand."""
    return guard.metric.asks is not None and any(messages for messages, _ in guard.metric.asks(example))


def _answered(
    prepared: Prepared, speed: Speed, items: Sequence[Example], answers: Sequence[float], how: Pass
) -> float:
    """Seconds to answer items once for each seed; a greedy answer is drawn once for all seeds."""
    own = prepared.recipe.sampling.temperature
    warm = own if how.temperature is None else how.temperature
    seeds = len(prepared.seeds) if warm else 1
    prompts = sum(_tokens(e.prompt) for e in items)
    again = how.again * seeds * (prompts + how.beside * len(items) + sum(answers))
    read = prompts + _more(prepared, how, len(items)) + again
    return seeds * how.draws * sum(answers) * speed.sample + read * speed.read


def _more(prepared: Prepared, how: Pass, count: int) -> float:
    """Tokens read around so many questions."""
    times = count if served(prepared.recipe.model) else min(count, 1)
    return how.beside * count + how.before * times


def _most(value: float | tuple[float, float] | None) -> float | None:
    return value[1] if isinstance(value, tuple) else value


def _tokens(text: str) -> float:
    return len(text) / CHARACTERS_PER_TOKEN
