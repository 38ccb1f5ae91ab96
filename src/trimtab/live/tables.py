"""The tables of people who use a served model, in the store of judgements.

Times are seconds since 1970, UTC. Texts are empty unless the operator has them kept. A program that opens the store
without this module knows these tables by their migration alone.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, Table

from trimtab.review.tables import LONG, SHORT, Name, Words, metadata

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
