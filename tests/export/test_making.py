"""Every form, read back and compared; what is damaged does not get through."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file, save_file

from tests.export import made
from tests.tiny import tiny_tokenizer, windowed_model
from trimtab import shipped, taint
from trimtab.document import exported
from trimtab.errors import ModelError, RunError, TaintedError, UserError
from trimtab.export import making, parity
from trimtab.export.making import export
from trimtab.export.parity import LIMITS, Reference
from trimtab.export.wanted import Form, Kind, Wanted
from trimtab.model.load import load
from trimtab.run import RunFolder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> made.Project:
    return made.project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def adapted(project: made.Project) -> RunFolder:
    return project.run(made.lora(project.base, strength=0.5))


def staged(project: made.Project, run: RunFolder, form: Form, kind: Kind, folder: Path) -> Reference:
    """What the stack says, and the form written into a folder."""
    found = shipped.of_run(run.path, project.base)
    known = making.known_of(found, project.base, 8)
    making.written(folder, project.base, found, form, kind)
    return known


def logits(network: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = network(torch.arange(3, 40)[None]).logits
    return found


@pytest.mark.parametrize(
    "kinds",
    [["lora"], ["layers"], ["input"], ["both"], ["add"], ["add", "input", "lora", "layers"]],
    ids=lambda kinds: "+".join(kinds),
)
def test_stock_transformers_computes_what_was_measured(
    project: made.Project, tmp_path: Path, kinds: list[str]
) -> None:
    base = project.base
    make = {
        "lora": lambda: made.lora(base, strength=0.5),
        "layers": lambda: made.blocks(base),
        "input": lambda: made.moved(base),
        "both": lambda: made.moved(base, "both"),
        "add": lambda: made.steered(base),
    }
    run = project.run(*(make[kind]() for kind in kinds))
    known = staged(project, run, "merged", "f32", tmp_path / "out")
    bare = parity.reference(base, known.asked, known.tokens)
    assert bare.answers != known.answers
    stock = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    with shipped.of_run(run.path, base).stack.attach(base):
        measured = logits(base.network)
    torch.testing.assert_close(logits(stock), measured, atol=2e-5, rtol=1e-4)
    assert stock.generation_config.max_new_tokens == 4
    held = making.compared(tmp_path / "out", base, "merged", known, LIMITS["f32"])
    assert held.failures == ()
    assert held.tokens > 8
    assert held.largest < 1e-4


def test_stock_peft_puts_the_adapter_on_the_base(
    project: made.Project, adapted: RunFolder, tmp_path: Path
) -> None:
    found = export(adapted.path, Wanted("peft"), out=tmp_path / "out")
    assert found.parity.failures == ()
    fresh = transformers.AutoModelForCausalLM.from_pretrained(project.base.name, dtype=torch.float32)
    with warnings.catch_warnings():
        # PEFT asks transformers by a name that will go.
        warnings.simplefilter("ignore", FutureWarning)
        stock = PeftModel.from_pretrained(fresh, str(tmp_path / "out"))
    (stack,) = shipped.of_run(adapted.path, project.base).stack.adjustments
    with stack.attach(project.base):
        torch.testing.assert_close(logits(stock), logits(project.base.network), atol=2e-5, rtol=1e-4)
    assert stack.strength == 0.5
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "network"
    assert json.loads((tmp_path / "out" / "adapter.json").read_text())["base"] == project.base.fingerprint


@pytest.mark.parametrize(
    "wanted", [Wanted("peft"), Wanted("merged", "f32"), Wanted("merged"), Wanted("gguf")], ids=str
)
def test_a_run_of_bfloat16_is_exported_from_any_machine(tmp_path: Path, wanted: Wanted) -> None:
    """Sums in bfloat16 alone would move this network's log-probabilities by more than f32 and f16 allow."""
    project = made.project(tmp_path, "bfloat16")
    run = project.run(made.lora(project.base, strength=0.5))
    found = export(run.path, wanted)
    assert found.parity.failures == ()
    assert found.parity.tokens > 8
    assert found.told["base"] == {
        "name": "network",
        "fingerprint": project.base.fingerprint,
        "dtype": "bfloat16",
    }
    assert found.told["type"] == (
        wanted.kind or {"peft": "f32", "merged": "bf16", "gguf": "f16"}[wanted.form]
    )


@pytest.mark.parametrize(("kind", "largest"), [("f32", 1e-4), ("f16", 0.02), ("bf16", 0.2), ("q8_0", 1.0)])
def test_gguf_is_read_back_by_transformers(
    project: made.Project, adapted: RunFolder, tmp_path: Path, kind: Kind, largest: float
) -> None:
    known = staged(project, adapted, "gguf", kind, tmp_path / "out")
    held = making.compared(tmp_path / "out", project.base, "gguf", known, LIMITS[kind])
    assert held.tokenised == 1
    assert held.largest < largest
    reader = gguf.GGUFReader(tmp_path / "out" / "model.gguf")
    fields = {name: field.contents() for name, field in reader.fields.items()}
    assert fields["tokenizer.ggml.pre"] == "gpt-2"
    assert fields["tokenizer.chat_template"] == project.base.tokenizer.chat_template
    assert fields["llama.attention.head_count_kv"] == 2
    assert {one.tensor_type.name for one in reader.tensors if "attn_q" in one.name} == {kind.upper()}


