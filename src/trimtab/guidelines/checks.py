"""One compiled check for each rule: where a text breaks it, and the text mended.

A check that finds nothing returns its text as it came, the same object.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trimtab.guidelines import patterns
from trimtab.guidelines.schema import Disclose, Forbid, Limit, Matching, Reject, Replace, Require, Rule
from trimtab.language import editing, phrases
from trimtab.language.text import Span, normal

Fix = Callable[[str], str]
QUOTED = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """A place of a text that breaks a rule: text[start:end], and what is wrong in words."""

    rule: str
    start: int
    end: int
    what: str


class Check(abc.ABC):
    """A compiled rule. `inserts` are the texts that it may put into an answer."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.inserts: tuple[str, ...] = ()

    @abc.abstractmethod
    def find(self, text: str) -> list[Finding]:
        """Every place where a text breaks the rule, in order."""

    @abc.abstractmethod
    def fix(self, text: str) -> str:
        """The text mended in one pass; the same text where there is nothing to mend."""

    def found(self, text: str, span: Span, before: str, after: str = "") -> Finding:
        """A finding of this rule, in words: what stands there, between `before` and `after`."""
        return Finding(self.rule.id, *span, f"{before} {_quoted(text[span[0] : span[1]])}{after}")


class Forbidden(Check):
    """What must not be said is left out."""

    def __init__(self, rule: Rule, how: Forbid) -> None:
        super().__init__(rule)
        self.how = how
        self.search = _search(rule, how)

    def find(self, text: str) -> list[Finding]:
        """The forbidden words."""
        return [self.found(text, span, "says") for span in self._spans(text)]

    def fix(self, text: str) -> str:
        """Without them, or without their sentences."""
        spans = self._spans(text)
        if not spans:
            return text
        return editing.cut(text, spans) if self.how.remove == "words" else editing.drop(text, spans)

    def _spans(self, text: str) -> list[Span]:
        spans = self.search(text)
        if self.how.where == "anywhere" or not spans:
            return spans
        lead = re.match(r"[\W_]*", text)
        return [span for span in spans[:1] if lead and span[0] <= lead.end()]


class Replaced(Check):
    """What is said in other words. A word that already stands as it shall is no finding."""

    def __init__(self, rule: Rule, how: Replace) -> None:
        super().__init__(rule)
        self.forms = {_spaced(form): (form, other) for form, other in how.phrases.items()}
        self.inserts = tuple(other for other in how.phrases.values() if other)
        self.pattern = phrases.pattern(how.phrases)
        # A form with any ending, the longest first, as the pattern tries them.
        self.open = sorted((form for form in self.forms if form.endswith("*")), key=len, reverse=True)

    def find(self, text: str) -> list[Finding]:
        """The words to replace."""
        others = self._others(text)
        return [self.found(text, span, "says", f", not {_quoted(other)}") for span, other in others]

    def fix(self, text: str) -> str:
        """Each replaced, a capital where it began with one; where nothing stands in its place it is cut."""
        others = self._others(text)
        if not others:
            return text
        if not all(other for _, other in others):
            return editing.cut(text, [span for span, other in others if not other])
        pieces, at = [], 0
        for (start, end), other in others:
            pieces += [text[at:start], other]
            at = end
        return "".join([*pieces, text[at:]])

    def _others(self, text: str) -> list[tuple[Span, str]]:
        if self.pattern is None:
            return []
        found = ((span, self._other(text[span[0] : span[1]])) for span in phrases.find(self.pattern, text))
        return [(span, other) for span, other in found if other != text[span[0] : span[1]]]

    def _other(self, said: str) -> str:
        form, other = self._form(said)
        if len(said) > 1 and said.isupper() and not form.isupper():
            return other.upper()
        return other[:1].upper() + other[1:] if said[0].isupper() and not form[0].isupper() else other

    def _form(self, said: str) -> tuple[str, str]:
        plain = _spaced(said)
        whole = self.forms.get(plain)
        return whole or next((self.forms[f] for f in self.open if plain.startswith(f[:-1])), (said, said))


