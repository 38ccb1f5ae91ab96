"""The verdict in plain sentences, for the page and for the terminal alike."""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.document.figures import MINUS, fixed, interval, known, percent, places, significant
from trimtab.document.record import Facts, Record, scores, suite_title
from trimtab.records import AWAITS_PEOPLE, Comparison, GuardResult

VERDICTS = {
    "ship": "Ship",
    "hold": "Hold",
    "inconclusive": "Inconclusive",
    "explored": "Explored, not decided",
}


def kind(record: Record) -> str:
    """The verdict's outcome, or "explored" for a run that took no look at confirm."""
    return "explored" if record.verdict.explored else record.verdict.outcome


def judged(record: Record) -> Comparison | None:
    """The target comparison to show: on confirm where a look was taken, else on select."""
    return record.verdict.target or (record.selected() if record.verdict.look == 0 else None)


def headline(record: Record) -> str:
    """What came out, in one sentence without the verdict's own word."""
    if record.judged_on == "select" and kind(record) != "explored":
        return _without_look(record)
    return {"ship": _ship, "hold": _hold, "inconclusive": _inconclusive, "explored": _explored}[kind(record)](
        record
    )


def opened(sentence: str) -> str:
    """A sentence with a capital, except where it begins with a name such as chrF."""
    first = sentence.split(" ", 1)[0]
    return sentence[:1].upper() + sentence[1:] if first.islower() else sentence


def meaning(record: Record) -> str:
    """What the verdict means for someone who has to act on it."""
    if kind(record) == "explored":
        return (
            "This run stopped at select, the items that candidates are chosen on. No look at confirm was "
            "taken, so nothing is proven yet, and the figures below flatter the candidate chosen for them."
        )
    if record.judged_on == "select":
        return (
            "On select, the items that candidates are chosen on, none did well enough to be put to the test, so "
            "confirm was not opened and stays untouched for a later run."
        )
    chance = ""
    if known(record.verdict.level):
        alpha = (1 - record.verdict.level) / 2
        chance = (
            f" A tuned model that does not gain enough gets this far at most {percent(alpha)} of the time."
        )
    return {
        "ship": "The gain was measured on items that neither training nor the choice of settings had seen."
        + chance,
        "hold": "The tuned model should not replace the base model: the evidence speaks against it.",
        "inconclusive": "The evidence speaks neither for nor against the tuned model. This is no failure of "
        "the model: there are too few items, or the items differ too much, to tell.",
    }[kind(record)]


def next_step(record: Record) -> str:
    """What to do now."""
    target = record.verdict.target
    outcome = kind(record)
    keep = "Keep the base model."
    if outcome == "ship":
        place = f"trials/{record.verdict.stack}"
        return f"Put the adjustment in {place} to use with the base model; keep this page as its record."
    if outcome == "explored":
        return (
            "When the figures are what you want, give the same command without --explore: that takes a look."
        )
    if record.judged_on == "select":
        advised = (
            _advised(record) or "Look at the worst outputs, mend the data or the candidates, then tune again"
        )
        return f"{keep} {advised}."
    if outcome == "inconclusive":
        if _waits_for_people(record):
            return f"Let people judge, which the recipe asks for: trimtab review {record.folder.path}"
        undefined = [g.comparison for g in record.verdict.guards] + ([target] if target is not None else [])
        if any(comparison.difference.undefined for comparison in undefined):
            return "Mend what left a difference undefined (the reason is given with it), then tune again."
        if needs(record):
            return f"Add {joined(needs(record))}{_share(record)}, then tune again. That is a new look."
        return (
            "More items alone are not expected to decide. Change the data or the candidates, then tune again."
        )
    if any(guard.comparison.outcome == "breached" for guard in record.verdict.guards):
        return f"{keep} Try a lower learning rate, fewer epochs or blocks, or mix general text into the data."
    if target is not None and target.outcome == "too small":
        return f"{keep} More items would not change this answer; better data or other candidates might."
    return f"{keep} Look at the worst outputs below, mend the data, then tune again."


def _advised(record: Record) -> str:
    """The next thing to try as the climb's own record has it; "" where it names none."""
    found = [reason for reason in record.verdict.reasons if reason.startswith("next: ")]
    return opened(found[-1].removeprefix("next: ")) if found else ""


