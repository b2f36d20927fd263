"""Storage that was tampered with, put back, filled or locked: a clear page, never half a case."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pysqlite3 import dbapi2
from sqlalchemy import Engine, event

from casework.case import items
from casework.case.keyring import Keyring
from casework.case.tables import Case
from casework.errors import CaseworkError
from casework.keys import roster
from casework.keys.actor import Actor
from casework.log.leaf import Draft, append
from casework.store.engine import truncate_wal
from crypto.errors import CryptoError
from crypto.persons import Person
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.visits import NARRATIVE, Receipt, Visit

Reporter = tuple[Visit, Receipt]
SEND = "/formulir/kirim"
ONE, TWO = "Kanari pesan dari laporan satu", "Kanari pesan dari laporan dua"
OF = "(SELECT id FROM item WHERE kind = 'message' AND case_id = :{})"
SWAPS: dict[str, tuple[str, ...]] = {
    "messages between cases": (
        (
            "UPDATE item SET case_id = CASE case_id WHEN :one THEN :two ELSE :one END"
            " WHERE kind = 'message' AND case_id IN (:one, :two)"
        ),
    ),
    "sealed texts": (
        (
            "CREATE TEMP TABLE kept AS SELECT item_id, sealed, digest FROM part WHERE item_id IN"
            f" ({OF.format('one')}, {OF.format('two')})"
        ),
        (
            "UPDATE part SET (sealed, digest) = (SELECT sealed, digest FROM kept"
            " WHERE kept.item_id <> part.item_id) WHERE item_id IN (SELECT item_id FROM kept)"
        ),
    ),
    "grants": (
        (
            'CREATE TEMP TABLE kept AS SELECT id, sealed, signature FROM "grant"'
            " WHERE compartment = 'content' AND share = 'whole' AND holder = :operator"
        ),
        (
            'UPDATE "grant" SET (sealed, signature) = (SELECT sealed, signature FROM kept'
            ' WHERE kept.id <> "grant".id) WHERE id IN (SELECT id FROM kept)'
        ),
    ),
    "leaves": (
        (
            "UPDATE leaf SET case_id = CASE case_id WHEN :one THEN :two ELSE :one END"
            " WHERE case_id IN (:one, :two)"
        ),
    ),
    "compartments of items": (
        "UPDATE item SET compartment = 'mailbox' WHERE kind = 'message'",
    ),
    "authors": (
        "UPDATE item SET author = :operator WHERE kind = 'message'",
    ),
    "days": ("UPDATE item SET day = '2020-01-01' WHERE kind = 'message'",),
    "blobs cut": ("UPDATE part SET sealed = substr(sealed, 1, length(sealed) - 1)",),
    "blobs zeroed": ("UPDATE part SET sealed = zeroblob(length(sealed))",),
    "blobs gone": ("DELETE FROM part",),
    "leaf bodies": ("UPDATE leaf SET body = replace(body, 'submit', 'sumbit')",),
    "signatures": ("UPDATE item SET signature = zeroblob(65)",),
}  # fmt: skip


@pytest.mark.parametrize("attack", SWAPS)
def test_tampered_rows_are_shown_as_such_and_never_as_anothers(portal: Site, attack: str) -> None:
    """Each reader sees their own verified pieces, a marked one, or a page that stops work."""
    (box, first), (other, second) = portal.reporter(), portal.reporter()
    box.open("/ruang").send("/ruang/pesan", {"message": ONE})
    other.open("/ruang").send("/ruang/pesan", {"message": TWO})
    portal.tamper(
        *SWAPS[attack],
        one=portal.case_id(first.ticket),
        two=portal.case_id(second.ticket),
        operator=portal.bench["operator"].person_id,
    )
    marks = ("Tidak dapat dipastikan asalnya", "Bagian yang hilang", "demi keamanan")
    seen = []
    desk = portal.officer("operator")
    for reader, path, foreign in (
        (desk, portal.path(first), TWO),
        (desk, portal.path(second), ONE),
        (box, "/ruang", TWO),
        (other, "/ruang", ONE),
    ):
        reader.open(path)
        assert reader.status in {200, 503}
        assert foreign not in reader.text
        seen.append(any(mark in reader.text for mark in marks))
    assert any(seen)


def test_nobody_speaks_in_the_inspekturs_name(portal: Site, reporter: Reporter) -> None:
    """An officer who holds the contents forges a message under the Inspektur's id: not shown."""
    visit, receipt = reporter
    forged = "Sebutkan nama Anda. Inspektur."
    forger, inspektur = portal.bench["operator"], portal.bench["inspektur"]
    mask = Actor(inspektur.person_id, forger.person, forger.kind)
    with portal.bench.office.write() as uow:
        case = uow.session.get(Case, portal.case_id(receipt.ticket))
        assert case is not None
        keyring = Keyring(uow, case, forger, roster.load(uow))
        identity = keyring.identity("content")
        place = items.Place(uow.office.instance_id, case.id, "content", uow.today())
        sealed = items.seal(place, "message", {"text": forged}, mask, identity.recipient)
        draft = Draft("message", mask.person_id, case.id, [sealed.digest], {"items": 1})
        items.store(uow.session, sealed, append(uow, draft, forger.person.signing))
    for reader, path in ((visit, "/ruang"), (portal.officer("inspektur"), portal.path(receipt))):
        reader.open(path)
        assert forged not in reader.text
        assert "Tidak dapat dipastikan asalnya" in reader.text


