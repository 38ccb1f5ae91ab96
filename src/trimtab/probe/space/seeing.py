"""The space of a model's answers, or of its hidden states: maps of before and after, with the figures beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.document.figures import interval, percent
from trimtab.document.masking import mask, printable
from trimtab.document.pictures import Cloud
from trimtab.document.sections import Section, Table
from trimtab.errors import StatisticsError
from trimtab.model.sentences import Encoder
from trimtab.probe.space import figures, maps
from trimtab.records import Estimate, Progress, Report, plain

MOST = 1000
LONGEST = 2000
ENCODED = 64
TITLES = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kept:
    """A map (2 n points: before, then after) of one method, and what it keeps of the points.

    Attributes:
        shown: (2 n, 2), on axes without a unit.
        trust: trustworthiness; near: the share of nearest points that are nearest on the map too.
        variance: shares of all variance on the two axes; of PCA only, else empty.
    """

    method: str
    shown: Array
    trust: Estimate
    near: Estimate
    variance: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Space:
    """Before and after on the same axes.

    Attributes:
        what: "answers", or which hidden states.
        items: ids (n,) of the items looked at; of: how many there were, of which these were drawn by a seed.
        labels: by what points may be coloured (suite, group, verdict), a label of each of the 2 n points.
        shift, silhouette, probe: see `figures`; the first in the unit of the points.
        left_out: maps whose library is not installed.
    """

    what: str
    items: tuple[str, ...]
    of: int
    labels: Mapping[str, tuple[str, ...]]
    maps: tuple[Kept, ...]
    shift: Estimate
    silhouette: Estimate
    probe: Estimate
    left_out: tuple[str, ...]
    seed: int


def answers(encoder: Encoder, texts: Sequence[str], report: Report | None = None) -> Array:
    """Vectors (texts, hidden) of length 1 of answers, cut to 2,000 characters; 0 of an empty one.

    Raises:
        MissingPart: the encoder is not installed.
    """
    distinct = list(dict.fromkeys(text[:LONGEST] for text in texts))
    found: dict[str, Array] = {}
    for start in range(0, len(distinct), ENCODED):
        part = tuple(distinct[start : start + ENCODED])
        found |= dict(zip(part, encoder.embed_all(part).astype(np.float64), strict=True))
        if report:
            report(Progress("read answers", start + len(part), len(distinct)))
    return np.stack([found[text[:LONGEST]] for text in texts])


def space(
    what: str,
    items: Sequence[str],
    before: Array,
    after: Array,
    labels: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    *,
    seed: int = 0,
    report: Report | None = None,
) -> Space:
    """Maps and figures of points before and after (n, hidden), of the same n items in the same order.

    More than 1,000 items are drawn from by the seed.

    Args:
        what: what the points are, in words.
        labels: name of a colouring to the labels before (n,) and after (n,).

    Raises:
        StatisticsError: shapes or lengths differ, or fewer than two items.
    """
    n = len(items)
    lengths = {len(before), len(after), *(len(side) for pair in labels.values() for side in pair)}
    if lengths != {n} or n < 2 or before.shape != after.shape:
        raise StatisticsError(
            f"{n} items, points {before.shape} and {after.shape}, labels of {sorted(lengths)}",
            "give two or more items, each with a point and labels before and after",
        )
    chosen = np.arange(n)
    if n > MOST:
        chosen = np.sort(np.random.default_rng(seed).choice(n, MOST, replace=False))
    one, other = before[chosen].astype(np.float64), after[chosen].astype(np.float64)
    points = np.concatenate([one, other])
    methods = [name for name in maps.MAPS if name not in maps.missing()]
    found = []
    for done, method in enumerate(methods):
        found.append(_kept(method, points, seed))
        if report:
            report(Progress("draw maps", done + 1, len(methods)))
    return Space(
        what,
        tuple(items[place] for place in chosen.tolist()),
        n,
        {name: _both(pair, chosen) for name, pair in labels.items()},
        tuple(found),
        figures.centroid_shift(one, other, seed=seed),
        figures.silhouette(one, other),
        figures.linear_probe(one, other, seed=seed),
        maps.missing(),
        seed,
    )


def _both(pair: tuple[Sequence[str], Sequence[str]], chosen: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(mask(printable(side[place])) for side in pair for place in chosen.tolist())


def _kept(method: str, points: Array, seed: int) -> Kept:
    shown = maps.drawn(method, points, seed)
    variance = maps.pca(points)[1] if method == "pca" else ()
    trust, near = figures.trustworthiness(points, shown), figures.kept_neighbours(points, shown)
    return Kept(method, shown, trust, near, variance)


def pictures(found: Space) -> tuple[Cloud, ...]:
    """Every map by every colouring."""
    n = len(found.items)
    key = found.what.replace(" ", "-")
    return tuple(
        Cloud(
            f"space-{key}-{one.method}-{by}",
            f"{found.what}, {TITLES[one.method]} by {by}",
            tuple((round(float(x), 4), round(float(y), 4)) for x, y in one.shown),
            labels,
            (False,) * n + (True,) * n,
        )
        for by, labels in found.labels.items()
        for one in found.maps
    )


def section(every: Sequence[Space]) -> Section:
    """Maps and figures of one or several kinds of points, such as answers and states."""
    said = [
        f"{found.what}: {len(found.items)} of {found.of} items, before (hollow) and after (full), on the same axes."
        for found in every
    ]
    said.append(
        "Distances on a map are not distances between the points themselves: the figures are of these. Told apart at "
        "0.5 is chance; a silhouette near 0 means that before and after lie among each other."
    )
    left_out = {name for found in every for name in found.left_out}
    if left_out:
        said.append(f"Not drawn: {', '.join(sorted(left_out))} (pip install 'trimtab[probe]').")
    return Section(
        "space",
        "What moved",
        tuple(said),
        tuple(table for found in every for table in _tables(found)),
        {found.what.partition(" ")[0]: values(found) for found in every},
        tuple(picture for found in every for picture in pictures(found)),
    )


def _tables(found: Space) -> tuple[Table, Table]:
    moved = (
        ("shift of the mean", interval(found.shift, signed=False), found.shift.method),
        ("silhouette of before and after", interval(found.silhouette), found.silhouette.method),
        ("told apart by a straight line", interval(found.probe, 0.5, signed=False), found.probe.method),
    )
    kept = tuple(
        (
            TITLES[one.method],
            interval(one.trust, signed=False),
            interval(one.near, signed=False),
            " + ".join(percent(share, 1) for share in one.variance) or "–",
        )
        for one in found.maps
    )
    return (
        Table(f"{found.what}: what moved", ("figure", "value (95% interval)", "method"), moved),
        Table(
            f"{found.what}: what the maps keep", ("map", "trustworthiness", "nearest kept", "variance"), kept
        ),
    )


def values(found: Space) -> dict[str, Any]:
    """JSON values: figures, and the coordinates of every point of every map."""
    return dict(plain(found))
