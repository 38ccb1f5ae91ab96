"""What an answer must not say: abuse and swear words, and what the guidelines forbid or miss in it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trimtab import guidelines
from trimtab.audit.checks.spans import answers, hits
from trimtab.audit.checks.wording import Wording
from trimtab.audit.findings import Hit, Row, Span
from trimtab.language.phrases import listed_words


def toxicity(row: Row) -> Iterator[Hit]:
    """`toxicity`: swear words and insults of the list `toxic`, in prompts too: a model learns to expect them."""
    for text in row.texts:
        if text.side != "other":
            found = _toxic().find(text.text)
            if found:
                yield from hits("toxicity", row, text, ((start, end, text.side) for start, end in found))


@dataclass(frozen=True, slots=True)
class Guideline:
    """`guideline`: an answer that breaks a rule; the type of a span is the id of the rule.

    Attributes:
        rules: the guidelines as JSON, so that it goes to worker processes as it is.
    """

    rules: str

    @classmethod
    def load(cls, path: Path | str) -> Guideline:
        """The check of a file of guidelines.

        Raises:
            GuidelinesError: the file is missing, not YAML, or has any problem.
        """
        return cls(guidelines.load(path).guidelines.model_dump_json(exclude_none=True))

    def __call__(self, row: Row) -> Iterator[Hit]:
        """A hit for each place of an answer that breaks a rule.

        Raises:
            GuidelinesError: a pattern of a rule took too long on it.
        """
        for text in answers(row):
            for found in _compiled(self.rules).check(text.text)[:20]:
                span = Span(row.number, text.field, found.start, found.end, found.rule)
                yield Hit("guideline", row.number, span, f"breaks {found.rule}")


@functools.lru_cache(maxsize=4)
def _compiled(rules: str) -> guidelines.Compiled:
    return guidelines.compiled(guidelines.parse(json.loads(rules)))


@functools.cache
def _toxic() -> Wording:
    return Wording(listed_words("toxic"))
