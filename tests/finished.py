"""A finished run of the tiny network, and copies of it that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

import trimtab
from tests import projects
from trimtab.run import RunFolder

ROWS = 90


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, network: Path) -> Path:
    """A project with a finished run."""
    folder = tmp_path_factory.mktemp("rounds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        trimtab.tune(projects.written(folder, network, ROWS), root=folder / "runs")
    return folder


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A copy of the run, of its data and of the looks at them."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(home / "cache"))
    shutil.copytree(home, tmp_path / "home", ignore=shutil.ignore_patterns("cache"))
    (path,) = (tmp_path / "home" / "runs").iterdir()
    recipe = yaml.safe_load((path / "recipe.yaml").read_text())
    recipe["data"]["examples"] = str(tmp_path / "home" / "rows.jsonl")
    recipe["guards"][0]["suite"] = str(tmp_path / "home" / "plain.jsonl")
    (path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return RunFolder(path)
