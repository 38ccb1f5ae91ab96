"""What a page says that its figures cannot show: of training where there was one, of a run that went on elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from trimtab.document import report
from trimtab.run import RunFolder

ONCE, NOTHING = "trained once, from one seed", "Nothing was trained."


def page(folder: RunFolder) -> str:
    return report(folder)


def with_stack(tmp_path: Path, kind: str, settings: dict[str, object]) -> RunFolder:
    folder = made.folder(tmp_path)
    told = {name: {"value": value, "unit": ""} for name, value in settings.items()}
    entry = {"kind": kind, "strength": 1.0, "settings": told, "parameters": 0, "bytes": 0}
    folder.write(f"trials/{made.STACK}/stack.json", {"stack": made.STACK, "adjustments": [entry]})
    return folder


def test_training_is_spoken_of_where_something_was_trained(tmp_path: Path) -> None:
    trained = page(with_stack(tmp_path / "a", "adapter", {"epochs": 2.0}))
    prompted = page(with_stack(tmp_path / "b", "prompt", {"exemplars": 4}))
    assert ONCE in trained
    assert NOTHING not in trained
    assert NOTHING in prompted
    assert ONCE not in prompted


def test_what_was_spent_by_all_processes_is_told(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert "Spent so far" not in page(folder)
    folder.write("spent.json", {"requests": 12, "price": 0.25})
    folder.write("ladder.json", {**folder.read("ladder.json"), "minutes": 7.5, "budget": 20.0})
    told = page(folder)
    assert "Spent so far, by every process of the run" in told
    assert "service: requests" in told
    assert "of 20 minutes" in told


def test_a_run_that_went_on_elsewhere_says_so(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    said = "The run was interrupted and went on with a change of model.threads from 2 to 4"
    folder.write("provenance.json", {**folder.read("provenance.json"), "changes": [said]})
    assert f"{said}. Figures from before and after may differ." in page(folder)
