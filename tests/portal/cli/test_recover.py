"""``suaka recover`` as people do it: a server, a machine without network, paper, a terminal."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from shamir_mnemonic.wordlist import WORDLIST

from casework.intake.receipt import Receipt
from casework.keys import ceremony, enrol, factors, recovery, roster, shares
from casework.keys.actor import Actor
from casework.keys.parts import PublicPart, PublicParts
from casework.keys.recovery_file import Export, Result
from casework.store.office import Office
from crypto.persons import Person
from portal.cli import instance
from portal.cli.options import FORGET_SCREEN, opened
from tests.casework.cases import Filed, file_report, join, texts
from tests.casework.keys.recoveries import lose_handling, meet
from tests.casework.office import Bench, FakeClock, passphrase_of, sign_in
from tests.portal.cli.conftest import STRICT, Run, files_of
from tests.portal.cli.terminal import Terminal

FORGOTTEN = re.escape(FORGET_SCREEN)


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every officer here is asked for a second factor."""
    for name, value in STRICT.items():
        monkeypatch.setenv(name, value)


FOREIGN = shares.split(Person.generate(), shares.Shares())
CODES = tuple(f"aaaa-bbbb-cc{number:02}" for number in range(22, 32))


@dataclass(frozen=True)
class Drill:
    """An instance of which a verifikator lost everything, and the papers of its share holders."""

    folder: Path
    papers: tuple[str, ...]
    case_id: str
    reporter: Actor
    receipt: Receipt

    @contextmanager
    def office(self) -> Iterator[Bench]:
        with opened(self.folder, ready=True) as (office, _):
            yield bench_of(replace(office, second_factor=False), self.papers)

    def filed(self, bench: Bench) -> Filed:
        return Filed(bench, self.case_id, self.reporter, self.receipt, b"")


def bench_of(office: Office, papers: tuple[str, ...]) -> Bench:
    bench = Bench(office, FakeClock(), Path(), {}, papers)
    with bench.office.read() as uow:
        names = [part.handle for part in enrol.enrolled(uow)]
    bench.officers = {name: sign_in(bench.office, name) for name in names}
    return bench


