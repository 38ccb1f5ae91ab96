"""A served stack watched: its traffic against what was confirmed, people's samples, and the next round's rows."""

from trimtab.watching.following import Follower
from trimtab.watching.learned import NextRound, next_round
from trimtab.watching.looking import Alarm, Looked, Telling, look
from trimtab.watching.people import Cadence
from trimtab.watching.source import File, Kept, Source
from trimtab.watching.state import Wanted
from trimtab.watching.stream import Streamed, streamed
from trimtab.watching.telling import Webhook, named

__all__ = [
    "Alarm",
    "Cadence",
    "File",
    "Follower",
    "Kept",
    "Looked",
    "NextRound",
    "Source",
    "Streamed",
    "Telling",
    "Wanted",
    "Webhook",
    "look",
    "named",
    "next_round",
    "streamed",
]
