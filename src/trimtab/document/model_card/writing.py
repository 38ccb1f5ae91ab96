"""The files of a card: card.md, card.html, and eval_results.yaml where a benchmark of the Hub was measured."""

from __future__ import annotations

from pathlib import Path

import yaml

from trimtab import __version__
from trimtab.document import pages, words
from trimtab.document.markdown import escaped, section
from trimtab.document.model_card import compute, disclosure, evidence, origins, oversight, way
from trimtab.document.model_card.facts import Facts
from trimtab.document.model_card.metadata import benchmarks, metadata
from trimtab.document.sections import Section
from trimtab.run import RunFolder

CARD, PAGE, RESULTS = "card.md", "card.html", "eval_results.yaml"
FILES = (CARD, PAGE, RESULTS)
LINKS = {
    "verdict": "Verdict",
    "use": "Use",
    "failures": "Failures",
    "dose": "Dose",
    "oversight": "People",
    "data": "Data",
    "guidelines": "Guidelines",
    "compute": "Compute",
    "disclosure": "Disclosure",
    "changes": "Changes",
    "lineage": "Lineage",
    "environment": "Environment",
}


def sections(facts: Facts) -> list[Section]:
    """Every part of the card, in its order.

    Raises:
        RunError: a file of the run is damaged.
    """
    return [
        evidence.verdict(facts),
        evidence.use(facts),
        evidence.failures(facts),
        evidence.dose(facts),
        oversight.section(facts),
        origins.data(facts),
        origins.rules(facts),
        compute.section(facts),
        disclosure.section(facts),
        origins.changes(facts),
        way.section(facts),
        origins.environment(facts),
    ]


def markdown(facts: Facts) -> str:
    """card.md: the metadata that the Hub reads, then the parts."""
    front = yaml.safe_dump(metadata(facts), sort_keys=False, allow_unicode=True, width=110)
    warned = evidence.warning(facts)
    head = [
        f"# {escaped(_title(facts))}",
        *([f"> [!WARNING]\n> {escaped(warned)}"] if warned else []),
        escaped(_about(facts)),
    ]
    parts = [head, *(section(one, escaped) for one in sections(facts)), _making(facts)]
    return f"---\n{front}---\n\n" + "\n\n".join("\n\n".join(part) for part in parts) + "\n"


def html(facts: Facts) -> str:
    """card.html: the same parts as a page that loads nothing from anywhere."""
    context = {
        "title": _title(facts),
        "about": _about(facts),
        "warned": evidence.warning(facts),
        "tone": "ship" if facts.released else "hold" if facts.tainted else words.kind(facts.record),
        "run": facts.record.folder.path.resolve().name,
        "sections": sections(facts),
        "links": LINKS,
        "missing": facts.missing(),
        "version": __version__,
    }
    return pages.page("card.html.j2", context)


def write(facts: Facts) -> list[Path]:
    """Write the card into its run folder; results for the Hub that no longer hold are removed.

    Raises:
        RunError: a file of the run is damaged, or the folder cannot be written.
        UserError: a benchmark was declared in another form, or was not measured.
    """
    folder = facts.record.folder
    entries = benchmarks(facts)
    written = {CARD: markdown(facts), PAGE: html(facts)}
    if entries:
        written[RESULTS] = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
    else:
        (folder.path / RESULTS).unlink(missing_ok=True)
    for name, text in written.items():
        folder.write_text(name, text.encode("utf-8", "replace").decode("utf-8"))
    return [folder.path / name for name in written]


def outdated(folder: RunFolder) -> None:
    """Remove a card whose run has another verdict now; the verb writes it again."""
    for name in FILES:
        (folder.path / name).unlink(missing_ok=True)


def _title(facts: Facts) -> str:
    return facts.name if facts.released else f"{facts.name} (not a release)"


def _about(facts: Facts) -> str:
    kinds = words.joined([kind for kind in facts.kinds if kind]) or "nothing"
    base = facts.base_model or str(facts.model.get("name") or "a base model")
    return (
        f"{base} with {kinds} on it, found and judged by Trimtab. All figures are read from the run's record."
    )


def _making(facts: Facts) -> list[str]:
    said = f"Made by Trimtab {__version__} from the record of a run; nothing was typed by hand but what --use says."
    lines = ["## How this card was made", escaped(said)]
    lacking = facts.missing()
    if lacking:
        lines.append(f"Not known: {escaped(', '.join(lacking))}.")
    command = facts.command.replace("```", "'''")
    return [*lines, f"```\n{command}\n```"] if command else lines
