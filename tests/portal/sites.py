"""The whole portal in memory: a small office of its own behind the real application."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import text

from portal.settings import InstanceSection, LimitSection, Settings
from portal.web.settings import Surface
from portal.wiring import make_app
from tests.casework.cases import copy_of
from tests.casework.office import Bench, FakeClock
from tests.portal import visits
from tests.portal.visits import BASE, Receipt, Visit


class Compiled(BytecodeCache):
    """Keeps what templates compile to, for all applications of this process.

    Compiling took a third of the time of a test with a portal of its own. Sharing is safe: the
    code is the same for every office (what differs is given when it is rendered), nothing writes
    to it, and it is kept under the text that it was compiled from.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], object] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))  # type: ignore[assignment]

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


class Shared(httpx.BaseTransport):
    """Lets all visits share the application's event loop, as they do in life."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self._inner = client._transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)


@dataclass
class Site:
    """A running portal with its office and clock; each visit has cookies of its own."""

    bench: Bench
    settings: Settings
    app: Litestar
    client: TestClient[Litestar]

    @property
    def clock(self) -> FakeClock:
        return self.bench.clock

    def visit(self) -> Visit:
        return Visit(httpx.Client(transport=Shared(self.client), base_url=BASE))

    def officer(self, username: str, code: str | None = None) -> Visit:
        """A browser in which an officer has just signed in."""
        visit = visits.enter_staff(self.visit(), username, code=code)
        assert (visit.status, visit.location) == (303, "/petugas")
        return visit

    def reporter(self, values: visits.Values | None = None) -> tuple[Visit, Receipt]:
        """A browser in which somebody has just reported and opened the mailbox."""
        visit = self.visit()
        receipt = visits.report(visit, values)
        visits.keep(visit, receipt)
        assert (visit.status, visit.location) == (303, "/ruang")
        return visit, receipt

    def path(self, receipt: Receipt) -> str:
        """The address of a case on the officers' side."""
        return f"/petugas/berkas/{self.case_id(receipt.ticket)}"

    def case_id(self, ticket: str) -> str:
        return str(self.scalar('SELECT id FROM "case" WHERE ticket = :ticket', ticket=ticket))

    def act(self, username: str, receipt: Receipt, transition: str) -> Visit:
        """Let an officer sign in and take an act, bringing all that its form asks for."""
        profile = self.bench.office.profile
        fields = visits.fields_of(
            profile, profile.transition(transition), self.bench["tim"].person_id
        )
        visit = visits.act(self.officer(username), self.path(receipt), transition, fields)
        assert visit.status == 303, (visit.status, visit.text)
        return visit

    def scalar(self, query: str, **values: object) -> object:
        with self.bench.office.engine.connect() as connection:
            return connection.scalar(text(query), values)

    def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with self.bench.office.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def count(self, table: str = "case") -> int:
        return int(str(self.scalar(f'SELECT count(*) FROM "{table}"')))

    def tamper(self, *statements: str, **values: object) -> None:
        """Write to the database as an admin could, past all of our code."""
        with self.bench.office.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            changed = 0
            for statement in statements:
                names = {name: value for name, value in values.items() if f":{name}" in statement}
                changed += connection.execute(text(statement), names).rowcount
            connection.commit()
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
        assert changed > 0, "the attack changed nothing"

    def state(self, *, log: bool = True) -> str:
        """A digest of everything that is stored about cases and people, and of the log."""
        digest = hashlib.sha256()
        for table in ("case", "case_flag", "item", "part", "grant", "leaf", "deadline", "person",
                      "assignment", "desk_entry", "compartment", "wrap", "roster"):  # fmt: skip
            if table == "leaf" and not log:
                continue
            for row in self.rows(f'SELECT * FROM "{table}" ORDER BY 1, 2'):
                digest.update(repr(row).encode())
        return digest.hexdigest()


def settings_of(bench: Bench, limits: LimitSection | None = None) -> Settings:
    section = InstanceSection(
        id=bench.office.instance_id,
        name=bench.office.name,
        profile="badung",
        mode="demo",
        genesis=bench.office.genesis,
    )
    # A test must meet its limits only where it is about them.
    many = LimitSection(
        kdf_at_once=4,
        unknown_at_once=4,
        kdf_waiting=1000,
        report_burst=100_000,
        unknown_tries=100_000,
        device_tries=100_000,
    )
    return Settings(instance=section, limits=limits or many)


@contextmanager
def served(
    bench: Bench, limits: LimitSection | None = None, surface: Surface = Surface.BOTH
) -> Iterator[Site]:
    """Put an office behind the real application."""
    settings = settings_of(bench, limits)
    app = make_app(bench.office, settings, surface, compiled=COMPILED)
    with TestClient(app, base_url=BASE) as client:
        yield Site(bench, settings, app, client)


@contextmanager
def site_of(founded: Bench, folder: Path, limits: LimitSection | None = None) -> Iterator[Site]:
    """A portal on a copy of an office that was founded before."""
    bench = copy_of(founded, folder)
    try:
        with served(bench, limits) as site:
            yield site
    finally:
        bench.office.engine.dispose()
        bench.office.keystore.engine.dispose()
        bench.office.sessions.close()
