"""What can be learned from a review on select: corrections, preferences and flags, as rows of the run folder.

A review on confirm teaches nothing: its texts stay in the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from trimtab.review.reading import Said

Row = dict[str, Any]


def corrections(said: Sequence[Said], stack: str) -> list[Row]:
    """Better answers that people wrote, in the order in which they did, each beside this stack's answer."""
    return [
        {
            "example": one.vote.item,
            "messages": _messages(one),
            "completion": one.correction,
            "answer": one.texts.get(stack, ""),
            "stack": stack,
            "rater": one.vote.rater,
        }
        for one in _real(said)
        if one.correction
    ]


def preferences(said: Sequence[Said]) -> list[Row]:
    """Pairs of answers of which more people preferred one, repeats not counted; `votes` are for and against it."""
    counts: dict[tuple[str, frozenset[str]], Counter[str]] = {}
    shown: dict[tuple[str, frozenset[str]], Said] = {}
    for one in _real(said):
        pair = one.vote.item, frozenset((one.vote.left, one.vote.right))
        if one.vote.again or not one.vote.won:
            continue
        shown.setdefault(pair, one)
        counts.setdefault(pair, Counter())[one.vote.won] += 1
    found = []
    for (item, stacks), count in counts.items():
        (chosen, most), *others = count.most_common()
        fewer = sum(number for _, number in others)
        (rejected,) = stacks - {chosen}
        texts = shown[item, stacks].texts
        if most > fewer and texts[chosen] != texts[rejected]:
            found.append(
                {
                    "example": item,
                    "messages": _messages(shown[item, stacks]),
                    "chosen": texts[chosen],
                    "rejected": texts[rejected],
                    "votes": [most, fewer],
                    "stacks": [chosen, rejected],
                }
            )
    return found


def flags(said: Sequence[Said]) -> list[Row]:
    """Every flag that a person set on an answer, with the reason that they gave."""
    return [
        {
            "example": one.vote.item,
            "stack": stack,
            "text": one.texts[stack],
            "flag": flag,
            "reason": one.reason,
            "rater": one.vote.rater,
        }
        for one in _real(said)
        for stack, named in one.flags.items()
        for flag in named
    ]


def ratings(said: Sequence[Said]) -> dict[str, dict[str, list[int]]]:
    """By rule and stack, how many ratings say that its answers keep the rule, and how many there are."""
    found: dict[str, dict[str, list[int]]] = {}
    for one in _real(said):
        for rule, stacks in one.ratings.items():
            for stack, kept in stacks.items():
                count = found.setdefault(rule, {}).setdefault(stack, [0, 0])
                count[0] += kept
                count[1] += 1
    return found


def _real(said: Sequence[Said]) -> list[Said]:
    """Judgements of the run's own answers: not those that train raters or check them."""
    return [one for one in said if one.vote.share in ("estimate", "chosen")]


def _messages(one: Said) -> list[Row]:
    return [{"role": message.role, "content": message.content} for message in one.messages]
