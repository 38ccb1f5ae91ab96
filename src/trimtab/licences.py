"""Licences as rows name them, as the Hub's metadata names them, and as SPDX does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

UNKNOWN, OTHER = "unknown", "other"
# The Hub's identifiers (huggingface.co/docs/hub/repositories-licenses): in lower case what SPDX calls them, but for
# some, and those that SPDX has no name for.
_SPDX = (
    "Apache-2.0 MIT AFL-3.0 Artistic-2.0 BSL-1.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear CC0-1.0 "
    "CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 "
    "CC-BY-NC-4.0 CC-BY-ND-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 "
    "CDLA-Sharing-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 WTFPL ECL-2.0 EPL-1.0 EPL-2.0 etalab-2.0 "
    "EUPL-1.1 EUPL-1.2 ISC LPPL-1.3c MS-PL MPL-2.0 OSL-3.0 PostgreSQL OFL-1.1 NCSA Unlicense Zlib"
)
_OTHERWISE = {
    "c-uda": "C-UDA-1.0",
    "agpl-3.0": "AGPL-3.0-only",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "lgpl-lr": "LGPLLR",
}
_WITHOUT = (
    "openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m "
    "bsd cc gfdl gpl lgpl openrail++ deepfloyd-if-license llama2 gemma"
)
HUB: Mapping[str, str] = {
    **{name.lower(): name for name in _SPDX.split()},
    **_OTHERWISE,
    **dict.fromkeys(_WITHOUT.split(), ""),
}
"""The Hub's identifiers to those of SPDX; empty where it has none."""
_BY_SPDX = {spdx.lower(): hub for hub, spdx in HUB.items() if spdx}
_COMMONS = re.compile(
    r"creativecommons\.org/(?:licenses/([a-z-]+)|publicdomain/(zero))/(\d\.\d)", re.IGNORECASE
)
_ENDING = re.compile(r"(?:-only|-or-later|\.html)$")


def hub(name: str) -> str:
    """The Hub's identifier of a licence as a row names it: SPDX, its address, or in words; empty for another one."""
    if found := _COMMONS.search(name):
        name = f"cc0-{found[3]}" if found[2] else f"cc-{found[1]}-{found[3]}"
    short = name.strip().lower().removeprefix("https://spdx.org/licenses/")
    short = re.sub(r"[\s_]+", "-", short)
    for form in (short, _ENDING.sub("", short), short.removesuffix("-license")):
        if form in HUB:
            return form
        if form in _BY_SPDX:
            return _BY_SPDX[form]
    return ""


def of_rows(counts: Mapping[str, int], rows: int) -> str:
    """The one identifier for a whole set: `unknown` where no row says any, `other` where rows differ or only some say.

    Args:
        counts: rows by licence, as they name it.
        rows: how many there are.
    """
    if not counts:
        return UNKNOWN
    found = {hub(name) for name in counts}
    known = found.pop() if len(found) == 1 else ""
    return known if known and sum(counts.values()) == rows else OTHER


def addresses(names: Iterable[str]) -> list[str]:
    """SPDX addresses of licences where there are any, else their names, each once."""
    found = [(name, HUB.get(hub(name), "")) for name in names]
    return list(
        dict.fromkeys(f"https://spdx.org/licenses/{spdx}.html" if spdx else name for name, spdx in found)
    )
