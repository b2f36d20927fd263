"""One running instance: its identity, its law, its databases and its clock."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from casework.evidence.limits import Limits
from casework.log import tree
from casework.log.clock import Clock
from casework.store.engine import BEGIN_OPTION, Unavailable
from casework.store.unit import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Engine

    from casework.evidence.scan import Scanner
    from casework.intake.windows import ReceiptWindows
    from casework.keys.sessions import SessionStore
    from casework.law.catalogue import ProfileCatalogue
    from casework.law.profile import Profile
    from casework.log.asking import Ask
    from casework.log.keys import LogKeyFile
    from casework.log.witnesses import Witness
    from casework.notices.post import Post
    from casework.store.blobs import Blobs
    from casework.store.keystore import Keystore
    from casework.store.rations import Rations
    from crypto.kdf import Kdf
    from sandbox.jail import Jail


@dataclass(frozen=True)
class Office:
    """One inspectorate's instance, built once by ``portal.wiring``.

    ``genesis`` is the hex SHA-256 of the roster's first entry, pinned in the configuration;
    it is ``None`` only before the key ceremony. ``second_factor`` is off in a demo alone.
    ``many_cases``: how many cases an officer opens on a day before the guardian is told. ``post``
    sends notices; ``None`` while that is off. ``jail`` is where hostile files are looked at, and
    ``scanner`` asks the malware scanner, if there is one. ``log_key`` keeps the secret that signs
    checkpoints, which are published by the clock ``checkpoints`` and put before the
    ``witnesses`` by ``ask``, if there is a way to reach them.
    """

    instance_id: str
    name: str
    tz: ZoneInfo
    profile: Profile
    catalogue: ProfileCatalogue
    clock: Callable[[], datetime]
    engine: Engine
    keystore: Keystore
    blobs: Blobs
    jail: Jail
    sessions: SessionStore
    windows: ReceiptWindows
    rations: Rations
    pepper: bytes = field(repr=False)
    passphrase_kdf: Kdf
    secret_key_kdf: Kdf
    production: bool
    genesis: str | None
    log_key: LogKeyFile
    second_factor: bool = True
    many_cases: int = 25
    post: Post | None = None
    evidence: Limits = field(default_factory=Limits)
    scanner: Scanner | None = None
    checkpoints: Clock = field(default_factory=Clock)
    witnesses: tuple[Witness, ...] = ()
    ask: Ask | None = None

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Open a writing transaction; commit at the end, roll back on any error.

        The write lock is taken at once, so that nothing read inside can change before the
        commit.

        Raises:
            Unavailable: a database is locked, full or unreadable; nothing was stored.
            StorageUnfit: PostgreSQL is asked for another isolation than READ COMMITTED.
        """
        try:
            with (
                _translated(),
                self.engine.execution_options(
                    **{BEGIN_OPTION: "BEGIN IMMEDIATE"}
                ).connect() as connection,
                Session(connection, expire_on_commit=False) as session,
                session.begin(),
            ):
                tree.one_writer(session)
                yield UnitOfWork(self, session, self.keystore)
        except BaseException:
            self.keystore.forget_pending()
            raise
        # The act is committed: keys that cannot be dropped now wait for the sweep.
        with suppress(DatabaseError):
            self.keystore.settle()

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a reading transaction: one consistent snapshot, nothing is written.

        Raises:
            Unavailable: a database is locked or unreadable.
        """
        with (
            _translated(),
            self.engine.connect() as connection,
            Session(connection) as session,
            session.begin(),
        ):
            yield UnitOfWork(self, session, self.keystore)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the database library raises about its files into the domain's word for it.

    A broken constraint stays what it is: a mistake of ours, or of whoever writes rows.
    """
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError):
        raise
    except (DatabaseError, PoolTimeout) as error:
        raise Unavailable(type(error).__name__) from error
