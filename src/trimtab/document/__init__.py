"""From a finished run folder to pages and text; needs no model and no torch."""

from trimtab.document.report import report, write_report
from trimtab.document.text import summary

__all__ = ["report", "summary", "write_report"]
