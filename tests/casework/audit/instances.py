"""An instance with everything in it, for audits; and copies of it to attack."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from sqlalchemy import text

from casework.audit.findings import Report, What
from casework.audit.outside import Evidence
from casework.audit.verify import verify
from casework.handling import catchup, leaving, opening, recount, recuse
from casework.intake import proof
from casework.keys import restoration
from casework.law.vocabulary import DayKind
from casework.log import checkpoints, erase, keys
from casework.store.base import new_id
from casework.store.unit import UnitOfWork
from crypto.checkpoint import Checkpoint
from crypto.note import Kind, NoteKey, NoteSigner, SignedNote
from tests.casework import exhibits
from tests.casework.cases import REPORTER, Filed, copy_of, file_report, join
from tests.casework.keys.recoveries import bring_in, decide, export, lose_handling
from tests.casework.office import Bench

OWNED = (
    *("part", "file_part", "item", "grant", "compartment", "assignment", "case_flag"),
    *("desk_entry", "deadline", "upload"),
)


@dataclass
class Everything:
    """The instance, its cases, and what others hold of it, by name."""

    bench: Bench
    closed: Filed
    running: Filed
    erased: str
    yesterday: Path
    outside: dict[str, str] = field(default_factory=dict)
    witness: NoteSigner = field(
        default_factory=lambda: NoteSigner("saksi.example", Kind.WITNESS, bytes(range(32)))
    )

    def copy(self, folder: Path) -> "Everything":
        bench = copy_of(self.bench, folder)

        def moved(one: Filed) -> Filed:
            return Filed(bench, one.case_id, one.reporter, one.receipt, one.token)

        return Everything(
            bench,
            moved(self.closed),
            moved(self.running),
            self.erased,
            self.yesterday,
            dict(self.outside),
        )

    def audit(self, *outside: Evidence, witnesses: tuple[NoteKey, ...] = ()) -> Report:
        """What an audit finds beside the erasure that is part of the history."""
        with self.bench.office.read() as uow:
            return but_erasures(verify(uow, outside, witnesses))

    def publish(self) -> SignedNote:
        """Let the next fixed hour come."""
        self.bench.clock.advance(hours=6)
        with self.bench.office.write() as uow:
            made = checkpoints.publish_due(uow)
        assert made is not None
        return made.note

    def sign_now(self) -> SignedNote:
        with self.bench.office.read() as uow:
            return checkpoints.sign_now(uow)

    def cosigned(self, signed: SignedNote, moment: int = 1_800_000_000) -> SignedNote:
        return signed.with_signatures([self.witness.sign(signed.text, moment)])


def but_erasures(report: Report) -> Report:
    """A report without its notices of erasures, which no attack adds or hides."""
    numbers = dict(report.numbers)
    numbers.pop(What.ERASED, None)
    others = tuple(one for one in report.findings if one.what is not What.ERASED)
    return replace(report, findings=others, numbers=numbers)


def evidence(signed: SignedNote, name: str = "catatan") -> Evidence:
    return Evidence(name, signed, Checkpoint.from_text(signed.text))


def forget_case(bench: Bench, filed: Filed) -> None:
    """Remove every row and key of a case but its leaves, as keeping times will."""
    with bench.office.engine.begin() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        for name in filed.rows(
            "SELECT blob FROM file_part JOIN item ON item.id = item_id WHERE case_id = :case"
        ):
            (bench.folder / "blobs" / str(name[0])).unlink()
        mine = {"case": filed.case_id, "person": filed.reporter.person_id}
        of_items = "WHERE item_id IN (SELECT id FROM item WHERE case_id = :case)"
        for table in OWNED:
            where = of_items if table in {"part", "file_part"} else "WHERE case_id = :case"
            connection.execute(text(f'DELETE FROM "{table}" {where}'), mine)
        connection.execute(text('DELETE FROM "case" WHERE id = :case'), mine)
        connection.execute(text("DELETE FROM wrap WHERE person = :person"), mine)
        connection.execute(text("DELETE FROM person WHERE id = :person"), mine)
    bench.office.keystore.shred(filed.case_id)


def everything(founded: Bench, folder: Path) -> Everything:
    """Days of work: files, messages, looks, joining, leaving, recovery, erasing, new log keys."""
    made = _first_day(copy_of(founded, folder))
    copy_of(made.bench, made.yesterday)
    _second_day(made)
    return made


def _first_day(bench: Bench) -> Everything:
    closed, running = file_report(bench), file_report(bench)
    yesterday = bench.folder.with_name("yesterday")
    made = Everything(bench, closed, running, "", yesterday)
    made.outside["first"] = made.cosigned(made.publish()).to_text()
    closed.say(REPORTER, "Ada lagi yang dibawa.")
    closed.say("operator", "Terima kasih.")
    file_id = exhibits.add(closed)
    exhibits.examine_as(closed, "operator", file_id, exhibits.PAPER)
    exhibits.add_in_parts(closed, b"x" * 70_000)
    closed.bring_to("diselidiki")
    exhibits.add(closed, "irban", room="investigation", name="c.txt")
    with bench.office.write() as uow:
        opening.note(uow, bench["irban"], closed.case_id)
        keys.rotate(uow, secrets.token_bytes(32))
    return made


def _second_day(made: Everything) -> None:
    bench, closed, running = made.bench, made.closed, made.running
    bench.clock.advance(days=1)
    with bench.office.write() as uow:
        extra = (date(2026, 12, 1), DayKind.LIBUR_NASIONAL, "Contoh")
        recount.change(uow, [extra], [], "SK")
    closed.do("inspektur", "send_result")
    closed.do(REPORTER, "rate")
    gone = file_report(bench)
    gone.say(REPORTER, "Saya ralat.")
    exhibits.add(gone)
    join(bench, {"operator2": ("operator",), "verifikator2": ("verifikator",)})
    running.bring_to("terkirim")
    for username in ("operator", "verifikator"):
        while catchup.pass_on(bench.office, bench[username]):
            pass
    with bench.office.write() as uow:
        recuse.recuse(uow, bench["operator2"], running.case_id, "Saudara saya", new_id())
    leaver = bench["verifikator2"].person_id
    plan = leaving.Plan(bench["verifikator"].person_id)
    leaving.off_board(bench.office, bench["inspektur"], leaver, plan, "SK")
    made.outside["second"] = made.cosigned(made.publish()).to_text()
    with bench.office.read() as uow:
        made.outside["receipt"] = proof.evidence(uow, closed.reporter).file
    with bench.office.write() as uow:
        restoration.confirm(uow, bench["inspektur"], "Dikembalikan sesuai berita acara")
    lose_handling(bench)
    decided = decide(bench, export(bench, "pengganti").file.to_bytes())
    bring_in(bench, "pengganti", decided.to_bytes())
    forget_case(bench, gone)
    with bench.office.write() as uow:
        erase.erase(uow, bench["inspektur"], gone.case_id, "Masa simpan berakhir")
    made.erased = gone.case_id
    with bench.office.write() as uow:
        keys.rotate(uow, secrets.token_bytes(32))
    made.outside["third"] = made.publish().to_text()
    running.say(REPORTER, "Apa kabarnya?")
    made.outside["now"] = made.sign_now().to_text()


def execute(uow: UnitOfWork, own: Everything, *statements: str) -> None:
    """Write past all constraints, as whoever has the file can."""
    values = {
        "closed": own.closed.case_id,
        "running": own.running.case_id,
        "erased": own.erased,
        "admin": own.bench["admin"].person_id,
    }
    uow.session.execute(text("PRAGMA defer_foreign_keys=ON"))
    uow.session.execute(text("PRAGMA ignore_check_constraints=ON"))
    for statement in statements:
        done = uow.session.execute(text(statement), values)
        assert done.rowcount, "nothing was changed"  # type: ignore[attr-defined]
    uow.session.execute(text("PRAGMA ignore_check_constraints=OFF"))


def write(own: Everything, *statements: str) -> None:
    with own.bench.office.write() as uow:
        execute(uow, own, *statements)


def after(own: Everything, *statements: str) -> Report:
    """What an audit finds after an attack that is not committed: foreign keys do not matter."""
    with own.bench.office.write() as uow:
        execute(uow, own, *statements)
        report = but_erasures(verify(uow))
        uow.session.rollback()
    return report
