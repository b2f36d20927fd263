"""Backups of files: every blob that the copied database names, none that may vanish meanwhile."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest
from sqlalchemy import event

from casework.evidence.limits import PART
from casework.evidence.sweeping import Found, compare, sweep
from casework.store.backup import check
from casework.store.backup.manifest import ArchiveUnfit, Member
from casework.store.blobs import BlobFolder
from casework.store.engine import Unavailable
from casework.store.office import Office
from casework.tick import tick
from tests.casework.cases import Filed, file_report, reopened
from tests.casework.conftest import close
from tests.casework.evidence.arrivals import Sender, noise, sender
from tests.casework.office import Bench
from tests.casework.store.rooms import Room

LONG = PART + 500


def blobs_in(folder: Path) -> list[Path]:
    place = folder / "data" / "blobs"
    return sorted(place.iterdir()) if place.exists() else []


def only_blob(filed: Filed) -> str:
    return str(filed.scalar("SELECT blob FROM file_part"))


def unpacked(room: Room, filed: Filed, folder: Path) -> Sender:
    """The case in an office that runs on what an archive holds."""
    folder.mkdir()
    room.unpack(room.make(), folder / "out")
    for name, part in (("data", "suaka.db"), ("keys", "keystore.db")):
        (folder / part).symlink_to(folder / "out" / name / part)
    (folder / "blobs").symlink_to(folder / "out" / "data" / "blobs")
    office = reopened(room.office, folder)
    return Sender(office, filed.reporter, None)


def test_what_is_whole_comes_back_and_nothing_else_does(room: Room, tmp_path: Path) -> None:
    """Parts of unfinished files, and blobs that no row names, are left out."""
    filed = file_report(room.bench)
    one = sender(filed)
    short, long = one.send("a", b"isi"), one.send_in_parts("b", noise(LONG))
    begun = one.begin("c", LONG)
    one.take(begun.id, 1, noise(PART))
    assert len(blobs_in(room.folder)) == 4
    other = unpacked(room, filed, tmp_path / "elsewhere")
    assert short is not None
    assert other.whole(short) == b"isi"
    assert other.whole(long) == noise(LONG)
    assert len(blobs_in(tmp_path / "elsewhere/out")) == 3
    assert compare(other.office).orphans == frozenset()
    close(Bench(other.office, room.bench.clock, tmp_path))


def test_the_restored_blobs_tell_no_moment_and_are_open_to_nobody(
    room: Room, tmp_path: Path
) -> None:
    sender(file_report(room.bench)).send("a", b"isi")
    out = tmp_path / "out"
    room.unpack(room.make(), out)
    (blob,) = blobs_in(out)
    assert blob.stat().st_mtime_ns == 0
    assert blob.stat().st_mode & 0o7777 == 0o600
    for folder in (blob.parent, out / "data"):
        assert folder.stat().st_mode & 0o7777 == 0o700


def gone(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


@pytest.mark.parametrize("damage", [gone, cut, changed])
def test_a_lost_or_damaged_blob_stops_the_backup(
    room: Room, damage: Callable[[Path], None]
) -> None:
    """Loudly, and before an archive stands that could not bring the file back."""
    filed = file_report(room.bench)
    sender(filed).send("a", b"isi")
    damage(room.folder / "data/blobs" / only_blob(filed))
    with pytest.raises(ArchiveUnfit, match=only_blob(filed)):
        room.make()
    assert [*room.to.iterdir(), *room.keys_to.iterdir()] == []


def test_a_file_given_up_while_the_backup_runs_does_not_stop_it(room: Room, tmp_path: Path) -> None:
    """The moment is fixed while its parts are named; they go before anything is copied."""
    filed = file_report(room.bench)
    one = sender(filed)
    kept = one.send("a", b"isi")
    begun = one.begin("b", LONG)
    one.take(begun.id, 1, noise(PART))
    copied: list[str] = []

    def give_up(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM file_part" in statement and not copied:
            copied.append(statement)
            one.cancel(begun.id)

    event.listen(room.office.engine, "after_cursor_execute", give_up)
    other = unpacked(room, filed, tmp_path / "elsewhere")
    assert copied
    assert kept is not None
    assert other.whole(kept) == b"isi"
    assert len(other.unfinished()) == 1
    close(Bench(other.office, room.bench.clock, tmp_path))


def test_backups_while_files_come_and_go(room: Room, tmp_path: Path) -> None:
    """Each archive has all that its database names, whatever was removed at the same time."""
    filed = file_report(room.bench)
    one, stop, failures = sender(filed), Event(), []

    def work() -> None:
        try:
            number = 0
            while not stop.is_set() and number < 15:
                number += 1
                one.send(f"{number}", noise(1000, f"{number}"))
                begun = one.begin("given up", 10)
                one.take(begun.id, 1, bytes(10))
                one.cancel(begun.id)
                sweep(room.office)
                with suppress(Unavailable):  # a reader keeps the log: the next tick empties it
                    tick(room.office)
        except BaseException as failed:  # noqa: BLE001 - the main thread tells
            failures.append(failed)

    thread = Thread(target=work)
    one.send("0", b"isi")
    thread.start()
    try:
        found = [room.make() for _ in range(4)]
    finally:
        stop.set()
        thread.join()
    assert failures == []
    for number, made in enumerate(found):
        out = tmp_path / f"out{number}"
        data, _ = room.unpack(made, out)
        office = _bare(room, out)
        check.blobs(office, data)
        assert compare(office) == Found(frozenset(), frozenset())
        office.engine.dispose()


def _bare(room: Room, out: Path) -> Office:
    folder = out / "loose"
    folder.mkdir()
    (folder / "suaka.db").symlink_to(out / "data/suaka.db")
    (folder / "blobs").symlink_to(out / "data/blobs")
    return reopened(room.office, folder)


def test_an_archive_without_a_part_or_with_another_is_refused(room: Room, tmp_path: Path) -> None:
    """Whoever knows the recipient can seal an archive; its database must be served by it."""
    filed = file_report(room.bench)
    sender(filed).send("a", b"isi")
    data, _ = room.unpack(room.make(), tmp_path / "out")
    name = f"data/blobs/{only_blob(filed)}"
    (mine,) = (member for member in data.members if member.name == name)
    check.blobs(room.office, data)
    rest = tuple(member for member in data.members if member is not mine)
    for members in (
        rest,
        (*rest, Member(name=name, size=mine.size + 1, sha256=mine.sha256)),
        (*rest, Member(name=name, size=mine.size, sha256="0" * 64)),
        (*rest, Member(name=f"data/{only_blob(filed)}", size=mine.size, sha256=mine.sha256)),
    ):
        with pytest.raises(ArchiveUnfit, match="1 parts of files"):
            check.blobs(room.office, msgspec.structs.replace(data, members=members))


def test_other_files_among_the_blobs_are_kept(room: Room, tmp_path: Path) -> None:
    """What is not called like a blob is somebody's, and comes along as before."""
    stray = room.folder / "data/blobs"
    stray.mkdir()
    (stray / "catatan").write_bytes(b"x")
    (stray / ("a" * 32)).write_bytes(b"x")
    room.unpack(room.make(), tmp_path / "out")
    assert [path.name for path in blobs_in(tmp_path / "out")] == ["catatan"]
    assert list(BlobFolder(stray).names()) == ["a" * 32]
