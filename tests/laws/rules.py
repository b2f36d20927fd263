"""Rules over the source tree. Each takes the root and the files, and names what breaks it.

A rule returns lines of the form "path:line: what is wrong"; an empty list means that it holds.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PACKAGES = ("crypto", "sandbox", "casework", "witness", "portal")
PARSERS = {"lxml", "PIL", "pikepdf", "pillow_heif", "pypdfium2", "zipfile"}
"""What reads a file that a person sent runs in the confined process, and nowhere else."""
FORBIDDEN_IMPORTS = {
    "crypto": {
        *("alembic", "casework", "click", "granian", "http", "httpx", "itsdangerous"),
        *("jinja2", "litestar", "portal", "pysqlite3", "sqlalchemy", "time", "urllib"),
        *("sandbox", "witness", *PARSERS),
    },
    "sandbox": {
        *("alembic", "casework", "click", "crypto", "granian", "http", "httpx", "itsdangerous"),
        *("jinja2", "litestar", "portal", "pysqlite3", "sqlalchemy", "urllib", "witness"),
    },
    "casework": {
        *("click", "granian", "http", "httpx", "itsdangerous", "jinja2", "litestar", "multipart"),
        *("portal", "urllib", "witness", *PARSERS),
    },
    "witness": {
        *("alembic", "casework", "click", "granian", "httpx", "itsdangerous", "jinja2"),
        *("multipart", "portal", "pysqlite3", "sandbox", "sqlalchemy", "urllib", *PARSERS),
    },
    "portal": PARSERS,
}
CLOCKS = {"datetime.datetime", "datetime.timezone", "datetime"}
"""crypto may read a date that is written, but not what day it is."""
FORBIDDEN_EVERYWHERE = {"random", "sqlite3"}
NEVER_TEXT = (".png", ".ico", ".jpg", ".woff2", ".gz", ".age")
SKIPPED_FOLDERS = {"var", "build", "node_modules", "__pycache__"}

Rule = Callable[[Path, Sequence[Path]], list[str]]


def files_of(root: Path) -> list[Path]:
    """Return what version control holds or would hold; without git, everything but caches."""
    git = shutil.which("git")
    if git and (root / ".git").exists():
        listing = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
        ).stdout
        names = (Path(name) for name in listing.decode().split("\0") if name)
    else:
        names = (path.relative_to(root) for path in root.rglob("*"))
    return sorted(
        name
        for name in names
        if (root / name).is_file()
        and not any(part in SKIPPED_FOLDERS or part.endswith(".egg-info") for part in name.parts)
        and (not name.parts[0].startswith(".") or name.parts[0] in {".ci", ".gitignore"})
    )


def _modules(root: Path, files: Sequence[Path]) -> Iterator[tuple[Path, ast.Module]]:
    for name in files:
        if name.suffix == ".py" and name.parts[0] in PACKAGES:
            yield name, ast.parse((root / name).read_text("utf-8"), str(name))


def _texts(root: Path, files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for name in files:
        if name.suffix not in NEVER_TEXT:
            yield name, (root / name).read_bytes().decode("utf-8", "replace")


def _hits(name: Path, text: str, pattern: re.Pattern[str], what: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{name}:{line}: {what}: {match[0].strip()[:60]}"


def _undocumented(body: Sequence[ast.stmt], prefix: str = "") -> Iterator[tuple[int, str]]:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_"):
            continue
        overload = any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)
        if ast.get_docstring(node) is None and not overload:
            yield node.lineno, prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node.body, f"{prefix}{node.name}.")


def docstrings(root: Path, files: Sequence[Path]) -> list[str]:
    """Every public module, class, method and function says what it promises."""
    found: list[str] = []
    for name, tree in _modules(root, files):
        if ast.get_docstring(tree) is None:
            found.append(f"{name}:1: no module docstring")
        found.extend(
            f"{name}:{line}: no docstring: {what}" for line, what in _undocumented(tree.body)
        )
    return found


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imports(root: Path, files: Sequence[Path]) -> list[str]:
    """No package imports what its layer must not know, not even inside a function."""
    return [
        f"{name}:{line}: {name.parts[0]} imports {module}"
        for name, tree in _modules(root, files)
        for line, module in _imported(tree)
        if module.split(".")[0] in FORBIDDEN_IMPORTS[name.parts[0]] | FORBIDDEN_EVERYWHERE
        or (name.parts[0] == "crypto" and module in CLOCKS)
    ]


def prints(root: Path, files: Sequence[Path]) -> list[str]:
    """Nothing prints but the CLI: standard output ends up in logs."""
    return [
        f"{name}:{node.lineno}: print"
        for name, tree in _modules(root, files)
        if name.parts[:2] != ("portal", "cli")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "breakpoint"}
    ]


# Written in pieces, because this file is searched, too.
_INDEX = re.compile(
    "|".join(
        (
            r"pypi\." + "org",
            "python" + r"hosted\.org",
            r"registry\." + r"(npmjs|yarnpkg)\.",
            r"proxy\." + r"golang\.org",
            r"^\s*--(extra-)?" + r"index-url\b",
            r"^\s*--" + r"find-links\b",
            r'"resolved":\s*"' + "https?:",
        )
    ),
    re.MULTILINE,
)
_MACHINE_PATH = re.compile(r"(?<![\w/.\-])/(?:" + "work|root" + r")(?=[/\s\"'`:;,)]|$)")


def index_addresses(root: Path, files: Sequence[Path]) -> list[str]:
    """No file names a package index: where packages come from is the administrator's choice."""
    return [
        hit
        for name, text in _texts(root, files)
        for hit in _hits(name, text, _INDEX, "address of a package index")
    ]


