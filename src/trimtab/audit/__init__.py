"""What is wrong with a data set, before a model learns it: rows to findings."""

from trimtab.audit.auditing import audit
from trimtab.audit.result import Asked, Audit, as_json

__all__ = ["Asked", "Audit", "as_json", "audit"]
