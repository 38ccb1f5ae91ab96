"""A probe of a run or a recipe: its parts one after the other, each kept in the run folder when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab import __version__
from trimtab.adjust.stack import BASE
from trimtab.document import offence, probe_page, probed
from trimtab.document.sections import Section
from trimtab.errors import TrimtabError, UserError
from trimtab.model.find import tuned_on
from trimtab.pipeline import begun, reopened, stack_of
from trimtab.prepare import Prepared, prepare
from trimtab.probe.parts import PARTS, Wanted, Work
from trimtab.recipe import load as load_recipe
from trimtab.records import Report, content_hash, plain
from trimtab.run import RunFolder


@dataclass(frozen=True, slots=True)
class Probe:
    """What a probe found.

    Attributes:
        stack: hash of the stack that was looked at; `base` for the model as it is.
        sections: by part, in order.
        left_out: why a part says nothing, by part.
        page: the page that shows it.
        closed: whether texts of this run may offend, so that they are shown only where they are asked for.
    """

    folder: Path
    stack: str
    sections: dict[str, Section]
    left_out: dict[str, str]
    page: Path
    closed: bool


def probe(
    source: Path | str,
    *,
    root: Path | str = "runs",
    parts: Sequence[str] = (),
    stack: str = "",
    against: Path | str = "",
    wanted: Wanted | None = None,
    report: Report | None = None,
) -> Probe:
    """Look at what a model's answers depend on and, where it was adjusted, at what moved; on select alone.

    Each part that is done lies in the run folder as probe.json, so that an interrupted probe goes on and the same
    one is not made twice. The run's report is written again with it; before there is a verdict, probe.html is.

    Args:
        source: a run's folder; or a recipe, whose base model is looked at before anything is tuned.
        root: folder that runs lie in.
        parts: of `PARTS`, in any order; all that apply if none is named.
        stack: hash of a stack of the run, or `base`; the one of the verdict if empty, else the base model.
        against: another run's folder, with whose failures these are compared.

    Raises:
        UserError: no such part, run or stack; what stands in the way of a part that was named.
    """
    unknown = [name for name in parts if name not in PARTS]
    if unknown:
        raise UserError(f"no part {', '.join(unknown)} of a probe", f"parts are {', '.join(PARTS)}")
    folder, prepared = _opened(Path(source), Path(root))
    base = tuned_on(folder)
    other = RunFolder.open(against) if against else None
    with folder.locked():
        name = _stack(folder, stack)
        work = Work(prepared, base, folder, name, wanted or Wanted(), other, report)
        left_out = {}
        for part in [part for part in PARTS if part in parts or not parts]:
            try:
                _made(work, part)
            except TrimtabError as error:
                if parts:
                    raise
                left_out[part] = error.message
        page = probe_page.write(folder)
    sections = {one.name: one for one in probed.read(folder) if one.name in parts or not parts}
    return Probe(folder.path, name, sections, left_out, page, offence.offending(folder))


def _opened(source: Path, root: Path) -> tuple[RunFolder, Prepared]:
    if source.is_dir():
        return reopened(source)
    prepared = prepare(load_recipe(source))
    return begun(prepared, root), prepared


def _stack(folder: RunFolder, name: str) -> str:
    if name == BASE or (not name and (not folder.has("verdict.json") or folder.verdict().stack == BASE)):
        return BASE
    return stack_of(folder, name)


def _made(work: Work, name: str) -> None:
    """Make a part and keep it, unless it was made just so before."""
    part = PARTS[name]
    against = _identity(work.against) if name == "deviations" else None
    options = [getattr(work.wanted, option) for option in part.reads]
    whose = part.always or work.stack
    asked = content_hash([__version__, name, whose, options, against])
    known = probed.kept(work.folder)
    if name == "tradeoff" or known.get(name, {}).get("asked") != asked:
        section = plain(part.look(work))
        probed.keep(work.folder, name, {"asked": asked, "stack": whose, "section": section})


def _identity(folder: RunFolder | None) -> Any:
    return [folder.read("identity.json"), folder.verdict().stack] if folder else None
