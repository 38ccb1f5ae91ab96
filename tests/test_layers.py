"""The shape of the source: which way imports go, how long things are, what is documented, what is slow."""

from __future__ import annotations

import ast
import functools
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "trimtab"
MODULES = sorted(SOURCE.rglob("*.py"))
# From the lowest to the highest: a module may import from its own layer and from those before it.
LAYERS = (
    "errors", "records", "recipe", "guidelines", "run", "stats", "model", "data", "adjust", "measure",
    "decide", "review", "document", "starter", "prepare", "planning", "trials", "pipeline", "scale", "serve",
    "cli",
)  # fmt: skip
STAGES = ("data", "adjust", "measure", "decide", "review", "document")
RECIPE_READERS = ("recipe", "starter", "prepare", "planning", "trials", "pipeline", "serve", "cli")
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
                # Whatever the package exports by itself comes from the pipeline.
                yield layer if layer in LAYERS else "pipeline"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public classes, functions and methods; what is private inside, or inside something private, is not."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_every_module_belongs_to_a_known_layer() -> None:
    assert len(MODULES) > 30
    assert {layer_of(path) for path in MODULES} - {"__init__"} <= set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_never_run_uphill(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return
    below = LAYERS[: LAYERS.index(layer) + 1]
    assert [found for found in own_imports(tree_of(path)) if found not in below] == []


@pytest.mark.parametrize("path", [p for p in MODULES if layer_of(p) in STAGES], ids=name_of)
def test_stages_never_import_one_another(path: Path) -> None:
    others = set(STAGES) - {layer_of(path)}
    assert others.isdisjoint(own_imports(tree_of(path)))


@pytest.mark.parametrize("path", [p for p in MODULES if layer_of(p) not in RECIPE_READERS], ids=name_of)
def test_only_the_edge_sees_a_recipe(path: Path) -> None:
    assert "recipe" not in own_imports(tree_of(path))


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=name_of)
def test_own_modules_are_imported_at_the_top(path: Path) -> None:
    if name_of(path) == "cli/main.py":
        return
    hidden = [node.name for node in functions(tree_of(path)) if any(own_imports(node))]
    assert hidden == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_sizes_and_names(path: Path) -> None:
    tree = tree_of(path)
    assert path.stem not in FORBIDDEN
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES
    spans = [(node.name, (node.end_lineno or 0) - node.lineno + 1) for node in functions(tree)]
    assert [span for span in spans if span[1] > FUNCTION] == []
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert [node.name for node in classes if (node.end_lineno or 0) - node.lineno >= CLASS] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_documented(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree)
    assert [node.name for node in public(tree.body) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_functions_take_few_parameters(path: Path) -> None:
    for node in public(tree_of(path).body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            assert len([name for name in names if name not in ("self", "cls")]) <= PARAMETERS, node.name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_library_code_neither_prints_nor_asserts_nor_pickles(path: Path) -> None:
    tree = tree_of(path)
    calls = [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert "print" not in calls
    assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not {"pickle", "dill", "cloudpickle", "joblib"} & set(imported)


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
    assert min(seconds(command) for _ in range(7)) < SECONDS


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
