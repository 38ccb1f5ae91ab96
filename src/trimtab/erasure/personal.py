"""Profiles of served models that bear the person's name: what models are told of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import yaml

from trimtab.erasure.search import Change, Search

PLACE = "profiles"


def plan(search: Search) -> Iterator[Change]:
    """The file of each; what was learned from its answers are rows and runs like others."""
    for path in search.files:
        if path.suffix == ".yaml" and path.stem == search.person.subject and _profile(path.read_bytes()):
            remove = functools.partial(path.unlink, missing_ok=True)
            yield Change(PLACE, path, "profile removed", remove, rows=1)


def _profile(content: bytes) -> bool:
    """Whether a file names the stack that somebody is answered by."""
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError):
        return False
    return isinstance(found, dict) and "stack" in found
