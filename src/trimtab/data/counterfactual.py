"""Examples with their groups of people swapped, to be learned beside the ones they were made from.

Counterfactual data augmentation (Lu et al. 2018; Zmigrod et al. 2019): what is said of one group is said of the other
in the same words, so that tuning learns the task and not which group it was shown with.
"""

from __future__ import annotations

from collections.abc import Sequence

from trimtab.data.augment.made import child
from trimtab.groups.swap import swapped
from trimtab.records import Example, Message, TokenRow


def counterfactual(example: Example) -> Example | None:
    """The example with all its turns and references swapped, as its child; None where nothing changes."""
    messages = tuple(Message(m.role, swapped(m.content)) for m in example.messages)
    references = tuple(swapped(reference) for reference in example.references)
    if (messages, references) == (example.messages, example.references):
        return None
    return child(example, messages, "counterfactual", references=references)


def augment(examples: Sequence[Example]) -> list[Example]:
    """The counterfactuals of examples, in their order; fewer where examples name no group.

    For the part that is tuned on only: measured on, they would count an item twice.
    """
    return [twin for example in examples if (twin := counterfactual(example))]


def twins(
    rows: Sequence[TokenRow], counterfactuals: Sequence[Example], rendered: Sequence[TokenRow]
) -> dict[int, TokenRow]:
    """The counterfactual of each row that has one, by the row's number.

    Args:
        rows: of the parents, in the order of their references.
        rendered: of the counterfactuals, likewise.
    """
    own: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        own.setdefault(row.example, []).append(number)
    parents = {twin.id: str(twin.fields["parent"]) for twin in counterfactuals}
    met: dict[str, int] = {}
    found: dict[int, TokenRow] = {}
    for row in rendered:
        place = met.get(row.example, 0)
        met[row.example] = place + 1
        numbers = own.get(parents[row.example], [])
        if place < len(numbers):
            found[numbers[place]] = row
    return found
