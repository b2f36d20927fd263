"""The blob folder: whole under a random name or not there, and nothing that tells of a moment."""

import fcntl
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casework.store.blobs import BlobFolder, BlobMissing
from casework.store.engine import Unavailable

OLD_KERNEL = os.O_DIRECTORY
"""What a kernel without ``O_TMPFILE`` sees of that flag; it answers EISDIR."""

MIB = 1 << 20
STRANGE = ("", ".", "..", "../suaka.db", "a/" * 16, "A" * 32, "g" * 32, "0" * 31, "0" * 33,
           "0" * 32 + "\n", "/etc/passwd", ".new-0011223344556677", "0" * 31 + "\0")  # fmt: skip


@pytest.fixture(params=[os.O_TMPFILE, OLD_KERNEL], ids=["unnamed", "hidden"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobFolder:
    """The folder, on a file system that knows files without a name, and on one that does not."""
    return BlobFolder(tmp_path / "blobs", unnamed=request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def stored(blobs: BlobFolder, content: bytes) -> str:
    new = blobs.new()
    new.write(content)
    new.finish()
    name = new.keep()
    new.close()
    return name


def read(blobs: BlobFolder, name: str) -> bytes:
    opened = blobs.open(name)
    try:
        return opened.read_at(0, opened.size)
    finally:
        opened.close()


def names_on_disk(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_kept_comes_back_under_a_random_name(blobs: BlobFolder, folder: Path) -> None:
    first, second = stored(blobs, b"satu"), stored(blobs, b"satu")
    assert first != second
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert read(blobs, first) == read(blobs, second) == b"satu"
    assert set(blobs.names()) == {first, second} == set(names_on_disk(folder))


def test_without_keep_nothing_is_left(blobs: BlobFolder, folder: Path) -> None:
    """Neither of one that broke off nor of one that was whole, however often it is closed."""
    for finished in (False, True):
        new = blobs.new()
        new.write(b"x" * MIB)
        if finished:
            new.finish()
        assert list(blobs.names()) == []
        new.close()
        new.close()
    assert names_on_disk(folder) == []


def test_an_unnamed_file_is_really_without_a_name(folder: Path) -> None:
    new = BlobFolder(folder).new()
    new.write(b"x")
    assert names_on_disk(folder) == []
    new.close()


def test_only_the_owner_reads_and_no_moment_is_told(blobs: BlobFolder, folder: Path) -> None:
    """Whatever the umask; modification and access bear one value, and reading changes neither."""
    before = os.umask(0)
    try:
        names = [stored(blobs, b"satu"), stored(blobs, b"dua" * MIB)]
    finally:
        os.umask(before)
    for _ in range(2):
        found = [(folder / name).stat() for name in names]
        assert {one.st_mode & 0o7777 for one in found} == {0o600}
        assert {(one.st_mtime_ns, one.st_atime_ns) for one in found} == {(0, 0)}
        assert [read(blobs, name) for name in names] == [b"satu", b"dua" * MIB]
    assert folder.stat().st_mode & 0o7777 == 0o700


def test_files_are_opened_without_a_trace_of_reading(blobs: BlobFolder) -> None:
    """Not by the mount's grace: the flag stands on the descriptor."""
    opened = blobs.open(stored(blobs, b"satu"))
    assert fcntl.fcntl(opened._fd, fcntl.F_GETFL) & os.O_NOATIME  # type: ignore[attr-defined]
    opened.close()


@pytest.mark.parametrize("name", STRANGE, ids=repr)
def test_only_names_of_ours_lead_anywhere(blobs: BlobFolder, folder: Path, name: str) -> None:
    stored(blobs, b"satu")
    (folder / ".new-0011223344556677").write_bytes(b"x")
    outside = folder.parent / "suaka.db"
    outside.write_bytes(b"database")
    with pytest.raises(BlobMissing):
        blobs.open(name)
    blobs.remove(name)
    assert outside.read_bytes() == b"database"
    assert len(names_on_disk(folder)) == 2


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("make", [link, Path.mkdir, os.mkfifo])
def test_what_is_no_ordinary_file_is_no_blob(
    blobs: BlobFolder, folder: Path, make: Callable[[Path], None]
) -> None:
    """A link would lead outside; a pipe would keep the reader for ever."""
    mine = stored(blobs, b"satu")
    make(folder / ("a" * 32))
    make(folder / ".new-0011223344556677")
    with pytest.raises(BlobMissing):
        blobs.open("a" * 32)
    assert list(blobs.names()) == [mine]
    assert Path("/etc/passwd").exists()


def test_an_open_blob_outlives_its_name(blobs: BlobFolder) -> None:
    name = stored(blobs, b"isi")
    opened = blobs.open(name)
    blobs.remove(name)
    blobs.remove(name)
    assert opened.read_at(1, 99) == b"si"
    opened.close()
    with pytest.raises(BlobMissing):
        blobs.open(name)
    with pytest.raises(BlobMissing):
        opened.read_at(0, 1)


def test_a_blob_that_was_cut_is_read_short(blobs: BlobFolder, folder: Path) -> None:
    name = stored(blobs, b"0123456789")
    opened = blobs.open(name)
    os.truncate(folder / name, 4)
    assert opened.read_at(2, 5) == b"23"
    opened.close()


def test_a_file_in_place_of_the_folder_is_told(blobs: BlobFolder, folder: Path) -> None:
    folder.write_bytes(b"")
    with pytest.raises(Unavailable):
        blobs.new()
    assert list(blobs.names()) == []
    with pytest.raises(BlobMissing):
        blobs.open("0" * 32)


def test_a_folder_that_vanishes_meanwhile_is_told(blobs: BlobFolder, folder: Path) -> None:
    new = blobs.new()
    new.write(b"x")
    folder.rename(folder.with_name("away"))
    with pytest.raises(Unavailable):
        new.keep()
    new.close()


class TestLeftovers:
    """Where files have hidden names: those of the dead go, those of the living stay."""

    @pytest.fixture
    def hidden(self, folder: Path) -> BlobFolder:
        return BlobFolder(folder, unnamed=OLD_KERNEL)

    def test_a_living_writer_keeps_its_file(self, hidden: BlobFolder, folder: Path) -> None:
        new = hidden.new()
        new.write(b"isi")
        assert list(BlobFolder(folder).names()) == []
        assert len(names_on_disk(folder)) == 1
        new.finish()
        name = new.keep()
        new.close()
        assert read(hidden, name) == b"isi"

    def test_a_dead_writers_file_goes(self, hidden: BlobFolder, folder: Path) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                new = hidden.new()
                new.write(b"x" * MIB)
                os.write(writing, b".")
                os.kill(os.getpid(), 9)
            finally:
                os._exit(1)
        assert os.read(reading, 1)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
        assert len(names_on_disk(folder)) == 1
        assert list(hidden.names()) == []
        assert names_on_disk(folder) == []

    def test_a_file_taken_for_abandoned_before_it_was_locked_is_made_anew(
        self, hidden: BlobFolder, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The system lets somebody list the names between making a file and locking it."""
        lock, lists = fcntl.flock, [None]

        def flock(descriptor: int, operation: int) -> None:
            if lists:
                lists.clear()
                assert list(hidden.names()) == []
            lock(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", flock)
        assert read(hidden, stored(hidden, b"isi")) == b"isi"
        assert len(names_on_disk(folder)) == 1


class TestDisk:
    """A real file system of two MiB, full or read-only."""

    @pytest.fixture(params=[os.O_TMPFILE, OLD_KERNEL], ids=["unnamed", "hidden"])
    def small(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobFolder]:
        if os.geteuid():
            pytest.skip("mounting a small file system needs root")
        place = tmp_path / "small"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=2m", "suaka-test", str(place)]
        if subprocess.run(command, check=False).returncode:
            pytest.skip("this machine does not let root mount a file system")
        yield BlobFolder(place / "blobs", unnamed=request.param)
        subprocess.run(["umount", "--lazy", str(place)], check=True)

    def test_a_full_disk_is_told_and_nothing_is_left(
        self, small: BlobFolder, tmp_path: Path
    ) -> None:
        kept = stored(small, b"isi")
        room = small.free()
        assert MIB < room < 2 * MIB
        new = small.new()
        with pytest.raises(Unavailable):
            new.write(b"x" * (2 * MIB))
        assert small.free() < MIB
        new.close()
        assert list(small.names()) == [kept] == names_on_disk(tmp_path / "small/blobs")
        assert small.free() == room
        assert read(small, kept) == b"isi"

    def test_a_disk_that_turns_read_only_is_told(self, small: BlobFolder, tmp_path: Path) -> None:
        """Reading goes on; nothing can be made, named or removed."""
        kept = stored(small, b"isi")
        place = str(tmp_path / "small")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with pytest.raises(Unavailable):
            small.new()
        with pytest.raises(Unavailable):
            small.remove(kept)
        assert read(small, kept) == b"isi"
        assert list(small.names()) == [kept]
