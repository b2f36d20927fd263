"""Contents are what their author signed, from any place on; whatever was changed is refused."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.case.keyring import CaseDamaged
from casework.evidence.files import Content
from casework.evidence.incoming import Incoming
from casework.evidence.limits import PART
from casework.evidence.manifest import Manifest
from crypto import canonical
from crypto.errors import Malformed
from tests.casework.cases import Filed, copy_of, file_report
from tests.casework.conftest import close
from tests.casework.evidence.arrivals import Sender, noise, sender
from tests.casework.office import Bench

SIZE = PART + 300_000
WHOLE, OTHER = noise(SIZE), noise(SIZE, "lain")


@pytest.fixture(scope="module")
def template(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Filed:
    """Two files of two parts in one case, one in another."""
    bench = copy_of(founded, tmp_path_factory.mktemp("files") / "office")
    filed = file_report(bench)
    one = sender(filed)
    one.send_in_parts("a.bin", WHOLE)
    one.send_in_parts("b.bin", OTHER)
    sender(file_report(bench)).send_in_parts("a.bin", OTHER)
    close(bench)
    (bench.folder / "blobs").rename(bench.folder.parent / "blobs")
    return filed


@pytest.fixture
def filed(template: Filed, tmp_path: Path) -> Filed:
    """A copy of them that a test may damage."""
    bench = copy_of(template.bench, tmp_path / "office")
    # Links are quick; whoever damages a blob here writes a new file in its place.
    shutil.copytree(
        template.bench.folder.parent / "blobs", bench.folder / "blobs", copy_function=os.link
    )
    return Filed(bench, template.case_id, template.reporter, template.receipt, template.token)


@pytest.fixture
def one(filed: Filed) -> Sender:
    return sender(filed)


def named(one: Sender, name: str) -> str:
    return next(
        file.item_id
        for file in one.files()
        if file.manifest is not None and file.manifest.name == name
    )


def blob_of(filed: Filed, item_id: str, number: int) -> Path:
    query = "SELECT blob FROM file_part WHERE item_id = :item AND number = :number"
    return filed.bench.folder / "blobs" / filed.scalar(query, item=item_id, number=number)


class TestReading:
    @pytest.fixture
    def opened(self, one: Sender) -> Iterator[Content]:
        with one.content(named(one, "a.bin")) as opened:
            yield opened

    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        ends=st.tuples(*[
            st.one_of(
                st.integers(0, SIZE),
                st.sampled_from([0, 1, 65_535, PART - 1, PART, PART + 1, SIZE - 1, SIZE]),
            )
        ] * 2)
    )  # fmt: skip
    def test_any_range(self, opened: Content, ends: tuple[int, int]) -> None:
        start, stop = sorted(ends)
        assert opened.length == SIZE
        assert b"".join(opened.read(start, stop)) == WHOLE[start:stop]

    def test_forth_and_back_in_one_content(self, one: Sender) -> None:
        with one.content(named(one, "a.bin")) as opened:
            assert opened.length == SIZE
            for start in (SIZE - 5, 0, PART - 2, 3):
                assert b"".join(opened.read(start, start + 5)) == WHOLE[start : start + 5]
            assert b"".join(opened.whole()) == WHOLE

    @pytest.mark.parametrize(("start", "stop"), [(-1, 1), (2, 1), (0, SIZE + 1)])
    def test_no_range_outside(self, one: Sender, start: int, stop: int) -> None:
        with one.content(named(one, "a.bin")) as opened, pytest.raises(ValueError, match="outside"):
            next(opened.read(start, stop))

    def test_files_are_numbered_as_they_came(self, one: Sender) -> None:
        found = one.files()
        assert [file.number for file in found] == [1, 2]
        assert [file.manifest and file.manifest.name for file in found] == ["a.bin", "b.bin"]


def put(path: Path, content: bytes | bytearray) -> None:
    path.unlink()
    path.write_bytes(content)


def cut(path: Path, _: Path) -> None:
    put(path, path.read_bytes()[:-1])


def extend(path: Path, _: Path) -> None:
    put(path, path.read_bytes() + b"\0")


def empty(path: Path, _: Path) -> None:
    put(path, b"")


def remove(path: Path, _: Path) -> None:
    path.unlink()


def swap(path: Path, other: Path) -> None:
    put(path, other.read_bytes())


def link(path: Path, other: Path) -> None:
    path.unlink()
    path.symlink_to(other)


def flip(place: int) -> Callable[[Path, Path], None]:
    def change(path: Path, _: Path) -> None:
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        put(path, content)

    return change


DAMAGE = {
    "cut": cut, "continued": extend, "emptied": empty, "gone": remove, "replaced": swap,
    "a link": link, "first byte": flip(0), "header": flip(300), "middle": flip(100_000),
    "last byte": flip(-1),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_blob_shows_nothing(filed: Filed, one: Sender, damage: str) -> None:
    """Not even the places that are still whole; the other part and file open as before."""
    first, second = named(one, "a.bin"), named(one, "b.bin")
    DAMAGE[damage](blob_of(filed, first, 2), blob_of(filed, second, 2))
    with one.content(first) as opened:
        seen: list[bytes] = []
        with pytest.raises(CaseDamaged):
            seen.extend(opened.read(PART + 200_000, PART + 200_010))
        with pytest.raises(CaseDamaged):
            seen.extend(opened.whole())
        assert b"".join(seen) == WHOLE[:PART]
    assert one.whole(second) == OTHER


def test_what_another_holder_sealed_in_its_place_is_not_shown(filed: Filed, one: Sender) -> None:
    """Whoever holds the room can seal to it in another's name; the signature is over the hash."""
    item_id = named(one, "a.bin")
    slot = sender(filed, "operator").slot()
    for number, content in ((1, OTHER[:PART]), (2, OTHER[PART:])):
        row = filed.rows("SELECT * FROM item WHERE id = :id", id=item_id)[0]
        with one.content(item_id) as opened:
            place = opened._place
        forged = type(slot)(place, row.author, slot.recipient, item_id, PART, number, 2, PART)
        with Incoming(filed.bench.office.blobs, forged) as incoming:
            incoming.write(content)
            incoming.finish()
            name = incoming._blob.keep()
        folder = filed.bench.folder / "blobs"
        (folder / name).replace(blob_of(filed, item_id, number))
    for start in (0, PART):
        with one.content(item_id) as opened, pytest.raises(CaseDamaged):
            next(opened.read(start, start + 10))


