"""The rung *decoding*: settings of sampling, given or searched on tune, and the best of several answers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Stack
from trimtab.candidates import DecodingCandidate
from trimtab.errors import RecipeError
from trimtab.model.load import Base
from trimtab.records import SETTINGS, Example, Progress, Report
from trimtab.rungs import search
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Fitted, Speed, Workshop

# Answers are as long as references and a fifth.
LONGER = 1.2


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[DecodingCandidate]:
    """Settings around the recipe's own, as many as can be measured on select in time, at least one.

    Of a service, those alone that it is known to read, and no choice by log-probabilities where it gives none.
    """
    _check_goal(shop)
    own = shop.prepared.sampling
    warm = {} if own.temperature else {"temperature": 0.7}
    designed: list[dict[str, Any]] = [
        {"repetition_penalty": 1.1},
        {"temperature": 0.0},
        {"temperature": 0.3},
        {"best_of": 4, **warm},
        {"temperature": 0.7, "top_p": 0.9},
        {"repetition_penalty": 1.2},
        {"temperature": 0.7, "min_p": 0.1},
        {"best_of": 4, "by": "agreement", **warm},
        {"temperature": 0.7},
    ]
    found: list[DecodingCandidate] = []
    spent = 0.0
    for options in designed:
        if all(getattr(own, name, None) == value for name, value in options.items()):
            continue
        candidate = DecodingCandidate(**options)
        if unread(shop, candidate) or _unscored(shop, candidate):
            continue
        spent += _answering(shop, shop.prepared.parts["select"], candidate, speed)
        if not found or spent <= seconds:
            found.append(candidate)
    return found


def seconds(shop: Workshop, candidate: DecodingCandidate, speed: Speed) -> float:
    """Time that the search is expected to take; 0 where nothing is searched."""
    _check_goal(shop)
    _check_scores(shop, candidate)
    if not candidate.ranges:
        return 0.0
    return candidate.trials * _answering(shop, shop.some(candidate.items), candidate, speed)


def fit(shop: Workshop, candidate: DecodingCandidate) -> Fitted:
    """The settings as given, or the best of those that a search tries on items of tune.

    The cost says how many settings were tried on how many items, each with its value, and the tokens of answers.

    Raises:
        RecipeError: the goal does not read answers, several answers would be drawn at temperature 0, or the best
            would be chosen by log-probabilities that a service does not give.
        MissingPart: optuna is asked for and not installed.
    """
    _check_goal(shop)
    _check_draws(shop, candidate)
    _check_scores(shop, candidate)
    notes = _notes(shop, candidate)
    if not candidate.ranges:
        return Fitted(adjustment(candidate, {}), {"seconds": 0.0, "settings": 1, **notes})
    items = shop.some(candidate.items)
    wanted = search.Search(candidate.ranges, candidate.search, candidate.trials, shop.prepared.recipe.seed)

    def attempt(settings: Mapping[str, float]) -> search.Tried:
        return _tried(shop, candidate, settings, items)

    tried = search.run(wanted, attempt, shop.folder / "search.json")
    cost = {
        "seconds": sum(one.seconds for one in tried),
        "tokens": sum(one.tokens for one in tried),
        "settings": len(tried),
        "items": len(items),
        "search": candidate.search,
        "tried": [{**one.settings, "value": one.value} for one in tried],
        **notes,
    }
    return Fitted(adjustment(candidate, search.best(tried).settings), cost)


def adjustment(candidate: DecodingCandidate, found: Mapping[str, float]) -> Decoding:
    """The adjustment of a candidate whose ranges have been settled."""
    values = {**candidate.fixed, **found}
    settings = {name: values[name] for name in SETTINGS if name in values}
    return Decoding(settings, int(values["best_of"]), candidate.by)


def _tried(
    shop: Workshop, candidate: DecodingCandidate, settings: Mapping[str, float], items: Sequence[Example]
) -> search.Tried:
    started, tokens = time.monotonic(), 0

    def count(progress: Progress) -> None:
        nonlocal tokens
        if progress.stage == "generating" and progress.done == progress.total:
            tokens += int(progress.facts.get("tokens", 0))
        if shop.report:
            shop.report(progress)

    counted: Report = count
    value = dataclasses.replace(shop, report=counted).value(Stack((adjustment(candidate, settings),)), items)
    return search.Tried(dict(settings), value, tokens, time.monotonic() - started)


def _check_goal(shop: Workshop) -> None:
    goal = shop.prepared.goal
    if goal.needs != "generation":
        raise RecipeError(
            f"rung decoding: the goal {goal.name} reads {goal.needs}, which no setting of sampling can change",
            "take decoding off the ladder, or choose a metric of answers",
        )


def unread(shop: Workshop, candidate: DecodingCandidate) -> list[str]:
    """Settings of a candidate that a service is not known to read; none for a model that is loaded here."""
    if isinstance(shop.model, Base):
        return []
    known = (*shop.model.settings, "best_of")
    return [name for name in (*candidate.fixed, *candidate.ranges) if name not in known]


def _notes(shop: Workshop, candidate: DecodingCandidate) -> dict[str, list[str]]:
    names = ", ".join(unread(shop, candidate))
    return {"notes": [f"{names}: sent, but this service may not read it"]} if names else {}


def _unscored(shop: Workshop, candidate: DecodingCandidate) -> bool:
    """Whether the best would be chosen by log-probabilities that a service does not give."""
    return _most(candidate) > 1 and candidate.by == "likelihood" and not shop.gives_logprobs


def _check_scores(shop: Workshop, candidate: DecodingCandidate) -> None:
    if _unscored(shop, candidate):
        raise RecipeError(
            "candidates.decoding: best_of by likelihood: not available, because this service gives no "
            "log-probabilities",
            "set by to agreement, vote or repetition",
        )


def _most(candidate: DecodingCandidate) -> int:
    return candidate.best_of if isinstance(candidate.best_of, int) else candidate.best_of[1]


def _check_draws(shop: Workshop, candidate: DecodingCandidate) -> None:
    several = _most(candidate)
    given = shop.prepared.sampling.temperature if candidate.temperature is None else candidate.temperature
    if several > 1 and given == 0:
        raise RecipeError(
            f"candidates.decoding: best_of {several} at temperature 0: all draws would be the same answer",
            "set a temperature above 0 in the candidate or in sampling",
        )


def _answering(
    shop: Workshop, examples: Sequence[Example], candidate: DecodingCandidate, speed: Speed
) -> float:
    """Seconds to answer examples once."""
    own = shop.prepared.sampling
    given = candidate.temperature
    highest = max(given) if isinstance(given, tuple) else given
    warm = own.temperature if highest is None else highest
    answers = _most(candidate) * len(shop.prepared.seeds) if warm else 1
    limit = candidate.max_new_tokens or own.max_new_tokens
    longest = limit if isinstance(limit, int) else limit[1]
    tokens = sum(
        min(longest, LONGER * max(map(len, e.references), default=0) / CHARACTERS_PER_TOKEN) for e in examples
    )
    read = sum(len(e.prompt) for e in examples) / CHARACTERS_PER_TOKEN
    return answers * tokens * speed.sample + read * speed.read
