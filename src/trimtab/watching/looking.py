"""A look at a served stack as a whole: its traffic, what people say of it, and the alarms, told once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.records import Report
from trimtab.review.sampling import Review
from trimtab.review.store import Store
from trimtab.watching import people
from trimtab.watching.following import Followed, Follower, key
from trimtab.watching.people import Cadence, Judged
from trimtab.watching.state import Wanted
from trimtab.watching.telling import Webhook

Alarm = Mapping[str, Any]
Say = Callable[[Alarm], None]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found.

    Attributes:
        judged: reviews of live answers; begun: one of them that this look began.
        alarms: all that stand, as they are told: without a text of the traffic.
        told: those of them that were told now.
        problem: why the webhook did not take them; they are told again at the next look.
    """

    traffic: Followed
    judged: tuple[Judged, ...]
    begun: Review | None
    alarms: tuple[Alarm, ...]
    told: tuple[Alarm, ...]
    problem: str = ""

    @property
    def outcome(self) -> Literal["alarm", "waiting", "quiet"]:
        """Whether an alarm stands; waiting: nothing was looked at yet, or a baseline of traffic needs more rows."""
        if self.alarms:
            return "alarm"
        return "quiet" if self.traffic.seen is not None and self.traffic.seen.rows else "waiting"


@dataclass(frozen=True)
class Telling:
    """Whom alarms are told: `say` is called with each, then the webhook gets it."""

    say: Say
    webhook: Webhook | None = None


def look(
    follower: Follower,
    store: Store,
    wanted: Wanted,
    telling: Telling,
    *,
    cadence: Cadence | None = None,
    now: float | None = None,
    report: Report | None = None,
) -> Looked:
    """Look at what came since the last look, have people shown a sample where one is due, and tell new alarms.

    An alarm is told once it is kept, and noted as told once it was: a look that is killed in between tells it again.

    Raises:
        As for `Follower.follow` and `people.sample`.
    """
    folder, stack = follower.folder, follower.stack
    if wanted.again:
        dealt = [one.review.id for one in people.judged(store, folder, stack) if one.worse]
        wanted = dataclasses.replace(wanted, dealt=tuple(dealt))
    traffic = follower.follow(wanted, now, report)
    begun = None
    if cadence is not None:
        rate = traffic.state.rate
        begun = people.sample(
            store, folder, follower.source, stack, cadence, rate=rate, now=now, report=report
        )
    judged = people.judged(store, folder, stack)
    alarms = {
        **{key(one): _drift(follower, one) for one in (traffic.seen.alarms if traffic.seen else ())},
        **{
            f"review {one.review.id}": _people(follower, one)
            for one in judged
            if one.worse and one.review.id not in traffic.state.dealt
        },
    }
    new = {name: alarm for name, alarm in alarms.items() if name not in traffic.state.told}
    told, problem = _tell(follower, new, telling)
    return Looked(traffic, tuple(judged), begun, tuple(alarms.values()), told, problem)


def _tell(follower: Follower, new: Mapping[str, Alarm], telling: Telling) -> tuple[tuple[Alarm, ...], str]:
    """Tell alarms, each noted when it was told; those that were, and why the next one was not."""
    told: list[Alarm] = []
    for name, alarm in new.items():
        telling.say(alarm)
        problem = telling.webhook.send(alarm) if telling.webhook else ""
        if problem:
            return tuple(told), problem
        follower.told([name])
        told.append(alarm)
    return tuple(told), ""


def _drift(follower: Follower, alarm: Any) -> Alarm:
    return {"alarm": "drift", **_where(follower), **dataclasses.asdict(alarm)}


def _people(follower: Follower, one: Judged) -> Alarm:
    rated: Mapping[str, Any] = one.content["analysis"]["win_rate"]
    return {
        "alarm": "people",
        **_where(follower),
        "review": one.review.id,
        "win_rate_minus_half": rated["difference"],
        "judgements": one.content["judgements"],
    }


def _where(follower: Follower) -> dict[str, str]:
    return {"run": follower.folder.path.resolve().name, "stack": follower.stack}
