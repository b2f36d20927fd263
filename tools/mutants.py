"""Break the code in small ways, one at a time, and list the changes that no test notices.

    python tools/mutants.py [--package crypto] [--only crypto/kdf.py] [--sample 200]

Each mutant meets only the tests that mirror its file (`tests/crypto/test_kdf.py`, or the folder's
tests where there is no such file), in a copy of the tree. Survivors that cannot be told from the
original are explained in `tools/mutants.toml`; any other makes the exit code 1.
"""

import argparse
import ast
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

# Loaded once and inherited by every fork; nothing of the package under test may be among them.
import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*cache", ".hypothesis", "__pycache__", "var")
PYTEST = ["-x", "-q", "-p", "no:cacheprovider"]
KILLED, SURVIVED, TIMED_OUT = range(3)

PAIRS = "Lt LtE, Gt GtE, Eq NotEq, Is IsNot, In NotIn, And Or, Add Sub, LShift RShift, BitAnd BitOr"
NODES = [tuple(getattr(ast, name) for name in pair.split()) for pair in PAIRS.split(", ")]
OPPOSITES = dict(NODES) | {second: first for first, second in NODES}
OPPOSITES |= {ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitXor: ast.BitOr}
# Messages are for people, annotations for mypy, imports for nobody but Python.
FIELDS_PASSED_OVER = {"annotation", "returns", "decorator_list", "bases", "exc", "cause"}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of `node`."""
    if type(node) in OPPOSITES:
        yield OPPOSITES[type(node)]()
    match node:
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool() as truth):
            yield ast.Constant(not truth)
        case ast.Constant(value=int() as number):
            yield ast.Constant(number + 1)
        case ast.Constant(value=str() as text):
            yield ast.Constant(text + "x")
        case ast.Constant(value=bytes() as raw):
            yield ast.Constant(raw + b"x")
        case ast.If():
            never = ast.BoolOp(ast.And(), [ast.Constant(value=False), node.test])
            yield ast.If(never, node.body, node.orelse)
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield ast.If(ast.Constant(value=False), [node], [])


def sites(parent: ast.AST, statement: ast.AST) -> Iterator[tuple[ast.AST, str, int, ast.AST]]:
    """Yield statement, field, place and node of everything below `parent` that may be replaced."""
    for field, value in ast.iter_fields(parent):
        if field in FIELDS_PASSED_OVER:
            continue
        for place, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or has_no_effect(node):
                continue
            within = node if isinstance(node, ast.stmt) else statement
            yield within, field, place if isinstance(value, list) else -1, parent
            yield from sites(node, within)


def has_no_effect(node: ast.AST) -> bool:
    """Say whether a statement imports, documents, or declares a type or the public names."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, changed statement and changed module, one change at a time."""
    tree = ast.parse(source)
    for statement, field, place, parent in list(sites(tree, tree)):
        holder = getattr(parent, field)
        node = holder if place < 0 else holder[place]
        for variant in variants(node):
            replace(parent, field, place, variant)
            shown = variant if statement is node else statement
            text = ast.unparse(ast.fix_missing_locations(shown)).splitlines()
            changed = " ".join(line.strip() for line in text[: 1 + text[0].startswith("if ")])
            line = getattr(node, "lineno", getattr(statement, "lineno", 0))
            yield line, changed, ast.unparse(tree)
        replace(parent, field, place, node)


def replace(parent: ast.AST, field: str, place: int, node: ast.AST) -> None:
    """Put `node` into `parent`."""
    if place < 0:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node


def tests_of(file: Path) -> Path:
    """Return the test file that mirrors `file`, or the folder of those that mirror its folder."""
    mirror = ROOT / "tests" / file.with_name(f"test_{file.name}")
    return (mirror if mirror.exists() else mirror.parent).relative_to(ROOT)


def attempt(tree: Path, tests: Path, limit: float) -> int:
    """Run `tests` in a fork, for at most `limit` seconds."""
    child = os.fork()
    if child == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.chdir(tree)
        os._exit(pytest.main([*PYTEST, str(tests)]))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return SURVIVED if status == 0 else KILLED
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMED_OUT


def main() -> int:
    """Report the survivors, each with file, line and changed source."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--package", default="crypto")
    parser.add_argument("--only", action="append", type=Path, metavar="FILE")
    parser.add_argument("--sample", type=int, metavar="N", help="spread evenly over all mutants")
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutants", database=None, deadline=None, derandomize=True, phases=phases
    )
    hypothesis.settings.load_profile("mutants")
    notes = tomllib.loads((ROOT / "tools/mutants.toml").read_text(encoding="utf-8"))["survivor"]
    explained = {(note["file"], note["source"]) for note in notes}
    package = (ROOT / options.package).rglob("*.py")
    files = options.only or sorted(path.relative_to(ROOT) for path in package)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        # Both save a second per mutant: loading plugins, and making a table of all characters.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{folder}/hypothesis"
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        plan = [(file, *mutant) for file in files for mutant in mutants((ROOT / file).read_text())]
        if options.sample and options.sample < len(plan):
            plan = [plan[i * len(plan) // options.sample] for i in range(options.sample)]
        return report(tree, plan, explained)


def report(
    tree: Path, plan: list[tuple[Path, int, str, str]], explained: set[tuple[str, str]]
) -> int:
    """Try every mutant of `plan`, print the survivors, return the exit code."""
    limits: dict[Path, float] = {}
    counts, known = [0, 0, 0], 0
    for file, line, changed, module in plan:
        tests = tests_of(file)
        if tests not in limits:
            start = time.monotonic()
            if attempt(tree, tests, 600) != SURVIVED:
                sys.exit(f"{tests} fail without any mutant")
            limits[tests] = 5 + 3 * (time.monotonic() - start)
        original = (tree / file).read_text(encoding="utf-8")
        (tree / file).write_text(module, encoding="utf-8")
        outcome = attempt(tree, tests, limits[tests])
        (tree / file).write_text(original, encoding="utf-8")
        counts[outcome] += 1
        if outcome == SURVIVED and (str(file), changed) in explained:
            known += 1
        elif outcome == SURVIVED:
            print(f"{file}:{line}: {changed}", flush=True)
    print(
        f"{len(plan)} mutants: {counts[KILLED]} killed, {counts[TIMED_OUT]} timed out, "
        f"{known} survived as explained, {counts[SURVIVED] - known} survived"
    )
    return 1 if counts[SURVIVED] > known else 0


if __name__ == "__main__":
    sys.exit(main())
