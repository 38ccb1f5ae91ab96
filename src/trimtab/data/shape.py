"""Which shape a file of examples has, and which of its columns play which part in it."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trimtab.errors import DataError

Kind = Literal[
    "prompt/completion",
    "messages",
    "instruction",
    "preference",
    "choices",
    "prompt",
    "text",
    "pair",
    "unknown",
]

METADATA = ("id", "source", "licence", "subject", "consent", "collected_at", "group", "tags", "part")
_ALSO = {"license": "licence", "tag": "tags", "collected": "collected_at", "collected-at": "collected_at"}
_MESSAGES = ("messages", "conversations", "conversation")
_CHOICES = ("choices", "options", "endings")
_PROMPTS = (
    "prompt",
    "question",
    "input",
    "query",
    "text",
    "document",
    "article",
    "context",
    "request",
    "instruction",
)
_COMPLETIONS = (
    "completion", "response", "answer", "output", "target", "summary", "highlights", "reply",
    "reference", "references", "ref", "after", "post", "rewrite", "rewritten", "assistant",
)  # fmt: skip
# Names that mean a prompt only beside their partner.
_PARTNERS = {
    "source": ("target",), "before": ("after",), "pre": ("post",), "mr": ("ref",), "user": ("assistant",),
    "original": ("rewrite", "rewritten"),
}  # fmt: skip
_PASSAGES = ("text", "passage", "sentence")
_PAIRS = (("good", "bad"), ("sentence_good", "sentence_bad"))
USUAL = tuple(
    dict.fromkeys(
        (*_MESSAGES, *_PROMPTS, *_COMPLETIONS, *_CHOICES, *_PASSAGES, *_PARTNERS, "chosen", "rejected",
         "good", "bad", *METADATA)
    )
)  # fmt: skip

EXPECTED = (
    "prompt and completion; messages; instruction, input and output; prompt, chosen and rejected; "
    "question, choices and answer; prompt alone; text alone; good and bad"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The recognised shape of a file.

    `columns` maps each usual name to the file's own column. `certain` is False where the names say nothing
    and the two longest columns of text were taken; reading then asks for `columns` to be written down.
    The kind `unknown` is an audit's alone, for rows that nothing else can read.
    """

    kind: Kind
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    preview: str = ""
    certain: bool = True


class Ambiguous(Exception):
    """Several columns could play one part; the message names them."""


def of_names(names: Sequence[str], columns: Mapping[str, str]) -> Shape | None:
    """The shape that these column names have, or None.

    Args:
        names: the file's own column names.
        columns: usual name to own name, as the user wrote it; it outweighs every alias.

    Raises:
        Ambiguous: several columns could be the prompt, or the answer.
    """
    own = _by_usual_name(names, columns)
    parts = _parts(own, columns)
    if parts is None:
        return None
    kind, found = parts
    return Shape(kind, found | _metadata(own, set(found.values())))


def metadata_of(names: Sequence[str]) -> dict[str, str]:
    """The columns that say where a row comes from and where it belongs, by their usual names."""
    return _metadata(_by_usual_name(names, {}), set())


