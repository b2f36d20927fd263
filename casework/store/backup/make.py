"""Make a backup while the server runs: one archive of the data, one of the keys, same moment.

Of the blobs, the archive holds exactly those that files of the copied database name; they are
never removed. Parts of files that are still arriving may vanish at any moment, and are left out.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from casework.store import schema
from casework.store.backup import copy, files, tar
from casework.store.backup.manifest import (
    KEYS_DAYS,
    ArchiveUnfit,
    DataManifest,
    KeysManifest,
    Member,
    moment_text,
    parse,
)
from casework.store.base import new_id
from casework.store.blobs import is_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from casework.keys.point import Point
    from casework.store.backup.manifest import Manifest
    from casework.store.office import Office
    from crypto.age import HybridRecipient

DATA: Final = "data"
KEYS: Final = "keys"
DATABASE: Final = f"{DATA}/suaka.db"
KEYSTORE: Final = f"{KEYS}/keystore.db"
PEPPER: Final = f"{KEYS}/pepper"
LOG_KEY: Final = f"{KEYS}/log.key"
SETTINGS: Final = "suaka.toml"
BLOBS: Final = f"{DATA}/blobs"

_BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; the copy has it inside."""

_SECRET: Final = frozenset({"keystore.db", "pepper", "log.key", "log.key.new"})


@dataclass(frozen=True)
class Order:
    """What is to be backed up and where to.

    ``folder`` is the instance's; ``secret`` are further files that no archive may hold. The
    archive of keys lives for ``days``.
    """

    folder: Path
    to: Path
    keys_to: Path
    recipients: Sequence[HybridRecipient]
    program: str
    secret: frozenset[Path] = frozenset()
    days: int = KEYS_DAYS


@dataclass(frozen=True)
class Made:
    """What a backup has made: both archives, the last day of the keys, and the checkpoint.

    ``log_key``: whether the key of the log is in it.
    """

    data: Path
    keys: Path
    expires: date
    point: Point
    log_key: bool


def make(office: Office, order: Order) -> Made:
    """Make both archives, or none.

    A server may run meanwhile: acts wait only while the keystore is copied. Neither archive is
    seen under its name before both are whole and on the disk; the keys come first, so that no
    archive of data ever stands without its own.

    Raises:
        ArchiveUnfit: the two folders are one, a file cannot be backed up, or a blob is not what
            its row says.
        Unavailable: a database is locked, full or unreadable, or the disk is full.
        OSError: a folder cannot be written.
    """
    _refuse(order)
    made = office.clock().replace(microsecond=0)
    pair, expires = new_id(), made.date() + timedelta(days=order.days)
    final = order.to / files.data_name(office.instance_id, made, pair)
    final_keys = order.keys_to / files.keys_name(office.instance_id, made, pair, expires)
    common: dict[str, Any] = {
        "program": order.program,
        "schema": schema.current(office.engine) or "",
        "instance": office.instance_id,
        "pair": pair,
        "made": moment_text(made),
    }
    with copy.pair(office, order.folder / DATA, order.folder / KEYS) as copied:
        keys: dict[str, Callable[[], BinaryIO]] = {
            KEYSTORE: lambda: BytesIO(copied.keystore),
            PEPPER: _opener(order.folder / PEPPER),
        }
        log_key = copied.log_key
        if log_key is not None:
            keys[LOG_KEY] = lambda: BytesIO(log_key)
        data = {
            DATABASE: lambda: os.fdopen(os.dup(copied.database.fileno()), "rb"),
            SETTINGS: _opener(order.folder / SETTINGS),
            **_others(order),
        }
        blobs = [
            Member(name=f"{BLOBS}/{blob}", size=size, sha256=digest.hex())
            for blob, (size, digest) in copied.blobs.items()
        ]
        keys_manifest = KeysManifest(**common, members=_measured(keys), expires=expires)
        manifest = DataManifest(
            **common,
            members=_ordered(*_measured(data), *blobs),
            genesis=office.genesis or "",
            roster_version=copied.point.roster_version,
            roster_head=copied.point.roster_head,
            log_size=copied.point.log_size,
            log_last=copied.point.log_last,
            keys=final_keys.name,
        )
        with (
            files.sealed(final_keys, order.recipients, _stream(keys_manifest, keys)) as safe_keys,
            files.sealed(
                final,
                order.recipients,
                _stream(manifest, {one.name: _blob(order, one) for one in blobs} | data),
            ) as safe,
        ):
            safe_keys.publish()
            safe.publish()
    return Made(final, final_keys, expires, copied.point, log_key is not None)


def _refuse(order: Order) -> None:
    if order.to.resolve() == order.keys_to.resolve():
        raise ArchiveUnfit("data and keys go into different folders: together they are too much")
    inside = [
        target
        for target in (order.to, order.keys_to)
        if order.folder.resolve() in (target.resolve(), *target.resolve().parents)
    ]
    if inside:
        raise ArchiveUnfit(f"{inside[0]} lies inside the instance: a backup belongs elsewhere")


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _blob(order: Order, member: Member) -> Callable[[], BinaryIO]:
    """Return what opens a blob that a row names. Raises, later, ArchiveUnfit: it is gone."""

    def opened() -> BinaryIO:
        try:
            return (order.folder / member.name).open("rb")
        except FileNotFoundError:
            raise ArchiveUnfit(
                f"{member.name} is gone, though a file of a case is in it: put it back from an "
                "older backup; suaka doctor counts the files that lack a part"
            ) from None

    return opened


def _others(order: Order) -> dict[str, Callable[[], BinaryIO]]:
    """Return what else lies in the data folder, by its name in the archive.

    Hidden files are passed over: they are somebody's unfinished work. So are blobs, of which
    rows tell.

    Raises:
        ArchiveUnfit: a key lies there, or something that is no ordinary file.
    """
    found = {}
    blobs, database = order.folder / BLOBS, order.folder / DATABASE
    own = {database, *(database.with_name(database.name + suffix) for suffix in _BESIDE)}
    for path in sorted(_below(order.folder / DATA)):
        name = path.relative_to(order.folder).as_posix()
        if path in own or (path.parent == blobs and is_name(path.name)):
            continue
        if path.name in _SECRET or path.resolve() in order.secret:
            raise ArchiveUnfit(f"{name} is secret and lies in {DATA}/: move it away first")
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ArchiveUnfit(f"{name} is no ordinary file: it cannot be backed up")
        found[name] = _opener(path)
    return found


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path


def _ordered(*members: Member) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda one: one.name))


def _measured(sources: Mapping[str, Callable[[], BinaryIO]]) -> tuple[Member, ...]:
    members = []
    for name, opener in sorted(sources.items()):
        with opener() as file:
            file.seek(0)
            size, digest = tar.measure(file)
        members.append(Member(name=name, size=size, sha256=digest))
    return tuple(members)


def _stream(manifest: Manifest, sources: Mapping[str, Callable[[], BinaryIO]]) -> Iterator[bytes]:
    """Yield a whole archive but for its end. Raises: ArchiveUnfit."""
    written = manifest.to_bytes()
    # What could not be restored must not be made.
    parse(written, type(manifest))
    yield tar.first(written)
    for member in manifest.members:
        with sources[member.name]() as file:
            file.seek(0)
            yield from tar.pieces(member, file)
