"""``suaka invite``, ``people`` and the decisions of approvers, without a browser."""

import re
from pathlib import Path

import pyotp
import pytest

from casework.keys import accounts, factors, roster
from casework.keys.factors import STEP_SECONDS
from casework.keys.members import Roster
from portal.cli.options import FORGET_SCREEN, opened
from portal.wiring import utc_now
from tests.portal.cli.conftest import PASSPHRASE, PRODUCTION, SECRET, STRICT, Run, files_of
from tests.portal.cli.terminal import Terminal

NEW = ("--username", "baru", "--name", "Contoh Baru", "--position", "Auditor", "--role", "tim")
BOSS = f"{PASSPHRASE.format('inspektur')}\n"
CHOSEN = "kelapa muda jatuh ke sungai dangkal"


@pytest.fixture
def strict(founded: Path) -> Path:
    """The same instance, where everything asks for second factors."""
    settings = founded / "suaka.toml"
    text = settings.read_text("utf-8")
    assert "second_factor = false" in text
    settings.write_text(text.replace("second_factor = false", "second_factor = true"), "utf-8")
    return founded


def loaded(folder: Path) -> Roster:
    with opened(folder) as (office, _), office.read() as uow:
        return roster.load(uow)


def roles_of(folder: Path, username: str) -> tuple[str, ...]:
    with opened(folder) as (office, _), office.read() as uow:
        chain = roster.load(uow)
        return next((one.roles for one in chain.on(uow.today()) if one.handle == username), ())


def code_of(run: Run, folder: Path, *more: str) -> str:
    answer = run("invite", folder, *NEW, *more)
    assert answer.exit_code == 0, answer.stderr
    found = re.search(r"^    ([0-9A-Z-]{39})$", answer.stdout, re.MULTILINE)
    assert found is not None
    return found[1]


def now_code(secret: str = SECRET) -> str:
    return str(pyotp.TOTP(secret).at(utc_now()))


def decide(run: Run, folder: Path, command: str, of: str, text: str, *more: str) -> str:
    answer = run(
        *(command, folder, "--by", "inspektur", "--username", of, "--reason", "SK 2", *more),
        text=text,
    )
    return f"{answer.exit_code} {answer.stdout}{answer.stderr}"


class TestInvitations:
    def test_a_code_is_printed_once_and_kept_nowhere(self, run: Run, founded: Path) -> None:
        code = code_of(run, founded)
        assert not any(code.encode() in content for content in files_of(founded).values())
        listed = run("invitations", founded).stdout
        assert "open" in listed
        assert "Contoh Baru (tim)" in listed
        assert code not in listed

    def test_an_invitation_is_redeemed_on_the_terminal(self, run: Run, founded: Path) -> None:
        code = code_of(run, founded)
        answer = run("enrol", founded, "--invitation", text=f"{code.lower()}\ny\n{CHOSEN}\n")
        assert answer.exit_code == 0, answer.stderr
        assert "Contoh Baru, Auditor (tim)" in answer.stdout
        assert CHOSEN not in answer.output
        again = run("enrol", founded, "--invitation", text=f"{code}\ny\n{CHOSEN}\n")
        assert again.exit_code == 1
        assert "this invitation does not work" in again.stderr
        assert decide(run, founded, "approve", "baru", f"y\n{BOSS}").startswith("0 ")
        assert roles_of(founded, "baru") == ("tim",)

    @pytest.mark.parametrize("code", ["", "0000", "0000-" * 7 + "0000"])
    def test_what_is_no_code_is_refused_in_words(self, run: Run, founded: Path, code: str) -> None:
        answer = run("enrol", founded, "--invitation", text=f"{code}\ny\n{CHOSEN}\n")
        assert answer.exit_code == 1
        assert "this invitation does not work" in answer.stderr

    def test_it_is_withdrawn_after_a_question(self, run: Run, founded: Path) -> None:
        code = code_of(run, founded)
        number = run("invitations", founded).stdout.split()[0]
        refused = run("invitations", founded, "--withdraw", number, text="n\n")
        assert refused.exit_code == 1
        assert run("invitations", founded, "--withdraw", number, "--yes").exit_code == 0
        assert "withdrawn" in run("invitations", founded).stdout
        assert run("enrol", founded, "--invitation", text=f"{code}\n").exit_code == 1
        assert run("invitations", founded, "--withdraw", number, "--yes").exit_code == 1

    def test_what_is_wrong_is_said_at_once(self, run: Run, founded: Path) -> None:
        answer = run(
            *("invite", founded, "--username", "X", "--name", " ", "--position", "p"),
            *("--role", "operator", "--role", "pengawas"),
        )
        assert answer.exit_code == 1
        assert all(f"{name}: " in answer.stderr for name in ("username", "name", "roles"))
        assert run("invite", founded, *NEW, "--replaces", "siapa").exit_code == 1

    def test_new_keys_replace_lost_ones(self, run: Run, founded: Path) -> None:
        code = code_of(run, founded, "--replaces", "tim")
        run("enrol", founded, "--invitation", text=f"{code}\ny\n{CHOSEN}\n")
        told = decide(run, founded, "approve", "baru", f"y\n{BOSS}")
        assert "replaces Contoh tim (tim), who is ended by it" in told
        assert roles_of(founded, "tim") == ()
        assert roles_of(founded, "baru") == ("tim",)


