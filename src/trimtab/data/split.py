"""Examples to tune, select and confirm: by content, whole groups together, stable when rows are added."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from trimtab.errors import DataError, several
from trimtab.records import Example, Part, content_hash, plain

PARTS: tuple[Part, ...] = get_args(Part)
# Share of the confirm part above which one group would dominate its interval.
OVERSIZED = 0.2
# In very small sets every pair would be oversized; below this many rows a group never is.
SMALL_GROUP = 4


def split(
    examples: Sequence[Example],
    shares: Mapping[Part, float],
    *,
    seed: int = 0,
    settled: Mapping[str, Part] | None = None,
) -> dict[Part, list[Example]]:
    """Share out examples between the parts named in `shares`, in the order tune, select, confirm.

    Rows of one group, and rows with the same prompt, always share a part; a row without a group is a group
    of its own. Each such cluster falls where the hash of its key lies in [0, 1) against the cumulative
    shares, so neither the order of rows nor rows added elsewhere move it. Rows with `fields["part"]` stay
    there, with their cluster. A cluster of more than 20% of the confirm share's expected rows goes to the
    first part, because it would dominate the verdict. A cluster with settled rows stays with the first part that one
    of them lies in, whatever else is said of it: what was tuned on, or shown, never becomes sealed.

    Args:
        examples: items with distinct ids.
        shares: part to share; the shares add up to 1.
        seed: another seed is another split.
        settled: parts of rows that an earlier round has decided, by id.

    Raises:
        DataError: two rows of one cluster are fixed to different parts, or a part ends empty.
    """
    parts = [part for part in PARTS if part in shares]
    total = sum(shares[part] for part in parts)
    if not parts or abs(total - 1) > 1e-9 or min(shares[part] for part in parts) <= 0:
        raise DataError(
            f"split: expected shares above 0 that add up to 1, received {plain(shares)}", "mend data.split"
        )
    clusters = _clusters(examples)
    stays = [_settled(cluster, parts, settled or {}) for cluster in clusters]
    _check_fixed([cluster for cluster, part in zip(clusters, stays, strict=True) if part is None], parts)
    limit = max(OVERSIZED * shares[parts[-1]] * len(examples), SMALL_GROUP)
    part_of: dict[int, Part] = {}
    for cluster, stay in zip(clusters, stays, strict=True):
        fixed = cluster.fixed()
        if stay is not None:
            part = stay
        elif fixed:
            part = fixed[0]
        elif len(cluster.rows) > limit:
            part = parts[0]
        else:
            part = _drawn(cluster.key, parts, shares, seed)
        part_of |= dict.fromkeys(cluster.rows, part)
    result: dict[Part, list[Example]] = {part: [] for part in parts}
    for number, example in enumerate(examples):
        result[part_of[number]].append(example)
    _check_filled(result, shares, clusters)
    return result


def split_guard(
    examples: Sequence[Example], *, select: float = 0.2, seed: int = 0
) -> dict[Part, list[Example]]:
    """Share out a guard suite between select and confirm, by the rules of `split`.

    Raises:
        DataError: as for `split`; a row fixed to tune is a conflict, because guards are never trained on.
    """
    return split(examples, {"select": select, "confirm": 1 - select}, seed=seed)


def confirm_hash(examples: Sequence[Example]) -> str:
    """Identify a confirm set by what it asks and what counts as good, not by order, ids, spacing or case.

    An instruction that was put before the prompts does not change it: rewording it is not new evidence.
    """
    return content_hash(sorted(content_key(example) for example in examples))


def sealed_keys(examples: Sequence[Example]) -> list[str]:
    """What a ledger of looks knows items by: a hash of what each asks, whatever counts as a good answer to it."""
    return [prompt_key(example)[:16] for example in examples]


def prompt_key(example: Example) -> str:
    """What makes two prompts the same: their turns without system turn, instruction, spacing and case."""
    turns = [[role, _plain_text(text)] for role, text in _bare(example) if role != "system"]
    return content_hash(turns or content_key(example), length=32)


def cluster_keys(examples: Sequence[Example]) -> list[str]:
    """For each example, the key of the rows it cannot be parted from: its group, or rows with its prompt.

    These are the clusters that an interval has to respect: answers to one prompt are not independent.
    """
    keys = [""] * len(examples)
    for cluster in _clusters(examples):
        for number in cluster.rows:
            keys[number] = cluster.key
    return keys


def instruction_before(example: Example) -> str:
    """What reading put before a prompt: the recipe's instruction with an empty line; empty without one."""
    instruction = example.fields.get("instruction")
    return f"{instruction}\n\n" if isinstance(instruction, str) and instruction else ""


