"""Hidden states that a prompt leaves at its end, of a model with or without adjustments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.adjust.stack import Attached
from trimtab.model import activations
from trimtab.model.load import Base, prompt_ids
from trimtab.probe.opened import Opened
from trimtab.records import Example, Progress, Report, TokenRow

LONGEST = 1024


def states(
    model: Base | Attached, examples: Sequence[Example], *, report: Report | None = None
) -> NDArray[np.float64]:
    """What leaves each block at the last token of each prompt, as the model is asked it: (items, blocks, hidden).

    Of a prompt of more than 1,024 tokens the last ones are read. An adjustment of the conversation is read with its
    messages; one of sampling or of the text moves nothing here.

    Raises:
        ModelError: the model is a service, whose states cannot be seen; or it has no chat template.
    """
    opened = Opened.of(model)
    rows = []
    for example in examples:
        messages = example.messages
        for adjustment in reversed(opened.adjustments):
            messages = adjustment.messages(messages)
        ids = np.array(prompt_ids(opened.base.tokenizer, messages)[-LONGEST:], dtype=np.int64)
        last = np.zeros(len(ids), dtype=bool)
        last[-1] = True
        rows.append(TokenRow(example.id, ids, last))

    def tell(done: int, total: int) -> None:
        if report:
            report(Progress("read states", done, total))

    return activations.read(opened.base, rows, report=tell).means.astype(np.float64)
