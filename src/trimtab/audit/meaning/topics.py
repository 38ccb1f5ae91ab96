"""What a set is about: clusters of vectors, each named by the words that it has more of than the others."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.audit.findings import Finding
from trimtab.audit.kinds import KINDS
from trimtab.audit.meaning.embedded import scaled
from trimtab.document.masking import mask
from trimtab.document.sections import Section, Table
from trimtab.language.text import shortened

FEWEST = 100
COUNTS = (2, 3, 4, 6, 9, 13, 19, 28, 40, 60, 85)
# A topic of less than so much of an even share is thin.
THIN = 0.25
# So much of the mean silhouette; a sliver that k-means cuts off a topic has next to none.
APART = 0.75
# A word that fewer rows of a topic have names the row, and perhaps a person, rather than the topic.
HELD = 3
# So many times its share over all texts, or a word says nothing of a topic.
MORE = 1.5
_TERMS, _SHOWN, _LONGEST = 4, 20, 42
_RUNS, _ROUNDS, _SAMPLE, _NOTHING = 3, 30, 4000, 1e-6
_WORD = re.compile(r"[^\W\d_]{3,30}")
# Whatever holds one of these is an address, not a word.
_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*")


@dataclass(frozen=True, slots=True)
class Topics:
    """Clusters of n rows.

    Attributes:
        codes: (n,) int64, the cluster of each row; sizes: (k,) int64, rows in each; names: its terms, in words.
        apart: (k,), how well each is apart from the others, -1 to 1; silhouette: how well rows are on average.
    """

    codes: np.ndarray
    sizes: np.ndarray
    names: tuple[str, ...]
    apart: np.ndarray
    silhouette: float

    @property
    def evenness(self) -> float:
        """Entropy of the shares over that of equal shares, 0 to 1: 1 where all topics are of one size."""
        shares = self.sizes / self.sizes.sum()
        return float(-(shares * np.log(shares)).sum() / math.log(len(shares)))


def topics(vectors: np.ndarray, texts: Sequence[str], seed: int = 0) -> Topics:
    """Cluster rows, for as many clusters as are best apart on a sample.

    The number is the one of `COUNTS` with the largest simplified silhouette (Vendramin, Campello, Hruschka 2010,
    section 3), so that a thin topic is not lost in a large one as long as it is apart.

    Args:
        vectors: (n, hidden), of length 1, n at least `FEWEST`; texts: what names are taken from, one a row.
    """
    rng = np.random.default_rng(seed)
    held = vectors if len(vectors) <= _SAMPLE else vectors[rng.choice(len(vectors), _SAMPLE, replace=False)]
    counts = [count for count in COUNTS if count * 20 <= len(vectors)] or [2]
    tried = [centres(held, count, seed) for count in counts]
    scores = [float(silhouettes(held, one).mean()) for one in tried]
    found = refined(vectors, tried[int(np.argmax(scores))])
    _, codes = np.unique(np.argmax(vectors @ found.T, axis=1), return_inverse=True)
    order = np.argsort(-np.bincount(codes), kind="stable")
    codes = np.argsort(order)[codes]
    sizes = np.bincount(codes)
    each = silhouettes(vectors, found)
    apart = np.bincount(codes, weights=each) / sizes
    return Topics(codes, sizes, names(texts, codes), apart, float(each.mean()))


def centres(vectors: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Centres (count, hidden) of length 1, the best of a few runs of spherical k-means by a seed.

    The first centres are drawn by greedy k-means++ (Arthur and Vassilvitskii 2007, sections 2.2 and 5).
    """
    rng = np.random.default_rng(seed)
    runs = [refined(vectors, vectors[_drawn(vectors, count, rng)]) for _ in range(_RUNS)]
    return max(runs, key=lambda found: float((vectors @ found.T).max(axis=1).sum()))


def _drawn(vectors: np.ndarray, count: int, rng: np.random.Generator) -> list[int]:
    """Places of rows that are far from each other: of some drawn by their distance, each time the best."""
    chosen = [int(rng.integers(len(vectors)))]
    near = vectors @ vectors[chosen[0]]
    tries = 2 + int(math.log(count))
    while len(chosen) < count:
        # Of unit vectors the squared distance is 2 - 2 cos.
        weights = np.maximum(1 - near.astype(np.float64), 0)
        weights = weights / weights.sum() if weights.sum() > _NOTHING else np.full(len(near), 1 / len(near))
        places = rng.choice(len(vectors), tries, p=weights)
        nearer = np.maximum(near[:, None], vectors @ vectors[places].T)
        best = int(np.argmax(nearer.sum(axis=0)))
        chosen.append(int(places[best]))
        near = nearer[:, best]
    return chosen


