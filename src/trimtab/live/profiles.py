"""A profile: who is answered, by which stack, knowing what, in which manner. One small file for each.

    profiles/
      ann.yaml     the profile
      ann/         what was learned from its answers: rows.jsonl, recipe.yaml, runs/

Nothing of one profile lies in the files of another, so that deleting both of these deletes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from trimtab import strict
from trimtab.candidates import Rung
from trimtab.errors import ProfileError
from trimtab.run import write_atomic
from trimtab.strict import Section

# The stack without adjustments, and that of the profile's own run.
BASE, OWN = "base", "own"
# No dot, slash or blank: a name can be nothing but a file of the folder.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SUFFIX = ".yaml"
# Bytes of a file.
LONGEST = 64 * 1024


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected one line of printable characters")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_one_line)]
RunName = Annotated[str, StringConstraints(max_length=200, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")]
Strength = Annotated[float, Field(ge=-4, le=4)]


class Profile(Section):
    """One user, team or audience."""

    stack: RunName = Field(
        BASE, min_length=1, description="what answers: a run that is served, own, or base for none"
    )
    strengths: dict[Rung, Strength] = Field(
        {}, description="how strong adjustments of a kind are; 1 is as the verdict was given, 0 is off"
    )
    facts: tuple[Line, ...] = Field((), max_length=32, description="what the model is told of the user")
    style: tuple[Line, ...] = Field((), max_length=16, description="how the model is told to answer")
    arms: tuple[RunName, ...] = Field(
        (),
        max_length=7,
        description="other stacks whose verdict is ship: feedback chooses between them and `stack`",
    )
    own: RunName = Field("", description="run below the profile's folder that learned from its answers")

    @model_validator(mode="after")
    def _possible(self) -> Profile:
        named = (self.stack, *self.arms)
        if len(set(named)) < len(named):
            raise ValueError("each stack stands once, in `stack` or in `arms`")
        if OWN in named and not self.own:
            raise ValueError("own: there is no own run yet; learn one first")
        return self

    @property
    def words(self) -> str:
        """What is said to the model before each conversation; empty where there is nothing to say."""
        parts = [("About the user:", self.facts), ("How to answer:", self.style)]
        return "\n\n".join(
            "\n".join([head, *(f"- {line}" for line in lines)]) for head, lines in parts if lines
        )


def place(folder: Path, name: str) -> Path:
    """The file of a profile, whether or not it is there.

    Raises:
        ProfileError: no name that a profile can have.
    """
    if not NAME.fullmatch(name):
        raise ProfileError(
            f"{name[:80]!r} is no name of a profile: 1 to 64 letters, digits, - and _ are",
            "choose another, such as ann",
        )
    return folder / f"{name}{SUFFIX}"


def home(folder: Path, name: str) -> Path:
    """The folder of what a profile has learned, whether or not it is there.

    Raises:
        ProfileError: no name that a profile can have.
    """
    return place(folder, name).with_suffix("")


def names(folder: Path) -> list[str]:
    """The profiles of a folder, in order; files whose name is none are passed over."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}") if NAME.fullmatch(path.stem))


def read(folder: Path, name: str) -> Profile:
    """A profile.

    Raises:
        ProfileError: there is none of this name, or its file cannot be used; all problems are named at once.
    """
    path = place(folder, name)
    if path.is_file() and path.stat().st_size > LONGEST:
        raise ProfileError(f"profile {path}: larger than {LONGEST // 1024} KiB", "shorten its facts")
    start = f"write one: trimtab profile {name} --use stack=base"
    return parse(strict.read(path, "profile", ProfileError, start), name=str(path))


def parse(content: dict[str, Any], *, name: str = "profile") -> Profile:
    """Check a mapping against the schema.

    Raises:
        ProfileError: with one line for each problem; an unknown key is answered with the nearest known one.
    """
    return strict.validate(Profile, content, name=name, error=ProfileError, page="docs/profiles.md")


def write(folder: Path, name: str, profile: Profile) -> Path:
    """Write a profile, whole or not at all, readable by nobody else on the machine."""
    path = place(folder, name)
    content: Mapping[str, Any] = profile.model_dump(mode="json", exclude_defaults=True)
    old = os.umask(0o077)
    try:
        write_atomic(
            path, yaml.safe_dump({"stack": profile.stack, **content}, sort_keys=False, allow_unicode=True)
        )
    finally:
        os.umask(old)
    return path
