"""One option of a recipe that was chosen for a user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """One option of a recipe: its place, its value, and why."""

    option: str
    value: object
    reason: str
