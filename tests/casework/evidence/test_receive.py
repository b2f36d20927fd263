"""A file that comes in one request: whole and as it was, in its room, once."""

import hashlib
from dataclasses import replace

import pytest

from casework.case.keyring import CaseDamaged
from casework.errors import Denied, NotFound
from casework.evidence import receive
from casework.evidence.incoming import Incoming
from casework.evidence.manifest import parts_digest
from casework.handling import desk, recuse
from casework.store.base import new_id
from crypto.age import HybridIdentity
from tests.casework.cases import REPORTER, Filed, file_report, join, leave
from tests.casework.evidence.arrivals import noise, sender
from tests.casework.office import Bench

SIZES = [0, 1, 65_000, 65_536, 200_001]


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_word_for_word(filed: Filed, size: int) -> None:
    content = noise(size)
    item_id = sender(filed).send("foto.jpg", content)
    assert item_id is not None
    for user in (REPORTER, "operator"):
        (one,) = sender(filed, user).files()
        assert (one.item_id, one.number, one.author) == (item_id, 1, filed.reporter.person_id)
        manifest = one.manifest
        assert manifest is not None
        assert (manifest.name, manifest.size) == ("foto.jpg", size)
        assert manifest.sha256 == hashlib.sha256(content).hexdigest()
        assert sender(filed, user).read(item_id) == content
        assert sender(filed, user).whole(item_id) == content


def test_the_leaf_names_manifest_and_parts_and_nothing_readable(filed: Filed) -> None:
    item_id = sender(filed).send("rahasia kenari.txt", b"isi kenari")
    digests = [row[0] for row in filed.rows("SELECT digest FROM file_part")]
    sealed = filed.scalar("SELECT digest FROM item WHERE id = :id", id=item_id)
    leaf = filed.leaves()[-1]
    assert leaf["event"] == "evidence"
    assert sorted(leaf["objects"]) == sorted([sealed.hex(), parts_digest(digests)])
    assert "kenari" not in str(filed.leaves())
    assert hashlib.sha256(b"isi kenari").hexdigest() not in str(filed.leaves())
    ((blob, size),) = filed.rows("SELECT blob, size FROM file_part")
    on_disk = (filed.bench.folder / "blobs" / blob).read_bytes()
    assert (len(on_disk), hashlib.sha256(on_disk).digest()) == (size, digests[0])


def test_files_of_one_size_are_of_one_size_on_disk(filed: Filed) -> None:
    """Small files are told apart by nothing; larger ones hardly."""
    for number, size in enumerate((0, 1, 5_000, 60_000)):
        sender(filed).send(f"{number}", noise(size))
    assert len(filed.rows("SELECT DISTINCT size FROM file_part")) == 1


def test_the_same_file_twice_is_stored_once(filed: Filed) -> None:
    """A form that is sent again adds nothing: no row, no leaf, no blob."""
    first = sender(filed).send("foto.jpg", b"isi")
    before = filed.leaves()
    assert first is not None
    assert sender(filed).send("foto.jpg", b"isi") is None
    assert filed.leaves() == before
    assert len(list(filed.bench.office.blobs.names())) == 1


@pytest.mark.parametrize(("name", "content"), [("foto.jpg", b"lain"), ("lain.jpg", b"isi")])
def test_another_file_is_another_file(filed: Filed, name: str, content: bytes) -> None:
    first, second = sender(filed).send("foto.jpg", b"isi"), sender(filed).send(name, content)
    assert first is not None is not second
    assert sender(filed).read(first) == b"isi"
    assert sender(filed).read(second) == content


def test_what_somebody_else_sent_is_not_known(filed: Filed) -> None:
    """Whether an officer has a file is not told to whoever sends the same."""
    assert sender(filed, "operator").send("foto.jpg", b"isi") is not None
    assert sender(filed).send("foto.jpg", b"isi") is not None


def test_a_file_that_breaks_off_leaves_nothing(filed: Filed) -> None:
    with Incoming(filed.bench.office.blobs, sender(filed).slot()) as incoming:
        incoming.write(noise(3_000_000))
    assert list((filed.bench.folder / "blobs").iterdir()) == []
    assert sender(filed).files() == []


