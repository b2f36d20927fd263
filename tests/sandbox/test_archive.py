"""Packages: what is ambiguous, encrypted or far too large is refused before it is unpacked."""

import struct
import zipfile
import zlib
from io import BytesIO

import pytest

from sandbox import archive
from sandbox.archive import Archive, pack
from sandbox.contract import Failed, Failure


def reason(data: bytes, name: str = "") -> Failure:
    with pytest.raises(Failed) as failed:
        Archive(data).read(name)
    return failed.value.reason


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def test_members_are_read_as_they_were_packed() -> None:
    members = [("a.xml", b"x" * 5_000), ("b/c", b"\x00\xff")]
    read = Archive(pack(members))
    assert [(name, read.read(name)) for name in read.names] == members


def test_equal_members_give_equal_bytes_without_dates_or_comments() -> None:
    packed = pack([("mimetype", b"a"), ("b", b"b" * 99)], plain=frozenset({"mimetype"}))
    assert packed == pack([("mimetype", b"a"), ("b", b"b" * 99)], plain=frozenset({"mimetype"}))
    first, second = zipfile.ZipFile(BytesIO(packed)).infolist()
    assert (first.compress_type, second.compress_type) == (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    assert (first.date_time, first.external_attr) == (second.date_time, second.external_attr)
    assert (first.date_time, first.extra, first.comment) == (archive.EPOCH, b"", b"")


@pytest.mark.parametrize("name", ["/a", "../a", "a/../../b", "a//b", "./a", "C:/a", "a\\b"])
def test_names_that_leave_their_folder_are_refused(name: str) -> None:
    assert reason(zipped((name, b""))) is Failure.DAMAGED


@pytest.mark.parametrize("other", ["a", "A"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(other: str) -> None:
    assert reason(zipped(("a", b"1"), (other, b"2"))) is Failure.DAMAGED


def test_a_name_with_a_hidden_end_is_refused() -> None:
    data = zipped(("aXb", b"")).replace(b"aXb", b"a\x00b")
    assert reason(data) is Failure.DAMAGED


def test_a_link_is_refused() -> None:
    buffer = BytesIO()
    info = zipfile.ZipInfo("a")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, "/etc/passwd")
    assert reason(buffer.getvalue()) is Failure.DAMAGED


@pytest.mark.parametrize("flag", [0x01, 0x41, 0x2001])
def test_encrypted_members_are_unsupported(flag: int) -> None:
    data = bytearray(zipped(("a", b"secret")))
    table = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, table + 8, flag)
    assert reason(bytes(data)) is Failure.UNSUPPORTED


def test_unusual_packing_is_unsupported() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a", b"x" * 100)
    assert reason(buffer.getvalue()) is Failure.UNSUPPORTED


def test_a_member_that_grows_too_much_is_too_large() -> None:
    assert reason(zipped(("a", bytes(2 * archive.FREE)))) is Failure.TOO_LARGE


def test_too_many_members_are_too_large() -> None:
    members = [(str(number), b"") for number in range(archive.MAX_MEMBERS + 1)]
    assert reason(pack(members)) is Failure.TOO_LARGE


def test_members_that_say_they_are_too_large_are() -> None:
    data = bytearray(pack([(name, b"x" * 99) for name in "abcdef"]))
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        struct.pack_into("<II", data, at + 20, 90_000_000, 90_000_000)
        at += 4
    assert reason(bytes(data)) is Failure.TOO_LARGE


def test_a_member_larger_than_it_says_is_damaged() -> None:
    """The size in the table is what limits are checked against, so it must be what is unpacked."""
    content = b"x" * 5_000
    data = bytearray(zipped(("a", content)))
    for at, offset in ((data.index(b"PK\x01\x02"), 24), (0, 22)):
        struct.pack_into("<I", data, at + offset, 10)
    assert reason(bytes(data), "a") is Failure.DAMAGED


def test_a_wrong_checksum_is_damage() -> None:
    data = pack([("a", b"abcdefgh")], plain=frozenset({"a"})).replace(b"abcd", b"abcx", 1)
    assert reason(data, "a") is Failure.DAMAGED


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"PK\x05\x06", bytes(99), zlib.compress(b"a")]
)
def test_what_is_no_archive_is_damaged(data: bytes) -> None:
    assert reason(data) is Failure.DAMAGED