def needs(record: Record) -> list[str]:
    """How many more items would decide, for each comparison that is open: "about 112 more items"."""
    found = []
    target = record.verdict.target
    if record.verdict.need_n is None or record.judged_on == "select":
        return []
    for name, comparison in (("", target), *((g.suite, g.comparison) for g in record.verdict.guards)):
        more = _more(comparison)
        if more is not None:
            found.append(f"about {more:,} more items" + (f" to {suite_title(name)}" if name else ""))
    if not found:
        more = max(1, record.verdict.need_n - record.verdict.difference.n)
        found.append(f"about {more:,} more items")
    return found


def guard_word(guard: GuardResult) -> str:
    """held, held by construction, breached, inconclusive or undefined."""
    if guard.by_construction:
        return "held by construction"
    return "undefined" if guard.comparison.difference.undefined else guard.comparison.outcome


def guard_sentence(guard: GuardResult, *, looked: bool = True) -> str:
    """Why a guard was judged as it was, in one sentence; looked: on confirm, where more items can decide."""
    comparison = guard.comparison
    estimate = comparison.difference
    if guard.by_construction:
        return "This kind of adjustment cannot touch it, so there is nothing to measure."
    if estimate.undefined:
        return f"The change is undefined ({estimate.undefined}), so nothing can be shown."
    count = places(estimate, -guard.margin)
    low, high = (fixed(bound, count, signed=True) for bound in (estimate.low, estimate.high))
    margin = significant(guard.margin)
    if comparison.outcome == "held":
        if estimate.low >= 0:
            return "No loss: even the pessimistic end of the interval is not below zero."
        return f"At worst a loss of {low.lstrip(MINUS)}; up to {margin} was allowed."
    if comparison.outcome == "breached":
        return f"At best a loss of {high.lstrip(MINUS)}; only {margin} was allowed."
    more = _more(comparison) if looked else None
    tail = f"; about {more:,} more items would decide" if more else ""
    return f"The interval ({low} to {high}) reaches beyond the allowed loss of {margin}{tail}."


def guards_phrase(guards: Sequence[GuardResult]) -> str:
    """How the guards fared, as a clause."""
    if not guards:
        return "no guard was set"
    kept = sum(g.by_construction or g.comparison.outcome == "held" for g in guards)
    if kept < len(guards):
        return f"{kept} of {len(guards)} guards held"
    return {1: "the guard held", 2: "both guards held"}.get(len(guards), f"all {len(guards)} guards held")


def dropped(entry: Facts) -> str:
    """ "dropped after 12 of 48 items" for a candidate that a race in select dropped, else ""."""
    drop = entry.get("dropped")
    return f"dropped after {drop['items']:,} of {drop['of']:,} items" if drop else ""


def raced(record: Record) -> str:
    """What the races in select dropped and saved, as a clause; "" where none was held."""
    races = [rung["race"] for rung in record.ladder.get("rungs") or () if rung.get("race")]
    held = [race for race in races if len(race["looks"]) > 1]
    if not held:
        return ""
    entries = [entry for rung, entry in record.candidates() if rung.get("race") in held]
    lost = sum(bool(dropped(entry)) for entry in entries)
    if not lost:
        return f"none of {len(entries)} candidates was dropped early, so no tokens were saved on select"
    saved = sum(race["tokens_saved"] for race in held)
    whole = saved + sum(race["tokens_spent"] for race in held)
    return (
        f"{lost} of {len(entries)} candidates {'was' if lost == 1 else 'were'} dropped early, which saved about "
        f"{saved:,} of {whole:,} tokens on select"
    )


def race_sentences(record: Record) -> str:
    """The same for the page, with what the figures rest on and what a race may lose."""
    clause = raced(record)
    if not clause:
        return ""
    alphas = [rung["race"]["alpha"] for rung in record.ladder["rungs"] if rung.get("race")]
    basis = ""
    if "saved about" in clause:
        basis = " (of answers; what the dropped ones would have needed is estimated from what they did need)"
    return (
        f"In the race on select {clause}{basis}. A race drops the candidate that is best on the goal at most "
        f"{percent(max(alphas))} of the time, as far as intervals from few items hold."
    )


