"""How easy English prose is to read, judged by the length of its sentences and words."""

from __future__ import annotations

import re

from trimtab.language.text import sentences, words

_VOWELS = re.compile(r"[aeiouyäöüàâáéèêëíîïóôúûæœ]+")
# The e of -le and -re after a consonant is heard (table, litre), as is that of -ted and -ded.
_SILENT = re.compile(r"(?:[^aeiouylr]es?|[aeiouy][lr]es?|[^aeioutdy]ed)$")
_SIBILANT = re.compile(r"(?:s|x|z|ch|sh|[cg])es$")


def reading_ease(text: str) -> float:
    """Flesch reading ease in points, usually 0 to 100, higher is easier; nan for a text without a word.

    206.835 - 1.015 words/sentences - 84.6 syllables/words (Flesch 1948).
    """
    per_sentence, per_word = _rates(text)
    return 206.835 - 1.015 * per_sentence - 84.6 * per_word


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade in US school years, lower is easier; nan for a text without a word.

    0.39 words/sentences + 11.8 syllables/words - 15.59 (Kincaid et al. 1975).
    """
    per_sentence, per_word = _rates(text)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59


def syllables(word: str) -> int:
    """Syllables of an English word, at least 1: groups of vowels, less a silent final -e, -es or -ed.

    A rule of thumb of our own; it knows no exceptions, so it errs on words such as "recipe" and "business".
    """
    word = word.lower()
    count = len(_VOWELS.findall(word))
    silent = _SILENT.search(word) and not _SIBILANT.search(word)
    return max(1, count - bool(silent))


def _rates(text: str) -> tuple[float, float]:
    found = words(text)
    if not found:
        return float("nan"), float("nan")
    per_sentence = len(found) / max(1, len(sentences(text)))
    return per_sentence, sum(map(syllables, found)) / len(found)
