"""Instructions that a program can verify: length, format, keywords."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from trimtab.errors import MetricError
from trimtab.language.text import sentences
from trimtab.measure.contract import Metric
from trimtab.records import NAN, Example

Check = Callable[[str, Mapping[str, Any]], bool]
_WORD = re.compile(r"\w+")


def instructions(*, level: Literal["all", "share"] = "all") -> Metric:
    """Are the item's verifiable instructions followed, 0 to 1, higher is better.

    Question: does the answer keep to the length, format and wording that was asked for?
    Limits: form only; an answer that is nonsense but well-formed scores 1.
    level all: 1 if every instruction is followed, else 0; level share: the share that is.
    Needs fields `instruction_id_list` and `kwargs`, one mapping for each; nan without them, and where one of
    the instructions is not known here (`unknown` counts them). An answer without a word follows nothing.
    Source: Zhou et al. 2023 (IFEval), section 2, strict accuracy; the checks are our own.
    """

    def score(example: Example, text: str) -> float:
        wanted = _wanted(example)
        if not wanted or any(name not in CHECKS for name, _ in wanted):
            return NAN
        followed = [
            bool(_WORD.search(text)) and _followed(name, text, facts, example) for name, facts in wanted
        ]
        return float(all(followed)) if level == "all" else sum(followed) / len(followed)

    return Metric(
        name="instructions",
        unit="share of answers" if level == "all" else "share of instructions",
        direction="higher",
        question="Does the answer keep to the length, format and wording that was asked for?",
        limits="Form only: nonsense in the right form scores 1.",
        bounds=(0.0, 1.0),
        score=score,
    )


def unknown(examples: Iterable[Example]) -> Counter[str]:
    """How many items have an instruction that is not known here, by its id; these items score nan."""
    return Counter(name for e in examples for name in {n for n, _ in _wanted(e)} if name not in CHECKS)


def _wanted(example: Example) -> list[tuple[str, Mapping[str, Any]]]:
    names = example.fields.get("instruction_id_list") or []
    facts = example.fields.get("kwargs") or [{}] * len(names)
    if len(names) != len(facts):
        raise MetricError(
            f"item {example.id!r}: {len(names)} instructions and {len(facts)} kwargs",
            "give one mapping for each",
        )
    return list(zip(names, facts, strict=True))


def _followed(name: str, text: str, facts: Mapping[str, Any], example: Example) -> bool:
    try:
        return CHECKS[name](text, facts)
    except (KeyError, TypeError, ValueError) as error:
        raise MetricError(
            f"item {example.id!r}: instruction {name}: {type(error).__name__}: {error}", "mend its kwargs"
        ) from None


def _related(count: int, relation: str, wanted: int) -> bool:
    if relation not in ("at least", "less than"):
        raise ValueError(f"relation is {relation!r}, expected 'at least' or 'less than'")
    return count >= wanted if relation == "at least" else count < wanted


def _occurrences(text: str, phrase: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE))


def _highlights(text: str, facts: Mapping[str, Any]) -> bool:
    strong = re.findall(r"\*\*[^*\n]*\w[^*\n]*\*\*", text)
    rest = re.sub(r"\*\*[^*\n]*\*\*", " ", text)
    return len(strong) + len(re.findall(r"\*[^*\n]*\w[^*\n]*\*", rest)) >= int(facts["num_highlights"])


def _bullets(text: str, facts: Mapping[str, Any]) -> bool:
    return len(re.findall(r"^\s*(?:\*(?!\*)|-)\s*\S", text, re.MULTILINE)) == int(facts["num_bullets"])


def _paragraphs(text: str, facts: Mapping[str, Any]) -> bool:
    parts = re.split(r"\s?\*\*\*\s?", text)
    return all(part.strip() for part in parts) and len(parts) == int(facts["num_paragraphs"])


def _nth_paragraph(text: str, facts: Mapping[str, Any]) -> bool:
    parts = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    if len(parts) != facts["num_paragraphs"] or not 1 <= facts["nth_paragraph"] <= len(parts):
        return False
    first = parts[facts["nth_paragraph"] - 1].split()[0].strip("'\"*_.,:;!?").lower()
    return bool(first == facts["first_word"].lower())


def _postscript(text: str, facts: Mapping[str, Any]) -> bool:
    marker = r"[.]?\s?".join(letter for letter in facts["postscript_marker"] if letter.isalpha())
    return bool(re.search(rf"^\s*{marker}[.:]?\s*\S", text, re.MULTILINE | re.IGNORECASE))


def _two_responses(text: str, facts: Mapping[str, Any]) -> bool:
    parts = [part.strip() for part in text.split("******")]
    return len(parts) == 2 and all(parts) and parts[0] != parts[1]


def _json(text: str, facts: Mapping[str, Any]) -> bool:
    bare = re.sub(r"^\s*```(?:json)?\s*|\s*```\s*$", "", text, flags=re.IGNORECASE)
    try:
        json.loads(bare)
    except json.JSONDecodeError:
        return False
    return True


def _sections(text: str, facts: Mapping[str, Any]) -> bool:
    return len(re.findall(rf"\b{re.escape(facts['section_spliter'])}\s?\d+", text)) >= int(
        facts["num_sections"]
    )


def _end(text: str, facts: Mapping[str, Any]) -> bool:
    return text.strip().strip('"').strip().lower().endswith(str(facts["end_phrase"]).strip().lower())


CHECKS: Mapping[str, Check] = {
    "punctuation:no_comma": lambda text, f: "," not in text,
    "length_constraints:number_words": lambda text, f: _related(
        len(_WORD.findall(text)), f["relation"], f["num_words"]
    ),
    "length_constraints:number_sentences": lambda text, f: _related(
        len(sentences(text)), f["relation"], f["num_sentences"]
    ),
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:title": lambda text, f: bool(re.search(r"<<[^<>\n]*\w[^<>\n]*>>", text)),
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:constrained_response": lambda text, f: any(
        f"My answer is {word}." in text for word in ("yes", "no", "maybe")
    ),
    "detectable_content:postscript": _postscript,
    "detectable_content:number_placeholders": lambda text, f: (
        len(re.findall(r"\[[^\[\]]*\]", text)) >= f["num_placeholders"]
    ),
    "keywords:existence": lambda text, f: all(word.lower() in text.lower() for word in f["keywords"]),
    "keywords:forbidden_words": lambda text, f: (
        not any(_occurrences(text, word) for word in f["forbidden_words"])
    ),
    "keywords:frequency": lambda text, f: _related(
        text.lower().count(f["keyword"].strip().lower()), f["relation"], f["frequency"]
    ),
    "keywords:letter_frequency": lambda text, f: _related(
        text.lower().count(f["letter"].lower()), f["let_relation"], f["let_frequency"]
    ),
    "change_case:english_lowercase": lambda text, f: text.islower(),
    "change_case:english_capital": lambda text, f: text.isupper(),
    "change_case:capital_word_frequency": lambda text, f: _related(
        sum(word.isupper() for word in re.findall(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*", text)),
        f["capital_relation"],
        f["capital_frequency"],
    ),
    "startend:quotation": lambda text, f: len(t := text.strip()) > 2 and t[0] == t[-1] == '"',
    "startend:end_checker": _end,
    "combination:repeat_prompt": lambda text, f: (
        text.strip().lower().startswith(f["prompt_to_repeat"].strip().lower())
    ),
    "combination:two_responses": _two_responses,
}
