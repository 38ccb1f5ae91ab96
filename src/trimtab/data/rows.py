"""One row of a file, whose shape is known, to one example; everything wrong with it is noted."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab.data.shape import METADATA, Shape
from trimtab.data.table import kind_of
from trimtab.data.turns import conversation, dialogue, is_dialogue, parting, role_of
from trimtab.records import Example, Message, content_hash

PARTS = ("tune", "select", "confirm")
# The long form only: week dates and forms without dashes are more often a mistake than meant.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:$|[T ]\d\d:)")
REQUIRED = {
    "prompt/completion": ("prompt", "completion"),
    "messages": ("messages",),
    "instruction": ("instruction", "output"),
    "preference": ("chosen", "rejected"),
    "choices": ("prompt", "choices"),
    "prompt": ("prompt",),
    "text": ("text",),
    "pair": ("good", "bad"),
}
# What preferences need for a prompt.
TALK = "a column prompt, or a conversation of turns Human: and Assistant:"


@dataclass(slots=True)
class Reader:
    """Turns rows of one shape into examples; `problems` grows by one line for each thing that is wrong."""

    shape: Shape
    instruction: str = ""
    problems: list[str] = field(default_factory=list)

    def example(self, place: str, row: Mapping[str, Any]) -> Example | None:
        """The example of a row, or None after noting what is wrong with it."""
        return _Row(self, place, row).example()

    def own(self, name: str) -> str:
        """The file's own column behind a usual name, or the name itself."""
        return self.shape.columns.get(name, name)


