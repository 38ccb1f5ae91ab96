"""What to try for a kind of failure: a written table of rules, the first that applies stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Of the items of a cluster, so many have to show a sign, or it is not what the cluster is about.
MOST_OF = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """A sign, by metrics that fail or by what is seen in the answers, and the rungs to try for it, likeliest first."""

    sign: str
    metrics: frozenset[str]
    rungs: tuple[str, ...]
    reason: str


REPEATS, CUT = "repeats", "cut off"
RULES = (
    Rule(
        "facts are missing or invented",
        frozenset({"coverage", "invented"}),
        ("context", "adapter"),
        "what the model does not know has to be in front of it; training on answers teaches it to make facts up",
    ),
    Rule(
        "forbidden phrases or broken rules",
        frozenset({"phrase_rate", "guidelines", "instructions"}),
        ("postprocess", "prompt"),
        "what can be written as a rule on the text is surest kept by that rule",
    ),
    Rule(
        "repetition or unsteady answers",
        frozenset({"repetition", "distinct", "consistency", "answer_entropy", "dispersion", REPEATS}),
        ("decoding",),
        "how tokens are drawn decides whether a text repeats itself or varies",
    ),
    Rule(
        "answers end at the limit of tokens",
        frozenset({CUT}),
        ("decoding", "prompt"),
        "the answer is cut off: allow more tokens, or ask for a shorter one",
    ),
    Rule(
        "tone",
        frozenset({"sentiment", "toxicity", "readability", "engagement", "refusal", "length"}),
        ("prompt", "steering"),
        "a manner of speaking is one direction of the hidden states, and often enough a sentence of the prompt",
    ),
)
ELSE = Rule(
    "none of the written signs",
    frozenset(),
    ("adapter",),
    "no smaller adjustment is known to fit: the task itself has to be learnt from examples",
)


def advice(signs: Mapping[str, float]) -> Rule:
    """The rule for a cluster.

    Args:
        signs: of each metric the share of the cluster's items that fail it, of `REPEATS` and `CUT` the share that
            shows it; 0 to 1. The rule with the most frequent sign stands, of equal ones the first.
    """
    found, share = ELSE, MOST_OF
    for rule in RULES:
        most = max((signs.get(name, 0.0) for name in rule.metrics), default=0.0)
        if most > share or (most == share and found is ELSE):
            found, share = rule, most
    return found