def test_an_officers_swapped_key_receives_nothing(portal: Site) -> None:
    """Keys written into the person row are not sealed to, and the officer is told to stop."""
    thief = Person.generate()
    portal.tamper(
        "UPDATE person SET recipient = :recipient, verify_key = :verify WHERE id = :id",
        recipient=thief.public.recipient,
        verify=thief.public.verify_key,
        id=portal.bench["inspektur"].person_id,
    )
    visit = visits.enter_staff(portal.visit(), "inspektur")
    assert visit.status == 503
    assert visit.heading == "Pekerjaan dihentikan demi keamanan"
    assert "set-cookie" not in visit.answer.headers
    _, receipt = portal.reporter()
    assert NARRATIVE in portal.officer("operator").open(portal.path(receipt)).text
    with portal.bench.office.read() as uow:
        case = uow.session.get(Case, portal.case_id(receipt.ticket))
        assert case is not None
        chain = roster.load(uow)
        # The key that the ceremony vouched for opens the contents; the planted one does not.
        rightful = portal.bench["inspektur"]
        assert Keyring(uow, case, rightful, chain).identity("content").seed
        planted = Actor(rightful.person_id, thief, rightful.kind)
        with pytest.raises((CaseworkError, CryptoError)):
            Keyring(uow, case, planted, chain).identity("content")


def test_another_persons_wrap_lets_nobody_in(portal: Site) -> None:
    """An admin who turns the operator's wrap into the Inspektur's stops both, and opens none."""
    portal.tamper(
        "UPDATE wrap SET person = :to WHERE person = :of",
        to=portal.bench["inspektur"].person_id,
        of=portal.bench["operator"].person_id,
    )
    visit = visits.enter_staff(portal.visit(), "operator")
    assert visit.status == 503
    assert "set-cookie" not in visit.answer.headers


def test_yesterdays_database_is_noticed(portal: Site, reporter: Reporter, tmp_path: Path) -> None:
    """After the old copy was put back, an officer's next sign-in stops the work."""
    office = portal.bench.office
    truncate_wal(office.engine)
    database = portal.bench.folder / "suaka.db"
    shutil.copy(database, tmp_path / "yesterday.db")
    portal.act("operator", reporter[1], "accept")
    portal.officer("operator")
    office.engine.dispose()
    for leftover in portal.bench.folder.glob("suaka.db-*"):
        leftover.unlink()
    shutil.copy(tmp_path / "yesterday.db", database)
    visit = visits.enter_staff(portal.visit(), "operator")
    assert visit.status == 503
    assert visit.heading == "Pekerjaan dihentikan demi keamanan"
    assert "set-cookie" not in visit.answer.headers
    assert visit.open("/petugas").status == 303


def test_a_broken_roster_stops_officers_and_keeps_a_reporters_text(portal: Site) -> None:
    """Nobody is vouched for any more: the form says so and holds what was typed."""
    visit = visits.to_form(portal.visit())
    desk = portal.officer("operator")
    portal.tamper("UPDATE roster SET signature = zeroblob(65)")
    visit.send(SEND, {"narrative": NARRATIVE})
    assert visit.status == 503
    assert visit.value(SEND, "narrative") == NARRATIVE
    assert "Komisi Pemberantasan Korupsi" in visit.text
    assert desk.open("/petugas").status == 503
    assert portal.count() == 0


