"""Which groups a text names: the lists agree with those that swap, and words with other senses name nobody."""

from __future__ import annotations

import re

import pytest

from trimtab.groups.axes import NAMES, attributed, attributes, lexicon, words_of
from trimtab.groups.swap import words

# Of words.txt: said of both genders, or of beds, streets, places and days (see axes.txt).
LEFT_OUT = {
    *("hero", "heroes", "actor", "actors", "heir", "heirs", "miss", "ma'am"),
    *("king", "kings", "queen", "queens", "prince", "princes", "princess", "princesses", "duke", "duchess"),
    *("church", "churches", "mosque", "mosques", "christmas", "eid"),
}


def groups(text: str) -> set[str]:
    """The names of the groups that a text names."""
    known = lexicon()
    return {known.terms[place].group.name for place in known.named(words_of(text))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She left, and HE stayed.", {"women", "men"}),
        ("The old man met Mary.", {"the old", "men", "women's names"}),
        ("An old house and Indian food by the River, rose and mary.", set()),
        ("Two Indian families; the Indians.", {"indians"}),
        ("an Indian family friendly restaurant, a French family-friendly one", set()),
        ("a ten year old girl", {"women"}),
        ("A non-binary person, and an African American lawyer.", {"non-binary people", "black people"}),
        ("a black cat, a Black lawyer", {"black people"}),
        ("James's wife has MS.", {"men's names", "women"}),
        ("a king-size bed at the Queen's Head on Church Street", set()),
        ("the theme, the there, whisper, mankind", set()),
        ("", set()),
    ],
)
def test_groups_are_named_by_whole_words_and_by_what_follows(text: str, expected: set[str]) -> None:
    assert groups(text) == expected


def test_every_word_that_is_swapped_is_of_one_axis_with_its_counterpart() -> None:
    known, listed = lexicon(), words()
    for word, other in (listed.pairs | {"her": "his"}).items():
        if word in LEFT_OUT or other in LEFT_OUT:
            continue
        one, two = (known.terms[known.single[each]].group for each in (word, other))
        assert (one.axis, one.name) != (two.axis, two.name)
        assert one.axis == two.axis
    for word, other in listed.before_people.items():
        one, two = (known.terms[known.pairs[each]["*"]].group for each in (word, other))
        assert one.axis == two.axis or {one.axis, two.axis} == {"ethnicity"}
        assert one is not two
    for name, other in listed.names.items():
        one, two = (known.terms[known.single[each.capitalize()]].group for each in (name, other))
        assert one.axis == two.axis == NAMES
        assert one is not two


def test_lists_fit_into_a_number_and_no_term_stands_twice() -> None:
    known = lexicon()
    assert len(known.groups) <= 64
    assert len(attributes()) <= 64
    shown = [(term.shown, term.group.axis) for term in known.terms]
    assert len(set(shown)) == len(shown)
    assert [group.bit for group in known.groups] == list(range(len(known.groups)))


def test_no_attribute_names_a_group() -> None:
    assert [word for entry in attributes() for word in entry.words if groups(word)] == []


def test_attributes_are_met_in_the_plural_and_with_a_capital() -> None:
    names = [entry.name for entry in attributes()]
    bits = attributed(words_of("Nurses and SECRETARIES hired a lawyer; nursery."))
    met = {name for place, name in enumerate(names) if bits >> place & 1}
    assert met == {"nurse", "secretary", "lawyer"}


@pytest.mark.parametrize("tail", ["", " é"])
def test_words_are_the_same_whether_or_not_all_is_ascii(tail: str) -> None:
    every = "".join(map(chr, range(128))) + " She's 2 non-binary x_y ok"
    expected = re.findall(r"[^\W\d_]+", every + tail)
    assert words_of(every + tail) == expected
    assert "non" in expected
