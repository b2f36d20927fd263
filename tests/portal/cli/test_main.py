"""``suaka`` itself: help, versions, and refusals that are one clear line."""

import importlib
import pkgutil
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import casework
import portal
import witness
from casework.errors import CaseworkError, InvalidInput
from casework.keys.vocabulary import Flaw
from crypto.errors import CryptoError
from portal.cli import Suaka, cli, refusals
from tests.portal.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = {
    *("ceremony", "init", "enrol", "approve", "serve", "migrate", "tick", "doctor", "holidays"),
    *("demo", "passphrase", "factor", "codes", "sessions", "notices"),
    *("trail", "bursts", "numbers"),
    *("invite", "invitations", "people", "suspend", "resume", "roles", "guardian"),
    *("offboard", "recover"),
    *("backup", "restore", "witness", "receipt", "audit"),
}


def test_without_arguments_it_explains_itself(run: Run) -> None:
    answer = run()
    assert answer.exit_code == 0
    assert set(cli.commands) >= COMMANDS
    assert all(f"  {name} " in answer.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(run: Run, name: str) -> None:
    answer = run(name, "--help")
    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"Usage: cli {name} ")


def test_the_version_is_the_projects(run: Run) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert run("--version").stdout.strip().endswith(f" {declared}")


@pytest.mark.parametrize("args", [("nonsense",), ("init",), ("serve", "x", "--port", "0")])
def test_wrong_usage_is_one_line(run: Run, args: tuple[str, ...]) -> None:
    answer = run(*args)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("suaka: ")
    assert answer.stderr.count("\n") == 1


def every_error() -> list[type[Exception]]:
    for package in (casework, portal, witness):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name:
                importlib.import_module(module.name)
    found: list[type[Exception]] = []
    waiting: list[type[Exception]] = [CaseworkError, CryptoError]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        found += kinds
        waiting += kinds
    return found


def test_every_refusal_of_the_domain_has_a_sentence() -> None:
    told = {*refusals._OWN_WORDS, InvalidInput}
    silent = [
        kind.__name__
        for kind in every_error()
        if not told.intersection(kind.__mro__)
        and not any(base in refusals._SENTENCES for base in kind.__mro__)
    ]
    assert silent == []


def test_every_flaw_of_the_roster_has_a_sentence() -> None:
    assert set(refusals.FLAWS) == set(Flaw)


def crash(error: BaseException) -> Suaka:
    @click.command()
    def fail() -> None:
        raise error

    group = Suaka("suaka")
    group.add_command(fail)
    return group


@pytest.mark.parametrize(
    "error",
    [
        ValueError("kanari rahasia"),
        KeyError("kanari rahasia"),
        UnicodeDecodeError("utf-8", b"kanari", 0, 1, "kanari"),
    ],
)
def test_a_mistake_of_ours_is_one_line_without_its_data(error: Exception) -> None:
    answer = CliRunner().invoke(crash(error), ["fail"])
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "kanari" not in answer.output
    assert "Traceback" not in answer.output


def test_what_the_system_refuses_is_named(run: Run, founded: Path) -> None:
    answer = run("enrol", founded, "--export", founded / "nowhere" / "parts.json")
    assert answer.exit_code == 1
    assert "nowhere/parts.json: No such file or directory" in answer.stderr


def test_an_interrupted_command_says_so() -> None:
    answer = CliRunner().invoke(crash(KeyboardInterrupt()), ["fail"])
    assert answer.exit_code == 1
    assert "suaka: stopped" in answer.stderr


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        (("SUAKA_WEB_PROT", "80"), "SUAKA_WEB_PROT: unknown setting"),
        (("SUAKA_NOTHING", ""), "SUAKA_NOTHING: unknown setting"),
        (("SUAKA_WEB_PORT", "eighty"), "SUAKA_WEB_PORT: "),
        (("SUAKA_INSTANCE_MODE", "test"), "SUAKA_INSTANCE_MODE: "),
    ],
)
@pytest.mark.parametrize("command", ["serve", "tick", "doctor", "migrate", "holidays"])
def test_a_wrong_variable_is_refused_by_name(
    run: Run, founded: Path, command: str, variable: tuple[str, str], told: str
) -> None:
    name, value = variable
    answer = run(command, founded, **{name: value})
    assert answer.exit_code == 1
    assert told in answer.output


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[web]\nprot = 80\n", "prot"),
        ("[wbe]\nport = 80\n", "wbe"),
        ('[web]\nport = "eighty"\n', "$.web.port"),
        ("[web\n", "line"),
    ],
)
def test_a_wrong_line_of_the_settings_is_refused_by_name(
    run: Run, founded: Path, written: str, told: str
) -> None:
    settings = founded / "suaka.toml"
    text = settings.read_text("utf-8").replace("[web]", "[old]").split("[old]", 1)[0]
    settings.write_text(text + written, "utf-8")
    answer = run("tick", founded)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("suaka: suaka.toml: ")
    assert told in answer.stderr


def test_a_folder_without_an_instance_is_named(run: Run, tmp_path: Path) -> None:
    for command in ("serve", "tick", "migrate", "holidays", "doctor"):
        answer = run(command, tmp_path)
        assert answer.exit_code == 1
        assert "suaka.toml not found" in answer.output
    assert list(tmp_path.iterdir()) == []