def refined(vectors: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Centres (k, hidden) after the steps of spherical k-means (Dhillon and Modha 2001, section 3.1).

    A cluster that loses all rows gets the row that is farthest from its centre.
    """
    found, before = start, np.full(len(vectors), -1)
    for _ in range(_ROUNDS):
        cosines = vectors @ found.T
        codes = np.argmax(cosines, axis=1)
        if np.array_equal(codes, before):
            break
        before = codes
        member = codes[None, :] == np.arange(len(found))[:, None]
        sums = member.astype(np.float32) @ vectors
        empty = np.flatnonzero(~member.any(axis=1))
        if len(empty):
            far = np.argsort(cosines[np.arange(len(vectors)), codes], kind="stable")
            sums[empty] = vectors[far[: len(empty)]]
        found = scaled(sums)
    return found


def silhouettes(vectors: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Simplified silhouettes (n,), -1 to 1: (b - a) / max(a, b) of the cosine distances to the nearest two centres."""
    two = np.partition(vectors @ found.T, -2, axis=1)[:, -2:]
    second, first = np.maximum(1 - two.T, 0)
    each: np.ndarray = (second - first) / np.maximum(second, 1e-12)
    return each


def names(texts: Sequence[str], codes: np.ndarray) -> tuple[str, ...]:
    """The words that each cluster (of n texts by codes (n,)) has most more of than the others.

    By class-based TF-IDF, tf(t, c) log(1 + A / tf(t)), where A is the mean number of words of a cluster (Grootendorst
    2022, eq. 2). A word counts once a text and has to stand in three texts of the cluster, and an address is no word.
    """
    counts: list[Counter[str]] = [Counter() for _ in range(int(codes.max()) + 1)]
    for text, code in zip(texts, codes.tolist(), strict=True):
        counts[code].update(set(_WORD.findall(_ADDRESS.sub(" ", text).lower())))
    every: Counter[str] = sum(counts, Counter())
    mean = every.total() / len(counts)
    found = []
    for one, size in zip(counts, np.bincount(codes).tolist(), strict=True):
        usual = MORE * size / len(codes)
        held = {word: count for word, count in one.items() if count >= max(HELD, usual * every[word])}
        weight = {word: count * math.log(1 + mean / every[word]) for word, count in held.items()}
        best = sorted(weight, key=lambda word: (-weight[word], word))[:_TERMS]
        found.append(mask(" ".join(best)) or "(no word in common)")
    return tuple(found)


def thin(found: Topics, rows: np.ndarray) -> Finding | None:
    """`thin_topic`: the rows (n,) of topics of less than a quarter of an even share.

    One that is far less apart from the others than usual is a sliver of another topic, and is left out.
    """
    even = len(rows) / len(found.sizes)
    few = np.flatnonzero((found.sizes < THIN * even) & (found.apart >= APART * found.silhouette))
    if not len(few):
        return None
    concerned = np.flatnonzero(np.isin(found.codes, few))
    notes = {
        int(rows[place]): f"{found.names[code]}: {found.sizes[code]} rows, an even share is {even:.0f}"
        for place in concerned
        for code in (int(found.codes[place]),)
    }
    groups = tuple(tuple(rows[found.codes == code].tolist()) for code in few)
    detail = {"topics": [found.names[code] for code in few], "even": even}
    return Finding(
        "thin_topic",
        KINDS["thin_topic"].severity,
        tuple(rows[concerned].tolist()),
        groups=groups,
        notes=notes,
        detail=detail,
    )


def section(found: Topics) -> Section:
    """The topics by size, and how even they are."""
    total, count = int(found.sizes.sum()), len(found.sizes)
    said = (
        f"{count} topics, each named by the words that it has more of than the others; "
        f"evenness {found.evenness:.2f} (1: all of one size). How well they are apart: silhouette "
        f"{found.silhouette:.2f} of at most 1; below 0.1 the borders between them are chance for the most part."
    )
    cells = tuple(
        (shortened(name, _LONGEST), f"{size:,}", f"{size / total:.1%}")
        for name, size in zip(found.names, found.sizes.tolist(), strict=True)
    )
    shown = cells if count <= _SHOWN else (*cells[: _SHOWN // 2], *cells[-_SHOWN // 2 :])
    title = (
        "rows by topic" if count <= _SHOWN else f"rows by topic, the largest and the smallest {_SHOWN // 2}"
    )
    data = {
        "evenness": found.evenness,
        "silhouette": found.silhouette,
        "topics": [
            {"terms": name, "rows": size}
            for name, size in zip(found.names, found.sizes.tolist(), strict=True)
        ],
    }
    return Section("topics", "Topics", (said,), (Table(title, ("topic", "rows", "share"), shown),), data)
