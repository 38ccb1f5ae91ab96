"""Edits of answers: rules and facts together, drawing again, and no change where there is nothing to change."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adjust import made
from trimtab.adjust.grounded import Mode
from trimtab.adjust.postprocess import WARMER, Postprocess
from trimtab.adjust.stack import Stack
from trimtab.errors import GuidelinesError
from trimtab.guidelines import parse
from trimtab.model.local import Local
from trimtab.records import Message, Output, Pair, Question, Report, Sampling

ASKED = "Describe the Orrivane Swift, a kettle of 1.7 l and 2200 W, from Oslo, sold since 5 March 2024."
NO_PILLS = {
    "id": "pills",
    "text": "No pills.",
    "reject": {"phrases": ["pills"], "draws": 3, "fallback": "Please ask a doctor."},
}
RULES: list[dict[str, Any]] = [
    {"id": "praise", "text": "No praise.", "forbid": {"phrases": ["amazing"]}},
    NO_PILLS,
    {"id": "use", "text": "Say use.", "replace": {"phrases": {"utilise": "use", "kettle": "Zumba Pixel 9"}}},
    {"id": "short", "text": "Short.", "limit": {"words": 40}},
    {"id": "machine", "text": "Say who.", "disclose": {"sentence": "Written by Acme Ltd in 1999."}},
]


def question(text: str = ASKED, seed: int = 0, **sampling: Any) -> Question:
    return Question("a", (Message("user", text),), Sampling(max_new_tokens=8, **sampling), seed)


def edit(adjustment: Postprocess, text: str, asked: str = ASKED) -> tuple[str, tuple[str, ...]]:
    found = adjustment.text(question(asked), Output("a", 0, text))
    return found.text, found.fired


def facts(mode: Mode) -> Postprocess:
    return Postprocess(parse({}), facts=mode)


@dataclass
class Service:
    """A model elsewhere that answers by a rule of the test's, and keeps what it was asked."""

    says: Callable[[Question], str]
    name: str = "elsewhere"
    rounds: list[list[Question]] = field(default_factory=list)

    def answer(self, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        self.rounds.append(list(asked))
        return [Output(q.example, q.seed, self.says(q), (-0.5,)) for q in asked]

    def likelihood(self, pairs: Sequence[Pair], report: Report | None = None) -> list[tuple[float, int]]:
        return [(-1.0, 1) for _ in pairs]


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("It holds 1.7 litres. It weighs 3 kg.", "It holds 1.7 litres."),
        ("It draws 2200 W. It was made by Zumba Pixels.", "It draws 2200 W."),
        ("It is sold since 2024-03-05. It was shown on 6 March 2024.", "It is sold since 2024-03-05."),
        (
            "The Swift boils. See Oslo's shops.",
            "The Swift boils. See Oslo's shops.",
        ),
        ("It boils. See Bergen's shops.", "It boils."),
        ("It boils. Ask for Bergen's Kettle in town.", "It boils."),
        ("1. It boils.\n2. It holds 1.7 l.\n3. It costs £30.", "1. It boils.\n2. It holds 1.7 l."),
        ("It is quiet.  ", "It is quiet.  "),
    ],
)
def test_a_sentence_with_facts_that_nobody_gave_is_dropped(text: str, dropped: str) -> None:
    assert edit(facts("drop"), text) == (dropped, ("facts",) if dropped != text else ())
    assert edit(facts("off"), text) == (text, ())


@pytest.mark.parametrize(
    ("text", "asked", "replaced"),
    [
        ("It draws 2400 W.", ASKED, "It draws 2200 W."),
        ("It draws 2400 W and weighs 3 kg. It boils.", ASKED, "It boils."),
        ("It is 5 cm. It boils.", "It is 3 cm by 4 cm.", "It boils."),
        ("It is 5 cm.", "It is 3 cm; yes, 3 cm.", "It is 3 cm."),
        ("It costs £5.", "It costs £1,299.50", "It costs £1,299.50."),
        ("It has 5 slots. It boils.", "It has 4 slots.", "It boils."),
        ("It stands at 7 °C.", "Temperature: -5 °C", "It stands at -5 °C."),
    ],
)
def test_a_number_is_replaced_where_the_question_has_one_of_its_unit(
    text: str, asked: str, replaced: str
) -> None:
    adjustment = facts("replace")
    assert edit(adjustment, text, asked) == (replaced, ("facts",))
    assert edit(adjustment, replaced, asked) == (replaced, ())


def test_earlier_turns_and_what_rules_insert_are_given() -> None:
    adjustment = Postprocess(parse({"rules": RULES}), facts="drop")
    text, fired = edit(adjustment, "It is a kettle. It weighs 3 kg.")
    assert text == "It is a Zumba Pixel 9. Written by Acme Ltd in 1999."
    assert fired == ("facts", "use", "machine")
    turns = (Message("system", "It weighs 3 kg."), Message("user", "Describe it."))
    asked = Question("a", turns, Sampling())
    output = Output("a", 0, "It weighs 3 kg. Written by Acme Ltd in 1999.")
    assert adjustment.text(asked, output) is output


PIECES = [
    "amazing", "utilise", "kettle", "pills", "3 kg", "2400 W", "1.7 l", "Oslo", "Bergen", "Orrivane Swift",
    "5 March 2024", "2024-03-06", ". ", ", ", "\n", "- ", "1. ", "-5", "–7 l", "£30", "Acme's", "水。", "é", "\u0301",
    "Written by Acme Ltd in 1999.", "Please ask a doctor.", "and", "(", "'s", "Is", "In Oslo",
]  # fmt: skip
TEXTS = (
    st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join)
    | st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
    | st.text(max_size=60)
)


