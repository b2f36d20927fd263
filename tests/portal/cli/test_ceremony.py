"""``suaka ceremony``, as people hold it: at a terminal, with paper."""

import itertools
import os
import re
from datetime import date
from pathlib import Path

import click
import pytest

from casework.keys import shares
from casework.keys.parts import PublicParts, genesis_from_bytes
from crypto.persons import Person
from portal.cli import ceremony as command
from portal.cli import sheets
from portal.cli.options import FORGET_SCREEN
from portal.settings import load
from tests.portal.cli.conftest import ROLES, Run, files_of
from tests.portal.cli.terminal import Terminal

MNEMONIC = shares.split(Person.from_seed(b"contoh".ljust(32, b".")), shares.Shares())[0]
FORGOTTEN = re.escape(FORGET_SCREEN)


@pytest.fixture
def parts(run: Run, enrolled: Path, tmp_path: Path) -> Path:
    """The file that came from the server."""
    target = tmp_path / "usb" / "parts.json"
    target.parent.mkdir()
    assert run("enrol", enrolled, "--export", target).exit_code == 0
    return target


def start(parts: Path, *more: object) -> Terminal:
    out = parts.with_name("genesis.json")
    return Terminal("ceremony", parts, "--out", out, "--reason", "SK contoh", *more)


def confirm_all(terminal: Terminal) -> str:
    seen = ""
    for _ in ROLES:
        seen += terminal.expect(r"eight words\? \[y/N\]: ")
        terminal.enter("y")
    return seen


def copy_shares(terminal: Terminal, count: int = 3) -> list[str]:
    """Write down every share, each alone on a screen that was wiped before."""
    papers = []
    for number in range(1, count + 1):
        terminal.expect(FORGOTTEN)
        announced = terminal.expect(rf"Share {number} of {count}.*press Enter\.")
        assert re.search(r"\b1\. ", announced) is None, "shown before its holder is there"
        terminal.enter("")
        papers.append(read_share(terminal))
        terminal.enter("")
    return papers


def read_share(terminal: Terminal) -> str:
    shown = terminal.expect(r"when it is written down\.")
    return " ".join(re.findall(r"\d+\. ([a-z]+)", shown))


def test_a_ceremony_from_words_to_a_working_instance(run: Run, parts: Path, enrolled: Path) -> None:
    out = parts.with_name("genesis.json")
    with start(parts) as terminal:
        seen = confirm_all(terminal)
        assert "inspektur, guardian" in seen
        papers = copy_shares(terminal)
        for number, paper in enumerate(papers, start=1):
            terminal.expect(f"{FORGOTTEN}Type share {number} from the paper: ")
            assert not out.exists(), "written before every share was typed back"
            terminal.enter(paper.upper() if number == 1 else paper)
        code, rest = terminal.end()
    assert code == 0
    fingerprint = genesis_from_bytes(out.read_bytes()).hash
    assert fingerprint in rest
    assert len(set(papers)) == 3
    assert shares.combine(papers[:2]).public == shares.combine(papers[1:]).public
    for content in files_of(parts.parent).values():
        assert not any(word.encode() in content for paper in papers for word in (paper[:40],))
    answer = run("init", enrolled, "--genesis", out)
    assert fingerprint in answer.stdout
    assert load(enrolled, {}).instance.genesis == fingerprint


def test_each_page_says_in_indonesian_what_it_is_and_what_to_do(parts: Path) -> None:
    """Office, number, how many are needed, numbered words, check words, day, what to do and not."""
    with start(parts, "--day", "2026-11-25") as terminal:
        confirm_all(terminal)
        pages = []
        for number in range(1, 4):
            terminal.expect(rf"Share {number} of 3.*press Enter\.")
            terminal.enter("")
            pages.append(terminal.expect(r"when it is written down\."))
            terminal.enter("")
    for number, page in enumerate(pages, start=1):
        words = re.findall(r"\d+\. ([a-z]+)", page)
        assert [int(one) for one in re.findall(r"(\d+)\. [a-z]+", page)] == list(range(1, 34))
        assert "Inspektorat Contoh" in page
        assert f"Bagian {number} dari 3. Untuk memulihkan diperlukan 2 bagian." in page
        assert "25 November 2026" in page
        check = " ".join(shares.check_words(" ".join(words)))
        assert f"Kata periksa halaman ini: {check}" in page
        for duty in ("amplop", "setahun sekali", "Hilang", "difoto", "dua bagian", "Admin sistem"):
            assert duty in page
    assert len(set(pages)) == 3


