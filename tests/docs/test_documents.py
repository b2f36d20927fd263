"""What the documents say of files, settings, commands and labels is so."""

import re
from pathlib import Path

import click
import msgspec
import pytest

from crypto.labels import Label, Purpose
from portal.cli import cli
from portal.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
OURS = re.compile(r"(?:crypto|casework|portal|tests|docs|templates|static|tools|bench)/[\w./-]*")


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings are reached."""
    titles = re.findall(r"(?m)^#+ (.+)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A reader who follows a link arrives, at the right heading."""
    broken = []
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        goal = (page.parent / name).resolve() if name else page
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """No document names a module or a test that is gone."""
    named = [code for code in CODE.findall(page.read_text("utf-8")) if OURS.fullmatch(code)]
    if page.name == "SECURITY.md":
        named = [
            f"tests/{name}" if "/test_" in name and not name.startswith("tests/") else name
            for name in CODE.findall(page.read_text("utf-8"))
            if OURS.fullmatch(name) or "/test_" in name
        ]
        assert len(named) > 40, "the table of promises was not read"
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_promise_names_a_test() -> None:
    """A promise that nothing attacks is a wish."""
    rows = re.findall(r"(?m)^\| (\d) \|.*\|([^|]*)\|$", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert [number for number, _ in rows] == list("123456789")
    assert all("test_" in tests for _, tests in rows)


def test_the_settings_are_all_of_the_settings() -> None:
    """An admin finds every setting, its environment variable and its default, and no other."""
    written = re.findall(
        r"(?m)^\| `([a-z_]+)\.([a-z_]+)` \| `([A-Z_]+)` \| ([^|]+) \|",
        (ROOT / "docs" / "admin.md").read_text("utf-8"),
    )
    known = {}
    for section in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(section.type):
            known[section.name, field.name] = field.default
    assert [(section, name) for section, name, _, _ in written] == list(known)
    for section, name, variable, default in written:
        assert variable == f"SUAKA_{section}_{name}".upper()
        value = known[section, name]
        if value not in (msgspec.NODEFAULT, None, (), ""):
            values = value if isinstance(value, tuple) else (value,)
            shown = [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
            assert default == ", ".join(f"`{one}`" for one in shown), name


def test_the_commands_are_all_of_the_commands() -> None:
    """The README lists what `suaka` can do, and nothing that it cannot."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"(?m)^\| `suaka (\w+)` \|", text)) == set(cli.commands)


def options(command: click.Command) -> set[str]:
    """Every option of a command, and of the commands below it."""
    known = {option for one in command.params for option in one.opts}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return known.union(*(options(one) for one in below))


def test_options_that_are_shown_exist() -> None:
    """A command line copied from a document is one that the program takes."""
    unknown = []
    for page in PAGES:
        for name, rest in re.findall(r"(?<!`)\bsuaka (\w+)([^`\n#]*)", page.read_text("utf-8")):
            if name not in cli.commands:
                continue
            known = options(cli.commands[name])
            unknown += [
                f"{name} {flag}" for flag in re.findall(r"--[\w-]+", rest) if flag not in known
            ]
    assert not unknown


def test_every_label_stands_in_the_table_of_formats() -> None:
    """An outsider can derive each key: no label is missing, none is invented."""
    text = (ROOT / "docs" / "crypto.md").read_text("utf-8")
    table = text.split("\n## Labels\n")[1].split("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `(suaka/v1/[^`]+)`", table)) == {str(one) for one in Label}
    signed = text.split("\n## Signatures\n")[1].split("\n## ")[0]
    purposes = {f"suaka/v1/sign/{name}" for name in re.findall(r"(?m)^\| `…/(\w+)`", signed)}
    assert purposes == {str(one) for one in Purpose}
