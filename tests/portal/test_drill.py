"""The drill: back up under load, restore elsewhere; nothing is lost, and nothing can be read.

A production instance, a real server, reports by the forms and acts of officers at the same time,
and ``suaka backup`` as a timer would run it.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

import httpx
import pytest

from casework.errors import Conflict
from casework.handling import acts, casefile, desk
from casework.intake import mailbox
from casework.keys import accounts, memory
from casework.keys.actor import Actor
from casework.law.engine import Facts
from casework.store.base import new_id
from casework.store.office import Office
from crypto import words
from portal import wiring
from portal.cli.options import close, opened
from tests.canary import sweep
from tests.casework.cases import all_verified, texts
from tests.casework.evidence.arrivals import Sender
from tests.e2e.server import Server
from tests.portal import instances, visits
from tests.portal.cli.terminal import SUAKA
from tests.portal.instances import Instance
from tests.portal.multipart import File, send_files
from tests.portal.visits import Receipt, Visit

CLOSE = httpx.Limits(max_keepalive_connections=0)
REPORTED, ANSWERED, REJECTED = "kenari-laporan-zqx", "kenari-jawaban-zqx", "kenari-alasan-zqx"
ATTACHED, NAMED = "kenari-berkas-zqx", "kenari-nama-zqx"
REPORTERS = 2
SWEPT = 2
"""How many reporters' secret keys are searched for: each costs a pass over every file."""

BACKUPS = 3
IN_A_TEST = ("run/ is on a disk", "web.tls is off")
"""What the doctor rightly finds bad in a folder of a test: no tmpfs, no proxy."""


