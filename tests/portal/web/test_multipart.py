"""Forms with files are read as they arrive: the same in any pieces, bounded, never stalled."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import InternalServerException

from portal.web import multipart
from portal.web.multipart import UploadLimits
from portal.web.refusals import (
    BadForm,
    CutShort,
    ForbiddenCharacter,
    NotUtf8,
    Refusal,
    TooLarge,
    TooManyFields,
    WrongContentType,
)
from tests.portal.multipart import BOUNDARY, File, body_of, sending

FILES = [File("a.txt", b"isi a\r\n--batas\r\n" * 50), File("b.bin", bytes(range(256)) * 300)]
WHOLE = body_of([("csrf", "x"), ("room", "content")], FILES)
LIMITS = UploadLimits(body=1_000_000)


class Request:
    """A request whose body comes in pieces; it may stall or break off at the end."""

    def __init__(
        self, pieces: Sequence[bytes], content_type: str = "", *, end: str = "", **headers: str
    ) -> None:
        self.headers = {"content-type": content_type or sending(), **headers}
        self.taken = 0
        self._pieces = pieces
        self._end = end

    async def stream(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece
        if self._end == "gone":
            raise InternalServerException
        if self._end == "stalls":
            await asyncio.Event().wait()


def read(request: Any, limits: UploadLimits = LIMITS) -> tuple[dict[str, str], dict[str, bytes]]:
    """Every text field and every file of a request."""

    async def take() -> tuple[dict[str, str], dict[str, bytes]]:
        files = {}
        async with multipart.reader(request, limits) as reader:
            async for part in reader.files("files"):
                files[part.filename] = b"".join([piece async for piece in part])
            return {name: reader.form.one(name) for name in reader.form.names}, files

    return asyncio.run(take())


EXPECTED = ({"csrf": "x", "room": "content"}, {file.name: file.content for file in FILES})


@given(st.lists(st.integers(1, len(WHOLE) - 1), max_size=8))
def test_the_same_body_in_any_pieces_is_the_same_form(cuts: list[int]) -> None:
    """The boundary, too, may lie across two of them."""
    edges = [0, *sorted(set(cuts)), len(WHOLE)]
    pieces = [WHOLE[start:stop] for start, stop in itertools.pairwise(edges)]
    assert read(Request(pieces)) == EXPECTED


def test_byte_by_byte() -> None:
    small = body_of([("csrf", "x")], [File("a", b"b")])
    assert read(Request([bytes([one]) for one in small])) == ({"csrf": "x"}, {"a": b"b"})


@given(st.binary(max_size=300))
def test_whatever_comes_ends_in_a_refusal_or_a_form(junk: bytes) -> None:
    start = f"--{BOUNDARY}\r\n".encode()
    for body in (junk, start + junk, WHOLE[:200] + junk):
        try:
            read(Request([body]))
        except Refusal:
            continue


def test_a_declared_length_over_the_limit_is_refused_before_a_byte_is_read() -> None:
    request = Request([WHOLE], **{"content-length": str(4 * 1024**3)})
    with pytest.raises(TooLarge):
        read(request)
    assert request.taken == 0


def test_a_body_that_grows_over_the_limit_is_cut_there() -> None:
    request = Request([bytes(1000)] * 1000)
    with pytest.raises((TooLarge, BadForm)):
        read(request, UploadLimits(body=5000))
    assert request.taken <= 6


@pytest.mark.parametrize("length", ["-1", "x", "1" * 30, "1 "])
def test_a_declared_length_is_a_number(length: str) -> None:
    with pytest.raises(BadForm):
        read(Request([WHOLE], **{"content-length": length}))


def test_a_client_that_goes_away_is_cut_short() -> None:
    with pytest.raises(CutShort):
        read(Request([WHOLE[:500]], end="gone"))


def test_a_client_that_ends_too_early_is_cut_short() -> None:
    with pytest.raises(CutShort):
        read(Request([WHOLE[:-10]]))


def test_a_client_that_stalls_is_not_waited_for() -> None:
    with pytest.raises(CutShort):
        read(Request([WHOLE[:500]], end="stalls"), UploadLimits(body=10_000, patience=0.01))


def test_a_handler_that_is_cancelled_is_not_taken_for_a_stall() -> None:
    async def cancelled() -> None:
        async def wait() -> None:
            async with multipart.reader(Request([], end="stalls"), LIMITS) as reader:  # type: ignore[arg-type]
                async for _ in reader.files("files"):
                    pass

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())


def test_a_slow_handler_is_not_taken_for_a_slow_client() -> None:
    """Sealing and writing may take longer than any wait for the next piece."""

    async def slow() -> int:
        size = 0
        limits = UploadLimits(body=1_000_000, patience=0.02)
        async with multipart.reader(Request([WHOLE[:600], WHOLE[600:]]), limits) as reader:  # type: ignore[arg-type]
            async for part in reader.files("files"):
                async for piece in part:
                    size += len(piece)
                    await asyncio.sleep(0.03)
        return size

    assert asyncio.run(slow()) == sum(len(file.content) for file in FILES)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded"],
)
def test_another_type_is_refused(content_type: str) -> None:
    request = Request([WHOLE], content_type or "application/json")
    with pytest.raises(WrongContentType):
        read(request)


@pytest.mark.parametrize("boundary", ["", "x" * 71, '"a\nb"', "ä", '"a "'])
def test_a_boundary_is_one_of_the_standard(boundary: str) -> None:
    with pytest.raises(BadForm):
        read(Request([WHOLE], f"multipart/form-data; boundary={boundary}"))


def part(head: str, content: bytes = b"x") -> bytes:
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--".encode()


FIELD = 'Content-Disposition: form-data; name="files"; filename="a"'


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain",
        'Content-Disposition: attachment; name="files"; filename="a"',
        'Content-Disposition: form-data; filename="a"',
        'Content-Disposition: form-data; name="other"; filename="a"',
        FIELD + "\r\nContent-Type: multipart/mixed; boundary=y",
        FIELD + "\r\nContent-Transfer-Encoding: base64",
        'Content-Disposition: form-data; name="not a name!"',
    ],
)
def test_a_part_that_no_browser_sends_is_refused(head: str) -> None:
    with pytest.raises(BadForm):
        read(Request([part(head)]))


def test_bare_line_feeds_are_refused() -> None:
    with pytest.raises(BadForm):
        read(Request([WHOLE.replace(b"\r\n", b"\n")]))


def test_more_parts_than_allowed_are_refused() -> None:
    many = body_of([(f"x{number}", "") for number in range(1000)], [])
    with pytest.raises(TooManyFields):
        read(Request([many]))


def test_a_text_field_is_short_clean_utf_8() -> None:
    with pytest.raises(TooLarge):
        read(Request([body_of([("csrf", "x" * 5000)], [])]))
    with pytest.raises(ForbiddenCharacter):
        read(Request([body_of([("csrf", "\0")], [])]))
    with pytest.raises(NotUtf8):
        read(Request([part('Content-Disposition: form-data; name="csrf"', b"\xff")]))


def test_a_name_of_ten_kilobytes_or_of_no_encoding_costs_no_file() -> None:
    long = part(f'Content-Disposition: form-data; name="files"; filename="{"n" * 10_000}.jpg"')
    assert read(Request([long]))[1] == {"n" * 10_000 + ".jpg": b"x"}
    odd = part(FIELD).replace(b'"a"', b'"\xff\xfe.jpg"')
    assert list(read(Request([odd]))[1].values()) == [b"x"]


def test_what_a_handler_leaves_unread_does_not_spoil_the_next_file() -> None:
    async def skip() -> list[bytes]:
        found = []
        async with multipart.reader(Request([WHOLE]), LIMITS) as reader:  # type: ignore[arg-type]
            async for part in reader.files("files"):
                if part.filename == "b.bin":
                    found = [piece async for piece in part]
        return found

    assert b"".join(asyncio.run(skip())) == FILES[1].content


def test_skipping_stops_where_it_is_told_to() -> None:
    async def skip(most: int) -> bool:
        pieces = [WHOLE[at : at + 1000] for at in range(0, len(WHOLE), 1000)]
        async with multipart.reader(Request(pieces), LIMITS) as reader:  # type: ignore[arg-type]
            async for part in reader.files("files"):
                if part.filename == "b.bin":
                    return await part.skip(most)
        raise AssertionError

    assert asyncio.run(skip(1_000_000))
    assert not asyncio.run(skip(2000))
