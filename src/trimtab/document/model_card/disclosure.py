"""What tells people and machines that a model wrote the answers, and whose part that is.

Regulation (EU) 2024/1689, Article 50, which applies since 2 August 2026; for the marks of its paragraph 2, systems that
were on the market before have until 2 December 2026 (as amended by Regulation (EU) 2026/1744).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trimtab.document.model_card.facts import Facts, shown, unknown
from trimtab.document.sections import Row, Section, Table

SOURCE = (
    "Source: Regulation (EU) 2024/1689, Article 50, in application since 2 August 2026; for the marks of paragraph 2 "
    "of systems that were on the market before, from 2 December 2026 on (Regulation (EU) 2026/1744). Whether and to "
    "whom it applies depends on the use; this is no legal advice."
)
DUTIES: tuple[Row, ...] = (
    (
        "50(1)",
        "people who talk to a system are told that it is one, unless it is obvious",
        "provider of the system",
    ),
    (
        "50(2)",
        "synthetic text is marked so that machines can detect it; not where a system only helps with editing or does "
        "not substantially change what it was given",
        "provider of the system",
    ),
    (
        "50(4)",
        "text that informs the public on matters of public interest is disclosed as generated, unless a person "
        "reviews it and somebody answers for it",
        "deployer",
    ),
)


NOTHING = (
    "Nothing of this stack marks its answers. Whoever provides or deploys a system with it has to, where it is due: a "
    "rule with disclose in the guidelines and the rung postprocess add a sentence, and disclosure in the recipe a "
    "watermark."
)
SENTENCE = (
    "The stack adds a sentence to every answer, which tells people who read it. It is no mark that machines can detect "
    "once the sentence is taken off."
)
LACKING = "Whoever provides the system has to add such a mark where it is due."
WATERMARK = (
    "The stack puts a watermark into its answers, which machines detect with the run's key (trimtab verify) and people "
    "do not see. It is lost where an answer is short, rewritten or translated."
)


def section(facts: Facts) -> Section:
    """What of the stack marks its answers, as a part of the card."""
    rules, marks = list(_rules(facts)), list(_marks(facts))
    rows: tuple[Row, ...] = (
        ("a sentence in every answer", "; ".join(f"{name}: {said}" for name, said, _ in rules) or "none"),
        ("where it stands", ", ".join(dict.fromkeys(place for *_, place in rules)) or "nowhere"),
        ("a mark that machines detect", "; ".join(_said(mark) for mark in marks) or "none"),
        *((("what its detector finds", _found(facts)),) if marks else ()),
    )
    told = [*([SENTENCE] if rules else []), *([WATERMARK] if marks else [LACKING] if rules else [])]
    said = " ".join(told) or NOTHING
    tables = (
        Table("What marks the answers", ("what", "this stack"), rows),
        Table("Whose part it is", ("Article", "what is due", "whose"), DUTIES),
    )
    data = {"rules": [name for name, *_ in rules], "watermark": bool(marks)}
    return Section("disclosure", "Disclosure", (said, SOURCE), tables, data)


def _rules(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Id, sentence and place of each rule of the stack that tells readers; of edits that are off none."""
    for path in sorted(facts.record.folder.trial(facts.record.verdict.stack).glob("*/postprocess.json")):
        content = facts.record.folder.read(path.relative_to(facts.record.folder.path).as_posix())
        if not content.get("strength"):
            continue
        for rule in content["guidelines"].get("rules", ()):
            if how := rule.get("disclose"):
                yield shown(rule["id"]), shown(how["sentence"]), _place(how)


def _marks(facts: Facts) -> Iterator[Mapping[str, Any]]:
    """Settings of each watermark of the stack that is on, by name; the key is not among them."""
    for one in facts.adjustments:
        if one.get("kind") == "watermark" and one.get("strength") != 0:
            yield {name: how["value"] for name, how in one["settings"].items()} | {
                "strength": one["strength"]
            }


def _said(mark: Mapping[str, Any]) -> str:
    """A watermark in one line."""
    key = f"key {shown(mark['key'])}"
    if mark["scheme"] == "green-list":
        bias = mark["bias"] * mark["strength"]
        return f"green list, bias {bias:g} on {mark['share']:.0%} of the vocabulary, {key}"
    return f"SynthID, {mark['depth']} rounds over {mark['ngram']} tokens, {key}; answers drawn greedily are not marked"


def _found(facts: Facts) -> str:
    """What `trimtab verify --run` found in the record of this stack."""
    folder = facts.record.folder
    content = folder.read("verified.json") if folder.has("verified.json") else {}
    if content.get("stack") != facts.record.verdict.stack:
        return unknown("trimtab verify --run RUN measures it")
    told = []
    for name, counts in content["texts"].items():
        share = counts["found"]
        said = (
            share["undefined"]
            or f"{share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}], n {share['n']}"
        )
        told.append(f"{name}: {said}, {counts['too_short']} too short")
    return f"p < {content['alpha']:g} on select: " + "; ".join(told)


def _place(how: Mapping[str, Any]) -> str:
    return f"at the {how.get('place', 'end')} of the answer"