def test_a_page_is_plain_and_narrow_enough_for_any_printer() -> None:
    pages = sheets.Sheets("Inspektorat & Contoh", shares.Shares(), date(2026, 11, 25), None)
    page = pages.page(1, MNEMONIC)
    assert page.isascii()
    assert max(len(line) for line in page.splitlines()) <= 72
    assert len(page.splitlines()) <= 50
    assert "Inspektorat & Contoh" in page


SPOOLER = """#!/bin/sh
echo "$*" >> "$SPOOL/arguments"
cat > "$SPOOL/page-$(ls "$SPOOL" | wc -l)"
exit ${LP_EXIT:-0}
"""


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a printer's pages land, and an ``lp`` that brings them there."""
    folder, programs = tmp_path / "spool", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "lp").write_text(SPOOLER)
    (programs / "lp").chmod(0o755)
    monkeypatch.setenv("SPOOL", str(folder))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return folder


def pages_of(spool: Path) -> list[str]:
    return [path.read_text() for path in sorted(spool.glob("page-*"))]


def test_a_printer_gets_each_page_as_a_job_of_its_own_by_a_pipe(parts: Path, spool: Path) -> None:
    out = parts.with_name("genesis.json")
    with start(parts, "--printer", "hp-meja") as terminal:
        confirm_all(terminal)
        shown = ""
        for number in range(1, 4):
            shown += terminal.expect(rf"Share {number} of 3.*at the printer; press Enter\.")
            assert len(pages_of(spool)) == number - 1, "printed before its holder is there"
            terminal.enter("")
            shown += terminal.expect(r"its holder has it\.")
            terminal.enter("")
        papers = [" ".join(re.findall(r"\d+\. ([a-z]+)", page)) for page in pages_of(spool)]
        for number, paper in enumerate(papers, start=1):
            terminal.expect(f"Type share {number} from the paper: ")
            terminal.enter(paper)
        assert terminal.end()[0] == 0
    assert shares.combine(papers[1:]).public == shares.combine(papers[:2]).public
    arguments = (spool / "arguments").read_text()
    assert arguments == "-d hp-meja\n" * 3
    for paper in papers:
        assert not any(" ".join(two) in shown for two in itertools.pairwise(paper.split()))
        assert paper[:40] not in out.read_text()


