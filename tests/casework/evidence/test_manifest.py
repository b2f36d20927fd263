"""What a manifest knows of a file is for its readers, not for a log or a traceback."""

from dataclasses import replace
from pathlib import Path

import pytest

from casework.evidence.files import File
from casework.evidence.incoming import Arrived, Kept
from casework.evidence.manifest import Described, Manifest, PartNote
from casework.evidence.parts import Declared
from casework.store.blobs import BlobFolder
from crypto.errors import Malformed
from tests.casework.office import START

SECRET = "daftar-kanari.xlsx"
MANIFEST = Manifest(
    name=SECRET, kind="xlsx", declared=SECRET, size=3, sha256="ab" * 32, day="2026-02-03",
    parts=(PartNote("cd" * 32, 3),),
)  # fmt: skip


def test_no_representation_holds_a_name_a_size_or_a_hash() -> None:
    file = File("1" * 32, 1, "content", "2" * 32, START.date(), 7, MANIFEST)
    for one in (MANIFEST, file, replace(file, number=2), Described(SECRET, SECRET)):
        assert SECRET not in repr(one)
        assert "abab" not in repr(one)
    assert SECRET not in repr(Declared(SECRET, SECRET, 3, 0))


def test_no_representation_of_a_part_holds_its_plaintext_s_hash_or_length(tmp_path: Path) -> None:
    blob = BlobFolder(tmp_path / "blobs").new()
    length = int("7" * 20)  # longer than an object's address, which might hold it by chance
    arrived = Arrived(blob, 1, 1, b"c" * 32, 65_000, b"kenari-" * 4, length, b"kenari")
    kept = Kept(1, 1, "d" * 32, b"c" * 32, 65_000, length)
    for one in (arrived, kept):
        assert "kenari" not in repr(one)
        assert str(length) not in repr(one)
    blob.close()


def test_it_reads_back_as_it_was_written() -> None:
    assert Manifest.from_body(MANIFEST.to_body()) == MANIFEST


@pytest.mark.parametrize(
    "change",
    [{"size": 4}, {"parts": []}, {"kind": "exe"}, {"day": "2026-02-30"}, {"more": 1}, {"v": 2}],
)
def test_what_contradicts_itself_is_malformed(change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        Manifest.from_body(MANIFEST.to_body() | change)