class TestDecisions:
    def test_suspending_and_resuming(self, run: Run, founded: Path) -> None:
        told = decide(run, founded, "suspend", "operator", f"y\n{BOSS}")
        assert told.startswith("0 ")
        assert "nobody else holds operator" in told
        assert roles_of(founded, "operator") == ()
        assert "suspended  operator" in run("people", founded).stdout
        assert decide(run, founded, "resume", "operator", BOSS).startswith("0 ")
        assert roles_of(founded, "operator") == ("operator",)

    def test_a_question_answered_with_no_changes_nothing(self, run: Run, founded: Path) -> None:
        for command, more in (("suspend", ()), ("roles", ("--role", "irban")), ("guardian", ())):
            assert "stopped" in decide(run, founded, command, "tim", "n\n", *more)
        assert loaded(founded).version == 1

    def test_roles_for_a_time(self, run: Run, founded: Path) -> None:
        more = ("--role", "irban", "--role", "tim", "--until", "2099-01-01", "--yes")
        assert decide(run, founded, "roles", "tim", BOSS, *more).startswith("0 ")
        assert roles_of(founded, "tim") == ("irban", "tim")
        assert "acting" in run("people", founded).stdout

    def test_only_who_may_guard_is_made_guardian(self, run: Run, founded: Path) -> None:
        assert "may not guard" in decide(run, founded, "guardian", "tim", BOSS, "--yes")
        code = run(
            *("invite", founded, "--username", "plt", "--name", "Contoh Plt"),
            *("--position", "Plt", "--role", "inspektur"),
        )
        assert code.exit_code == 0
        assert loaded(founded).version == 1

    @pytest.mark.parametrize("command", ["suspend", "resume", "guardian"])
    def test_who_may_not_decide_changes_nothing(
        self, run: Run, founded: Path, command: str
    ) -> None:
        more = () if command == "resume" else ("--yes",)
        answer = run(
            *(command, founded, "--by", "operator", "--username", "tim", "--reason", "x", *more),
            text=f"{PASSPHRASE.format('operator')}\n",
        )
        assert answer.exit_code == 1
        assert loaded(founded).version == 1

    def test_an_unknown_person_is_not_found(self, run: Run, founded: Path) -> None:
        assert "not found" in decide(run, founded, "suspend", "siapa", BOSS, "--yes")

    def test_everybody_is_listed(self, run: Run, founded: Path) -> None:
        run("enrol", founded, *NEW, text=f"{CHOSEN}\n")
        lines = run("people", founded).stdout.splitlines()
        assert len(lines) == 6
        assert any(line.startswith("waiting    baru") for line in lines)
        assert any("inspektur, guardian" in line for line in lines)

    def test_what_was_decided_of_one_person_is_told(self, run: Run, founded: Path) -> None:
        """Who signed, when and why: also what the share holders signed at the beginning."""
        more = ("--role", "irban", "--until", "2099-01-01", "--yes")
        decide(run, founded, "roles", "tim", BOSS, *more)
        day, *lines = run("people", founded, "--history", "Tim").stdout.split("  entry ")
        assert lines[0].startswith("2, signed by Contoh inspektur: SK 2\n")
        assert f"    active irban from {day} to 2099-01-01\n" in lines[0]
        assert lines[1] == f"1, signed by the recovery key: SK contoh\n    active tim from {day}\n"
        guard = run("people", founded, "--history", "inspektur").stdout
        assert guard.endswith("    named guardian\n")
        answer = run("people", founded, "--history", "siapa")
        assert answer.stderr == "suaka: not found: officer siapa\n"


