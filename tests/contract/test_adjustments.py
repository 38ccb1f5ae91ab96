"""What every adjustment promises, shown for every kind, method and place."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Qwen2Config, Qwen2ForCausalLM

from tests.adjust import made
from tests.kinds import without_unit
from tests.tiny import tiny_tokenizer
from trimtab.adjust import adapter, contrast, embedding, layers, steering
from trimtab.adjust.contract import Description, Setting, training_settings
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import BASE, Stack
from trimtab.errors import ModelError
from trimtab.model.load import Base, wrap
from trimtab.model.mixed import Mixed
from trimtab.records import Example, Message, Sampling

HOW = Settings(epochs=1, batch_size=6, learning_rate=1e-2, schedule="constant", warmup=0.0)
HEADS = adapter.Shape(rank=2, heads=((1, 0),))
Fit = Callable[[Base], Any]


def adapted(**shape: Any) -> Fit:
    """Fits an adapter of this shape."""
    return lambda base: adapter.fit(base, made.rows(), adapter.Shape(**{"rank": 4, **shape}), HOW)[0]


def trained(place: layers.Place, blocks: tuple[int, ...] = ()) -> Fit:
    """Fits these weights in full."""
    return lambda base: layers.fit(base, made.rows(), layers.Where(place, blocks), HOW)[0]


def steered(method: contrast.Method = "mean", **shape: Any) -> Fit:
    """Fits a steering of this shape."""

    def fit(base: Base) -> Any:
        found = contrast.survey(base, made.contrasts(), method)
        return steering.of_survey(base, found, steering.Shape(**shape))

    return fit


def moved(fit: embedding.Fit, words: tuple[str, ...] = ("ABC", "DE"), **shape: Any) -> Fit:
    """Moves words' vectors so."""
    wanted = embedding.Shape(fit, words, **shape)
    if fit == "gradient":
        return lambda base: embedding.fit(base, made.rows(), wanted, HOW)[0]
    return lambda base: embedding.from_words(base, wanted)


TIED: dict[str, Any] = {}
UNTIED = {"tie_word_embeddings": False}
CASES: dict[str, tuple[Fit, dict[str, Any]]] = {
    "steering": (steered(), TIED),
    "steering by pca in two blocks": (steered("pca", blocks=(0, -1)), TIED),
    "clamping": (steered(mode="clamp", blocks=(0,), value=2.0), TIED),
    "nudged words": (moved("nudge", towards=("12", "3"), away=("9",), distance=0.5), TIED),
    "nudged words, said too": (moved("nudge", towards=("12",), distance=0.5, tied="both"), TIED),
    "prototype": (moved("prototype"), UNTIED),
    "trained words": (moved("gradient"), TIED),
    "trained words, said too": (moved("gradient", tied="both"), TIED),
    "trained words under a head of its own": (moved("gradient"), UNTIED),
    "lora": (adapted(), TIED),
    "lora in one block": (adapted(blocks=(-1,)), TIED),
    "lora on two modules": (adapted(modules=("q_proj", "down_proj")), TIED),
    "lora, both": (adapted(modules=("v_proj",), blocks=(0,), alpha=3.0, dropout=0.2), TIED),
    "lora on two heads": (adapted(heads=((0, 1), (-1, 3))), TIED),
    "rslora": (adapted(method="rslora"), TIED),
    "dora": (adapted(method="dora"), TIED),
    "dora in one block": (adapted(method="dora", blocks=(1,), modules=("o_proj",)), TIED),
    "ia3": (adapted(method="ia3"), TIED),
    "ia3 in one block": (adapted(method="ia3", blocks=(0,)), TIED),
    "last block": (trained("blocks"), TIED),
    "first block": (trained("blocks", (0,)), TIED),
    "norms": (trained("norms"), TIED),
    "tied head": (trained("head"), TIED),
    "head": (trained("head"), UNTIED),
    "embeddings": (trained("embeddings"), UNTIED),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Fit, dict[str, Any], Any]:
    """How to fit, the base's settings, and one fitted adjustment."""
    fit, settings = request.param
    return fit, settings, fit(made.base(**settings))


def hooked(base: Base) -> bool:
    """Whether any hook is left on the network."""
    return any(module._forward_hooks for module in base.network.modules())


def shown(base: Base, *adjustments: Any) -> torch.Tensor:
    with Stack(adjustments).attach(base):
        return made.logits(base)


