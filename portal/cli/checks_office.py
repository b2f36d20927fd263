"""What ``suaka doctor`` sees inside: schema, clock, roster, keystore, desks, holidays."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from casework.audit.findings import Kind, What
from casework.audit.verify import verify
from casework.calendar.tables import Calendar, Holiday
from casework.handling.astray import astray
from casework.intake.sealing import receivers
from casework.keys import roster
from casework.law.vocabulary import DayKind
from casework.log.tables import Leaf
from casework.store import schema
from casework.store.engine import sqlite_version
from casework.tick import check_keys
from portal import wiring
from portal.cli import audit_words, checks_evidence, checks_log
from portal.cli.findings import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casework.store.office import Office
    from casework.store.unit import UnitOfWork
    from portal.cli.findings import Finding
    from portal.settings import Settings

EARLIEST_CLOCK: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock before this day is certainly wrong."""


def program(_office: Office, _settings: Settings) -> Iterator[Finding]:
    """The SQLite in use; one that is too old was refused before."""
    yield ok("SQLite " + ".".join(str(part) for part in sqlite_version()))


def schema_is_ours(office: Office, _settings: Settings) -> Iterator[Finding]:
    """The database must have the schema of this program; nothing else can be looked at before."""
    current, newest = schema.current(office.engine), schema.newest()
    if current == newest:
        yield ok(f"schema: {current}")
    else:
        text = f"schema: {current or 'empty'}, this program wants {newest}"
        yield bad(f"{text}: run suaka migrate")


def integrity(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Both database files are whole."""
    for name, engine in (("database", office.engine), ("keystore", office.keystore.engine)):
        with engine.connect() as connection:
            answer = str(connection.exec_driver_sql("PRAGMA quick_check").scalar())
        yield ok(f"{name} file: ok") if answer == "ok" else bad(f"{name} file: {answer}")


def readiness(office: Office, _settings: Settings) -> Iterator[Finding]:
    """The ceremony was held, and no demo claims to be a production instance."""
    wiring.require_ready(office)
    yield ok(f"ceremony: genesis {office.genesis}")


def clock(office: Office, _settings: Settings) -> Iterator[Finding]:
    """The clock is not behind what was already written."""
    now = office.clock()
    today = now.astimezone(office.tz).date()
    with office.read() as uow:
        last = _last_day(uow)
    if now < EARLIEST_CLOCK:
        yield bad(f"clock: {now:%Y-%m-%d %H:%M} UTC is in the past: set the clock")
    elif last is not None and today < last:
        yield bad(f"clock: today is {today}, but the log was written to on {last}: set the clock")
    else:
        yield ok(f"clock: {now.astimezone(office.tz):%Y-%m-%d %H:%M %Z}")


def people(office: Office, _settings: Settings) -> Iterator[Finding]:
    """The roster is whole, and everyone whom a report needs is in office."""
    with office.read() as uow:
        chain = roster.load(uow)
        day = uow.today()
    yield ok(f"roster: version {chain.version}, chain verified")
    if chain.guardian_on(day) is None:
        yield bad("guardian: not in office")
    else:
        yield ok("guardian: in office")
    acting = office.profile.acting_roles()
    for role in office.profile.roles:
        holders = len(chain.active(role.id, day))
        if holders:
            yield ok(f"{role.label}: {holders}")
        else:
            text = f"{role.label}: nobody holds it"
            yield bad(text) if role.id in acting else warn(text)
    if receivers(office.profile, chain, day) is None:
        yield bad("reports cannot be received now")


def keystore(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Each case has its shred key, and each key its case."""
    with office.read() as uow:
        found = check_keys(uow)
    if found.lost:
        yield bad(f"keystore: {len(found.lost)} cases have no key: put back its newest backup")
    if found.ahead:
        yield bad(
            f"keystore: {len(found.ahead)} cases have a key of another version: an old copy of "
            "data/ or keys/ was put back"
        )
    if found.unnamed:
        yield warn(
            f"keystore: {len(found.unnamed)} keys belong to no case: reports that were "
            "interrupted, or an old copy of data/ was put back"
        )
    if not found.lost | found.ahead | found.unnamed:
        yield ok("keystore: agrees with the cases")


def desks(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Each case lies on the desks of those who hold its keys, and on no others."""
    with office.read() as uow:
        cases = astray(uow)
    if cases:
        yield bad(
            f"desks: {len(cases)} cases are not listed as their keys are held: somebody wrote to "
            "the database (suaka tick mends it)"
        )
    else:
        yield ok("desks: agree with the keys")


def log(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Every leaf is there, whole and signed, and everything stored is what the leaves say.

    Keystore and files have checks of their own here.
    """
    with office.read() as uow:
        found = verify(uow, sealed=False)
    for kind in Kind:
        number = found.number(kind)
        if kind is not Kind.NOTICE and number:
            first = audit_words.line(found.of(kind)[0]).partition(" ")[2].strip()
            yield bad(f"log: {kind.value}: {number}; the first: {first}")
    for one in found.of(Kind.NOTICE):
        if one.what is What.ERASED:
            continue  # nothing that anybody has to do: the audit tells of it
        yield warn(f"log: {audit_words.line(one).partition(' ')[2].strip()}")
    if found.cases:
        yield bad(
            f"log: {len(found.cases)} cases are not what their leaves say: somebody wrote behind "
            "the portal's back; keep this copy, compare it with a backup: suaka audit verify"
        )
    if found.sound:
        yield ok("log: whole, hashes and signatures verified")


def holidays(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Days of collective leave are decreed each year; without them due dates come too early."""
    with office.read() as uow:
        version = uow.session.scalar(select(func.max(Calendar.version)))
        last = uow.session.scalar(
            select(func.max(Holiday.day)).where(
                Holiday.calendar == version, Holiday.kind == DayKind.CUTI_BERSAMA
            )
        )
        year = uow.today().year
    if last is None or last.year < year:
        yield bad(f"holidays: no cuti bersama for {year}: due dates are wrong (suaka holidays)")
    elif last.year == year:
        yield warn(f"holidays: no cuti bersama entered after {year} (suaka holidays)")
    else:
        yield ok(f"holidays: version {version}, cuti bersama until {last.year}")


ALL: Final[tuple[Callable[[Office, Settings], Iterator[Finding]], ...]] = (
    program,
    schema_is_ours,
    integrity,
    readiness,
    clock,
    people,
    keystore,
    log,
    checks_log.key,
    checks_log.published,
    checks_log.watched,
    desks,
    checks_evidence.blobs,
    checks_evidence.sandbox,
    holidays,
)
"""Every check of this kind, in order."""


def _last_day(uow: UnitOfWork) -> date | None:
    """Return the day of the newest leaf that still has its body."""
    body = uow.session.scalar(
        select(Leaf.body).where(Leaf.body.is_not(None)).order_by(Leaf.number.desc()).limit(1)
    )
    return None if body is None else date.fromisoformat(json.loads(body)["day"])
