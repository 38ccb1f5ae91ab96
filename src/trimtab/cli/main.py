"""The command `trimtab`: its verbs, its errors and its exit codes. A verb's module is imported on use."""

from __future__ import annotations

import difflib
import importlib
import sys
import textwrap
import traceback
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import typer
from typer.core import TyperGroup

from trimtab import __version__
from trimtab.cli import show
from trimtab.errors import MissingPart, TrimtabError, UserError

# Verb: the module that holds it, and its help in one line. In the order in which a newcomer needs them.
VERBS: Mapping[str, tuple[str, str]] = {
    "demo": ("tune", "Tune the embedded model on the embedded data, up to a verdict."),
    "init": ("begin", "Write a recipe: from nothing, or from your own CSV or JSONL."),
    "doctor": ("begin", "Check the machine and the installation."),
    "audit": ("audit", "Say what is wrong with data, before a model learns it."),
    "card": ("card", "Write the card of data, or of a run's model, for the Hub."),
    "preview": ("look", "Show how data is read, and which tokens are learned."),
    "plan": ("tune", "Say what the data can prove, and the time and memory it takes."),
    "tune": ("tune", "Find the smallest adjustment that passes, and give a verdict."),
    "dose": ("dose", "Measure less and more of an adjustment: gain and harm by strength."),
    "probe": ("probe", "See what answers depend on, and what an adjustment moved."),
    "review": ("review", "Have people judge answers blindly, in the browser."),
    "export": ("export", "Export a tuned model for other programs, compared with it first."),
    "serve": ("serve", "Serve tuned models to OpenAI's clients, many stacks in one batch."),
    "verify": ("verify", "Say whether a text carries a run's watermark, with the p-value."),
    "profile": ("profile", "Set, learn or delete what a served model is to one user or team."),
    "watch": ("watch", "See whether live answers have drifted, and let people look at them."),
    "compare": ("look", "Compare two runs, or two files of scores, item by item."),
    "report": ("look", "Write a run's report.html again."),
    "runs": ("runs", "List the runs and their verdicts, or show them in the browser."),
    "erase": ("erase", "Remove a person's rows, and mark what learned from them."),
}

STOPPED = "Stopped. Nothing is lost: give the same command again and the run goes on."
INTERRUPTED = 130
# Packages of the optional parts, and the part that each belongs to.
PARTS = {
    "torch": "local",
    "transformers": "local",
    "peft": "local",
    "safetensors": "local",
    "tokenizers": "local",
    "gguf": "local",
    "sacrebleu": "measures",
    "rouge_score": "measures",
    "vaderSentiment": "measures",
    "ftfy": "audit",
    "py3langid": "audit",
    "presidio_analyzer": "privacy",
    "spacy": "privacy",
    "pyarrow": "data",
    "datasets": "data",
    "captum": "probe",
    "umap": "probe",
    "fastapi": "review",
    "uvicorn": "review",
    "python_multipart": "review",
    "evalica": "review",
    "prometheus_client": "review",
    "pg8000": "postgresql",
}
# The parser's own exceptions have no public name that all its versions share.
_Misuse: Any = typer.BadParameter.__mro__[1]
_ParserError: Any = typer.BadParameter.__mro__[2]


class Verbs(TyperGroup):
    """The group of all verbs, which knows their names and help without importing them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a verb; its module is imported now."""
        return command(cmd_name) if cmd_name in VERBS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The verbs with their help, from the table."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb that was typed; an unknown one is answered with the nearest."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            known = f"did you mean {near[0]}?" if near else f"known: {', '.join(VERBS)}"
            raise UserError(f"no verb {args[0]!r}", known)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="trimtab", cls=Verbs, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _version(asked: bool) -> None:
    if asked:
        show.line(f"trimtab {__version__}")
        raise typer.Exit


@app.callback(subcommand_metavar="VERB ...", context_settings={"help_option_names": ["-h", "--help"]})
def _trimtab(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Find the smallest change to a language model that provably does what you asked."""


def command(verb: str) -> Any:
    """The parser's command of one verb."""
    module = importlib.import_module(f"trimtab.cli.{VERBS[verb][0]}")
    found = typer.main.get_group(module.app).commands[verb]
    found.context_settings = {"help_option_names": ["-h", "--help"]}
    return found


def run() -> None:
    """The entry point: run the command line of this process, and end it with the exit code."""
    as_json = "--json" in sys.argv[1:]
    sys.excepthook = _our_fault_json if as_json else _our_fault
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(call(sys.argv[1:]))


def call(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; mistakes of the user are printed, not raised.

    0 done or ship; 10 hold; 11 inconclusive; 2 the user's mistake; 3 a missing optional part; 130 stopped by
    the user. What is our fault is raised, and ends the process with 1.
    """
    as_json = "--json" in arguments
    group = typer.main.get_group(app)
    try:
        with group.make_context("trimtab", list(arguments) or ["--help"]) as context:
            return int(group.invoke(context) or 0)
    except typer.Exit as stop:
        return stop.exit_code
    except _Misuse as error:
        verb = error.ctx.command_path if error.ctx else "trimtab"
        return _failed("UsageError", error.format_message(), f"see: {verb} --help", 2, as_json=as_json)
    except _ParserError as error:
        return _failed("UsageError", error.format_message(), "see: trimtab --help", 2, as_json=as_json)
    except TrimtabError as error:
        return _failed(type(error).__name__, error.message, error.hint, error.exit_code, as_json=as_json)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PARTS:
            raise
        message, hint = f"{package} is not installed", f"pip install 'trimtab[{PARTS[package]}]'"
        return _failed("MissingPart", message, hint, MissingPart.exit_code, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped(as_json=as_json)
    except BrokenPipeError:
        # The reader of our output has gone; closing quietly keeps Python from complaining at exit.
        sys.stderr.close()
        return 0


def _failed(kind: str, message: str, hint: str, code: int, *, as_json: bool) -> int:
    if as_json:
        show.document({"error": {"kind": kind, "message": message, "hint": hint}})
    else:
        show.problem(message, hint)
    return code


def _stopped(*, as_json: bool) -> int:
    if as_json:
        show.document({"error": {"kind": "Stopped", "message": STOPPED, "hint": ""}})
    else:
        show.line(f"\n{STOPPED}", to_error=True)
    return INTERRUPTED


def _our_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an unexpected error with its trace; Python then ends with exit code 1."""
    traceback.print_exception(kind, error, trace)
    advice = "This is a fault of Trimtab, not yours. Please report it with the lines above and the command."
    show.line("\n" + textwrap.fill(advice, 80), to_error=True)


def _our_fault_json(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _our_fault(kind, error, trace)
    hint = "this is a fault of Trimtab; please report it with the trace on stderr"
    show.document({"error": {"kind": kind.__name__, "message": str(error), "hint": hint}})
