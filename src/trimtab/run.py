"""The run folder: its layout, its hashes, and its only writer.

    runs/<time>-<hash>/
      recipe.yaml  provenance.json  certificate.json  plan.json
      layers.json, where blocks were surveyed
      trials/<stack>/  stack.json  outputs.jsonl  scores.jsonl  training.jsonl  adjustment files
      lineage.jsonl  augmented.jsonl  ladder.json  verdict.json  report.html
      measured.json, review.json, review/, where people are asked: the verdict without them, and what they judged
      round.json, where it goes on from another run; round-<number>-<hash>/, what the next one is made of
      progress.json, how far a process has come that works on it, or was cut off

Every file is written whole or not at all. Outputs and scores of the sealed confirm part are never written.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml
from filelock import FileLock, Timeout

from trimtab import __version__
from trimtab.errors import RunError
from trimtab.records import Comparison, Estimate, GuardResult, Output, Score, Verdict, plain

SCHEMA = 1
# Seconds that a run is waited for: those who only see whether it is worked on hold it for less.
GLANCE = 0.2
RECORDED_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "safetensors",
    "tokenizers",
    "numpy",
    "scipy",
    "sacrebleu",
)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: to a neighbour, flushed to disk, then renamed over the target.

    Raises:
        RunError: the disk is full or the folder cannot be written; the old file, if any, is intact.
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when all of it is written: to a neighbour, flushed to disk, then renamed.

    Raises:
        RunError: the disk is full or the folder cannot be written; the old file, if any, is intact.
    """
    neighbour = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with neighbour.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    except OSError as error:
        raise _disk_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)


def _disk_error(path: Path, error: OSError) -> RunError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return RunError(
            f"{path}: the disk is full; nothing that was already written is lost",
            "free some space and give the same command again: the run goes on where it stopped",
        )
    return RunError(f"{path}: cannot be written: {error.strerror or error}", "check the folder's permissions")


