"""What answers have in common: how varied they are together, and what they repeat word for word from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from trimtab.language.text import ngrams, normal, words
from trimtab.records import NAN

ORDER = 2
FEWEST = 30
COPIED_WORDS = 12

Gram = tuple[str, ...]


def variety(*collections: Sequence[str], order: int = ORDER) -> tuple[float, ...]:
    """Distinct word n-grams per n-gram of each collection of texts, 0 to 1: low where answers are all alike.

    The share falls with the number of n-grams, so each collection is read as far as the shortest goes, text by text in
    the order given; nan for all where that is fewer than 30 n-grams.
    Source: Li et al. 2016, A diversity-promoting objective function for neural conversation models, section 5.2
    (distinct-2), over all answers.
    """
    grams = [_grams(texts, order) for texts in collections]
    shortest = min((len(found) for found in grams), default=0)
    if shortest < FEWEST:
        return (NAN,) * len(collections)
    return tuple(len(set(found[:shortest])) / shortest for found in grams)


def singular(references: Iterable[Sequence[str]], order: int = COPIED_WORDS) -> frozenset[Gram]:
    """Runs of `order` words that stand in the references of one example alone.

    references: the good answers of each example. What several examples share is a phrase of the task's, not a memory.
    """
    counts: Counter[Gram] = Counter()
    for texts in references:
        counts.update({gram for text in texts for gram in ngrams(_words(text), order)})
    return frozenset(gram for gram, count in counts.items() if count == 1)


def copied(
    answers: Mapping[str, Sequence[str]],
    learned: frozenset[Gram],
    allowed: Mapping[str, Sequence[str]],
    order: int = COPIED_WORDS,
) -> float:
    """Share of answers, 0 to 1, that hold a run of `order` words of another example's references; nan without answers.

    Args:
        answers: of each item.
        learned: runs of words to look for, as `singular` gives them.
        allowed: texts that an item's answer may repeat: its prompt and its own references.
    """
    hits = total = 0
    for item, texts in answers.items():
        own = {gram for text in allowed.get(item, ()) for gram in ngrams(_words(text), order)}
        for text in texts:
            total += 1
            hits += bool((learned & ngrams(_words(text), order).keys()) - own)
    return hits / total if total else NAN


def _grams(texts: Sequence[str], order: int) -> list[Gram]:
    return [
        tuple(found[at : at + order]) for found in map(_words, texts) for at in range(len(found) - order + 1)
    ]


def _words(text: str) -> list[str]:
    return words(normal(text))
