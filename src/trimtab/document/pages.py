"""Pages from templates: all they say is escaped. Those of this package load nothing from anywhere."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from trimtab.document import words

HERE = "trimtab.document"


def page(template: str, context: Mapping[str, Any], package: str = HERE) -> str:
    """The page that a template makes of a context, as HTML that can be encoded.

    Args:
        package: the one that has the template; its templates may use those of this package.
    """
    made = _environment(package).get_template(template).render(context)
    return made.encode("utf-8", "replace").decode("utf-8").lstrip()


@functools.cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(HERE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["opened"] = words.opened
    return environment
