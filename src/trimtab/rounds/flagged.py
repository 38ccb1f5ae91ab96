"""What people flagged: rows that must not be answered so again, and a rule for phrases that recur, to be accepted."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from trimtab.guidelines import Guidelines, Rule, lint, parse
from trimtab.language import phrases
from trimtab.language.text import ngrams, normal, sentences, words

PRIVATE = "private"
# Flagged rows that a phrase has to stand in, words of the longest, phrases and examples of the rule.
RECURS, LONGEST, MOST, EXAMPLES = 3, 5, 10, 3
ID = "flagged-phrases"
_SIGNS, _LONG = re.compile(r"[^\w\s'\-]+"), re.compile(r"[^\W\d_]{4}")
HEAD = """\
# Proposed from what people flagged; nothing applies it. To accept it, copy the rule into your guidelines and raise
# their version. Each phrase stands in {recurs} flagged answers or more, and in none that was learned from or shown
# and not flagged.
"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule for the author of guidelines to accept.

    Attributes:
        phrases: what recurs, with the number of flagged items that it stands in.
        remarks: what a look over the rule, beside those that there are, finds to say.
        text: the file; empty where no phrase recurs.
    """

    phrases: Mapping[str, int]
    remarks: tuple[str, ...] = ()
    text: str = ""


def regressions(
    flags: Sequence[Mapping[str, Any]], asked: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """What was flagged, as rows: the conversation, and the answer that must not come again.

    asked: turns of each example.
    """
    kept = ("example", "stack", "flag")
    return [
        {
            **{name: row[name] for name in kept},
            "messages": list(asked[row["example"]]),
            "rejected": row["text"],
        }
        for row in flags
    ]


def came_again(rejected: str, answer: str) -> bool:
    """Whether an answer holds what was flagged, apart from case and white space."""
    return bool(normal(rejected)) and normal(rejected) in normal(answer)


def propose(
    flags: Sequence[Mapping[str, Any]], others: Iterable[str], known: Guidelines | None, today: datetime.date
) -> Proposal:
    """A rule that forbids the phrases which recur in flagged answers and stand in no other.

    What was flagged as private is left out: a rule would spread it.

    Args:
        flags: rows with `example`, `text` and `flag`.
        others: answers that are known to be good, or that nobody flagged.
        known: the guidelines that there are.
    """
    texts: dict[str, str] = {}
    for row in flags:
        if row["flag"] != PRIVATE:
            texts[row["example"]] = f"{texts.get(row['example'], '')}\n{row['text']}".strip()
    found = recurring(list(texts.values()), others)
    if not found:
        return Proposal({})
    before = known or Guidelines()
    rule = _rule(list(found), list(texts.values()), sum(one.id.startswith(ID) for one in before.rules))
    old = lint(before, today)
    new = lint(before.model_copy(update={"rules": (*before.rules, rule)}), today)
    remarks = [f"{one.severity}: {one.rule}: {one.message}" for one in new if one not in old]
    content = {"rules": [rule.model_dump(mode="json", exclude_defaults=True)]}
    said = "".join(f"# {line}\n" for line in remarks)
    return Proposal(found, tuple(remarks), HEAD.format(recurs=RECURS) + said + _yaml(content))


def recurring(texts: Sequence[str], others: Iterable[str]) -> dict[str, int]:
    """Phrases of up to five words that stand in at least three texts and in no other, with how many they stand in.

    The phrase of most texts is taken first, of several the longest; then what the texts without it have in common.
    """
    good = _grams("\n".join(others))
    left = [_grams(text) - good for text in texts]
    found: dict[str, int] = {}
    while len(found) < MOST:
        counts: dict[tuple[str, ...], int] = {}
        for grams in left:
            for gram in grams:
                counts[gram] = counts.get(gram, 0) + 1
        best = max(counts, key=lambda gram: (counts[gram], len(gram), gram), default=None)
        if best is None or counts[best] < RECURS:
            break
        found[" ".join(best)] = counts[best]
        left = [grams for grams in left if best not in grams]
    return found


def _grams(text: str) -> set[tuple[str, ...]]:
    """Runs of one to five words without a sign between them, one of which has four letters or more."""
    runs: set[tuple[str, ...]] = set()
    for clause in _SIGNS.split(normal(text)):
        tokens = words(clause)
        for order in range(1, LONGEST + 1):
            runs.update(ngrams(tokens, order))
    return {run for run in runs if any(_LONG.search(word) for word in run)}


def _rule(found: Sequence[str], texts: Sequence[str], earlier: int) -> Rule:
    pattern = phrases.pattern(found)
    every = [sentence for text in texts for sentence in sentences(text)]
    content = {
        "id": f"{ID}-{earlier + 1}" if earlier else ID,
        "text": f"Do not say: {'; '.join(found)}.",
        "forbid": {"phrases": list(found), "remove": "sentence"},
        "bad": [one for one in every if pattern and phrases.find(pattern, one)][:EXAMPLES],
    }
    return parse({"rules": [content]}).rules[0]


def _yaml(content: Any) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
