"""Profiles as models: each a stack with words of its own before the conversation, all in the one batch of the engine.

A profile is read again when its file has changed, and is gone with its file, without a new start of the server.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from trimtab.adjust.prompt import Prompt, Wording
from trimtab.adjust.stack import Stack
from trimtab.errors import ProfileError, TrimtabError
from trimtab.live import choosing, feedback, profiles
from trimtab.live.answers import Kept
from trimtab.live.choosing import Choice
from trimtab.live.feedback import Given
from trimtab.live.profiles import BASE, OWN, Profile
from trimtab.review.store import Store
from trimtab.serve.models import stacks
from trimtab.serve.models.engine import Engine
from trimtab.serve.models.stacks import Served

# Seconds for which what was read of feedback is good enough.
FRESH = 2.0
# Name and time of change of a file, and its size: what tells that it is another.
Stamp = tuple[int, int, int]


@dataclass
class Known:
    """A profile as it was read: its stacks by what their answers are kept under, the default first."""

    stamp: Stamp
    arms: dict[str, Served]
    said: list[tuple[Kept, Given]] = field(default_factory=list)
    choice: Choice | None = None
    read: float = 0.0
    drawn: int = 0


@dataclass
class Profiles:
    """The profiles of a folder, as models.

    Attributes:
        runs: stacks that are served, by name.
        plain: the base model, answering as a run measured it.
        store: where feedback is kept; without it nobody chooses, and the default answers.
        unproven: whether a default, of a run or of its own, may have another verdict than ship; an arm never may.
    """

    folder: Path
    engine: Engine
    runs: Mapping[str, Served]
    plain: Served
    store: Store | None = None
    unproven: bool = False
    _known: dict[str, Known] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def names(self) -> list[str]:
        """Every profile that may be asked for."""
        return profiles.names(self.folder)

    def has(self, name: str) -> bool:
        """Whether there is a profile of this name."""
        return bool(profiles.NAME.fullmatch(name)) and profiles.place(self.folder, name).is_file()

    def default(self, name: str) -> Served | None:
        """The stack that a profile is answered by before anything is learned; None where there is no such profile.

        Raises:
            ProfileError: its file cannot be used, or names a stack that is not served, or none that may be chosen.
        """
        with self._turn:
            known = self._current(name)
        return next(iter(known.arms.values())) if known else None

    def find(self, name: str) -> Served | None:
        """The stack that a profile's next answer comes from; None where there is no such profile.

        Raises:
            ProfileError: as for `default`.
            StoreError: feedback cannot be read.
        """
        with self._turn:
            known = self._current(name)
            if known is None:
                return None
            default = next(iter(known.arms.values()))
            if len(known.arms) == 1 or self.store is None:
                return default
            choice = self._choice(name, known, self.store)
            known.drawn += 1
            seed = [*name.encode(), len(choice.heard), known.drawn]
            chosen = choice.draw(seed)
        return dataclasses.replace(known.arms[chosen], arm=chosen)

    def _choice(self, name: str, known: Known, store: Store) -> Choice:
        now = time.monotonic()
        if known.choice is None or now - known.read > FRESH:
            said = feedback.of(store, model=name)
            if known.choice is None or said != known.said:
                known.choice, known.said = choosing.learned(list(known.arms), said), said
            known.read = now
        return known.choice

    def _current(self, name: str) -> Known | None:
        """A profile as its file is now."""
        if not profiles.NAME.fullmatch(name):
            return None
        try:
            about = profiles.place(self.folder, name).stat()
        except FileNotFoundError:
            self._drop(name)
            return None
        stamp = about.st_ino, about.st_mtime_ns, about.st_size
        known = self._known.get(name)
        if known is None or known.stamp != stamp:
            self._drop(name)
            profile = profiles.read(self.folder, name)
            known = self._known[name] = Known(stamp, self._arms(name, profile))
        return known

    def _arms(self, name: str, profile: Profile) -> dict[str, Served]:
        found: dict[str, Served] = {}
        for stack in (profile.stack, *profile.arms):
            origin = self._origin(name, profile, stack)
            if found and origin.outcome != "ship":
                raise ProfileError(
                    f"profile {name}: the verdict of {stack} is {origin.outcome or 'none'}, and only a stack whose "
                    "verdict is ship may be chosen by feedback",
                    "take it out of arms; what answers without a verdict must be the default, `stack`",
                )
            own, bare = personal(origin, name, profile)
            stacks.admit(self.engine, own)
            found[choosing.label(stack, bare)] = own
        return found

    def _origin(self, name: str, profile: Profile, stack: str) -> Served:
        if stack == BASE:
            return self.plain
        if stack == OWN:
            path = profiles.home(self.folder, name) / "runs" / profile.own
            # By the engine, for the reason that `Engine.know` has.
            found: Served = self.engine.do(
                partial(stacks.of_run, path, self.engine.base, unproven=self.unproven)
            )
            return found
        if stack not in self.runs:
            there = ", ".join((BASE, OWN, *sorted(self.runs)))
            raise ProfileError(
                f"profile {name}: no stack {stack!r}; there are: {there}", "serve that run too"
            )
        return self.runs[stack]

    def _drop(self, name: str) -> None:
        """Let go of a profile, and of what only it has changed of the network."""
        known = self._known.pop(name, None)
        if known is None:
            return
        left = [self.runs, *(one.arms for one in self._known.values())]
        asked = {one.whose for arms in left for one in arms.values()}
        for whose in {one.whose for one in known.arms.values()} - asked - {""}:
            self.engine.forget(whose)


def personal(origin: Served, name: str, profile: Profile) -> tuple[Served, str]:
    """A stack as a profile has it, and its hash without the profile's words."""
    strengths = {kind: factor for kind, factor in profile.strengths.items() if factor != 1}
    scaled = [
        one.scaled(strengths[one.kind]) if one.kind in strengths else one for one in origin.stack.adjustments
    ]
    bare = Stack(tuple(one for one in scaled if one.strength))
    words = (Prompt(Wording(instruction=profile.words)),) if profile.words else ()
    changed = tuple(part for part in ("facts", "style") if getattr(profile, part))
    if bare.hash != origin.stack.hash:
        changed += ("strengths",)
    own = dataclasses.replace(origin, name=name, stack=Stack((*bare.adjustments, *words)), changed=changed)
    return own, bare.hash


def checked(found: Profiles) -> Profiles:
    """Profiles, each read once so that what is wrong with any is said at once.

    Raises:
        ProfileError: there are none, one cannot be used, or one has the name of a stack that is served.
    """
    known, problems = found.names(), []
    if not known:
        raise ProfileError(
            f"{found.folder}: no profiles there", "write one: trimtab profile NAME --use stack=base"
        )
    for name in known:
        try:
            if name in found.runs:
                problems.append(f"profile {name}: a stack that is served has this name")
            else:
                found.default(name)
        except TrimtabError as error:
            problems.append(error.message)
    if problems:
        raise ProfileError("\n".join(problems), "mend or remove what is named above, then serve again")
    return found