class TestSecondFactor:
    def test_deciding_takes_a_code_once(self, run: Run, strict: Path) -> None:
        wrong = decide(run, strict, "suspend", "tim", f"{BOSS}000000\n", "--yes")
        assert "the code is wrong, or was used" in wrong
        code = now_code()
        assert decide(run, strict, "suspend", "tim", f"{BOSS}{code}\n", "--yes").startswith("0 ")
        assert "wrong, or was used" in decide(run, strict, "resume", "tim", f"{BOSS}{code}\n")

    def test_production_asks_for_it_whatever_the_file_says(self, run: Run, founded: Path) -> None:
        """The setting cannot be switched off there."""
        without = {**PRODUCTION, "SUAKA_STAFF_SECOND_FACTOR": "false"}
        answer = run("people", founded, **without)
        assert answer.exit_code == 1
        assert "demo only" in answer.stderr

    def test_the_factor_is_shown_on_a_terminal_only(self, run: Run, founded: Path) -> None:
        answer = run("enrol", founded, *NEW, text=f"{CHOSEN}\n", **STRICT)
        assert answer.exit_code == 1
        assert "this needs a terminal" in answer.stderr
        assert "baru" not in run("people", founded).stdout

    def test_a_drawn_passphrase_is_shown_on_a_terminal_only(self, run: Run, founded: Path) -> None:
        answer = run("enrol", founded, *NEW[:-1], "irban", text=f"{CHOSEN}\n")
        assert answer.exit_code == 1
        assert "this needs a terminal" in answer.stderr

    def test_an_officer_enrols_at_the_terminal(self, run: Run, strict: Path) -> None:
        """Passphrase drawn and typed back, authenticator confirmed, ten codes, eight words."""
        forgotten = re.escape(FORGET_SCREEN)
        with Terminal("enrol", strict, *NEW[:-1], "irban") as terminal:
            drawn = re.search(r"    ([a-z]+(?: [a-z]+){6})\r", terminal.expect("press Enter"))
            assert drawn is not None
            terminal.enter("")
            terminal.expect(f"{forgotten}Type it back: ")
            terminal.enter("bukan kata yang itu")
            terminal.expect(r"not the passphrase that was shown(.|\n)*Type it back: ")
            terminal.enter(drawn[1].upper())
            shown = terminal.expect("Code that it shows now: ")
            secret = re.search(r"key: ((?:[A-Z2-7]{4} ?){8})\r", shown)
            assert secret is not None
            key = secret[1].replace(" ", "")
            terminal.enter("000000")
            terminal.expect("try the next one(.|\n)*Code that it shows now: ")
            terminal.enter(now_code(key))
            shown = terminal.expect("when they are written down")
            codes = re.findall(r"\d+\. ([a-z2-9]{4}(?:-[a-z2-9]{4}){2})\r", shown)
            assert len(set(codes)) == 10
            terminal.enter("")
            code, rest = terminal.end()
        assert code == 0
        assert len(rest.split("Contoh Baru: ")[1].split("\r")[0].split()) == 8
        boss = f"y\n{BOSS}{now_code()}\n"
        assert decide(run, strict, "approve", "baru", boss).startswith("0 ")
        everything = files_of(strict).values()
        for text in (drawn[1], key, *codes):
            assert not any(text.encode() in content for content in everything)


def test_a_recovery_code_stands_in_for_the_authenticator(run: Run, founded: Path) -> None:
    """Known codes: as on the sheet of an officer who lost the telephone."""
    with opened(founded) as (office, _):
        keys = accounts.officer_keys(office, "inspektur", PASSPHRASE.format("inspektur"))
        with office.read() as uow:
            actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        made = factors.NewFactor(SECRET, factors.new_codes())
        with office.write() as uow:
            factors.store(uow, actor, made, int(utc_now().timestamp()) // STEP_SECONDS)
    text = f"{BOSS}{made.codes[3].upper()}\n"
    options = ("--by", "inspektur", "--username", "tim", "--reason", "SK 2", "--yes")
    assert run("suspend", founded, *options, text=text, **STRICT).exit_code == 0
