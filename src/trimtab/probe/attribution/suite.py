"""Which sections of the prompt a whole suite's answers depend on, with intervals over items."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab import stats
from trimtab.adjust.stack import Attached
from trimtab.errors import DataError
from trimtab.model.load import Base
from trimtab.probe.attribution.attributing import Attribution, Method, Settings, attribute
from trimtab.probe.attribution.prompt import SECTIONS, Section
from trimtab.probe.attribution.targets import Target
from trimtab.records import Estimate, Example, Progress, Report


@dataclass(frozen=True, slots=True)
class Standing:
    """One section over the items that have it.

    Attributes:
        share: mean over items of |its value| / sum over the item's sections of |value|, 0 to 1.
        value: mean of its value, in nats or the metric's unit; positive: it speaks for the target.
        first: share of items in which its |value| is the largest.
    """

    section: Section
    share: Estimate
    value: Estimate
    first: Estimate


@dataclass(frozen=True, slots=True)
class Ranking:
    """Sections by falling share, by one method. `skipped`: items that the method could not look at."""

    method: Method
    standings: tuple[Standing, ...]
    items: int
    skipped: int
    worst_gap: float


@dataclass(frozen=True, slots=True)
class Driven:
    """What drove a suite's answers: a ranking for each method, and each item's attributions."""

    rankings: tuple[Ranking, ...]
    items: tuple[Attribution, ...]


def over(
    model: Base | Attached,
    examples: Sequence[Example],
    targets: Sequence[Target],
    settings: Settings | None = None,
    *,
    near: int = 0,
    seed: int = 0,
    report: Report | None = None,
) -> Driven:
    """Attribute a target for each item and rank the prompt's sections.

    Args:
        examples, targets: as many of both; items of a group are taken as dependent.
        settings: as of `attribute`; sections are looked at whether or not they are among its units.
        near: so many items, the first ones, are looked at word by word too.
        seed: of the intervals, where they resample.

    Raises:
        DataError: not as many targets as examples.
        As `attribute`.
    """
    if len(examples) != len(targets):
        raise DataError(f"{len(targets)} targets for {len(examples)} examples", "give one for each")
    settings = settings or Settings()
    if "section" not in settings.units:
        settings = dataclasses.replace(settings, units=(*settings.units, "section"))
    found: list[Attribution] = []
    closer = dataclasses.replace(settings, units=tuple(dict.fromkeys(("word", *settings.units))))
    for number, (example, target) in enumerate(zip(examples, targets, strict=True)):
        found += attribute(model, example, target, closer if number < near else settings)
        if report:
            report(Progress("attribution", number + 1, len(examples)))
    groups = {example.id: example.group for example in examples}
    rankings = [
        rank([one for one in found if (one.method, one.unit) == (method, "section")], groups, seed=seed)
        for method in settings.methods
    ]
    return Driven(tuple(one for one in rankings if one), tuple(found))


def rank(
    found: Sequence[Attribution], groups: dict[str, str] | None = None, *, seed: int = 0
) -> Ranking | None:
    """Rank sections from the items' attributions by one method at the grain of sections; None without any."""
    if not found:
        return None
    known = [one for one in found if not one.undefined]
    rows: dict[Section, list[tuple[float, float, float, str]]] = {}
    for one in known:
        sizes = np.abs(one.values)
        sizes_sum = float(sizes.sum())
        if not sizes_sum:
            continue
        for feature, value, size in zip(one.features, one.values, sizes, strict=True):
            group = (groups or {}).get(one.example, "")
            cells = (float(size) / sizes_sum, value, float(size == sizes.max()), group)
            rows.setdefault(feature.section, []).append(cells)
    standings = [_standing(section, rows[section], seed) for section in SECTIONS if section in rows]
    standings.sort(key=lambda one: -float(np.mean([cells[0] for cells in rows[one.section]])))
    gaps = [one.relative_gap for one in known if one.relative_gap == one.relative_gap]
    return Ranking(
        found[0].method,
        tuple(standings),
        len(known),
        len(found) - len(known),
        max(gaps, default=float("nan")),
    )


def _standing(section: Section, cells: Sequence[tuple[float, float, float, str]], seed: int) -> Standing:
    shares, values, firsts, groups = zip(*cells, strict=True)
    return Standing(
        section,
        share=_within(stats.interval(shares, clusters=groups, bounds=(0, 1), seed=seed)),
        value=stats.interval(values, clusters=groups, seed=seed),
        first=_within(stats.interval(firsts, clusters=groups, bounds=(0, 1), binary=True, seed=seed)),
    )


def _within(share: Estimate) -> Estimate:
    """A share cannot lie outside 0 and 1, whatever a method for differences says."""
    if share.undefined:
        return share
    return dataclasses.replace(share, low=max(0.0, share.low), high=min(1.0, share.high))
