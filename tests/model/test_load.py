"""Loading: from folders, refusals with a next step, choices with reasons, and the base's identity."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.errors import ModelError
from trimtab.model.load import load, prompt_ids, wrap
from trimtab.records import Message


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    tiny_model().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def options() -> dict[str, Any]:
    return {"device": "cpu", "threads": torch.get_num_threads()}


@pytest.fixture
def own_threads() -> Iterator[None]:
    """As many threads afterwards as before: torch keeps the number of the last base that was loaded."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_folder_is_loaded_frozen_in_evaluation_mode(saved: Path) -> None:
    base = load(str(saved), dtype="float32", **options())
    assert not base.network.training
    assert not any(p.requires_grad for p in base.network.parameters())
    assert base.parameters == sum(p.numel() for p in tiny_model().parameters())
    assert base.fingerprint == wrap(tiny_model(), tiny_tokenizer()).fingerprint
    assert base.tokenizer.pad_token_id is not None
    assert base.stop_ids() == (2,)


@pytest.mark.usefixtures("own_threads")
@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("", None),
        ("1", 1),
        (" 1,4", 1),
        ("99999999999999999999", None),
        ("0", None),
        ("-1", None),
        ("x", None),
    ],
)
def test_threads_are_as_the_environment_says(
    saved: Path, monkeypatch: pytest.MonkeyPatch, told: str, count: int | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert int(load(str(saved)).threads.value) == (count or len(os.sched_getaffinity(0)))
    assert load(str(saved), threads=2).threads.value == "2"


@pytest.mark.usefixtures("own_threads")
def test_every_choice_has_a_reason(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    base = load(str(saved))
    chosen = torch.get_num_threads()
    for choice in (base.dtype, base.device, base.threads):
        assert choice.value
        assert len(choice.reason) > 8
    assert base.dtype.value == str(base.network.dtype).removeprefix("torch.")
    assert base.device.value == str(base.network.device).partition(":")[0]
    assert int(base.threads.value) == chosen == len(os.sched_getaffinity(0))
    asked = load(str(saved), dtype="bfloat16", **options())
    assert (asked.dtype.value, asked.dtype.reason) == ("bfloat16", "as asked")
    assert asked.network.dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("device", "problem"),
    [("gpu", "not known"), ("cuda:x", "not known"), ("cuda:99", "not there"), ("cpu:1", "not there")],
)
def test_a_device_that_is_not_there_is_refused(saved: Path, device: str, problem: str) -> None:
    with pytest.raises(ModelError, match=f"device {device}: {problem}"):
        load(str(saved), device=device)


def test_linear_weights_keep_their_values_in_another_layout(saved: Path) -> None:
    base = load(str(saved), dtype="float32", **options())
    plain = tiny_model()
    projection = base.network.model.layers[0].mlp.up_proj.weight
    assert projection.stride() == (1, projection.shape[0])
    assert torch.equal(projection, plain.model.layers[0].mlp.up_proj.weight)
    assert base.network.lm_head.weight.is_contiguous()
    ids = torch.arange(3, 30)[None]
    with torch.no_grad():
        torch.testing.assert_close(base.network(ids).logits, plain(ids).logits)


def test_an_unknown_dtype_is_refused(saved: Path) -> None:
    with pytest.raises(ModelError, match="dtype float8: not known"):
        load(str(saved), dtype="float8", **options())


def test_what_cannot_be_read_is_named_with_a_next_step(tmp_path: Path, saved: Path) -> None:
    for name, said in [
        (str(tmp_path), "no config.json in that folder"),
        (str(tmp_path / "none"), "no config.json in that folder"),
        (str(tmp_path / "none.gguf"), "no such file"),
    ]:
        with pytest.raises(ModelError, match=said) as raised:
            load(name, **options())
        assert name in raised.value.message
        assert raised.value.hint
    (tmp_path / "config.json").write_text((saved / "config.json").read_text())
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(str(tmp_path), **options())


def test_pickled_weights_are_refused(tmp_path: Path, saved: Path) -> None:
    for path in saved.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save(tiny_model().state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(str(tmp_path), **options())


def test_code_in_a_folder_is_never_run(tmp_path: Path, saved: Path) -> None:
    config = (saved / "config.json").read_text()
    own = '"auto_map": {"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}, "model_type": "mine", "x"'
    (tmp_path / "config.json").write_text(config.replace('"model_type"', own, 1))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError):
        load(str(tmp_path), **options())
    assert not (tmp_path / "ran").exists()


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="tokenizer of"):
        load(str(tmp_path), **options())


def test_the_fingerprint_is_of_names_shapes_types_and_values() -> None:
    same = wrap(tiny_model(), tiny_tokenizer()).fingerprint
    assert wrap(tiny_model(), tiny_tokenizer()).fingerprint == same
    assert wrap(tiny_model(seed=1), tiny_tokenizer()).fingerprint != same
    assert wrap(tiny_model().to(torch.bfloat16), tiny_tokenizer()).fingerprint != same
    changed = tiny_model()
    with torch.no_grad():
        changed.model.norm.weight[3] += 1e-6
    assert wrap(changed, tiny_tokenizer()).fingerprint != same


def test_prompts_are_in_the_models_own_template() -> None:
    ids = prompt_ids(tiny_tokenizer(), (Message("user", "Hi"),))
    assert tiny_tokenizer().decode(ids) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    with pytest.raises(ModelError, match="no chat template"):
        prompt_ids(tiny_tokenizer(None), (Message("user", "Hi"),))


@pytest.mark.embedded
def test_the_embedded_model_loads() -> None:
    base = load(dtype="float32", **options())
    assert 134_000_000 < base.parameters < 136_000_000
    assert len(base.stop_ids()) >= 1
    assert prompt_ids(base.tokenizer, (Message("user", "Hi"),))
