"""What two answers that are almost the same must share to say the same: their numbers and their negations."""

from __future__ import annotations

import re

# The word "one" is left out: it is a pronoun more often than a number.
_WORDS = "zero two three four five six seven eight nine ten eleven twelve"
_SPELLED = dict(zip(_WORDS.split(), (str(number) for number in range(13) if number != 1), strict=True))
_NUMBER = re.compile(rf"\d+(?:[.,:]\d+)*|\b(?:{'|'.join(_SPELLED)})\b")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_NEGATIONS = (
    "not no never none nor neither cannot without nothing nobody nowhere "
    "nicht kein keine keinen keinem keiner keines nie niemals ohne nichts "
    "pas jamais sans aucun aucune rien non nunca sin nada niet geen nooit zonder não sem"
)
_NEGATION = re.compile(rf"\b(?:{'|'.join(_NEGATIONS.split())})\b|n['’]t\b")


def stance(text: str) -> tuple[tuple[str, ...], int]:
    """The numbers of a text, each once and sorted, and how many words deny something.

    A number that is said once more contradicts nothing. Digits and words from zero to twelve count alike, 1,200 as
    1200; "isn't" denies as "is not" does. Words that deny are those of English, German, French, Spanish, Italian,
    Dutch and Portuguese.
    """
    lower = text.lower()
    numbers = sorted({_number(found) for found in _NUMBER.findall(lower)})
    return tuple(numbers), len(_NEGATION.findall(lower))


def _number(found: str) -> str:
    if not found[0].isdigit():
        return _SPELLED[found]
    return found.replace(",", "") if _THOUSANDS.fullmatch(found) else found
