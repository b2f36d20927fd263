"""Break the code in small ways, one at a time, and list the changes that no test notices.

    python tools/mutants.py [--only crypto/age] [--only crypto/kdf.py] [--sample 200]

Each mutant meets only the tests that mirror its file (`tests/crypto/test_kdf.py`, or the folder's
tests where there is no such file), in a copy of the tree. Survivors that cannot be told from the
original are explained in `tools/mutants.toml`; any other, and any explanation that a whole run
did not need, makes the exit code 1. Whole, it takes a quarter of an hour of one core; `nice` it.
"""

import argparse
import ast
import importlib
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
WHOLE = [Path("crypto"), Path("casework/law/engine.py"), Path("casework/law/workdays.py")]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*cache", ".hypothesis", "__pycache__", "var")
PYTEST = ["-x", "-q", "-p", "no:cacheprovider"]
# Loaded once and inherited by every fork; nothing of what is under test may be among them.
INHERITED = [
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.hpke",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "holidays",
    "hypothesis.stateful",
    "msgspec",
]
KILLED, SURVIVED, TIMED_OUT = range(3)

Mutant = tuple[Path, int, str, str]
Note = tuple[str, str]

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
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "False":
            # Where None stood for False, mypy would say so and a test could not.
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
    original = ast.unparse(tree)
    for statement, field, place, parent in list(sites(tree, tree)):
        holder = getattr(parent, field)
        node = holder if place < 0 else holder[place]
        for variant in variants(node):
            replace(parent, field, place, variant)
            shown = variant if statement is node else statement
            text = ast.unparse(ast.fix_missing_locations(shown)).splitlines()
            module = ast.unparse(tree)
            if module == original:
                continue
            changed = " ".join(line.strip() for line in text[: 1 + text[0].startswith("if ")])
            line = getattr(node, "lineno", getattr(statement, "lineno", 0))
            yield line, changed, module
        replace(parent, field, place, node)


def replace(parent: ast.AST, field: str, place: int, node: ast.AST) -> None:
    """Put `node` into `parent`."""
    if place < 0:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[place] = node


def tests_of(file: Path) -> Path:
    """Return the test file that mirrors `file`, or the folder of those that mirror its folder."""
    # A package is mirrored beside its folder: crypto/wordlist by tests/crypto/test_wordlist.py.
    module = file.parent if file.name == "__init__.py" else file.with_suffix("")
    mirror = ROOT / "tests" / module.with_name(f"test_{module.name}.py")
    return (mirror if mirror.exists() else (ROOT / "tests" / file).parent).relative_to(ROOT)


def attempt(tree: Path, tests: Path, limit: float) -> tuple[int, float]:
    """Run `tests` in a fork, for at most `limit` seconds of processor time; return those used."""
    child = os.fork()
    if child == 0:
        # Not of the clock on the wall: what else the machine does must not change the result.
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit)))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.chdir(tree)
        # Without the fixtures of the folders above, which found a whole office.
        above = tests if tests.suffix == "" else tests.parent
        os._exit(pytest.main([*PYTEST, f"--confcutdir={above}", str(tests)]))
    _, status, used = os.wait4(child, 0)
    outcome = SURVIVED if status == 0 else KILLED
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}:
        outcome = TIMED_OUT
    return outcome, used.ru_utime + used.ru_stime


def main() -> int:
    """Report the survivors, each with file, line and changed source."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--sample", type=int, metavar="N", help="spread evenly over all mutants")
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutants", database=None, deadline=None, derandomize=True, phases=phases
    )
    hypothesis.settings.load_profile("mutants")
    for name in INHERITED:
        importlib.import_module(name)
    files = [file for place in options.only or WHOLE for file in files_in(place)]
    rows = tomllib.loads((ROOT / "tools/mutants.toml").read_text(encoding="utf-8"))["survivor"]
    notes = {(row["file"], row["source"]) for row in rows}
    notes = {note for note in notes if Path(note[0]) in files}
    plan = [
        (file, *mutant) for file in files for mutant in mutants((ROOT / file).read_text("utf-8"))
    ]
    whole = not options.sample or options.sample >= len(plan)
    if not whole:
        plan = [plan[i * len(plan) // options.sample] for i in range(options.sample)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        # Both save a second per mutant: loading plugins, and making a table of all characters.
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{folder}/hypothesis"
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        unexplained, needed = report(tree, plan, notes)
    idle = sorted(notes - needed) if whole else []
    for file, source in idle:
        print(f"tools/mutants.toml explains what did not survive: {file}: {source}")
    return 1 if unexplained or idle else 0


def files_in(place: Path) -> list[Path]:
    """Return the modules that `place` is or holds, relative to the root."""
    found = (ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place]
    return sorted(path.relative_to(ROOT) for path in found)


def report(tree: Path, plan: list[Mutant], notes: set[Note]) -> tuple[int, set[Note]]:
    """Try every mutant of `plan` and print the survivors.

    Return how many of them no note explains, and the notes that explained one.
    """
    limits: dict[Path, float] = {}
    total: Counter[str] = Counter()
    needed: set[Note] = set()
    for file in dict.fromkeys(mutant[0] for mutant in plan):
        tests, counts = tests_of(file), Counter[str]()
        if tests not in limits:
            outcome, seconds = attempt(tree, tests, 600)
            if outcome != SURVIVED:
                sys.exit(f"{tests} fail without any mutant")
            limits[tests] = 5 + 3 * seconds
        original = (tree / file).read_text(encoding="utf-8")
        for _, line, changed, module in (mutant for mutant in plan if mutant[0] == file):
            (tree / file).write_text(module, encoding="utf-8")
            outcome, _ = attempt(tree, tests, limits[tests])
            if outcome == SURVIVED and (str(file), changed) in notes:
                needed.add((str(file), changed))
                counts["explained"] += 1
            elif outcome == SURVIVED:
                counts["survived"] += 1
                print(f"{file}:{line}: {changed}", flush=True)
            else:
                counts["killed" if outcome == KILLED else "timed out"] += 1
        (tree / file).write_text(original, encoding="utf-8")
        print(f"{file}: {told(counts)}", flush=True)
        total += counts
    print(f"all: {told(total)}")
    return total["survived"], needed


def told(counts: Counter[str]) -> str:
    """Return the counts in words."""
    names = ("killed", "timed out", "explained", "survived")
    parts = [f"{counts[name]} {name}" for name in names if counts[name]]
    return f"{counts.total()} mutants: {', '.join(parts)}"


if __name__ == "__main__":
    sys.exit(main())
