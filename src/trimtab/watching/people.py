"""People look at live answers at a set cadence: a sample goes to the review pages by itself, beside the base model.

Each pair is an answer that was given and what the base model answers to the same question now, blindly. The review's
judgements say whether the adjusted model is still preferred. Review number k may err with rate / (k (k + 1)), which
sums to the rate over all of them, however many there will be. Decision 0029.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.adjust.stack import BASE, Stack
from trimtab.guidelines import load as load_guidelines
from trimtab.model.find import tuned_on
from trimtab.prepare import sampling_of
from trimtab.recipe import Recipe
from trimtab.recipe import load as load_recipe
from trimtab.records import Example, Message, Progress, Report
from trimtab.review import sampling
from trimtab.review.outcome import outcome
from trimtab.review.sampling import Item, Plan, Review
from trimtab.review.store import Store
from trimtab.reviewing import guidelines_shown, identity
from trimtab.run import RunFolder
from trimtab.stats.levels import level_from_alpha, series_alpha
from trimtab.watching.source import Row, Source

WEEK = 7 * 86_400.0
# Reviews whose outcome is looked at, the newest; what was seen in an older one is known by now.
NEWEST = 8


@dataclass(frozen=True, slots=True)
class Cadence:
    """How many answers people are shown, and how many seconds lie between two samples."""

    items: int
    seconds: float = WEEK


@dataclass(frozen=True, slots=True)
class Judged:
    """A review of live answers, and what it comes to by now; `content` is as review.json has it, without texts."""

    review: Review
    content: dict[str, Any]

    @property
    def worse(self) -> bool:
        """Whether the adjusted model's answers are shown to be less preferred than the base model's."""
        return bool(self.content["analysis"]["win_rate"]["outcome"] == "worse")


def judged(store: Store, folder: RunFolder, stack: str) -> list[Judged]:
    """The newest reviews of a stack's live answers, in the order in which they were begun. Looking costs nothing."""
    known = _known(store, folder, stack)[-NEWEST:]
    return [Judged(review, outcome(store, review).content) for review in known]


def sample(
    store: Store,
    folder: RunFolder,
    source: Source,
    stack: str,
    wanted: Cadence,
    *,
    rate: float,
    now: float | None = None,
    report: Report | None = None,
) -> Review | None:
    """Begin a review of answers drawn at random among those since the last sample; None where it is not due.

    The first sample is drawn from the last cadence. Whatever came by then is drawn from, each answer with the same
    chance; the review of the sample before is closed, and its texts leave the store.

    Args:
        rate: chance that a stack which people do not prefer less is ever said to be worse.

    Raises:
        ModelError: the base model cannot be loaded.
        StoreError, DataError: the store or the traffic cannot be read.
    """
    now = time.time() if now is None else now
    before = _known(store, folder, stack)
    last = before[-1].made if before else now - wanted.seconds
    if now - last < wanted.seconds:
        return None
    rows = [row for row in source.rows(stack, last) if row.traffic.stack == stack and last < row.at <= now]
    rows = [row for row in rows if row.traffic.prompt.strip()]
    if not rows:
        return None
    recipe, number = load_recipe(folder.path / "recipe.yaml"), len(before) + 1
    dice = random.Random(f"{identity(folder)} {stack} live {number}")
    drawn = dice.sample(rows, min(wanted.items, len(rows)))
    answered = _base_answers(folder, recipe, drawn, report)
    rules = guidelines_shown(load_guidelines(recipe.guidelines).guidelines if recipe.guidelines else None)
    items = [Item(row.id, _asked(row), {BASE: answered[row.id], stack: row.traffic.answer}) for row in drawn]
    review = Review(
        identity(folder), folder.path.name, "live", (BASE, stack), rules, _plan(recipe, number, rate)
    )
    begun = sampling.begin(store, review, [*sampling.training(rules), *items])
    for one in before:
        if one.closed is None:
            sampling.close(store, one.id)
    return begun


def _known(store: Store, folder: RunFolder, stack: str) -> list[Review]:
    found = sampling.found(store, identity(folder))
    return [one for one in found if one.purpose == "live" and one.stacks[1:] == (stack,)]


def _plan(recipe: Recipe, number: int, rate: float) -> Plan:
    asked = recipe.review
    return Plan(
        asked.question,
        asked.per_item,
        seed=recipe.seed + number,
        level=level_from_alpha(series_alpha(rate, number)),
    )


def _asked(row: Row) -> tuple[Message, ...]:
    return (Message("user", row.traffic.prompt),)


def _base_answers(
    folder: RunFolder, recipe: Recipe, rows: Sequence[Row], report: Report | None
) -> dict[str, str]:
    """What the base model answers to the same questions, decoded as the run measured it."""
    base = tuned_on(folder)
    examples = [Example(_asked(row), id=row.id) for row in rows]
    with Stack().attach(base, report=_named(report)) as model:
        return {
            output.example: output.text for output in model(examples, sampling_of(recipe), (recipe.seed,))
        }


def _named(report: Report | None) -> Report | None:
    if report is None:
        return None
    return lambda one: report(Progress("answering as the base model", one.done, one.total, one.facts))
