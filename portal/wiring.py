"""The one place that builds everything: from an instance's folder to an office and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from casework.errors import CaseworkError
from casework.evidence.limits import MIB, Limits
from casework.evidence.scan import Scanner
from casework.intake.windows import ReceiptWindows
from casework.keys import accounts
from casework.keys.sessions import Kind, SessionStore
from casework.keys.tables import RosterRow, Wrap
from casework.keys.vocabulary import WrapKind
from casework.law.catalogue import ProfileCatalogue
from casework.log import adoption
from casework.log.clock import Clock
from casework.log.keys import LogKeyFile
from casework.store import schema
from casework.store.blobs import BlobFolder
from casework.store.engine import open_engine
from casework.store.keystore import Keystore
from casework.store.office import Office
from casework.store.rations import Allowance, Rations
from crypto.kdf import Kdf
from crypto.labels import Label, derive
from portal import asking, mail
from portal import settings as configuration
from portal.context import Portal
from portal.public import routes as public_routes
from portal.staff import routes as staff_routes
from portal.web.app import build
from portal.web.budget import Budget, KdfLane
from portal.web.kept import Keeper
from portal.web.pages import Pages
from portal.web.sessions import Sessions
from portal.web.settings import Surface, WebSettings
from sandbox.jail import Jail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jinja2 import BytecodeCache
    from litestar import Litestar

    from portal.settings import EvidenceSection, Settings

DATA, KEYS, RUN = "data", "keys", "run"
PEPPER_SIZE: Final = 32
DEMO_REASON: Final = "DEMO: bukan instans sungguhan"
"""Reason in the signed genesis of every demo, so that it stays a demo whatever is edited."""


class NotReady(CaseworkError):
    """The instance cannot serve yet; the message says what to do."""


@dataclass(frozen=True)
class Paths:
    """Where the files of one instance lie."""

    folder: Path

    @property
    def database(self) -> Path:
        """Cases, people, roster, log."""
        return self.folder / DATA / "suaka.db"

    @property
    def blobs(self) -> Path:
        """Sealed parts of files, under random names."""
        return self.folder / DATA / "blobs"

    @property
    def keystore(self) -> Path:
        """Shred keys and keyring memories; backed up apart, for 30 days at most."""
        return self.folder / KEYS / "keystore.db"

    @property
    def pepper(self) -> Path:
        """The server's part of every passphrase; never beside a database backup."""
        return self.folder / KEYS / "pepper"

    @property
    def log_key(self) -> Path:
        """The secret that signs the log's checkpoints; it decrypts nothing."""
        return self.folder / KEYS / "log.key"

    @property
    def sessions(self) -> Path:
        """Open sessions; ephemeral (tmpfs in production), never backed up."""
        return self.folder / RUN / "sessions.db"

    @property
    def windows(self) -> Path:
        """Open receipt windows; ephemeral, never backed up."""
        return self.folder / RUN / "windows.db"

    @property
    def run(self) -> Path:
        """What processes share for as long as the machine runs; never backed up."""
        return self.folder / RUN

    def make(self) -> None:
        """Make the folders, each with mode 0700."""
        for name in (DATA, KEYS, RUN):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def open_office(
    folder: Path, settings: Settings, clock: Callable[[], datetime] = utc_now
) -> Office:
    """Open the databases of an instance.

    Raises:
        NotReady: a file is missing.
        CostTooLow: production with key stretching below the floor.
        StorageUnfit: the SQLite library is too old.
    """
    paths = Paths(folder)
    for path in (paths.database, paths.pepper):
        if not path.exists():
            raise NotReady(f"{path.name} is missing: run suaka init")
    paths.run.mkdir(mode=0o700, exist_ok=True)
    office = _office(paths, settings, clock, paths.pepper.read_bytes())
    accounts.check_costs(office)
    return office


def open_copy(
    folder: Path, settings: Settings, scratch: Path, clock: Callable[[], datetime] = utc_now
) -> Office:
    """Open an instance to be looked at, or a copy of its data alone.

    What is missing beside the database is made empty in ``scratch``: nobody can sign in there.
    """
    paths = Paths(folder)
    return _office(paths, settings, clock, bytes(PEPPER_SIZE), scratch)


def _office(
    paths: Paths,
    settings: Settings,
    clock: Callable[[], datetime],
    pepper: bytes,
    scratch: Path | None = None,
) -> Office:
    """Build an office; with ``scratch``, what is not there is made in that folder."""
    run = scratch or paths.run
    keystore = paths.keystore
    if scratch is not None and not keystore.is_file():
        keystore = scratch / keystore.name
    catalogue = ProfileCatalogue.from_package()
    profile = catalogue.latest(settings.instance.profile)
    return Office(
        instance_id=settings.instance.id,
        name=settings.instance.name,
        tz=ZoneInfo(profile.tz),
        profile=profile,
        catalogue=catalogue,
        clock=clock,
        engine=open_engine(paths.database),
        keystore=Keystore(keystore, stand_in=keystore != paths.keystore),
        blobs=BlobFolder(paths.blobs),
        jail=Jail.find(),
        sessions=SessionStore(run / paths.sessions.name, derive(Label.SESSION_OWNERS, pepper)),
        windows=ReceiptWindows(run / paths.windows.name),
        rations=Rations(run),
        pepper=pepper,
        passphrase_kdf=Kdf.parse(settings.costs.passphrase),
        secret_key_kdf=Kdf.parse(settings.costs.secret_key),
        production=settings.production,
        genesis=settings.instance.genesis,
        second_factor=settings.staff.second_factor,
        many_cases=settings.staff.many_cases,
        post=mail.post_of(settings.mail, paths.folder),
        evidence=_limits(settings.evidence),
        scanner=Scanner(settings.scan.socket) if settings.scan.socket else None,
        log_key=LogKeyFile(paths.log_key),
        checkpoints=Clock(settings.log.hours, settings.log.leaves),
        witnesses=(witnesses := asking.witnesses_of(settings.log.witnesses)),
        ask=asking.ask_of(witnesses, settings.log.proxy),
    )


