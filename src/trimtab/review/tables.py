"""The tables of the store: people, what they are shown, and what they said; users of served models likewise.

Judgements are only added: what is taken back gets a time in `undone`, and counts no longer. Times are seconds since
1970, UTC. Which stack an answer is from stands in `answers` and `tasks` alone, which no page reads beyond the texts.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
# Characters of ids: of runs, reviews and items; of stacks and rules.
LONG, SHORT = 255, 64
STANDING = text("undone IS NULL")
# PostgreSQL keeps no NUL, and neither database keeps half of a surrogate pair.
UNKEPT = re.compile("[\\x00\\ud800-\\udfff]")
metadata = MetaData(naming_convention=NAMES)


class Words(TypeDecorator[str]):
    """Text that both databases take: what they cannot keep becomes U+FFFD, also where it is looked for."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """What is sent to the database."""
        return None if value is None else UNKEPT.sub("\ufffd", value)


class Name(TypeDecorator[str]):
    """The same, of at most so many characters."""

    impl = String
    cache_ok = True
    process_bind_param = Words.process_bind_param


people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    # All that is kept of a person; empty after they were forgotten.
    Column("name", Name(80), nullable=False),
    Column("role", Name(10), nullable=False),  # author, rater, viewer
    Column("invited", Float, nullable=False),
    Column("forgotten", Float),
)

keys = Table(
    "keys",
    metadata,
    # SHA-256 of an invitation's or a session's token: the token itself is nowhere kept.
    Column("hash", Name(64), primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("kind", Name(10), nullable=False),  # invitation, session
    Column("made", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("revoked", Float),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Name(LONG), nullable=False, index=True),  # identity of the run
    Column("title", Name(LONG), nullable=False),
    Column("purpose", Name(10), nullable=False),  # verdict, learning, live
    Column("stacks", JSON, nullable=False),  # hashes, the base model's first
    Column(
        "guidelines", JSON, nullable=False
    ),  # as shown: version, tone, audience, rules with texts and examples
    Column("plan", JSON, nullable=False),  # see review.sampling.Plan
    Column("made", Float, nullable=False),
    Column("closed", Float),
)

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("review", ForeignKey("reviews.id"), nullable=False, index=True),
    Column("example", Name(LONG), nullable=False),
    Column("share", Name(10), nullable=False),  # records.Share
    Column("position", Integer, nullable=False),
    Column("messages", JSON, nullable=False),  # [[role, content], ...]
    Column("good", Name(SHORT)),  # whose answer is the right one, where that is known (attention, training)
    Column("rule", Name(SHORT)),  # of the guidelines, that a training item teaches
    UniqueConstraint("review", "example", "share"),
)

answers = Table(
    "answers",
    metadata,
    Column("item", ForeignKey("items.id"), primary_key=True),
    Column("stack", Name(SHORT), primary_key=True),
    Column("text", Words, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    # Random, so that nothing can be read from it.
    Column("id", Name(32), primary_key=True),
    Column("item", ForeignKey("items.id"), nullable=False, index=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("left", Name(SHORT), nullable=False),
    Column("right", Name(SHORT), nullable=False),
    Column("again", Boolean, nullable=False),
    Column("shown", Float, nullable=False),
    UniqueConstraint("item", "person", "again"),
    Index("ix_tasks_person", "person"),
)

judgements = Table(
    "judgements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("task", ForeignKey("tasks.id"), nullable=False, index=True),
    # Made by the page that was shown: a judgement that is sent twice is the same one.
    Column("key", Name(32), nullable=False, unique=True),
    Column("choice", Name(5), nullable=False),  # left, right, tie, bad, skip
    Column(
        "ratings", JSON, nullable=False
    ),  # {rule: {"left": bool, "right": bool}}: whether each side keeps it
    Column("reason", Words, nullable=False),
    Column("correction", Words, nullable=False),
    Column("flags", JSON, nullable=False),  # {"left": ["harmful", ...], "right": [...]}
    Column("seconds", Float, nullable=False),
    Column("version", Name(40), nullable=False),  # of the guidelines
    Column("made", Float, nullable=False),
    Column("undone", Float),
    # Of two judgements of one task sent at once, one is refused.
    Index("uq_judgements_standing", "task", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
)

# What a model said of the same pairs, kept apart from people's judgements.
machines = Table(
    "machines",
    metadata,
    Column("review", ForeignKey("reviews.id"), primary_key=True),
    Column("judge", String(255), primary_key=True),
    Column("votes", JSON, nullable=False),  # [[example, left, right, choice], ...]
    Column("silent", JSON, nullable=False),  # examples that it gave no verdict on
    Column("consistent", JSON, nullable=False),  # records.Estimate: same verdict in both orders
    Column("made", Float, nullable=False),
)

comments = Table(
    "comments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("review", ForeignKey("reviews.id"), nullable=False, index=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("rule", Name(SHORT), nullable=False),  # empty: on the guidelines as a whole
    Column("text", Words, nullable=False),
    Column("made", Float, nullable=False),
)

# Who did what; never a text that someone wrote.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("person", ForeignKey("people.id")),
    Column("what", Name(30), nullable=False),
    Column("about", Name(200), nullable=False),
)

# Of people who use a served model: see `trimtab.live`. Their texts are empty unless the operator has them kept.
api_keys = Table(
    "api_keys",
    metadata,
    # Random: what is kept of an answer names its owner by nothing else.
    Column("id", Name(SHORT), primary_key=True),
    Column("hash", Name(SHORT), nullable=False, unique=True),  # SHA-256 of the key, which is nowhere kept
    Column("name", Name(80), nullable=False),  # empty after its holder was forgotten
    Column("models", JSON, nullable=False),  # names; empty: all
    Column("made", Float, nullable=False),
    Column("revoked", Float),
)

live_answers = Table(
    "live_answers",
    metadata,
    Column("id", Name(SHORT), primary_key=True),  # the response's, a dash, the number of the choice
    Column("time", Float, nullable=False, index=True),
    Column("owner", Name(SHORT), nullable=False, index=True),  # api_keys.id; empty where no key was asked for
    Column("model", Name(LONG), nullable=False),  # the name that was asked for
    Column("stack", Name(SHORT), nullable=False),
    Column("prompt", Words, nullable=False),
    Column("answer", Words, nullable=False),
    Column("confidence", Float),
    Column("fired", JSON, nullable=False),  # ids of rules
    Column("arm", Name(SHORT), nullable=False),  # what a profile chose for it; empty where it chose nothing
)

feedback = Table(
    "feedback",
    metadata,
    # One for each answer: what is said again takes the place of what was said before.
    Column("answer", ForeignKey("live_answers.id"), primary_key=True),
    Column("owner", Name(SHORT), nullable=False),
    Column("time", Float, nullable=False),
    Column("thumb", Integer),  # -1, 1
    Column("rating", Integer),  # 1 to 5
    Column("correction", Words, nullable=False),
    Column("reason", Words, nullable=False),
)
