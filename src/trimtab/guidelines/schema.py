"""The schema of guidelines.yaml: every option described once, in its field."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from trimtab import strict
from trimtab.errors import GuidelinesError
from trimtab.guidelines import patterns
from trimtab.language import phrases
from trimtab.language.text import normal
from trimtab.strict import Section

CHECKS = ("forbid", "replace", "require", "limit", "reject", "disclose")
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Example = Annotated[str, StringConstraints(max_length=20_000)]
PHRASES, RULES, EXAMPLES = 2000, 200, 50


class Matching(Section):
    """What is looked for: listed phrases, a pattern, or both."""

    phrases: tuple[Phrase, ...] = Field(
        (),
        max_length=PHRASES,
        description="words and phrases, found whole and in any case; a final * allows any ending",
    )
    pattern: str = Field(
        "",
        max_length=patterns.LONGEST,
        description="regular expression, in any case; no repeat inside a repeat",
    )

    @field_validator("pattern")
    @classmethod
    def _safe(cls, value: str) -> str:
        if value and (problem := patterns.problem(value)):
            raise ValueError(problem)
        return value

    @model_validator(mode="after")
    def _something(self) -> Matching:
        if not self.pattern and phrases.pattern(self.phrases) is None:
            raise ValueError("give phrases, a pattern, or both")
        return self


class Forbid(Matching):
    """What an answer must not say; it is left out."""

    where: Literal["anywhere", "opening"] = Field(
        "anywhere", description="opening: only where the answer begins with it"
    )
    remove: Literal["words", "sentence"] = Field(
        "words", description="what is left out: these words, or the sentence or list item that holds them"
    )


class Replace(Section):
    """What is said in other words."""

    phrases: dict[Phrase, Annotated[str, StringConstraints(max_length=200)]] = Field(
        min_length=1,
        max_length=PHRASES,
        description="each word or phrase, found whole and in any case, and what stands in its place",
    )

    @field_validator("phrases")
    @classmethod
    def _apart(cls, value: dict[str, str]) -> dict[str, str]:
        twice = [form for form, count in Counter(map(normal, value)).items() if count > 1]
        if twice:
            raise ValueError(f"given twice, apart from case and white space: {', '.join(twice[:5])}")
        return value


class Require(Matching):
    """What an answer must say."""

    add: str = Field(
        "", max_length=2000, description="what is added where it is missing; nothing is added when not given"
    )
    place: Literal["start", "end"] = Field("end", description="where it is added")


class Limit(Section):
    """How long an answer may be; what stands beyond is cut off at the end of a sentence.

    What `require` and `disclose` have added at the beginning or end is not counted.
    """

    words: int | None = Field(None, ge=1, description="most words")
    sentences: int | None = Field(None, ge=1, description="most sentences; an item of a list is one")
    characters: int | None = Field(None, ge=1, description="most characters")

    @model_validator(mode="after")
    def _one(self) -> Limit:
        if self.words is None and self.sentences is None and self.characters is None:
            raise ValueError("give words, sentences or characters")
        return self


class Reject(Matching):
    """What makes an answer unfit: another is drawn, and after that many a written one is given."""

    draws: int = Field(2, ge=0, le=16, description="answers drawn again at most")
    fallback: Sentence = Field(description="the answer that is given where all of them match")


class Disclose(Section):
    """A sentence that every answer carries."""

    sentence: Sentence = Field(description="the sentence")
    place: Literal["start", "end"] = Field("end", description="where it is added")


class Rule(Section):
    """One rule: for people a sentence, for the machine exactly one kind of check."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="short name: a-z, 0-9 and hyphens")
    text: Sentence = Field(description="the rule in one plain sentence")
    forbid: Forbid | None = Field(None, description="what must not be said")
    replace: Replace | None = Field(None, description="what is said in other words")
    require: Require | None = Field(None, description="what must be said")
    limit: Limit | None = Field(None, description="how long an answer may be")
    reject: Reject | None = Field(None, description="what makes an answer unfit to be given")
    disclose: Disclose | None = Field(None, description="a sentence that every answer carries")
    good: tuple[Example, ...] = Field((), max_length=EXAMPLES, description="texts that keep the rule")
    bad: tuple[Example, ...] = Field((), max_length=EXAMPLES, description="texts that break it")

    @model_validator(mode="after")
    def _exactly_one(self) -> Rule:
        given = [name for name in CHECKS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(CHECKS)}; there {_are(given)}")
        return self


class Guidelines(Section):
    """guidelines.yaml: content rules, applied in the order in which they stand."""

    version: str = Field("1", coerce_numbers_to_str=True, max_length=40, description="version of the rules")
    date: datetime.date | None = Field(None, description="day on which they were decided: 2026-11-25")
    review_by: datetime.date | None = Field(None, description="day by which they are to be looked at again")
    audience: str = Field("", max_length=2000, description="who reads the answers")
    tone: str = Field("", max_length=2000, description="how the answers shall sound")
    fallback: str = Field(
        "", max_length=2000, description="the answer that is given where the rules leave nothing of one"
    )
    rules: tuple[Rule, ...] = Field(
        (), max_length=RULES, description="the rules, in the order of application"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Guidelines:
        twice = [name for name, count in Counter(rule.id for rule in self.rules).items() if count > 1]
        if twice:
            raise ValueError(f"rules with the same id: {', '.join(twice)}")
        if self.date and self.review_by and self.review_by < self.date:
            raise ValueError(f"review_by ({self.review_by}) lies before date ({self.date})")
        return self

    def only(self, ids: tuple[str, ...]) -> Guidelines:
        """The guidelines with these rules alone; all of them where none is named."""
        return self.model_copy(update={"rules": tuple(r for r in self.rules if r.id in ids or not ids)})


def parse(content: dict[str, Any], *, name: str = "guidelines") -> Guidelines:
    """Check a mapping against the schema.

    Raises:
        GuidelinesError: with one line for each problem; an unknown key is answered with the nearest known one.
    """
    return strict.validate(Guidelines, content, name=name, error=GuidelinesError, page="docs/guidelines.md")


def _are(given: list[str]) -> str:
    return f"are {', '.join(given)}" if given else "is none"
