"""``suaka enrol`` and ``suaka approve``: keys for an officer, and an approver who vouches."""

from pathlib import Path

import pytest

from casework.keys import roster
from casework.keys.parts import PublicParts
from portal.cli.options import opened
from tests.portal.cli.conftest import PASSPHRASE, Run, files_of

NEW = ("--username", "baru", "--name", "Contoh Baru", "--position", "Auditor", "--role", "tim")
SECRET = "kelapa muda jatuh ke sungai dangkal"


def approve(run: Run, folder: Path, by: str, text: str, *more: str, of: str = "baru") -> str:
    answer = run(
        *("approve", folder, "--by", by, "--username", of, "--reason", "SK 2", *more), text=text
    )
    return f"{answer.exit_code} {answer.stdout}{answer.stderr}"


def active(folder: Path, role: str) -> set[str]:
    with opened(folder) as (office, _), office.read() as uow:
        chain = roster.load(uow)
        return {str(one.handle) for one in chain.active(role, uow.today())}


def test_a_passphrase_is_read_and_neither_shown_nor_kept(run: Run, founded: Path) -> None:
    answer = run("enrol", founded, *NEW, text=f"{SECRET}\n")
    assert answer.exit_code == 0
    assert len(answer.stdout.splitlines()[0].split(": ")[1].split()) == 8
    assert SECRET not in answer.output
    assert not any(SECRET.encode() in content for content in files_of(founded).values())


@pytest.mark.parametrize("length", [0, 14, 257])
def test_a_passphrase_of_a_bad_length_is_refused_in_words(
    run: Run, founded: Path, length: int
) -> None:
    answer = run("enrol", founded, *NEW, text="k" * length + "\n")
    assert answer.exit_code == 1
    assert answer.stderr == "suaka: passphrase: 15 to 256 characters\n"


def test_everything_wrong_with_an_officer_is_said_at_once(run: Run, founded: Path) -> None:
    answer = run(
        *("enrol", founded, "--username", "X Y", "--name", " ", "--position", "a\nb"),
        *("--role", "raja"),
        text="pendek\n",
    )
    told = ("username", "name", "position", "roles", "passphrase")
    assert all(f"{name}: " in answer.stderr for name in told)


def test_an_administrator_holds_no_other_role(run: Run, founded: Path) -> None:
    answer = run("enrol", founded, *NEW, "--role", "admin", text=f"{SECRET}\n")
    assert "holds no other role" in answer.stderr


def test_a_taken_name_is_refused(run: Run, founded: Path) -> None:
    args = ("--username", "Operator", "--name", "A", "--position", "B", "--role", "operator")
    assert "enrolled under this name" in run("enrol", founded, *args, text=f"{SECRET}\n").stderr


def test_what_is_left_out_is_named(run: Run, founded: Path) -> None:
    answer = run("enrol", founded, "--username", "baru")
    assert answer.exit_code == 2
    assert "--name" in answer.stderr


def test_the_export_holds_public_parts_only(run: Run, enrolled: Path, tmp_path: Path) -> None:
    target = tmp_path / "parts.json"
    answer = run("enrol", enrolled, "--export", target)
    assert answer.exit_code == 0
    assert target.stat().st_mode & 0o777 == 0o600
    exported = PublicParts.from_bytes(target.read_bytes())
    for one in exported.officers:
        assert " ".join(one.fingerprint) in answer.stdout


def test_nobody_enrolled_is_nothing_to_export(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "i", "--name", "Inspektorat Contoh")
    answer = run("enrol", tmp_path / "i", "--export", tmp_path / "parts.json")
    assert answer.stderr == "suaka: nobody is enrolled yet\n"
    assert not (tmp_path / "parts.json").exists()


def test_an_approver_puts_an_officer_on_the_roster(run: Run, founded: Path) -> None:
    run("enrol", founded, *NEW, text=f"{SECRET}\n")
    assert active(founded, "tim") == {"tim"}
    answer = approve(run, founded, "inspektur", f"y\n{PASSPHRASE.format('inspektur')}\n")
    assert answer.startswith("0 ")
    assert "roster version 2" in answer
    assert PASSPHRASE.format("inspektur") not in answer
    assert active(founded, "tim") == {"tim", "baru"}


@pytest.mark.parametrize(
    ("who", "text", "told"),
    [
        (("inspektur", "baru"), "n\n", "stopped"),
        (("inspektur", "baru"), "y\nkata sandi yang lain sekali\n", "passphrase is wrong"),
        (("tiada", "baru"), "y\nkata sandi yang lain sekali\n", "passphrase is wrong"),
        (("operator", "baru"), "y\n{}\n", "may not approve"),
        (("inspektur", "inspektur"), "y\n{}\n", "nobody approves themselves"),
        (("inspektur", "tiada"), "", "suaka enrol comes first"),
    ],
)
def test_who_may_not_approve_changes_nothing(
    run: Run, founded: Path, who: tuple[str, str], text: str, told: str
) -> None:
    by, of = who
    run("enrol", founded, *NEW, text=f"{SECRET}\n")
    answer = approve(run, founded, by, text.format(PASSPHRASE.format(by)), of=of)
    assert answer.startswith("1 ")
    assert told in answer
    assert active(founded, "tim") == {"tim"}


def test_a_last_day_in_the_past_is_refused_in_words(run: Run, founded: Path) -> None:
    run("enrol", founded, *NEW, text=f"{SECRET}\n")
    text = f"y\n{PASSPHRASE.format('inspektur')}\n"
    answer = approve(run, founded, "inspektur", text, "--until", "2020-01-01")
    assert "the last day is not before today" in answer
    assert active(founded, "tim") == {"tim"}


def test_nobody_approves_before_the_ceremony(run: Run, enrolled: Path) -> None:
    answer = approve(run, enrolled, "inspektur", "y\n\n", of="tim")
    assert "ceremony is missing" in answer


def test_a_holiday_needs_its_legal_basis_and_is_a_new_version(run: Run, founded: Path) -> None:
    day = ("2027-03-11", "cuti_bersama", "Cuti bersama contoh")
    assert run("holidays", founded, "--add", *day).exit_code == 2
    assert run("holidays", founded, "--add", *day, "--source", "SKB contoh").exit_code == 0
    shown = run("holidays", founded).stdout
    assert shown.startswith("version 2\n")
    assert "2027-03-11  cuti_bersama           Cuti bersama contoh" in shown
    gone = run("holidays", founded, "--remove", *day[:2], "--source", "SKB contoh")
    assert gone.exit_code == 0
    assert "Cuti bersama contoh" not in run("holidays", founded).stdout


def test_a_day_that_is_not_there_cannot_be_removed(run: Run, founded: Path) -> None:
    answer = run("holidays", founded, "--remove", "2027-06-30", "cuti_bersama", "--source", "x")
    assert answer.exit_code == 1
    assert "2027-06-30" in answer.stderr