@given(TEXTS, TEXTS, st.sampled_from(["off", "drop", "replace"]), st.sets(st.sampled_from(range(len(RULES)))))
def test_applying_twice_changes_nothing_more(text: str, asked: str, mode: Mode, chosen: set[int]) -> None:
    adjustment = Postprocess(parse({"rules": [RULES[number] for number in sorted(chosen)]}), facts=mode)
    once, fired = edit(adjustment, text, asked)
    assert edit(adjustment, once, asked) == (once, ())
    if not fired:
        assert once == text


def test_dirty_strings_as_question_and_answer(public_data: Path) -> None:
    adjustment = Postprocess(parse({"rules": RULES}), facts="replace")
    dirty = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    for text, asked in zip(dirty, reversed(dirty), strict=True):
        for whole in (text, f"It weighs 3 kg. {text} is amazing. Oslo {text}", text * 10):
            once, _ = edit(adjustment, whole, asked)
            assert edit(adjustment, once, asked) == (once, ())


@pytest.mark.parametrize(
    "piece", ["Name X ", "3 kg ", "5 March ", "111", "A1-B2 ", "Oslo. ", "No. 5 ", "\n- Bo Li"]
)
def test_time_is_bounded_for_very_long_texts(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    adjustment = Postprocess(parse({"rules": RULES}), facts="replace")
    started = time.process_time()
    once, _ = edit(adjustment, text)
    assert edit(adjustment, once) == (once, ())
    assert time.process_time() - started < 8


def test_a_thousand_names_that_nobody_gave_are_looked_for_in_bounded_time() -> None:
    names = [
        f"It is by Ab{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}. " for n in range(4000)
    ]
    started = time.process_time()
    text, _ = edit(facts("drop"), "".join(names) + "It boils.")
    assert text == "It boils."
    assert time.process_time() - started < 8


def test_a_rejected_answer_is_drawn_again_warmer_until_one_is_fit() -> None:
    service = Service(lambda q: "Take pills." if q.seed < 2_000_000 else "Drink tea.")
    adjustment = Postprocess(parse({"rules": [NO_PILLS]}))
    asked = [question(seed=0), question(seed=1)]
    found = adjustment.answers(service, asked)
    assert [(o.text, o.seed, o.fired) for o in found] == [
        ("Drink tea.", 0, ("pills",)),
        ("Drink tea.", 1, ("pills",)),
    ]
    assert [len(one) for one in service.rounds] == [2, 2, 2]
    assert {q.sampling.temperature for one in service.rounds[1:] for q in one} == {WARMER}
    assert len({q.seed for one in service.rounds for q in one}) == 6


def test_only_rejected_answers_are_drawn_again_and_a_warmer_question_stays_as_warm() -> None:
    service = Service(lambda q: "Take pills." if q.seed == 0 else "Drink tea.")
    found = Postprocess(parse({"rules": [NO_PILLS]})).answers(
        service, [question(seed=0, temperature=1.5), question(seed=1)]
    )
    assert [o.fired for o in found] == [("pills",), ()]
    assert [[q.sampling.temperature for q in one] for one in service.rounds] == [[1.5, 0], [1.5]]


@pytest.mark.parametrize(("own", "rounds"), [(None, 4), (0, 1), (1, 2)])
def test_after_that_many_draws_the_written_answer_is_given(own: int | None, rounds: int) -> None:
    service = Service(lambda q: "Take pills.")
    adjustment = Postprocess(parse({"rules": RULES}), draws=own)
    (found,) = adjustment.answers(service, [question()])
    assert found.text == "Please ask a doctor. Written by Acme Ltd in 1999."
    assert found.fired == ("pills", "machine")
    assert len(service.rounds) == rounds


def test_what_an_earlier_stack_did_is_not_taken_for_its_own() -> None:
    service = Service(lambda q: "Take pills.")
    adjustment = Postprocess(parse({"rules": [NO_PILLS]}), draws=0)
    louder = Postprocess(parse({"rules": [NO_PILLS]}), draws=2)
    with Stack((adjustment, louder)).attach(service) as attached:
        (found,) = attached.model.answer([question()])
    assert (found.text, found.fired, len(service.rounds)) == ("Please ask a doctor.", ("pills",), 1)


def test_drawing_again_on_a_network_gives_other_answers_and_the_same_ones_each_time() -> None:
    """Bytes of a tiny network are rejected for one letter, until an answer lacks it."""
    rule = {"id": "o", "text": "x", "reject": {"pattern": "[a-m]", "draws": 16, "fallback": "..."}}
    adjustment = Postprocess(parse({"rules": [rule]}))
    asked = [question(f"Hi {n}") for n in range(6)]
    model = Local(made.base())
    plain, found = model.answer(asked), adjustment.answers(model, asked)
    assert found == adjustment.answers(model, asked)
    assert any(o.fired and o.text != "..." for o in found)
    for before, after in zip(plain, found, strict=True):
        assert not adjustment.compiled.check(after.text)
        if not after.fired:
            assert after == before


def test_a_damaged_file_of_rules_is_named(tmp_path: Path) -> None:
    Postprocess(parse({"rules": RULES})).save(tmp_path)
    path = tmp_path / "postprocess.json"
    path.write_text(path.read_text("utf-8").replace('"limit"', '"limits"'), encoding="utf-8")
    with pytest.raises(GuidelinesError, match="limits: unknown key; did you mean limit"):
        Postprocess.load(tmp_path)
