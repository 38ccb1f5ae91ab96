"""Stage 3: a stack and a suite to scores."""

from trimtab.measure.contract import Metric
from trimtab.measure.registry import find, names
from trimtab.measure.suites import Suite
from trimtab.measure.trial import measure, of_outputs, paired, table

__all__ = ["Metric", "Suite", "find", "measure", "names", "of_outputs", "paired", "table"]
