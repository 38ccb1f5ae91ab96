"""What is seen of traffic: planted changes are told by name, row and time; quiet traffic is not."""

from __future__ import annotations

import dataclasses
import json
from statistics import fmean

import numpy as np
import pytest

from tests.watch.traffic import traffic
from trimtab.errors import RunError
from trimtab.language.text import words
from trimtab.records import plain
from trimtab.watch import Traffic, baseline, begin, look, restored, stated_delays, watched

BEFORE = baseline(traffic(300, 1))


def alarmed(rows: list[Traffic]) -> dict[str, int]:
    seen = watched(BEFORE, look(BEFORE, begin(BEFORE), rows))
    return {alarm.quantity: alarm.row for alarm in seen.alarms}


def test_quiet_traffic_gives_no_alarm() -> None:
    assert [alarmed(traffic(600, seed)) for seed in (2, 3, 4)] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("quantity", "change"),
    [
        ("words", {"words": 30.0}),
        ("words", {"words": 14.0}),
        ("refusal", {"refusals": 0.5}),
        ("confidence", {"confidence": 0.6}),
        ("rules", {"fired": 0.5}),
        ("sentiment", {"praise": 0.6}),
    ],
)
def test_a_change_is_told_by_its_quantity_row_and_time(quantity: str, change: dict[str, float]) -> None:
    rows = [*traffic(300, 5), *traffic(300, 6, first=300, **change)]
    watch = look(BEFORE, begin(BEFORE), rows)
    found = {alarm.quantity: alarm for alarm in watch.alarms}
    alarm = found[quantity]
    assert 300 < alarm.row <= 500
    assert alarm.time == rows[alarm.row - 1].time
    assert abs(alarm.began - 300) <= 60
    seen = {state.name: state for state in watched(BEFORE, watch).quantities}
    assert seen[quantity].alarm == alarm
    assert seen[quantity].state == "alarm"
    assert alarm.evidence >= seen[quantity].needed
    assert watch.figures[quantity][quantity].change.peak >= alarm.evidence


def test_looking_after_every_row_finds_what_looking_once_finds() -> None:
    rows = [*traffic(100, 7), *traffic(150, 8, first=100, refusals=0.6)]
    once = look(BEFORE, begin(BEFORE), rows)
    step = begin(BEFORE)
    for place in range(0, len(rows), 10):
        step = restored(json.loads(json.dumps(plain(step), allow_nan=False)))
        step = look(BEFORE, step, rows[place : place + 10])
    assert step.alarms
    assert [plain(a) | {"evidence": 0} for a in step.alarms] == [
        plain(a) | {"evidence": 0} for a in once.alarms
    ]
    assert (
        watched(BEFORE, step).quantities[0].figures[0].now
        == watched(BEFORE, once).quantities[0].figures[0].now
    )


def test_a_watch_does_not_grow_with_the_traffic_and_holds_no_text() -> None:
    short, long = (look(BEFORE, begin(BEFORE), traffic(n, 9)) for n in (300, 3000))
    sizes = [len(json.dumps(plain(watch))) for watch in (short, long)]
    assert sizes[1] < 1.1 * sizes[0]
    assert "parcel" not in json.dumps(plain(long))


def test_means_now_stand_beside_the_baseline() -> None:
    rows = traffic(500, 10, words=30)
    seen = watched(BEFORE, look(BEFORE, begin(BEFORE), rows))
    figure = seen.quantities[0].figures[0]
    assert (seen.rows, seen.other, figure.unit) == (500, 0, "words")
    assert figure.now.value == pytest.approx(fmean(len(words(row.answer)) for row in rows[-200:]))
    assert figure.before.value == pytest.approx(fmean(len(words(row.answer)) for row in traffic(300, 1)))
    assert figure.now.low > figure.before.high
    assert seen.quantities[1].figures[0].before.method == "Wilson"


def test_rows_of_another_stack_and_figures_without_value_are_left_out() -> None:
    other = traffic(200, 11, refusals=0.9, stack="base")
    unsure = traffic(100, 12, confidence=None)
    watch = look(BEFORE, look(BEFORE, begin(BEFORE), other), unsure)
    assert (watch.rows, watch.other, watch.alarms) == (100, 200, ())
    assert len(watch.figures["confidence"]["confidence"].recent) == 0
    seen = {state.name: state for state in watched(BEFORE, watch).quantities}
    assert seen["confidence"].figures[0].now.undefined
    late = [dataclasses.replace(row, confidence=0.2) for row in traffic(60, 13)]
    alarm = next(a for a in look(BEFORE, watch, late).alarms if a.quantity == "confidence")
    assert 100 < alarm.row <= 160


def test_a_watch_of_another_baseline_or_a_damaged_one_is_refused() -> None:
    with pytest.raises(RunError, match="a watch of the baseline"):
        look(baseline(traffic(300, 2)), begin(BEFORE), traffic(5, 1))
    content = plain(begin(BEFORE))
    del content["figures"]["words"]["words"]["change"]["seed"]
    with pytest.raises(RunError, match="damaged"):
        restored(content)


def test_an_alarm_stays_the_first_one() -> None:
    watch = look(BEFORE, begin(BEFORE), traffic(200, 14, refusals=0.7))
    again = look(BEFORE, watch, traffic(200, 15))
    assert [a for a in again.alarms if a.quantity == "refusal"] == [
        a for a in watch.alarms if a.quantity == "refusal"
    ]


def test_ties_are_broken_by_other_numbers_in_each_figure_and_under_each_baseline() -> None:
    watches = [begin(BEFORE), begin(baseline(traffic(300, 2)))]
    seeds = [one.change.seed for watch in watches for of in watch.figures.values() for one in of.values()]
    assert len(set(seeds)) == 2 * len(BEFORE.quantities)
    assert begin(BEFORE).figures["words"]["words"].change.seed == seeds[0]


def test_delays_are_stated_for_sizes_in_the_figures_units() -> None:
    found = stated_delays(BEFORE, begin(BEFORE))
    words_ = sorted((delay.change, delay.rows) for delay in found if delay.quantity == "words")
    deviation = np.std([len(words(row.answer)) for row in traffic(300, 1)], ddof=1)
    assert words_[-1][0] == pytest.approx(deviation, rel=0.05)
    assert words_[-1][1] < words_[-2][1]
    refusals = {round(d.change, 3): d.rows for d in found if d.quantity == "refusal"}
    assert set(refusals) <= {-0.1, 0.1, 0.2}
    assert refusals[0.2] < refusals[0.1]
