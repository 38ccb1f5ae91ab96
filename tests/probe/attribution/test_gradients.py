"""Captum's figures against integrated gradients and gradient times input written out here with autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model.load import Base, prompt_ids, wrap
from trimtab.probe.attribution.attributing import Settings, attribute
from trimtab.probe.attribution.gradients import integrated, neutral, times_input
from trimtab.probe.attribution.prompt import sectioned
from trimtab.probe.attribution.targets import Answer, Contrast, Readable, Scored, Tone, word_of
from trimtab.probe.attribution.tokens import render
from trimtab.records import Example, Message, Sampling

MESSAGES = (Message("system", "Be kind."), Message("user", "Who is it?"))
TARGETS: tuple[Readable, ...] = (
    Answer("It is me."),
    word_of("It is me.", "me"),
    Contrast("yes", "no"),
    Tone(("a", "b", "longword*"), "It"),
)


@pytest.fixture(scope="module")
def base() -> Base:
    # Larger weights than those of a fresh network, so that its answers depend on its prompts.
    network = tiny_model(initializer_range=0.3).requires_grad_(False)
    return wrap(network, tiny_tokenizer())


def target_of(base: Base, embedded: torch.Tensor, target: Readable) -> torch.Tensor:
    """The target from embeddings (T, hidden) of the prompt, written without a reading."""

    def logprobs(text: str, ended: str = "") -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.tensor(base.tokenizer(text + ended, add_special_tokens=False)["input_ids"])
        whole = torch.cat([embedded, base.network.get_input_embeddings()(ids)])[None]
        logits = base.network(inputs_embeds=whole).logits[0, len(embedded) - 1 : -1]
        return torch.log_softmax(logits, -1), ids

    def likely(text: str, start: int = 0, end: int | None = None) -> torch.Tensor:
        found, ids = logprobs(text, "<|im_end|>")  # one token is one byte, so tokens are characters here
        return found[torch.arange(len(ids)), ids][start:end].sum()

    if isinstance(target, Answer):
        return likely(target.text, target.start, target.end)
    if isinstance(target, Contrast):
        return likely(target.answer) - likely(target.other)
    found, _ = logprobs(target.answer)
    listed = [base.tokenizer(c, add_special_tokens=False)["input_ids"][0] for c in "aAbB"]
    return found.exp()[:, listed].sum(-1).log().mean()


def prompt(base: Base) -> tuple[np.ndarray, np.ndarray]:
    rendered = render(base.tokenizer, MESSAGES)
    return rendered.ids, rendered.owners(sectioned(MESSAGES).features("section")) < 0


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
def test_integrated_gradients_are_the_integral_and_complete(base: Base, target: Readable) -> None:
    ids, fixed = prompt(base)
    found = integrated(base, ids, fixed, target.readings(base.tokenizer), steps=48)
    table = base.network.get_input_embeddings().weight
    end = table[torch.from_numpy(ids)]
    start = table[torch.from_numpy(np.where(fixed, ids, neutral(base)))]
    total, points = torch.zeros_like(end), 300
    for k in range(points):  # midpoint rule: another quadrature than Captum's
        at = (start + (k + 0.5) / points * (end - start)).detach().requires_grad_()
        total += torch.autograd.grad(target_of(base, at, target), at)[0] / points
    own = ((end - start) * total).sum(-1).double().numpy()
    with torch.no_grad():
        change = float(target_of(base, end, target) - target_of(base, start, target))
    assert np.abs(own).max() > 0.01
    np.testing.assert_allclose(found.values, own, atol=0.02 * np.abs(own).max())
    assert found.full - found.baseline == pytest.approx(change, abs=1e-3)
    assert found.gap <= 0.02 * np.abs(own).sum()
    assert np.all(found.values[fixed] == 0)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
def test_gradient_times_input_is_what_autograd_says(base: Base, target: Readable) -> None:
    ids, _ = prompt(base)
    found = times_input(base, ids, target.readings(base.tokenizer))
    at = base.network.get_input_embeddings().weight[torch.from_numpy(ids)].detach().requires_grad_()
    own = (torch.autograd.grad(target_of(base, at, target), at)[0] * at).sum(-1).detach().double().numpy()
    np.testing.assert_allclose(found.values, own, atol=1e-4 * np.abs(own).max())


def test_a_small_gap_is_reported_and_steps_are_doubled_for_it(base: Base) -> None:
    example = Example(MESSAGES, id="a")
    hasty = Settings(("integrated_gradients",), ("word",), steps=1, most_steps=1)
    patient = Settings(("integrated_gradients",), ("word",), steps=1, most_steps=64, tolerance=0.01)
    (rough,), (fine,) = (attribute(base, example, TARGETS[0], one) for one in (hasty, patient))
    assert rough.steps == 1
    assert fine.steps > 1
    assert fine.gap < rough.gap
    left = abs(sum(rough.values) - (rough.full - rough.baseline))
    assert rough.gap == pytest.approx(left, abs=1e-6)
    assert rough.relative_gap == pytest.approx(rough.gap / abs(rough.full - rough.baseline))


def test_the_grains_add_up_to_the_same_and_what_cannot_be_done_says_why(base: Base) -> None:
    example = Example(MESSAGES, id="a")
    found = attribute(base, example, TARGETS[0], Settings(("gradient_x_input",)))
    sums = [sum(one.values) for one in found]
    assert sums == pytest.approx([sums[0]] * 3)
    ids = prompt_ids(base.tokenizer, list(MESSAGES))
    whole = times_input(base, np.array(ids), TARGETS[0].readings(base.tokenizer)).values.sum()
    assert sums[0] + found[0].rest == pytest.approx(whole)
    scored = Scored(len, Sampling(max_new_tokens=2), "length")
    assert all(
        "no gradient" in one.undefined
        for one in attribute(base, example, scored, Settings(("gradient_x_input",)))
    )
    short = Settings(("gradient_x_input",), most_tokens=5)
    assert "at most 5" in attribute(base, example, TARGETS[0], short)[0].undefined
