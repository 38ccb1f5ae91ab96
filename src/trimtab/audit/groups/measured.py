"""The figures of groups of people: shares, sentiment and associations, each with its interval.

Rows are the unit, since sentences of one row are not independent; a sentence that stands in several rows counts once,
for the first of them. Two groups are compared by rows with a sentence that names one of them and not the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trimtab import stats
from trimtab.errors import MissingPart
from trimtab.groups.axes import Group, attributes, lexicon
from trimtab.measure.tone import sentiment
from trimtab.records import NAN, Estimate, Example

if TYPE_CHECKING:
    from trimtab.audit.groups.counting import Groups, Sample

# Groups that fewer rows speak of are not compared, nor attributes that fewer rows of the two have: by their margins
# alone, which says nothing of the association, so that the correction for many tests stays right.
FEWEST, RAREST = 20, 5
LEAST_RATED = 10
SIDES = ("prompts", "answers")


@dataclass(frozen=True, slots=True)
class Association:
    """How much more often an attribute stands beside one group than beside another, of the same axis.

    Attributes:
        have, of: rows of each group with the attribute, and all rows of each group.
        ratio: log odds ratio, above 0 where the first group has it more often.
        p: of Fisher's exact test, after Holm's correction over all associations of the data.
        rows: those of the group that has it more often, ascending.
    """

    one: Group
    other: Group
    attribute: str
    have: tuple[int, int]
    of: tuple[int, int]
    ratio: Estimate
    p: float
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures.

    Attributes:
        texts: rows with a prompt, and rows with an answer.
        counts, shares: of rows that name a group, by side and group.
        terms: rows that have a term, by side, group and term.
        sentiment: mean compound of the rated sentences by group; empty where vaderSentiment lacks.
        lacking: why there is no sentiment.
        associations: by p value.
        halves: of axes whose groups are about even, rows whose answers name only the first and only the second group.
        kept: the share of sentences that associations were counted over.
    """

    texts: Mapping[str, int]
    counts: Mapping[str, Mapping[Group, int]]
    shares: Mapping[str, Mapping[Group, Estimate]]
    terms: Mapping[str, Mapping[Group, Mapping[str, int]]]
    sentiment: Mapping[Group, Estimate]
    lacking: str
    associations: tuple[Association, ...]
    halves: Mapping[tuple[Group, Group], tuple[np.ndarray, np.ndarray]]
    kept: float


class _Spoken(NamedTuple):
    """Distinct sentences in the order of their rows."""

    rows: np.ndarray
    groups: np.ndarray
    attributes: np.ndarray


def measured(counted: Groups) -> Measured:
    """The figures of what was counted."""
    known = lexicon()
    masks = {
        "prompts": np.frombuffer(counted.named.prompts, np.uint64),
        "answers": np.frombuffer(counted.named.answers, np.uint64),
    }
    texts = dict(zip(SIDES, counted.rows, strict=True))
    counts = {side: {g: int(_has(found, g).sum()) for g in known.groups} for side, found in masks.items()}
    shares = {
        side: {group: stats.wilson(count, texts[side]) for group, count in found.items()}
        for side, found in counts.items()
    }
    terms: dict[str, dict[Group, dict[str, int]]] = {side: {} for side in SIDES}
    for side, found in zip(SIDES, counted.terms, strict=True):
        for term, count in sorted(zip(known.terms, found, strict=True), key=lambda one: -one[1]):
            if count:
                terms[side].setdefault(term.group, {})[term.shown] = count
    rated, lacking = _sentiment(counted.samples)
    return Measured(
        texts,
        counts,
        shares,
        terms,
        rated,
        lacking,
        _associations(_distinct(counted)),
        _halves(np.frombuffer(counted.named.rows, np.uint32), masks["answers"]),
        counted.spoken.below / 2**64,
    )


def _has(masks: np.ndarray, group: Group) -> np.ndarray:
    found: np.ndarray = (masks >> np.uint64(group.bit)) & np.uint64(1) == 1
    return found


def _sentiment(samples: Mapping[int, Sample]) -> tuple[dict[Group, Estimate], str]:
    """Mean sentiment by group, and why there is none."""
    score, nobody = sentiment().score, Example(())
    found: dict[Group, Estimate] = {}
    values: dict[str, float] = {}
    try:
        for group in lexicon().groups:
            kept = samples[1 << group.bit].kept if 1 << group.bit in samples else {}
            for _, text in kept.values():
                if text not in values and score:
                    values[text] = score(nobody, text)
            if kept:
                drawn = [kept[key] for key in sorted(kept)]
                rows = [str(row) for row, _ in drawn]
                clusters = rows if len(set(rows)) < len(rows) else None
                found[group] = _mean([values[text] for _, text in drawn], clusters)
    except MissingPart as error:
        return {}, f"{error.message}: {error.hint}"
    return found, ""


