"""Keys: shown once, kept as a hash, for some models or all, ended at once."""

from __future__ import annotations

import hashlib

import pytest

from tests.review.stored import at_once, rows
from trimtab.errors import ReviewError
from trimtab.live import keys
from trimtab.review.store import Store
from trimtab.review.tables import api_keys


def test_a_key_is_known_until_it_is_revoked_and_only_its_hash_is_kept(store: Store) -> None:
    assert not keys.needed(store)
    text = keys.made(store, " Ann ", ["one", "two", "one"])
    assert len(text) >= 43
    (row,) = rows(store, api_keys)
    assert text not in str(row)
    assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()
    found = keys.known(store, text)
    assert found is not None
    assert (found.name, found.models) == ("Ann", ("one", "two"))
    assert found.opens("one")
    assert not found.opens("three")
    for other in (text[:-1], text + "x", "", row["hash"], "\ud800"):
        assert keys.known(store, other) is None
    keys.revoked(store, "Ann")
    assert keys.known(store, text) is None
    assert keys.needed(store), "revoking the last key must not open the server"
    assert [one.revoked is None for one in keys.listed(store)] == [False]


def test_a_name_has_one_valid_key_and_may_have_another_later(store: Store) -> None:
    first = keys.made(store, "Ann")
    with pytest.raises(ReviewError, match="there is a key called 'Ann'"):
        keys.made(store, "Ann")
    keys.revoked(store, "Ann")
    second = keys.made(store, "Ann", ["one"])
    assert keys.known(store, first) is None
    found = keys.known(store, second)
    assert found is not None
    assert len({found.id, *(one.id for one in keys.called(store, "Ann"))}) == 2
    assert all(key.opens("anything") for key in keys.listed(store)[:1])


def test_of_two_keys_of_one_name_made_at_once_one_is_refused(store: Store) -> None:
    found = at_once(4, lambda _: keys.made(store, "Ann"))
    assert sorted(type(one).__name__ for one in found) == ["ReviewError"] * 3 + ["str"]


@pytest.mark.parametrize(("name", "models"), [(" ", []), ("x" * 81, []), ("Ann", [""]), ("Ann", ["x" * 256])])
def test_what_is_no_name_is_refused(quick: Store, name: str, models: list[str]) -> None:
    with pytest.raises(ReviewError, match="no key was made"):
        keys.made(quick, name, models)
    with pytest.raises(ReviewError, match="no key is called") as caught:
        keys.revoked(quick, "Ann")
    assert caught.value.hint == "there are: none"