def _limits(section: EvidenceSection) -> Limits:
    return Limits(
        file=section.file_mib * MIB,
        case_files=section.case_files,
        officer_files=section.officer_files,
        case=section.case_mib * MIB,
        instance=section.instance_mib * MIB,
        low_water=section.low_water_mib * MIB,
    )


def require_ready(office: Office) -> None:
    """Refuse to serve an instance that is not whole, or a demo that claims to be production.

    Raises:
        NotReady: the schema is another one, the ceremony is missing, the log has no key, or keys
            of a demo stand in a production instance.
    """
    require_schema(office)
    _require_costs(office)
    require_genesis(office)
    with office.read() as uow:
        if not adoption.has_key(uow):
            raise NotReady("the log has no key: run suaka migrate")
        genesis = uow.session.scalar(select(RosterRow.body).where(RosterRow.version == 1))
    if office.production and (genesis is None or DEMO_REASON in genesis):
        raise NotReady("a demo cannot become a production instance: its recovery key lay here")


def require_schema(office: Office) -> None:
    """Refuse a database of another version of the program. Raises: NotReady."""
    if schema.current(office.engine) != schema.newest():
        raise NotReady("the database has another schema: run suaka migrate")


def require_genesis(office: Office) -> None:
    """Refuse an instance whose settings pin no genesis. Raises: NotReady."""
    if office.genesis is None:
        raise NotReady("the key ceremony is missing: run suaka ceremony, then suaka init --genesis")


def _require_costs(office: Office) -> None:
    """Refuse costs under which nobody who has enrolled or reported could sign in any more."""
    costs = {
        WrapKind.PASSPHRASE: office.passphrase_kdf.id,
        WrapKind.SECRET_KEY: office.secret_key_kdf.id,
    }
    with office.read() as uow:
        stored = uow.session.execute(select(Wrap.kind, Wrap.kdf_id).distinct()).all()
    if any(costs[WrapKind(kind)] != kdf_id for kind, kdf_id in stored):
        raise NotReady("[costs] differ from those that people enrolled with: put them back")


def make_portal(
    office: Office, settings: Settings, compiled: BytecodeCache | None = None
) -> Portal:
    """Build what the handlers share: pages, sessions, lanes."""

    def seconds() -> int:
        return int(office.clock().timestamp())

    site = {
        "name": office.name,
        "app_name": "Suaka",
        "demo": not settings.production,
        "surface": Surface.BOTH.value,
    }
    web, limits = settings.web, settings.limits

    def lane(name: str, at_once: int = limits.kdf_at_once) -> KdfLane:
        places = office.rations.places(name, at_once)
        return KdfLane(places, limits.kdf_waiting, seconds_each=0.2)

    def budget(name: str, per_minute: int, burst: int | None = None) -> Budget:
        allowance = Allowance(burst or per_minute, per_minute)
        return Budget(office.rations, name, allowance, seconds)

    return Portal(
        office=office,
        pages=Pages(context={"site": site}, compiled=compiled),
        settings=settings,
        reporters=Sessions(office.sessions, Kind.REPORTER, tls=web.tls, clock=seconds),
        staff=Sessions(office.sessions, Kind.STAFF, tls=web.tls, clock=seconds),
        keeper=Keeper(derive(Label.KEEPER, office.pepper)),
        report_lane=lane("reports"),
        reporter_lane=lane("reporters"),
        staff_lane=lane("staff"),
        unknown_lane=lane("unknown", limits.unknown_at_once),
        examine_lane=lane("examine"),
        burst=budget("reports", limits.reports_per_minute, limits.report_burst),
        unknown_tries=budget("unknown", limits.unknown_tries),
        device_tries=lambda name: budget(name, limits.device_tries),
    )


def make_app(
    office: Office,
    settings: Settings,
    surface: Surface = Surface.BOTH,
    *,
    compiled: BytecodeCache | None = None,
    **extra: Any,
) -> Litestar:
    """Return the ASGI application of one surface; ``extra`` (lifespan) goes to Litestar.

    ``compiled`` keeps compiled templates for further applications of this process.
    """
    portal = make_portal(office, settings, compiled)
    handlers = []
    if surface is not Surface.STAFF:
        handlers += public_routes.handlers(portal)
    if surface is not Surface.PUBLIC:
        handlers += staff_routes.handlers(portal)
    web = WebSettings(surface=surface, tls=settings.web.tls, origins=settings.web.origins)
    return build(handlers, portal.pages, web, **extra)


def load(folder: Path, clock: Callable[[], datetime] = utc_now) -> tuple[Office, Settings]:
    """Open the instance in ``folder``. Raises: SettingsError, NotReady, CostTooLow."""
    settings = configuration.load(folder)
    return open_office(folder, settings, clock), settings
