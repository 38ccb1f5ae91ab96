"""Solved examples that are shown before a question: which, and never the question's own."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trimtab.adjust.bm25 import BM25, best_first
from trimtab.records import Example, content_hash

# Most pairs that are searched for the nearest, and most that diverse ones are chosen from.
POOL, COMPARED = 2000, 512


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A question with a good answer, from tune. `group`: what it must be kept apart from."""

    question: str
    answer: str
    id: str
    group: str


@dataclass(frozen=True)
class Exemplars:
    """Exemplars, and to which groups the questions of tune belong.

    Attributes:
        shown: every pair that may be shown, in order.
        groups: key of a question (`key_of`), and id of an item, to its group; for the groups of `shown` only.
    """

    shown: tuple[Exemplar, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def index(self) -> BM25:
        """The questions, for search."""
        return BM25([one.question for one in self.shown])

    def apart_from(self, question: str, item: str = "") -> list[int]:
        """Positions of the exemplars that are not the question itself, nor of its group."""
        own = {self.groups.get(key_of(question)), self.groups.get(f"id {item}")}
        return [number for number, one in enumerate(self.shown) if one.group not in own]

    def nearest(self, question: str, item: str = "") -> list[Exemplar]:
        """Exemplars by falling likeness of their question (BM25); its own group left out."""
        allowed = self.apart_from(question, item)
        scores = self.index.scores(question)
        return [self.shown[allowed[place]] for place in best_first(scores[allowed])]

    def fixed(self, question: str, item: str = "") -> list[Exemplar]:
        """Exemplars in their own order; the question's group left out."""
        return [self.shown[number] for number in self.apart_from(question, item)]


def key_of(question: str) -> str:
    """What makes two questions the same: their words, without spacing and case."""
    return content_hash(" ".join(question.casefold().split()))


def pool(examples: Sequence[Example], groups: Sequence[str], *, seed: int, longest: float) -> list[Exemplar]:
    """Pairs that may be shown: of items with one user turn and an answer, in random order, at most 2,000.

    Args:
        groups: what each example must be kept apart from, its own name at least.
        longest: most bytes (UTF-8) of question and answer together.
    """
    order = np.random.default_rng(seed).permutation(len(examples))
    found = (
        Exemplar(example.prompt, example.references[0], example.id, groups[number])
        for number, example in ((int(n), examples[int(n)]) for n in order)
        if example.references and sum(message.role != "system" for message in example.messages) == 1
    )
    fitting = (one for one in found if len((one.question + one.answer).encode()) <= longest)
    return [one for one, _ in zip(fitting, range(POOL), strict=False)]


def diverse(pairs: Sequence[Exemplar], count: int) -> list[Exemplar]:
    """Pairs that together are near to as many of all pairs as possible, one of each group at most.

    The greedy maximum of sum_i max_{j chosen} cosine(i, j) (facility location), over the BM25 weights of the
    questions of the first 512 pairs. Source of the greedy bound, 1 - 1/e of the optimum: Nemhauser, Wolsey and
    Fisher 1978, An analysis of approximations for maximizing submodular set functions I, theorem 4.2.
    """
    compared = list(pairs[:COMPARED])
    likeness = BM25([pair.question for pair in compared]).cosines()
    reached = np.zeros(len(compared))
    chosen: list[int] = []
    while len(chosen) < min(count, len(compared)):
        taken = {compared[number].group for number in chosen}
        free = [number for number, pair in enumerate(compared) if pair.group not in taken]
        if not free:
            break
        gains = np.maximum(likeness[:, free], reached[:, None]).sum(axis=0)
        chosen.append(free[int(np.argmax(gains))])
        reached = np.maximum(reached, likeness[:, chosen[-1]])
    return [compared[number] for number in chosen]


def keep(shown: Iterable[Exemplar], examples: Sequence[Example], groups: Sequence[str]) -> Exemplars:
    """Exemplars with what it takes to recognise the questions that they must not be shown to."""
    pairs = tuple(shown)
    held = {pair.group for pair in pairs}
    known: dict[str, str] = {}
    for example, group in zip(examples, groups, strict=True):
        if group in held:
            known[key_of(example.prompt)] = group
            known[f"id {example.id}"] = group
    return Exemplars(pairs, known)
