"""Forgetting a person: their rows, what was kept of them, and what learned from them; with a proof."""

from trimtab.erasure.erase import Asked, erase

__all__ = ["Asked", "erase"]
