"""Where a probe is shown: in the report of a run with a verdict, else on a page of its own; its pictures as files."""

from __future__ import annotations

from pathlib import Path

from trimtab import __version__
from trimtab.document import images, offence, pages, probed
from trimtab.document.report import write_report
from trimtab.run import RunFolder

PAGE = "probe.html"


def page(folder: RunFolder) -> str:
    """The page of a probe, as HTML that loads nothing from anywhere.

    Raises:
        RunError: a file of the run is damaged.
    """
    return pages.page(
        "probe.html.j2",
        {
            "model": str(folder.recipe().get("model") or ""),
            "run": folder.path.name,
            "probed": probed.read(folder),
            "links": probed.LINKS,
            "closed": offence.NOTE if offence.offending(folder) else "",
            "version": __version__,
        },
    )


def write(folder: RunFolder) -> Path:
    """Write the report or the page, and each drawing as an SVG file in `pictures/`; the page's path."""
    for section in probed.read(folder):
        for picture in section.pictures:
            if drawn := images.standalone(picture):
                folder.write_text(f"{probed.IMAGES}/{picture.name}.svg", drawn)
    if folder.has("verdict.json"):
        write_report(folder)
        return folder.path / "report.html"
    folder.write_text(PAGE, page(folder))
    return folder.path / PAGE
