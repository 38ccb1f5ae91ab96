"""Rows in another language than the set is said to be in, by py3langid.

Short texts are undecided, as are those of which the library is not sure: names and lists look like any language.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from trimtab.audit.checks.spans import asked
from trimtab.audit.findings import Hit, Row
from trimtab.measure.contract import optional

# Fields of a row that say its language, as data sets usually call them.
FIELDS = ("language", "lang", "locale")
# Letters from which a text is judged. Three signs of Chinese say what ten letters of English do.
LETTERS = 60
DENSE = 20
READ = 600
SURE = 0.95
_CODE = re.compile(r"```[^`]{0,20000}(?:```|\Z)|`[^`\n]{1,500}`")
_DENSE = re.compile("[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# Words of English and of no other language with Latin letters; and those with them that some others have too.
_ENGLISH = frozenset(
    ("the", "and", "with", "that", "this", "you", "which", "their", "they", "what", "how", "does", "your")
)
_COMMON = _ENGLISH | {
    "of",
    "to",
    "is",
    "it",
    "for",
    "are",
    "was",
    "were",
    "from",
    "have",
    "has",
    "not",
    "can",
    "be",
    "there",
}
_COMMON_SHARE = 0.15
_NO_LETTERS = frozenset("0123456789@_")
_TRANSLATED = re.compile(
    r"\b(?:translat\w{1,6}|in(?:to)? (?:english|french|german|spanish|italian|portuguese|dutch|russian|chinese|japanese"
    r"|korean|arabic|hindi|turkish|polish|latin|greek|hebrew|swedish|danish|norwegian|finnish|czech"
    r"|another language))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Language:
    """`language`: a text in another language than declared, by the row's own field where it has one.

    Attributes:
        declared: ISO 639-1 code of the set, such as en; empty: only rows that declare their own are looked at.
    """

    declared: str = ""

    def __call__(self, row: Row) -> Iterator[Hit]:
        """A hit for each side of a row that is surely in another language.

        Raises:
            MissingPart: py3langid is not installed.
        """
        wanted = _declared(row) or self.declared
        if not wanted:
            return
        for side in ("answer", "prompt"):
            text = " ".join(one.text[:READ] for one in row.texts if one.side == side)
            said = spoken(text, unless=wanted)
            if said and said != wanted and not _TRANSLATED.search(asked(row)):
                yield Hit("language", row.number, note=f"{side} in {said}, not {wanted}")
                return


def majority(rows: Iterable[Row]) -> str:
    """The language of most texts of some rows that can be judged; empty where no language has more than half."""
    found = Counter(
        code for row in rows for text in row.texts if text.side != "other" and (code := spoken(text.text))
    )
    code, count = next(iter(found.most_common(1)), ("", 0))
    return code if 2 * count > found.total() else ""


def spoken(text: str, *, unless: str = "") -> str:
    """The language of a text as an ISO 639-1 code; empty where it is too short or the library is not sure.

    Args:
        unless: the language that it is expected to be in; English with its commonest words is then told without the
            library.

    Raises:
        MissingPart: py3langid is not installed.
    """
    text = text[:READ]
    if len(text) < DENSE or (unless == "en" and _english(text)):
        return ""
    prose = _prose(text)
    if sum(map(str.isalpha, prose)) < LETTERS and len(_DENSE.findall(prose)) < DENSE:
        return ""
    code, sure = _identifier().classify(prose.lower())
    return str(code) if sure >= SURE else ""


def _prose(text: str) -> str:
    """A text without code, addresses, and words that hold a digit."""
    if "`" in text:
        text = _CODE.sub(" ", text)
    plain = (word for word in text.split() if not (set(word) & _NO_LETTERS or "://" in word))
    return " ".join(plain)


def _english(text: str) -> bool:
    words = text.lower().split()
    common = sum(word in _COMMON for word in words)
    return common >= max(2, _COMMON_SHARE * len(words)) and not _ENGLISH.isdisjoint(words)


def _declared(row: Row) -> str:
    value = next((row.raw[name] for name in FIELDS if isinstance(row.raw.get(name), str)), "")
    code = str(value).strip().lower().replace("_", "-").partition("-")[0]
    return code if len(code) == 2 and code.isascii() else ""


@functools.cache
def _identifier() -> Any:
    library = optional("py3langid.langid", extra="audit")
    found = library.LanguageIdentifier.from_model_file(library.MODEL_FILE, norm_probs=True)
    # Dialects and creoles with a code of three letters take the certainty from the languages that they are near to.
    found.set_languages([code for code in found.labels if len(code) == 2])
    return found
