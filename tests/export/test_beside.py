"""What no weight can hold is written beside the weights, and told; texts of people are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export import made
from trimtab import shipped
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.exemplars import Exemplar, Exemplars
from trimtab.adjust.postprocess import Postprocess
from trimtab.adjust.prompt import Prompt, Wording
from trimtab.errors import ModelError
from trimtab.export import beside, making
from trimtab.export.making import export
from trimtab.export.wanted import Wanted
from trimtab.guidelines.schema import parse
from trimtab.run import read_json

RULES = {"version": "1", "rules": [{"id": "short", "text": "Be short.", "limit": {"words": 9}}]}
SECRET = Exemplar("what ann asked", "what ann was told", "e1", "g1")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> made.Project:
    return made.project(tmp_path_factory.mktemp("project"))


def test_the_rest_of_a_stack_goes_beside_and_is_told(project: made.Project, tmp_path: Path) -> None:
    wording = Wording("Be kind.", suffix="In one sentence.", exemplars=1, revise="Shorter.")
    stack = (
        made.lora(project.base),
        Prompt(wording, Exemplars((SECRET,), {})),
        Decoding({"temperature": 0.6, "top_p": 0.9, "stop": ("\n\n",)}, best_of=3),
        Postprocess(parse(RULES), "off", None, 1.0),
    )
    found = export(project.run(*stack).path, Wanted("merged", prompts=6), out=tmp_path / "out")
    assert found.parity.failures == ()
    told = read_json(tmp_path / "out" / "trimtab.json")
    assert [one["kind"] for one in told["in_the_weights"]] == ["adapter"]
    assert [one["kind"] for one in told["not_in_the_weights"]] == ["prompt", "decoding", "postprocess"]
    assert told["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "{question}\n\nIn one sentence."},
    ]
    assert told["revise"] == ["Shorter."]
    said = " ".join(told["warnings"])
    for part in (
        "1 solved examples",
        "draft",
        "best of 3",
        "ended at '\\n\\n'",
        "rules that edit",
        "no card",
    ):
        assert part in said
    config = read_json(tmp_path / "out" / "generation_config.json")
    assert (config["do_sample"], config["temperature"], config["top_p"]) == (True, 0.6, 0.9)
    assert "stop_strings" not in config
    assert all(b"what ann" not in path.read_bytes() for path in (tmp_path / "out").iterdir())


def test_prompts_are_compared_as_the_network_is_asked_them(project: made.Project) -> None:
    run = project.run(made.lora(project.base), Prompt(Wording("Be kind.")))
    known = making.known_of(shipped.of_run(run.path, project.base), project.base, 3)
    assert [one[0].content for one in known.asked] == ["Be kind."] * 3


def test_a_stack_without_weights_has_nothing_to_export(project: made.Project) -> None:
    run = project.run(Prompt(Wording("Be kind.")))
    with pytest.raises(ModelError, match="nothing of this stack is in the weights"):
        export(run.path, Wanted("merged"))


def test_a_model_is_named_without_folders(tmp_path: Path) -> None:
    assert beside.public(str(tmp_path)) == tmp_path.name
    assert beside.public("owner/name") == "owner/name"
