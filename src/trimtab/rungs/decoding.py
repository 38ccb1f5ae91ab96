"""The rung *decoding*: settings of sampling, given or searched on tune, and the best of several answers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.adjust.decoding import Decoding
from trimtab.adjust.overlay import NAMES
from trimtab.adjust.stack import Stack
from trimtab.candidates import DecodingCandidate
from trimtab.errors import RecipeError
from trimtab.records import Example, Progress, Report
from trimtab.rungs import search
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Fitted, Speed, Workshop

# Answers are as long as references and a fifth.
LONGER = 1.2


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[DecodingCandidate]:
    """Settings around the recipe's own, as many as can be measured on select in time, at least one."""
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
        spent += _answering(shop, shop.prepared.parts["select"], candidate, speed)
        if not found or spent <= seconds:
            found.append(candidate)
    return found


def seconds(shop: Workshop, candidate: DecodingCandidate, speed: Speed) -> float:
    """Time that the search is expected to take; 0 where nothing is searched."""
    _check_goal(shop)
    if not candidate.ranges:
        return 0.0
    return candidate.trials * _answering(shop, shop.some(candidate.items), candidate, speed)


def fit(shop: Workshop, candidate: DecodingCandidate) -> Fitted:
    """The settings as given, or the best of those that a search tries on items of tune.

    The cost says how many settings were tried on how many items, each with its value, and the tokens of answers.

    Raises:
        RecipeError: the goal does not read answers, or several answers would be drawn at temperature 0.
        MissingPart: optuna is asked for and not installed.
    """
    _check_goal(shop)
    _check_draws(shop, candidate)
    if not candidate.ranges:
        return Fitted(adjustment(candidate, {}), {"seconds": 0.0, "settings": 1})
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
    }
    return Fitted(adjustment(candidate, search.best(tried).settings), cost)


def adjustment(candidate: DecodingCandidate, found: Mapping[str, float]) -> Decoding:
    """The adjustment of a candidate whose ranges have been settled."""
    values = {**candidate.fixed, **found}
    settings = {name: values[name] for name in NAMES if name in values}
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


def _check_draws(shop: Workshop, candidate: DecodingCandidate) -> None:
    several = candidate.best_of if isinstance(candidate.best_of, int) else candidate.best_of[1]
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
    most = candidate.best_of if isinstance(candidate.best_of, int) else candidate.best_of[1]
    answers = most * len(shop.prepared.seeds) if warm else 1
    limit = candidate.max_new_tokens or own.max_new_tokens
    longest = limit if isinstance(limit, int) else limit[1]
    tokens = sum(
        min(longest, LONGER * max(map(len, e.references), default=0) / CHARACTERS_PER_TOKEN) for e in examples
    )
    read = sum(len(e.prompt) for e in examples) / CHARACTERS_PER_TOKEN
    return answers * tokens * speed.sample + read * speed.read
