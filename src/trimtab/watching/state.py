"""What is kept between two looks at the traffic of a stack: one file in the run's folder, without any text.

    runs/<time>-<hash>/watch/<stack>.json

It is written whole after rows were looked at, so that a look that is killed has either counted them or not.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.errors import RunError, UserError
from trimtab.run import RunFolder
from trimtab.watch import Watch, restored
from trimtab.watching.source import BEGINNING, Place

ALPHA = 0.05
RUN = "run"
_TRAFFIC = re.compile(r"traffic:([1-9]\d{1,4})")
FORM = "rate is the chance of a false alarm, above 0 and below 1; baseline is run, or traffic:N with N of 20 to 99999"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How traffic is watched. What is empty or 0 is as it was when the watch began.

    Attributes:
        stack: hash; empty: that of the verdict.
        rate: chance that traffic which stays as the baseline ever gives a false alarm.
        baseline: run: what the stack answered on select; traffic:N: the first N rows of the traffic.
        again: begin anew from here on: the alarms so far are dealt with.
        dealt: with it, reviews of live answers whose outcome is dealt with.

    Raises:
        UserError: a rate or a baseline that is none.
    """

    stack: str = ""
    rate: float = 0.0
    baseline: str = ""
    again: bool = False
    dealt: Sequence[int] = ()

    def __post_init__(self) -> None:
        known = self.baseline in ("", RUN) or bool(_rows(self.baseline))
        if not (0 <= self.rate < 1 and known):
            raise UserError(f"a watch of rate {self.rate:g} with the baseline {self.baseline!r}", FORM)


@dataclass(frozen=True, slots=True)
class State:
    """A watch as it is kept.

    Attributes:
        rate, baseline: as wanted when it began.
        place: how far the traffic was read.
        watch: what was seen; None while a baseline of traffic has too few rows.
        first: ids of the rows of such a baseline; since: the traffic that it is taken from begins after this time.
        told: alarms that were told.
        dealt: reviews of live answers whose outcome was dealt with.
    """

    stack: str
    rate: float = ALPHA
    baseline: str = RUN
    place: Place = BEGINNING
    watch: Watch | None = None
    first: Sequence[str] = ()
    since: float = 0.0
    told: Sequence[str] = ()
    dealt: Sequence[int] = ()

    @property
    def rows(self) -> int:
        """How many rows of traffic make the baseline; 0 where the run does."""
        return _rows(self.baseline)

    def anew(self, wanted: Wanted) -> State:
        """The same traffic from here on."""
        return State(
            self.stack,
            wanted.rate or self.rate,
            wanted.baseline or self.baseline,
            self.place,
            since=self.place.at,
            dealt=tuple(dict.fromkeys((*self.dealt, *wanted.dealt))),
        )


def opened(folder: RunFolder, stack: str, wanted: Wanted) -> State:
    """The state of a stack's watch, as it was left or at its beginning.

    Raises:
        RunError: its file is damaged.
        UserError: another rate or baseline than it began with is wanted.
    """
    name = _file(stack)
    if not folder.has(name):
        return State(stack, wanted.rate or ALPHA, wanted.baseline or RUN)
    found = _from(folder, name)
    for asked, was, what in (
        (wanted.rate, found.rate, "rate"),
        (wanted.baseline, found.baseline, "baseline"),
    ):
        if asked and asked != was and not wanted.again:
            raise UserError(
                f"this watch began with {what}={was}, and {what}={asked} is asked for",
                "leave it out, or begin anew from here on: --use again=yes",
            )
    return found


def save(folder: RunFolder, state: State) -> None:
    """Write a state.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    folder.write(
        _file(state.stack), {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    )


def _rows(baseline: str) -> int:
    found = _TRAFFIC.fullmatch(baseline)
    return int(found[1]) if found and int(found[1]) >= 20 else 0


def _file(stack: str) -> str:
    return f"watch/{stack}.json"


def _from(folder: RunFolder, name: str) -> State:
    content: dict[str, Any] = folder.read(name)
    try:
        content = {field.name: content[field.name] for field in dataclasses.fields(State)}
        place = Place(content["place"]["at"], tuple(content["place"]["recent"]))
        watch = restored(content["watch"]) if content["watch"] else None
        lists = {key: tuple(content[key]) for key in ("first", "told", "dealt")}
        return State(**content | lists | {"place": place, "watch": watch})
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{folder.path / name}: damaged: {error}", "remove it; the watch then begins anew"
        ) from None
