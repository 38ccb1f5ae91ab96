"""How much answers depend on the settings of decoding: one at a time, and jointly over a designed grid."""

from trimtab.probe.sensitivity.ranges import Range
from trimtab.probe.sensitivity.showing import section, to_json
from trimtab.probe.sensitivity.studying import Plan, Study, study

__all__ = ["Plan", "Range", "Study", "section", "study", "to_json"]
