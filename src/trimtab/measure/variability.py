"""How much the answers to one prompt, or to wordings of one prompt, differ from one another."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, combinations, product
from typing import Literal

from trimtab.measure.contract import Metric, ratio
from trimtab.measure.embedding import Encoder
from trimtab.measure.text import normal
from trimtab.records import NAN

Over = Literal["item", "group"]
Texts = Sequence[str]


def consistency(*, over: Over = "item", ignore_case: bool = False) -> Metric:
    """Share of pairs of answers that are the same, 0 to 1, higher is better.

    Question: does the same prompt get the same answer each time?
    Limits: a wrong answer given every time is perfectly consistent; two wordings of one answer count as different.
    Over item, pairs of answers to the item, from different seeds: needs sampling.seeds of 2 or more, and a
    temperature above 0, because greedy answers never differ. Over group, pairs of an answer to the item and one to
    another item of its `group`, such as a paraphrase; nan without another. Outer and repeated white space never
    matters.
    """

    def agree(own: Texts, others: Sequence[Texts]) -> float:
        pairs = list(_pairs(own, others, over))
        same = sum(_key(a, ignore_case) == _key(b, ignore_case) for a, b in pairs)
        return ratio(same, len(pairs))

    return Metric(
        name="consistency",
        unit="share of pairs of answers",
        direction="higher",
        question=_question(over, "get the same answer"),
        limits="A wrong answer given every time is consistent; another wording of one answer is not.",
        bounds=(0.0, 1.0),
        agree=agree,
        over=over,
    )


def answer_entropy(*, over: Over = "item", ignore_case: bool = False) -> Metric:
    """Entropy of the distinct answers as a share of the largest possible, 0 (all the same) to 1, lower is better.

    Question: over how many different answers does the model spread?
    Limits: with few seeds it is far below the entropy of the model's own distribution; blind to meaning.
    -sum p log p / log n for the shares p of distinct answers among n: of the item (needs sampling.seeds of 2 or
    more), or of all items of its `group`; nan where a group has no other item. Source: Shannon 1948, section 6.
    """

    def agree(own: Texts, others: Sequence[Texts]) -> float:
        if over == "group" and not others:
            return NAN
        keys = [_key(text, ignore_case) for text in chain(own, *others)]
        shares = [count / len(keys) for count in Counter(keys).values()]
        return max(0.0, -math.fsum(p * math.log(p) for p in shares)) / math.log(len(keys))

    return Metric(
        name="answer_entropy",
        unit="share of the largest entropy",
        direction="lower",
        question="Over how many different answers does the model spread?",
        limits="From few seeds it is far below the model's own entropy; another wording counts as another answer.",
        bounds=(0.0, 1.0),
        agree=agree,
        over=over,
    )


def dispersion(*, over: Over = "item", model: str = "") -> Metric:
    """Mean distance in meaning between answers, 1 - cosine of their embeddings, 0 to 2, lower is better.

    Question: how far apart in meaning are the answers to the same prompt?
    Limits: nearly blind to numbers, names and negation, in which answers may differ most; reads 256 tokens.
    Pairs as for `consistency`: over item (needs sampling.seeds of 2 or more) or over group. Texts that are equal
    are at distance 0. `model` is a folder with another encoder than all-MiniLM-L6-v2.

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def agree(own: Texts, others: Sequence[Texts]) -> float:
        distances = [0.0 if a == b else 1.0 - encoder.cosine(a, b) for a, b in _pairs(own, others, over)]
        return ratio(math.fsum(distances), len(distances))

    return Metric(
        name="dispersion",
        unit="1 - cosine",
        direction="lower",
        question=_question(over, "get answers of one meaning"),
        limits="Nearly blind to numbers, names and negation; reads the first 256 tokens.",
        bounds=(0.0, 2.0),
        agree=agree,
        over=over,
    )


def _pairs(own: Texts, others: Sequence[Texts], over: Over) -> Iterable[tuple[str, str]]:
    return combinations(own, 2) if over == "item" else product(own, list(chain(*others)))


def _key(text: str, ignore_case: bool) -> str:
    return normal(text) if ignore_case else " ".join(text.split())


def _question(over: Over, what: str) -> str:
    asked = "the same prompt" if over == "item" else "wordings of the same prompt"
    return f"Does {asked} {what} each time?" if over == "item" else f"Do {asked} {what}?"