def _hasten(engine: Engine, pragma: str) -> None:
    """Let every connection of an engine begin with a pragma."""
    event.listen(engine, "connect", lambda raw, _: raw.cursor().execute(pragma))
    engine.dispose()


@contextmanager
def locked(portal: Site, name: str) -> Iterator[None]:
    """Hold a file's lock as a stuck process would; nobody waits long for it."""
    office = portal.bench.office
    for engine in (office.engine, office.keystore.engine):
        _hasten(engine, "PRAGMA busy_timeout=20")
    for store in (office.sessions, office.windows):
        store._db.execute("PRAGMA busy_timeout=20")
    holder = dbapi2.connect(str(portal.bench.folder / name), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


@contextmanager
def full(portal: Site, name: str) -> Iterator[None]:
    """Let a file grow no further, as on a full disk."""
    office = portal.bench.office
    engine = office.engine if name == "suaka.db" else office.keystore.engine
    growing = [True]

    def limit(raw: object, _record: object) -> None:
        if growing[0]:
            cursor = raw.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA max_page_count=1")

    event.listen(engine, "connect", limit)
    engine.dispose()
    yield
    growing[0] = False
    engine.dispose()


def _fill_free_pages(portal: Site) -> None:
    for engine in (portal.bench.office.engine, portal.bench.office.keystore.engine):
        raw = engine.raw_connection()
        raw.cursor().execute("VACUUM")
        raw.close()


TROUBLES = ("locked suaka.db", "locked keystore.db", "locked windows.db", "full suaka.db")


@contextmanager
def trouble(portal: Site, what: str) -> Iterator[None]:
    kind, _, name = what.partition(" ")
    with {"locked": locked, "full": full}[kind](portal, name):
        yield


@pytest.mark.parametrize("what", TROUBLES)
def test_a_report_survives_trouble_with_the_storage(portal: Site, what: str) -> None:
    """503, the text kept, nothing half-stored; sent again afterwards it is one case."""
    visit = visits.to_form(portal.visit())
    _fill_free_pages(portal)
    with trouble(portal, what):
        visit.send(SEND, {"narrative": NARRATIVE, "where": "Kantor contoh"})
        assert visit.status == 503
        assert "Laporan belum tersimpan" in visit.text
        assert visit.answer.headers["retry-after"] == "60"
        assert visit.value(SEND, "narrative") == NARRATIVE
        assert visit.value(SEND, "where") == "Kantor contoh"
    assert portal.count() == (1 if "windows" in what else 0)
    assert portal.count("item") == 4 * portal.count()
    visit.send(SEND)
    assert visit.status == 200
    receipt = visits.receipt_on(visit)
    assert portal.count() == 1
    assert NARRATIVE in portal.officer("operator").open(portal.path(receipt)).text


@pytest.mark.parametrize("what", ["locked suaka.db", "locked keystore.db", "full suaka.db"])
def test_an_act_survives_trouble_with_the_storage(
    portal: Site, reporter: Reporter, what: str
) -> None:
    """A clear page, nothing done; the same form works afterwards."""
    path = portal.path(reporter[1])
    visit = portal.officer("operator").open(path)
    pairs = visit.filled(f"{path}/tindakan/reject", {"reason": "Alasan " * 1000})
    _fill_free_pages(portal)
    before = portal.state()
    with trouble(portal, what):
        visit.post(f"{path}/tindakan/reject", pairs)
        assert visit.status == 503
        assert visit.heading == "Belum tersimpan"
    assert portal.state() == before
    assert visit.post(f"{path}/tindakan/reject", pairs).status == 303


def test_a_locked_session_file_is_a_clear_page(portal: Site, reporter: Reporter) -> None:
    """Neither a trace nor a sign-out: afterwards the session goes on."""
    visit, _ = reporter
    with locked(portal, "sessions.db"):
        assert visit.open("/ruang").status == 503
        assert visit.heading == "Belum tersimpan"
    assert visit.open("/ruang").status == 200


def test_a_file_that_is_no_database_is_a_clear_page(portal: Site, reporter: Reporter) -> None:
    """The pages that need no database still stand; the others say that storage is in trouble."""
    truncate_wal(portal.bench.office.engine)
    portal.bench.office.engine.dispose()
    (portal.bench.folder / "suaka.db").write_bytes(b"bukan basis data" * 4096)
    visit = portal.visit()
    assert visit.open("/saluran").status == 200
    assert visit.open("/formulir").status == 503
    assert reporter[0].open("/ruang").status == 503
    assert visits.enter_staff(portal.visit(), "operator").status == 503
