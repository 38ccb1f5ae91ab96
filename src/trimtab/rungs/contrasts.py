"""Pairs of texts that steering and embedding learn from: answers as they should be, and as they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.adjust.contrast import Contrast, Survey, survey
from trimtab.adjust.stack import Stack
from trimtab.candidates import SteeringCandidate
from trimtab.data import read
from trimtab.data.split import cluster_keys
from trimtab.errors import DataError
from trimtab.model import likelihood
from trimtab.model.load import Base
from trimtab.records import Example, Message, Progress, TokenRow
from trimtab.rungs.workshop import Workshop

# Tokens of an answer that are drawn, and read: what an answer is like shows early.
LONGEST = 64
Texts = tuple[tuple[Message, ...], str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs as rows of tokens, and the name of each one's group, (pairs,) both.

    Pairs of a group come from rows that belong together: of one group in the data, or with one prompt.
    """

    rows: tuple[Contrast, ...]
    groups: tuple[str, ...]


def surveyed(shop: Workshop, candidate: SteeringCandidate) -> Survey:
    """The directions of all blocks from a candidate's pairs; found once for all candidates with the same pairs.

    Raises:
        DataError: too few pairs, or a file without rejected answers.
    """
    asked = candidate.model_dump(include={"pairs", "positive", "negative", "most", "method"})
    return shop.once(["survey", asked], lambda: survey(
        shop.base, pairs(shop, candidate).rows, candidate.method, report=shop.report
    ))  # fmt: skip


def pairs(shop: Workshop, candidate: SteeringCandidate) -> Pairs:
    """The pairs of a candidate; those with an empty or twice the same text are left out.

    Raises:
        DataError: a file without rejected answers.
    """
    found: list[tuple[Texts, Texts]]
    if candidate.positive:
        examples = shop.some(candidate.most)
        sides = [instructed(shop, examples, text) for text in (candidate.positive, candidate.negative)]
        found = list(zip(*sides, strict=True))
    elif candidate.pairs == "answers":
        examples = shop.some(candidate.most)
        said = own_answers(shop, examples)
        found = [
            ((e.messages, e.references[0]), (e.messages, text))
            for e, text in zip(examples, said, strict=True)
        ]
    else:
        examples, found = _from_file(candidate.pairs, candidate.most)
    rows = [Contrast(_row(shop.base, good), _row(shop.base, bad)) for good, bad in found]
    kept = [number for number, pair in enumerate(rows) if _differs(pair)]
    groups = cluster_keys(examples)
    return Pairs(tuple(rows[number] for number in kept), tuple(groups[number] for number in kept))


def _differs(pair: Contrast) -> bool:
    good, bad = pair.positive, pair.negative
    # Texts of which only the beginning is read may be the same there.
    return bool(good.supervised.any() and bad.supervised.any()) and not np.array_equal(good.ids, bad.ids)


def own_answers(shop: Workshop, examples: Sequence[Example]) -> list[str]:
    """What the base model answers, by the recipe's sampling with its first seed; drawn once for each question."""

    def drawn() -> list[str]:
        sampling = shop.prepared.sampling
        short = dataclasses.replace(sampling, max_new_tokens=min(sampling.max_new_tokens, LONGEST))
        with Stack().attach(shop.base, report=shop.report) as model:
            return [output.text for output in model(examples, short, shop.prepared.seeds[:1])]

    return shop.once(["answers", [[e.id, e.messages] for e in examples]], drawn)


def instructed(shop: Workshop, examples: Sequence[Example], instruction: str) -> list[Texts]:
    """Conversations with an instruction put first, as a system turn, and the base model's answers to them."""
    asked = [dataclasses.replace(e, messages=_with_system(e.messages, instruction)) for e in examples]
    answers = own_answers(shop, asked)
    return [(example.messages, text) for example, text in zip(asked, answers, strict=True)]


def tell(shop: Workshop, found: Survey, blocks: Sequence[int]) -> None:
    """Report what is known of blocks, before anything is spent on measuring them."""
    for layer in (found.layers[block] for block in blocks):
        facts = {
            "block": layer.block,
            "d'": layer.separation.value,
            "AUC": layer.auc,
            "agreement": layer.agreement,
        }
        if shop.report:
            shop.report(Progress("directions", found.pairs, found.pairs, facts))


def _with_system(messages: tuple[Message, ...], instruction: str) -> tuple[Message, ...]:
    if messages and messages[0].role == "system":
        return (Message("system", f"{instruction}\n\n{messages[0].content}"), *messages[1:])
    return (Message("system", instruction), *messages)


def _row(base: Base, text: Texts) -> TokenRow:
    row = likelihood.row(base, *text)
    end = int((~row.supervised).sum()) + LONGEST
    return dataclasses.replace(row, ids=row.ids[:end], supervised=row.supervised[:end])


def _from_file(path: str, most: int) -> tuple[list[Example], list[tuple[Texts, Texts]]]:
    examples = read.read(path)
    if any("rejected" not in example.fields for example in examples):
        raise DataError(
            f"{path}: pairs to steer by need a good and a bad answer to each prompt",
            "give each row prompt, chosen and rejected",
        )
    first = examples[:most]
    return first, [((e.messages, e.references[0]), (e.messages, str(e.fields["rejected"]))) for e in first]
