"""Each find gives way to its type."""

from __future__ import annotations

from trimtab.audit.privacy.masking import mask
from trimtab.language.personal.found import Found
from trimtab.language.personal.scan import patterns


def test_finds_give_way_to_their_types() -> None:
    text = "Mail a@b.example or ring +49 30 901820, size 60 cm."
    assert mask(text, patterns(text)) == "Mail [EMAIL_ADDRESS] or ring [PHONE_NUMBER], size 60 cm."


def test_of_two_that_overlap_one_is_shown() -> None:
    assert mask("0123456789", [Found(0, 6, "A", 0.5), Found(4, 8, "B", 0.9)]) == "0123[B]89"
    assert mask("as it was", []) == "as it was"
