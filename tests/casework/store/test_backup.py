"""Backups: both archives of one moment, whole or not there, and nothing else comes out of them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from casework.keys.point import Point
from casework.store import schema
from casework.store.backup import copy, files, manifest, tar
from casework.store.backup.make import Made
from casework.store.backup.manifest import ArchiveUnfit, DataManifest, KeysManifest, Member
from casework.store.backup.unpack import unpack_data, unpack_keys
from casework.store.keystore import Keystore
from casework.tick import check_keys
from crypto import age, canonical
from crypto.age import HybridIdentity
from tests.casework.cases import file_report, reopened
from tests.casework.conftest import close
from tests.casework.office import Bench
from tests.casework.store.rooms import IDENTITY, TODAY, Room


def archive_of(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """An archive that somebody made with an ordinary tar, and sealed to our recipient."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as writer:
        for info, content in members:
            writer.addfile(info, io.BytesIO(content))
    # The program's own end is two empty blocks; tar fills up to twenty.
    whole = stream.getvalue().rstrip(b"\0")
    whole += bytes(-len(whole) % tar.BLOCK) + tar.END
    path.write_bytes(age.encrypt(whole, [IDENTITY.recipient]))
    return path


def plain(name: str, content: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def opened(archive: Path) -> dict[str, bytes]:
    """What an ordinary tar finds in an archive."""
    stream = io.BytesIO(age.decrypt(archive.read_bytes(), [IDENTITY]))
    with tarfile.open(fileobj=stream) as reader:
        return {one.name: reader.extractfile(one).read() for one in reader}  # type: ignore[union-attr]


class TestOneMoment:
    def test_what_was_stored_comes_back_to_the_byte(self, room: Room, tmp_path: Path) -> None:
        file_report(room.bench)
        made = room.make()
        data, keys = room.unpack(made, tmp_path / "out")
        assert (tmp_path / "out/suaka.toml").read_bytes() == b"# settings of a test\n"
        assert (tmp_path / "out/keys/pepper").read_bytes() == bytes(range(32))
        assert data.pair == keys.pair
        assert data.keys == made.keys.name
        assert data.schema == schema.newest()
        assert data.genesis == room.office.genesis
        with room.office.read() as uow:
            dump = uow.session.connection().exec_driver_sql('SELECT * FROM "grant"').all()
        close(room.bench)
        (tmp_path / "out/suaka.db").symlink_to("data/suaka.db")
        (tmp_path / "out/keystore.db").symlink_to("keys/keystore.db")
        again = reopened(room.office, tmp_path / "out")
        with again.read() as uow:
            assert uow.session.connection().exec_driver_sql('SELECT * FROM "grant"').all() == dump
            fit = check_keys(uow)
        assert not fit.lost | fit.ahead
        close(Bench(again, room.bench.clock, tmp_path / "out"))

    def test_any_tar_and_any_age_reads_it(self, room: Room) -> None:
        made = room.make()
        found = opened(made.data)
        assert list(found) == ["manifest.json", "data/suaka.db", "suaka.toml"]
        assert found["data/suaka.db"].startswith(b"SQLite format 3\0")
        assert canonical.decode(found["manifest.json"])["log_size"] >= 1  # type: ignore[call-overload,index,operator]
        assert list(opened(made.keys)) == [
            "manifest.json",
            "keys/keystore.db",
            "keys/log.key",
            "keys/pepper",
        ]

    def test_the_archive_of_data_holds_no_key(self, room: Room) -> None:
        filed = file_report(room.bench)
        key = room.office.keystore.shred_key(filed.case_id, 1)
        assert key is not None
        made = room.make()
        assert not any(
            secret in content
            for secret in (key, bytes(range(32)))
            for content in opened(made.data).values()
        )
        assert key in opened(made.keys)["keys/keystore.db"]

    @pytest.mark.parametrize("moment", ["while the keystore is copied", "just after"])
    def test_an_act_in_the_worst_moment_does_not_part_the_two(
        self, room: Room, tmp_path: Path, moment: str
    ) -> None:
        """It replaces the case's shred key and drops the old one, as fast as it can."""
        filed = file_report(room.bench)
        acting = Thread(target=filed.do, args=("operator", "reject"))
        engine, when = (
            (room.office.keystore.engine, "checkout")
            if moment.startswith("while")
            else (room.office.engine, "checkin")
        )

        def interfere(*_: object) -> None:
            if acting.ident is None:
                acting.start()
                acting.join(1)

        event.listen(engine, when, interfere)
        with copy.pair(room.office, room.folder / "data", room.folder / "keys") as pair:
            acting.join()
            (tmp_path / "suaka.db").write_bytes(pair.database.read())
            (tmp_path / "keystore.db").write_bytes(pair.keystore)
        assert filed.state() == "ditolak"
        office = reopened(room.office, tmp_path)
        with office.read() as uow:
            fit = check_keys(uow)
        close(Bench(office, room.bench.clock, tmp_path))
        assert not fit.lost | fit.ahead

    def test_under_load_every_case_of_the_copy_has_its_key_in_the_copy(
        self, room: Room, tmp_path: Path
    ) -> None:
        """Acts replace shred keys all the time; the pair agrees whenever it is taken."""
        stop = Event()
        failures: list[BaseException] = []
        done = [0]

        def work() -> None:
            try:
                while not stop.is_set():
                    filed = file_report(room.bench)
                    filed.do("operator", "reject")
                    filed.do("reporter", "request_review")
                    filed.do("inspektur", "reopen")
                    done[0] += 1
            except BaseException as failed:  # noqa: BLE001 - told by the main thread
                failures.append(failed)

        threads = [Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        pairs: list[tuple[Path, Point]] = []
        try:
            while (len(pairs) < 15 or not done[0]) and not failures:
                with copy.pair(room.office, room.folder / "data", room.folder / "keys") as pair:
                    place = tmp_path / f"pair{len(pairs)}"
                    place.mkdir()
                    pair.database.seek(0)
                    (place / "suaka.db").write_bytes(pair.database.read())
                    (place / "keystore.db").write_bytes(pair.keystore)
                    pairs.append((place, pair.point))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert done[0] > 0
        sizes = set()
        for place, stands in pairs:
            office = reopened(room.office, place)
            with office.read() as uow:
                fit = check_keys(uow)
            assert not fit.lost | fit.ahead
            sizes.add(stands.log_size)
            close(Bench(office, room.bench.clock, place))
        assert len(sizes) > 1, "nothing happened between the copies"

    def test_other_files_of_the_data_folder_come_along(self, room: Room, tmp_path: Path) -> None:
        blob = room.folder / "data/blobs/ab/abcd"
        blob.parent.mkdir(parents=True)
        blob.write_bytes(b"x" * 3_000_000)
        (room.folder / "data/.half-done").write_bytes(b"not yet")
        data, _ = room.unpack(room.make(), tmp_path / "out")
        assert [member.name for member in data.members] == [
            "data/blobs/ab/abcd",
            "data/suaka.db",
            "suaka.toml",
        ]
        assert (tmp_path / "out/data/blobs/ab/abcd").read_bytes() == blob.read_bytes()

    @pytest.mark.parametrize("name", ["keystore.db", "pepper", "blobs/pepper"])
    def test_a_key_in_the_data_folder_is_refused(self, room: Room, name: str) -> None:
        path = room.folder / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"k")
        with pytest.raises(ArchiveUnfit, match="secret"):
            room.make()

    def test_a_file_that_the_caller_names_as_secret_is_refused(self, room: Room) -> None:
        path = room.folder / "data/smtp"
        path.write_bytes(b"k")
        with pytest.raises(ArchiveUnfit, match="secret"):
            room.make(secret=frozenset({path.resolve()}))

    def test_a_link_in_the_data_folder_is_refused(self, room: Room) -> None:
        (room.folder / "data/link").symlink_to("/etc/passwd")
        with pytest.raises(ArchiveUnfit, match="no ordinary file"):
            room.make()


class TestFiles:
    def test_nothing_is_left_beside_the_two_archives(self, room: Room) -> None:
        before = {path for path in room.folder.rglob("*") if not path.name.endswith("-shm")}
        made = room.make()
        assert list(room.to.iterdir()) == [made.data]
        assert list(room.keys_to.iterdir()) == [made.keys]
        assert made.data.stat().st_mode & 0o777 == 0o600
        assert made.keys.stat().st_mode & 0o777 == 0o600
        after = {path for path in room.folder.rglob("*") if not path.name.endswith("-shm")}
        assert {path for path in after - before if not path.name.endswith("-wal")} == set()

    def test_a_file_that_changes_meanwhile_leaves_neither_archive(self, room: Room) -> None:
        member = Member(name="data/x", size=5, sha256="0" * 64)
        with pytest.raises(ArchiveUnfit, match="changed while"):
            list(tar.pieces(member, io.BytesIO(b"12345")))
        with (
            pytest.raises(ArchiveUnfit, match="changed while"),
            files.sealed(
                room.to / "a", [IDENTITY.recipient], tar.pieces(member, io.BytesIO(b"123"))
            ),
        ):
            pytest.fail("it was sealed")
        assert list(room.to.iterdir()) == []

    def test_what_a_killed_backup_left_goes_with_the_next(self, room: Room) -> None:
        for folder, kept in ((room.to, "data"), (room.keys_to, "keys")):
            (folder / f".suaka-{kept}-01234567-x.tar.age.part").write_bytes(b"half")
        for part in ("data", "keys"):
            left = room.folder / part / f"{copy.PREFIX}0123"
            left.mkdir()
            (left / "copy").write_bytes(b"half")
        made = room.make()
        assert list(room.to.iterdir()) == [made.data]
        assert list(room.keys_to.iterdir()) == [made.keys]
        assert not list(room.folder.rglob(f"{copy.PREFIX}*"))

    def test_an_archive_that_is_being_written_is_left_alone(self, room: Room) -> None:
        with files.sealed(room.to / "suaka-data-a", [IDENTITY.recipient], []):
            made = room.make()
            names = {path.name for path in room.to.iterdir()}
            assert names == {".suaka-data-a.part", made.data.name}

    @pytest.mark.parametrize("same", ["to", "../to", "./to/."])
    def test_both_into_one_folder_is_refused(self, room: Room, same: str) -> None:
        (room.to.parent / "x").mkdir()
        with pytest.raises(ArchiveUnfit, match="different folders"):
            room.make(keys_to=room.to.parent / "x" / ".." / same.removeprefix("../"))

    def test_a_folder_inside_the_instance_is_refused(self, room: Room) -> None:
        with pytest.raises(ArchiveUnfit, match="inside the instance"):
            room.make(to=room.folder / "data")

    def test_expired_keys_of_this_instance_alone_are_found(self, tmp_path: Path) -> None:
        made = datetime(2026, 11, 1, tzinfo=UTC)
        mine, other = "0" * 32, "1" * 32
        names = {
            files.keys_name(mine, made, "a" * 32, date(2026, 11, 22)): True,
            files.keys_name(mine, made, "b" * 32, date(2026, 11, 23)): False,
            files.keys_name(other, made, "c" * 32, date(2026, 11, 1)): False,
            files.data_name(mine, made, "d" * 32): False,
            files.keys_name(mine, made, "e" * 32, date(2026, 11, 1)) + ".old": False,
            "suaka-keys-00000000-20261101T000000Z-ffffffff-until-20261399.tar.age": False,
        }
        for name in names:
            (tmp_path / name).write_bytes(b"x")
        (tmp_path / files.keys_name(mine, made, "9" * 32, date(2026, 1, 1))).symlink_to("x")
        found = {path.name for path in files.expired(tmp_path, mine, date(2026, 11, 23))}
        assert found == {name for name, gone in names.items() if gone}


class TestHostileArchives:
    """Whoever knows the recipient can seal an archive to it: nothing in one is believed."""

    def manifest_for(self, files: dict[str, bytes], **changes: Any) -> bytes:
        content: dict[str, Any] = {
            "v": 1,
            "format": "suaka-backup-data",
            "program": "0.1.0",
            "schema": "0002",
            "instance": "0" * 32,
            "pair": "1" * 32,
            "made": "2026-11-23T02:00:00Z",
            "genesis": "2" * 64,
            "roster_version": 1,
            "roster_head": "3" * 64,
            "log_size": 1,
            "log_last": "4" * 64,
            "keys": "suaka-keys-x",
            "members": [
                {"name": name, "size": size, "sha256": digest}
                for name, body in sorted(files.items())
                for size, digest in [tar.measure(io.BytesIO(body))]
            ],
        }
        return canonical.encode(content | changes)

    def whole(self) -> dict[str, bytes]:
        return {"data/suaka.db": b"database", "suaka.toml": b"settings"}

    def refuse(self, tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> str:
        into = tmp_path / "into"
        into.mkdir()
        archive = archive_of(tmp_path / "hostile.age", members)
        with pytest.raises(ArchiveUnfit) as refused:
            unpack_data(archive, [IDENTITY], into)
        outside = {path.name for path in tmp_path.iterdir()} - {"into", "hostile.age"}
        assert outside == set()
        return str(refused.value)

    def test_a_foreign_tar_with_our_members_is_read(self, tmp_path: Path) -> None:
        """So that what is refused below is refused for its own sake."""
        members = self.whole()
        archive = archive_of(
            tmp_path / "a.age",
            [
                plain("manifest.json", self.manifest_for(members)),
                *(plain(name, body) for name, body in members.items()),
            ],
        )
        (tmp_path / "into").mkdir()
        found = unpack_data(archive, [IDENTITY], tmp_path / "into")
        assert found.instance == "0" * 32
        assert (tmp_path / "into/suaka.toml").read_bytes() == b"settings"

    @pytest.mark.parametrize(
        "other",
        [
            plain("../x", b"settings"),
            plain("/tmp/x", b"settings"),
            plain("suaka.toml", b"settings", mode=0o4755),
            plain("suaka.toml", b"settings", uid=1000),
            plain("suaka.toml", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
            plain("suaka.toml", type=tarfile.LNKTYPE, linkname="data/suaka.db"),
            plain("suaka.toml", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
            plain("suaka.toml", type=tarfile.FIFOTYPE),
            plain("suaka.toml", type=tarfile.DIRTYPE),
            plain("suaka.toml", b"settings and more"),
            plain("suaka.toml", b"SETTINGS"),
            plain("data/suaka.db", b"database"),
            plain("unknown", b"settings"),
        ],
        ids=lambda one: f"{one[0].name}-{one[0].type!r}-{one[0].size}-{one[0].mode}-{one[0].uid}",
    )
    def test_another_member_than_the_manifest_names(
        self, tmp_path: Path, other: tuple[tarfile.TarInfo, bytes]
    ) -> None:
        first = plain("manifest.json", self.manifest_for(self.whole()))
        told = self.refuse(tmp_path, [first, plain("data/suaka.db", b"database"), other])
        assert "manifest" in told

    def test_one_more_member(self, tmp_path: Path) -> None:
        whole = self.whole()
        members = [plain("manifest.json", self.manifest_for(whole))]
        members += [plain(name, body) for name, body in whole.items()]
        told = self.refuse(tmp_path, [*members, plain("suaka.toml", b"settings")])
        assert "more than its manifest" in told

    def test_one_member_less(self, tmp_path: Path) -> None:
        whole = self.whole()
        first = plain("manifest.json", self.manifest_for(whole))
        self.refuse(tmp_path, [first, plain("data/suaka.db", b"database")])

    @pytest.mark.parametrize(
        "names",
        [
            ("data/suaka.db", "suaka.toml", "../x"),
            ("data/suaka.db", "suaka.toml", "/x"),
            ("data/suaka.db", "suaka.toml", "data/../../x"),
            ("data/suaka.db", "suaka.toml", "data//x"),
            ("data/suaka.db", "suaka.toml", "data/.x"),
            ("data/suaka.db", "suaka.toml", "data/x/"),
            ("data/suaka.db", "suaka.toml", "keys/pepper"),
            ("data/suaka.db", "suaka.toml", "run/sessions.db"),
            ("data/suaka.db", "suaka.toml", "data/suaka.db-wal"),
            ("data/suaka.db",),
            ("suaka.toml",),
        ],
    )
    def test_a_manifest_that_names_strange_files(
        self, tmp_path: Path, names: tuple[str, ...]
    ) -> None:
        members = dict.fromkeys(names, b"x")
        self.refuse(
            tmp_path,
            [
                plain("manifest.json", self.manifest_for(members)),
                *(plain(name, b"x") for name in sorted(names)),
            ],
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"v": 2},
            {"format": "suaka-backup-keys"},
            {"instance": "x"},
            {"made": "2026-13-23T02:00:00Z"},
            {"made": "gestern"},
            {"more": 1},
            {"log_size": 0},
            {"members": []},
            {"genesis": None},
        ],
        ids=str,
    )
    def test_a_manifest_with_a_wrong_field(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        whole = self.whole()
        first = plain("manifest.json", self.manifest_for(whole, **changes))
        self.refuse(tmp_path, [first, *(plain(name, body) for name, body in whole.items())])

    def test_members_twice_or_out_of_order(self) -> None:
        whole = self.whole()
        listed = msgspec.json.decode(self.manifest_for(whole))["members"]
        for wrong in ([*listed, listed[-1]], listed[::-1]):
            with pytest.raises(ArchiveUnfit, match="twice"):
                manifest.parse(self.manifest_for(whole, members=wrong), DataManifest)

    def test_a_manifest_that_is_not_canonical(self, tmp_path: Path) -> None:
        spaced = self.manifest_for(self.whole()).replace(b":", b": ", 1)
        self.refuse(tmp_path, [plain("manifest.json", spaced)])

    def test_a_member_larger_than_any_disk(self, tmp_path: Path) -> None:
        """It is refused by what it announces, before a byte is written."""
        whole = self.whole()
        listed = msgspec.json.decode(self.manifest_for(whole))["members"]
        listed[0]["size"] = 1 << 50
        first = plain("manifest.json", self.manifest_for(whole, members=listed))
        assert "no room" in self.refuse(tmp_path, [first])
        assert list((tmp_path / "into").iterdir()) == []

    def test_a_manifest_larger_than_any(self, tmp_path: Path) -> None:
        huge = tar.header(manifest.NAME, manifest.SIZE_MAX + 1)
        path = tmp_path / "huge.age"
        path.write_bytes(age.encrypt(huge, [IDENTITY.recipient]))
        with pytest.raises(ArchiveUnfit, match="begin with its manifest"):
            unpack_data(path, [IDENTITY], tmp_path)

    @pytest.mark.parametrize("content", [b"", b"x" * 100, b"x" * 512, bytes(512)])
    def test_no_tar_at_all(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.age"
        path.write_bytes(age.encrypt(content, [IDENTITY.recipient]))
        with pytest.raises(ArchiveUnfit):
            unpack_data(path, [IDENTITY], tmp_path)


class TestDamage:
    """Flipped, cut, continued, for somebody else: refused in words, wherever it is."""

    @pytest.fixture
    def made(self, room: Room) -> Made:
        return room.make()

    def refuse(self, archive: Path, tmp_path: Path) -> str:
        into = tmp_path / f"into{len(list(tmp_path.iterdir()))}"
        into.mkdir()
        with pytest.raises(ArchiveUnfit) as refused:
            unpack_data(archive, [IDENTITY], into)
        return str(refused.value)

    @pytest.mark.parametrize("place", [0, 30, 700, 2000, 70_000, -70_000, -1])
    def test_one_byte_changed(self, made: Made, tmp_path: Path, place: int) -> None:
        content = bytearray(made.data.read_bytes())
        content[place] ^= 1
        made.data.write_bytes(content)
        assert "changed" in self.refuse(made.data, tmp_path)

    @pytest.mark.parametrize("keep", [0, 10, 1000, 66_000, -65_552, -1])
    def test_cut_short(self, made: Made, tmp_path: Path, keep: int) -> None:
        made.data.write_bytes(made.data.read_bytes()[:keep])
        assert "changed or cut short" in self.refuse(made.data, tmp_path)

    def test_continued(self, made: Made, tmp_path: Path) -> None:
        made.data.write_bytes(made.data.read_bytes() + b"x")
        assert "changed or cut short" in self.refuse(made.data, tmp_path)

    def test_for_another_identity(self, made: Made, tmp_path: Path) -> None:
        with pytest.raises(ArchiveUnfit, match="not for this identity"):
            unpack_data(made.data, [HybridIdentity.generate()], tmp_path)

    def test_the_two_exchanged(self, made: Made, tmp_path: Path) -> None:
        with pytest.raises(ArchiveUnfit, match="not a backup of the database"):
            unpack_data(made.keys, [IDENTITY], tmp_path)
        with pytest.raises(ArchiveUnfit, match="not an archive of keys"):
            unpack_keys(made.data, [IDENTITY], tmp_path, today=TODAY, expired=False)


class TestExpiry:
    def keys(self, room: Room, days: int) -> Path:
        return room.make(days=days).keys

    @pytest.mark.parametrize("days", [1, 30])
    def test_keys_are_refused_after_their_last_day(
        self, room: Room, tmp_path: Path, days: int
    ) -> None:
        keys = self.keys(room, days)
        last = TODAY + timedelta(days=days)
        for name, today, expired in (("a", last, False), ("b", last + timedelta(days=1), True)):
            (tmp_path / name).mkdir()
            found = unpack_keys(keys, [IDENTITY], tmp_path / name, today=today, expired=expired)
            assert found.expires == last
        with pytest.raises(ArchiveUnfit, match=rf"expired on {last}.*--expired"):
            unpack_keys(keys, [IDENTITY], tmp_path, today=last + timedelta(days=1), expired=False)

    @pytest.mark.parametrize("days", [31, -1, 4000])
    def test_no_keys_live_longer_than_thirty_days(self, room: Room, days: int) -> None:
        with pytest.raises(ArchiveUnfit, match="30 days at most"):
            self.keys(room, days)
        assert list(room.keys_to.iterdir()) == []


def test_a_manifest_reads_the_same_as_it_was_written() -> None:
    member = Member(name="keys/pepper", size=32, sha256="a" * 64)
    written = KeysManifest(
        program="0.1.0",
        schema="0002",
        instance="0" * 32,
        pair="1" * 32,
        made=manifest.moment_text(datetime(2026, 11, 23, 2, tzinfo=UTC)),
        members=(member,),
        expires=date(2026, 12, 23),
    )
    assert manifest.parse(written.to_bytes(), KeysManifest) == written


def test_a_keystore_is_wiped_before_its_copy_loses_its_name(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shred key that is destroyed later must not survive in a block of some old copy."""
    filed = file_report(room.bench)
    key = room.office.keystore.shred_key(filed.case_id, 1)
    assert key is not None
    wiped: list[bytes] = []
    wipe: Callable[..., None] = copy._wipe

    def watch(file: Any) -> None:
        wipe(file)
        file.seek(0)
        wiped.append(file.read())

    monkeypatch.setattr(copy, "_wipe", watch)
    with copy.pair(room.office, room.folder / "data", room.folder / "keys") as pair:
        assert key in pair.keystore
    assert len(wiped) == 1
    assert wiped[0] == bytes(len(pair.keystore))


def test_the_keys_of_a_copy_stand_in_no_text_of_it(room: Room) -> None:
    with copy.pair(room.office, room.folder / "data", room.folder / "keys") as pair:
        assert pair.log_key is not None
        said = repr(pair)
    assert "PRIVATE" not in said
    assert "SQLite format" not in said
    assert "point=" in said


def test_the_copy_of_a_keystore_opens_as_one(room: Room, tmp_path: Path) -> None:
    filed = file_report(room.bench)
    made = room.make()
    room.unpack(made, tmp_path / "out")
    kept = Keystore(tmp_path / "out/keys/keystore.db")
    assert kept.shred_key(filed.case_id, 1) == room.office.keystore.shred_key(filed.case_id, 1)
    kept.engine.dispose()
