"""A real PostgreSQL server of our own, in a temporary folder, on a socket that lies there."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each major version, outside of everybody's ``PATH``."""

SERVER_USER = "postgres"
"""Who runs the server where the tests run as root; as root it refuses to start."""

SETTINGS = {
    "fsync": "off",  # the folder is thrown away
    "listen_addresses": "",
    "max_connections": "50",
}


@dataclass
class Server:
    """A server that runs; each test has a database of its own in it."""

    folder: Path
    _names: Iterator[str] = field(default_factory=lambda: (f"test{n}" for n in count(1)))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://suaka@/{database}?host={self.folder}"

    def create(self) -> Engine:
        """An engine on a new, empty database."""
        name = next(self._names)
        first = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with first.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        first.dispose()
        return create_engine(self.url(name), pool_size=20)


@contextmanager
def running() -> Iterator[Server]:
    """Run a server; skip where PostgreSQL or its driver is not installed."""
    programs = _programs()
    # A driver without the C library of PostgreSQL raises a plain ImportError.
    pytest.importorskip(
        "psycopg", reason="psycopg is not installed, or finds no libpq", exc_type=ImportError
    )
    # The path of a socket is at most 107 bytes long, and pytest's own folders are root's alone.
    folder = Path(tempfile.mkdtemp(prefix="suaka-pg-", dir="/tmp"))
    try:
        with _started(programs, folder):
            yield Server(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _started(programs: Path, folder: Path) -> Iterator[None]:
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), f"--pgdata={folder / 'data'}", *arguments]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True, **who)

    run("initdb", "--username=suaka", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}")
    try:
        yield
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate")


def _programs() -> Path:
    """Return the folder of the newest server that is installed."""
    found = shutil.which("initdb")
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found is None and not versions:
        pytest.skip("PostgreSQL is not installed (Debian's postgresql)")
    return (versions[-1] if versions else Path(str(found)).resolve()).parent