def joined(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""


def moved(record: Record, comparison: Comparison) -> str:
    """ "chrF rose from 31.2 to 62.4", or the gain alone where the two scores are not recorded."""
    pair = scores(comparison, record.goal.get("direction"))
    if pair is None:
        return f"{record.metric} gained {interval(comparison.difference, comparison.threshold)}"
    count = places(comparison.difference)
    before, after = (fixed(value, count) for value in pair)
    if before == after:
        return f"{record.metric} stayed at {after}"
    return f"{record.metric} {'rose' if pair[1] > pair[0] else 'fell'} from {before} to {after}"


def _more(comparison: Comparison | None) -> int | None:
    if comparison is None or comparison.outcome != "inconclusive" or comparison.need_n is None:
        return None
    return max(1, comparison.need_n - comparison.difference.n)


def _share(record: Record) -> str:
    """How much of new data the target's confirm part receives, where that is what is short."""
    data = record.recipe.get("data")
    split = data.get("split") if isinstance(data, dict) else None
    share = split.get("confirm") if isinstance(split, dict) else None
    if _more(record.verdict.target) is None or not known(share):
        return ""
    return f" to confirm, which receives {percent(share)} of new examples"


def _bar(record: Record) -> str:
    if record.min_gain == 0:
        return "any gain at all"
    return f"the smallest gain worth having ({significant(record.min_gain)})"


def _ship(record: Record) -> str:
    target = record.verdict.target
    if target is None:
        return f"the target improved by more than {_bar(record)}, and {guards_phrase(record.verdict.guards)}"
    shown = "shown to be a gain" if record.min_gain == 0 else f"shown to be more than {_bar(record)}"
    return f"{moved(record, target)}, {shown}, and {guards_phrase(record.verdict.guards)}"


def _hold(record: Record) -> str:
    target = record.verdict.target
    breached = [suite_title(g.suite) for g in record.verdict.guards if g.comparison.outcome == "breached"]
    if breached:
        gain = f"{moved(record, target)}, but " if target is not None and target.outcome == "better" else ""
        return f"{gain}{joined(breached)} got worse by more than was allowed"
    if target is not None and target.outcome == "worse":
        return f"{moved(record, target)}: the tuned model is worse than the base model"
    if target is not None and target.outcome == "too small":
        gain = interval(target.difference, record.min_gain, 0.0)
        return f"{record.metric} gained {gain}, shown not to be above {_bar(record)}"
    return _first_reason(record) or "no candidate could be shown to be better than the base model"


def _inconclusive(record: Record) -> str:
    target = record.verdict.target
    difference = target.difference if target is not None else record.verdict.difference
    decide = f"; {joined(needs(record))} would decide" if needs(record) else ""
    if _waits_for_people(record) and target is not None:
        return f"{moved(record, target)}, and {guards_phrase(record.verdict.guards)}; {record.verdict.reasons[-1]}"
    if difference.undefined:
        return f"the change of {record.metric} is undefined ({difference.undefined})"
    if target is not None and target.outcome == "inconclusive":
        gain = interval(target.difference, record.min_gain, 0.0)
        return f"{record.metric} gained {gain}, which leaves open whether it is above {_bar(record)}{decide}"
    unsure = [
        suite_title(g.suite) for g in record.verdict.guards if guard_word(g) in ("inconclusive", "undefined")
    ]
    if unsure and target is not None:
        return f"{moved(record, target)}, but {joined(unsure)} could not be shown to be unharmed{decide}"
    return (_first_reason(record) or "there is not enough evidence") + decide


def _waits_for_people(record: Record) -> bool:
    return AWAITS_PEOPLE in record.verdict.reasons[-1:]


def _without_look(record: Record) -> str:
    target = judged(record)
    if target is None:
        return _first_reason(record) or "no candidate could be judged"
    if target.difference.undefined:
        return f"on select, the change of {record.metric} is undefined ({target.difference.undefined})"
    breached = [suite_title(g.suite) for g in record.verdict.guards if g.comparison.outcome == "breached"]
    if breached:
        return (
            f"on select, {moved(record, target)}, but {joined(breached)} got worse by more than was allowed"
        )
    return f"on select, {moved(record, target)}, which is not enough to take a look at confirm"


def _explored(record: Record) -> str:
    target = judged(record)
    if target is None:
        return "no look at confirm was taken, so there is no verdict"
    if target.difference.undefined:
        return (
            f"no look at confirm was taken; on select the change is undefined ({target.difference.undefined})"
        )
    return f"no look at confirm was taken; on select, {moved(record, target)}"


def _first_reason(record: Record) -> str:
    return record.verdict.reasons[0].rstrip(".") if record.verdict.reasons else ""
