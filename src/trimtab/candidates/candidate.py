"""What all candidates are."""

from __future__ import annotations

from typing import Literal

from trimtab.strict import Section

Rung = Literal["prompt", "context", "decoding", "postprocess", "steering", "embedding", "adapter", "layers"]

# The rungs that change weights, or what is computed with them: a service keeps both.
WEIGHTS: tuple[Rung, ...] = ("steering", "embedding", "adapter", "layers")


class Candidate(Section):
    """One setting of a rung that is fitted on tune and judged on select."""
