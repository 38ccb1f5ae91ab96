"""The options of a metric are the keyword-only parameters of the function that builds it."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError, create_model

from trimtab.errors import MetricError, several


def check(build: Callable[..., Any], options: Mapping[str, Any], *, metric: str) -> dict[str, Any]:
    """Check options against the keyword-only parameters of `build`; the defaults are left out.

    Raises:
        MetricError: unknown option, wrong type or value not allowed; all problems are named at once.
    """
    known = {name: p for name, p in inspect.signature(build).parameters.items() if p.kind is p.KEYWORD_ONLY}
    hints = typing.get_type_hints(build, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints.get(name, Any), ... if p.default is p.empty else p.default) for name, p in known.items()
    }
    schema = create_model("Options", __config__=ConfigDict(extra="forbid", strict=True), **fields)
    try:
        checked = schema.model_validate(dict(options))
    except ValidationError as error:
        problems = [_problem(dict(item), list(known)) for item in error.errors()]
        hint = f"options of {metric}: {', '.join(known)}" if known else f"{metric} takes no options"
        raise MetricError(f"metric {metric}:\n{several(problems)}", hint) from None
    return {name: getattr(checked, name) for name in checked.model_fields_set}


def _problem(item: dict[str, Any], known: list[str]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place, known, n=1)
        return f"{place}: unknown option{f'; did you mean {near[0]}?' if near else ''}"
    if item["type"] == "missing":
        return f"{place}: missing, and has no default"
    return f"{place}: {item['msg']}, received {item['input']!r:.80}"
