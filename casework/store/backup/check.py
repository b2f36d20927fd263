"""Is what an archive held fit to be served? Everything is looked at before anything is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.audit.findings import Kind
from casework.audit.verify import verify
from casework.case.tables import Case
from casework.evidence.tables import FilePart
from casework.keys import point
from casework.keys import roster as rosters
from casework.keys.tables import Enrolment, RosterRow
from casework.log import tree
from casework.store import schema
from casework.store.backup.make import BLOBS
from casework.store.backup.manifest import ArchiveUnfit
from casework.store.keystore import MEMORIES
from casework.tick import check_keys

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from casework.keys.point import Point
    from casework.store.backup.manifest import DataManifest, KeysManifest
    from casework.store.office import Office


@dataclass(frozen=True)
class Lost:
    """What a replaced instance had that the restored one has not.

    ``leaves`` and ``cases`` are how many, ``entries`` versions of the roster. ``another_history``:
    the replaced one did not go on from where the restored one stands.
    """

    leaves: int
    entries: range
    cases: int
    another_history: bool


def schema_known(manifest: DataManifest, engine: Engine) -> None:
    """Refuse a database that this program cannot bring up to date.

    Raises:
        ArchiveUnfit: a newer program made it, or the database is of another revision than stated.
    """
    if not schema.knows(manifest.schema):
        raise ArchiveUnfit(
            f"Suaka {manifest.program} made this backup, with a database that this version does "
            "not know: install that version"
        )
    if schema.current(engine) != manifest.schema:
        raise ArchiveUnfit("the database has another schema than the manifest says")


def files_whole(database: Engine, keystore: Engine) -> None:
    """Refuse damaged files, and databases that would act by themselves. Raises: ArchiveUnfit."""
    for name, engine in (("database", database), ("keystore", keystore)):
        with engine.connect() as connection:
            answer = str(connection.exec_driver_sql("PRAGMA integrity_check").scalar())
            astray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            acting = schema.acting(connection)
        if answer != "ok" or astray is not None:
            raise ArchiveUnfit(f"the {name} in the archive is damaged: {answer}")
        if acting:
            raise ArchiveUnfit(f"the {name} in the archive holds triggers or views: not ours")


def belongs(office: Office, data: DataManifest, keys: KeysManifest) -> None:
    """Refuse archives of two instances, or another genesis than the settings pin.

    Raises:
        ArchiveUnfit: naming which.
    """
    if data.instance != office.instance_id or data.genesis != office.genesis:
        raise ArchiveUnfit("the settings in the archive are those of another instance")
    if keys.instance != data.instance:
        raise ArchiveUnfit("the keys are those of another instance")


def inside(office: Office, data: DataManifest, keys: KeysManifest) -> Point:
    """Verify roster, log and cases, and that the keys fit; return where the database stands.

    Raises:
        ArchiveUnfit: naming what does not hold.
        RosterBroken: the chain of officers does not verify.
    """
    with office.read() as uow:
        stands = point.of(uow.session)
        stated = (data.roster_version, data.roster_head, data.log_size, data.log_last)
        found = (stands.roster_version, stands.roster_head, stands.log_size, stands.log_last)
        if stated != found:
            raise ArchiveUnfit("the database is not the one that the manifest describes")
        rosters.load(uow)
        # Keys and blobs are compared with the archives they come in, which says more.
        log = verify(uow, sealed=False)
        if not log.sound:
            told = ", ".join(
                f"{log.number(kind)} {kind.value}"
                for kind in Kind
                if kind is not Kind.NOTICE and log.number(kind)
            )
            raise ArchiveUnfit(
                f"the log in the archive is not whole: {told}; {len(log.cases)} cases are not "
                "what their leaves say"
            )
        fit = check_keys(uow)
        if astray := len(fit.lost | fit.ahead):
            raise ArchiveUnfit(
                f"these keys do not fit: {astray} cases could not be opened; {_hint(data, keys)}"
            )
        officers = set(uow.session.scalars(select(Enrolment.person)))
        with office.keystore.engine.connect() as connection:
            remembered = set(connection.scalars(select(MEMORIES.c.person_id)))
        if forgotten := len(officers - remembered):
            raise ArchiveUnfit(
                f"these keys do not fit: {forgotten} officers could not sign in; "
                f"{_hint(data, keys)}"
            )
    return stands


def blobs(office: Office, data: DataManifest) -> None:
    """Refuse an archive without some part of a file, or with another one.

    Raises:
        ArchiveUnfit: saying how many.
    """
    held = {member.name: (member.size, member.sha256) for member in data.members}
    with office.read() as uow:
        rows = uow.session.execute(select(FilePart.blob, FilePart.size, FilePart.digest)).all()
    wanted = {f"{BLOBS}/{row.blob}": (row.size, row.digest.hex()) for row in rows}
    if astray := sum(held.get(name) != named for name, named in wanted.items()):
        raise ArchiveUnfit(f"{astray} parts of files are not in the archive, or are others")


def lost(old: Session, new: Session) -> Lost:
    """Compare a replaced database with the restored one. Verifies nothing."""
    theirs, ours = point.of(old), point.of(new)
    common = tree.hash_at(old, ours.log_size - 1)
    entry = old.scalar(select(RosterRow.hash).where(RosterRow.version == ours.roster_version))
    known = set(new.scalars(select(Case.id)))
    return Lost(
        leaves=max(0, theirs.log_size - ours.log_size),
        entries=range(ours.roster_version + 1, theirs.roster_version + 1),
        cases=len(set(old.scalars(select(Case.id))) - known),
        another_history=common is None
        or common.hex() != ours.log_last
        or entry != ours.roster_head,
    )


def keep_memories(source: Engine, target: Engine) -> int:
    """Put what officers last saw on a replaced instance into the restored keystore.

    Without this, yesterday's keystore would agree with yesterday's database, and nobody would
    notice what is gone. Returns how many memories were kept.
    """
    with source.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(MEMORIES)).mappings()]
    with target.begin() as connection:
        for row in rows:
            connection.execute(MEMORIES.delete().where(MEMORIES.c.person_id == row["person_id"]))
            connection.execute(MEMORIES.insert().values(**row))
    return len(rows)


def _hint(data: DataManifest, keys: KeysManifest) -> str:
    if data.pair == keys.pair:
        return "nevertheless both archives were made together: the instance was damaged then"
    return f"the archive of keys made together with this backup is {data.keys}"
