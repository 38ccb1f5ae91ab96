"""Licences as rows name them, to the Hub's identifiers and SPDX addresses."""

from __future__ import annotations

import pytest

from trimtab.licences import HUB, addresses, hub, of_rows


@pytest.mark.parametrize(
    ("said", "identifier"),
    [
        ("CC0-1.0", "cc0-1.0"),
        ("cc by 4.0", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "cc-by-sa-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("https://spdx.org/licenses/Apache-2.0.html", "apache-2.0"),
        ("GPL-3.0-or-later", "gpl-3.0"),
        ("ODbL-1.0", "odbl"),
        ("MIT License", "mit"),
        ("CC-BY-2.0", "cc-by-2.0"),
        ("cc by nc 4.0", "cc-by-nc-4.0"),
        ("BY-2.0", ""),
        ("our own terms", ""),
        ("", ""),
    ],
)
def test_identifiers_of_the_hub(said: str, identifier: str) -> None:
    assert hub(said) == identifier


def test_one_for_a_whole_set() -> None:
    assert of_rows({}, 5) == "unknown"
    assert of_rows({"MIT": 5}, 5) == "mit"
    assert of_rows({"MIT": 3, "mit license": 2}, 5) == "mit"
    assert of_rows({"MIT": 4}, 5) == "other"
    assert of_rows({"MIT": 3, "CC0-1.0": 2}, 5) == "other"
    assert of_rows({"our own": 5}, 5) == "other"


def test_addresses_each_once() -> None:
    assert addresses(["MIT", "mit", "our own"]) == ["https://spdx.org/licenses/MIT.html", "our own"]
    assert all(name == name.lower() for name in HUB)
    assert not [name for name in HUB if name.startswith("-") or name.endswith("-")]
    assert HUB["odc-by"] == "ODC-By-1.0"
