"""The facts that a prompt lists: names with values, in the forms in which data sets of descriptions have them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trimtab.audit.findings import Row

Pairs = dict[str, str]
_NAME = r"[^\W\d_][\w \-/]{0,39}?"
_BRACKETS = re.compile(rf"({_NAME})\s*\[([^\[\]\n]{{1,200}})\]")
_COLON = re.compile(rf"\s*(?:[-*•]\s*)?({_NAME})\s*[:=]\s*(\S.{{0,199}}?)\s*")
_LONGEST = 4000
_FEWEST = 2
_MOST = 40


def pairs_of(row: Row) -> Pairs:
    """The facts of a row's prompt by name; empty where its prompt is no list of at least two.

    Read are `name[value], name[value]`, `name : value | name : value`, lines of `name: value`, and
    fields["spec"] with fields["name"]. Of a name that stands twice the last value counts. Most 40 facts are read.
    """
    example = row.example
    if example is None:
        return {}
    spec = example.fields.get("spec")
    if isinstance(spec, Mapping):
        named = {"name": example.fields["name"], **spec} if "name" in example.fields else spec
        return _plain({str(key): str(value) for key, value in named.items()})
    return listed(example.prompt[:_LONGEST])


def listed(prompt: str) -> Pairs:
    """The facts of a text that lists them; empty where it does not. See `pairs_of`."""
    found = _BRACKETS.findall(prompt) if prompt.count("[") >= _FEWEST else []
    if len(found) < _FEWEST:
        if prompt.count(":") + prompt.count("=") < _FEWEST:
            return {}
        pieces = prompt.split("|") if prompt.count("|") >= _FEWEST - 1 else prompt.splitlines()
        matches = [_COLON.fullmatch(piece) for piece in pieces]
        found = [match.groups() for match in matches if match]
    return _plain(dict(found)) if len(found) >= _FEWEST else {}


def _plain(pairs: Mapping[str, str]) -> Pairs:
    plain = {name.strip(): value.strip() for name, value in list(pairs.items())[:_MOST]}
    return {name: value for name, value in plain.items() if name and value}
