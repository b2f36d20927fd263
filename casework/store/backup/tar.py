"""A tar stream with one way to write it: plain files, in order, nothing else (POSIX ustar).

Any tar reads it. Ours reads only what it would write itself: each header is compared, byte for
byte, with the one that the manifest asks for, so that there is no link, device, owner, path or
second file that could do anything.
"""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from casework.store.backup.manifest import NAME, SIZE_MAX, ArchiveUnfit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casework.store.backup.manifest import Member

BLOCK: Final = 512
PIECE: Final = 1 << 20
"""Bytes that are in memory at once."""

END: Final = bytes(2 * BLOCK)


class Source(Protocol):
    """Bytes in order; fewer than asked for only at the end."""

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or what is left."""
        ...


def header(name: str, size: int) -> bytes:
    """Return the one header of a file: mode 0600, no owner, no time."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict")


def measure(file: BinaryIO) -> tuple[int, str]:
    """Return size and hex SHA-256 of an open file, and go back to its beginning."""
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    return size, digest.hexdigest()


def first(manifest: bytes) -> bytes:
    """Return the manifest as the first member."""
    return header(NAME, len(manifest)) + manifest + _padding(len(manifest))


def pieces(member: Member, file: BinaryIO) -> Iterator[bytes]:
    """Yield one member, piece by piece.

    Raises:
        ArchiveUnfit: the file is no longer what the manifest says.
    """
    yield header(member.name, member.size)
    digest, left = hashlib.sha256(), member.size
    while left and (piece := file.read(min(PIECE, left))):
        digest.update(piece)
        left -= len(piece)
        yield piece
    if left or file.read(1) or digest.hexdigest() != member.sha256:
        raise ArchiveUnfit(
            f"{member.name} changed while it was copied, or is damaged: run it again"
        )
    yield _padding(member.size)


def read_first(source: Source) -> bytes:
    """Return the manifest at the beginning of an archive. Raises: ArchiveUnfit."""
    block = _exactly(source, BLOCK)
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeError, ValueError):
        raise ArchiveUnfit("the file is no backup: there is no tar archive inside") from None
    if not 0 < info.size <= SIZE_MAX or block != header(NAME, info.size):
        raise ArchiveUnfit("the archive does not begin with its manifest")
    data = _exactly(source, info.size)
    _skip_padding(source, info.size)
    return data


def read_member(source: Source, member: Member, file: BinaryIO) -> None:
    """Write the next member into ``file``, if it is the one that is expected.

    Raises:
        ArchiveUnfit: another file, link or device comes, or other contents.
    """
    if _exactly(source, BLOCK) != header(member.name, member.size):
        raise ArchiveUnfit(
            f"the archive holds something else than its manifest names, where {member.name} "
            "should be"
        )
    digest, left = hashlib.sha256(), member.size
    while left:
        piece = _exactly(source, min(PIECE, left))
        digest.update(piece)
        file.write(piece)
        left -= len(piece)
    if digest.hexdigest() != member.sha256:
        raise ArchiveUnfit(f"{member.name} is not what the manifest says: the archive was changed")
    _skip_padding(source, member.size)


def read_end(source: Source) -> None:
    """Refuse anything behind the last member. Raises: ArchiveUnfit."""
    if _exactly(source, len(END)) != END or source.read(1):
        raise ArchiveUnfit("the archive holds more than its manifest names")


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _skip_padding(source: Source, size: int) -> None:
    if _exactly(source, -size % BLOCK).strip(b"\0"):
        raise ArchiveUnfit("the archive holds more than its manifest names")


def _exactly(source: Source, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise ArchiveUnfit("the archive ends too early")
    return data