class _Row:
    """One row being read."""

    def __init__(self, reader: Reader, place: str, row: Mapping[str, Any]) -> None:
        self.reader = reader
        self.place = place
        self.row = row
        self.fields: dict[str, Any] = {}
        self.framed = False
        self.wrong = False

    def note(self, name: str, expected: str, received: str) -> None:
        self.wrong = True
        self.reader.problems.append(
            f"{self.place}: {self.reader.own(name)}: expected {expected}, received {received}"
        )

    def value(self, name: str) -> Any:
        column = self.reader.shape.columns.get(name)
        return self.row.get(column) if column else None

    def example(self) -> Example | None:
        used = set(self.reader.shape.columns.values())
        messages, references = self._parts()
        metadata = self._metadata()
        rest = {name: value for name, value in self.row.items() if name not in used and value is not None}
        if self.wrong:
            return None
        identity = content_hash([messages, references or self.fields])
        fields = rest | self.fields
        if self.framed:
            messages = self._with_instruction(messages)
            fields["instruction"] = self.reader.instruction
        return Example(
            messages=messages,
            references=references,
            id=str(metadata.get("id") or identity),
            source=str(metadata.get("source", "")),
            licence=str(metadata.get("licence", "")),
            subject=str(metadata.get("subject", "")),
            group=str(metadata.get("group", "")),
            tags=self._tags(),
            fields=fields,
            consent=str(metadata.get("consent", "")),
            collected_at=str(metadata.get("collected_at", "")),
        )

    def _with_instruction(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        return tuple(Message(m.role, f"{self.reader.instruction}\n\n{m.content}") for m in messages)

    def _parts(self) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        """Messages and references, by the shape of the file."""
        kind = self.reader.shape.kind
        if kind == "messages":
            return self._conversation()
        if kind == "preference":
            return self._preference()
        if kind == "text":
            return (), (self._text("text"),)
        if kind == "pair":
            self.fields |= {"good": self._text("good"), "bad": self._text("bad")}
            return (), ()
        self.framed = bool(self.reader.instruction)
        if kind == "instruction":
            extra = self.value("input") or ""
            prompt = self._text("instruction")
            prompt += f"\n\n{self._text('input')}" if not isinstance(extra, str) or extra.strip() else ""
            return _user(prompt), self._answers("output")
        prompt = self._text("prompt")
        if kind == "choices":
            return _user(prompt), self._choices()
        return _user(prompt), self._answers("completion") if kind == "prompt/completion" else ()

    def _text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str):
            self.note(name, "text", kind_of(value))
            return ""
        if not value.strip():
            self.note(name, "text", "empty text")
        return value

    def _answers(self, name: str) -> tuple[str, ...]:
        """Good answers: one text, a list of them, and whatever stands in the column `references`."""
        if name in self.reader.shape.columns and not isinstance(self.value(name), list):
            return tuple(dict.fromkeys((self._text(name), *self._texts("references"))))
        return tuple(dict.fromkeys((*self._texts(name), *self._texts("references"))))

    def _texts(self, name: str) -> tuple[str, ...]:
        value = self._parsed(name)
        if value is None or value == "":
            return ()
        items = value if isinstance(value, list) else [value]
        if not items:
            self.note(name, "at least one answer", "an empty list")
        for item in items:
            if not isinstance(item, str):
                self.note(name, "a list of texts", f"{kind_of(item)} in it")
                return ()
            if not item.strip():
                self.note(name, "text", "empty text")
        return tuple(items)

    def _parsed(self, name: str) -> Any:
        """A cell of a table may hold a list as JSON."""
        value = self.value(name)
        if isinstance(value, str) and value.lstrip().startswith("["):
            try:
                parsed = json.loads(value)
            except (ValueError, RecursionError):
                return value
            return parsed if isinstance(parsed, list) else value
        return value

    def _conversation(self) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        """A whole conversation: the last assistant turn is the reference, all before it the prompt."""
        messages = self._turns("messages", self._parsed("messages"))
        references = self._texts("references")
        if messages and messages[-1].role == "assistant":
            return messages[:-1], tuple(dict.fromkeys((messages[-1].content, *references)))
        return messages, references

    def _turns(self, name: str, value: Any) -> tuple[Message, ...]:
        return conversation(value, self.reader.own(name), self.note)

    def _preference(self) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        """The chosen answer becomes the reference, the rejected one is kept in `fields`."""
        chosen, rejected = self._parsed("chosen"), self._parsed("rejected")
        if isinstance(chosen, list):
            return self._preferred_lists(chosen, rejected)
        good, bad = self._text("chosen"), self._text("rejected")
        if "prompt" in self.reader.shape.columns:
            self.framed = bool(self.reader.instruction)
            self.fields["rejected"] = bad
            return _user(self._text("prompt")), (good,)
        if self.wrong:
            return (), ()
        if not is_dialogue(good):
            self.note("chosen", TALK, "text without either")
            return (), ()
        return self._preferred_turns(dialogue(good), dialogue(bad))

    def _preferred_lists(
        self, chosen: list[Any], rejected: Any
    ) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        """Both answers as lists of turns, which hold the prompt or follow the one in the column `prompt`."""
        if self.reader.instruction:
            self.note("chosen", "text, since data.instruction needs bare prompts", "a list of turns")
        prompt = self._parsed("prompt")
        repeated = bool(chosen) and isinstance(chosen[0], Mapping) and role_of(chosen[0]) != "assistant"
        opening = [] if repeated or not prompt else prompt
        if isinstance(opening, str):
            opening = [{"role": "user", "content": opening}]
        if not isinstance(rejected, list):
            self.note("rejected", "a list of turns like chosen", kind_of(rejected))
            return (), ()
        return self._preferred_turns(
            self._turns("chosen", [*opening, *chosen]), self._turns("rejected", [*opening, *rejected])
        )

    def _preferred_turns(
        self, chosen: tuple[Message, ...], rejected: tuple[Message, ...]
    ) -> tuple[tuple[Message, ...], tuple[str, ...]]:
        """The conversation before the last answers, which both transcripts share, and the chosen one."""
        for name, turns in (("chosen", chosen), ("rejected", rejected)):
            last = turns[-1] if turns else Message("user", "")
            if not self.wrong and (last.role != "assistant" or not last.content):
                received = "an empty one" if last.role == "assistant" else f"{last.role} as the last turn"
                self.note(name, "an answer of the assistant at the end", received)
        if not self.wrong and (turn := parting(chosen[:-1], rejected[:-1])):
            same = "the conversation of chosen up to the last answer"
            self.note("rejected", same, f"another one from turn {turn} on")
        if self.wrong:
            return (), ()
        self.fields["rejected"] = rejected[-1].content
        return chosen[:-1], (chosen[-1].content,)

    def _choices(self) -> tuple[str, ...]:
        """Choices and the index of the right one go to `fields`; the right choice is also the reference."""
        choices = self._parsed("choices")
        if isinstance(choices, Mapping) and isinstance(choices.get("text"), list):
            choices = choices["text"]
        texts = isinstance(choices, list) and all(
            isinstance(choice, str) and choice.strip() for choice in choices
        )
        if not texts or len(choices) < 2:
            self.note(
                "choices", "a list of at least two texts", f"{len(choices)}" if texts else kind_of(choices)
            )
            return ()
        self.fields["choices"] = choices
        if "answer" not in self.reader.shape.columns:
            return ()
        index = _index(self.value("answer"), choices)
        if index is None:
            self.note(
                "answer",
                f"an index from 0 to {len(choices) - 1}, a letter from A, or one of the choices",
                repr(self.value("answer")),
            )
            return ()
        self.fields["answer"] = index
        return (choices[index],)

    def _metadata(self) -> dict[str, str]:
        found = {}
        for name in METADATA:
            value = self.value(name)
            if value is None or name == "tags":
                continue
            if name == "consent" and isinstance(value, bool):
                found[name] = "yes" if value else "no"
            elif name == "collected_at":
                found[name] = self._date(value)
            elif isinstance(value, bool) or not isinstance(value, str | int | float):
                self.note(name, "text or a number", kind_of(value))
            else:
                found[name] = str(value).strip()
        part = found.pop("part", "")
        if part and part not in PARTS:
            self.note("part", "tune, select or confirm", repr(part))
        elif part:
            self.fields["part"] = part
        return found

    def _date(self, value: Any) -> str:
        """An ISO 8601 date, or date and time, as text; Parquet and YAML have values of their own for it."""
        if isinstance(value, datetime.date):
            return value.isoformat()
        text = value.strip() if isinstance(value, str) else "?"
        with contextlib.suppress(ValueError):
            if not text or (_DATE.match(text) and datetime.datetime.fromisoformat(text)):
                return text
        received = repr(value[:40]) if isinstance(value, str) else kind_of(value)
        self.note("collected_at", "a date such as 2026-03-31 or 2026-03-31T09:30:00Z", received)
        return ""

    def _tags(self) -> tuple[str, ...]:
        value = self._parsed("tags")
        items = re.split(r"[;,]", value) if isinstance(value, str) else value
        if items is not None and not isinstance(items, list):
            items = [items]
        return tuple(str(item).strip() for item in items or () if str(item).strip())


def _user(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


def _index(answer: Any, choices: Sequence[str]) -> int | None:
    """The index that an answer means: a number from 0, the text of a choice, or a letter from A."""
    if isinstance(answer, str) and list(choices).count(answer) == 1:
        return list(choices).index(answer)
    if isinstance(answer, str):
        text = answer.strip()
        if text.isascii() and text.isdigit():
            answer = int(text[:6])
        elif len(text) == 1 and text.isascii() and text.isalpha():
            answer = ord(text.upper()) - ord("A")
    valid = isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices)
    return answer if valid else None
