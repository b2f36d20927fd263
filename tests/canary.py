"""Search files and processes for secrets that must not be there, whatever they are dressed in.

A canary is an invented text that a test sends through an input. ``sweep`` then looks for it in
every file below some folders: raw, UTF-16, hex, percent-encoded, base64 at each of the three
offsets, escaped for JSON, HTML, Python or mail, in line-wrapped forms of these, and inside
deflate streams (zlib, gzip, members of zip archives), nested ones included. Names of files and
targets of symbolic links are searched, too.

Choose canaries of 8 to 60 characters and plant each in the middle and at the end of long fields:
a database may split a longer text over pages, and no search for the whole text finds it then.
"""

import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.encodings import encodings

WINDOW = 1 << 20
MAX_INFLATED = 64 << 20
MAX_DEPTH = 4
_PIECE = 64 * 1024

_Reader = Callable[[int, int], bytes]  # (offset, size) -> at most size bytes; b"" at the end


class SweepError(Exception):
    """Something could not be searched, so nothing may be concluded."""


@dataclass(frozen=True)
class Finding:
    """One secret found once: ``secret`` is its position in the list given, never its text.

    ``within`` names the streams that had to be inflated, outermost first, as "zlib@120".
    ``offset`` counts bytes in the innermost one (in its line-joined form for "wrapped" ones).
    """

    where: str
    secret: int
    encoding: str
    offset: int
    within: tuple[str, ...] = ()


def variants(secret: str) -> list[bytes]:
    """Return the distinct byte strings that ``sweep`` looks for."""
    return list(encodings(secret))


@dataclass(frozen=True)
class _Needle:
    pattern: bytes
    secret: int
    encoding: str

    @property
    def wraps(self) -> bool:
        """Whether writers break this encoding into lines."""
        return self.encoding.startswith(("base64", "hex", "HEX", "quoted-printable"))


def _needles(secrets: Sequence[str]) -> list[_Needle]:
    return [
        _Needle(pattern, index, name)
        for index, secret in enumerate(secrets)
        for pattern, name in encodings(secret).items()
    ]


# RFC 1950: compression method 8 in the low nibble, window up to 32 KiB in the high one, no preset
# dictionary, and both bytes together a multiple of 31.
_ZLIB_HEADERS = b"|".join(
    re.escape(bytes([first]))
    + b"["
    + b"".join(
        re.escape(bytes([second]))
        for second in range(256)
        if (first * 256 + second) % 31 == 0 and not second & 0x20
    )
    + b"]"
    for first in range(0x08, 0x79, 0x10)
)
_STREAM = re.compile(
    b"(?P<gzip>\x1f\x8b\x08)|(?P<zip>PK\x03\x04)|(?P<zlib>" + _ZLIB_HEADERS + b")", re.DOTALL
)
_LONGEST_HEADER = 4


@dataclass(frozen=True)
class _Sweeper:
    needles: Sequence[_Needle]

    def search(self, where: str, read: _Reader, within: tuple[str, ...] = ()) -> Iterator[Finding]:
        """Search one stream of bytes window by window, then the streams inside it."""
        # Wrapped forms lose up to two bytes per line of at least four characters.
        overlap = 2 * max(len(needle.pattern) for needle in self.needles) + _LONGEST_HEADER
        seen: set[tuple[int, str]] = set()
        offset = 0
        while window := read(offset, WINDOW + overlap):
            for found in self._in_window(where, window, offset, within):
                if (found.secret, found.encoding) not in seen:
                    seen.add((found.secret, found.encoding))
                    yield found
            for match in _STREAM.finditer(window):
                if match.start() >= WINDOW:
                    break  # the next window begins here
                yield from self._inside(
                    where, read, str(match.lastgroup), offset + match.start(), within
                )
            offset += WINDOW

    def _in_window(
        self, where: str, window: bytes, offset: int, within: tuple[str, ...]
    ) -> Iterator[Finding]:
        joined = re.sub(rb"=?\r?\n", b"", window)
        for needle in self.needles:
            position = window.find(needle.pattern)
            if position >= 0:
                yield Finding(where, needle.secret, needle.encoding, offset + position, within)
            elif needle.wraps and (position := joined.find(needle.pattern)) >= 0:
                name = f"{needle.encoding}, wrapped"
                yield Finding(where, needle.secret, name, offset + position, within)

    def _inside(
        self, where: str, read: _Reader, kind: str, offset: int, within: tuple[str, ...]
    ) -> Iterator[Finding]:
        inflated = _inflate(read, kind, offset, where)
        if not inflated:
            return
        if len(within) >= MAX_DEPTH:
            raise SweepError(f"{where}: streams nested deeper than {MAX_DEPTH}")
        yield from self.search(
            where,
            lambda start, size: inflated[start : start + size],
            (*within, f"{kind}@{offset}"),
        )


