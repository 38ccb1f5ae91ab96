"""What people judged, as kept in review.json of a run folder: a section of the report, and of the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trimtab.document.figures import duration, fixed, known, percent
from trimtab.document.sections import Section, Table
from trimtab.errors import RunError
from trimtab.records import Comparison, Estimate
from trimtab.run import RunFolder, comparison_from, estimate_from

FILE = "review.json"
LINKS = {"review-verdict": "People", "review-learning": "People, to learn", "review-live": "People, live"}
TITLES = {
    "verdict": "What people say, blindly, on confirm",
    "learning": "What people say on select, to learn from",
    "live": "What people say, blindly, of live answers",
}
SIDES = {"left": "left", "right": "right", "tie": "equally good", "bad": "both bad"}
# How far agreement carries: Krippendorff 2004, p. 241.
FIRM, TENTATIVE = 0.8, 0.667


def read(folder: RunFolder) -> list[Section]:
    """The sections of a run's reviews; none without one.

    Raises:
        RunError: the file is damaged.
    """
    content = folder.read(FILE) if folder.has(FILE) else {}
    return [section(content[purpose]) for purpose in TITLES if purpose in content]


def section(content: Mapping[str, Any]) -> Section:
    """A review in its JSON form, as people read it.

    Raises:
        RunError: it is damaged.
    """
    try:
        analysis = content["analysis"]
        tables = (_counts(content), _raters(analysis), _ratings(content), _scores(analysis))
        return Section(
            f"review-{content['purpose']}",
            TITLES[content["purpose"]],
            (*_said(content), *map(_machine, content["machines"])),
            tuple(table for table in tables if table.rows),
            content,
        )
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{FILE}: damaged: {error}", "conclude the review again: trimtab review RUN --close"
        ) from None


def time_of(seconds: float | None) -> str:
    """How long a judgement takes; a dash where none was timed."""
    return duration(seconds) if known(seconds) else "-"


def _said(content: Mapping[str, Any]) -> Iterator[str]:
    analysis = content["analysis"]
    rated = comparison_from(analysis["win_rate"])
    version = f", under version {content['guidelines']} of the guidelines" if content["guidelines"] else ""
    yield (
        f"{_count(analysis['raters'], 'person', 'people')} judged pairs of answers of the base model and the adjusted "
        f"one without knowing which was which, asked: {content['question']} {content['judgements']:,} judgements of "
        f"{content['items']:,} items{version}."
    )
    yield _preferred(rated)
    if analysis["more"]:
        yield f"About {analysis['more']:,} more judgements are expected to decide it."
    yield from rated.notes
    yield _agreement(estimate_from(analysis["agreement"]))
    yield _position(estimate_from(analysis["position"]))
    for one in analysis["decisions"]:
        weight = "is left out" if one["weight"] == 0 else f"counts {percent(one['weight'])}"
        yield f"Rater {one['rater']} {weight} by the rule set beforehand ({one['rule']}): {one['figure']}."
    if analysis["decisions"]:
        yield f"With all raters the result would be: {rate(comparison_from(analysis['unruled']))}."
    chosen = comparison_from(analysis["chosen"])
    if not chosen.difference.undefined:
        yield (
            f"On items chosen because the model seemed unsure, which never enter the estimate: {rate(chosen)}."
        )


def _preferred(rated: Comparison) -> str:
    if rated.difference.undefined:
        return f"How often the adjusted model is preferred is undefined: {rated.difference.undefined}."
    held = {
        "better": "more than was asked",
        "worse": "less than half",
        "too small": "not more than was asked",
        "held": "not less than was allowed",
        "breached": "less than was allowed",
    }.get(rated.outcome, "which leaves open whether it is enough")
    return (
        f"The adjusted model's answer was preferred in {rate(rated)}, ties counted half, against {_against(rated)}: "
        f"{held}. {percent(rated.difference.level)} interval ({rated.difference.method}), {rated.difference.n:,} items."
    )


def _against(rated: Comparison) -> str:
    return percent(0.5 + rated.threshold, 1)


def rate(rated: Comparison) -> str:
    """A win rate as "62% (55% to 69%)"."""
    if rated.difference.undefined:
        return f"undefined ({rated.difference.undefined})"
    value, low, high = (
        percent(0.5 + x, 1) for x in (rated.difference.value, rated.difference.low, rated.difference.high)
    )
    return f"{value} ({low} to {high})"


def _agreement(alpha: Estimate) -> str:
    if alpha.undefined:
        return f"How far people agree is undefined: {alpha.undefined}."
    word = "can be relied on" if alpha.value >= FIRM else "allows tentative conclusions"
    if alpha.value < TENTATIVE:
        word = "is low: people see different things, or the guidelines are unclear"
    return (
        f"Agreement between people, Krippendorff's alpha: {fixed(alpha.value, 2)} ({fixed(alpha.low, 2)} to "
        f"{fixed(alpha.high, 2)}, {alpha.n:,} items judged at least twice); it {word}."
    )


def _machine(judge: Mapping[str, Any]) -> str:
    """A machine judge beside people; its score is never said without its agreement with them."""
    agreement = estimate_from(judge["agreement"])
    if agreement.undefined:
        return f"Judge {judge['judge']}: {agreement.undefined}, so that its score is not shown."
    shares = {
        name: _share(estimate_from(judge[name])) for name in ("people", "consistent", "alone", "corrected")
    }
    return (
        f"Judge {judge['judge']} names what most people name on {_share(agreement)} of {agreement.n:,} items that both "
        f"judged; one person names what the others do on {shares['people']}. In both orders it says the same on "
        f"{shares['consistent']}. By its votes on all items, corrected by people's, the adjusted model is preferred "
        f"in {shares['corrected']}; by the judge alone, which is no measurement, in {shares['alone']}."
    )


def _position(left: Estimate) -> str:
    if left.undefined:
        return f"Whether a side was favoured is undefined: {left.undefined}."
    return (
        f"The left answer was chosen in {_share(left)} of {left.n:,} items with a choice; one half is expected, as "
        "sides were drawn at random."
    )


def _share(estimate: Estimate) -> str:
    if estimate.undefined:
        return "-"
    return f"{percent(estimate.value, 0)} ({percent(estimate.low, 0)} to {percent(estimate.high, 0)})"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _counts(content: Mapping[str, Any]) -> Table:
    counts = content["analysis"]["counts"]
    rows = tuple((SIDES[side], f"{counts.get(side, 0):,}") for side in SIDES)
    return Table("Judgements for the estimate", ("side chosen", "judgements"), rows)


def _raters(analysis: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            f"rater {one['rater']}",
            f"{one['n']:,}",
            _share(estimate_from(one["consensus"])),
            _share(estimate_from(one["consistency"])),
            _share(estimate_from(one["left"])),
            _share(estimate_from(one["attention"])),
            time_of(one["seconds"]),
        )
        for one in analysis["quality"]
    )
    head = ("rater", "n", "as the others", "as before", "left", "checks right", "a pair")
    return Table("Raters, with 95% intervals; times are medians", head, rows)


def _ratings(content: Mapping[str, Any]) -> Table:
    base, *others = content["stacks"]
    rows = tuple(
        (rule, _share(estimate_from(stacks[base])) if base in stacks else "-",
         _share(estimate_from(stacks[others[0]])) if others[0] in stacks else "-")
        for rule, stacks in content["ratings"].items()
    )  # fmt: skip
    return Table("Answers that keep a rule, as people rated them", ("rule", "base", "adjusted"), rows)


def _scores(analysis: Mapping[str, Any]) -> Table:
    rows = []
    for stack, content in analysis["scores"].items():
        score = estimate_from(content)
        shown = (
            f"undefined ({score.undefined})"
            if score.undefined
            else (
                f"{fixed(score.value, 2, signed=True)} ({fixed(score.low, 2, signed=True)} to "
                f"{fixed(score.high, 2, signed=True)})"
            )
        )
        rows.append((stack, shown))
    return Table(
        "Log-odds of being preferred to the base model (Bradley-Terry)", ("stack", "log-odds"), tuple(rows)
    )