def _metadata(own: Mapping[str, str], used: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, column in own.items():
        usual = _ALSO.get(name, name)
        if usual in METADATA and column not in used:
            found.setdefault(usual, column)
    return found


def _by_usual_name(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    own = {usual: column for usual, column in columns.items() if column in names}
    taken = set(own.values())
    for name in names:
        if name not in taken:
            own.setdefault(name.strip().lower().replace(" ", "_"), name)
    return own


def _parts(own: dict[str, str], columns: Mapping[str, str]) -> tuple[Kind, dict[str, str]] | None:
    """The first shape, from the most to the least specific, all of whose parts are there."""
    messages = _first(_MESSAGES, own, columns)
    if messages:
        return "messages", {"messages": own[messages]} | _if_there(own, "references")
    if "chosen" in own and "rejected" in own:
        return "preference", {"chosen": own["chosen"], "rejected": own["rejected"]} | _one(
            "prompt", _PROMPTS, own, columns
        )
    if choices := _first(_CHOICES, own, columns):
        prompt = _one("prompt", _PROMPTS, own, columns)
        if prompt:
            return "choices", prompt | {"choices": own[choices]} | _if_there(own, "answer")
    if "instruction" in own and "prompt" not in own:
        rest = {
            name: column for name, column in own.items() if name not in ("instruction", "input", "context")
        }
        output = _one("output", _COMPLETIONS, rest, columns)
        extra = _first(("input", "context"), own, columns)
        if output:
            found = {"instruction": own["instruction"], **output}
            return "instruction", found | ({"input": own[extra]} if extra else {})
    prompt, completion = (
        _one("prompt", _PROMPTS, own, columns),
        _one("completion", _COMPLETIONS, own, columns),
    )
    if prompt and completion:
        return "prompt/completion", _if_there(own, "references") | prompt | completion
    for good, bad in _PAIRS:
        if good in own and bad in own:
            return "pair", {"good": own[good], "bad": own[bad]}
    passage = _first(_PASSAGES, own, columns)
    if passage and "prompt" not in own and "question" not in own:
        return "text", {"text": own[passage]}
    return ("prompt", prompt) if prompt else None


def _first(aliases: Sequence[str], own: Mapping[str, str], columns: Mapping[str, str]) -> str:
    there = [name for name in aliases if name in own]
    return next((name for name in there if name in columns), there[0] if there else "")


def _if_there(own: Mapping[str, str], name: str) -> dict[str, str]:
    return {name: own[name]} if name in own else {}


def _one(
    part: str, aliases: Sequence[str], own: Mapping[str, str], columns: Mapping[str, str]
) -> dict[str, str]:
    """The one column for a part: the user's, else the part's own name, else the only alias."""
    there = [name for name in aliases if name in own]
    if len(there) > 1 and "references" in there:
        there.remove("references")
    if part == "prompt":
        there += [
            name
            for name, partners in _PARTNERS.items()
            if name in own and (name in columns or any(partner in own for partner in partners))
        ]
    chosen = [name for name in there if name in columns] or [name for name in there if name == part] or there
    if len(chosen) > 1:
        raise Ambiguous(f"the {part} could be any of the columns {', '.join(own[name] for name in chosen)}")
    return {part: own[chosen[0]]} if chosen else {}


def of_rows(name: str, rows: Sequence[tuple[int, Mapping[str, Any]]], columns: Mapping[str, str]) -> Shape:
    """The shape that most rows of a file have; rows of another shape are for the reader to report.

    Raises:
        DataError: `columns` names what is not there, or no shape can be recognised.
    """
    counts = Counter(tuple(row) for _, row in rows)
    names = tuple(dict.fromkeys(column for keys in counts for column in keys))
    _check_columns(name, names, columns)
    shapes: dict[tuple[str, ...], Shape] = {}
    unclear = ""
    for keys in counts:
        try:
            shape = of_names(keys, columns)
        except Ambiguous as error:
            unclear = unclear or str(error)
            continue
        if shape:
            shapes[keys] = shape
    if not shapes:
        return _guess(name, names, rows, unclear)
    kinds: Counter[Kind] = Counter()
    for keys, shape in shapes.items():
        kinds[shape.kind] += counts[keys]
    kind = kinds.most_common(1)[0][0]
    found: dict[str, str] = {}
    for shape in sorted((s for s in shapes.values() if s.kind == kind), key=lambda s: -len(s.columns)):
        found |= {usual: column for usual, column in shape.columns.items() if usual not in found}
    return Shape(kind, found, len(rows))


def _check_columns(name: str, names: Collection[str], columns: Mapping[str, str]) -> None:
    problems = []
    for usual, column in columns.items():
        if usual not in USUAL:
            near = difflib.get_close_matches(usual, USUAL, n=1)
            problems.append(
                f"columns: {usual}: not a usual name" + (f"; did you mean {near[0]}?" if near else "")
            )
        if column not in names:
            near = difflib.get_close_matches(column, list(names), n=1)
            known = f"did you mean {near[0]}?" if near else f"the file has {', '.join(names)}"
            problems.append(f"columns: {usual}: {name} has no column {column!r}; {known}")
    if problems:
        raise DataError("\n".join(problems), "columns maps a usual name to a column: {prompt: question}")


def _guess(
    name: str, names: Sequence[str], rows: Sequence[tuple[int, Mapping[str, Any]]], unclear: str
) -> Shape:
    """The two longest columns of text, in the order of the file, as something to ask the user about."""
    sample = [row for _, row in rows[:100]]
    length = {
        column: sum(len(row[column]) for row in sample if isinstance(row.get(column), str))
        / max(len(sample), 1)
        for column in names
        if column not in (*METADATA, *_ALSO) and any(isinstance(row.get(column), str) for row in sample)
    }
    longest = sorted(length, key=lambda column: -length[column])[:2]
    if len(longest) == 2 and min(length[column] for column in longest) > 0:
        prompt, completion = sorted(longest, key=names.index)
        return Shape(
            "prompt/completion",
            {"prompt": prompt, "completion": completion},
            len(rows),
            unclear,
            certain=False,
        )
    raise DataError(
        f"{name}: no shape recognised; expected columns {EXPECTED}; received {', '.join(names) or 'none'}",
        "name the columns: data.columns: {prompt: ..., completion: ...}",
    )
