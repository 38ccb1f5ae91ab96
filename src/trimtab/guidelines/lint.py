"""Findings about the guidelines themselves: too long to remember, impossible to keep, or not looked at again."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.errors import GuidelinesError
from trimtab.guidelines.checks import Added, Check, Forbidden, Rejected, Replaced
from trimtab.guidelines.compiled import Compiled, problems, unchecked
from trimtab.guidelines.schema import Guidelines, Rule
from trimtab.language.reading import reading_ease
from trimtab.language.text import normal, words

Severity = Literal["error", "warning", "note"]
# Editorial limits of our own: more rules than a page holds, longer than two sentences, harder than a quality newspaper.
MANY_RULES, LONG_RULE, HARD = 25, 40, 30.0
FIXES = {
    "contradiction": "change one of the two that contradict each other",
    "good_breaks_rule": "change the example, or narrow the check",
    "bad_not_caught": "change the example, or widen the check",
}
# Readability says nothing of a text of a few words.
READABLE = 12


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding about guidelines; `rule` is empty where it is about all of them, `fix` is the next step.

    error: the guidelines cannot be kept, or are refused when they are used. warning: they mislead. note: something
    for people to know.
    """

    kind: str
    severity: Severity
    rule: str
    message: str
    fix: str


def lint(guidelines: Guidelines, today: datetime.date, *, given_version: bool = True) -> list[Remark]:
    """Everything found, errors first, then in the order of the rules; guidelines that are refused are read as well.

    Args:
        today: the day that review_by is held against.
        given_version: whether the file itself names a version; the schema has a default.
    """
    found = [*_dated(guidelines, today, given_version=given_version), *_unchecked(guidelines)]
    if len(guidelines.rules) > MANY_RULES:
        message = f"{len(guidelines.rules)} rules; people keep at most about {MANY_RULES} in mind"
        found.append(Remark("too_many_rules", "warning", "", message, "join rules, or split by audience"))
    for rule in guidelines.rules:
        found += _worded(rule)
    try:
        found += _tried(unchecked(guidelines))
    except GuidelinesError as error:
        message = f"{error.message}; what else the rules find was not looked at"
        found.append(Remark("slow_pattern", "error", "", message, error.hint))
    return sorted(found, key=lambda remark: ("error", "warning", "note").index(remark.severity))


def _dated(guidelines: Guidelines, today: datetime.date, *, given_version: bool) -> Iterator[Remark]:
    if not given_version:
        yield Remark("no_version", "warning", "", "no version", "give version, and raise it with each change")
    if guidelines.date is None:
        yield Remark("no_date", "warning", "", "no date", "give the day on which the rules were decided")
    if guidelines.review_by is None:
        yield Remark("no_review", "note", "", "no review_by", "give the day of the next review")
    elif guidelines.review_by < today:
        message = f"review_by {guidelines.review_by} has passed; today is {today}"
        yield Remark("review_passed", "warning", "", message, "look at the rules again, and move the date")


def _unchecked(guidelines: Guidelines) -> Iterator[Remark]:
    for name in ("tone", "audience"):
        if getattr(guidelines, name):
            message = f"{name} compiles to no check: people must judge it"
            yield Remark("no_check", "note", "", message, f"judge {name} in a review, or add rules for it")


def _worded(rule: Rule) -> Iterator[Remark]:
    length = len(words(rule.text))
    if length > LONG_RULE:
        message = f"{length} words; a rule of more than {LONG_RULE} is not remembered"
        yield Remark(
            "long_rule", "warning", rule.id, message, "say it in one short sentence, or make two rules"
        )
    ease = reading_ease(rule.text)
    if length >= READABLE and ease < HARD:
        message = f"hard to read: {ease:.0f} Flesch points, below {HARD:.0f}"
        yield Remark("hard_to_read", "warning", rule.id, message, "use shorter words and sentences")
    lacking = [name for name in ("good", "bad") if not getattr(rule, name)]
    if len(lacking) == 2:
        message = "no example, good or bad"
        yield Remark(
            "no_example", "warning", rule.id, message, "add a text that keeps it and one that breaks it"
        )
    elif lacking:
        message = f"no {lacking[0]} example"
        yield Remark("no_example", "note", rule.id, message, f"add a text under {lacking[0]}")


