"""Simulated players whose interests shift: one model keeps what it learned of them, one goes on learning.

    python bench/players.py --games 200
    python bench/players.py --write game.jsonl      # one game, for: trimtab watch --use replay=game.jsonl

Each player has shares of interest in some kinds of task. A model names the kind that it thinks the player wants; the
score of a row is 1 where that is so. The unchanged model knows the first rows of each player; the adapted one goes on
counting, with what lies back fading. At `shift_at` some players' interests are drawn anew.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab.watch import replayed

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Game:
    """`known`: rows of each player that both models learned from before; `shifting`: share of players that shift."""

    players: int = 40
    kinds: int = 6
    rows: int = 4000
    known: int = 30
    shift_at: int = 1500
    shifting: float = 1.0
    fading: float = 0.95


@dataclass(frozen=True)
class Stream:
    """Times and players (rows,), and the score of each model on each row (rows,)."""

    times: list[str]
    players: list[str]
    adapted: Array
    unchanged: Array


def played(game: Game, seed: int) -> Stream:
    """Play a game: each row is answered by both models before one of them learns from it."""
    rng = np.random.default_rng(seed)
    interests = rng.dirichlet(np.full(game.kinds, 0.4), game.players)
    known = np.array([rng.multinomial(game.known, shares) for shares in interests], dtype=np.float64)
    counts = known.copy()
    shifts = rng.random(game.players) < game.shifting
    times, players, scores = [], [], np.zeros((2, game.rows))
    for row in range(game.rows):
        if row == game.shift_at:
            interests[shifts] = rng.dirichlet(np.full(game.kinds, 0.4), int(shifts.sum()))
        player = int(rng.integers(game.players))
        wanted = int(rng.choice(game.kinds, p=interests[player]))
        scores[:, row] = [np.argmax(model[player]) == wanted for model in (counts, known)]
        counts[player] *= game.fading
        counts[player, wanted] += 1
        players.append(f"player {player}")
        times.append(f"2026-03-{1 + row // 1440:02d}T{row // 60 % 24:02d}:{row % 60:02d}")
    return Stream(times, players, scores[0], scores[1])


def write(path: Path, stream: Stream) -> None:
    """Write a game as rows of time, user, adapted and stale."""
    rows = zip(stream.times, stream.players, stream.adapted, stream.unchanged, strict=True)
    names = ("time", "user", "adapted", "stale")
    lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """A table: by share of players that shift, how often and when the adapted model is shown to be better."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--write", type=Path, help="write one game to this file, and end")
    args = parser.parse_args()
    if args.write:
        write(args.write, played(Game(), 0))
        return
    print(
        "| players that shift | shown better | shown worse | rows after the shift, median | gain, last 200 rows |"
    )
    print("|" + "---|" * 5)
    for shifting in (0.0, 0.25, 0.5, 1.0):
        game = Game(shifting=shifting)
        found = []
        for seed in range(args.games):
            stream = played(game, seed)
            found.append(replayed(stream.times, stream.adapted, stream.unchanged))
        better = [one.better_since - game.shift_at for one in found if one.better_since]
        delay = f"{np.median(better):.0f}" if better else "-"
        gain = np.mean([one.recent.value for one in found])
        worse = np.mean([one.worse_since > 0 for one in found])
        print(f"| {shifting:.0%} | {len(better) / len(found):.2f} | {worse:.2f} | {delay} | {gain:+.3f} |")


if __name__ == "__main__":
    main()
