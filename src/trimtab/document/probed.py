"""What a probe found, as kept in probe.json of a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trimtab.document.pictures import picture
from trimtab.document.sections import Section, Table
from trimtab.errors import RunError
from trimtab.run import RunFolder

FILE, IMAGES = "probe.json", "pictures"
# The parts in the order of a page, and what a page's contents call them.
LINKS = {
    "sensitivity": "Sensitivity",
    "attribution": "Attribution",
    "layers": "Blocks",
    "space": "What moved",
    "deviations": "Failures",
    "tradeoff": "Trade-offs",
}


def kept(folder: RunFolder) -> dict[str, Any]:
    """The parts of a run's probe in their JSON form; empty without one.

    Raises:
        RunError: the file is damaged.
    """
    content = folder.read(FILE)["parts"] if folder.has(FILE) else {}
    return dict(content)


def keep(folder: RunFolder, part: str, content: Mapping[str, Any]) -> None:
    """Put a part in the place of an earlier one."""
    folder.write(FILE, {"parts": {**kept(folder), part: content}})


def read(folder: RunFolder) -> list[Section]:
    """The sections of a run's probe, in the order of the page.

    Raises:
        RunError: the file is damaged.
    """
    parts = kept(folder)
    return [_section(parts[name]) for name in LINKS if name in parts]


def _section(part: Mapping[str, Any]) -> Section:
    try:
        content, stack = part["section"], part["stack"]
        whose = {"base": "the base model", "run": "every trial of the run"}.get(stack, f"the stack {stack}")
        return Section(
            content["name"],
            content["title"],
            (*content["said"], f"Looked at: {whose}."),
            tuple(
                Table(t["caption"], tuple(t["head"]), tuple(map(tuple, t["rows"])), t["quotes"])
                for t in content["tables"]
            ),
            content["data"],
            tuple(map(picture, content["pictures"])),
        )
    except (KeyError, TypeError) as error:
        raise RunError(f"{FILE}: damaged: {error}", "probe the run again") from None