def test_fit_leaves_the_base_as_it_was(case: Any) -> None:
    fit, settings, _ = case
    base = made.base(**settings)
    weights, modules = made.weights(base), [type(m) for m in base.network.modules()]
    named = set(vars(base.network))
    fit(base)
    assert made.same(weights, made.weights(base))
    assert [type(m) for m in base.network.modules()] == modules
    assert set(vars(base.network)) == named
    assert not base.network.training
    assert all(not p.requires_grad and p.grad is None for p in base.network.parameters())
    assert dataclasses.replace(base).fingerprint == base.fingerprint


def test_the_fit_changes_what_the_model_says(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    before = made.logits(base)
    assert float((shown(base, fitted) - before).abs().max()) > 1e-3


def test_strength_0_is_the_base_bit_for_bit(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    before = made.logits(base)
    assert torch.equal(shown(base, fitted.scaled(0)), before)


def test_leaving_restores_bit_for_bit_also_after_an_exception(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    weights, before, named = made.weights(base), made.logits(base), set(vars(base.network))
    lent = []

    def fail() -> None:
        with Stack((fitted,)).attach(base):
            lent.append(made.logits(base))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert not torch.equal(before, lent[0])
    assert made.same(weights, made.weights(base))
    assert torch.equal(made.logits(base), before)
    assert not hooked(base)
    assert set(vars(base.network)) == named


def test_save_and_load_are_exact(case: Any, tmp_path: Path) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    for adjustment in (fitted, fitted.scaled(0.3)):
        adjustment.save(tmp_path)
        again = type(fitted).load(tmp_path)
        assert again.hash == adjustment.hash
        assert again.strength == adjustment.strength
        assert again.describe() == adjustment.describe()
        assert torch.equal(shown(base, again), shown(base, adjustment))


def test_same_seed_same_result_and_another_seed_another(case: Any) -> None:
    fit, settings, fitted = case
    assert fit(made.base(**settings)).hash == fitted.hash
    assert fitted.scaled(2).hash != fitted.hash


def test_two_of_a_kind_and_nested(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    weights, once, before = made.weights(base), shown(base, fitted), made.logits(base)
    twice = shown(base, fitted, fitted)
    if fitted.kind == "steering" and fitted.mode == "clamp":
        torch.testing.assert_close(twice, once, atol=1e-4, rtol=1e-4)  # what is set already stays
    else:
        assert float((twice - once).abs().max()) > 1e-4
    with Stack((fitted,)).attach(base):
        assert torch.equal(made.logits(base), once)
        with Stack((fitted,)).attach(base):
            assert torch.equal(made.logits(base), twice)
        assert torch.equal(made.logits(base), once)
    assert torch.equal(made.logits(base), before)
    assert made.same(weights, made.weights(base))


def test_a_raw_model_may_be_attached_to_while_another_stack_is_on_it(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    with Stack((fitted,)).attach(base.network, tiny_tokenizer()):
        with Stack((fitted,)).attach(base.network, tiny_tokenizer()):
            inner = made.logits(base)
        assert wrap(base.network, tiny_tokenizer()).fingerprint == base.fingerprint
    assert torch.equal(inner, shown(base, fitted, fitted))


def test_the_change_of_weights_is_linear_in_strength(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    own = made.weights(base)
    deltas = {}
    for strength in (0.5, 1.0, 3.0):
        with Stack((fitted.scaled(strength),)).attach(base):
            deltas[strength] = {name: t - own[name] for name, t in made.weights(base).items()}
    for strength in (0.5, 3.0):
        for name, delta in deltas[strength].items():
            torch.testing.assert_close(delta, strength * deltas[1.0][name], atol=1e-6, rtol=1e-3)
    half = fitted.scaled(0.5)
    assert half.strength == 0.5
    assert half.scaled(4).strength == 2


def test_describes_every_setting(case: Any) -> None:
    _, _, fitted = case
    told = fitted.scaled(0.5).describe()
    assert told.kind == fitted.kind
    assert told.strength == 0.5
    if getattr(fitted, "training", None):
        assert {f.name for f in dataclasses.fields(Settings)} <= told.settings.keys()
        assert told.settings["epochs"].value == 1
    assert without_unit(told) == []
    own = {
        "steering": {"mode", "method", "pairs", "blocks", "norm", "strength", "positions"},
        "embedding": {"fit", "words", "tokens", "tied", "length"},
        "adapter": {"method", "modules", "blocks"},
        "layers": {"place"},
    }
    assert own[fitted.kind] <= told.settings.keys()
    assert told.parameters > 0
    assert told.bytes == 4 * told.parameters


def test_a_wrong_base_is_refused(case: Any) -> None:
    _, settings, fitted = case
    stranger = made.base(seed=1, **settings)
    before = made.logits(stranger)
    with pytest.raises(ModelError, match="made for the base model") as raised:
        shown(stranger, fitted)
    assert fitted.base[:12] in raised.value.message
    assert torch.equal(made.logits(stranger), before)


def test_a_bfloat16_network_trains_and_attaches(case: Any) -> None:
    fit, settings, _ = case
    base = made.base(**settings)
    base.network.to(torch.bfloat16)
    weights, before = made.weights(base), made.logits(base)
    fitted = fit(base)
    assert made.same(weights, made.weights(base))
    assert float((shown(base, fitted) - before).abs().max()) > 0.01
    assert made.same(weights, made.weights(base))


# PEFT itself asks transformers for something that transformers has renamed.
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "name", [name for name in CASES if "lora" in name or "dora" in name or "ia3" in name]
)
def test_the_saved_adapter_loads_with_stock_peft(name: str, tmp_path: Path) -> None:
    from peft import PeftModel

    fit, settings = CASES[name]
    fitted = fit(made.base(**settings))
    fitted.save(tmp_path)
    expected = shown(made.base(**settings), fitted)
    stock = PeftModel.from_pretrained(made.base(**settings).network, tmp_path).eval()
    with torch.no_grad():
        found = stock(torch.arange(3, 40)[None]).logits
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", ["lora", "rslora"])
def test_stock_peft_loads_an_adapter_at_its_strength(name: str, tmp_path: Path) -> None:
    from peft import PeftModel

    fit, settings = CASES[name]
    fitted = fit(made.base(**settings)).scaled(0.5)
    fitted.save(tmp_path)
    assert type(fitted).load(tmp_path).hash == fitted.hash
    stock = PeftModel.from_pretrained(made.base(**settings).network, tmp_path).eval()
    with torch.no_grad():
        found = stock(torch.arange(3, 40)[None]).logits
    torch.testing.assert_close(found, shown(made.base(**settings), fitted), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", ["lora", "dora", "ia3"])
@pytest.mark.parametrize("family", ["gpt2", "qwen2"])
def test_families_with_biases_and_other_linear_modules(family: str, method: adapter.Method) -> None:
    if family == "gpt2":
        config: Any = GPT2Config(vocab_size=259, n_embd=32, n_layer=2, n_head=4, n_positions=64)
        network: Any = GPT2LMHeadModel(config)
    else:
        config = Qwen2Config(
            vocab_size=259, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2,
        )  # fmt: skip
        network = Qwen2ForCausalLM(config)
        for block in network.model.layers:
            torch.nn.init.normal_(block.self_attn.k_proj.bias)
            torch.nn.init.normal_(block.self_attn.v_proj.bias)
    base = wrap(network.eval().requires_grad_(False), tiny_tokenizer())
    weights, before = made.weights(base), made.logits(base)
    how = dataclasses.replace(HOW, epochs=3)
    rows = made.rows()
    fitted, _ = adapter.fit(base, rows, adapter.Shape(method=method, rank=4), how)
    assert float((shown(base, fitted) - before).abs().max()) > 1e-3
    with adapter._injected(base.network, fitted.config) as model:
        adapter._set_state(model, fitted.tensors)
        unmerged = made.logits(base)
    torch.testing.assert_close(shown(base, fitted), unmerged, atol=1e-4, rtol=1e-4)
    assert made.same(weights, made.weights(base))
    assert torch.equal(made.logits(base), before)


def test_an_adapter_is_the_same_wherever_its_base_lies() -> None:
    base = made.base()
    fitted = adapted()(base)
    moved = dataclasses.replace(fitted, config={**fitted.config, "base_model_name_or_path": "/elsewhere"})
    assert moved.hash == fitted.hash


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    fitted = adapted()(made.base())
    fitted.save(tmp_path)
    (tmp_path / "adapter_model.safetensors").unlink()
    torch.save(fitted.tensors, tmp_path / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors"):
        adapter.Adapter.load(tmp_path)


def test_a_damaged_file_of_weights_is_named(tmp_path: Path) -> None:
    fitted = trained("norms")(made.base())
    fitted.save(tmp_path)
    path = tmp_path / "layers.safetensors"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match=r"layers\.safetensors: cannot be read"):
        layers.Layers.load(tmp_path)


def test_a_failing_fit_leaves_the_base_as_it_was() -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    for fit in (
        lambda b: adapter.fit(b, made.rows(), adapter.Shape(), HOW, report=stop),
        lambda b: layers.fit(b, made.rows(), layers.Where("blocks"), HOW, report=stop),
        lambda b: embedding.fit(b, made.rows(), embedding.Shape("gradient", ("A",)), HOW, report=stop),
        lambda b: contrast.survey(b, made.contrasts(), report=stop),
    ):
        base = made.base()
        weights, modules = made.weights(base), [type(m) for m in base.network.modules()]
        with pytest.raises(KeyboardInterrupt):
            fit(base)
        assert not hooked(base)
        assert made.same(weights, made.weights(base))
        assert [type(m) for m in base.network.modules()] == modules
        assert all(not p.requires_grad and p.grad is None for p in base.network.parameters())


def test_a_stack_saves_loads_and_generates(tmp_path: Path) -> None:
    base = made.base()
    stack = Stack((adapted()(base), trained("norms")(base)))
    stack.save(tmp_path)
    again = Stack.load(tmp_path)
    assert again.hash == stack.hash
    assert Stack().hash == BASE
    assert Stack(stack.adjustments[::-1]).hash != stack.hash
    recorded = json.loads((tmp_path / "stack.json").read_text(encoding="utf-8"))
    assert [a["kind"] for a in recorded["adjustments"]] == ["adapter", "layers"]
    example = Example((Message("user", "Hi"),), id="a")
    with stack.attach(base) as generate:
        (output,) = generate([example], Sampling(max_new_tokens=5))
        ((total, count),) = generate.likelihood([(example.messages, "yes")])
    with Stack().attach(base) as plain:
        ((bare, number),) = plain.likelihood([(example.messages, "yes")])
    assert output.example == "a"
    assert (count, number) == (3, 3)
    assert total != bare


def test_the_stack_order_is_the_order_of_application() -> None:
    base = made.base()
    a, b = adapted(method="dora")(base), trained("blocks", (0, 1))(base)
    assert not torch.equal(shown(base, a, b), shown(base, b, a))


def test_sizes_are_what_is_trained() -> None:
    base = made.base()
    for shape in (adapter.Shape(rank=4), adapter.Shape(rank=2, blocks=(1,), modules=("q_proj",)), HEADS):
        fitted, _ = adapter.fit(base, made.rows(), shape, HOW)
        assert adapter.size(base.network, shape) == sum(t.numel() for t in fitted.tensors.values())


def test_untied_head_and_embeddings_are_apart_and_tied_ones_say_so() -> None:
    tied, untied = made.base(), made.base(**UNTIED)
    assert trained("head")(tied).describe().settings["place"].value == "embeddings and head (tied)"
    assert list(trained("head")(untied).deltas) == ["lm_head.weight"]
    assert list(trained("embeddings")(untied).deltas) == ["model.embed_tokens.weight"]


def test_every_number_of_a_training_has_a_unit() -> None:
    told = Description("adapter", 1.0, training_settings(Settings()), 0, 0)
    assert without_unit(told) == []
    odd = {"odd": Setting(3), "list": Setting([1]), "said": Setting(1, "rows"), "name": Setting("x")}
    assert without_unit(dataclasses.replace(told, settings=odd)) == ["odd", "list"]


def logits_of(base: Base, rows: torch.Tensor) -> torch.Tensor:
    """Logits (rows, tokens, vocabulary) of several sequences in one pass."""
    with torch.no_grad():
        found: torch.Tensor = base.network(input_ids=rows, use_cache=False).logits
    return found


def test_some_rows_of_a_batch_are_changed_as_attaching_changes_all(case: Any) -> None:
    _, settings, fitted = case
    base = made.base(**settings)
    rows = torch.randint(5, 60, (5, 7), generator=torch.Generator().manual_seed(3))
    before = logits_of(base, rows)
    with Stack((fitted.scaled(0.5),)).attach(base):
        wanted = logits_of(base, rows)
    mixed = Mixed(base.network)
    mixed.know("it", Stack((fitted.scaled(0.5),)).changes(base))
    with mixed.applied({"it": [1, 4], "": [0, 2, 3]}):
        found = logits_of(base, rows)
    assert float((wanted - before).abs().max()) > 1e-3
    assert torch.allclose(found[[1, 4]], wanted[[1, 4]], atol=2e-5)
    assert torch.equal(found[[0, 2, 3]], before[[0, 2, 3]])
    with mixed.applied({"it": None}):
        assert torch.allclose(logits_of(base, rows), wanted, atol=2e-5)
    assert torch.equal(logits_of(base, rows), before)
    assert not hooked(base)
