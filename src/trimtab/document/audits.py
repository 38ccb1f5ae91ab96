"""The page of an audit of data, from a template; what it says is worked out by the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def page(context: Mapping[str, Any]) -> str:
    """The page as HTML that loads nothing from anywhere; every text in it is escaped."""
    environment = Environment(
        loader=PackageLoader("trimtab.document"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = environment.get_template("audit.html.j2").render(context)
    return made.encode("utf-8", "replace").decode("utf-8").lstrip()
