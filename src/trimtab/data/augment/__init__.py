"""More rows made from the training part alone: each names its parent, keeps its provenance, and changes no fact.

For tune only: measured on, they would count an item twice. What a model rewrites is in `rungs/augmenting.py`.
"""

from trimtab.data.augment.made import asked, child, facts_kept, reworded, same_said
from trimtab.data.augment.mixing import balanced, mixed
from trimtab.data.augment.noise import noisy
from trimtab.data.augment.wordnet import WordNet, fingerprint, synonyms

__all__ = [
    "WordNet",
    "asked",
    "balanced",
    "child",
    "facts_kept",
    "fingerprint",
    "mixed",
    "noisy",
    "reworded",
    "same_said",
    "synonyms",
]
