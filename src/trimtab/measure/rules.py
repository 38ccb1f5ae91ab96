"""Does an answer keep the content rules, by the same compiled checks that edit answers."""

from __future__ import annotations

import difflib
from typing import Literal

from trimtab.errors import MetricError
from trimtab.guidelines import load
from trimtab.measure.contract import Metric
from trimtab.records import Example


def guidelines(
    *, file: str, rules: list[str] | None = None, count: Literal["answers", "violations"] = "answers"
) -> Metric:
    """1 if an answer keeps every rule of the guidelines, else 0, higher is better; or violations, lower is better.

    Question: does the answer keep the content rules?
    Limits: finds what the rules' phrases, patterns and limits find, and no more; audience and tone are not checked.
    `file` is guidelines.yaml, the recipe's own where it names none; `rules` are ids, all rules when not given;
    `count: violations` counts the places that break a rule, a rule may be broken several times.

    Raises:
        GuidelinesError: the file cannot be read, or has any problem.
        MetricError: an id that the file does not hold.
    """
    found = load(file)
    known = [rule.id for rule in found.guidelines.rules]
    for name in rules or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise MetricError(
                f"metric guidelines: no rule {name!r} in {file}{meant}", f"rules: {', '.join(known)}"
            )

    def broken(example: Example, text: str) -> float:
        return float(sum(not rules or finding.rule in rules for finding in found.check(text)))

    shares = count == "answers"
    return Metric(
        name="guidelines",
        unit="share of answers" if shares else "violations",
        direction="higher" if shares else "lower",
        question="Does the answer keep the content rules?" if shares else "How often does it break a rule?",
        limits="Finds what phrases, patterns and limits find, and no more; audience and tone are not checked.",
        bounds=(0.0, 1.0) if shares else None,
        score=(lambda example, text: float(not broken(example, text))) if shares else broken,
    )
