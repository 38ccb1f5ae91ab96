"""One look at the traffic of a run's stack: what came since the last one is counted, and what it says is told."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab import watch
from trimtab.errors import RunError, StatisticsError
from trimtab.model.sentences import Encoder
from trimtab.pipeline import stack_of
from trimtab.records import Progress, Report
from trimtab.run import RunFolder, file_hash
from trimtab.watch import Alarm, Baseline, Delay, Traffic, Watched
from trimtab.watching import state as states
from trimtab.watching.source import LATE, Row, Source
from trimtab.watching.state import State, Wanted

# Rows that are looked at before what was seen is kept: that much is done again after a kill.
STEP = 500
_NAME = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Followed:
    """What a look found.

    Attributes:
        new: rows that were not looked at before.
        baseline: None, as is `seen`, while a baseline of traffic has too few rows: `waiting` more are needed.
    """

    folder: RunFolder
    state: State
    new: int
    baseline: Baseline | None
    seen: Watched | None
    waiting: int = 0

    @property
    def delays(self) -> tuple[Delay, ...]:
        """Within how many rows changes would be noticed, were they to come now."""
        if self.baseline is None or self.state.watch is None:
            return ()
        return watch.stated_delays(self.baseline, self.state.watch)


class Follower:
    """Looks at the traffic of one stack of a run, as often as wanted; what was seen is kept in the run's folder.

    Raises:
        RunError: there is no such run or stack, or it has no verdict.
    """

    def __init__(
        self, run: Path | str, source: Source, encoder: Encoder | None = None, stack: str = ""
    ) -> None:
        self.folder, self.source, self.encoder = RunFolder.open(run), source, encoder
        if stack and not _NAME.fullmatch(stack):
            raise RunError(
                f"no stack can be called {stack!r}", "name the hash of a stack, as answers carry it"
            )
        # One that the run has no trial of may be watched too: a profile's, against a baseline of its own traffic.
        self.stack = stack or stack_of(self.folder)
        self._known: tuple[object, Baseline] | None = None

    def follow(self, wanted: Wanted, now: float | None = None, report: Report | None = None) -> Followed:
        """Count the rows that came since the last look.

        Args:
            now: seconds since 1970; the clock's where none is given.

        Raises:
            RunError: another process works on the run; the watch is of another baseline: the run, its rows or the
                encoder have changed since; or a row of a baseline of traffic is gone.
            DataError, StoreError: the traffic cannot be read.
            StatisticsError: nothing can be watched with this baseline.
        """
        now = time.time() if now is None else now
        with self.folder.locked():
            state = states.opened(self.folder, self.stack, wanted)
            if wanted.again:
                state = state.anew(wanted)
                states.save(self.folder, state)
            rows = self.source.rows(self.stack, state.place.since)
            new = state.place.new(rows, now)
            state, rest = self._first(state, rows, new)
            baseline = self._baseline(state)
            if baseline is None:
                states.save(self.folder, state)
                own = sum(row.traffic.stack == self.stack for row in new)
                return Followed(self.folder, state, own, None, None, state.rows - own)
            state = self._followed(state, baseline, rows, rest, report)
        return self._looked(state, baseline, len(rest))

    def told(self, keys: Sequence[str]) -> None:
        """Keep that alarms were told, so that no later look tells them again."""
        with self.folder.locked():
            state = states.opened(self.folder, self.stack, Wanted())
            known = dict.fromkeys((*state.told, *keys))
            states.save(self.folder, dataclasses.replace(state, told=tuple(known)))

    def _first(self, state: State, rows: Sequence[Row], new: Sequence[Row]) -> tuple[State, Sequence[Row]]:
        """The rows that a baseline of traffic is made of, once there are enough; and those that come after them."""
        if not state.rows or state.first:
            return state, new
        own = [place for place, row in enumerate(new) if row.traffic.stack == self.stack]
        if len(own) < state.rows:
            return state, ()
        end = own[state.rows - 1] + 1
        first = tuple(new[place].id for place in own[: state.rows])
        return dataclasses.replace(state, first=first, place=state.place.after(rows, new[:end])), new[end:]

    def _baseline(self, state: State) -> Baseline | None:
        """What traffic is held against; read once, and again where the run's answers have changed."""
        if state.rows and not state.first:
            return None
        files = (f"trials/{self.stack}/outputs.jsonl", "examples.jsonl")
        held = [file_hash(self.folder.path / name) for name in files if self.folder.has(name)]
        key = (state.rate, state.first or held)
        if self._known is None or self._known[0] != key:
            self._known = key, self._made(state)
        return self._known[1]

    def _made(self, state: State) -> Baseline:
        if state.first:
            return watch.baseline(self._rows_of(state), alpha=state.rate, encoder=self.encoder)
        try:
            return watch.of_run(self.folder, self.stack, alpha=state.rate, encoder=self.encoder)
        except StatisticsError as error:
            hint = f"hold traffic against its own first rows: --use baseline=traffic:500; {error.hint}"
            raise StatisticsError(f"{self.folder.path}: {error.message}", hint) from None

    def _rows_of(self, state: State) -> list[Traffic]:
        found = {row.id: row.traffic for row in self.source.rows(self.stack, state.since - LATE)}
        gone = [name for name in state.first if name not in found]
        if gone:
            raise RunError(
                f"{self.source.name}: {len(gone)} of {len(state.first)} rows of the baseline are gone",
                self._anew,
            )
        return [found[name] for name in state.first]

    @property
    def _anew(self) -> str:
        return f"begin anew from here on: trimtab watch {self.folder.path} --use again=yes"

    def _followed(
        self,
        state: State,
        baseline: Baseline,
        rows: Sequence[Row],
        new: Sequence[Row],
        report: Report | None,
    ) -> State:
        """The state with these rows counted, kept after each step."""
        seen = state.watch or watch.begin(baseline)
        if seen.baseline != baseline.fingerprint:
            raise RunError(
                f"{self.folder.path}: what traffic is compared with has changed since this watch began: rows were "
                "erased, or the sentence encoder or this version of Trimtab is another",
                self._anew,
            )
        state = dataclasses.replace(state, watch=seen)
        for start in range(0, max(len(new), 1), STEP):
            part = new[start : start + STEP]
            seen = watch.look(baseline, seen, [row.traffic for row in part])
            state = dataclasses.replace(state, watch=seen, place=state.place.after(rows, part))
            states.save(self.folder, state)
            if report is not None and len(new) > STEP:
                report(Progress("looking", min(start + STEP, len(new)), len(new), {}))
        return state

    def _looked(self, state: State, baseline: Baseline, new: int) -> Followed:
        seen = watch.watched(baseline, state.watch or watch.begin(baseline))
        return Followed(self.folder, state, new, baseline, seen)


def key(alarm: Alarm) -> str:
    """What an alarm is known by within its watch."""
    return f"{alarm.quantity}, {alarm.figure}"