@pytest.fixture(scope="module")
def template(enrolled_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Drill:
    folder = tmp_path_factory.mktemp("lost") / "instance"
    shutil.copytree(enrolled_template, folder)
    with opened(folder) as (office, _), office.read() as uow:
        everyone = PublicParts.from_bytes(enrol.public_parts(uow))
        guardian = next(one.person_id for one in everyone.officers if "inspektur" in one.roles)
        held = ceremony.hold(
            ceremony.CeremonyRequest(everyone, guardian, "SK contoh"),
            ceremony.Shares(),
            uow.today(),
            office.profile,
        )
    instance.install(folder, held.genesis)
    with opened(folder, ready=True) as (office, _):
        bench = bench_of(office, held.mnemonics)
        filed = lose_handling(bench)
        for name in ("pengganti", "inspektur"):
            with office.write() as uow:
                made = factors.NewFactor("A" * factors.SECRET_LENGTH, CODES)
                factors.store(uow, bench[name], made, 1)
    return Drill(folder, held.mnemonics, filed.case_id, filed.reporter, filed.receipt)


@pytest.fixture
def drill(template: Drill, copy: Callable[[Path], Path]) -> Drill:
    """The same on a copy of the instance, of the test's own."""
    return replace(template, folder=copy(template.folder))


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    """The machine without network: it has the program, and the stick with the file."""
    folder = tmp_path / "offline"
    folder.mkdir()
    return folder


def export(run: Run, drill: Drill, offline: Path, *more: object) -> Path:
    target = offline / "ekspor.json"
    answer = run("recover", "export", drill.folder, "--out", target, *more)
    assert answer.exit_code == 0, answer.output
    return target


def meeting(file: Path, *more: object) -> Terminal:
    out = file.with_name("hasil.json")
    return Terminal("recover", "open", file, "--out", out, "--reason", "BA contoh", *more)


def agree(terminal: Terminal, *questions: str) -> str:
    seen = ""
    for question in questions:
        seen += terminal.expect(rf"{question}\? \[y/N\]: ")
        terminal.enter("y")
    return seen


PAPER, WORDS = "paper of the ceremony", "eight words"


def bring(terminal: Terminal, number: str, paper: str) -> None:
    """Come to the machine alone, type a share, and see the screen cleared of it."""
    terminal.expect(rf"Share {number}: only its holder looks at the screen; press Enter\.")
    terminal.enter("")
    terminal.expect("Type the share from the paper: ")
    terminal.enter(paper)
    terminal.expect(FORGOTTEN)


def put_in(run: Run, drill: Drill, result: Path, by: str, code: str = CODES[0]) -> str:
    answer = run(
        *("recover", "import", drill.folder, result, "--by", by),
        text=f"{passphrase_of(by)}\n{code}\n",
    )
    return f"{answer.exit_code} {answer.stdout}{answer.stderr}"


def test_the_drill(run: Run, drill: Drill, offline: Path) -> None:
    """Export, two of three shares offline, import; the officer reads, the reporter is told."""
    file = export(run, drill, offline, "--for", "pengganti")
    with meeting(file) as terminal:
        seen = agree(terminal, PAPER, WORDS)
        assert "Receives 1 keys of 1 cases: Contoh pengganti" in seen
        with drill.office() as bench:
            assert bench.office.genesis is not None
            assert bench.office.genesis in seen
            part = next(
                part
                for part in recovery_parts(file)
                if part.person_id == bench["pengganti"].person_id
            )
        assert " ".join(part.fingerprint) in seen
        bring(terminal, "1", drill.papers[2])
        terminal.expect(r"This share is right\.")
        assert not file.with_name("hasil.json").exists()
        bring(terminal, "2 of 2", drill.papers[0].upper())
        code, rest = terminal.end()
    assert code == 0
    assert "written" in rest
    told = put_in(run, drill, file.with_name("hasil.json"), "pengganti")
    assert told.startswith("0 ")
    assert "1 cases done" in told
    with drill.office() as bench:
        filed = drill.filed(bench)
        assert '"transition": "accept"' in texts(filed.file("pengganti").pieces)
        assert len(filed.mailbox().recovered) == 1
    again = put_in(run, drill, file.with_name("hasil.json"), "pengganti", CODES[1])
    assert again.startswith("1 ")
    assert again.endswith("suaka: this file was imported before, completely\n")
    for content in (*files_of(offline).values(), *files_of(drill.folder).values()):
        assert not any(paper[:30].encode() in content for paper in drill.papers)


def recovery_parts(file: Path) -> list[PublicPart]:
    return list(meet(file.read_bytes()).parts().values())


def test_each_wrong_share_is_named_by_what_is_wrong(run: Run, drill: Drill, offline: Path) -> None:
    """Which word of which share; another set; the same again. Never a word of it."""
    file = export(run, drill, offline, "--for", "pengganti")
    first, second, _ = drill.papers
    words = first.split()
    unknown = " ".join([*words[:6], "pisang", *words[7:]])
    swapped = WORDLIST[(WORDLIST.index(words[19]) + 5) % 1024]
    mistyped = " ".join([*words[:19], swapped, *words[20:]])
    with meeting(file) as terminal:
        agree(terminal, PAPER, WORDS)
        for typed, told in (
            (unknown, r"No such word: look at word 7\."),
            (mistyped, r"checksum of this share is wrong: look at word 20\."),
            (" ".join(words[:32]), r"A share has 33 words, not 32\."),
        ):
            bring(terminal, "1", typed)
            answer = terminal.expect(told)
            assert " ".join(words[6:8]) not in answer
            assert " ".join(words[19:21]) not in answer
        bring(terminal, "1", first)
        terminal.expect("This share is right")
        bring(terminal, "2 of 2", first)
        terminal.expect("This share was typed before")
        bring(terminal, "2 of 2", FOREIGN[1])
        terminal.expect("from another set than the one before")
        bring(terminal, "2 of 2", second)
        assert terminal.end()[0] == 0


def test_too_few_shares_write_nothing(run: Run, drill: Drill, offline: Path) -> None:
    file = export(run, drill, offline, "--for", "pengganti")
    with meeting(file) as terminal:
        agree(terminal, PAPER, WORDS)
        bring(terminal, "1", drill.papers[0])
        terminal.expect(r"Share 2 of 2.*press Enter\.")
        terminal.interrupt()
        code, rest = terminal.end()
    assert code == 1
    assert rest.rstrip().endswith("suaka: stopped; nothing more was done")
    assert FORGET_SCREEN in rest
    assert not file.with_name("hasil.json").exists()


def test_another_keys_shares_are_told_and_asked_for_again(
    run: Run, drill: Drill, offline: Path
) -> None:
    file = export(run, drill, offline, "--for", "pengganti")
    with meeting(file) as terminal:
        agree(terminal, PAPER, WORDS)
        bring(terminal, "1", FOREIGN[0])
        bring(terminal, "2 of 2", FOREIGN[1])
        terminal.expect("not to the roster's recovery key")
        bring(terminal, "1", drill.papers[0])
        bring(terminal, "2 of 2", drill.papers[1])
        assert terminal.end()[0] == 0


@pytest.mark.parametrize("answers", [0, 1])
def test_a_no_to_fingerprint_or_words_ends_it_before_any_share(
    run: Run, drill: Drill, offline: Path, answers: int
) -> None:
    file = export(run, drill, offline, "--for", "pengganti")
    with meeting(file) as terminal:
        agree(terminal, *(PAPER, WORDS)[:answers])
        terminal.expect(r"\? \[y/N\]: ")
        terminal.enter("n")
        code, rest = terminal.end()
    assert code == 1
    assert "Share" not in rest
    assert not file.with_name("hasil.json").exists()


def test_new_shares_replace_the_old_ones(run: Run, drill: Drill, offline: Path) -> None:
    """New pages, typed back; then the old shares give nothing new, and the new ones do."""
    file = export(run, drill, offline, "--all")
    with meeting(file, "--new-shares", "--needed", "2", "--shares", "4") as terminal:
        seen = agree(terminal, PAPER, "what you came for")
        assert "A new recovery key replaces the old one, for 1 cases." in seen
        bring(terminal, "1", drill.papers[0])
        bring(terminal, "2 of 2", drill.papers[1])
        papers = []
        for number in range(1, 5):
            terminal.expect(rf"Share {number} of 4.*press Enter\.")
            terminal.enter("")
            page = terminal.expect(r"when it is written down\.")
            assert f"Bagian {number} dari 4" in page
            papers.append(" ".join(re.findall(r"\d+\. ([a-z]+)", page)))
            terminal.enter("")
        for number, paper in enumerate(papers, start=1):
            terminal.expect(f"Type share {number} from the paper: ")
            assert not file.with_name("hasil.json").exists()
            terminal.enter(paper)
        code, rest = terminal.end()
    assert code == 0
    assert "old shares still open every backup" in rest
    assert "1 cases done" in put_in(run, drill, file.with_name("hasil.json"), "inspektur")
    with drill.office() as bench:
        with bench.office.read() as uow:
            now = roster.load(uow).recovery
        assert shares.combine(papers[2:]).public == now
        assert shares.combine(drill.papers[:2]).public != now
    again = file.with_name("lagi")
    again.mkdir()
    second = export(run, drill, again, "--all")
    with meeting(second, "--new-shares") as terminal:
        agree(terminal, PAPER, "what you came for")
        bring(terminal, "1", drill.papers[0])
        bring(terminal, "2 of 2", drill.papers[1])
        terminal.expect("not to the roster's recovery key")
        terminal.interrupt()
        assert terminal.end()[0] == 1


def test_a_dead_guardian_is_followed_by_one_whom_the_share_holders_approve(
    run: Run, drill: Drill, offline: Path
) -> None:
    with drill.office() as bench:
        applicant = enrol.Applicant(
            "inspektur2",
            "Contoh Inspektur Baru",
            "Inspektur",
            ("inspektur",),
            passphrase_of("inspektur2"),
        )
        enrol.enrol(bench.office, applicant)
        with bench.office.write() as uow:
            made = factors.NewFactor("A" * factors.SECRET_LENGTH, CODES)
            factors.store(uow, sign_in(bench.office, "inspektur2"), made, 1)
    file = export(run, drill, offline, "--for", "inspektur2", "--lost", "inspektur")
    with meeting(file) as terminal:
        code, rest = terminal.end()
    assert code == 1
    assert "name the next (--guardian)" in rest
    with meeting(file, "--approve", "inspektur2", "--guardian", "inspektur2") as terminal:
        seen = agree(terminal, PAPER, "Is that so", WORDS, WORDS, WORDS)
        assert "Ends office, keys are gone: Contoh inspektur" in seen
        assert "Comes onto the roster: Contoh Inspektur Baru" in seen
        assert "Becomes guardian: Contoh Inspektur Baru" in seen
        bring(terminal, "1", drill.papers[0])
        bring(terminal, "2 of 2", drill.papers[1])
        assert terminal.end()[0] == 0
    assert put_in(run, drill, file.with_name("hasil.json"), "inspektur2").startswith("0 ")
    with drill.office() as bench:
        filed = drill.filed(bench)
        with bench.office.read() as uow:
            now = roster.load(uow)
            assert now.guardian_id == bench["inspektur2"].person_id
            assert now.person_on(bench["inspektur"].person_id, uow.today()) is None
        assert "barang kantor" in texts(filed.file("inspektur2").pieces)


def test_export_says_what_it_leaves_out_and_why(run: Run, drill: Drill, offline: Path) -> None:
    with drill.office() as bench:
        join(bench, {"operator2": ("operator",)})
        file_report(bench)
    out = offline / "ekspor.json"
    answer = run("recover", "export", drill.folder, "--out", out, "--for", "pengganti")
    assert "1 keys of 1 cases" in answer.stdout
    assert "not exported: 2 keys that somebody in office holds" in answer.stdout
    again = run("recover", "export", drill.folder, "--out", out, "--for", "pengganti")
    assert again.exit_code == 1
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--for", "tidak_ada"), 1, "tidak_ada"),
        (("--for", "verifikator"), 1, "verifikator"),
        (("--lost", "operator"), 1, "operator"),
        (("--all", "--for", "tim"), 2, "--all goes with no --for"),
    ],
)
def test_an_export_for_nobody_is_refused(
    run: Run, drill: Drill, args: tuple[str, ...], code: int, told: str
) -> None:
    out = drill.folder.parent / "e.json"
    answer = run("recover", "export", drill.folder, "--out", out, *args)
    assert answer.exit_code == code
    assert told in answer.stderr
    assert not out.exists()


