"""Pictures as files of their own, for documents: SVG on white that needs nothing else."""

from __future__ import annotations

import re
from importlib.resources import files

from trimtab.document.pictures import Passage, Picture

WIDTH = 720
_ROOT = re.compile(r":root \{[^}]*\}")


def standalone(picture: Picture) -> str:
    """A picture as an SVG document, 720 pixels wide; empty where it is no drawing or has nothing to show."""
    drawn = "" if isinstance(picture, Passage) else str(picture.drawn())
    if not drawn:
        return ""
    colours = _ROOT.search(_text("theme.css"))
    style = f"{colours.group() if colours else ''}\nsvg {{ background: #ffffff; }}\n{_text('drawing.css')}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}"'
    opened = drawn.replace('width="100%" ', "", 1).replace("<svg", head, 1)
    return opened.replace("</desc>", f"</desc><style>{style}</style>", 1) + "\n"


def _text(name: str) -> str:
    return files("trimtab").joinpath("document/templates", name).read_text(encoding="utf-8")