def test_an_export_is_whole_recorded_and_never_written_over(adapted: RunFolder) -> None:
    (adapted.path / "card.md").write_text("---\nlibrary_name: peft\nlicense: mit\n---\n\n# Card\n")
    found = export(adapted.path, Wanted("merged", "bf16", 8))
    assert found.folder == adapted.path / "exports" / "merged-bf16"
    names = {path.name for path in found.folder.iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= names
    assert {"chat_template.jinja", "trimtab.json", "parity.json", "README.md"} <= names
    assert names == set(found.files)
    assert "library_name: transformers\nlicense: mit" in (found.folder / "README.md").read_text()
    assert [path.name for path in found.folder.parent.iterdir()] == ["merged-bf16"]
    entry = exported.released(adapted, found.told["stack"])[-1]
    assert entry["name"] == "merged-bf16"
    assert entry["files"]["model.safetensors"] == found.files["model.safetensors"]
    assert str(adapted.path.parent) not in json.dumps(entry) + (found.folder / "trimtab.json").read_text()
    with pytest.raises(RunError, match="something lies there already"):
        export(adapted.path, Wanted("merged", "bf16", 8))


def test_what_differs_by_more_than_is_allowed_is_not_handed_over(adapted: RunFolder, tmp_path: Path) -> None:
    found = export(adapted.path, Wanted("gguf", "q8_0", 8), out=tmp_path / "out", within=1e-9)
    assert not found.parity.held
    assert list(tmp_path.iterdir()) == []
    last = exported.entries(adapted)[-1]
    assert (last["held"], last["files"]) == (False, {})
    assert any("largest difference" in failure for failure in last["parity"]["failures"])
    assert last not in exported.released(adapted, found.told["stack"])


def damage_tensor(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = "model.layers.1.mlp.up_proj.weight"
    tensors[name] = tensors[name].flip(0)
    save_file(tensors, path, {"format": "pt"})


def damage_template(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("assistant", "helper"))


def damage_file(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_tensor, "log-probability"),
        (damage_template, "the prompts' tokens"),
        (damage_file, "cannot be loaded"),
    ],
)
def test_a_damaged_folder_fails(
    project: made.Project, adapted: RunFolder, tmp_path: Path, damage: Any, said: str
) -> None:
    known = staged(project, adapted, "merged", "f32", tmp_path / "out")
    damage(tmp_path / "out")
    held = making.compared(tmp_path / "out", project.base, "merged", known, LIMITS["f32"])
    assert any(said in failure for failure in held.failures)


def test_gguf_whose_queries_are_not_interleaved_fails(
    project: made.Project, adapted: RunFolder, tmp_path: Path
) -> None:
    known = staged(project, adapted, "gguf", "f32", tmp_path / "out")
    assert making.compared(tmp_path / "out", project.base, "gguf", known, LIMITS["f32"]).held
    reader = gguf.GGUFReader(tmp_path / "out" / "model.gguf", "r+")
    for one in reader.tensors:
        if "attn_q." in one.name:
            heads = one.data.reshape(4, -1, 2, one.data.shape[-1])
            one.data[:] = np.ascontiguousarray(heads.swapaxes(1, 2)).reshape(one.data.shape)
    del reader
    held = making.compared(tmp_path / "out", project.base, "gguf", known, LIMITS["f32"])
    assert any("log-probability" in failure for failure in held.failures)


def test_an_adapter_that_lost_its_weights_fails(
    project: made.Project, adapted: RunFolder, tmp_path: Path
) -> None:
    known = staged(project, adapted, "peft", "f32", tmp_path / "out")
    path = tmp_path / "out" / "adapter_model.safetensors"
    save_file({name: torch.zeros_like(one) for name, one in load_file(path).items()}, path)
    before = logits(project.base.network)
    assert not making.compared(tmp_path / "out", project.base, "peft", known, LIMITS["f32"]).held
    assert torch.equal(logits(project.base.network), before)


def test_what_a_form_cannot_hold_is_refused_with_a_way_on(project: made.Project, tmp_path: Path) -> None:
    base = project.base

    def refused(wanted: Wanted, *stack: Any, **more: Any) -> str:
        with pytest.raises(UserError) as caught:
            export(project.run(*stack, **more).path, wanted, out=tmp_path / "out")
        assert caught.value.hint
        return caught.value.message

    assert "clamps" in refused(Wanted("merged"), made.steered(base, "clamp"))
    assert "this stack has layers" in refused(Wanted("peft"), made.blocks(base))
    assert "no dial in PEFT" in refused(Wanted("peft"), made.lora(base, "dora", 0.5))
    assert "biases" in refused(Wanted("gguf"), made.steered(base))
    assert "type=q8_0" in refused(Wanted("merged", "q8_0"), made.lora(base))
    assert "is hold, not ship" in refused(Wanted("merged"), made.lora(base, strength=0.9), outcome="hold")
    assert list(tmp_path.iterdir()) == []


def test_what_learned_from_erased_rows_is_refused(project: made.Project, tmp_path: Path) -> None:
    run = project.run(made.lora(project.base, strength=0.7))
    taint.mark(run.trial(run.verdict().stack), "erasure-1", 2)
    with pytest.raises(TaintedError):
        export(run.path, Wanted("merged"), out=tmp_path / "out")


def test_another_family_is_merged_and_no_gguf(tmp_path: Path) -> None:
    windowed_model().save_pretrained(tmp_path / "network")
    tiny_tokenizer().save_pretrained(tmp_path / "network")
    project = made.Project(tmp_path, load(str(tmp_path / "network"), dtype="float32", threads=1))
    run = project.run(made.lora(project.base))
    with pytest.raises(ModelError, match="received mistral"):
        export(run.path, Wanted("gguf"))
    assert export(run.path, Wanted("merged", prompts=4)).parity.failures == ()