def _tried(found: Compiled) -> Iterator[Remark]:
    """What comes out when the rules are tried on one another's texts."""
    replacing = [one for one in found.checks if isinstance(one, Replaced)]
    ids = {one.rule.id for one in replacing}
    for problem in problems(found):
        # What is replaced more than once is told as the chain that it is.
        if not (problem.rule in ids and problem.other in ids):
            fix = FIXES[problem.kind]
            yield Remark(problem.kind, "error", problem.rule, problem.message, fix)
    for one in found.checks:
        yield from _good_elsewhere(one, found.content)
    for added in found.added:
        yield from _required(added, found.content)
    yield from _chains(replacing)


def _good_elsewhere(one: Check, content: Sequence[Check]) -> Iterator[Remark]:
    """Good examples that break another rule; what another rule adds is missing in every one, which is no fault."""
    for number, text in enumerate(one.rule.good):
        for other in content:
            for found in other.find(text)[:1] if other is not one else ():
                message = f"good.{number} breaks {other.rule.id}: {found.what}"
                fix = "change the example, or the rule that it breaks"
                yield Remark("good_breaks_other", "warning", one.rule.id, message, fix)


def _required(one: Added, content: Sequence[Check]) -> Iterator[Remark]:
    """What a rule requires and another takes away; an error where no allowed way to satisfy it is left."""
    how = one.rule.require
    ways = [phrase.removesuffix("*") for phrase in how.phrases] if how else []
    taken = [(way, other) for way in ways if (other := _taker(way, one, content))]
    whole = bool(ways) and len(taken) == len(ways) and not (how and how.pattern)
    for way, other in taken:
        message = f"requires {way!r:.60}, which {other} forbids or changes"
        fix = f"change this rule or {other}"
        yield Remark("contradiction", "error" if whole else "warning", one.rule.id, message, fix)


def _taker(text: str, one: Added, content: Sequence[Check]) -> str:
    """The id of a rule that removes a text, or empty."""
    for other in content:
        if not isinstance(other, Forbidden | Rejected | Replaced):
            continue
        opening = isinstance(other, Forbidden) and other.how.where == "opening"
        if other.find(text) and not (opening and one.place == "end"):
            return other.rule.id
    return ""


def _chains(replacing: list[Replaced]) -> Iterator[Remark]:
    """What is replaced by something that is replaced in turn; where that leads back it is a cycle."""
    follows: dict[str, tuple[str, str]] = {}
    for one in replacing:
        for form, (_, other) in one.forms.items():
            if form in follows and normal(follows[form][1]) != normal(other):
                message = (
                    f"replaces {form!r} by {other!r}; {follows[form][0]} replaces it by {follows[form][1]!r}"
                )
                yield Remark("conflict", "warning", one.rule.id, message, "keep one of the two")
            follows.setdefault(form, (one.rule.id, other))
    for form, (rule, other) in follows.items():
        path, text = [form], other
        while text and (after := _next(text, replacing)) is not None:
            path.append(normal(text))
            if path[-1] in path[:-1]:
                break
            text = after
        if len(path) == 1:
            continue
        cycle = path[-1] in path[:-1]
        steps = " -> ".join([*path, *([] if cycle else [text])])
        kind = "replace_cycle" if cycle else "replace_chain"
        yield Remark(kind, "error", rule, f"replaced more than once: {steps}", "name the last form directly")


def _next(text: str, replacing: list[Replaced]) -> str | None:
    """A text after the first rule that would replace something in it; None where none would."""
    return next((one.fix(text) for one in replacing if one.find(text)), None)
