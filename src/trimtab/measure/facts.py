"""Are the facts of the input kept, and are none made up: numbers, units and named terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from trimtab.errors import MetricError
from trimtab.measure.contract import Metric, ratio
from trimtab.measure.quantities import QUANTITY, Quantity, quantities, spelled, supported
from trimtab.measure.text import normal, sentences
from trimtab.records import NAN, Example

Fact = tuple[str, ...]
_TERM = re.compile(r"[^\W_]+(?:['’\-./&][^\W_]+)*")
_GOES_ON = re.compile(r"\w$|\d[.,]$")
_CARRIES_ON = re.compile(r"\w|[.,]\d")
_ENDING = re.compile(r"(?<=\w{3})(?:(?<!s)s|e?d|ing)$")
_FUNCTION_WORDS = (
    "a an and are as at be by for from has have in into is it its no not of on or per that the their this to "
    "up was were which with without each made than over under about around via"
)
_SMALL = frozenset(_FUNCTION_WORDS.split())


def coverage() -> Metric:
    """Share of the input's facts that the answer keeps, 0 to 1, higher is better.

    Question: are the numbers, units and named terms of the input still in the answer?
    Limits: a fact that is kept but attached to the wrong thing counts as kept; synonyms count as lost.
    Facts are fields["facts"] (texts, or lists of alternatives of which one is enough) or the values of
    fields["spec"] and fields["name"], else the quantities and named terms found in the prompt. A fact is kept
    if the answer holds it word for word, or all its quantities (same number, same unit in any spelling) and
    all its content words, in any order (endings -s, -ed, -ing ignored). Of a property that is yes or no, its
    name is looked for, not whether it is denied. Nan where there is no fact.
    """

    def score(example: Example, text: str) -> float:
        facts = facts_of(example)
        if not facts:
            return NAN
        answer = _Bag([text])
        return sum(any(answer.keeps(form) for form in fact) for fact in facts) / len(facts)

    return Metric(
        name="coverage",
        unit="share of facts",
        direction="higher",
        question="Are the numbers, units and named terms of the input still in the answer?",
        limits="A fact attached to the wrong thing counts as kept; a synonym counts as lost.",
        bounds=(0.0, 1.0),
        score=score,
    )


def invented() -> Metric:
    """Share of the answer's quantities and names that neither input nor references hold; lower is better.

    Question: does the answer state numbers or names that nobody gave it?
    Limits: sees only digits, codes and capitalised names, so a made-up claim in plain words is not found, and
    neither is a given number attached to the wrong thing. 0 where the answer states none.
    """

    def score(example: Example, text: str) -> float:
        given = [m.content for m in example.messages] + list(example.references)
        given += [form for fact in _declared(example) for form in fact]
        source = _Bag(given)
        stated: list[Quantity | str] = [*quantities(text), *terms(text)]
        return ratio(sum(not source.knows(item) for item in stated), len(stated), empty=0.0)

    return Metric(
        name="invented",
        unit="share of stated facts",
        direction="lower",
        question="Does the answer state numbers or names that nobody gave it?",
        limits="Finds made-up digits, codes and capitalised names only, not made-up claims in plain words.",
        bounds=(0.0, 1.0),
        score=score,
    )


def facts_of(example: Example) -> list[Fact]:
    """The facts of an item, each as its accepted forms: declared in its fields, else found in its prompt.

    Raises:
        MetricError: fields["facts"] is not a list of texts or of lists of texts.
    """
    declared = _declared(example)
    if declared:
        return declared
    found = [str(q) for q in quantities(example.prompt)] + terms(example.prompt)
    return [(form,) for form in dict.fromkeys(found)]


def terms(text: str) -> list[str]:
    """Named terms of a text, in order, without repeats: capitalised names, acronyms, codes with digits.

    A capital at the beginning of a sentence makes no name, unless the word holds another capital or a digit,
    is followed by another name, or is capitalised elsewhere inside a sentence.
    """
    inside: set[str] = set()
    opening: list[tuple[str, list[str]]] = []
    found: list[str] = []
    for sentence in sentences(text):
        runs = _runs(QUANTITY.sub(" ; ", sentence))
        for first, run in runs:
            if first and len(run) == 1 and not _marked(run[0]):
                opening.append((sentence, run))
                continue
            inside.update(run)
            found.append(" ".join(run))
    found += [run[0] for _, run in opening if run[0] in inside]
    return list(dict.fromkeys(found))


def _declared(example: Example) -> list[Fact]:
    facts = example.fields.get("facts")
    if facts is None:
        spec, name = example.fields.get("spec"), example.fields.get("name")
        if not isinstance(spec, Mapping):
            return []
        facts = [*([name] if name else []), *(_value(key, value) for key, value in spec.items())]
    if isinstance(facts, str) or not isinstance(facts, Sequence):
        raise MetricError(f"item {example.id!r}: facts is {facts!r:.60}", "expected a list of texts")
    return [_forms(fact, example) for fact in facts]


def _value(key: object, value: object) -> object:
    """A value of a spec sheet; for yes and no, which no sentence repeats, the property's own name."""
    return str(key).replace("_", " ") if normal(str(value)) in ("yes", "no", "true", "false") else value


