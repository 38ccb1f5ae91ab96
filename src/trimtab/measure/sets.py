"""Rows of public evaluation sets, each kind to items."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.records import Example, Message

Row = Mapping[str, Any]
PROVENANCE = ("source", "licence", "subject", "consent", "collected_at")
TWIN_OF = "twin_of"
MIN_PARAGRAPH = 120  # characters; below stand headings and captions


def choices(row: Row) -> Example:
    """A question with its choices and the index of the right one."""
    options = row["choices"]
    if not isinstance(options, Sequence) or isinstance(options, str) or len(options) < 2:
        raise ValueError(f"choices is {options!r:.40}, expected a list of at least two texts")
    answer = _index(row["answer"], len(options))
    texts = tuple(str(option) for option in options)
    return _asked(
        _text(row, "question"), references=(texts[answer],), fields={"choices": texts, "answer": answer}
    )


def bbq(row: Row) -> Example:
    """A BBQ row: the context and the question, three answers. Source: Parrish et al. 2022."""
    texts = tuple(_text(row, f"ans{number}") for number in range(3))
    answer = _index(row["label"], 3)
    example = _asked(
        f"{_text(row, 'context')} {_text(row, 'question')}",
        references=(texts[answer],),
        fields={"choices": texts, "answer": answer},
    )
    tags = tuple(
        str(row[key]) for key in ("category", "context_condition", "question_polarity") if row.get(key)
    )
    # The rows of one question template differ in a few words only.
    group = f"{row.get('category', '')}-{row.get('question_index', '')}"
    return dataclasses.replace(example, tags=tags, group=group if row.get("question_index") else "")


def minimal_pair(row: Row) -> Example:
    """A pair of plain texts, the good one and the bad one (BLiMP and the like)."""
    good, bad = _text(row, "good"), _text(row, "bad")
    if good == bad:
        raise ValueError("good and bad are the same text")
    tags = tuple(str(row[key]) for key in ("phenomenon", "uid", "type") if row.get(key))
    return Example(messages=(), references=(good,), tags=tags, fields={"good": good, "bad": bad})


def crows_pair(row: Row) -> Example:
    """A CrowS-Pairs row: good is the less stereotyped sentence. Source: Nangia et al. 2020, section 2."""
    pair = {"good": row["sent_less"], "bad": row["sent_more"]}
    return dataclasses.replace(
        minimal_pair(pair), tags=(str(row["bias_type"]), str(row["stereo_antistereo"]))
    )


def answered(row: Row) -> Example:
    """A prompt with its answer, and perhaps both with the groups of people in them swapped by hand."""
    swapped = {key: _text(row, key) for key in ("swapped_prompt", "swapped_answer") if row.get(key)}
    if len(swapped) == 1:
        raise ValueError(f"{next(iter(swapped))} stands alone, expected swapped_prompt and swapped_answer")
    return _asked(_text(row, "prompt"), references=(_text(row, "answer"),), fields=swapped)


def sum_in_words(row: Row) -> Example:
    """A GSM8K row: the number after #### is the reference. Source: Cobbe et al. 2021."""
    steps, mark, result = str(row["answer"]).rpartition("####")
    if not mark or not result.strip():
        raise ValueError("answer lacks the number after ####")
    return _asked(_text(row, "question"), references=(result.strip(),), fields={"steps": steps.strip()})


def verifiable(row: Row) -> Example:
    """An IFEval row: a prompt, the ids of its instructions and their arguments. Source: Zhou et al. 2023."""
    ids, kwargs = row["instruction_id_list"], row["kwargs"]
    if len(ids) != len(kwargs):
        raise ValueError(f"{len(ids)} instructions and {len(kwargs)} kwargs")
    return _asked(
        _text(row, "prompt"),
        fields={"instruction_id_list": tuple(ids), "kwargs": tuple(kwargs)},
        tags=tuple(ids),
    )


def xstest(row: Row) -> Example:
    """An XSTest row: label is safe (answer it) or unsafe (refuse it). Source: Roettger et al. 2024."""
    if row["label"] not in ("safe", "unsafe"):
        raise ValueError(f"label is {row['label']!r}, expected safe or unsafe")
    fields = {"should_refuse": row["label"] == "unsafe"}
    return _asked(_text(row, "prompt"), fields=fields, tags=(str(row["type"]),))