@dataclass
class Drill:
    """What happened while the backups were made."""

    instance: Instance
    base: Path
    log: Path
    secrets: list[str] = field(default_factory=list)
    count: Iterator[int] = field(default_factory=itertools.count)
    confirmed: list[tuple[Receipt, str]] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def suaka(self, *args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SUAKA, *(str(arg) for arg in args)],
            env={"TMPDIR": str(self.base / "temp"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )

    def work(self, act: object, *args: object) -> Thread:
        """Do something again and again until the drill stops; remember what went wrong."""

        def repeat() -> None:
            try:
                while not self.stop.is_set():
                    act(*args)  # type: ignore[operator]
            except BaseException as failed:  # noqa: BLE001 - the main thread tells
                self.failures.append(failed)

        thread = Thread(target=repeat)
        thread.start()
        return thread

    def report(self, server: Server) -> None:
        text = f"{REPORTED} nomor {next(self.count):04d}"
        visit = browse(server)
        with closing(visit.client):
            receipt = visits.report(visit, {"narrative": f"Saya melihat {text} dibawa pulang."})
            visits.keep(visit, receipt)
            visits.enter(visit, receipt)
            content = f"{ATTACHED} {text}".encode()
            send_files(visit, "/ruang/berkas", [File(f"{NAMED}.txt", content, "text/plain")])
            assert visit.status == 303, visit.text
        with self.lock:
            if len(self.confirmed) < SWEPT:
                self.secrets += [receipt.key, receipt.token]
            self.confirmed.append((receipt, text))

    def handle(self, office: Office, operator: Actor) -> None:
        """Write to some reporter, and turn another report down: its shred key is replaced."""
        with office.read() as uow:
            rows = desk.page(uow, operator.person_id, desk.Filters(state="submitted")).rows
        for row in rows[:2]:
            with office.write() as uow:
                acts.write_message(uow, operator, row.case_id, ANSWERED, new_id())
            with office.read() as uow:
                revision = casefile.read(uow, operator, row.case_id).revision
            try:
                with office.write() as uow:
                    facts = Facts(reason=REJECTED)
                    acts.perform(uow, operator, row.case_id, revision, "reject", facts)
            except Conflict:  # the reporter's file came in between: the next round looks again
                continue
            with self.lock:
                self.acts.append(row.case_id)


def browse(server: Server) -> Visit:
    return Visit(httpx.Client(base_url=server.base, trust_env=False, timeout=60, limits=CLOSE))


def officer(office: Office, instance: Instance, username: str) -> Actor:
    keys = accounts.officer_keys(office, username, instance.passphrases[username])
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        memory.check_and_update(uow, actor)
    return actor


def reporter(office: Office, receipt: Receipt) -> Actor:
    keys = accounts.reporter_keys(
        office.instance_id, receipt.ticket, words.decode(receipt.key), office.secret_key_kdf
    )
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
    assert actor is not None, "a confirmed report is lost"
    return actor


def pairs(drill: Drill) -> list[tuple[Path, Path]]:
    """The archives of each backup, the oldest first."""
    return list(
        zip(
            sorted((drill.base / "to").glob("suaka-*")),
            sorted((drill.base / "keys-to").glob("suaka-*")),
            strict=True,
        )
    )


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """The instance after three backups under load; its server has ended."""
    base = tmp_path_factory.mktemp("drill")
    for name in ("to", "keys-to", "temp"):
        (base / name).mkdir()
    instance = instances.make(base / "office", mode="production", costs=None)
    done = Drill(
        instance,
        base,
        base / "log",
        [REPORTED, ANSWERED, REJECTED, ATTACHED, NAMED, instance.passphrases["operator"]],
    )
    key = done.suaka("backup", "key", "--out", base / "identity")
    assert key.returncode == 0, key.stderr
    office, _ = wiring.load(instance.folder)
    operator = officer(office, instance, "operator")
    with Server(instance.folder, done.log, environment={"TMPDIR": str(base / "temp")}) as server:
        done.report(server)
        threads = [done.work(done.report, server) for _ in range(REPORTERS)]
        threads.append(done.work(done.handle, office, operator))
        try:
            for _ in range(BACKUPS):
                done.known.append(len(done.confirmed))
                made = done.suaka(
                    *("backup", instance.folder, "--recipient", key.stdout.strip()),
                    *("--to", base / "to", "--keys-to", base / "keys-to"),
                )
                assert made.returncode == 0, made.stderr
        finally:
            done.stop.set()
            for thread in threads:
                thread.join()
    close(office)
    assert done.failures == []
    # Something must have happened meanwhile, or the drill says nothing.
    assert done.known == sorted(set(done.known))
    assert done.known[-1] < len(done.confirmed)
    assert done.acts
    return done


@pytest.fixture(scope="module")
def restored(drill: Drill) -> list[tuple[Path, int]]:
    """Instances restored elsewhere, each with how many reports were confirmed before its backup."""
    made = []
    for number in (0, BACKUPS - 1):
        folder = drill.base / f"elsewhere{number}"
        data, keys = pairs(drill)[number]
        answer = drill.suaka(
            *("restore", data, "--keys", keys, "--identity", drill.base / "identity"),
            *("--to", folder),
        )
        assert answer.returncode == 0, answer.stderr
        assert "It goes back to roster version 1" in answer.stdout
        made.append((folder, drill.known[number]))
    return made


@pytest.mark.parametrize("which", [0, 1], ids=["first", "last"])
def test_every_confirmed_report_opens_for_its_reporter_and_its_officer(
    drill: Drill, restored: list[tuple[Path, int]], which: int
) -> None:
    """Nothing is lost of what was confirmed before the backup began, its file included."""
    folder, known = restored[which]
    assert known > 0
    with opened(folder, ready=True) as (office, _):
        guardian = officer(office, drill.instance, "inspektur")
        with office.read() as uow:
            cases = [row.case_id for row in everything(office, guardian)]
            shown = ""
            for case_id in cases:
                found = casefile.read(uow, guardian, case_id)
                assert all_verified(found.pieces)
                shown += texts(found.pieces)
        assert len(cases) >= known
        for receipt, text in drill.confirmed[:known]:
            assert text in shown
            with office.read() as uow:
                box = mailbox.read(uow, reporter(office, receipt))
            assert all_verified(box.pieces)
            assert text in texts(box.pieces)
            own = Sender(office, reporter(office, receipt), None)
            (file,) = own.files()
            assert own.whole(file.item_id) == f"{ATTACHED} {text}".encode()


def everything(office: Office, guardian: Actor) -> list[desk.Row]:
    """Every case on a desk, page by page."""
    rows: list[desk.Row] = []
    after = None
    with office.read() as uow:
        while True:
            page = desk.page(uow, guardian.person_id, desk.Filters(), after, None)
            rows += page.rows
            after = page.older
            if after is None:
                return rows


@pytest.mark.parametrize("which", [0, 1], ids=["first", "last"])
def test_the_doctor_finds_nothing_bad(
    drill: Drill, restored: list[tuple[Path, int]], which: int
) -> None:
    lines = drill.suaka("doctor", restored[which][0]).stdout.splitlines()
    bad = [line for line in lines if line.startswith("bad")]
    assert [line for line in bad if not any(known in line for known in IN_A_TEST)] == []
    assert "ok   keystore: agrees with the cases" in lines
    assert "ok   files: every part is there" in lines
    assert "ok   log: whole, hashes and signatures verified" in lines


def test_the_restored_instance_is_served(drill: Drill, restored: list[tuple[Path, int]]) -> None:
    """A reporter comes back with ticket and words, and somebody reports something new."""
    folder, known = restored[-1]
    receipt, _ = drill.confirmed[known - 1]
    with Server(folder, drill.log, environment={"TMPDIR": str(drill.base / "temp")}) as server:
        assert visits.enter(browse(server), receipt).location == "/ruang"
        drill.report(server)


def test_nothing_that_was_typed_is_found_anywhere(
    drill: Drill, restored: list[tuple[Path, int]]
) -> None:
    """Not in an archive, in a restored folder, in the temp folder, in what the server wrote."""
    assert all(folder.is_relative_to(drill.base) for folder, _ in restored)
    assert sweep([drill.base], drill.secrets) == []


def test_a_planted_canary_is_found(drill: Drill, restored: list[tuple[Path, int]]) -> None:
    """The sweep sees each of the places."""
    folder, _ = restored[-1]
    spots = [
        drill.base / "to" / "planted",
        drill.base / "keys-to" / "planted",
        drill.base / "temp" / "planted",
        folder / "data" / "planted",
        folder / "keys" / "planted",
    ]
    for number, spot in enumerate(spots):
        spot.write_bytes(b"\0" * 9999 + drill.secrets[number].encode("utf-16-le"))
    found = sweep([drill.base / name for name in ("to", "keys-to", "temp")], drill.secrets)
    found += sweep([folder / "data", folder / "keys"], drill.secrets)
    for spot in spots:
        spot.unlink()
    assert {finding.where for finding in found} == {str(spot) for spot in spots}
