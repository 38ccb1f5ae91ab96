"""Passages of the user's documents put before the question, with their sources.

The strength is how many: 0 is the base, 1 the number that it was fitted with, others round to whole passages.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import safetensors
import safetensors.numpy

from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.adjust.retrieval import Hit, Method, Retrieval, build
from trimtab.adjust.room import Room, measured
from trimtab.errors import ModelError
from trimtab.model.find import AnyBase
from trimtab.records import Message, Passage, content_hash
from trimtab.run import read_json, read_rows, write_atomic, write_json, write_rows

TEMPLATE = "{passages}\n\nAnswer from the passages above.\n\n{question}"
# Questions that the nearness of a usual question is measured on.
MEASURED = 200
_PLACE = re.compile(r"\{(passages|question)\}")


@dataclass(frozen=True, slots=True)
class Placing:
    """How passages are shown.

    Attributes:
        passages: how many, at most, at strength 1.
        template: the user's turn, with the places {passages} and {question}.
        framing: text at the beginning of every question that is no part of what is asked; not searched for.
        floor: nearness of the nearest passage below which none is shown; None shows them always.
    """

    passages: int
    template: str = TEMPLATE
    framing: str = ""
    floor: float | None = None


@dataclass(frozen=True)
class Context(Adjustment):
    """Documents' passages with their index, and how they are shown. `count`: passages shown now, at most."""

    kind: ClassVar[str] = "context"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"messages"})
    retrieval: Retrieval
    placing: Placing
    room: Room
    count: int

    @property
    def strength(self) -> float:
        """Passages shown, relative to the fitted number."""
        return self.count / self.placing.passages

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        found = self.retrieval
        vectors = hashlib.sha256(found.vectors.tobytes()).hexdigest()
        index = [found.passages, found.method, vectors, found.encoder]
        return content_hash([self.kind, index, self.placing, self.room, self.count])

    def scaled(self, factor: float) -> Context:
        """`factor` times as many passages: rounded (halves up), at least none, at most all that there are."""
        wanted = math.floor(self.count * factor + 0.5)
        return dataclasses.replace(self, count=min(max(0, wanted), len(self.retrieval.passages)))

    def messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation with the passages for its last turn before that turn."""
        found = self.found(messages)
        if not found:
            return messages
        question = messages[-1].content
        parts = {"passages": "\n\n".join(found), "question": question}
        asked = _PLACE.sub(lambda place: parts[place.group(1)], self.placing.template)
        return (*messages[:-1], dataclasses.replace(messages[-1], content=asked))

    def found(self, messages: tuple[Message, ...]) -> list[str]:
        """The passages for a conversation as they are shown, best first: as many as fit, none where none is near."""
        if not (self.count and messages):
            return []
        hits = self.retrieval.search(searched(messages[-1].content, self.placing.framing), self.count)
        if self.placing.floor is not None and nearest(hits) < self.placing.floor:
            return []
        left = self.room.left(messages) - self.room.needed(self.placing.template)
        shown: list[str] = []
        for number, hit in enumerate(hits, start=1):
            text = _shown(number, self.retrieval.passages[hit.position])
            left -= self.room.needed(text)
            if left < 0:
                break
            shown.append(text)
        return shown

    def save(self, folder: Path) -> None:
        """Write `passages.jsonl`, `context.json`, and `vectors.safetensors` where the search is by meaning."""
        write_rows(folder / "passages.jsonl", self.retrieval.passages)
        if self.retrieval.encoder:
            vectors = np.ascontiguousarray(self.retrieval.vectors)
            write_atomic(folder / "vectors.safetensors", safetensors.numpy.save({"vectors": vectors}))
        index = {"method": self.retrieval.method, "encoder": self.retrieval.encoder}
        placing = {"placing": self.placing, "room": self.room, "count": self.count}
        write_json(folder / "context.json", {**index, **placing})

    @classmethod
    def load(cls, folder: Path) -> Context:
        """Read what `save` wrote.

        Raises:
            RunError, ModelError: a file is missing or damaged.
        """
        held = read_json(folder / "context.json")
        passages = tuple(Passage(**row) for row in read_rows(folder / "passages.jsonl"))
        vectors = _read_vectors(folder / "vectors.safetensors") if held["encoder"] else np.zeros((0, 0), "f4")
        retrieval = Retrieval(passages, held["method"], vectors, held["encoder"])
        return cls(retrieval, Placing(**held["placing"]), Room(**held["room"]), held["count"])

    def describe(self) -> Description:
        """What is searched, how, and how much is shown."""
        found = self.retrieval
        unit = "BM25 score" if found.method == "bm25" else "cosine"
        settings = {
            "passages": Setting(self.count, "passages before a question, at most"),
            "method": Setting(found.method),
            "indexed": Setting(len(found.passages), "passages"),
            "documents": Setting(len({passage.source for passage in found.passages}), "documents"),
            "template": Setting(self.placing.template),
            "floor": Setting(self.placing.floor, f"{unit} of the nearest passage; none is shown below"),
            "room": Setting(self.room.tokens, "tokens of prompt; passages that do not fit are left out"),
        }
        size = sum(len(passage.searched.encode()) for passage in found.passages) + found.vectors.nbytes
        return Description(self.kind, self.strength, settings, 0, size)


def fit(
    base: AnyBase,
    passages: Sequence[Passage],
    questions: Sequence[str],
    placing: Placing,
    *,
    method: Method,
    reach: float,
    answer: int,
) -> Context:
    """Index passages, and find how near a passage usually is to a question.

    Args:
        questions: of tune.
        placing: its floor is replaced by the nearness that a share `reach` of the questions has at least.
        answer: longest answer, in tokens; it is kept free in the model's context.
    """
    retrieval = build(passages, method)
    room = measured(base, [*questions, *(passage.text for passage in passages)], answer=answer)
    near = [
        nearest(retrieval.search(searched(question, placing.framing), placing.passages))
        for question in questions[:MEASURED]
    ]
    floor = float(np.quantile(near, 1 - reach, method="lower")) if near else None
    placing = dataclasses.replace(
        placing, floor=floor if floor is not None and math.isfinite(floor) else None
    )
    return Context(retrieval, placing, room, placing.passages)


def searched(question: str, framing: str) -> str:
    """What of a question is searched for."""
    return question.removeprefix(framing).strip() if framing else question


def nearest(hits: Sequence[Hit]) -> float:
    """Nearness of the nearest passage; minus infinity where none was found."""
    return max((hit.nearness for hit in hits), default=-math.inf)


def _shown(number: int, passage: Passage) -> str:
    source = f"{passage.title} ({passage.source})" if passage.title else passage.source
    return f"[{number}] {source}\n{passage.text}"


def _read_vectors(path: Path) -> np.ndarray:
    try:
        found: np.ndarray = safetensors.numpy.load_file(path)["vectors"]
    except (OSError, KeyError, safetensors.SafetensorError) as error:
        raise ModelError(
            f"{path}: cannot be read: {error}", "give the tune command again to rebuild it"
        ) from None
    return found
