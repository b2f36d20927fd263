"""Cases for tests: report, carry through the profile, look at what lies on the disk."""

import json
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import text

from casework.handling import acts, casefile, desk
from casework.handling.story import Piece, Trust
from casework.intake import mailbox, report, submit
from casework.intake.receipt import Receipt
from casework.intake.windows import ReceiptWindows
from casework.keys import accounts, enrol
from casework.keys.actor import Actor
from casework.keys.sessions import SessionStore
from casework.keys.vocabulary import TenureState
from casework.law.engine import DocumentRef, Facts, Step
from casework.law.profile import Profile
from casework.law.schema import Transition
from casework.law.vocabulary import Need
from casework.log.keys import LogKeyFile
from casework.store.base import new_id
from casework.store.blobs import BlobFolder
from casework.store.engine import open_engine, truncate_wal
from casework.store.keystore import Keystore
from casework.store.office import Office
from casework.store.rations import Rations
from tests.casework.office import OWNERS, Bench, FakeClock, passphrase_of, sign_in

NARRATIVE = "Saya melihat barang kantor dibawa pulang."
REPORTER = "reporter"

STATES = (
    "submitted",
    "terkirim",
    "ditolak",
    "ditolak_berkas_tidak_lengkap",
    "diverifikasi",
    "diteruskan",
    "telaah_awal",
    "diselidiki",
    "selesai",
)
"""The states of Badung."""


_WAY = {
    "terkirim": ("submitted", "operator", "accept"),
    "ditolak": ("submitted", "operator", "reject"),
    "ditolak_berkas_tidak_lengkap": ("terkirim", "verifikator", "reject_incomplete"),
    "diverifikasi": ("terkirim", "verifikator", "verify"),
    "diteruskan": ("dianalisis", "irban", "forward"),
    "dianalisis": ("diverifikasi", "irban", "analyse"),
    "telaah_awal": ("diteruskan", "inspektur", "assign_team"),
    "diselidiki": ("telaah_awal", "inspektur", "order_examination"),
    "selesai": ("diselidiki", "inspektur", "send_result"),
}


def way(state: str) -> tuple[tuple[str, str], ...]:
    """Who does what to bring a new report to a state (``dianalisis``: analysed, not forwarded)."""
    if state == "submitted":
        return ()
    before, user, transition = _WAY[state]
    return (*way(before), (user, transition))


T = TypeVar("T")


def together(count: int, act: Callable[[int], T]) -> list[T | BaseException]:
    """Run ``act`` in ``count`` threads at the same moment; return results or what was raised."""
    gate = Barrier(count)

    def run(number: int) -> T:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(run, number) for number in range(count)]
    return [one.exception() or one.result() for one in running]


def copy_of(template: Bench, folder: Path) -> Bench:
    """The same office on copies of its files, with a clock of its own."""
    for engine in (template.office.engine, template.office.keystore.engine):
        truncate_wal(engine)
    shutil.copytree(template.folder, folder)
    clock = FakeClock(template.clock.now)
    office = reopened(replace(template.office, clock=clock), folder)
    return Bench(office, clock, folder, dict(template.officers), template.mnemonics)


def reopened(office: Office, folder: Path) -> Office:
    """The office as another process opens it."""
    return replace(
        office,
        engine=open_engine(folder / "suaka.db"),
        keystore=Keystore(folder / "keystore.db"),
        blobs=BlobFolder(folder / "blobs"),
        sessions=SessionStore(folder / "sessions.db", OWNERS),
        windows=ReceiptWindows(folder / "windows.db"),
        rations=Rations(folder),
        log_key=LogKeyFile(folder / "log.key"),
    )


def full_facts(bench: Bench, rule: Transition) -> Facts:
    """Everything that an act asks for, invented; nothing that it does not ask for."""
    profile = bench.office.profile
    needs: dict[Need, dict[str, Any]] = {
        Need.REASON: {"reason": f"alasan {rule.id}"},
        Need.NOTE: {"note": f"catatan {rule.id}"},
        Need.MESSAGE: {"message": f"pesan {rule.id}"},
        Need.MISSING_ITEMS: {"missing_items": ("kapan", "di mana")},
        Need.OUTCOME: {"outcome": profile.outcomes[0].id},
        Need.ASSIGNEES: {"assignees": (bench["tim"].person_id,)},
        Need.CATEGORY: {"category": profile.categories[0].id},
        Need.RATING: {"rating": 4},
    }
    given: dict[str, Any] = {}
    for need in rule.requires:
        given |= needs[need]
    if rule.checklist is not None:
        items = profile.checklist(rule.checklist).items
        given["checklist"] = {item.id: True for item in items}
    given["documents"] = {
        kind: DocumentRef("800/12/ST", date(2026, 11, 23)) for kind in rule.documents
    }
    return Facts(**given)


