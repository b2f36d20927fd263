"""Promise 1: a file never touches a disk in plaintext, however large, on its way in or out.

While files go through the real application, every call that could spool one raises: temporary
files of the standard library, and opening anything for writing outside the folder of blobs.
"""

import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from casework.evidence.limits import MIB, PART
from tests.casework import exhibits
from tests.casework.office import Bench, make_office
from tests.portal.multipart import File, send_files
from tests.portal.sites import Site, site_of

SIZE = 50 * MIB
ROOM = "/ruang/berkas"
SPOOLERS = (
    *("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"),
    *("TemporaryDirectory", "mkstemp", "mkdtemp", "mktemp"),
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TMPFILE & ~os.O_DIRECTORY


class Spooled(BaseException):
    """Something opened a file for writing; no handler of ours catches this."""


class Guard:
    """Raises while it is up, in every thread; an audit hook can never be taken away again."""

    def __init__(self) -> None:
        self.allowed: Path | None = None
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.allowed is None or event != "open":
            return
        path, _mode, flags = arguments
        if flags & WRITING and not self._is_blob(path):
            raise Spooled(str(path))

    def _is_blob(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(self.allowed or "")


GUARD = Guard()


def refuse(*_: object, **__: object) -> None:
    raise Spooled("tempfile")


@contextmanager
def nothing_spools(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as here:
        for name in SPOOLERS:
            here.setattr(tempfile, name, refuse)
        GUARD.allowed = folder
        try:
            yield
        finally:
            GUARD.allowed = None


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("founded") / "office")


@pytest.fixture
def site(founded: Bench, tmp_path: Path) -> Iterator[Site]:
    with site_of(founded, tmp_path / "office") as opened:
        yield opened


def in_thread(act: Callable[[], object]) -> list[BaseException]:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except Spooled as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught


def test_the_guard_bites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every way to spool, and in worker threads; reading and the blobs' folder stay free."""
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    (tmp_path / "there").write_bytes(b"x")
    ways: list[Callable[[], object]] = [
        lambda: (tmp_path / "a").open("wb"),
        lambda: (tmp_path / "there").open("r+b"),
        lambda: (tmp_path / "there").open("ab"),
        lambda: os.open(tmp_path / "b", os.O_CREAT | os.O_WRONLY),
        lambda: os.open(tmp_path, os.O_TMPFILE | os.O_WRONLY),
        tempfile.TemporaryFile,  # bound before the guard is up: it opens a file all the same
    ]
    with nothing_spools(blobs, monkeypatch):
        for way in (*ways, *(getattr(tempfile, name) for name in SPOOLERS)):
            assert in_thread(way), way
            with pytest.raises(Spooled):
                way()
        os.close(os.open(blobs, os.O_TMPFILE | os.O_WRONLY))
        assert (tmp_path / "there").read_bytes() == b"x"


def test_fifty_megabytes_arrive_and_leave_without_a_plain_byte_on_the_disk(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the form and in parts; read again by an officer, they are the same bytes."""
    content = os.urandom(SIZE)
    box, receipt = site.reporter()
    desk = site.officer("operator")
    path = f"{site.path(receipt)}/bukti"
    half = content[: PART + 5]
    with nothing_spools(tmp_path / "office" / "blobs", monkeypatch):
        assert send_files(box, ROOM, [File("rekaman.mp4", content, "video/mp4")]).status == 303
        pairs = [pair for pair in box.open(ROOM).filled(ROOM, {}) if pair[0] != "files"]
        said = {"name": "lain.mp4", "type": "video/mp4", "size": str(len(half)), "modified": "1"}
        begun = box.post(f"{ROOM}/mulai", [*pairs, *said.items()]).answer.json()
        upload = f"{ROOM}/unggahan/{begun['id']}"
        headers = {"suaka-csrf": dict(pairs)["csrf"], "content-type": "application/octet-stream"}
        for number, part in enumerate((half[:PART], half[PART:]), start=1):
            assert box.post_raw(f"{upload}/bagian/{number}", part, headers).status == 200
        assert box.post(f"{upload}/selesai", pairs).status == 200
        filed = exhibits.at_desk(site.bench, site.case_id(receipt.ticket))
        for file, sent in zip(exhibits.listed(filed, "operator"), (content, half), strict=True):
            one = f"{path}/{file.item_id}"
            desk.open(one).send(f"{one}/asli", {"reason": "Perlu forensik"})
            received = desk.open(f"{one}/asli").answer.content
            assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest()
    for blob in (tmp_path / "office" / "blobs").iterdir():
        stored = blob.read_bytes()
        for start in range(0, SIZE - 64, 8 * MIB):
            assert content[start : start + 64] not in stored
