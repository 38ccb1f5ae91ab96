"""The card of a run's model: card.md as the Hugging Face Hub reads it and card.html, from the run folder alone."""

from trimtab.document.model_card.evidence import warning
from trimtab.document.model_card.facts import Declared, Facts, facts
from trimtab.document.model_card.writing import FILES, outdated, sections, write

__all__ = ["FILES", "Declared", "Facts", "facts", "outdated", "sections", "warning", "write"]
