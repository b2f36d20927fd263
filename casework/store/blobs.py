"""The folder of sealed blobs: each appears whole under a random name, or not at all.

While a blob is written it has no name (``O_TMPFILE``): whatever kills the process leaves nothing.
Where the file system cannot do that, it has a hidden name and a lock, and :meth:`Blobs.names`
forgets those whose writer is gone. A blob is on the disk before it is named, and named before the
row that tells of it commits; a blob without a row is removed by a sweep under the write lock.

All blobs carry one modification time. The file system's own times (change and birth) cannot be
set; SECURITY.md says so.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING, Final, Protocol, Self

from casework.store.base import ID_LENGTH
from casework.store.engine import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME: Final = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_HIDDEN: Final = ".new-"
_PRIVATE: Final = 0o600
EPOCH: Final = (0, 0)
"""Access and modification time of every blob, in nanoseconds."""

_NO_UNNAMED: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})


def is_name(text: str) -> bool:
    """Return whether a blob could be called so."""
    return _NAME.fullmatch(text) is not None


class BlobMissing(Exception):
    """A row names a blob that is not there, or that cannot be read."""


class NewBlob(Protocol):
    """A blob in the making; without :meth:`keep` it leaves nothing."""

    @property
    def size(self) -> int:
        """Bytes written so far."""
        ...

    def write(self, data: bytes) -> None:
        """Add to its end. Raises: Unavailable: the disk is full or read-only."""
        ...

    def finish(self) -> None:
        """Bring everything to the disk, still without a name. Raises: Unavailable."""
        ...

    def keep(self) -> str:
        """Give it a random name, safe on the disk, and return that. Raises: Unavailable."""
        ...

    def close(self) -> None:
        """Let go of it; what has no name is gone."""
        ...


class OpenBlob(Protocol):
    """A blob open for reading; it stays readable when somebody removes it."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to so many bytes from an offset. Raises: BlobMissing: the disk fails."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Blobs(Protocol):
    """Where sealed blobs are kept."""

    def new(self) -> NewBlob:
        """Begin a blob. Raises: Unavailable."""
        ...

    def open(self, name: str) -> OpenBlob:
        """Open a blob. Raises: BlobMissing."""
        ...

    def remove(self, name: str) -> None:
        """Remove a blob; it may be gone already. Raises: Unavailable."""
        ...

    def names(self, *, tidy: bool = True) -> Iterator[str]:
        """Yield the names of all blobs, in no order; ``tidy`` may remove what has no name yet.

        Raises: Unavailable.
        """
        ...

    def free(self) -> int:
        """Return how many bytes could still be written. Raises: Unavailable."""
        ...


class BlobFolder:
    """Blobs as files of one folder (mode 0700), each with mode 0600."""

    def __init__(self, folder: Path, *, unnamed: int = os.O_TMPFILE) -> None:
        """Use ``folder``, which is made when the first blob is.

        ``unnamed`` is the flag that asks the system for a file without a name.
        """
        self._folder = folder
        self._unnamed = unnamed

    def new(self) -> NewBlob:
        """Begin a blob. Raises: Unavailable."""
        with _translated():
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, exist_ok=True)
                sync_folder(self._folder.parent)
            return _NewFile(self._folder, self._unnamed)

    def open(self, name: str) -> OpenBlob:
        """Open a blob. Raises: BlobMissing."""
        if not is_name(name):
            raise BlobMissing
        return _OpenFile(self._folder / name)

    def remove(self, name: str) -> None:
        """Remove a blob; it may be gone already. Raises: Unavailable."""
        if is_name(name):
            with _translated():
                (self._folder / name).unlink(missing_ok=True)

    def names(self, *, tidy: bool = True) -> Iterator[str]:
        """Yield the names of all blobs; if ``tidy``, forget what a killed process half wrote.

        Raises:
            Unavailable: the folder cannot be read.
        """
        if not self._folder.is_dir():
            return
        with _translated(), os.scandir(self._folder) as entries:
            for entry in entries:
                if is_name(entry.name) and entry.is_file(follow_symlinks=False):
                    yield entry.name
                elif tidy and entry.name.startswith(_HIDDEN):
                    _forget_abandoned(self._folder / entry.name)

    def free(self) -> int:
        """Return how many bytes could still be written. Raises: Unavailable."""
        folder = self._folder if self._folder.is_dir() else self._folder.parent
        with _translated():
            found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize


class _NewFile:
    """A file without a name, or with a hidden one."""

    def __init__(self, folder: Path, unnamed: int) -> None:
        self._folder = folder
        self._hidden: Path | None = None
        self.size = 0
        try:
            self._fd = os.open(folder, unnamed | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
            self._hidden, self._fd = _hidden_file(folder)

    def write(self, data: bytes) -> None:
        with _translated():
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            self.size += len(data)

    def finish(self) -> None:
        with _translated():
            os.utime(self._fd, ns=EPOCH)
            os.fsync(self._fd)

    def keep(self) -> str:
        name = secrets.token_hex(ID_LENGTH // 2)
        with _translated():
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                if self._hidden is None:
                    # With a folder given, Python calls linkat, which alone follows the link.
                    os.link(f"/proc/self/fd/{self._fd}", name, dst_dir_fd=folder)
                else:
                    self._hidden.rename(self._folder / name)
                    self._hidden = None
                os.fsync(folder)
            finally:
                os.close(folder)
        return name

    def close(self) -> None:
        if self._fd < 0:
            return
        if self._hidden is not None:
            with contextlib.suppress(OSError):  # forgotten later by whoever lists the names
                self._hidden.unlink()
        os.close(self._fd)
        self._fd = -1


class _OpenFile:
    """A file open for reading, without a trace of when it was read."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            try:
                self._fd = os.open(path, flags | os.O_NOATIME)
            except PermissionError:  # somebody else owns the file
                self._fd = os.open(path, flags)
        except OSError:
            raise BlobMissing from None
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise BlobMissing
        self.size = found.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_at(self, offset: int, count: int) -> bytes:
        try:
            return os.pread(self._fd, count, offset)
        except OSError:
            raise BlobMissing from None

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hidden_file(folder: Path) -> tuple[Path, int]:
    """Make a file with a hidden name and a lock; return its path and descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    while True:
        path = folder / f"{_HIDDEN}{secrets.token_hex(8)}"
        descriptor = os.open(path, flags, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Before it was locked, somebody may have taken it for abandoned.
            if os.fstat(descriptor).st_nlink:
                return path, descriptor
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _forget_abandoned(path: Path) -> None:
    """Remove a half-written file unless its writer lives."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn what the system says of its disk into the domain's word for it."""
    try:
        yield
    except OSError as error:
        raise Unavailable(type(error).__name__) from error
