"""Rules learned from tune: beginnings that base answers have and no reference has, and the references' length.

A rule is kept only if the goal is better on the base answers that it was learned from; whether it holds elsewhere is
for *select* to say. Nothing is sampled but these answers, one for each of a bounded number of items.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trimtab.adjust.stack import Stack
from trimtab.guidelines import Guidelines, Rule, compiled
from trimtab.guidelines.schema import Forbid, Limit
from trimtab.language.text import normal, unit_spans, word_spans, words
from trimtab.measure.contract import Metric
from trimtab.measure.trial import of_outputs, table
from trimtab.records import Example, Output
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Speed, Workshop

ITEMS = 48
# A beginning is boilerplate where this share of the answers has it, and at least this many.
SHARE, FEWEST = 0.08, 3
LONGEST, MOST = 6, 12
# Longer answers than this share of the references.
PERCENTILE = 95


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned: rules, the evidence for each that was considered, and the tokens that were sampled."""

    guidelines: Guidelines
    evidence: tuple[Mapping[str, Any], ...]
    tokens: int


def seconds(shop: Workshop, speed: Speed) -> float:
    """Time that sampling the base answers is expected to take."""
    if shop.prepared.goal.score is None:
        return 0.0
    items = shop.prepared.parts["tune"][:ITEMS]
    read = sum(len(message.content) for item in items for message in item.messages) / CHARACTERS_PER_TOKEN
    return read * speed.read + len(items) * shop.prepared.sampling.max_new_tokens * speed.sample


def learn(shop: Workshop) -> Learned:
    """Rules from base answers to the first items of tune; none where the goal does not read answers.

    They are learned once for all candidates.
    """
    return shop.once(["learned rules"], lambda: _learned(shop))


def _learned(shop: Workshop) -> Learned:
    goal, tune = shop.prepared.goal, shop.prepared.parts["tune"]
    if goal.score is None:
        return Learned(Guidelines(), (), 0)
    items = tune[:ITEMS]
    with Stack().attach(shop.model, report=shop.report) as model:
        outputs = model(items, shop.prepared.sampling, shop.prepared.seeds[:1])
    texts = [output.text for output in outputs]
    references = [reference for example in tune for reference in example.references]
    kept = Guidelines()
    evidence: list[Mapping[str, Any]] = []
    best = value(goal, items, outputs)
    for rule, seen in [*_openings(texts, references), *_length(references)]:
        tried = _with(kept, rule)
        edit = compiled(tried).apply
        reached = value(goal, items, [replace(output, text=edit(output.text)[0]) for output in outputs])
        helps = reached > best
        evidence.append({"rule": rule.text, **seen, "gain": reached - best, "kept": helps})
        if helps:
            kept, best = tried, reached
    return Learned(kept, tuple(evidence), sum(output.spent for output in outputs))


def value(goal: Metric, items: Sequence[Example], outputs: Sequence[Output]) -> float:
    """The goal on answers that exist, as one number, larger is better; minus infinity where it is undefined."""
    scores = table(of_outputs(items, outputs, goal), goal)[1]
    if goal.oriented_statistic:
        return float(goal.oriented_statistic(scores))
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else -math.inf


def _openings(answers: Sequence[str], references: Sequence[str]) -> list[tuple[Rule, dict[str, Any]]]:
    """A rule for each beginning that many answers have and no reference has, the commonest first."""
    begun = {form for reference in references for form in _beginnings(reference)}
    counts: Counter[str] = Counter()
    for answer in answers:
        forms = _beginnings(answer)
        # A beginning of one word is one only where it is the whole sentence, such as "Sure!".
        counts.update(forms[1:] if len(forms) > 1 else forms)
    fewest = max(FEWEST, math.ceil(SHARE * len(answers)))
    common = [(form, count) for form, count in counts.items() if count >= fewest and form not in begun]
    chosen: dict[str, int] = {}
    for form, count in sorted(common, key=lambda pair: (len(pair[0]), pair[0])):
        if not any(form.startswith(known) for known in chosen):
            chosen[form] = count
    commonest = sorted(chosen.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]
    return [
        (_opening_rule(number, form), {"answers": count, "of": len(answers)})
        for number, (form, count) in enumerate(commonest, 1)
    ]


def _beginnings(text: str) -> list[str]:
    """The first sentence of a text up to its first word, to its second, and so on, for comparing."""
    first = next(iter(unit_spans(text)), (0, 0))
    found = word_spans(text[slice(*first)])[:LONGEST]
    return [normal(text[first[0] + found[0][0] : first[0] + end]) for _, end in found]


def _opening_rule(number: int, phrase: str) -> Rule:
    return Rule(
        id=f"learned-opening-{number}",
        text=f"An answer does not begin with a sentence that begins with: {phrase}",
        forbid=Forbid(phrases=(phrase,), where="opening", remove="sentence"),
    )


def _length(references: Sequence[str]) -> list[tuple[Rule, dict[str, Any]]]:
    """A limit that most references keep."""
    if not references:
        return []
    lengths = [len(words(reference)) for reference in references]
    most = max(1, math.ceil(np.percentile(lengths, PERCENTILE)))
    rule = Rule(id="learned-length", text=f"An answer has at most {most} words.", limit=Limit(words=most))
    return [(rule, {"references": len(references), "percentile": PERCENTILE})]


def _with(kept: Guidelines, rule: Rule) -> Guidelines:
    return kept.model_copy(update={"rules": (*kept.rules, rule), "version": "learned"})
