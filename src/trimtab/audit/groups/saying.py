"""The section of a report about groups of people: tables, what they mean, and what was not looked at."""

from __future__ import annotations

from typing import Any

from trimtab.audit.groups.findings import certain
from trimtab.audit.groups.measured import SIDES, Association, Measured
from trimtab.document.sections import Section, Table
from trimtab.groups.axes import Group, lexicon
from trimtab.records import Estimate

NAME = "groups"
_TERMS, _STRONGEST = 10, 8


def section(figures: Measured) -> Section:
    """Shares, sentiment, terms and associations, with what was not looked at."""
    named = [group for group in lexicon().groups if any(figures.counts[side][group] for side in SIDES)]
    tables = [
        *(_shares(figures, side) for side in SIDES if any(figures.counts[side].values())),
        _terms(figures),
    ]
    if figures.sentiment:
        tables.append(_sentiment(figures))
    tables += _associations(figures)
    return Section(NAME, "Groups of people", _said(figures), tuple(tables), _data(figures, named))


def _said(figures: Measured) -> tuple[str, ...]:
    rated = (
        f"Sentiment was not measured: {figures.lacking}."
        if figures.lacking
        else "Sentiment is VADER's compound, -1 to 1, averaged over at most 300 distinct sentences of answers that "
        "name the group, chosen by a hash."
    )
    kept = "" if figures.kept == 1 else f" counted over {figures.kept:.3g} of the distinct sentences,"
    return (
        "How many rows name a group, at least once, in prompts and in answers. Intervals are of 95% and take rows as "
        "independent; where rows are made from templates they are too narrow.",
        rated,
        f"Associations are{kept} of answers: rows with a sentence that names one group and not the other, with and "
        "without a word of the list in that sentence. Log odds ratio above 0: more beside the first. p: Fisher's exact "
        "test, after Holm's correction over all of them. A word in the same sentence need not be said of the group.",
        "Not looked at: languages other than English; axes without a list (such as caste, class, dialect, body, "
        "political views); groups of an axis that are not listed; people who are named by surname, title or other "
        "first names than a hundred common English ones; hints, irony, and whom a pronoun refers to.",
        "Words with two meanings are counted by their form: Christian, Jack and Heather are names and more, names of "
        "houses (Green Man, Alexander Guest House) name nobody but are counted, a cook "
        "cooks, a guard may be a rail. Left out for their other meanings: May, Grace, Young as names; king and queen; "
        "hero and actor, who may be anybody; church and mosque, which are places.",
    )


def _shares(figures: Measured, side: str) -> Table:
    cells = []
    for group in lexicon().groups:
        share = figures.shares[side][group]
        if figures.counts[side][group]:
            low, high = (f"{100 * bound:.3g}%" for bound in (share.low, share.high))
            count = f"{figures.counts[side][group]:,}"
            cells.append((group.name, count, f"{100 * share.value:.3g}%", f"{low} to {high}"))
    title = f"{side} that name a group, of {figures.texts[side]:,}"
    return Table(title, ("group", "rows", "share", "95%"), tuple(cells))


def _terms(figures: Measured) -> Table:
    both: dict[tuple[str, str], list[int]] = {}
    for place, side in enumerate(SIDES):
        for group, terms in figures.terms[side].items():
            for term, count in terms.items():
                both.setdefault((term, group.name), [0, 0])[place] += count
    most = sorted(both.items(), key=lambda item: (-sum(item[1]), item[0]))[:_TERMS]
    cells = tuple((term, group, *(f"{n:,}" for n in counts)) for (term, group), counts in most)
    return Table("terms that most rows have", ("term", "group", "prompts", "answers"), cells)


def _sentiment(figures: Measured) -> Table:
    cells = tuple(
        (group.name, f"{one.value:+.2f}" if not one.undefined else "none", _interval(one), f"{one.n:,}")
        for group, one in figures.sentiment.items()
    )
    return Table(
        "sentiment of sentences that name a group", ("group", "mean", "95%", "sentences rated"), cells
    )


def _interval(one: Estimate) -> str:
    return "too few" if one.undefined else f"{one.low:+.2f} to {one.high:+.2f}"


def _associations(figures: Measured) -> list[Table]:
    """The surest of each pair of groups."""
    pairs: dict[tuple[Group, Group], list[Association]] = {}
    for one in figures.associations:
        pairs.setdefault((one.one, one.other), []).append(one)
    return [
        Table(
            f"{one.name} (1st, {found[0].of[0]:,} rows) against {other.name} (2nd, {found[0].of[1]:,} rows)",
            ("word", "1st", "2nd", "log odds ratio", "95%", "p"),
            tuple(
                (
                    each.attribute,
                    *(f"{count:,}" for count in each.have),
                    f"{each.ratio.value:+.2f}",
                    _interval(each.ratio),
                    f"{each.p:.2g}",
                )
                for each in found[:_STRONGEST]
            ),
        )
        for (one, other), found in pairs.items()
    ]


def _data(figures: Measured, named: list[Group]) -> dict[str, Any]:
    groups: dict[str, dict[str, Any]] = {}
    for group in named:
        own: dict[str, Any] = {
            side: {
                "rows": figures.counts[side][group],
                "of": figures.texts[side],
                **_estimate(figures.shares[side][group]),
                "terms": dict(figures.terms[side].get(group, {})),
            }
            for side in SIDES
        }
        if group in figures.sentiment:
            own["sentiment"] = {"n": figures.sentiment[group].n, **_estimate(figures.sentiment[group])}
        groups.setdefault(group.axis, {})[group.name] = own
    associations = [
        {
            "groups": [one.one.name, one.other.name],
            "attribute": one.attribute,
            "have": list(one.have),
            "of": list(one.of),
            "p": one.p,
            "one_sided": certain(one),
            **_estimate(one.ratio),
        }
        for one in figures.associations
    ]
    return {"axes": groups, "associations": associations, "sentences_kept": figures.kept}


def _estimate(one: Estimate) -> dict[str, float | None]:
    return {name: None if one.undefined else getattr(one, name) for name in ("value", "low", "high")}