class TestRooms:
    """Files go where their sender holds the key, and nobody else learns of them."""

    def test_reporters_have_one_room(self, filed: Filed) -> None:
        filed.bring_to("diverifikasi")
        for room in ("handling", "mailbox", "identity", "investigation", "x"):
            with pytest.raises(Denied):
                sender(filed).slot(room)

    @pytest.mark.parametrize("user", ["tim", "pengawas", "admin"])
    def test_who_does_not_see_the_case_sends_nothing(self, filed: Filed, user: str) -> None:
        with pytest.raises(NotFound):
            sender(filed, user).slot()

    def test_an_officers_file_is_seen_by_the_holders_of_its_room(self, filed: Filed) -> None:
        filed.bring_to("telaah_awal")
        item_id = sender(filed, "irban").send("catatan.txt", b"isi", "investigation")
        assert item_id is not None
        assert sender(filed, "tim").read(item_id) == b"isi"
        for user in (REPORTER, "verifikator"):
            assert sender(filed, user).files() == []
            with pytest.raises(NotFound), sender(filed, user).content(item_id):
                pass

    def test_the_operator_loses_the_files_with_the_case(self, filed: Filed) -> None:
        sender(filed).send("foto.jpg", b"isi")
        late = sender(filed, "operator").slot()
        filed.bring_to("diverifikasi")
        with pytest.raises((Denied, NotFound)), sender(filed, "operator").reading() as keyring:
            receive.slot(keyring, "content")
        with Incoming(filed.bench.office.blobs, late) as incoming:
            incoming.write(b"terlambat")
            arrived = incoming.finish()
            with pytest.raises((Denied, NotFound)):
                sender(filed, "operator").store(late, "terlambat.txt", arrived)
        assert len(list(filed.bench.office.blobs.names())) == 1

    def test_who_has_left_sends_and_sees_nothing(self, filed: Filed) -> None:
        sender(filed).send("foto.jpg", b"isi")
        slot = sender(filed, "operator").slot()
        leave(filed.bench, "operator")
        with pytest.raises(Denied):
            sender(filed, "operator").files()
        with Incoming(filed.bench.office.blobs, slot) as incoming:
            arrived = incoming.finish()
            with pytest.raises(Denied):
                sender(filed, "operator").store(slot, "x", arrived)

    def test_who_is_excluded_sees_no_file(self, bench: Bench) -> None:
        join(bench, {"irban2": ("irban",)})
        filed = file_report(bench).bring_to("dianalisis")
        item_id = sender(filed).send("foto.jpg", b"isi")
        assert item_id is not None
        assert sender(filed, "irban2").read(item_id) == b"isi"
        with bench.office.write() as uow:
            recuse.recuse(uow, bench["irban2"], filed.case_id, "Ipar saya.", new_id())
        with pytest.raises(NotFound):
            sender(filed, "irban2").files()
        assert sender(filed, "irban").read(item_id) == b"isi"

    def test_a_reporter_reaches_no_other_case(self, filed: Filed) -> None:
        other = file_report(filed.bench)
        item_id = sender(other).send("foto.jpg", b"isi")
        with pytest.raises(NotFound):
            replace(sender(filed), case_id=other.case_id).files()
        assert item_id is not None
        with pytest.raises(NotFound), sender(filed).content(item_id):
            pass
        with pytest.raises(Denied):
            replace(sender(filed, "operator"), case_id=None).files()

    def test_a_case_whose_row_was_changed_takes_no_file(self, filed: Filed) -> None:
        filed.tamper("UPDATE \"case\" SET state = 'selesai'")
        with pytest.raises(CaseDamaged):
            sender(filed).slot()

    def test_nobody_is_sealed_to_but_the_room(self, filed: Filed) -> None:
        with sender(filed).reading() as keyring:
            mine = keyring.identity("content").recipient
        assert str(sender(filed).slot().recipient) == str(mine)
        assert str(mine) != str(HybridIdentity.generate().recipient)


def test_a_reporters_file_raises_the_flag_of_a_message(filed: Filed) -> None:
    flags = "SELECT flag FROM case_flag WHERE case_id = :case"
    sender(filed).send("foto.jpg", b"isi")
    assert [row[0] for row in filed.rows(flags)] == [desk.NEW_MESSAGE]
    sender(filed, "operator").send("balasan.pdf", b"isi")
    assert filed.rows(flags) == []
