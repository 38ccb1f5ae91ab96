"""What goes with failing: properties of prompts and settings, by Fisher's test, for their number by Holm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.audit.meaning import topics
from trimtab.language.text import words
from trimtab.probe.deviations.items import Item
from trimtab.records import Estimate
from trimtab.stats.tables import fisher, holm, log_odds_ratio

# A property of fewer items, or of all but so few, cannot be linked to anything.
FEWEST = 5
MOST = 60
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Link:
    """A property, in items that fail beside those that pass.

    Attributes:
        where: "all failures": among all items; a cluster's name: among the items whose prompts are nearest to it. A
            cluster's members beside all that pass would differ in whatever they are alike in, failing or not.
        inside, passing: how many have it, of how many.
        odds: natural logarithm of the odds ratio, above 0 where failures have it more often.
        p_value: two-sided, of this test alone; adjusted: for all tests of the report.
    """

    where: str
    what: str
    inside: tuple[int, int]
    passing: tuple[int, int]
    odds: Estimate
    p_value: float
    adjusted: float

    @property
    def found(self) -> bool:
        """Whether it stands at 5%, for all tests together."""
        return self.adjusted < LEVEL


def features(items: Sequence[Item], vectors: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Properties of n items as masks (n,), none of which reads an answer or a score.

    Length of the prompt against its median, digits, a question mark, topic (clusters of their vectors (n, hidden)
    of length 1, of 100 items or more), group, tags, and settings that differ between items; the most frequent sixty.
    """
    long = np.array([len(words(item.prompt)) for item in items])
    found = {
        "a long prompt": long > np.median(long),
        "a number in the prompt": np.array([any(c.isdigit() for c in item.prompt) for item in items]),
        "a question mark": np.array(["?" in item.prompt for item in items]),
    }
    if len(items) >= topics.FEWEST:
        made = topics.topics(vectors.astype(np.float32), [item.prompt for item in items], seed)
        for code, name in enumerate(made.names):
            found[f"topic {code + 1}: {name}"] = made.codes == code
    named: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        own = {f"group {item.group}"} if item.group else set()
        own |= {f"tag {tag}" for tag in item.tags}
        own |= {f"{key} {value}" for key, value in item.settings.items()}
        for name in own:
            named.setdefault(name, []).append(place)
    for name, places in sorted(named.items()):
        found[name] = np.isin(np.arange(len(items)), places)
    usable = {k: v for k, v in found.items() if FEWEST <= int(v.sum()) <= len(items) - FEWEST}
    kept = sorted(usable, key=lambda name: -int(usable[name].sum()))[:MOST]
    return {name: mask for name, mask in usable.items() if name in kept}


def links(
    found: Mapping[str, np.ndarray], wheres: Mapping[str, np.ndarray], failing: np.ndarray
) -> tuple[Link, ...]:
    """Every property in every place, in items that fail beside those that pass there; ordered by adjusted p value.

    Args:
        found: properties as masks (n,). wheres: places by name, as masks (n,) of items that fail or pass there.
        failing: (n,), whether an item fails.
    """
    tests = []
    for where, there in wheres.items():
        for what, has in found.items():
            tests.append((where, what, _counts(has, there & failing), _counts(has, there & ~failing)))
    ps = [fisher(inside, outside) for _, _, inside, outside in tests]
    made = [
        Link(
            where,
            what,
            (inside[0], sum(inside)),
            (outside[0], sum(outside)),
            log_odds_ratio(inside, outside),
            p,
            corrected,
        )
        for (where, what, inside, outside), p, corrected in zip(tests, ps, holm(ps), strict=True)
    ]
    return tuple(sorted(made, key=lambda link: (link.adjusted, link.p_value)))


def _counts(has: np.ndarray, mask: np.ndarray) -> tuple[int, int]:
    return int((has & mask).sum()), int((~has & mask).sum())