A = "(SELECT id FROM item WHERE kind = 'evidence' AND case_id = :case ORDER BY leaf LIMIT 1)"
B = "(SELECT id FROM item WHERE kind = 'evidence' AND case_id = :case ORDER BY leaf DESC LIMIT 1)"
FOREIGN = "(SELECT id FROM item WHERE kind = 'evidence' AND case_id <> :case)"
PARTS = {
    "digest": f"UPDATE file_part SET digest = zeroblob(32) WHERE item_id = {A} AND number = 1",
    "deleted": f"DELETE FROM file_part WHERE item_id = {A} AND number = 2",
    "all deleted": f"DELETE FROM file_part WHERE item_id = {A}",
    "count": f"UPDATE file_part SET count = 3 WHERE item_id = {A}",
    "added": "INSERT INTO file_part SELECT item_id, 3, 3, lower(hex(randomblob(16))), digest, size"
    f" FROM file_part WHERE item_id = {A} AND number = 1",
}
"""Rows of one file changed."""


@pytest.mark.parametrize("attack", PARTS)
def test_changed_rows_of_parts_show_nothing(filed: Filed, one: Sender, attack: str) -> None:
    first, second = named(one, "a.bin"), named(one, "b.bin")
    filed.tamper(PARTS[attack])
    with pytest.raises(CaseDamaged), one.content(first):
        pass
    assert one.whole(second) == OTHER


EXCHANGES = {
    "blobs of two parts": (f"{A}", 1, f"{A}", 2, "blob"),
    "blobs of two files": (f"{A}", 1, f"{B}", 1, "blob"),
    "blobs of two cases": (f"{A}", 1, FOREIGN, 1, "blob"),
    "rows of two parts": (f"{A}", 1, f"{A}", 2, "blob digest size"),
    "rows of two files": (f"{A}", 1, f"{B}", 1, "blob digest size"),
    "rows of two cases": (f"{A}", 1, FOREIGN, 1, "blob digest size"),
}


