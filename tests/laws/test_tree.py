"""The rules over the tree hold, and each of them bites."""

import sys
from pathlib import Path

import pytest

from tests.laws import rules
from tools import sizes

ROOT = Path(__file__).resolve().parents[2]

DOCUMENTED = '"""A module."""\n'

VIOLATIONS: list[tuple[rules.Rule, str, str]] = [
    (rules.docstrings, "crypto/a.py", "x = 1\n"),
    (rules.docstrings, "casework/room/a.py", DOCUMENTED + "def act():\n    return 1\n"),
    (rules.docstrings, "portal/a.py", DOCUMENTED + "async def show():\n    return 1\n"),
    (rules.docstrings, "portal/a.py", DOCUMENTED + "class Page:\n    pass\n"),
    (
        rules.docstrings,
        "portal/a.py",
        DOCUMENTED + 'class P:\n    """P."""\n    def f(self): ...\n',
    ),
    (rules.imports, "casework/a.py", "from litestar import get\n"),
    (rules.imports, "casework/a.py", "def f():\n    import jinja2.loaders\n"),
    (rules.imports, "casework/a.py", "from portal import web\n"),
    (rules.imports, "crypto/age/a.py", "import sqlalchemy as sa\n"),
    (rules.imports, "crypto/a.py", "from datetime import datetime\n"),
    (rules.imports, "crypto/a.py", "import datetime as dt\n"),
    (rules.imports, "crypto/a.py", "from time import time\n"),
    (rules.imports, "crypto/a.py", "import casework.errors\n"),
    (rules.imports, "portal/a.py", "import random\n"),
    (rules.imports, "portal/a.py", "from PIL import Image\n"),
    (rules.imports, "casework/a.py", "def f():\n    import zipfile\n"),
    (rules.imports, "sandbox/a.py", "from casework import errors\n"),
    (rules.docstrings, "sandbox/a.py", "x = 1\n"),
    (rules.imports, "witness/a.py", "from casework import errors\n"),
    (rules.imports, "casework/a.py", "from witness import keeper\n"),
    (rules.docstrings, "witness/a.py", "x = 1\n"),
    (rules.imports, "portal/a.py", "from random import choice\n"),
    (rules.prints, "casework/a.py", "print('x')\n"),
    (rules.prints, "portal/public/a.py", "def f():\n    print('x')\n"),
    (rules.index_addresses, "requirements/a.txt", "--index" + "-url https://example.test/\n"),
    (rules.index_addresses, "docs/a.md", "from https://pypi" + ".org/simple\n"),
    (rules.index_addresses, "tests/js/package-lock.json", '"resolved"' + ': "https://a.test/b"\n'),
    (rules.machine_paths, "docs/a.md", "see /wo" + "rk/shared/x\n"),
    (rules.machine_paths, "tools/a.py", "HOME = '/ro" + "ot'\n"),
    (rules.third_party_assets, "templates/a.html", '<img src="https://a.test/b.png">'),
    (rules.third_party_assets, "templates/a.html", '<link rel="x"\n href="//a.test/b.css">'),
    (rules.third_party_assets, "templates/a.html", "<form method=post action=http://a.test>"),
    (rules.third_party_assets, "static/a.css", '@import "https://a.test/b.css";'),
    (rules.third_party_assets, "static/a.css", "a { background: url(//a.test/b.png) }"),
    (rules.third_party_assets, "static/a.svg", '<image href="https://a.test/b.png"/>'),
    (rules.inline_code, "templates/a.html", "<script>1</script>"),
    (rules.inline_code, "templates/a.html", '<p style="color:red">'),
    (rules.inline_code, "templates/a.html", '<a href="/" onclick="x()">'),
    (rules.inline_code, "static/a.svg", "<svg><style>a{}</style></svg>"),
    (rules.inline_code, "static/a.html", "<script>1</script>"),
    (rules.third_party_assets, "static/periksa.html", '<script src="https://a.test/b.js">'),
    (rules.unfinished, "bench/a.py", "x = 1  # TO" + "DO later\n"),
]

