"""A file that a user writes, read strictly: YAML to a section whose problems are all named at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from trimtab.errors import UserError, several


class Section(BaseModel):
    """A part of a file that a user writes: unknown keys are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Section)


def read(path: Path, what: str, error: type[UserError], start: str) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Args:
        what: what to call the file in errors.
        start: the hint where there is nothing to mend.

    Raises:
        UserError: of the class `error`: no such file, not YAML, or no mapping.
    """
    if not path.is_file():
        raise error(f"{what} {path}: no such file", start)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as found:
        raise error(f"{what} {path}: not valid YAML: {found}", "check the indentation at that line") from None
    if not isinstance(content, dict):
        raise error(f"{what} {path}: expected a mapping of options, received {type(content).__name__}", start)
    return content


def validate(
    schema: type[S],
    content: dict[str, Any],
    *,
    name: str,
    error: type[UserError],
    page: str,
    hidden: Collection[str] = (),
) -> S:
    """Check a mapping against a schema.

    Args:
        hidden: places whose value no error repeats, because it may be a secret in the wrong place.

    Raises:
        UserError: of the class `error`, with one line for each problem; an unknown key is answered with the nearest
            known one, and the hint names the page that describes all of them.
    """
    try:
        return schema.model_validate(content)
    except ValidationError as found:
        problems = [_problem(schema, dict(item), hidden) for item in found.errors()]
        raise error(f"{name}:\n{several(problems)}", f"every option is described in {page}") from None


def _problem(schema: type[Section], item: dict[str, Any], hidden: Collection[str]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _known(schema, item["loc"][:-1])
        near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        answer = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
        return f"{place}: unknown key; {answer}"
    if item["type"] == "missing":
        return f"{place}: missing, and has no default"
    received = "something else" if place in hidden else repr(item["input"])
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}, received {received[:80]}"


def _known(section: type[Section], place: tuple[Any, ...]) -> list[str]:
    """The keys that are allowed at a place of a file."""
    for part in place:
        if isinstance(part, int) or part not in section.model_fields:
            continue
        section = _section_of(section.model_fields[part].annotation) or section
    return list(section.model_fields)


def _section_of(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (_section_of(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in found if section), None)