@pytest.mark.parametrize("attack", EXCHANGES)
def test_exchanged_parts_show_nothing(filed: Filed, one: Sender, attack: str) -> None:
    item_id = named(one, "a.bin")
    first, left, second, right, columns = EXCHANGES[attack]
    get = "SELECT item_id, number, blob, digest, size FROM file_part WHERE number = :n AND item_id"
    rows = [filed.rows(f"{get} = {item}", n=n)[0] for item, n in ((first, left), (second, right))]
    for row in rows:
        filed.tamper(
            "UPDATE file_part SET blob = :blob WHERE item_id = :item AND number = :n AND 1 = 1"
            " AND :case = :case",
            blob=f"{row.number}" + "e" * 31 if row is rows[0] else f"{row.number}" + "d" * 31,
            item=row.item_id,
            n=row.number,
        )
    for row, source in zip(rows, reversed(rows), strict=True):
        whole = "digest" in columns
        filed.tamper(
            "UPDATE file_part SET blob = :blob, digest = :digest, size = :size"
            " WHERE item_id = :item AND number = :n AND :case = :case",
            blob=source.blob,
            digest=source.digest if whole else row.digest,
            size=source.size if whole else row.size,
            item=row.item_id,
            n=row.number,
        )
    with pytest.raises(CaseDamaged), one.content(item_id) as opened:
        next(opened.read(0, 10))


SWAP = (
    "WITH a AS MATERIALIZED (SELECT item_id, sealed, digest FROM part WHERE item_id IN ({A}, {X}))"
    " UPDATE part SET (sealed, digest) = (SELECT sealed, digest FROM a"
    " WHERE a.item_id <> part.item_id) WHERE item_id IN ({A}, {X})"
)
MANIFESTS = {
    "between files": SWAP.replace("{X}", "{B}"),
    "between cases": SWAP.replace("{X}", "{F}"),
    "items between cases": "UPDATE item SET case_id = :case WHERE id = {F}",
    "author": "UPDATE item SET author = :operator WHERE id = {A}",
    "day": "UPDATE item SET day = '2026-11-22' WHERE id = {A}",
    "leaf": "UPDATE item SET leaf = (SELECT max(leaf) FROM item WHERE case_id = :case)"
    " WHERE id = {A}",
    "leaf gone": "UPDATE leaf SET body = NULL WHERE number = (SELECT leaf FROM item"
    " WHERE id = {A})",
    "room": "UPDATE item SET compartment = 'mailbox' WHERE id = {A}",
    "sealed": "UPDATE part SET sealed = zeroblob(length(sealed)) WHERE item_id = {A}",
    "gone": "DELETE FROM part WHERE item_id = {A}",
}


@pytest.mark.parametrize("attack", MANIFESTS)
def test_a_manifest_that_was_changed_or_moved_shows_nothing(filed: Filed, attack: str) -> None:
    """Each file that is still shown is the one that was sent under that name into this case."""
    statement = MANIFESTS[attack].replace("{A}", A).replace("{B}", B).replace("{F}", FOREIGN)
    if ":case" not in statement:
        statement += " AND :case = :case"
    operator = filed.bench["operator"].person_id
    extra = {"operator": operator} if ":operator" in statement else {}
    filed.tamper(statement, **extra)
    one = sender(filed, "operator")
    found = one.files()
    refused = [file for file in found if file.manifest is None]
    assert refused or len(found) < 2
    for file in found:
        if file.manifest is not None:
            expected = {"a.bin": WHOLE, "b.bin": OTHER}[file.manifest.name]
            assert one.whole(file.item_id) == expected


BODY: dict[str, Any] = {
    "v": 1, "name": "a", "kind": "jpeg", "declared": "image/jpeg", "size": 3,
    "sha256": "0" * 64, "day": "2026-11-23",
    "parts": [{"digest": "1" * 64, "length": 2}, {"digest": "2" * 64, "length": 1}],
}  # fmt: skip


class TestManifest:
    def test_round_trip(self) -> None:
        made = Manifest.from_body(BODY)
        assert Manifest.from_body(made.to_body()) == made
        assert canonical.encode(made.to_body()) == canonical.encode(BODY)

    @pytest.mark.parametrize(
        "change",
        [
            {"v": 2}, {"size": 4}, {"parts": []}, {"kind": "exe"}, {"kind": ""},
            {"day": "2026-13-01"}, {"day": "2026-11-23\n"}, {"day": "٢٠٢٦-11-23"}, {"day": "x"},
            {"sha256": "0" * 63}, {"sha256": "A" * 64}, {"name": 7}, {"name": "x" * 201},
            {"more": 1}, {"size": -1}, {"size": 3.0},
            {"parts": [{"digest": "1" * 64, "length": 4}, {"digest": "2" * 64, "length": -1}]},
        ],
        ids=str,
    )  # fmt: skip
    def test_anything_else_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(Malformed):
            Manifest.from_body(BODY | change)
