"""What is chosen from a user's rows, and that the reasons are there."""

from __future__ import annotations

import pytest
import yaml

from trimtab.errors import DataError
from trimtab.records import Example, Message
from trimtab.starter.choices import as_yaml, blank, decide, profile, tokens
from trimtab.starter.decision import Decision

ANSWER = "It is one of the things that we will send to you as soon as the shop has it in stock again."
GERMAN = (
    "Wir schicken Ihnen das Paket, sobald der Laden es wieder hat, und melden uns am selben Tag noch einmal."
)


def rows(answers: list[str], prompt: str = "What is the state of order number {}?") -> list[Example]:
    return [
        Example((Message("user", prompt.format(number)),), (answer,), id=str(number))
        for number, answer in enumerate(answers)
    ]


def chosen(decisions: list[Decision]) -> dict[str, object]:
    return {decision.option: decision.value for decision in decisions}


def test_labels_that_repeat_are_judged_by_accuracy_and_named_to_the_base_model() -> None:
    options = chosen(decide(profile(rows(["positive", "negative", "no opinion"] * 40))))
    assert options["goal.metric"] == "accuracy"
    assert options["goal.options"] == {"labels": ["negative", "no opinion", "positive"]}
    assert "negative, no opinion, positive" in str(options["data.instruction"])


def test_labels_in_a_system_turn_get_no_instruction() -> None:
    options = chosen(decide(profile(rows(["yes", "no"] * 60)), bare=False))
    assert "data.instruction" not in options
    assert options["goal.metric"] == "accuracy"


def test_short_answers_that_differ_are_right_or_wrong() -> None:
    options = chosen(decide(profile(rows([f"{number} metres" for number in range(200)]))))
    assert options["goal.metric"] == "exact_match"
    assert "goal.options" not in options
    assert "data.instruction" not in options


def test_free_text_is_judged_by_likeness() -> None:
    options = chosen(decide(profile(rows([f"{ANSWER} {number}" for number in range(200)]))))
    assert (options["goal.metric"], options["goal.min_gain"], options["goal.expected_gain"]) == (
        "chrf",
        2.0,
        6.0,
    )


def test_a_named_goal_is_kept_and_unknown_units_get_no_gain() -> None:
    options = chosen(decide(profile(rows(["yes", "no"] * 60)), goal="toxicity"))
    assert options["goal.metric"] == "toxicity"
    assert not {"goal.min_gain", "goal.expected_gain", "goal.options"} & options.keys()


def test_a_few_distinct_answers_in_few_rows_are_no_labels() -> None:
    assert profile(rows(["red", "blue", "green", "grey"])).labels == ()


def test_lengths_follow_the_answers() -> None:
    short = chosen(decide(profile(rows([ANSWER] * 100))))
    long = chosen(decide(profile(rows([ANSWER * 30] * 100))))
    assert tokens(ANSWER) <= int(str(short["sampling.max_new_tokens"])) <= tokens(ANSWER) + 24
    assert int(str(long["sampling.max_new_tokens"])) > 8 * tokens(ANSWER)
    assert int(str(long["data.max_tokens"])) > int(str(short["data.max_tokens"]))
    assert float(str(long["training.epochs"])) < float(str(short["training.epochs"]))


def test_one_long_answer_does_not_stretch_all_but_still_fits_in_training() -> None:
    plain = chosen(decide(profile(rows([ANSWER] * 100))))
    options = chosen(decide(profile(rows([ANSWER] * 99 + [ANSWER * 20]))))
    assert options["sampling.max_new_tokens"] == plain["sampling.max_new_tokens"]
    assert int(str(options["data.max_tokens"])) >= tokens(ANSWER * 20)


def test_the_longest_row_has_a_limit_that_is_said() -> None:
    decisions = decide(profile(rows([ANSWER] * 99 + [ANSWER * 200])))
    found = next(decision for decision in decisions if decision.option == "data.max_tokens")
    assert found.value == 2048
    assert "cut off" in found.reason


def test_an_instruction_counts_towards_the_length_of_a_row() -> None:
    measured = profile(rows([ANSWER] * 100))
    plain, longer = (chosen(decide(measured, instruction=text)) for text in ("", ANSWER * 8))
    assert int(str(longer["data.max_tokens"])) >= int(str(plain["data.max_tokens"])) + 8 * tokens(ANSWER) - 64
    assert longer["data.instruction"] == ANSWER * 8


@pytest.mark.parametrize("count", [40, 200, 666])
def test_usual_shares_for_a_few_hundred_rows(count: int) -> None:
    shares = chosen(decide(profile(rows([ANSWER] * count))))["data.split"]
    assert isinstance(shares, dict)
    assert shares["confirm"] == pytest.approx(0.3, abs=0.001)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)


def test_many_rows_are_not_all_answered() -> None:
    options = chosen(decide(profile(rows([ANSWER] * 5_000))))
    shares = options["data.split"]
    assert isinstance(shares, dict)
    assert 150 <= 5_000 * shares["confirm"] <= 250
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    assert options["training.epochs"] == 0.25


@pytest.mark.parametrize(("text", "english"), [(ANSWER, True), (GERMAN, False)])
def test_english_text_is_guarded_only_where_rows_are_english(text: str, english: bool) -> None:
    prompt = ANSWER if english else GERMAN
    guards = chosen(decide(profile(rows([text] * 100, prompt=prompt + " {}"))))["guards"]
    assert isinstance(guards, list)
    assert [guard["suite"] for guard in guards] == ["general-english"] * english + ["general-questions"]
    assert {guard["suite"]: guard["margin"] for guard in guards}["general-questions"] == 0.1


def test_every_decision_has_a_reason() -> None:
    for decisions in (decide(profile(rows([ANSWER] * 100))), blank(), blank(goal="accuracy")):
        assert all(decision.reason for decision in decisions)


def test_no_rows_are_an_error() -> None:
    with pytest.raises(DataError, match="no examples"):
        profile([])


@pytest.mark.parametrize(
    "value",
    [
        "plain", "yes", "No", "null", "1e3", "a: b", "# not a comment", "two\nlines \"quoted\"", "é ☃", "",
        "- item", 3, 0.25, 4.0, True, {"a": [1, "on"], "b": {"c": "x, y"}}, [{"suite": "s", "margin": 0.1}],
    ],
)  # fmt: skip
def test_yaml_gives_back_the_value(value: object) -> None:
    assert yaml.safe_load(f"key: {as_yaml(value)}") == {"key": value}