def write_json(path: Path, value: Any) -> None:
    """Write records as JSON with the schema version; nan and infinities become null."""
    content = plain(value)
    body = {"schema": SCHEMA, **content} if isinstance(content, dict) else content
    write_atomic(path, json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        RunError: missing, damaged, or of a newer schema.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path}: no such file", "see the runs that exist with: trimtab runs") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(
            f"{path}: damaged: {error}", "give the same tune command again to rebuild it"
        ) from None
    if isinstance(value, dict) and value.get("schema", SCHEMA) > SCHEMA:
        raise RunError(
            f"{path}: written by a newer Trimtab (schema {value['schema']}, known {SCHEMA})", "upgrade"
        )
    return value


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Write records as JSON lines; nan and infinities become null."""
    lines = (json.dumps(plain(row), ensure_ascii=False, allow_nan=False) for row in rows)
    write_atomic(path, "".join(line + "\n" for line in lines))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a JSON-lines file.

    Raises:
        RunError: missing or damaged.
    """
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except FileNotFoundError:
        raise RunError(f"{path}: no such file", "give the tune command again to rebuild it") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(
            f"{path}: damaged: {error}", "give the same tune command again to rebuild it"
        ) from None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run's record lies, and the only way to write to it."""

    path: Path

    @classmethod
    def create(cls, root: Path, identity: str) -> RunFolder:
        """Make a new run folder, named by the time (UTC) and the identity of recipe and data."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        folder = cls(root / f"{stamp}-{identity[:8]}")
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.write("identity.json", {"identity": identity})
        return folder

    @classmethod
    def find(cls, root: Path, identity: str) -> RunFolder | None:
        """The newest run of the same recipe and data, finished or not."""
        for path in sorted(root.glob(f"*-{identity[:8]}"), reverse=True):
            if (path / "identity.json").exists() and read_json(path / "identity.json")[
                "identity"
            ] == identity:
                return cls(path)
        return None

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """An existing run, by its folder.

        Raises:
            RunError: there is no run in that folder.
        """
        folder = cls(Path(path))
        if not (folder.path / "identity.json").is_file():
            raise RunError(f"{path}: not a run folder", "see the runs that exist with: trimtab runs")
        return folder

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process.

        Raises:
            RunError: another process works on it.
        """
        lock = FileLock(self.path / ".lock", timeout=GLANCE)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(
                f"{self.path}: another process is working on this run",
                "wait for it, or change the recipe to start a run of its own",
            ) from None
        try:
            yield
        finally:
            lock.release()

    @property
    def busy(self) -> bool:
        """Whether a process works on the run at this moment."""
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            with lock:
                return False
        except Timeout:
            return True
        except OSError:
            # Not ours to hold: a folder that can only be read.
            return False

    def trial(self, stack: str) -> Path:
        """The folder of one stack's trial."""
        return self.path / "trials" / stack

    def write(self, name: str, value: Any) -> None:
        """Write one JSON file of the run."""
        write_json(self.path / name, value)

    def write_text(self, name: str, text: str) -> None:
        """Write one text file of the run (recipe, pages)."""
        write_atomic(self.path / name, text)

    def remove(self, name: str) -> None:
        """Remove one file of the run, if it is there."""
        with contextlib.suppress(OSError):
            (self.path / name).unlink(missing_ok=True)

    def read(self, name: str) -> Any:
        """Read one JSON file of the run."""
        return read_json(self.path / name)

    def has(self, name: str) -> bool:
        """Whether a file of the run exists."""
        return (self.path / name).is_file()

    def write_rows(self, name: str, rows: Iterable[Any]) -> None:
        """Write a JSON-lines file of the run."""
        write_rows(self.path / name, rows)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Read a JSON-lines file of the run; a missing file has no rows."""
        return read_rows(self.path / name) if self.has(name) else []

    def write_trial(self, stack: str, outputs: Iterable[Output], scores: Iterable[Score]) -> None:
        """Record what one stack answered on select, and how each answer scored."""
        self.write_rows(f"trials/{stack}/outputs.jsonl", outputs)
        self.write_rows(f"trials/{stack}/scores.jsonl", scores)

    def verdict(self) -> Verdict:
        """The recorded verdict.

        Raises:
            RunError: the run has none yet.
        """
        if not self.has("verdict.json"):
            raise RunError(f"{self.path}: no verdict yet", "finish the run: give its tune command again")
        return verdict_from(self.read("verdict.json"))

    def measured(self) -> Verdict:
        """The verdict as it was measured, before people were asked.

        Raises:
            RunError: the run has none yet.
        """
        return verdict_from(self.read("measured.json")) if self.has("measured.json") else self.verdict()

    def recipe(self) -> dict[str, Any]:
        """The recipe as resolved.

        Raises:
            RunError: the run has none yet, or it is damaged.
        """
        if not self.has("recipe.yaml"):
            raise RunError(f"{self.path}: no recipe yet", "finish the run: give its tune command again")
        try:
            return dict(yaml.safe_load((self.path / "recipe.yaml").read_text(encoding="utf-8")))
        except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError) as error:
            raise RunError(
                f"{self.path / 'recipe.yaml'}: damaged: {error}", "give the same tune command again"
            ) from None


def runs(root: Path) -> list[RunFolder]:
    """All runs under a folder, oldest first."""
    return [RunFolder(path.parent) for path in sorted(root.glob("*/identity.json"))]


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def estimate_from(content: Mapping[str, Any]) -> Estimate:
    """Rebuild an estimate from its JSON form."""
    numbers = {key: _number(content[key]) for key in ("value", "low", "high", "level")}
    return Estimate(**numbers, n=content["n"], method=content["method"], undefined=content["undefined"])


def comparison_from(content: Mapping[str, Any]) -> Comparison:
    """Rebuild a comparison from its JSON form."""
    keys = ("p_value", "detectable", "threshold", "baseline", "candidate")
    return Comparison(
        difference=estimate_from(content["difference"]),
        outcome=content["outcome"],
        need_n=content["need_n"],
        notes=tuple(content["notes"]),
        **{key: _number(content[key]) for key in keys},
    )


def verdict_from(content: Mapping[str, Any]) -> Verdict:
    """Rebuild a verdict from its JSON form."""
    guards = tuple(
        GuardResult(
            g["suite"], g["metric"], g["margin"], comparison_from(g["comparison"]), g["by_construction"]
        )
        for g in content["guards"]
    )
    return Verdict(
        outcome=content["outcome"],
        stack=content["stack"],
        difference=estimate_from(content["difference"]),
        guards=guards,
        reasons=tuple(content["reasons"]),
        need_n=content["need_n"],
        target=comparison_from(content["target"]) if content["target"] else None,
        level=_number(content["level"]),
        look=content["look"],
        explored=content["explored"],
        rung=content["rung"],
        decided_by=content.get("decided_by", "metric"),
    )


def provenance() -> dict[str, Any]:
    """What this process runs on: versions, processor, platform and time (UTC)."""
    versions = {}
    for package in RECORDED_PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "trimtab": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": versions,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


# What a run is made with, by its names in provenance: what gives other numbers, and what may round otherwise.
MUST_STAY = ("model.fingerprint", "model.dtype.value", "model.device.value")
MAY_CHANGE = (
    "trimtab",
    "python",
    "processor",
    "model.threads.value",
    *(f"packages.{p}" for p in RECORDED_PACKAGES),
)


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What of the conditions of a run differs between two provenances: by name, as it was and as it is.

    What one of the two does not record is left out. The fingerprint of a service is its name and what it says of
    itself, which may change without its weights.
    """
    found = {}
    for name in (*MUST_STAY, *MAY_CHANGE):
        was, is_now = (_inside(plain(content), name.split(".")) for content in (before, now))
        if was is not None and is_now is not None and was != is_now:
            found[name] = (str(was), str(is_now))
    return found


def _inside(content: Any, path: list[str]) -> Any:
    for key in path:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
