"""The shape of the source: which way imports go, how long things are, what is documented, what is slow."""

from __future__ import annotations

import ast
import functools
import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "trimtab"
MODULES = sorted(SOURCE.rglob("*.py"))
# From the lowest to the highest: a module may import from its own layer and from those before it.
LAYERS = (
    "errors", "records", "language", "licences", "strict", "candidates", "recipe", "guidelines", "groups", "run",
    "tracking", "taint", "stats", "model", "data", "lineage", "previous", "adjust",
    "measure", "decide", "review", "document", "audit", "erasure", "starter", "prepare", "rungs", "planning", "trials",
    "choosing", "climbing", "pipeline", "dosing", "reviewing", "concluding", "shipped", "verifying", "scale", "probe",
    "rounds", "watch", "live", "watching", "comparing", "export", "serve", "cli",
)  # fmt: skip
STAGES = ("data", "adjust", "measure", "decide", "review", "document")
RECIPE_READERS = (
    "recipe",
    "starter",
    "prepare",
    "rungs",
    "planning",
    "trials",
    "choosing",
    "climbing",
    "pipeline",
    "dosing",
    "reviewing",
    "concluding",
    "probe",
    "rounds",
    "live",
    "watching",
    "serve",
    "cli",
)
FORBIDDEN = (
    "utils",
    "util",
    "common",
    "helpers",
    "helper",
    "misc",
    "other",
    "tools",
    "extras",
    "shared",
    "base_utils",
)
SECONDS = 0.3
LINES, FUNCTION, CLASS, PARAMETERS = 400, 80, 250, 8
PICKLES = {"pickle", "dill", "cloudpickle", "joblib"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def layer_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def own_imports(node: ast.AST) -> Iterator[str]:
    """The layers that the import statements below a node reach; `import trimtab` reaches what it exports."""
    for item in ast.walk(node):
        if isinstance(item, ast.Import):
            dotted = [alias.name for alias in item.names]
        elif isinstance(item, ast.ImportFrom) and item.level:
            raise AssertionError(f"line {item.lineno}: a relative import")
        elif isinstance(item, ast.ImportFrom) and item.module == "trimtab":
            dotted = [f"trimtab.{alias.name}" for alias in item.names]
        elif isinstance(item, ast.ImportFrom):
            dotted = [str(item.module)]
        else:
            continue
        for text in dotted:
            package, _, rest = text.partition(".")
            layer = rest.partition(".")[0]
            if package == "trimtab" and not layer.startswith("__"):
                # What the package itself exports comes from the pipeline.
                yield layer if layer in LAYERS else "pipeline"


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def span(node: Function | ast.ClassDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def parameters(node: Function) -> list[str]:
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def public(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    """Public classes, functions and methods; what is private inside, or inside something private, is not."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def places(paths: Iterable[Path] = MODULES) -> Iterator[tuple[Path, ast.Module]]:
    return ((path, tree_of(path)) for path in paths)


def test_every_module_belongs_to_a_known_layer() -> None:
    assert len(MODULES) > 30
    assert {layer_of(path) for path in MODULES} - {"__init__"} <= set(LAYERS)


def test_imports_never_run_uphill() -> None:
    uphill = [
        f"{name_of(path)} imports {found}"
        for path, tree in places(path for path in MODULES if layer_of(path) != "__init__")
        for found in own_imports(tree)
        if LAYERS.index(found) > LAYERS.index(layer_of(path))
    ]
    assert uphill == []


def test_stages_never_import_one_another() -> None:
    across = [
        f"{name_of(path)} imports {found}"
        for path, tree in places(path for path in MODULES if layer_of(path) in STAGES)
        for found in own_imports(tree)
        if found in STAGES and found != layer_of(path)
    ]
    assert across == []


def test_only_the_edge_sees_a_recipe() -> None:
    inner = places(path for path in MODULES if layer_of(path) not in RECIPE_READERS)
    assert [name_of(path) for path, tree in inner if "recipe" in own_imports(tree)] == []


def test_own_modules_are_imported_at_the_top() -> None:
    hidden = [
        f"{name_of(path)}: {node.name}"
        for path, tree in places()
        if path.name != "__init__.py" and name_of(path) != "cli/main.py"
        for node in functions(tree)
        if any(own_imports(node))
    ]
    assert hidden == []


def test_no_module_is_a_drawer_or_too_long() -> None:
    assert [name_of(path) for path in MODULES if path.stem in FORBIDDEN] == []
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_functions_and_classes_are_short() -> None:
    long = [
        f"{name_of(path)}: {node.name}, {span(node)} lines"
        for path, tree in places()
        for node in ast.walk(tree)
        if isinstance(node, Function | ast.ClassDef)
        and span(node) > (CLASS if isinstance(node, ast.ClassDef) else FUNCTION)
    ]
    assert long == []


def test_what_is_public_is_documented() -> None:
    bare = [name_of(path) for path, tree in places() if not ast.get_docstring(tree)]
    bare += [
        f"{name_of(path)}: {node.name}"
        for path, tree in places()
        for node in public(tree.body)
        if not ast.get_docstring(node)
    ]
    assert bare == []


def test_public_functions_take_few_parameters() -> None:
    many = [
        f"{name_of(path)}: {node.name}"
        for path, tree in places()
        for node in public(tree.body)
        if isinstance(node, Function) and len(parameters(node)) > PARAMETERS
    ]
    assert many == []


def test_library_code_neither_prints_nor_asserts_nor_pickles() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in places()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        or (isinstance(node, ast.Import) and {alias.name for alias in node.names} & PICKLES)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import trimtab", ["pipeline"]),
        ("from trimtab import tune", ["pipeline"]),
        ("from trimtab import __version__, stats", ["stats"]),
        ("from trimtab.data.read import read", ["data"]),
        ("def f():\n    import trimtab.model.load", ["model"]),
        ("if TYPE_CHECKING:\n    from trimtab.measure import find", ["measure"]),
        ("import numpy, trimtabs\nfrom torch import nn", []),
    ],
)
def test_imports_are_found_wherever_they_stand(code: str, found: list[str]) -> None:
    assert list(own_imports(ast.parse(code))) == found


def seconds(command: list[str]) -> float:
    """Processor time of a command, which other work on the machine does not stretch."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


IMPORT = [sys.executable, "-c", "import trimtab"]
HELP = [
    sys.executable,
    "-c",
    "import sys; sys.argv = ['trimtab', '--help']; from trimtab.cli.main import run; run()",
]


@pytest.mark.parametrize("command", [IMPORT, HELP], ids=["import", "help"])
def test_import_and_help_are_quick(command: list[str]) -> None:
    assert any(seconds(command) < SECONDS for _ in range(10))


@pytest.mark.parametrize(
    "code", ["import trimtab", "from trimtab.cli import main; main.call(['--help'])"], ids=["import", "help"]
)
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    heavy = {"torch", "transformers", "peft", "scipy", "numpy", "pydantic", "rich"}
    probe = f"import sys\n{code}\nprint(*sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_a_report_needs_no_torch() -> None:
    probe = (
        "import sys, trimtab.document, trimtab.data.read, trimtab.measure; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