ALLOWED: list[tuple[rules.Rule, str, str]] = [
    (rules.docstrings, "crypto/a.py", DOCUMENTED + "def _hidden(): ...\n"),
    (rules.docstrings, "tests/test_a.py", "def test_it(): ...\n"),
    (rules.imports, "portal/a.py", "from litestar import get\n"),
    (rules.imports, "sandbox/a.py", "import zipfile\n"),
    (rules.imports, "crypto/a.py", "from datetime import date\n"),
    (rules.imports, "casework/a.py", "from casework.random_words import pick\n"),
    (rules.prints, "portal/cli/a.py", "print('x')\n"),
    (rules.index_addresses, "docs/a.md", "PyPI and npm carry it\n"),
    (
        rules.machine_paths,
        "docs/a.md",
        "the /workflow/ and casework/work and https://a.test/work\n",
    ),
    (rules.third_party_assets, "templates/a.html", '<a href="https://a.test/">keluar</a>'),
    (rules.third_party_assets, "static/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>'),
    (rules.inline_code, "templates/a.html", '<script src="/static/a.js"></script>'),
    (rules.inline_code, "static/periksa.html", "<script>1</script>"),
]


def plant(root: Path, name: str, content: str) -> list[Path]:
    (root / name).parent.mkdir(parents=True)
    (root / name).write_text(content, "utf-8")
    return rules.files_of(root)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: rules.Rule) -> None:
    assert rule(ROOT, rules.files_of(ROOT)) == []


@pytest.mark.parametrize(("rule", "name", "content"), VIOLATIONS)
def test_a_planted_violation_is_named(
    rule: rules.Rule, name: str, content: str, tmp_path: Path
) -> None:
    found = rule(tmp_path, plant(tmp_path, name, content))
    assert [line.split(":")[0] for line in found] == [name]


@pytest.mark.parametrize(("rule", "name", "content"), ALLOWED)
def test_what_is_allowed_is_not_named(
    rule: rules.Rule, name: str, content: str, tmp_path: Path
) -> None:
    assert rule(tmp_path, plant(tmp_path, name, content)) == []


def test_the_rules_see_the_packages() -> None:
    files = rules.files_of(ROOT)
    for known in ("casework/errors.py", "pyproject.toml", "tests/laws/test_tree.py", ".ci/run"):
        assert Path(known) in files


def test_every_layer_rule_is_also_a_contract_of_the_import_linter() -> None:
    contracts = (ROOT / "pyproject.toml").read_text("utf-8")
    for layer in ("crypto", "casework", "witness"):
        listed = contracts.split(f'source_modules = ["{layer}"]')[1].split("]")[0]
        foreign = rules.FORBIDDEN_IMPORTS[layer] - set(rules.PACKAGES) - rules.PARSERS
        assert {name for name in foreign if f'"{name}"' not in listed} == set()
    parsing = contracts.split('name = "hostile files')[1].split("[[tool")[0]
    assert {name for name in rules.PARSERS if f'"{name}"' not in parsing} == set()


def test_oversized_modules_are_reported(tmp_path: Path) -> None:
    (tmp_path / "crypto").mkdir()
    (tmp_path / "crypto" / "long.py").write_text("x = 1\n" * (sizes.COMFORTABLE + 1))
    (tmp_path / "crypto" / "short.py").write_text("x = 1\n" * sizes.COMFORTABLE)
    assert list(sizes.oversized(tmp_path)) == [(sizes.COMFORTABLE + 1, "crypto/long.py")]


def test_no_module_shadows_one_of_the_standard_library() -> None:
    tops = {name.parts[0].removesuffix(".py") for name in rules.files_of(ROOT)}
    assert tops & set(sys.stdlib_module_names) == set()
