"""Invitations, sessions, and that a person who is forgotten is gone."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from sqlalchemy import text, update

from tests.review import postgres
from tests.review.stored import begun, rater, rows, say, shown
from trimtab.errors import ReviewError
from trimtab.review import people
from trimtab.review.judging import comment, undo
from trimtab.review.people import LONGEST_NAME, Person
from trimtab.review.reading import said
from trimtab.review.store import Store
from trimtab.review.tables import events, keys, metadata


def expire(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(update(keys).values(expires=time.time() - 1))


def dump(store: Store) -> str:
    """All that any table holds."""
    with store.reading() as connection:
        return str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in metadata.tables])


def test_an_invitation_opens_sessions_on_several_devices(store: Store) -> None:
    token = people.invite(store, " Ada ", "rater")
    first, second = people.enter(store, token), people.enter(store, token)
    assert first is not None
    assert second is not None
    assert first[0] != second[0]
    assert first[1] == second[1] == Person(first[1].id, "Ada", "rater")
    assert people.who(store, first[0]) == people.who(store, second[0]) == first[1]
    people.leave(store, first[0])
    assert people.who(store, first[0]) is None
    assert people.who(store, second[0]) == first[1]


def test_an_invitation_is_no_session_and_a_session_no_invitation(store: Store) -> None:
    token = people.invite(store, "Ada", "author")
    entered = people.enter(store, token)
    assert entered is not None
    assert people.who(store, token) is None
    assert people.enter(store, entered[0]) is None
    people.leave(store, token)
    assert people.enter(store, token) is not None


@pytest.mark.parametrize("token", ["", "none", "\x00", "\ud800", "x" * 100_000])
def test_what_was_never_handed_out_opens_nothing(token: str, store: Store) -> None:
    people.invite(store, "Ada", "author")
    assert people.enter(store, token) is None
    assert people.who(store, token) is None


def test_invitations_and_sessions_expire(store: Store) -> None:
    token = people.invite(store, "Ada", "rater", days=2)
    entered = people.enter(store, token)
    assert entered is not None
    left = {row["kind"]: (row["expires"] - row["made"]) / people.DAY for row in rows(store, keys)}
    assert left == pytest.approx({"invitation": 2, "session": people.SESSION_DAYS}, abs=1e-3)
    expire(store)
    assert people.enter(store, token) is None
    assert people.who(store, entered[0]) is None


def test_revoking_ends_all_of_one_person_and_nothing_else(store: Store) -> None:
    token, others = people.invite(store, "Ada", "rater"), people.invite(store, "Ben", "rater")
    entered, other = people.enter(store, token), people.enter(store, others)
    assert entered is not None
    assert other is not None
    people.revoke(store, entered[1].id)
    assert people.enter(store, token) is None
    assert people.who(store, entered[0]) is None
    assert people.who(store, other[0]) == other[1]
    assert people.everyone(store) == [entered[1], other[1]]


def test_no_token_is_kept(store: Store) -> None:
    token = people.invite(store, "Ada", "rater")
    entered = people.enter(store, token)
    assert entered is not None
    kept = dump(store)
    assert token not in kept
    assert entered[0] not in kept
    assert {row["hash"] for row in rows(store, keys)} == {
        hashlib.sha256(one.encode()).hexdigest() for one in (token, entered[0])
    }


def test_what_is_wrong_with_an_invitation_is_said_at_once(store: Store) -> None:
    with pytest.raises(ReviewError) as caught:
        people.invite(store, " " * 5, "king", days=0)  # type: ignore[arg-type]
    for part in ("a name of 0 characters", "'king': one of author, rater, viewer", "0 days"):
        assert part in str(caught.value)
    for days in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ReviewError, match="days"):
            people.invite(store, "Ada", "rater", days=days)
    with pytest.raises(ReviewError, match="81 characters"):
        people.invite(store, "x" * (LONGEST_NAME + 1), "rater")
    assert people.everyone(store) == []


def test_a_name_may_hold_anything(store: Store) -> None:
    people.invite(store, "Zoë 🦀\x00\ud800", "viewer")
    assert [one.name for one in people.everyone(store)] == ["Zoë 🦀\ufffd\ufffd"]


def test_nobody_has_an_unknown_number(store: Store) -> None:
    for act in (people.revoke, people.forget):
        with pytest.raises(ReviewError, match="no person has the number 7"):
            act(store, 7)


def test_the_log_says_who_did_what_and_no_text(store: Store) -> None:
    person = rater(store, "Ada Secret")
    people.revoke(store, person)
    assert [(row["person"], row["what"], row["about"]) for row in rows(store, events)] == [
        (person, "invited", "rater"),
        (person, "entered", ""),
        (person, "revoked", ""),
    ]


SECRETS = ("Ada Lovelace-Quux", "my-reason-quux", "my-correction-quux", "my-undone-quux", "my-comment-quux")


def written(store: Store) -> tuple[int, int]:
    """A review in which one person wrote all that can be written, and another one as well."""
    review = begun(store)
    person, other = rater(store, SECRETS[0]), rater(store, "Ben")
    say(store, person, shown(store, review, person).task, reason=SECRETS[3])
    undo(store, review, person)
    task = shown(store, review, person).task
    say(store, person, task, reason=SECRETS[1], correction=SECRETS[2] * 500)
    comment(store, review, person, "", SECRETS[4])
    say(store, other, shown(store, review, other).task, "right", reason="kept-quux")
    return review, person


def test_a_person_who_is_forgotten_leaves_choices_alone(store: Store) -> None:
    review, person = written(store)
    before = [(one.vote.left, one.vote.right, one.vote.choice) for one in said(store, review)]
    assert all(secret in dump(store) for secret in SECRETS)
    people.forget(store, person)
    assert not any(secret in dump(store) for secret in SECRETS)
    after = said(store, review)
    assert [(one.vote.left, one.vote.right, one.vote.choice) for one in after] == before
    assert [(one.forgotten, one.reason) for one in after] == [(True, ""), (False, "kept-quux")]
    assert [one.name for one in people.everyone(store)] == ["Ben"]
    assert not [row for row in rows(store, keys) if row["person"] == person]
    with pytest.raises(ReviewError, match="no person"):
        people.forget(store, person)


def in_files(folder: Path, *words: str) -> list[tuple[str, str]]:
    found = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    assert found
    return [(path.name, word) for path, content in found for word in words if word.encode() in content]


def test_nothing_of_a_forgotten_person_stays_in_the_file(tmp_path: Path) -> None:
    found = Store.open(f"sqlite:///{tmp_path}/people.db")
    _, person = written(found)
    assert {word for _, word in in_files(tmp_path, *SECRETS)} == set(SECRETS)
    people.forget(found, person)
    # The store stays open: nothing was cleaned up by closing it.
    assert in_files(tmp_path, *SECRETS) == []
    assert in_files(tmp_path, "kept-quux") != []
    found.close()


def test_nothing_of_a_forgotten_person_stays_in_the_tables_of_postgresql(server: postgres.Server) -> None:
    with server.database("opened") as url:
        found = Store.open(url)
        _, person = written(found)
        server.run("CHECKPOINT")
        base = server.folder / "data" / "base"
        # Long texts are compressed: the correction is looked for by what is not.
        plain = [secret for secret in SECRETS if secret != SECRETS[2]]
        assert {word for _, word in in_files(base, *plain)} == set(plain)
        people.forget(found, person)
        server.run("CHECKPOINT")
        assert in_files(base, *plain) == []
        assert in_files(base, "kept-quux") != []
        found.close()
