"""A run's base model is what the run had, whatever this machine would choose."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from trimtab.model.find import dtype_of, loaded, tuned_on
from trimtab.model.load import DTYPES, load
from trimtab.run import RunFolder


def run_of(folder: Path, network: Path) -> RunFolder:
    """A run folder that names its model."""
    found = RunFolder.create(folder, "a run")
    found.write_text("recipe.yaml", yaml.safe_dump({"model": str(network)}))
    return found


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_base_is_loaded_as_the_run_had_it(tmp_path: Path, network: Path, dtype: str) -> None:
    had = load(str(network), dtype=dtype)
    run = run_of(tmp_path, network)
    run.write("provenance.json", {"model": had.facts()})
    found = loaded(tuned_on(run))
    assert str(found.network.dtype) == f"torch.{dtype}"
    assert found.fingerprint == had.fingerprint


@pytest.mark.parametrize("known", [None, {}, {"model": {}}, {"model": {"dtype": {"value": "float16"}}}])
def test_the_machine_chooses_where_the_run_says_nothing_of_use(
    tmp_path: Path, network: Path, known: dict[str, object] | None
) -> None:
    run = run_of(tmp_path, network)
    if known is not None:
        run.write("provenance.json", known)
    assert dtype_of(run) == "auto"
    assert loaded(tuned_on(run)).dtype == load(str(network)).dtype
