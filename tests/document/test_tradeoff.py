"""Trade-offs: the front against brute force, and what a real run of the tiny network recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import trimtab
from tests import projects
from trimtab.document import tradeoff
from trimtab.errors import RunError
from trimtab.run import RunFolder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, network: Path) -> RunFolder:
    folder = tmp_path_factory.mktemp("tradeoff")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        candidates = {"layers": [{"method": "blocks", "blocks": [0, 1]}, {"method": "norms"}]}
        path = projects.written(folder, network, candidates=candidates)
        return trimtab.tune(path, root=folder / "runs").folder


def test_a_run_is_shown_as_it_was_recorded(run: RunFolder) -> None:
    found = tradeoff.tradeoff(run)
    entries = run.read("ladder.json")["rungs"][0]["candidates"]
    assert [one.stack for one in found.trials] == [entry["stack"] for entry in entries]
    assert [one.gain.value for one in found.trials] == [
        e["comparison"]["difference"]["value"] for e in entries
    ]
    (key,) = found.margins
    assert key.endswith(" nll")
    assert found.margins[key] == 5
    assert [one.stack for one in found.trials if one.chosen] == [run.verdict().stack]
    best = max(found.trials, key=lambda one: one.gain.value)
    assert any(one.gain.value == best.gain.value for one in found.front)
    (picture,) = tradeoff.pictures(found)
    drawn = picture.drawn()
    measured = [one for one in found.trials if key in one.guards]
    assert drawn.count("<path") == len(measured)
    assert "chosen" in drawn
    section = tradeoff.section(found)
    assert len(section.tables[0].rows) == len(entries)
    assert json.loads(json.dumps(section.data, allow_nan=False))["stack"] == found.stack


def test_a_run_without_trials_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such file"):
        tradeoff.tradeoff(RunFolder(tmp_path))
