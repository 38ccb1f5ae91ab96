"""Hiding personal data: each find gives way to its type in brackets."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.language.personal.found import Found, settle
from trimtab.language.text import replaced


def mask(text: str, found: Sequence[Found]) -> str:
    """The text with each find replaced by its type, such as `[EMAIL_ADDRESS]`; of two that overlap, the surer."""
    return replaced(text, ((one.start, one.end, f"[{one.type}]") for one in settle(found)))
