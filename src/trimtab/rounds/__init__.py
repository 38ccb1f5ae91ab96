"""The next round: what people said of a run, moved to where it is learned from, and what changed by it."""

from trimtab.rounds.beginning import begin
from trimtab.rounds.changed import compare

__all__ = ["begin", "compare"]