def _mean(rated: list[float], clusters: list[str] | None) -> Estimate:
    """The mean of ratings with its interval, within -1..1."""
    # Bounds as of differences of scores within 0..1, which lie within -1..1 too.
    one = stats.interval(rated, clusters=clusters, bounds=(0.0, 1.0))
    if len(rated) < LEAST_RATED:
        few = f"{len(rated)} sentences, at least {LEAST_RATED} are wanted"
        return Estimate(NAN, NAN, NAN, one.level, one.n, one.method, few)
    return replace(one, low=max(-1.0, one.low), high=min(1.0, one.high))


def _distinct(counted: Groups) -> _Spoken:
    """Each sentence once, for the first row that has it."""
    spoken = counted.spoken
    _, first = np.unique(np.frombuffer(spoken.hashes, np.uint64), return_index=True)
    first.sort()
    return _Spoken(
        np.frombuffer(spoken.rows, np.uint32)[first],
        np.frombuffer(spoken.groups, np.uint64)[first],
        np.frombuffer(spoken.attributes, np.uint64)[first],
    )


def _associations(spoken: _Spoken) -> tuple[Association, ...]:
    """Each group of an axis against the one that most rows speak of."""
    found: list[Association] = []
    for groups in lexicon().axes().values():
        sizes = {group: len(np.unique(spoken.rows[_has(spoken.groups, group)])) for group in groups}
        enough = [group for group in groups if sizes[group] >= FEWEST]
        if enough:
            most = max(enough, key=lambda group: sizes[group])
            for group in enough:
                if group is not most:
                    pair = (group, most) if groups.index(group) < groups.index(most) else (most, group)
                    found += _compared(spoken, *pair)
    adjusted = stats.holm([one.p for one in found])
    found = [replace(one, p=p) for one, p in zip(found, adjusted, strict=True)]
    return tuple(sorted(found, key=lambda one: (one.p, -abs(one.ratio.value), one.attribute)))


def _compared(spoken: _Spoken, one: Group, other: Group) -> list[Association]:
    own, others = _has(spoken.groups, one), _has(spoken.groups, other)
    (rows, bits), (other_rows, other_bits) = (
        _by_row(spoken.rows[only], spoken.attributes[only]) for only in (own & ~others, others & ~own)
    )
    if min(len(rows), len(other_rows)) < FEWEST:
        return []
    counts, other_counts = _counted(bits), _counted(other_bits)
    found = []
    for place, attribute in enumerate(attributes()):
        a, c = int(counts[place]), int(other_counts[place])
        if a + c < RAREST:
            continue
        cells = (a, len(rows) - a), (c, len(other_rows) - c)
        ratio = stats.log_odds_ratio(*cells)
        stronger, mask = (rows, bits) if ratio.value > 0 else (other_rows, other_bits)
        concerned = stronger[(mask >> np.uint64(place)) & np.uint64(1) == 1]
        found.append(
            Association(
                one,
                other,
                attribute.name,
                (a, c),
                (len(rows), len(other_rows)),
                ratio,
                stats.fisher(*cells),
                tuple(concerned.tolist()),
            )
        )
    return found


def _by_row(rows: np.ndarray, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row once, with the bits of all its sentences; rows come in their order."""
    if not len(rows):
        return rows, bits
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    return rows[starts], np.bitwise_or.reduceat(bits, starts)


def _counted(bits: np.ndarray) -> np.ndarray:
    """How many numbers have each bit, the least first."""
    total = np.zeros(64, dtype=np.int64)
    for start in range(0, len(bits), 1 << 16):
        part = bits[start : start + (1 << 16)].astype("<u8")
        total += np.unpackbits(part.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little").sum(
            axis=0, dtype=np.int64
        )
    return total


def _halves(
    rows: np.ndarray, answers: np.ndarray
) -> dict[tuple[Group, Group], tuple[np.ndarray, np.ndarray]]:
    known = lexicon()
    found = {}
    for axis, groups in known.axes().items():
        if axis in known.even:
            one, other = groups[:2]
            own, others = _has(answers, one), _has(answers, other)
            found[one, other] = rows[own & ~others], rows[others & ~own]
    return found
