"""Rows that are made of tune, for candidates that are trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trimtab.strict import Section


class Augmentation(Section):
    """One way to make more rows of tune; select and confirm stay as they are."""

    kind: Literal["synonyms", "noise", "mixing", "balance", "paraphrase", "roundtrip"] = Field(
        description="synonyms (WordNet), noise (typing errors), mixing (a solved other row before each), balance "
        "(copies of rows of thin topics), paraphrase or roundtrip (prompts rewritten by the base model)"
    )
    most: int = Field(1, ge=1, le=8, description="most rows made of one row")
    rate: float = Field(
        0.1, gt=0, le=1, description="synonyms, noise: share of the words that could change which do"
    )
    similarity: float | None = Field(
        None,
        ge=0,
        le=1,
        description="synonyms, paraphrase, roundtrip: least cosine of the prompt's sentence vector with its parent's; "
        "when not given 0.9 for synonyms, 0.8 for the others",
    )
    language: str = Field(
        "English", min_length=1, max_length=40, description="roundtrip: the language of the prompts"
    )
    through: str = Field(
        "French", min_length=1, max_length=40, description="roundtrip: the language that is gone through"
    )
    by: str = Field(
        "tags",
        min_length=1,
        max_length=100,
        description="balance: what names a row's topic: tags (the first one), group, or a field of its own",
    )
    wordnet: str = Field(
        "",
        description="synonyms: folder of WordNet's files; /usr/share/wordnet, from the package wordnet-base, "
        "when not given",
    )
