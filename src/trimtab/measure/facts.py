"""Are the facts of the input kept, and are none made up: numbers, units and named terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trimtab.errors import MetricError
from trimtab.language.names import Known, terms
from trimtab.language.quantities import Quantity, quantities
from trimtab.language.text import normal
from trimtab.measure.contract import Metric, ratio
from trimtab.records import NAN, Example

Fact = tuple[str, ...]


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
        answer = Known([text])
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
        source = Known(given)
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
