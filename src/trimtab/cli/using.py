"""Options that several verbs have: --use KEY=VALUE, given as often as wanted, --against, --runs and --progress."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from trimtab.errors import UserError

Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder that the runs lie in.")]
Lines = Annotated[
    bool, typer.Option("--progress", help="With --json: progress on stderr, off a terminal too.")
]
Against = Annotated[
    list[str] | None,
    typer.Option(
        "--against", metavar="FILE", help="Rows that must not be among these; a recipe: its guards'."
    ),
]


def pairs(
    given: Sequence[str], keys: Sequence[str], columns: Sequence[str] = (), *, forms: str = ""
) -> dict[str, list[str]]:
    """The values of each key, in the order in which they were given.

    Args:
        given: what stands behind each --use.
        keys: those that the verb knows; columns: the usual names of columns, where it takes them too.
        forms: what the hint says may be given; empty: the names of keys and columns.

    Raises:
        UserError: something else than KEY=VALUE, or a key that is not known.
    """
    known = (*keys, *columns)
    usual = f", and the usual columns {', '.join(columns)}" if columns else ""
    hint = forms or f"keys are {', '.join(keys)}{usual}"
    found: dict[str, list[str]] = {}
    for pair in given:
        key, sign, value = (part.strip() for part in pair.partition("="))
        if not (key and sign and value):
            raise UserError(f"--use: expected KEY=VALUE, received {pair!r}", hint)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UserError(f"--use {pair}: no key {key!r}{meant}", hint)
        found.setdefault(key, []).append(value)
    return found


def choice(said: Mapping[str, Sequence[str]], key: str, values: Sequence[str], default: str) -> str:
    """The value of a key that takes few; the last one given counts.

    Raises:
        UserError: another value was given.
    """
    value = said.get(key, [default])[-1]
    if value not in (*values, default):
        raise UserError(
            f"--use {key}={value}: expected {' or '.join(values)}, received {value!r}",
            f"give {key}={values[0]}",
        )
    return value


def yes(said: Mapping[str, Sequence[str]], key: str) -> bool:
    """The value of a key that takes yes or no; no where it was not given.

    Raises:
        UserError: another value was given.
    """
    return choice(said, key, ("yes", "no"), "no") == "yes"


def number(said: Mapping[str, Sequence[str]], key: str) -> int:
    """The value of a key that takes a whole number above 0; 0 where it was not given.

    Raises:
        UserError: another value was given.
    """
    value = said.get(key, ["0"])[-1]
    if not (value.isascii() and value.isdigit() and len(value) < 10 and (int(value) or key not in said)):
        raise UserError(
            f"--use {key}={value}: expected a whole number above 0, received {value!r}", f"give {key}=1024"
        )
    return int(value)