def test_shares_never_run_into_a_pipe(run: Run, drill: Drill, offline: Path) -> None:
    file = export(run, drill, offline, "--for", "pengganti")
    for args in (
        ("open", file, "--out", offline / "h.json", "--reason", "BA"),
        ("check",),
    ):
        answer = run("recover", *args, text=f"{drill.papers[0]}\n")
        assert answer.exit_code == 1
        assert "needs a terminal" in answer.stderr
        assert drill.papers[0][:20] not in answer.output


def test_a_file_that_is_none_is_refused(run: Run, drill: Drill, offline: Path) -> None:
    (offline / "x.json").write_text("{}")
    with meeting(offline / "x.json") as terminal:
        code, rest = terminal.end()
    assert (code, "not the one expected" in rest) == (1, True)
    assert "not the one expected" in put_in(run, drill, offline / "x.json", "inspektur")


def test_import_wants_passphrase_and_code(run: Run, drill: Drill, offline: Path) -> None:
    """Nothing is stored before both are right."""
    file = export(run, drill, offline, "--for", "pengganti")
    export_read = Export.from_bytes(file.read_bytes())
    result = decided(drill, file)
    out = offline / "hasil.json"
    out.write_bytes(result.to_bytes())
    assert export_read.receivers == (result.grants[0].row.holder,)
    wrong = run(
        *("recover", "import", drill.folder, out, "--by", "pengganti"), text="salah\n123456\n"
    )
    assert wrong.stderr == "suaka: the name or the passphrase is wrong\n"
    assert put_in(run, drill, out, "pengganti", "zzzz-zzzz-zzzz") == (
        "1 suaka: the code is wrong, or was used before\n"
    )
    assert put_in(run, drill, out, "verifikator").startswith("1 ")
    with drill.office() as bench:
        filed = drill.filed(bench)
        assert "pengganti" not in filed.holders()["handling"]


def decided(drill: Drill, file: Path) -> Result:
    with drill.office() as bench, bench.office.read() as uow:
        day = uow.today()
    owner = shares.combine(drill.papers[:2])
    return recovery.decide(meet(file.read_bytes()), recovery.Decision(day, "BA contoh"), owner)


def test_one_share_can_be_checked_alone(drill: Drill) -> None:
    """Once a year: right or wrong, and which it is; the screen is cleared of it."""
    paper = drill.papers[1]
    with Terminal("recover", "check") as terminal:
        terminal.expect("Type the share from the paper: ")
        terminal.enter(paper.replace(paper.split()[4], "pisang", 1))
        terminal.expect(rf"{FORGOTTEN}No such word: look at word 5\.")
        terminal.expect("Type the share from the paper: ")
        terminal.enter(paper)
        terminal.expect(FORGOTTEN)
        code, rest = terminal.end()
    assert code == 0
    assert "This is share 2; 2 are needed." in rest
    assert " ".join(shares.check_words(paper)) in rest
