"""What is known of a model, what is declared of it, and what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document import made
from tests.document.model_card.made import adjusted, of, recorded
from trimtab import taint
from trimtab.document.model_card.facts import KEYS
from trimtab.errors import RunError, UserError
from trimtab.run import RunFolder


def with_model(folder: RunFolder, name: str) -> RunFolder:
    folder.write_text("recipe.yaml", f"model: {name}\ngoal: {{metric: chrf}}\n")
    recorded(folder, model={"name": name, "parameters": 1000})
    return folder


def test_what_is_declared_is_no_longer_missing(tmp_path: Path) -> None:
    folder = with_model(made.folder(tmp_path), "/models/own")
    assert of(folder).missing() == list(KEYS)
    said = {
        "name": "A", "creator": "B", "uses": "C", "licence": "MIT", "language": "en", "base_model": "o/m",
        "base_licence": "apache 2.0", "base_compute": "1e20",
    }  # fmt: skip
    found = of(folder, **said)
    assert found.missing() == []
    assert (found.licence, found.base_licence, found.base_model, found.name) == (
        "mit",
        "apache-2.0",
        "o/m",
        "A",
    )


def test_what_the_record_knows_is_not_asked_for(tmp_path: Path) -> None:
    embedded = of(made.folder(tmp_path / "a"), base_model="other/model", base_licence="mit")
    assert (embedded.base_model, embedded.base_licence) == (
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "apache-2.0",
    )
    assert embedded.missing() == ["name", "creator", "intended use", "licence", "language"]
    assert of(with_model(made.folder(tmp_path / "b"), "Qwen/Qwen3-0.6B")).base_model == "Qwen/Qwen3-0.6B"
    for name in ("/folder/model", "weights.gguf", "folder/weights.gguf", "openai:m@http://localhost/v1"):
        assert of(with_model(made.folder(tmp_path / "c"), name)).base_model == ""


@pytest.mark.parametrize(
    ("kinds", "relation"),
    [
        ({"adapter": 1.0}, "adapter"),
        ({"prompt": 1.0, "layers": 0.5}, "finetune"),
        ({"layers": 0.0, "steering": 2.0}, "adapter"),
        ({"prompt": 1.0, "postprocess": 1.0}, ""),
    ],
)
def test_the_relation_to_the_base_model_is_that_of_what_is_on(
    tmp_path: Path, kinds: dict[str, float], relation: str
) -> None:
    folder = made.folder(tmp_path)
    adjusted(folder, kinds)
    assert of(folder).relation == relation


def test_only_what_ships_and_learned_from_nothing_erased_is_a_release(tmp_path: Path) -> None:
    kinds = {kind: of(made.folder(tmp_path / kind, kind)).released for kind in made.KINDS}
    assert [kind for kind, released in kinds.items() if released] == ["ship"]
    folder = made.folder(tmp_path / "tainted")
    taint.mark(folder.trial(made.STACK), "erasure-1", 4)
    assert not of(folder).released


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    for said in (
        {"base_model": "no id"},
        {"base_compute": "much"},
        {"base_compute": "-1"},
        {"base_compute": "inf"},
    ):
        with pytest.raises(UserError, match="expected"):
            of(folder, **said)
    (folder.path / "verdict.json").unlink()
    with pytest.raises(RunError, match="no verdict"):
        of(folder)
