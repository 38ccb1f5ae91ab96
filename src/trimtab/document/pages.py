"""Pages from the templates of this package: all they say is escaped, and they load nothing from anywhere."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trimtab.document import words


def page(template: str, context: Mapping[str, Any]) -> str:
    """The page that a template makes of a context, as HTML that can be encoded."""
    made = _environment().get_template(template).render(context)
    return made.encode("utf-8", "replace").decode("utf-8").lstrip()


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("trimtab.document"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["opened"] = words.opened
    return environment