def _bare(example: Example) -> list[tuple[str, str]]:
    """Role and text of each turn, without the instruction that reading put before a prompt."""
    prefix = instruction_before(example)
    return [
        (m.role, m.content.removeprefix(prefix) if m.role == "user" else m.content) for m in example.messages
    ]


def content_key(example: Example) -> str:
    """What makes two items the same: turns and references without instruction, order, spacing and case."""
    turns = [[role, _plain_text(text)] for role, text in _bare(example)]
    references = sorted(_plain_text(text) for text in example.references)
    rest = (
        {}
        if turns or references
        else {k: v for k, v in example.fields.items() if k not in ("part", "instruction")}
    )
    return content_hash([turns, references, rest], length=32)


def _plain_text(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Rows that may not be parted: their positions, and the smallest of their keys."""

    key: str
    rows: tuple[int, ...]
    examples: tuple[Example, ...]

    def fixed(self) -> list[Part]:
        return [part for part in PARTS if any(e.fields.get("part") == part for e in self.examples)]


def _clusters(examples: Sequence[Example]) -> list[_Cluster]:
    """Join rows over shared groups and shared prompts (union-find over the keys)."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    keys = [_keys(example) for example in examples]
    for own in keys:
        for other in own[1:]:
            parent[root(other)] = root(own[0])
    rows: dict[str, list[int]] = defaultdict(list)
    for number, own in enumerate(keys):
        rows[root(own[0])].append(number)
    # Group keys sort before prompt keys, so a new prompt in a known group does not rename the cluster.
    return [
        _Cluster(
            min(key for n in numbers for key in keys[n]), tuple(numbers), tuple(examples[n] for n in numbers)
        )
        for numbers in rows.values()
    ]


def _keys(example: Example) -> list[str]:
    prompt = f"prompt:{prompt_key(example)}"
    return [f"group:{_plain_text(example.group)}", prompt] if example.group else [prompt]


def _settled(cluster: _Cluster, parts: Sequence[Part], settled: Mapping[str, Part]) -> Part | None:
    """The first part that a row of the cluster was settled in; None where none was."""
    found = {settled[example.id] for example in cluster.examples if example.id in settled}
    return next((part for part in parts if part in found), None)


def _drawn(key: str, parts: Sequence[Part], shares: Mapping[Part, float], seed: int) -> Part:
    """The part whose share holds the key's hash, a number in [0, 1)."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    for part in parts[:-1]:
        if position < shares[part]:
            return part
        position -= shares[part]
    return parts[-1]


def _check_fixed(clusters: Sequence[_Cluster], parts: Sequence[Part]) -> None:
    problems = []
    for cluster in clusters:
        fixed = cluster.fixed()
        if len(fixed) > 1:
            rows = [f"{e.id} ({e.fields['part']})" for e in cluster.examples if e.fields.get("part")]
            problems.append(
                f"rows {', '.join(rows[:10])} share a group or a prompt but are fixed to different parts"
            )
        elif fixed and fixed[0] not in parts:
            rows = [e.id for e in cluster.examples if e.fields.get("part")]
            problems.append(
                f"rows {', '.join(rows[:10])}: part: expected {' or '.join(parts)}, received {fixed[0]}"
            )
    if problems:
        raise DataError(several(problems), "give these rows the same part, or remove their part")


def _check_filled(
    result: Mapping[Part, Sequence[Example]], shares: Mapping[Part, float], clusters: Sequence[_Cluster]
) -> None:
    empty = [part for part, items in result.items() if not items]
    if not empty:
        return
    counts = ", ".join(f"{part} {len(items)}" for part, items in result.items())
    rows = sum(len(items) for items in result.values())
    # So many clusters that a part stays empty in at most one split of a hundred.
    needed = max(math.ceil(math.log(0.01) / math.log1p(-min(shares[part], 0.99))) for part in empty)
    largest = max(Counter(len(cluster.rows) for cluster in clusters), default=0)
    raise DataError(
        f"split: {' and '.join(empty)} would be empty: {counts}, from {rows} rows in {len(clusters)} groups, "
        f"the largest of {largest}; rows with the same prompt count as one group",
        f"bring at least {needed} distinct groups, none of them a large part of the data, "
        "or set a column part to tune, select or confirm",
    )