@dataclass
class Filed:
    """One case of a test: its reporter, its receipt, and hands to act on it."""

    bench: Bench
    case_id: str
    reporter: Actor
    receipt: Receipt
    token: bytes

    @property
    def profile(self) -> Profile:
        return self.bench.office.profile

    def revision(self) -> int:
        return int(self.scalar('SELECT revision FROM "case" WHERE id = :case'))

    def state(self) -> str:
        return str(self.scalar('SELECT state FROM "case" WHERE id = :case'))

    def facts(self, transition: str) -> Facts:
        return full_facts(self.bench, self.profile.transition(transition))

    def do(self, user: str, transition: str, facts: Facts | None = None) -> Step | None:
        """Let somebody act on the case as it is now, bringing all that is asked for."""
        given = facts if facts is not None else self.facts(transition)
        with self.bench.office.write() as uow:
            if user == REPORTER:
                mailbox.act(uow, self.reporter, transition, given, new_id())
                return None
            return acts.perform(
                uow, self.bench[user], self.case_id, self.revision(), transition, given
            )

    def bring_to(self, state: str) -> "Filed":
        for user, transition in way(state):
            self.do(user, transition)
        return self

    def say(self, user: str, words: str, item_id: str | None = None) -> None:
        with self.bench.office.write() as uow:
            if user == REPORTER:
                mailbox.write_message(uow, self.reporter, words, item_id or new_id())
            else:
                acts.write_message(uow, self.bench[user], self.case_id, words, item_id or new_id())

    def file(self, user: str) -> casefile.CaseFile:
        with self.bench.office.read() as uow:
            return casefile.read(uow, self.bench[user], self.case_id)

    def mailbox(self) -> mailbox.Mailbox:
        with self.bench.office.read() as uow:
            return mailbox.read(uow, self.reporter)

    def offered(self, user: str) -> set[str]:
        if user == REPORTER:
            return {rule.id for rule in self.mailbox().actions}
        return {action.rule.id for action in self.file(user).actions}

    def scalar(self, query: str, **values: object) -> Any:
        with self.bench.office.read() as uow:
            return uow.session.scalar(text(query), {"case": self.case_id, **values})

    def rows(self, query: str, **values: object) -> list[Any]:
        with self.bench.office.read() as uow:
            return list(uow.session.execute(text(query), {"case": self.case_id, **values}))

    def tamper(self, statement: str, **values: object) -> None:
        """Write to the database as an admin could, past all of our code."""
        with self.bench.office.engine.begin() as connection:
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            done = connection.execute(text(statement), {"case": self.case_id, **values})
            assert done.rowcount > 0, "the attack changed nothing"

    def holders(self) -> dict[str, set[str]]:
        """Compartment -> names of who holds it whole (``recovery`` and ``reporter`` included)."""
        names = {one.person_id: user for user, one in self.bench.officers.items()}
        names |= {"0" * 32: "recovery", self.reporter.person_id: REPORTER}
        found: dict[str, set[str]] = {}
        query = (
            "SELECT compartment, holder FROM \"grant\" WHERE case_id = :case AND share = 'whole'"
        )
        for compartment, holder in self.rows(query):
            found.setdefault(compartment, set()).add(names[holder])
        return found

    def leaves(self) -> list[dict[str, Any]]:
        """What the leaves of the case say, in order."""
        query = "SELECT body FROM leaf WHERE case_id = :case ORDER BY number"
        return [json.loads(row[0]) for row in self.rows(query)]


def join(bench: Bench, people: dict[str, tuple[str, ...]]) -> None:
    """Enrol further officers, and let the Inspektur approve them."""
    for username, roles in people.items():
        applicant = enrol.Applicant(
            username=username,
            name=f"Contoh {username}",
            position=f"Jabatan {username}",
            roles=roles,
            passphrase=passphrase_of(username),
        )
        part = enrol.enrol(bench.office, applicant)
        with bench.office.write() as uow:
            enrol.approve(uow, bench["inspektur"], [part.record(uow.today())], "Penambahan")
        bench.officers[username] = sign_in(bench.office, username)


def leave(bench: Bench, username: str) -> None:
    """End an officer's tenure by a roster entry."""
    with bench.office.write() as uow:
        part = next(one for one in enrol.enrolled(uow) if one.handle == username)
        record = part.record(uow.today(), state=TenureState.LEFT)
        enrol.approve(uow, bench["inspektur"], [record], "Mutasi")


def report_of(office: Office, narrative: str = NARRATIVE, **fields: str) -> report.Report:
    return report.parse(office.profile, {"position": "asn", "narrative": narrative, **fields})


def sign_in_reporter(office: Office, receipt: Receipt, token: bytes) -> Actor:
    entropy = submit.entropy_of(token, pepper=office.pepper)
    keys = accounts.reporter_keys(
        office.instance_id, receipt.ticket, entropy, office.secret_key_kdf
    )
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
    assert actor is not None
    return actor


def file_report(bench: Bench, narrative: str = NARRATIVE, **fields: str) -> Filed:
    """File a report and sign its reporter in."""
    token = submit.new_token()
    receipt = submit.submit(bench.office, token, report_of(bench.office, narrative, **fields))
    with bench.office.read() as uow:
        case_id = uow.session.scalar(
            text('SELECT id FROM "case" WHERE ticket = :ticket'), {"ticket": receipt.ticket}
        )
    reporter = sign_in_reporter(bench.office, receipt, token)
    return Filed(bench, str(case_id), reporter, receipt, token)


def inbox(bench: Bench, user: str, filters: desk.Filters | None = None) -> list[str]:
    """The case ids on an officer's first page, in order."""
    with bench.office.read() as uow:
        page = desk.page(uow, bench[user].person_id, filters or desk.Filters())
    return [row.case_id for row in page.rows]


def count(office: Office, table: str) -> int:
    with office.read() as uow:
        return int(uow.session.scalar(text(f'SELECT count(*) FROM "{table}"')) or 0)


def bodies(pieces: tuple[Piece, ...]) -> list[Any]:
    """Every text of the pieces that count as verified."""
    return [piece.body for piece in pieces if piece.trust is Trust.VERIFIED]


def texts(pieces: tuple[Piece, ...]) -> str:
    """All that a reader is shown, as one string to search in."""
    return json.dumps([dict(body) for body in bodies(pieces)], ensure_ascii=False)


def all_verified(pieces: tuple[Piece, ...]) -> bool:
    return all(piece.trust is Trust.VERIFIED for piece in pieces)


def some_hex() -> str:
    return secrets.token_hex(16)
