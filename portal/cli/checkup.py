"""``suaka doctor``: is this instance safe to run? Every check says what it looked at."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from sqlalchemy import func, select

from casework.calendar.tables import Calendar, Holiday
from casework.errors import CaseworkError
from casework.intake.sealing import receivers
from casework.keys import roster
from casework.law.vocabulary import DayKind
from casework.store import schema
from casework.store.engine import sqlite_version
from portal import settings as configuration
from portal import wiring
from portal.cli.options import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from casework.store.office import Office
    from portal.settings import Settings

GROUP_OR_OTHERS: Final = 0o077
EARLIEST_CLOCK: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock before this day is certainly wrong."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``level`` is ``ok``, ``warn`` or ``bad``."""

    level: str
    text: str


@click.command()
@FOLDER
def doctor(folder: Path) -> None:
    """Check the instance in FOLDER; exit 1 if anything is bad."""
    bad = False
    for finding in examine(folder):
        bad = bad or finding.level == "bad"
        click.echo(f"{finding.level:<4} {finding.text}")
    if bad:
        sys.exit(1)


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what was found, in the order in which it should be mended."""
    try:
        settings = configuration.load(folder)
        yield Finding("ok", f"configuration: {settings.instance.name}, {settings.instance.mode}")
        yield from _modes(folder)
        office = wiring.open_office(folder, settings)
    except (CaseworkError, OSError) as refused:
        yield Finding("bad", f"{type(refused).__name__}: {refused}")
        return
    checks: tuple[Callable[[Office, Settings], Iterator[Finding]], ...] = (
        _program,
        _clock,
        _web,
        _schema,
        _integrity,
        _people,
        _calendar,
    )
    for check in checks:
        try:
            yield from check(office, settings)
        except CaseworkError as refused:
            yield Finding("bad", f"{type(refused).__name__}: {refused}")


def _modes(folder: Path) -> Iterator[Finding]:
    """Nothing of the instance may be readable by anybody but its own user."""
    open_to_others = [
        path.relative_to(folder)
        for path in (folder, *sorted(folder.rglob("*")))
        if path.stat().st_mode & GROUP_OR_OTHERS and not path.is_socket()
    ]
    for path in open_to_others:
        yield Finding("bad", f"file mode: {path} is open to other users (chmod go-rwx)")
    if not open_to_others:
        yield Finding("ok", "file modes: nothing is open to other users")
    run = folder / wiring.RUN
    if run.exists() and not _is_tmpfs(run):
        yield Finding("warn", "run/ is on a disk: mount a tmpfs there in production")


def _is_tmpfs(path: Path) -> bool:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return False
    kinds = {
        line.split()[1]: line.split()[2] for line in mounts.read_text(encoding="utf-8").splitlines()
    }
    resolved = path.resolve()
    nearest = next(one for one in (resolved, *resolved.parents) if str(one) in kinds)
    return kinds[str(nearest)] == "tmpfs"


def _program(_office: Office, _settings: Settings) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sqlite_version())
    yield Finding("ok", f"SQLite {version}")


def _clock(office: Office, _settings: Settings) -> Iterator[Finding]:
    now = office.clock()
    if now < EARLIEST_CLOCK:
        yield Finding("bad", f"clock: {now:%Y-%m-%d %H:%M} UTC is in the past: set the clock")
        return
    yield Finding("ok", f"clock: {now.astimezone(office.tz):%Y-%m-%d %H:%M %Z}")


def _web(_office: Office, settings: Settings) -> Iterator[Finding]:
    web = settings.web
    if settings.production and not web.tls:
        yield Finding("bad", "web.tls is off: cookies would travel unprotected in production")
    if settings.production and not web.origins:
        yield Finding("warn", "web.origins is empty: the Host header decides what is same-origin")
    if not web.no_addresses:
        yield Finding("warn", "web.no_addresses is off: reporters are not told that no IP is kept")


def _schema(office: Office, _settings: Settings) -> Iterator[Finding]:
    current, newest = schema.current(office.engine), schema.newest()
    if current == newest:
        yield Finding("ok", f"schema: {current}")
    else:
        yield Finding("bad", f"schema: {current}, this program wants {newest}: run suaka migrate")


def _integrity(office: Office, _settings: Settings) -> Iterator[Finding]:
    with office.engine.connect() as connection:
        answer = str(connection.exec_driver_sql("PRAGMA quick_check").scalar())
    yield Finding("ok" if answer == "ok" else "bad", f"database file: {answer}")


def _people(office: Office, _settings: Settings) -> Iterator[Finding]:
    with office.read() as uow:
        chain = roster.load(uow)
        day = uow.today()
        yield Finding("ok", f"roster: version {chain.version}, chain verified")
        if chain.guardian_on(day) is None:
            yield Finding("bad", "guardian: not in office; reports cannot be received")
        for role in office.profile.roles:
            holders = chain.active(role.id, day)
            needed = role.id in office.profile.acting_roles()
            if holders:
                yield Finding("ok", f"{role.label}: {len(holders)}")
            else:
                yield Finding("bad" if needed else "warn", f"{role.label}: nobody holds it")
        if receivers(office.profile, chain, day) is None:
            yield Finding("bad", "reports cannot be received now")


def _calendar(office: Office, _settings: Settings) -> Iterator[Finding]:
    with office.read() as uow:
        version = uow.session.scalar(select(func.max(Calendar.version)))
        last = uow.session.scalar(
            select(func.max(Holiday.day)).where(
                Holiday.calendar == version, Holiday.kind == DayKind.CUTI_BERSAMA
            )
        )
        year = uow.today().year
    if last is None or last.year <= year:
        yield Finding("warn", f"holidays: no cuti bersama entered after {year} (suaka holidays)")
    else:
        yield Finding("ok", f"holidays: version {version}, cuti bersama until {last.year}")
