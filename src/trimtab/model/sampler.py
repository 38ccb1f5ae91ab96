"""Batched, seeded answers from any causal model.

Each distinct prompt is read once and shared by its seeds and settings; rows leave when they finish and others take
their places. See `decoding`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from trimtab.model.decoding import ROWS, Row, decode, output, settled
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Example, Message, Output, Question, Sampling, questions

Counted = Callable[[int, int, int], None]


def answer(
    base: Base, wanted: Sequence[Question], *, rows: int = ROWS, report: Counted | None = None
) -> list[Output]:
    """One answer for each question, in order; each may have settings and a seed of its own.

    Greedy answers do not depend on the seed, so they are drawn once and repeated.

    Args:
        rows: answers in one batch.
        report: called with answers finished, answers in all, tokens sampled so far.
    """
    conversations = dict.fromkeys(question.messages for question in wanted)
    prompts = {messages: tuple(prompt_ids(base.tokenizer, messages)) for messages in conversations}
    asked = [
        (prompts[question.messages], question.sampling, question.seed if question.sampling.temperature else 0)
        for question in wanted
    ]
    # Longest answers first: short ones fill the batch while the last long ones end.
    distinct = sorted(dict.fromkeys(asked), key=lambda w: (-w[1].max_new_tokens, len(w[0]), w[0]))
    drawn = [Row(prompt, seed, sampling) for prompt, sampling, seed in distinct]
    finished: dict[tuple[tuple[int, ...], Sampling, int], Row] = {}
    for sampled, row in enumerate(decode(base, drawn, at_once=rows), start=1):
        if row.finish:
            finished[row.prompt, row.sampling, row.seed] = row
            if report:
                report(len(finished), len(drawn), sampled)
    return [output(base, question, finished[want]) for question, want in zip(wanted, asked, strict=True)]


def sample(
    base: Base,
    examples: Sequence[Example],
    sampling: Sampling,
    seeds: Sequence[int] = (0,),
    *,
    rows: int = ROWS,
    report: Counted | None = None,
) -> list[Output]:
    """Answer every example under every seed: outputs example by example, seed by seed."""
    return answer(base, questions(examples, sampling, seeds), rows=rows, report=report)


def stream(base: Base, messages: Sequence[Message], sampling: Sampling, seed: int = 0) -> Iterator[str]:
    """One answer, piece by piece; a piece is held back while it may still be part of a character or stop string."""
    row = Row(tuple(prompt_ids(base.tokenizer, list(messages))), seed, sampling)
    sent = ""
    for _ in decode(base, [row]):
        answer = settled(base, row)
        if len(answer) > len(sent):
            yield answer[len(sent) :]
            sent = answer
