"""ZIP packages from strangers, read within limits, and packages of ours, written without traces.

Reading refuses whatever has more than one meaning (a name twice, a name that climbs out of its
folder) before anything is unpacked; what a member says of its own size is held to while it is
unpacked. Only the standard library is needed.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Final

from sandbox.contract import Failed, Failure

MAX_MEMBERS: Final = 10_000
MAX_MEMBER: Final = 128 * 1024 * 1024
"""Bytes of the largest member, unpacked."""

MAX_TOTAL: Final = 512 * 1024 * 1024
"""Bytes of all members together, unpacked."""

MAX_RATIO: Final = 300
"""How many times larger a member may become; deflate itself ends near 1,000."""

FREE: Final = 1024 * 1024
"""Bytes up to which the ratio of a member does not matter."""

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The date of every member that is written: the earliest that the format has."""

_ENCRYPTED: Final = 0x01 | 0x40 | 0x2000
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Archive:
    """The members of one ZIP file, checked as a whole, unpacked one by one when asked for."""

    def __init__(self, data: bytes) -> None:
        """Read and check the table of members.

        Raises:
            Failed: DAMAGED if it is no ZIP file or an ambiguous one, UNSUPPORTED if a member is
                encrypted or packed in an unusual way, TOO_LARGE if it unpacks to too much.
        """
        try:
            self._file = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError):
            raise Failed(Failure.DAMAGED) from None
        infos = self._file.infolist()
        if len(infos) > MAX_MEMBERS or sum(info.file_size for info in infos) > MAX_TOTAL:
            raise Failed(Failure.TOO_LARGE)
        self._members: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for info in infos:
            _check(info)
            if info.filename.casefold() in folded:
                raise Failed(Failure.DAMAGED)
            folded.add(info.filename.casefold())
            if not info.is_dir():
                self._members[info.filename] = info

    @property
    def names(self) -> list[str]:
        """The names of the members that are files, as they stand in the table."""
        return list(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """Return one member, unpacked.

        Raises:
            Failed: DAMAGED if there is none of this name, or its checksum is wrong.
        """
        try:
            return self._file.read(self._members[name])
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError):
            raise Failed(Failure.DAMAGED) from None
        except (NotImplementedError, RuntimeError):
            raise Failed(Failure.UNSUPPORTED) from None


def _check(info: zipfile.ZipInfo) -> None:
    name = info.filename
    steps = name.removesuffix("/").split("/")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise Failed(Failure.UNSUPPORTED)
    if info.orig_filename != name or "\\" in name or ":" in steps[0]:
        raise Failed(Failure.DAMAGED)
    if any(step in {"", ".", ".."} for step in steps) or stat.S_ISLNK(info.external_attr >> 16):
        raise Failed(Failure.DAMAGED)
    if info.file_size > max(FREE, MAX_RATIO * info.compress_size) or info.file_size > MAX_MEMBER:
        raise Failed(Failure.TOO_LARGE)


def pack(members: Iterable[tuple[str, bytes]], plain: frozenset[str] = frozenset()) -> bytes:
    """Return a ZIP file of ``members`` in their order; those named in ``plain`` are not deflated.

    Every member has the same date and attributes, and no comments or extra fields: equal members
    give equal bytes.
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 0
            info.compress_type = zipfile.ZIP_STORED if name in plain else zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return buffer.getvalue()