class Limited(Check):
    """What stands beyond the limit is cut off at the end of a sentence."""

    def __init__(self, rule: Rule, how: Limit) -> None:
        super().__init__(rule)
        self.limits = editing.Limits(how.words, how.sentences, how.characters)
        given = how.model_dump(exclude_none=True)
        self.what = "longer than " + " or ".join(f"{most} {unit}" for unit, most in given.items())

    def find(self, text: str) -> list[Finding]:
        """What is too much."""
        fits = editing.beginning(text, self.limits)
        return [Finding(self.rule.id, fits, len(text), self.what)] if fits < len(text) else []

    def fix(self, text: str) -> str:
        """The beginning that is within the limits."""
        return editing.shorten(text, self.limits)


class Rejected(Check):
    """An answer that is unfit is not given."""

    def __init__(self, rule: Rule, how: Reject) -> None:
        super().__init__(rule)
        self.draws = how.draws
        self.inserts = (how.fallback,)
        self.search = _search(rule, how)

    def find(self, text: str) -> list[Finding]:
        """What makes it unfit."""
        return [self.found(text, span, "is unfit: says") for span in self.search(text)]

    def fix(self, text: str) -> str:
        """The written answer instead of an unfit one."""
        return self.inserts[0] if self.search(text) else text


class Added(Check):
    """What an answer must say, and what is added, where anything is, when it does not."""

    def __init__(self, rule: Rule, how: Require | Disclose) -> None:
        super().__init__(rule)
        self.place = how.place
        wanted = how if isinstance(how, Require) else None
        self.sentence = (how.add if isinstance(how, Require) else how.sentence).strip()
        self.inserts = (self.sentence,) if self.sentence else ()
        self.search = _search(rule, wanted) if wanted else _listed([self.sentence])

    def find(self, text: str) -> list[Finding]:
        """That it is missing, at the place where it would be added."""
        if self.search(text):
            return []
        at = 0 if self.place == "start" else len(text)
        return [Finding(self.rule.id, at, at, f"misses {_quoted(self.sentence or self.rule.text)}")]

    def fix(self, text: str) -> str:
        """With what was missing added, in a paragraph of its own where the text has several lines."""
        if not self.sentence or self.search(text):
            return text
        between = "\n\n" if "\n" in text.strip() else " "
        parts = [self.sentence, text.strip()] if self.place == "start" else [text.strip(), self.sentence]
        return between.join(part for part in parts if part)


def check(rule: Rule) -> Check:
    """The compiled check of a rule."""
    if rule.forbid:
        return Forbidden(rule, rule.forbid)
    if rule.replace:
        return Replaced(rule, rule.replace)
    if rule.limit:
        return Limited(rule, rule.limit)
    if rule.reject:
        return Rejected(rule, rule.reject)
    how = rule.require or rule.disclose
    if how is None:  # the schema does not let such a rule through
        raise ValueError(f"rule {rule.id} has no check")
    return Added(rule, how)


def _search(rule: Rule, how: Matching) -> Callable[[str], list[Span]]:
    """What finds the phrases and the pattern of a rule in a text: spans in order, without overlaps."""
    listed = _listed(how.phrases)

    def search(text: str) -> list[Span]:
        spans = listed(text)
        if how.pattern:
            spans = _apart([*spans, *patterns.find(how.pattern, text, rule=rule.id)])
        return spans

    return search


def _listed(entries: Sequence[str]) -> Callable[[str], list[Span]]:
    pattern = phrases.pattern(entries)
    return lambda text: phrases.find(pattern, text) if pattern else []


def _spaced(form: str) -> str:
    """A phrase as its occurrences are compared: those that differ in white space or hyphens are one."""
    return " ".join(re.split(r"[\s\-]+", normal(form)))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED else f"{text[:QUOTED]}…")


def _apart(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that overlap made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
