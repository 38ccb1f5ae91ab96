"""What the judgements of a review come to: the figures that review.json keeps, from the store alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trimtab import stats
from trimtab.records import plain
from trimtab.review import learning, machines, reading
from trimtab.review.analysis import Analysis, analyse
from trimtab.review.reading import Said
from trimtab.review.sampling import Review
from trimtab.review.store import Store


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said, and its figures as values and as JSON values; these hold no text that was shown or written."""

    said: list[Said]
    analysis: Analysis
    content: dict[str, Any]


def outcome(store: Store, review: Review) -> Outcome:
    """What was judged by now of the base model beside the first other stack. Looking costs nothing."""
    plan, said, order = review.plan, reading.said(store, review.id), reading.order(store, review.id)
    votes = [one.vote for one in said]
    analysis = analyse(
        votes,
        (review.stacks[0], review.stacks[1]),
        order,
        level=plan.level,
        min_gain=plan.min_gain,
        margin=plan.margin,
        seed=plan.seed,
    )
    real = [vote for vote in votes if vote.share in ("estimate", "chosen") and not vote.again]
    ratings = {
        rule: {stack: stats.wilson(kept, count) for stack, (kept, count) in stacks.items()}
        for rule, stacks in learning.ratings(said).items()
    }
    content: dict[str, Any] = {
        "review": review.id,
        "purpose": review.purpose,
        "begun": review.made,
        "question": plan.question,
        "per_item": plan.per_item,
        "stacks": review.stacks,
        "guidelines": review.guidelines.get("version", ""),
        "role": "goal" if plan.margin is None else "guard",
        "items": len(order),
        "judgements": len(real),
        "analysis": analysis,
        "ratings": ratings,
        "machines": machines.held(store, review, votes),
    }
    return Outcome(said, analysis, plain(content))
