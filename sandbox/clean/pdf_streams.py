"""The streams of a PDF: pictures lose what surrounds their pixels, none inflates without end."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from sandbox.clean import jpeg, jpeg2000
from sandbox.contract import Failed, Failure

MAX_INFLATED: Final = 768 * 1024 * 1024
"""Bytes of all streams together, the outermost filter undone."""

_PIECE: Final = 64 * 1024
_STRIPPERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "/DCTDecode": jpeg.strip,
    "/JPXDecode": jpeg2000.strip,
}
_SPACES: Final = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}
_ICC_PARTS: Final = 2


def is_profile(thing: object) -> bool:
    """Whether ``thing`` is a colour space with a profile, which names the device and its day."""
    return isinstance(thing, Array) and len(thing) > 0 and thing[0] == Name.ICCBased


def plain_space(space: object) -> Object:
    """Return the colour space that comes closest to the one with a profile."""
    profile = space[1] if isinstance(space, Array) and len(space) >= _ICC_PARTS else None
    if not isinstance(profile, Stream):
        return Name.DeviceRGB
    alternate = profile.get("/Alternate")
    if isinstance(alternate, Array) and not is_profile(alternate):
        return alternate
    return _SPACES.get(int(profile.get("/N", 3)), Name.DeviceRGB)


class Streams:
    """Cleans the streams of one document, and counts what they inflate to."""

    def __init__(self, pdf: pikepdf.Pdf, limit: int = MAX_INFLATED) -> None:
        self._pdf = pdf
        self._left = limit

    def clean(self, stream: Stream) -> None:
        """Rewrite one stream without what its filters would not show.

        A picture whose parts cannot be told apart becomes one grey point.

        Raises:
            Failed: TOO_LARGE if all streams so far inflate to too much.
        """
        filters = _listed(stream.get("/Filter"))
        if not filters:
            return
        if filters[0] == Name.FlateDecode:
            self._trim(stream)
        strip = _STRIPPERS.get(str(filters[-1]))
        if strip is None:
            return
        parameters = _listed(stream.get("/DecodeParms"))
        try:
            picture = strip(self._undone(stream, filters, parameters))
        except (Failed, pikepdf.PdfError):
            _blank(stream)
            return
        last = parameters[-1] if len(parameters) == len(filters) else None
        stream.write(
            picture,
            filter=cast("Name", filters[-1]),
            decode_parms=last if isinstance(last, Dictionary) else None,
        )

    def _undone(self, stream: Stream, filters: list[Object], parameters: list[Object]) -> bytes:
        """Return what is left when all filters but the last are undone."""
        raw = stream.read_raw_bytes()
        if len(filters) == 1:
            return raw
        inner = Stream(self._pdf, raw)
        inner.Filter = Array(filters[:-1])
        if len(parameters) == len(filters):
            inner.DecodeParms = Array(parameters[:-1])
        return inner.read_bytes(pikepdf.StreamDecodeLevel.generalized)

    def _trim(self, stream: Stream) -> None:
        """Count what a deflated stream inflates to, and drop what follows its end."""
        raw = stream.read_raw_bytes()
        inflater = zlib.decompressobj()
        try:
            for start in range(0, len(raw), _PIECE):
                for inflated in _inflated(inflater, raw[start : start + _PIECE]):
                    self._left -= len(inflated)
                    if self._left < 0:
                        raise Failed(Failure.TOO_LARGE)
                if inflater.eof:
                    unused = len(raw) - start - len(raw[start : start + _PIECE])
                    unused += len(inflater.unused_data)
                    _replace(stream, raw[: len(raw) - unused])
                    return
        except zlib.error:
            _replace(stream, zlib.compress(_salvaged(raw)))


def _inflated(inflater: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    while piece and not inflater.eof:
        yield inflater.decompress(piece, 16 * _PIECE)
        piece = inflater.unconsumed_tail


def _salvaged(raw: bytes) -> bytes:
    """Return what comes before the damage in a deflated stream."""
    inflater = zlib.decompressobj()
    salvaged: list[bytes] = []
    try:
        for start in range(0, len(raw), _PIECE):
            salvaged.extend(_inflated(inflater, raw[start : start + _PIECE]))
    except zlib.error:
        pass
    return b"".join(salvaged)


def _replace(stream: Stream, raw: bytes) -> None:
    parameters = stream.get("/DecodeParms")
    stream.write(
        raw,
        filter=cast("Name | Array", stream.Filter),
        decode_parms=parameters if isinstance(parameters, Dictionary | Array) else None,
    )


def _listed(value: Object | None) -> list[Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _blank(stream: Stream) -> None:
    for key in list(stream.keys()):
        if key not in {"/Type", "/Subtype", "/OC", "/Length"}:
            del stream[key]
    stream.write(b"\x80")
    for key, value in Dictionary(
        Width=1, Height=1, BitsPerComponent=8, ColorSpace=Name.DeviceGray
    ).items():
        stream[key] = value