def _forms(fact: object, example: Example) -> Fact:
    forms = (fact,) if isinstance(fact, str | int | float) else fact
    if (
        not isinstance(forms, Sequence)
        or not forms
        or not all(isinstance(f, str | int | float) for f in forms)
    ):
        raise MetricError(
            f"item {example.id!r}: a fact is {fact!r:.60}", "expected a text, or a list of texts"
        )
    return tuple(str(form) for form in forms)


def _runs(sentence: str) -> list[tuple[bool, list[str]]]:
    """Runs of neighbouring name-like words of a sentence, and whether each opens the sentence."""
    runs: list[tuple[bool, list[str]]] = []
    end, first = -2, True
    for match in _TERM.finditer(sentence):
        word = re.sub(r"['’]s$", "", match[0])
        named = _named(word) and word.lower() not in _SMALL
        if named and runs and sentence[end : match.start()] == " ":
            runs[-1][1].append(word)
        elif named:
            runs.append((first, [word]))
        end, first = match.end() if named else -2, False
    return runs


def _named(word: str) -> bool:
    return _marked(word) or (word[0].isupper() and len(word) > 1 and word[1:].islower())


def _marked(word: str) -> bool:
    """Name-like wherever it stands: a code with digits, an inner capital, a short acronym."""
    if any(c.isdigit() for c in word):
        return any(c.isalpha() for c in word)
    capitals = sum(c.isupper() for c in word)
    shouted = word.isupper() and len(word) > 5  # a long word in capitals is emphasis
    return capitals > 1 and not shouted


class _Bag:
    """The quantities and words of some texts, to look facts up in."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = [normal(text) for text in texts]
        whole = "\n".join(self.texts)
        self.quantities = quantities(whole) + spelled(whole)
        self.words = {stem for word in _TERM.findall(whole) for stem in _stems(word)}

    def keeps(self, fact: str) -> bool:
        """Whether a fact is held word for word, or by all its quantities and content words."""
        form = normal(fact)
        if form and any(_holds(text, form) for text in self.texts):
            return True
        wanted = quantities(form)
        content = [w for w in _TERM.findall(QUANTITY.sub(" ", form)) if w not in _SMALL]
        if not wanted and not content:
            return False
        return all(supported(q, self.quantities) for q in wanted) and all(self._has(w) for w in content)

    def knows(self, item: Quantity | str) -> bool:
        """Whether a quantity, or every word of a named term, occurs."""
        if isinstance(item, Quantity):
            return supported(item, self.quantities)
        return all(self._has(word) for word in normal(item).split())

    def _has(self, word: str) -> bool:
        whole, *parts = _stems(word)
        return whole in self.words or (bool(parts) and all(part in self.words for part in parts))


def _holds(text: str, form: str) -> bool:
    """Whether a form stands in a text between word boundaries, and not inside a longer number."""
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        if not _GOES_ON.search(text[max(0, start - 2) : start]) and not _CARRIES_ON.match(
            text[end : end + 2]
        ):
            return True
        start = text.find(form, start + 1)
    return False


def _stems(word: str) -> list[str]:
    """The word, then its parts at hyphens if it has any, each without the commonest endings."""
    parts = re.split(r"[-/&]", word)
    return [_ENDING.sub("", part) for part in ([word, *parts] if len(parts) > 1 else [word])]
