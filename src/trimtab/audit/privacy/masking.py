"""Hiding personal data: each find gives way to its type in brackets."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.language.personal.found import Found, settle


def mask(text: str, found: Sequence[Found]) -> str:
    """The text with each find replaced by its type, such as `[EMAIL_ADDRESS]`; of two that overlap, the surer."""
    pieces: list[str] = []
    reached = 0
    for one in settle(found):
        pieces += (text[reached : one.start], f"[{one.type}]")
        reached = one.end
    return "".join(pieces) + text[reached:]