def machine_paths(root: Path, files: Sequence[Path]) -> list[str]:
    """No file holds a path of the machine on which it was written."""
    return [
        hit
        for name, text in _texts(root, files)
        for hit in _hits(name, text, _MACHINE_PATH, "path of one machine")
    ]


_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_LINK_TAG = re.compile(r"<a\s", re.IGNORECASE)
_REMOTE_ATTRIBUTE = re.compile(
    r"\s(?:src|srcset|href|xlink:href|poster|data|action|formaction|background|ping)"
    r"\s*=\s*[\"']?\s*(?:[a-z]+:)?//",
    re.IGNORECASE,
)
_REMOTE_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?\s*(?:[a-z]+:)?//", re.IGNORECASE)
_INLINE = re.compile(
    r"<style\b|<script\b(?![^>]*\ssrc=)|\sstyle\s*=\s*[\"']|\son[a-z]+\s*=\s*[\"']|javascript:",
    re.IGNORECASE,
)


def _pages(root: Path, files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for name, text in _texts(root, files):
        if name.parts[0] in {"templates", "static"}:
            yield name, text


def third_party_assets(root: Path, files: Sequence[Path]) -> list[str]:
    """No page loads or posts anything elsewhere; a link that a person follows is allowed."""
    found: list[str] = []
    for name, text in _pages(root, files):
        found.extend(_hits(name, text, _REMOTE_STYLE, "foreign asset in a style"))
        for tag in _TAG.finditer(text):
            remote = _REMOTE_ATTRIBUTE.search(tag[0])
            if remote and not _LINK_TAG.match(tag[0]):
                line = text.count("\n", 0, tag.start()) + 1
                found.append(f"{name}:{line}: foreign asset: {tag[0][:60]}")
    return found


COMPLETE_IN_ITSELF = Path("static/periksa.html")
"""The one page that people save and open without the portal: all that it needs is in it.

Its own policy allows that one style and that one script, by hash: tests/laws/test_periksa.py.
"""


def inline_code(root: Path, files: Sequence[Path]) -> list[str]:
    """No inline script, style or handler: the content security policy allows none."""
    return [
        hit
        for name, text in _pages(root, files)
        if name.suffix in {".html", ".svg", ".txt"} and name != COMPLETE_IN_ITSELF
        for hit in _hits(name, text, _INLINE, "inline code")
    ]


_UNFINISHED = re.compile(r"#.*\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")


def unfinished(root: Path, files: Sequence[Path]) -> list[str]:
    """Nothing is left for later in a comment."""
    return [
        hit
        for name, text in _texts(root, files)
        if name.suffix == ".py"
        for hit in _hits(name, text, _UNFINISHED, "unfinished")
    ]


RULES: tuple[Rule, ...] = (
    docstrings,
    imports,
    prints,
    index_addresses,
    machine_paths,
    third_party_assets,
    inline_code,
    unfinished,
)
