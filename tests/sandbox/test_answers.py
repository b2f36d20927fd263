"""A process that a file has taken over may answer anything; only what can be true is believed."""

import io
import zlib

import pytest
from PIL import Image, PngImagePlugin

from sandbox.answers import MOST, read_answer, write_failure, write_result
from sandbox.contract import (
    LONGEST_SIDE,
    TEXT_MOST,
    Failed,
    Failure,
    FileKind,
    Result,
    Task,
)
from tests.sandbox.pictures import gif, jpeg, png


def says(kind: FileKind, data: bytes, pages: int = 0) -> bytes:
    return write_result(Result(kind, pages, data))


def disbelieved(answer: bytes, task: Task, kind: FileKind, page: int = 1) -> bool:
    try:
        read_answer(answer, task, kind, page)
    except Failed as failed:
        return failed.reason is Failure.CRASHED
    return False


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def saved(image: Image.Image, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", **options)
    return written.getvalue()


PLAIN = png((2, 2))
START, END = PLAIN[:33], PLAIN[-12:]
RGB = Image.new("RGB", (2, 2))
NOTE = PngImagePlugin.PngInfo()
NOTE.add_text("a", "b")

NO_DRAWINGS = {
    "nothing": b"",
    "a signature alone": PLAIN[:8],
    "another format": jpeg((2, 2)),
    "a page": b"<svg onload=alert(1)>",
    "cut off": PLAIN[:-1],
    "cut off in its head": PLAIN[:20],
    "no pixels": START + END,
    "no end": PLAIN[:-12],
    "two ends": PLAIN + END,
    "something behind": PLAIN + b"x",
    "a page behind": PLAIN + b"<script>",
    "a wrong sum": PLAIN[:-13] + b"x" + PLAIN[-12:],
    "a size that leads outside": PLAIN[:33] + b"\xff\xff\xff\xff" + PLAIN[37:],
    "a text": saved(RGB, pnginfo=NOTE),
    "a place": PLAIN[:33] + chunk(b"eXIf", b"MM\0*") + PLAIN[33:],
    "a profile": PLAIN[:33] + chunk(b"iCCP", b"a\0\0") + PLAIN[33:],
    "a second head": START + START[8:] + PLAIN[33:],
    "an animation": saved(RGB, save_all=True, append_images=[Image.new("RGB", (2, 2), "red")]),
    "a palette": saved(RGB.convert("P")),
    "transparency": saved(RGB.convert("RGBA")),
    "16 bits": saved(Image.new("I;16", (2, 2))),
    "a side too long": png((LONGEST_SIDE + 1, 1)),
    "no side": PLAIN[:8] + chunk(b"IHDR", bytes(8) + b"\x08\x02\x00\x00\x00") + PLAIN[33:],
}


def test_a_plain_drawing_is_believed() -> None:
    found = read_answer(says(FileKind.PNG, PLAIN, 3), Task.DRAW, FileKind.PDF, 3)
    assert found == Result(FileKind.PNG, 3, PLAIN)
    longest = png((LONGEST_SIDE, 1))
    assert read_answer(says(FileKind.PNG, longest, 1), Task.DRAW, FileKind.JPEG).data == longest


@pytest.mark.parametrize("data", NO_DRAWINGS.values(), ids=NO_DRAWINGS)
def test_what_is_no_plain_drawing_is_not_believed(data: bytes) -> None:
    assert disbelieved(says(FileKind.PNG, data, 1), Task.DRAW, FileKind.JPEG)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x00",
        b"\xff\xff\xff\xff{}",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x04null",
        b"\x00\x00\x00\x02[]",
        b'\x00\x00\x00\x0f{"kind": "evil"}',
        b'\x00\x00\x00\x13{"failure": "other"}',
        (1000).to_bytes(4, "big") + b"[" * 1000,
        (36).to_bytes(4, "big") + b'{"kind":"png","pages":1,"name":"../"}' + PLAIN,
        (26).to_bytes(4, "big") + b'{"kind":"png","pages":1e9}' + PLAIN,
        (25).to_bytes(4, "big") + b'{"kind":"png","pages":-1}' + PLAIN,
    ],
)
def test_a_head_that_says_anything_else_is_not_believed(answer: bytes) -> None:
    for task in Task:
        assert disbelieved(answer, task, FileKind.JPEG)


