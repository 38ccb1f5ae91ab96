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
from trimtab.language.text import ngrams, normal, sentences, shortened, words

PRIVATE = "private"
# Flagged rows that a phrase has to stand in, its most words and characters, phrases and examples of the rule, and the
# characters of an example.
RECURS, LONGEST, CHARACTERS, MOST, EXAMPLES, CUT = 3, 5, 100, 10, 3, 2000
APART = "\n\n"
ID = "flagged-phrases"
_SIGNS, _LONG = re.compile(r"[^\w\s'\-]+|_+"), re.compile(r"[^\W\d_]{4}")
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
    """What was flagged, as rows, each once: the conversation, and the answer that must not come again.

    asked: turns of each example.
    """
    found = dict.fromkeys((row["example"], row["stack"], row["flag"], row["text"]) for row in flags)
    return [
        {"example": name, "stack": stack, "flag": flag, "messages": list(asked[name]), "rejected": text}
        for name, stack, flag, text in found
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
    private = {(row["example"], row["text"]) for row in flags if row["flag"] == PRIVATE}
    open_to_all = {(row["example"], row["text"]) for row in flags} - private
    by_item: dict[str, list[str]] = {}
    for name, text in sorted(open_to_all):
        by_item.setdefault(name, []).append(text)
    texts = [APART.join(own) for own in by_item.values()]
    found = recurring(texts, others)
    if not found:
        return Proposal({})
    before = known or Guidelines()
    rule = _rule(list(found), texts, sum(one.id.startswith(ID) for one in before.rules))
    old = lint(before, today)
    new = lint(before.model_copy(update={"rules": (*before.rules, rule)}), today)
    remarks = [
        " ".join(f"{one.severity}: {one.rule}: {one.message}".split()) for one in new if one not in old
    ]
    content = {"rules": [rule.model_dump(mode="json", exclude_defaults=True)]}
    said = "".join(f"# {line}\n" for line in remarks)
    return Proposal(found, tuple(remarks), HEAD.format(recurs=RECURS) + said + _yaml(content))


def recurring(texts: Sequence[str], others: Iterable[str]) -> dict[str, int]:
    """Phrases of up to five words that stand in at least three texts and in no other, with how many they stand in.

    The phrase of most texts is taken first, of several the longest; then what the texts without it have in common.
    """
    good = _grams(APART.join(others))
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
    for clause in (clause for part in text.split(APART) for clause in _SIGNS.split(normal(part))):
        tokens = words(clause)
        for order in range(1, LONGEST + 1):
            runs.update(ngrams(tokens, order))
    return {run for run in runs if any(map(_LONG.search, run)) and len(" ".join(run)) <= CHARACTERS}


def _rule(found: Sequence[str], texts: Sequence[str], earlier: int) -> Rule:
    pattern = phrases.pattern(found)
    every = dict.fromkeys(sentence for text in texts for sentence in sentences(text))
    content = {
        "id": f"{ID}-{earlier + 1}" if earlier else ID,
        "text": f"Do not say: {'; '.join(found)}.",
        "forbid": {"phrases": list(found), "remove": "sentence"},
        "bad": [shortened(one, CUT) for one in every if pattern and phrases.find(pattern, one)][:EXAMPLES],
    }
    return parse({"rules": [content]}).rules[0]


def _yaml(content: Any) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