def _inflate(read: _Reader, kind: str, offset: int, where: str) -> bytes:
    """Inflate what begins at ``offset``: as far as it is a stream, empty if it is none.

    Raises:
        SweepError: if it inflates to more than ``MAX_INFLATED`` bytes.
    """
    if kind == "zip":
        header = read(offset, 30)
        if len(header) < 30 or header[8:10] != b"\x08\x00":
            return b""  # stored members are found by the plain search
        offset += 30 + int.from_bytes(header[26:28], "little")
        offset += int.from_bytes(header[28:30], "little")
    window_bits = {"zip": -zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16, "zlib": zlib.MAX_WBITS}
    inflater = zlib.decompressobj(window_bits[kind])
    pieces: list[bytes] = []
    size = 0
    piece_size = 64  # most candidates are chance, and fail within their first bytes
    while not inflater.eof and (piece := read(offset, piece_size)):
        before = inflater.copy()
        try:
            pieces.append(inflater.decompress(piece, MAX_INFLATED - size + 1))
        except zlib.error:
            pieces.append(_salvage(before, piece))
            break
        size += len(pieces[-1])
        if size > MAX_INFLATED:
            raise SweepError(f"{where}: a stream inflates to more than {MAX_INFLATED} bytes")
        offset += len(piece)
        piece_size = _PIECE
    return b"".join(pieces)


def _salvage(inflater: "zlib._Decompress", damaged: bytes) -> bytes:
    """Inflate up to the damage: zlib keeps back what it had of a piece with an error in it."""
    whole = b""
    try:
        for position in range(len(damaged)):
            whole += inflater.decompress(damaged[position : position + 1])
    except zlib.error:
        return whole
    return whole


def _files(path: Path) -> Iterator[Path]:
    """Yield ``path`` and everything below it, without following links.

    Raises:
        OSError: if a folder cannot be listed.
    """
    yield path
    if path.is_dir() and not path.is_symlink():
        for child in sorted(path.iterdir()):
            yield from _files(child)


def _sweep_file(sweeper: _Sweeper, path: Path) -> Iterator[Finding]:
    name = os.fsencode(path.name)
    yield from sweeper.search(f"name of {path}", lambda start, size: name[start : start + size])
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        target = os.fsencode(path.readlink())
        yield from sweeper.search(
            f"target of {path}", lambda start, size: target[start : start + size]
        )
    elif stat.S_ISREG(mode):
        with path.open("rb", buffering=0) as file:
            yield from sweeper.search(
                str(path), lambda start, size: os.pread(file.fileno(), size, start)
            )


def sweep(paths: Iterable[Path], secrets: Sequence[str]) -> list[Finding]:
    """Search every file at or below ``paths``, and every name, for every secret.

    A file that vanishes meanwhile is passed over; one that cannot be read is an error.

    Raises:
        SweepError: if a path does not exist, or a stream is too large or too deep to search.
        OSError: if something cannot be read.
        ValueError: if there is no secret, or one is too short.
    """
    if not secrets:
        raise ValueError("a sweep without secrets finds nothing, always")
    sweeper = _Sweeper(_needles(secrets))
    findings: list[Finding] = []
    for top in paths:
        if not top.exists():
            raise SweepError(f"{top} does not exist")
        for path in _files(top):
            try:
                findings.extend(_sweep_file(sweeper, path))
            except FileNotFoundError:
                continue
    return findings


def sweep_bytes(content: bytes, secrets: Sequence[str], where: str = "bytes") -> list[Finding]:
    """Search one byte string, for instance a page or captured output, like a file."""
    sweeper = _Sweeper(_needles(secrets))
    return list(sweeper.search(where, lambda start, size: content[start : start + size]))


def sweep_process(pid: int, secrets: Sequence[str]) -> list[Finding]:
    """Search the environment and the command line of a running process (Linux).

    Raises:
        OSError: if there is no such process, or it belongs to somebody else.
    """
    return [
        found
        for name in ("environ", "cmdline")
        for found in sweep_bytes(
            Path(f"/proc/{pid}/{name}").read_bytes(), secrets, f"{name} of process {pid}"
        )
    ]