def test_a_printer_that_takes_no_page_stops_the_ceremony(
    parts: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LP_EXIT", "1")
    with start(parts, "--printer", "hp-meja") as terminal:
        confirm_all(terminal)
        terminal.expect("press Enter")
        terminal.enter("")
        code, rest = terminal.end()
    assert code == 1
    assert "printer hp-meja did not take the page" in rest
    assert not parts.with_name("genesis.json").exists()
    assert len(pages_of(spool)) == 1


@pytest.mark.parametrize("name", ["-o raw", "a b", "", "$(id)"])
def test_a_printers_name_is_nothing_else(parts: Path, spool: Path, name: str) -> None:
    with start(parts, f"--printer={name}") as terminal:
        code, rest = terminal.end()
    assert code == 1
    assert "--printer takes the name" in rest
    assert list(spool.iterdir()) == []


def test_a_wrong_word_is_named_by_its_number_and_the_right_one_is_not_shown(parts: Path) -> None:
    with start(parts) as terminal:
        confirm_all(terminal)
        papers = copy_shares(terminal)
        words = papers[0].split()
        right, words[16] = words[16], "pisang"
        terminal.expect("Type share 1 from the paper: ")
        terminal.enter(" ".join(words))
        terminal.expect(FORGOTTEN)
        told = terminal.expect(r"once more to its holder\? \[y/N\]: ")
        assert "look at word 17 on the paper" in told
        assert right not in told
        terminal.enter("n")
        terminal.expect("Type share 1 from the paper: ")
        terminal.interrupt()
        assert terminal.end()[0] == 1


def test_a_wrong_share_is_asked_for_again(parts: Path) -> None:
    out = parts.with_name("genesis.json")
    with start(parts) as terminal:
        confirm_all(terminal)
        papers = copy_shares(terminal)
        terminal.expect("Type share 1 from the paper: ")
        terminal.enter(papers[1])
        terminal.expect(r"not the share that was shown.*\n.*once more to its holder\? \[y/N\]: ")
        terminal.enter("y")
        terminal.expect("press Enter")
        terminal.enter("")
        assert read_share(terminal) == papers[0]
        terminal.enter("")
        for number, paper in enumerate(papers, start=1):
            terminal.expect(f"Type share {number} from the paper: ")
            assert not out.exists()
            terminal.enter(paper)
        assert terminal.end()[0] == 0
    assert out.exists()


def test_a_ceremony_that_stops_writes_nothing_and_leaves_an_empty_screen(parts: Path) -> None:
    with start(parts) as terminal:
        confirm_all(terminal)
        copy_shares(terminal)
        terminal.expect("Type share 1 from the paper: ")
        terminal.interrupt()
        code, rest = terminal.end()
    assert code == 1
    assert FORGET_SCREEN in rest
    assert rest.rstrip().endswith("suaka: stopped; nothing more was done")
    assert not parts.with_name("genesis.json").exists()


def test_an_officer_who_does_not_know_the_words_ends_it(parts: Path) -> None:
    with start(parts) as terminal:
        terminal.expect(r"eight words\? \[y/N\]: ")
        terminal.enter("n")
        code, rest = terminal.end()
    assert code == 1
    assert "Share" not in rest
    assert not parts.with_name("genesis.json").exists()


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--needed", "1"), 1, "at least 2 are needed"),
        (("--needed", "4"), 1, "at least 2 are needed"),
        (("--shares", "17"), 1, "at most 16"),
        (("--guardian", "operator"), 2, "--guardian"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(
    parts: Path, args: tuple[str, ...], code: int, told: str
) -> None:
    with start(parts, *args) as terminal:
        ended, rest = terminal.end()
    assert ended == code
    assert told in rest
    assert "eight words" not in rest


def test_a_ceremony_writes_over_nothing(parts: Path) -> None:
    out = parts.with_name("genesis.json")
    out.write_text("lama")
    with start(parts) as terminal:
        code, rest = terminal.end()
    assert code == 1
    assert "writes over nothing" in rest
    assert out.read_text() == "lama"


def test_shares_never_run_into_a_pipe(run: Run, parts: Path) -> None:
    answer = run("ceremony", parts, "--out", parts.with_name("g.json"), "--reason", "SK")
    assert answer.exit_code == 1
    assert "needs a terminal" in answer.stderr


def test_another_file_is_refused(parts: Path) -> None:
    parts.write_text("{}")
    with start(parts) as terminal:
        code, rest = terminal.end()
    assert code == 1
    assert "not the one expected" in rest


def test_two_possible_guardians_need_a_choice(parts: Path) -> None:
    officers = PublicParts.from_bytes(parts.read_bytes()).officers
    may_guard = {"inspektur", "irban"}
    with pytest.raises(click.UsageError, match="inspektur, irban"):
        command.choose_guardian(officers, may_guard, None)
    chosen = {command.choose_guardian(officers, may_guard, name) for name in sorted(may_guard)}
    assert len(chosen) == 2
