"""The data card of a set: README.md as the Hugging Face Hub reads it, and croissant.json, from an audit."""

from trimtab.audit.card.facts import Declared, Facts, facts
from trimtab.audit.card.writing import write

__all__ = ["Declared", "Facts", "facts", "write"]
