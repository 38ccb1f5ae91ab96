"""Every place that may hold a person's rows or what was made of them: the one registry of an erasure.

Whoever keeps texts, tokens or answers in a new place adds a line here, and a function that finds what is to change.
The order is that of the work. Adjustments are marked first, so that nothing tainted is used meanwhile; the files that
name the subject come last, so that a request that is cut off still finds the rest when it is given again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trimtab.erasure import caches, data_files, judged, made, personal, runs
from trimtab.erasure.search import Change, Search


@dataclass(frozen=True, slots=True)
class Place:
    """One place.

    Attributes:
        about: what lies there, for the proof.
        plan: finds what is to change in it, and changes nothing.
    """

    name: str
    about: str
    plan: Callable[[Search], Iterator[Change]]


PLACES: tuple[Place, ...] = (
    Place(
        "runs",
        "run folders: adjustments, answers, scores, certificates, examples, pages, lineage, what reviews left there "
        "and rounds took over",
        runs.plan,
    ),
    Place("adapters", "copies and exports of stacks in other folders of the project", runs.elsewhere),
    Place(
        "judgements",
        "stores of judgements: what people were shown, what users of served models were answered, and what both wrote",
        judged.plan,
    ),
    Place(
        "tokens", "rendered rows in the user's cache: all of them, since tokens cannot be read", caches.tokens
    ),
    Place("answers", "replies of services in the user's cache", caches.answers),
    Place("augment", "texts of rows rewritten by a base model, in the user's cache", caches.rewritten),
    Place("cache", "everything else in the user's cache but published models", caches.others),
    Place("unfinished", "files left by processes that were killed while they wrote", caches.unfinished),
    Place("profiles", "profiles of served models that bear the person's name", personal.plan),
    Place("made", "pages and records of audits in the project", made.plan),
    Place("data", "data files of the project and of its recipes", data_files.plan),
)
