"""Open an archive and put its files into an empty folder; nothing in it is trusted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from casework.store.backup import tar
from casework.store.backup.files import PRIVATE
from casework.store.backup.make import BLOBS, DATA, DATABASE, KEYSTORE, LOG_KEY, PEPPER, SETTINGS
from casework.store.backup.manifest import ArchiveUnfit, DataManifest, KeysManifest, parse
from casework.store.blobs import EPOCH
from crypto import age
from crypto.errors import CryptoError, WrongKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path
    from typing import BinaryIO

    from casework.store.backup.manifest import Manifest
    from crypto.age import Identity

_SPARE: Final = 64 << 20
"""Bytes that must stay free on the disk beside what an archive announces."""


def unpack_data(archive: Path, identities: Sequence[Identity], into: Path) -> DataManifest:
    """Put database, settings and files into the folder ``into``; return their manifest.

    A caller removes the folder after any error: the last bytes alone show that the archive was
    whole.

    Raises:
        ArchiveUnfit: no such archive, changed, cut short, not for these identities, or too large
            for the disk.
        OSError: a file cannot be read or written.
    """

    def check(manifest: DataManifest) -> None:
        names = {member.name for member in manifest.members}
        known = {DATABASE, SETTINGS}
        # A write-ahead log that came along would be taken for the database's own.
        if not known <= names or any(
            not name.startswith(f"{DATA}/") or name.startswith(DATABASE) for name in names - known
        ):
            raise ArchiveUnfit("the archive lacks the database or settings, or holds other files")

    return _unpack(archive, identities, into, DataManifest, check)


def unpack_keys(
    archive: Path, identities: Sequence[Identity], into: Path, *, today: date, expired: bool
) -> KeysManifest:
    """Put keystore, pepper and the log's key into the folder ``into``; return their manifest.

    An archive from before logs had keys, or made after theirs was lost, has none.

    ``expired`` accepts an archive whose last day is before ``today`` (UTC).

    Raises:
        ArchiveUnfit, OSError: as :func:`unpack_data`, or the archive has expired.
    """

    def check(manifest: KeysManifest) -> None:
        names = {member.name for member in manifest.members}
        if names | {LOG_KEY} != {KEYSTORE, PEPPER, LOG_KEY}:
            raise ArchiveUnfit("the archive lacks keystore or pepper, or holds other files")
        if manifest.expires < today and not expired:
            raise ArchiveUnfit(
                f"these keys expired on {manifest.expires}: they may open what was destroyed or "
                "taken from somebody since; if nothing newer is left, --expired uses them"
            )

    return _unpack(archive, identities, into, KeysManifest, check)


def _unpack(
    archive: Path,
    identities: Sequence[Identity],
    into: Path,
    kind: type[Manifest],
    check: Callable[[Manifest], None],
) -> Manifest:
    with archive.open("rb") as file:
        source = _Opened(file, archive.name, identities)
        manifest = parse(tar.read_first(source), kind)
        check(manifest)
        _refuse_too_large(manifest, into)
        for member in manifest.members:
            path = into / member.name
            _make_folders(path.parent)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(descriptor, "wb") as target:
                tar.read_member(source, member, target)
                target.flush()
                if member.name.startswith(f"{BLOBS}/"):
                    os.utime(target.fileno(), ns=EPOCH)
                os.fsync(target.fileno())
        tar.read_end(source)
    return manifest


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it, each with mode 0700."""
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(mode=0o700)


def _refuse_too_large(manifest: Manifest, into: Path) -> None:
    needed = sum(member.size for member in manifest.members)
    state = os.statvfs(into)
    if needed + _SPARE > state.f_bavail * state.f_frsize:
        raise ArchiveUnfit(f"the disk has no room for the {needed} bytes of the archive")


class _Opened:
    """The plaintext of an age file, read in order with one piece in memory."""

    def __init__(self, file: BinaryIO, name: str, identities: Sequence[Identity]) -> None:
        self._file, self._name = file, name
        self._decryptor = age.Decryptor(identities)
        self._ready = bytearray()
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer only at an end that was proved to be the end."""
        while len(self._ready) < size and not self._ended:
            piece = self._file.read(tar.PIECE)
            try:
                if piece:
                    self._ready += self._decryptor.update(piece)
                else:
                    self._ended = True
                    self._ready += self._decryptor.finalize()
            except WrongKey:
                raise ArchiveUnfit(
                    f"{self._name} is not for this identity, or its beginning was changed"
                ) from None
            except CryptoError:
                raise ArchiveUnfit(
                    f"{self._name} was changed or cut short, or is no age file"
                ) from None
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data
