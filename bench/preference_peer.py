"""Loss and gradients of one batch of pairs, by Trimtab and by TRL's trainers, on the same weights in float32.

The policy is the base itself, and every weight of the reference a little off it: so no log-ratio is 0, and answers are
likelier than under the reference, which lets KTO's z count. TRL is handed the same tokens through its own collators; of
KTO also the same mismatched rows.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from typing import Any

import torch

import stock
from trimtab.adjust.preference import Loss, Pairs, Rule, paired, parts, referred
from trimtab.model.load import Base, wrap
from trimtab.model.pack import token_logprobs
from trimtab.records import TokenRow

BETA = 0.1
SHIFT = 1e-3
TOLERANCE = 1e-4
BUDGET = 512


def agree(base: Base, rows: Sequence[Sequence[TokenRow]], loss: Loss) -> dict[str, Any]:
    """Both losses of a batch, and the largest difference of a gradient, as a share of the largest gradient.

    Args:
        rows: of each pair the row of the chosen and that of the rejected answer.
    """
    chosen, rejected = zip(*rows, strict=True)
    reference = _shifted(base)
    pairs = referred(reference, paired(chosen, rejected, loss))
    policy, peer = (copy.deepcopy(base.network).requires_grad_(True) for _ in range(2))
    ours = 0.0
    for part, _ in parts(policy, pairs, Rule(loss, BETA), BUDGET, token_logprobs):
        part.backward()  # type: ignore[no-untyped-call]
        ours += float(part.detach())
    theirs, z = _by_trl(peer, reference, pairs, loss)
    gradients = [
        (one.grad, two.grad) for one, two in zip(policy.parameters(), peer.parameters(), strict=True)
    ]
    largest = max(float(two.abs().max()) for _, two in gradients)
    apart = max(float((one - two).abs().max()) for one, two in gradients) / largest
    return {
        "ours": ours,
        "trl": theirs,
        "z": z,
        "difference": ours - theirs,
        "gradient_difference": apart,
        "largest_gradient": largest,
        "agrees": abs(ours - theirs) < TOLERANCE and apart < TOLERANCE,
    }


def _shifted(base: Base) -> Base:
    """The base with noise on every weight."""
    network = copy.deepcopy(base.network)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(SHIFT * torch.randn_like(parameter))
    return wrap(network, base.tokenizer)


def _by_trl(policy: Any, reference: Base, pairs: Pairs, loss: Loss) -> tuple[float, float | None]:
    """TRL's loss of the batch, and its z of KTO; the gradients are left in the policy."""
    with stock.silent(), tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(policy, reference, folder, loss, len(pairs.chosen))
        batch = trainer.data_collator(_dpo_rows(pairs) if loss == "dpo" else _kto_rows(pairs))
        found = trainer.compute_loss(trainer.model, trainer._prepare_inputs(batch))
        found.backward()
    z = [values[0] for logged in trainer._metrics.values() if (values := logged.get("kl"))]
    return float(found.detach()), z[0] if z else None


def _trainer(policy: Any, reference: Base, folder: str, loss: Loss, count: int) -> Any:
    """A trainer with the defaults of its losses; the one row of its data set is never used."""
    import datasets
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

    datasets.disable_progress_bars()
    row: dict[str, Any] = {"prompt": "a question", "chosen": " good", "rejected": " bad"}
    kind, config = (DPOTrainer, DPOConfig) if loss == "dpo" else (KTOTrainer, KTOConfig)
    if loss == "kto":
        row = {"prompt": "a question", "completion": " good", "label": True}
    how = config(
        output_dir=folder,
        beta=BETA,
        per_device_train_batch_size=2 * count,
        gradient_checkpointing=False,
        use_cpu=True,
        bf16=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    data = datasets.Dataset.from_list([row] * 4)
    return kind(policy, reference.network, how, train_dataset=data, processing_class=reference.tokenizer)


def _split(row: TokenRow) -> tuple[list[int], list[int]]:
    """Tokens of the prompt, and of the answer with the token that ends it.

    What the template writes after that is cut off: TRL would count all tokens after a prompt.
    """
    marked = row.supervised.nonzero()[0]
    ids = row.ids.tolist()
    return ids[: marked[0]], ids[marked[0] : marked[-1] + 1]


def _dpo_rows(pairs: Pairs) -> list[dict[str, Any]]:
    found = []
    for chosen, rejected in zip(*pairs.sides[:2], strict=True):
        (prompt, good), (_, bad) = _split(chosen), _split(rejected)
        found.append({"prompt_ids": prompt, "chosen_ids": good, "rejected_ids": bad})
    return found


def _kto_rows(pairs: Pairs) -> list[dict[str, Any]]:
    found = []
    for label, side, others in ((True, *pairs.sides[::2]), (False, *pairs.sides[1::2])):
        for row, other in zip(side, others, strict=True):
            prompt, answer = _split(row)
            mismatched = _split(other)[1]
            found.append(
                {
                    "prompt_ids": prompt,
                    "completion_ids": answer,
                    "KL_completion_ids": mismatched,
                    "label": label,
                }
            )
    return found
