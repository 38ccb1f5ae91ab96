"""What is asked for, and what of a stack the form can hold.

merged   weights with everything of the stack that changes the network: adapter, layers, embedding, and steering
         that adds (a bias of the block); a clamp depends on the state itself and is no weight
peft     the adapter as PEFT saves it, over the base model
gguf     merged weights for llama.cpp and what is built on it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from trimtab.adjust.adapter import Adapter
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Steering
from trimtab.errors import ModelError, UserError

Form = Literal["merged", "peft", "gguf"]
Kind = Literal["f32", "bf16", "f16", "q8_0"]
FORMS: tuple[Form, ...] = get_args(Form)
# Of each form the kinds of number that it can have, the usual one first.
KINDS: dict[Form, tuple[Kind, ...]] = {
    "merged": ("f32", "bf16", "f16"),
    "peft": ("f32",),
    "gguf": ("f16", "f32", "bf16", "q8_0"),
}
NATIVE: dict[str, Kind] = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
# Prompts of select that show parity.
PROMPTS = 16
# What keeps an adjustment out of weights, by its kind, and who can still apply it.
OUTSIDE = {
    "prompt": "words around the question: put the messages of trimtab.json around each",
    "context": "passages of documents before the question: they are searched for each question, and are not exported",
    "decoding": "settings of sampling: set them in the program that answers",
    "postprocess": "rules that edit or reject an answer after it is drawn: nothing here applies them",
    "confidence": "a calibrated confidence, and abstaining where it is low: nothing here computes it",
    "watermark": "a mark that is put in as tokens are drawn: nothing here draws with it, and its key stays in the run",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form, the kind of number (empty: the usual one), and how many prompts of select show parity."""

    form: Form
    kind: Kind | Literal[""] = ""
    prompts: int = PROMPTS


def divided(stack: Stack) -> tuple[list[Adjustment], list[Adjustment]]:
    """The adjustments that change the network, and the others; those that are off are neither."""
    on = [one for one in stack.adjustments if one.strength]
    return [one for one in on if "network" in one.hooks], [one for one in on if "network" not in one.hooks]


def number_kind(wanted: Wanted, dtype: str) -> Kind:
    """The kind of number to write; dtype: of the base, which merged weights keep unless another is asked for.

    Raises:
        UserError: the form has no such kind.
    """
    known = KINDS[wanted.form]
    if wanted.kind and wanted.kind not in known:
        raise UserError(
            f"type={wanted.kind}: not for form={wanted.form}", f"types of that form: {', '.join(known)}"
        )
    own = NATIVE.get(dtype, known[0]) if wanted.form == "merged" else known[0]
    return wanted.kind or own


def check(wanted: Wanted, inside: Sequence[Adjustment]) -> None:
    """Refuse what the form cannot hold.

    Raises:
        ModelError: nothing of the stack is in the network, a clamp, or for PEFT something else than one adapter.
    """
    if not inside:
        raise ModelError(
            "nothing of this stack is in the weights: an export would be the base model",
            "use trimtab serve, which applies all of it",
        )
    for one in inside:
        if isinstance(one, Steering) and one.mode == "clamp":
            raise ModelError(
                "steering that clamps depends on the state of each token: no weight can hold it",
                "use trimtab serve, or tune with steering of mode add",
            )
    if wanted.form == "peft":
        _check_peft(inside)


def _check_peft(inside: Sequence[Adjustment]) -> None:
    (*others, one) = inside
    if others or not isinstance(one, Adapter):
        kinds = ", ".join(adjustment.kind for adjustment in inside)
        raise ModelError(f"form=peft holds one adapter, and this stack has {kinds}", "export form=merged")
    if one.strength != 1 and ("lora_alpha" not in one.config or one.config.get("use_dora")):
        raise ModelError(
            f"an adapter of this method has no dial in PEFT, and its strength is {one.strength:g}",
            "export form=merged, which has the strength in the weights",
        )