def request(row: Row) -> Example:
    """A request and whether it should be refused."""
    if not isinstance(row["should_refuse"], bool):
        raise ValueError(f"should_refuse is {row['should_refuse']!r}, expected true or false")
    return _asked(_text(row, "text"), fields={"should_refuse": row["should_refuse"]})


def bold(row: Row) -> Example | None:
    """A BOLD row: the beginning of a sentence about somebody. Source: Dhamala et al. 2021.

    None for an empty beginning, of which the published set holds a few.
    """
    if not str(row["prompt"]).strip():
        return None
    example = _asked(_text(row, "prompt").strip(), fields={"entity": str(row["entity"])})
    return dataclasses.replace(
        example, tags=(str(row["domain"]), str(row["group"])), subject=str(row["entity"])
    )


def passage(row: Row) -> Example:
    """Plain text: no messages, the text is the reference."""
    return Example(messages=(), references=(_text(row, "text"),))


def paragraphs(text: str) -> list[str]:
    """The lines of a plain text file that are long enough to be paragraphs."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if len(line) >= MIN_PARAGRAPH]


def is_winobias(row: Row) -> bool:
    """Whether a row is half of a WinoBias pair: numbered, pro or anti, the pronoun in brackets."""
    return {"n", "stereotype", "type", "text"} <= row.keys() and "[" in str(row["text"])


def winobias_pairs(content: Sequence[Row]) -> list[dict[str, Any]]:
    """WinoBias halves joined by number and type: good is the anti-stereotyped sentence, brackets removed.

    Halves without a partner are left out. Source: Zhao et al. 2018, section 2.
    """
    halves: dict[tuple[Any, Any], dict[str, str]] = {}
    for row in content:
        text = re.sub(r"[\[\]]", "", str(row["text"]))
        halves.setdefault((row["type"], row["n"]), {})[str(row["stereotype"])] = text
    return [
        {"id": f"type{kind}-{number}", "type": f"type {kind}", "good": pair["anti"], "bad": pair["pro"]}
        for (kind, number), pair in halves.items()
        if {"anti", "pro"} <= pair.keys() and pair["anti"] != pair["pro"]
    ]


def is_twins(row: Row) -> bool:
    """Whether a row has a prompt, and itself with groups of people swapped, for answers to be compared."""
    return {"prompt", "swapped_prompt"} <= row.keys() and "answer" not in row


def twins(content: Sequence[Row]) -> list[dict[str, Any]]:
    """Two rows for each: the prompt with its completion, and the swapped ones, both with the pair's name `twin_of`."""
    found: list[dict[str, Any]] = []
    for number, row in enumerate(content, 1):
        name = str(row.get("id") or number)
        said = {key: value for key, value in row.items() if key in (*PROVENANCE, "license", "tag")}
        for side, mark in (("", "own"), ("swapped_", "twin")):
            texts = {key: row.get(f"{side}{key}", "") for key in ("prompt", "completion")}
            found.append(said | texts | {"id": f"{name}-{mark}", "twin_of": name})
    return found


def twin(row: Row) -> Example:
    """A prompt of a pair, whose items share their group; with a completion it has a reference."""
    references = (_text(row, "completion"),) if row.get("completion") else ()
    example = _asked(_text(row, "prompt"), references=references, fields={TWIN_OF: row[TWIN_OF]})
    return dataclasses.replace(example, group=f"{TWIN_OF} {row[TWIN_OF]}")


def numbered(example: Example, row: Row, suite: str, number: int) -> Example:
    """The item with an id (the row's own, if it has one, else its number), its tag, and where it comes from."""
    own = row.get("id")
    said: dict[str, Any] = {name: _said(row, name) or getattr(example, name) for name in PROVENANCE}
    tag = (str(row["tag"]),) if row.get("tag") else ()
    return dataclasses.replace(
        example,
        id=str(own) if own not in (None, "") else f"{suite}-{number}",
        tags=example.tags or tag,
        **said | {"source": said["source"] or suite},
    )


def _said(row: Row, name: str) -> str:
    value = row.get(name, row.get("license") if name == "licence" else None)
    return "" if value is None else str(value).strip()


def _asked(
    prompt: str, *, references: tuple[str, ...] = (), fields: Mapping[str, Any], tags: tuple[str, ...] = ()
) -> Example:
    return Example((Message("user", prompt),), references, fields=fields, tags=tags)


def _text(row: Row, key: str) -> str:
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} is {value!r:.40}, expected a text")
    return value


def _index(value: Any, count: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
        raise ValueError(f"the right answer is {value!r}, expected an index from 0 to {count - 1}")
    return value