@pytest.mark.parametrize(
    ("said", "asked", "page", "pages"),
    [
        (FileKind.JPEG, FileKind.JPEG, 1, 1),
        (FileKind.PDF, FileKind.PDF, 1, 1),
        (FileKind.PNG, FileKind.JPEG, 1, 0),
        (FileKind.PNG, FileKind.JPEG, 1, 2),
        (FileKind.PNG, FileKind.PDF, 1, 0),
        (FileKind.PNG, FileKind.PDF, 3, 2),
    ],
)
def test_a_drawing_of_another_kind_or_of_no_such_page_is_not_believed(
    said: FileKind, asked: FileKind, page: int, pages: int
) -> None:
    assert disbelieved(says(said, PLAIN, pages), Task.DRAW, asked, page)


def test_a_text_is_cleaned_again_outside() -> None:
    hidden = "a\x1b[2Jb\u202ec\r\nd".encode()
    found = read_answer(says(FileKind.TEXT, hidden), Task.TEXT, FileKind.CSV)
    assert found.data.decode() == "a[2Jbc\nd"
    long = read_answer(says(FileKind.TEXT, b"a" * (TEXT_MOST + 1)), Task.TEXT, FileKind.TEXT)
    assert len(long.data) == TEXT_MOST


@pytest.mark.parametrize("data", [b"\xff", "\ud800".encode("utf-8", "surrogatepass")])
def test_a_text_that_is_none_is_not_believed(data: bytes) -> None:
    assert disbelieved(says(FileKind.TEXT, data), Task.TEXT, FileKind.TEXT)
    assert disbelieved(says(FileKind.PNG, PLAIN), Task.TEXT, FileKind.TEXT)


@pytest.mark.parametrize(
    ("asked", "said", "data"),
    [
        (FileKind.JPEG, FileKind.JPEG, jpeg((2, 2))),
        (FileKind.BMP, FileKind.PNG, PLAIN),
        (FileKind.TIFF, FileKind.PDF, b"%PDF-1.7\n"),
        (FileKind.PDF, FileKind.PDF, b"%PDF-1.7\n"),
        (FileKind.DOCX, FileKind.DOCX, b"PK\x03\x04"),
        (FileKind.CSV, FileKind.CSV, b"a;b\n"),
        (FileKind.TEXT, FileKind.TEXT, b""),
        (FileKind.MP4, FileKind.MOV, b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  "),
        (FileKind.M4A, FileKind.MOV, b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  "),
    ],
)
def test_a_copy_of_the_same_family_is_believed(
    asked: FileKind, said: FileKind, data: bytes
) -> None:
    assert read_answer(says(said, data), Task.CLEAN, asked).kind is said


@pytest.mark.parametrize(
    ("asked", "said", "data"),
    [
        (FileKind.JPEG, FileKind.OTHER, b"MZ"),
        (FileKind.JPEG, FileKind.TEXT, b"a"),
        (FileKind.JPEG, FileKind.DOCX, b"PK\x03\x04"),
        (FileKind.JPEG, FileKind.MP4, b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom"),
        (FileKind.JPEG, FileKind.JPEG, b""),
        (FileKind.JPEG, FileKind.JPEG, b"<html>"),
        (FileKind.JPEG, FileKind.PNG, gif()),
        (FileKind.PDF, FileKind.PNG, PLAIN),
        (FileKind.DOCX, FileKind.XLSX, b"PK\x03\x04"),
        (FileKind.DOCX, FileKind.DOCX, b"MZ"),
        (FileKind.TEXT, FileKind.TEXT, b"a\0b"),
        (FileKind.TEXT, FileKind.CSV, b"a;b\n"),
        (FileKind.OTHER, FileKind.OTHER, b"x"),
    ],
)
def test_a_copy_that_is_something_else_is_not_believed(
    asked: FileKind, said: FileKind, data: bytes
) -> None:
    assert disbelieved(says(said, data), Task.CLEAN, asked)


def test_a_failure_is_told_as_it_is() -> None:
    for failure in Failure:
        with pytest.raises(Failed) as failed:
            read_answer(write_failure(failure), Task.CLEAN, FileKind.JPEG)
        assert failed.value.reason is failure


def test_the_largest_drawing_and_the_longest_text_are_taken() -> None:
    stored = saved(Image.new("RGB", (500, 500)), compress_level=0)
    share = (LONGEST_SIDE / 500) ** 2
    assert len(stored) * share < MOST[Task.DRAW]
    assert len("\U0001f600".encode() * TEXT_MOST) <= MOST[Task.TEXT]
