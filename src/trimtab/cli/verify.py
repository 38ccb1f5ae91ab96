"""The verb verify: whether a text carries a run's watermark."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from trimtab import verifying
from trimtab.cli import show
from trimtab.run import RunFolder
from trimtab.verifying import Detection

app = typer.Typer(rich_markup_mode=None)
SMALLEST = 1e-12
UNITS = {"green-list": "Green", "synthid": "Rounds won"}


@app.command()
def verify(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT|FILE|-]", help="A text, a file that holds one, or - for stdin.")
    ] = "",
    *,
    run: Annotated[str, typer.Option("--run", metavar="RUN", help="The run whose watermark it is.")],
    as_json: show.Json = False,
) -> int:
    """Say whether a text carries a run's watermark, with the p-value.

    The p-value is the probability that a text which was written without the key shows as much; it is undefined for
    fewer than 16 tokens that count. Of many texts, some are below any limit by chance. A text that was rewritten,
    translated or shortened loses its mark: a high p-value does not say that people wrote it.

    Without TEXT: what is found in the run's own answers, in the base model's and in the rows' references, on select,
    at p < 0.01; it is kept in the run and shown by `trimtab card RUN`. No weights are loaded.
    """
    folder = RunFolder.open(run)
    if not text:
        found = verifying.record(folder)
        if as_json:
            show.document(found)
        else:
            _print_record(found)
        return 0
    given = sys.stdin.read(verifying.MOST + 1) if text == "-" else verifying.text_of(text)
    detection = verifying.verify(folder, given)
    if as_json:
        show.document(detection)
    else:
        _print(detection)
    return 0


def _print(found: Detection) -> None:
    rows = [
        ("Watermark", f"{found.scheme}, key {found.key}"),
        ("Tokens", f"{found.tokens}, of which {found.counted} count"),
    ]
    if found.undefined:
        rows.append(("p-value", f"undefined: {found.undefined}"))
    else:
        small = found.p_value < SMALLEST
        rows += [
            (UNITS[found.scheme], f"{found.value:.1%} of what counts; {found.expected:.1%} without the mark"),
            ("z", f"{found.z:.2f}"),
            ("p-value", f"below {SMALLEST:g}" if small else f"{found.p_value:.3g}"),
        ]
    show.facts([*rows, ("Method", found.method)])


def _print_record(found: dict[str, Any]) -> None:
    show.facts([("Watermark", f"{found['scheme']}, key {found['key']}"), ("Method", found["method"])])
    show.line()
    rows = []
    for name, counts in found["texts"].items():
        share = counts["found"]
        said = share.undefined or f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"
        rows.append([name, str(share.n), str(counts["too_short"]), show.number(counts["counted"]), said])
    head = ["texts", "tested", "too short", "tokens", f"p < {found['alpha']:g}"]
    show.table(head, rows, numbers=(1, 2, 3))
