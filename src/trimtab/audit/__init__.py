"""What is wrong with a data set, before a model learns it: rows to findings."""

from trimtab.audit.auditing import Asked, Audit, as_json, audit

__all__ = ["Asked", "Audit", "as_json", "audit"]
