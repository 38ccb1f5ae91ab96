"""How far a run is, as another process sees it: written at a low rate, gone at the end, kept when cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

import trimtab
from tests import projects
from trimtab.document.listing import listed
from trimtab.records import Progress
from trimtab.run import RunFolder
from trimtab.tracking import FILE, progress, tracked


def test_progress_is_kept_once_a_second_and_passed_on_always(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "identity")
    told: list[Progress] = []
    now = 0.0
    with tracked(folder, told.append, lambda: now) as report:
        for number in range(30):
            now = number / 10
            report(Progress("fitting", number, 30, {"loss": 1.5}))
            kept = progress(folder)
            assert kept is not None
            assert kept.done == number // 10 * 10
        assert kept.facts == {"loss": 1.5}
    assert len(told) == 30
    assert not folder.has(FILE)


def test_a_run_that_was_cut_off_says_where(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "identity")

    def work() -> None:
        with tracked(folder, None) as report:
            report(Progress("fitting", 3, 30))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert progress(folder) == Progress("fitting", 3, 30)


@pytest.mark.parametrize("content", ["{", "[]", '{"stage": "fitting"}', '{"stage": 1, "done": "x"}'])
def test_a_record_that_cannot_be_read_says_nothing(tmp_path: Path, content: str) -> None:
    folder = RunFolder.create(tmp_path, "identity")
    (folder.path / FILE).write_text(content, encoding="utf-8")
    assert progress(folder) is None


def test_a_folder_that_cannot_be_written_does_not_end_the_work(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "file" / "run")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with tracked(folder, None) as report:
        report(Progress("fitting", 3, 30))


@pytest.mark.usefixtures("cache")
def test_a_run_that_is_tuned_is_busy_and_says_how_far_it_is(tmp_path: Path, network: Path) -> None:
    seen, stages, told = set[str](), set[str](), set[str]()

    def look(progressed: Progress) -> None:
        if progressed.stage in told:
            return
        told.add(progressed.stage)
        (path,) = (tmp_path / "runs").iterdir()
        folder = RunFolder(path)
        seen.add(listed(folder).outcome)
        found = progress(folder)
        stages.update([found.stage] if found else [])

    run = trimtab.tune(projects.written(tmp_path, network), root=tmp_path / "runs", report=look)
    assert seen == {"tuning"}
    assert stages
    assert not run.folder.has(FILE)
    found = listed(run.folder)
    assert (found.outcome, found.rung, found.goal) == ("ship", "layers", "exact_match")
    assert found.minutes
    assert not run.folder.busy
