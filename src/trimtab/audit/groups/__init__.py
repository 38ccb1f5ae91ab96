"""Bias in the data, measured: how often groups of people are named, how of them is spoken, and with what they stand."""

from trimtab.audit.groups.counting import Groups

# Said with every audit, also where no group was met.
UNSEEN = (
    "groups of people in other words than those of groups/axes.txt, in other languages than English, by hints, "
    "or in irony"
)

__all__ = ["UNSEEN", "Groups"]
