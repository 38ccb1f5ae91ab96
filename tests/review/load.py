"""A process of raters who judge one pair after another, told through its standard input and output what was taken.

    python -m tests.review.load URL REVIEW PERSON...

Prints a line for each judgement that was acknowledged, once it was: person, task, key, choice. What is killed meanwhile
loses nothing that it printed.
"""

from __future__ import annotations

import secrets
import sys
import threading

from trimtab.review.assigning import next_task
from trimtab.review.judging import Answer, judge
from trimtab.review.store import Store


def work(store: Store, review: int, person: int) -> None:
    """Judge until nothing is left."""
    while pair := next_task(store, review, person):
        key = secrets.token_hex(16)
        # Before it is sent: what comes of it is not known when the process is killed now.
        print(f"sent {person} {pair.task} {key} left", flush=True)
        judge(store, person, Answer(pair.task, key, "left"))
        print(f"taken {person} {pair.task} {key} left", flush=True)


def main(url: str, review: str, *people: str) -> None:
    """All these people at once."""
    store = Store.open(url)
    threads = [threading.Thread(target=work, args=(store, int(review), int(person))) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
