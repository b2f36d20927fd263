"""A small office for tests: real files, cheap key stretching, one officer per role."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from casework.calendar import holidays
from casework.calendar.tables import Calendar
from casework.intake.windows import ReceiptWindows
from casework.keys import accounts, ceremony, enrol, memory
from casework.keys.actor import Actor
from casework.keys.parts import PublicParts
from casework.keys.sessions import SessionStore
from casework.law.catalogue import ProfileCatalogue
from casework.log.keys import LogKeyFile
from casework.store import schema
from casework.store.blobs import BlobFolder
from casework.store.engine import open_engine
from casework.store.keystore import Keystore
from casework.store.office import Office
from casework.store.rations import Rations
from crypto.kdf import Kdf
from sandbox.jail import Jail

CHEAP = Kdf(8, 1, 1)
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OWNERS = bytes(range(32, 64))
ROLES = ("operator", "verifikator", "irban", "inspektur", "tim", "pengawas", "admin")


@dataclass
class FakeClock:
    """A clock that stands still until a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


@dataclass
class Bench:
    """An office with its clock and its signed-in officers, by username."""

    office: Office
    clock: FakeClock
    folder: Path
    officers: dict[str, Actor] = field(default_factory=dict)
    mnemonics: tuple[str, ...] = ()

    def __getitem__(self, username: str) -> Actor:
        return self.officers[username]


def passphrase_of(username: str) -> str:
    return f"kalimat sandi untuk percobaan si {username} saja"


@cache
def jail() -> Jail:
    """The confined process as this machine can have it; looked for once."""
    return Jail.find()


def bare_office(folder: Path, profile: str = "badung", engine: Engine | None = None) -> Bench:
    """An office before its ceremony: tables and holidays, nobody enrolled.

    ``engine``: another main database than a SQLite file in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = FakeClock()
    catalogue = ProfileCatalogue.from_package()
    law = catalogue.latest(profile)
    engine = open_engine(folder / "suaka.db") if engine is None else engine
    schema.upgrade(engine)
    office = Office(
        instance_id="0123456789abcdef0123456789abcdef",
        name="Inspektorat Contoh",
        tz=ZoneInfo(law.tz),
        profile=law,
        catalogue=catalogue,
        clock=clock,
        engine=engine,
        keystore=Keystore(folder / "keystore.db"),
        blobs=BlobFolder(folder / "blobs"),
        jail=jail(),
        sessions=SessionStore(folder / "sessions.db", OWNERS),
        windows=ReceiptWindows(folder / "windows.db"),
        rations=Rations(folder),
        pepper=bytes(range(32)),
        passphrase_kdf=CHEAP,
        secret_key_kdf=CHEAP,
        production=False,
        genesis=None,
        second_factor=False,
        log_key=LogKeyFile(folder / "log.key"),
    )
    if not (folder / "log.key").exists():
        office.log_key.make(office.instance_id, bytes(range(64, 96)))
    with office.write() as uow:
        if uow.session.scalar(select(Calendar.version)) is None:  # a folder may be opened again
            holidays.seed(uow, range(2026, 2029))
    return Bench(office, clock, folder)


def make_office(
    folder: Path,
    usernames: dict[str, tuple[str, ...]] | None = None,
    engine: Engine | None = None,
) -> Bench:
    """An office after its ceremony, everyone signed in once."""
    bench = bare_office(folder, engine=engine)
    people = usernames or {role: (role,) for role in ROLES}
    for username, roles in people.items():
        enrol.enrol(
            bench.office,
            enrol.Applicant(
                username=username,
                name=f"Contoh {username.title()}",
                position=f"Jabatan {username}",
                roles=roles,
                passphrase=passphrase_of(username),
            ),
        )
    with bench.office.read() as uow:
        parts = PublicParts.from_bytes(enrol.public_parts(uow))
        today = uow.today()
    guardian = next(one.person_id for one in parts.officers if "inspektur" in one.roles)
    result = ceremony.hold(
        ceremony.CeremonyRequest(parts, guardian, "Pembentukan"),
        ceremony.Shares(),
        today,
        bench.office.profile,
    )
    with bench.office.write() as uow:
        enrol.install_genesis(uow, result.genesis)
    bench.office = replace(bench.office, genesis=result.fingerprint)
    bench.mnemonics = result.mnemonics
    for username in people:
        bench.officers[username] = sign_in(bench.office, username)
    return bench


def sign_in(office: Office, username: str) -> Actor:
    """Sign an officer in with the test passphrase."""
    keys = accounts.officer_keys(office, username, passphrase_of(username))
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        memory.check_and_update(uow, actor)
    return actor
