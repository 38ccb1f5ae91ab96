"""All rules of some guidelines as one check and one edit that settles.

Rules are applied again until a pass changes nothing, so what is given twice is changed once. Rules that would chase
one another are refused when they are compiled; a text on which they do not settle is answered with the fallback.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trimtab import strict
from trimtab.errors import GuidelinesError, several
from trimtab.guidelines.checks import Added, Check, Finding, Fix, Forbidden, Rejected, Replaced, check
from trimtab.guidelines.schema import Guidelines, parse
from trimtab.language.text import words

# Passes until rules must have settled. Three are usual: one that changes, one after it, one that changes nothing.
PASSES = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason to refuse guidelines: what it is about, and in words.

    rule: id of the rule, or fallback, or empty for all of them. other: id of the rule that it contradicts, if any.
    """

    kind: Literal["contradiction", "good_breaks_rule", "bad_not_caught"]
    rule: str
    message: str
    other: str = ""


@dataclass(frozen=True)
class Compiled:
    """Guidelines ready for use.

    content: the checks of what is said, in order. added: those of what must be said, in order.
    """

    guidelines: Guidelines
    content: tuple[Check, ...]
    added: tuple[Added, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check, those of what must be said last."""
        return (*self.content, *self.added)

    @property
    def inserts(self) -> tuple[str, ...]:
        """Every text that the rules may put into an answer."""
        return (*(text for one in self.checks for text in one.inserts), self.guidelines.fallback)

    @property
    def draws(self) -> dict[str, int]:
        """How often an answer is drawn again at most, by the id of the rule that rejects it."""
        return {one.rule.id: one.draws for one in self.content if isinstance(one, Rejected)}

    @functools.cached_property
    def last_resort(self) -> str:
        """What is given where the rules leave nothing of an answer, or do not settle on it."""
        return self._settled(self.guidelines.fallback, [])[0] or self.guidelines.fallback

    def check(self, text: str) -> list[Finding]:
        """Every place where a text breaks a rule, in the text's order.

        What `require` and `disclose` added at its beginning or end counts neither as said nor towards its length.

        Raises:
            GuidelinesError: a pattern took too long on it; names the rule.
        """
        head, body, _ = self._parts(text)
        found = [
            Finding(f.rule, f.start + len(head), f.end + len(head), f.what)
            for one in self.content
            for f in one.find(body)
        ]
        found += [finding for one in self.added for finding in one.find(text)]
        return sorted(found, key=lambda finding: (finding.start, finding.end))

    def apply(self, text: str, first: Sequence[tuple[str, Fix]] = ()) -> tuple[str, tuple[str, ...]]:
        """A text edited until it keeps the rules, and the ids of the rules that changed it, in their order.

        A text that no rule changes comes back byte for byte. Applied twice it changes nothing more.

        Args:
            first: edits by name that come before the rules in each pass; each returns its text where it has nothing
                to mend, and may insert only what no rule would change.

        Raises:
            GuidelinesError: a pattern took too long on it; names the rule.
        """
        if text == self.last_resort:
            return text, ()
        settled, fired = self._settled(text, first)
        names = [*(name for name, _ in first), *(one.rule.id for one in self.checks)]
        ordered = tuple(name for name in names if name in fired)
        if settled is None or (fired and not words(settled)):
            settled = self.last_resort
        return settled, ordered

    def _settled(self, text: str, first: Sequence[tuple[str, Fix]]) -> tuple[str | None, set[str]]:
        """A text that a further pass does not change, or None where there is none, and the names that fired."""
        fired: set[str] = set()
        for _ in range(PASSES):
            before = text
            text = self._pass(text, first, fired)
            if text == before:
                return text, fired
        return None, fired

    def _pass(self, text: str, first: Sequence[tuple[str, Fix]], fired: set[str]) -> str:
        head, body, tail = self._parts(text)
        mended = body
        for name, fix in (*first, *((one.rule.id, one.fix) for one in self.content)):
            before = mended
            mended = fix(mended)
            fired |= {name} if mended != before else set()
        if mended != body:
            text = head + mended + tail if mended else (head.rstrip() + tail).strip()
        for one in self.added:
            before = text
            text = one.fix(text)
            fired |= {one.rule.id} if text != before else set()
        return text

    def _parts(self, text: str) -> tuple[str, str, str]:
        """What was added at the beginning of a text, the text itself, and what was added at its end."""
        sentences = [one.sentence for one in self.added if one.sentence]
        start, end = 0, len(text)
        while found := next(
            (s for s in sentences if text.startswith(s, start) and start + len(s) <= end), ""
        ):
            start += len(found)
            start += len(text[start:]) - len(text[start:].lstrip())
        while found := next((s for s in sentences if text[start:end].rstrip().endswith(s)), ""):
            end = start + len(text[start:end].rstrip()) - len(found)
            end = start + len(text[start:end].rstrip())
        return text[:start], text[start:end], text[end:]


def compiled(guidelines: Guidelines, *, name: str = "guidelines") -> Compiled:
    """Guidelines made ready for use.

    Raises:
        GuidelinesError: rules that contradict one another, or examples that contradict their rule; all at once.
    """
    found = unchecked(guidelines)
    said = [f"{problem.rule or 'rules'}: {problem.message}" for problem in problems(found)]
    if said:
        raise GuidelinesError(f"{name}:\n{several(said)}", "change one of the two that contradict each other")
    return found


def unchecked(guidelines: Guidelines) -> Compiled:
    """The checks of guidelines that may hold problems: for looking at them, not for use."""
    checks = [check(rule) for rule in guidelines.rules]
    content = tuple(one for one in checks if not isinstance(one, Added))
    return Compiled(guidelines, content, tuple(one for one in checks if isinstance(one, Added)))


def load(path: Path | str) -> Compiled:
    """Read a file of guidelines and make it ready for use.

    Raises:
        GuidelinesError: the file is missing, not YAML, or has any problem; all problems are named at once.
    """
    path = Path(path)
    content = strict.read(
        path, "guidelines", GuidelinesError, "every option is described in docs/guidelines.md"
    )
    return compiled(parse(content, name=str(path)), name=str(path))


def problems(found: Compiled) -> list[Problem]:
    """Everything for which guidelines are refused.

    Raises:
        GuidelinesError: a pattern took too long on an example; names the rule.
    """
    return [*_contradictions(found), *_examples(found)]


def _contradictions(found: Compiled) -> list[Problem]:
    """Texts that a rule inserts and another would change; additions that do not satisfy their own rule."""
    inserts = [(one.rule.id, text) for one in found.checks for text in one.inserts]
    inserts += [("fallback", found.guidelines.fallback)]
    told = [
        Problem(
            "contradiction", name, f"inserts {text!r:.60}, but {finding.rule} {finding.what}", finding.rule
        )
        for name, text in inserts
        for one in found.content
        if isinstance(one, Forbidden | Replaced | Rejected)
        for finding in one.find(text)[:1]
    ]
    told += [
        Problem(
            "contradiction",
            one.rule.id,
            f"adds {one.sentence!r:.60}, in which it does not find what it requires",
        )
        for one in found.added
        if one.sentence and one.find(one.sentence)
    ]
    if not told and found._settled(found.guidelines.fallback, [])[0] is None:
        told.append(Problem("contradiction", "", "they never settle, not even on the fallback"))
    return told


def _examples(found: Compiled) -> list[Problem]:
    """Good examples that break their rule, and bad ones that keep it."""
    told = []
    for one in found.checks:
        for number, text in enumerate(one.rule.good):
            said = [f"good.{number} breaks it: {f.what}" for f in one.find(text)[:1]]
            told += [Problem("good_breaks_rule", one.rule.id, what) for what in said]
        for number, text in enumerate(one.rule.bad):
            said = [] if one.find(text) else [f"bad.{number} keeps it: {text!r:.60}"]
            told += [Problem("bad_not_caught", one.rule.id, what) for what in said]
    return told
