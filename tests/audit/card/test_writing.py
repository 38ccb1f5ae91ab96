"""Both files of a card are written whole, and only over a card that was left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.made import raw, write
from trimtab.audit import card
from trimtab.errors import DataError


def facts(folder: Path) -> card.Facts:
    return card.facts(write(folder / "r.jsonl", raw(("a", "b"))))


def test_a_card_is_written_again_but_not_over_another_ones(tmp_path: Path) -> None:
    found = facts(tmp_path)
    readme, croissant = card.write(found, tmp_path / "out")
    before = readme.read_bytes(), croissant.read_bytes()
    assert card.write(found, tmp_path / "out") == (readme, croissant)
    assert (readme.read_bytes(), croissant.read_bytes()) == before
    readme.write_text(readme.read_text() + "More of mine.\n")
    with pytest.raises(DataError, match="is there already"):
        card.write(found, tmp_path / "out")
    readme.write_text(readme.read_text().replace("not known", "known", 1))
    with pytest.raises(DataError, match="is there already"):
        card.write(found, tmp_path / "out")


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_what_somebody_else_wrote_stays(tmp_path: Path, name: str) -> None:
    found = facts(tmp_path)
    (tmp_path / name).write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        card.write(found, tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_no_card_of_a_set_of_the_hub_or_of_what_changes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a card of its own"):
        card.facts("hub:owner/name")
    source = Path(write(tmp_path / "r.jsonl", raw(("a", "b"))))
    with pytest.raises(DataError, match="changed while it was read"):
        card.facts(str(source), report=lambda progress: source.write_text("{}\n" * len(progress.stage)))
