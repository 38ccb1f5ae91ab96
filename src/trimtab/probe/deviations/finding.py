"""The report of a trial's failures: kinds, sizes, examples, what they are linked to, what to try for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trimtab.audit.meaning.embedded import scaled
from trimtab.document.figures import interval, significant
from trimtab.document.masking import mask, printable
from trimtab.document.sections import Section, Table
from trimtab.errors import StatisticsError
from trimtab.language.text import shortened, words
from trimtab.probe.deviations import clusters, comparing, rules
from trimtab.probe.deviations.items import Bar, Item, missed
from trimtab.probe.deviations.links import Link, features, links
from trimtab.records import Estimate, plain
from trimtab.stats.tables import wilson

# Vectors (n, hidden) of length 1 of n texts.
Encode = Callable[[Sequence[str]], np.ndarray]
EXAMPLES, SHOWN, CHARACTERS = 3, 20, 240
GRAM, WORDS, REPEATED = 3, 12, 0.3
ALL = "all failures"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A kind of failure.

    Attributes:
        name: its number and its terms, masked. items: ids of its members.
        share: of all items measured. examples: (prompt, answer) of members, masked and cut.
        signs: metrics and seen signs, with the share of members that show them.
    """

    name: str
    items: tuple[str, ...]
    share: Estimate
    examples: tuple[tuple[str, str], ...]
    signs: Mapping[str, float]
    advice: rules.Rule


@dataclass(frozen=True, slots=True)
class Deviations:
    """The failures among n items. `apart`: silhouette of the clusters, nan for one. `passing`: ids."""

    n: int
    failing: Estimate
    clusters: tuple[Cluster, ...]
    links: tuple[Link, ...]
    apart: float
    passing: tuple[str, ...]
    seed: int


def deviations(items: Sequence[Item], bars: Sequence[Bar], encode: Encode, *, seed: int = 0) -> Deviations:
    """Cluster the items that fail, name each kind, and say what failing goes with.

    Raises:
        StatisticsError: no items, or two of one id.
        MissingPart: the encoder is not installed.
    """
    ids = [item.id for item in items]
    if not items or len(set(ids)) != len(ids):
        raise StatisticsError(f"{len(items)} items with {len(set(ids))} ids", "give each item once")
    misses = missed(items, bars)
    failing = np.array([bool(one) for one in misses])
    total = wilson(int(failing.sum()), len(items))
    passing = tuple(item.id for item, fails in zip(items, failing, strict=True) if not fails)
    if not failing.any():
        return Deviations(len(items), total, (), (), float("nan"), passing, seed)
    prompts = encode([item.prompt for item in items])
    answers = encode([item.answer for item in items])
    failed = [item for item, fails in zip(items, failing, strict=True) if fails]
    codes, apart = clusters.clusters(scaled((prompts + answers)[failing]), failed, seed)
    coded = {item.id: int(code) for item, code in zip(failed, codes, strict=True)}
    of_item = dict(zip(ids, misses, strict=True))
    found = tuple(
        _cluster(
            f"{number + 1}: {name}",
            [item for item in failed if coded[item.id] == number],
            of_item,
            len(items),
        )
        for number, name in enumerate(clusters.names(items, coded))
    )
    wheres = {ALL: np.ones(len(items), dtype=bool)}
    if len(found) > 1:
        near = clusters.nearest(prompts, prompts[failing], codes)
        wheres |= {one.name: near == number for number, one in enumerate(found)}
    linked = links(features(items, prompts, seed), wheres, failing)
    safe = tuple(replace(link, what=mask(printable(link.what))) for link in linked)
    return Deviations(len(items), total, found, safe, apart, passing, seed)


def _cluster(name: str, own: Sequence[Item], misses: Mapping[str, tuple[str, ...]], n: int) -> Cluster:
    counts = Counter(metric for item in own for metric in set(misses[item.id]))
    counts[rules.CUT] = sum(item.cut for item in own)
    counts[rules.REPEATS] = sum(repeats(item.answer) for item in own)
    signs = {sign: count / len(own) for sign, count in counts.items() if count}
    shown = tuple((_cut(item.prompt), _cut(item.answer)) for item in own[:EXAMPLES])
    return Cluster(
        name, tuple(item.id for item in own), wilson(len(own), n), shown, signs, rules.advice(signs)
    )


def repeats(text: str) -> bool:
    """Whether, of an answer of twelve words or more, 30% of runs of three words stand in it before."""
    own = [word.lower() for word in words(text)]
    runs = [tuple(own[at : at + GRAM]) for at in range(len(own) - GRAM + 1)]
    return len(own) >= WORDS and 1 - len(set(runs)) / len(runs) >= REPEATED


def _cut(text: str) -> str:
    return shortened(" ".join(mask(printable(text)).split()), CHARACTERS)


def section(found: Deviations, fates: Sequence[comparing.Fate] = ()) -> Section:
    """The kinds of failure, their examples, what they are linked to, and what became of those of another trial."""
    said = [
        f"{sum(len(one.items) for one in found.clusters)} of {found.n} items fail: "
        f"{interval(found.failing, signed=False)}.",
        "Links are Fisher's tests of items that fail against those that pass, among all items and among those whose "
        "prompts are nearest to a kind, corrected for their number by Holm. A link is no cause.",
    ]
    kinds = tuple(
        (
            one.name,
            f"{len(one.items)}",
            interval(one.share, signed=False),
            ", then ".join(one.advice.rungs),
            f"{one.advice.sign}: {one.advice.reason}",
        )
        for one in found.clusters
    )
    shown = tuple((one.name, *pair) for one in found.clusters for pair in one.examples)
    linked = tuple(
        (
            link.where,
            link.what,
            f"{link.inside[0]} of {link.inside[1]}",
            f"{link.passing[0]} of {link.passing[1]}",
            significant(link.adjusted, 2),
        )
        for link in found.links[:SHOWN]
        if link.found
    )
    if not linked:
        said.append(f"Nothing that was looked at ({len(found.links)} tests) is linked to failing.")
    tables: tuple[Table, ...] = (
        Table("Kinds of failure", ("kind", "items", "share of all", "try", "because"), kinds),
        Table("Examples of each kind", ("kind", "prompt", "answer"), shown, quotes=True),
        Table("What failing goes with", ("where", "what", "there", "passing", "p (Holm)"), linked),
    )
    if fates:
        said.append(comparing.SAID)
        tables = (*tables, comparing.table(fates))
    data = {**values(found), "fates": plain(fates)}
    return Section("deviations", "Where it fails", tuple(said), tuple(t for t in tables if t.rows), data)


def values(found: Deviations) -> dict[str, Any]:
    """JSON values of the failures."""
    return dict(plain(found))
