"""Content rules: what an answer must and must not say, in one strict file, and the checks compiled from them.

Every stage uses the same compiled checks: edits of an answer, the metric `guidelines`, audits of data, review.
"""

from trimtab.guidelines.checks import Finding
from trimtab.guidelines.compiled import Compiled, compiled, load
from trimtab.guidelines.lint import Remark, lint
from trimtab.guidelines.schema import Guidelines, Rule, parse

__all__ = ["Compiled", "Finding", "Guidelines", "Remark", "Rule", "compiled", "lint", "load", "parse"]
