"""From a run to a folder that others can load: written beside its place, read again, compared, then moved there."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trimtab import shipped
from trimtab.adjust.adapter import Adapter
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.stack import Stack
from trimtab.document import exported
from trimtab.errors import ModelError, RunError
from trimtab.export import beside, gguf_file, merging, parity
from trimtab.export.parity import Limits, Parity, Reference
from trimtab.export.reading import reread
from trimtab.export.wanted import Form, Kind, Wanted, check, divided, number_kind
from trimtab.model.find import loaded, tuned_on
from trimtab.model.load import Base, quiet
from trimtab.records import Message, Progress, Report
from trimtab.run import RunFolder, file_hash, write_json
from trimtab.shipped import Shipped

PARITY = "parity.json"
TENSORS = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Attributes:
        folder: where it lies, or would lie if parity held.
        told: what trimtab.json says.
        files: SHA-256 by name; empty where it was blocked. bytes: of all of them together.
    """

    folder: Path
    told: dict[str, Any]
    parity: Parity
    files: dict[str, str]
    bytes: int
    seconds: float


def export(
    path: Path | str,
    wanted: Wanted,
    *,
    out: Path | None = None,
    unproven: bool = False,
    within: float | None = None,
    report: Report | None = None,
) -> Exported:
    """Export the stack that a run's verdict is about.

    Args:
        out: the folder to make; else exports/<form>-<type> in the run's.
        unproven: whatever the verdict.
        within: largest difference of a token's log-probability (nats), instead of what the kind of number allows.

    Raises:
        RunError: no such run, not ship, or something lies at `out`.
        ModelError: the form cannot hold the stack, or not this family of networks.
        TaintedError: it learned from rows that were erased since.
    """
    began = time.monotonic()
    tell = report or (lambda _: None)
    tell(Progress("loading", 0, 4))
    folder = RunFolder.open(path)
    base = loaded(tuned_on(folder))
    found = shipped.of_run(folder.path, base, unproven=unproven)
    kind = _checked(found, base, wanted)
    place = out or folder.path / "exports" / f"{wanted.form}-{kind}"
    _free(place)
    _widen(base, kind)
    limits = parity.LIMITS[kind]
    if within is not None:
        limits = dataclasses.replace(limits, largest=within, mean=within)
    with folder.locked(), _staged(place) as staged:
        tell(Progress("answering", 1, 4))
        known = known_of(found, base, wanted.prompts)
        tell(Progress("writing", 2, 4))
        told = written(staged, base, found, wanted.form, kind)
        tell(Progress("comparing", 3, 4))
        held = compared(staged, base, wanted.form, known, limits)
        write_json(staged / PARITY, held)
        paths = sorted(staged.iterdir())
        files = {one.name: file_hash(one) for one in paths} if held.held else {}
        size = sum(one.stat().st_size for one in paths)
        if held.held:
            staged.replace(place)
        result = Exported(place, told, held, files, size, time.monotonic() - began)
        _record(found, result)
    return result


def known_of(found: Shipped, base: Base, prompts: int) -> Reference:
    """What the stack says to prompts of select: those that its run may show, never of confirm.

    Raises:
        RunError: the run has none.
    """
    inside, outside = divided(found.stack)
    rows = found.folder.rows("examples.jsonl")[:prompts]
    if not rows:
        raise RunError(f"{found.folder.path}: it keeps no prompts of select", "tune again")
    asked = [tuple(Message(one["role"], one["content"]) for one in row["messages"]) for row in rows]
    with merging.attached(base, inside):
        around = Stack(tuple(outside))
        most = min(parity.MOST, around.sampling(found.sampling).max_new_tokens)
        return parity.reference(base, [around.messages(one) for one in asked], most)


def written(folder: Path, base: Base, found: Shipped, form: Form, kind: Kind) -> dict[str, Any]:
    """Write the weights of a form and what stands beside them; returns what trimtab.json says.

    Raises:
        ModelError: the family of networks, or its tokenizer, has no place for it in that form.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _weights(folder, base, found, form, kind)
    told = beside.origin(found, base, form, kind)
    beside.write(folder, found, form, told)
    return told


def _weights(folder: Path, base: Base, found: Shipped, form: Form, kind: Kind) -> None:
    inside, outside = divided(found.stack)
    how = beside.generation_config(base, Stack(tuple(outside)).sampling(found.sampling))
    if form == "peft":
        _adapter(folder, inside[-1], base)
        how.save_pretrained(folder)
        return
    network = merging.merged(base, inside, TENSORS.get(kind if form == "merged" else "f32", torch.float32))
    if form == "gguf":
        gguf_file.write(folder / gguf_file.NAME, network, base.tokenizer, kind, found.name)
        return
    network.generation_config = how
    with quiet():
        network.save_pretrained(folder)
        base.tokenizer.save_pretrained(folder)


def compared(folder: Path, base: Base, form: Form, known: Reference, limits: Limits) -> Parity:
    """Read a folder again, and compare it with what is known of its stack; one that cannot be read has failed."""
    try:
        with reread(form, folder, base) as back:
            return parity.compare(known, back, limits)
    except ModelError as error:
        return parity.unread(known, limits, error.message)


def _adapter(folder: Path, one: Adjustment, base: Base) -> None:
    if not isinstance(one, Adapter):
        raise ModelError(f"form=peft holds an adapter, received {one.kind}", "export form=merged")
    # Whoever has the adapter finds the base by this name, and not in a folder of ours.
    config = one.config | {"base_model_name_or_path": beside.public(base.name)}
    Adapter(config, one.tensors, one.base, one.training, one.strength, one.heads).save(folder)


def _checked(found: Shipped, base: Base, wanted: Wanted) -> Kind:
    """The kind of number that will be written, after all that can be refused at once was.

    Raises:
        UserError, ModelError: as `wanted.check` and `gguf_file.check`.
    """
    kind = number_kind(wanted, base.dtype.value)
    check(wanted, divided(found.stack)[0])
    if wanted.form == "gguf":
        gguf_file.check(base.network, base.tokenizer)
    return kind


def _widen(base: Base, kind: Kind) -> None:
    """Let a base in bfloat16 compute in float32, its weights the same numbers, unless bfloat16 is what is written.

    Sums in bfloat16 that differ in their order alone move a log-probability as far as a damaged file does.
    """
    if kind == "bf16":
        return
    read = base.fingerprint
    base.network.float()
    # Adjustments were made for the weights as they were read.
    base.fingerprint = read


def _free(place: Path) -> None:
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise RunError(
            f"{place}: something lies there already", "remove it, or name another folder with --out"
        )


@contextlib.contextmanager
def _staged(place: Path) -> Iterator[Path]:
    """A folder beside the place, which is gone afterwards; what an export that was killed left there goes too."""
    for left in place.parent.glob(f".{glob.escape(place.name)}.*.part"):
        shutil.rmtree(left, ignore_errors=True)
    folder = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _record(found: Shipped, result: Exported) -> None:
    told = {name: result.told[name] for name in ("stack", "form", "type", "verdict")}
    exported.add(
        found.folder,
        {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **told,
            "name": result.folder.name,
            "held": result.parity.held,
            "files": result.files,
            "bytes": result.bytes,
            "parity": result.parity,
        },
    )
