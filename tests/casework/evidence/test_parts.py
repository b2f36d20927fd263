"""A file in parts: whole only with every part in its place, each from its own sender."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from casework.case.keyring import CaseDamaged, Keyring
from casework.errors import Conflict, Denied, NotFound
from casework.evidence import parts
from casework.evidence.incoming import Incoming, keep
from casework.evidence.limits import PART
from casework.evidence.manifest import Manifest, PartNote, parts_digest
from casework.tick import tick
from tests.casework.cases import REPORTER, Filed, file_report, leave, together
from tests.casework.evidence.arrivals import Sender, noise, sender

SIZE = PART + 1000
WHOLE = noise(SIZE)
ONE, TWO = WHOLE[:PART], WHOLE[PART:]


@pytest.fixture
def one(filed: Filed) -> Sender:
    return sender(filed)


def begun(one: Sender) -> str:
    """A file of two parts of which nothing has arrived."""
    return one.begin("rekaman.mp4", SIZE).id


def blobs_of(filed: Filed) -> set[str]:
    return set(filed.bench.office.blobs.names())


def test_parts_in_any_order_make_the_file(filed: Filed, one: Sender) -> None:
    upload = begun(one)
    one.take(upload, 2, TWO)
    assert one.begin("rekaman.mp4", SIZE).have == {2}
    one.take(upload, 1, ONE)
    before = blobs_of(filed)
    one.finish(upload)
    for user in (REPORTER, "operator"):
        (found,) = sender(filed, user).files()
        assert found.item_id == upload
        manifest = found.manifest
        assert manifest is not None
        assert (manifest.name, manifest.size) == ("rekaman.mp4", SIZE)
        assert manifest.sha256 == hashlib.sha256(WHOLE).hexdigest()
        assert [part.length for part in manifest.parts] == [PART, 1000]
        assert sender(filed, user).whole(upload) == WHOLE
    digests = [row[0] for row in filed.rows("SELECT digest FROM file_part ORDER BY number")]
    assert parts_digest(digests) in filed.leaves()[-1]["objects"]
    assert filed.leaves()[-1]["event"] == "evidence"
    assert blobs_of(filed) == before
    assert one.unfinished() == []
    assert filed.scalar("SELECT count(*) FROM upload_part") == 0


@pytest.mark.parametrize("size", [0, 1, PART])
def test_a_file_of_one_part(one: Sender, size: int) -> None:
    """An empty one, too: whoever chose it is not told that nothing was chosen."""
    upload = one.send_in_parts("a", WHOLE[:size])
    assert one.whole(upload) == WHOLE[:size]
    assert one.files()[0].manifest is not None


def test_parts_of_a_longer_file_are_of_one_size_on_disk(filed: Filed, one: Sender) -> None:
    one.send_in_parts("a", WHOLE)
    assert len(filed.rows("SELECT DISTINCT size FROM file_part")) == 1


def test_the_same_words_go_on_with_the_same_file(one: Sender) -> None:
    upload = begun(one)
    assert begun(one) == upload
    assert one.begin("rekaman.mp4", SIZE + 1).id != upload
    assert one.begin("lain.mp4", SIZE).id != upload


def test_what_was_said_of_it_lies_sealed(filed: Filed, one: Sender) -> None:
    one.begin("kenari.mp4", SIZE)
    assert b"kenari" not in filed.scalar("SELECT sealed FROM upload")


class TestParts:
    """What is no part of this file, in this place, by this person, never becomes one."""

    @pytest.mark.parametrize(
        ("number", "content"),
        [(1, ONE[:-1]), (1, ONE + b"x"), (2, TWO[:-1]), (2, b""), (2, ONE), (1, TWO)],
        ids=lambda one: str(one if isinstance(one, int) else len(one)),
    )
    def test_too_short_or_too_long(
        self, filed: Filed, one: Sender, number: int, content: bytes
    ) -> None:
        upload = begun(one)
        with pytest.raises(Conflict):
            one.take(upload, number, content)
        assert blobs_of(filed) == set()
        assert one.unfinished()[0].have == frozenset()

    @pytest.mark.parametrize("number", [0, 3, -1])
    def test_no_such_part(self, one: Sender, number: int) -> None:
        with pytest.raises(NotFound):
            one.part_slot(begun(one), number)

    def test_twice_counts_once_and_the_first_stays(self, filed: Filed, one: Sender) -> None:
        upload = begun(one)
        one.take(upload, 2, TWO)
        one.take(upload, 2, bytes(1000))
        assert len(blobs_of(filed)) == 1
        one.take(upload, 1, ONE)
        one.finish(upload)
        assert one.whole(upload) == WHOLE

    def test_twice_at_once_counts_once(self, filed: Filed, one: Sender) -> None:
        upload = begun(one)
        results = together(3, lambda _: one.take(upload, 2, TWO))
        assert results == [None] * 3
        assert len(blobs_of(filed)) == 1

    def test_of_another_file_or_place(self, filed: Filed, one: Sender) -> None:
        """Sealed for one place and noted in another, it does not open, whoever mixed them up."""
        upload, other = begun(one), one.begin("lain.mp4", SIZE).id
        one.take(upload, 1, ONE)
        one.take(upload, 2, TWO, item_id=other)
        with pytest.raises(CaseDamaged):
            one.finish(upload)
        assert one.files() == []
        assert len(one.unfinished()) == 2
        assert len(blobs_of(filed)) == 2

    def test_with_another_count(self, one: Sender) -> None:
        with pytest.raises(Conflict):
            one.take(begun(one), 2, TWO, count=3)

    @pytest.mark.parametrize("who", ["officer", "other reporter"])
    def test_by_another_person(self, filed: Filed, one: Sender, who: str) -> None:
        upload = begun(one)
        other = sender(filed, "operator") if who == "officer" else sender(file_report(filed.bench))
        with Incoming(filed.bench.office.blobs, one.part_slot(upload, 2)) as incoming:
            incoming.write(TWO)
            arrived = incoming.finish()
            note = PartNote(arrived.digest.hex(), 1000)
            manifest = Manifest(name="", kind="other", declared="", size=1000, sha256="0" * 64,
                                day="2026-11-23", parts=(note,))  # fmt: skip
            acts: dict[str, Callable[[Keyring], object]] = {
                "slot": lambda keyring: parts.slot(keyring, upload, 2),
                "take": lambda keyring: parts.take(keyring, upload, arrived),
                "check": lambda keyring: parts.check(keyring, upload),
                "finish": lambda keyring: parts.finish(keyring, upload, manifest),
                "cancel": lambda keyring: parts.cancel(keyring, upload),
            }
            for act in acts.values():
                with pytest.raises(NotFound), other.writing() as keyring:
                    act(keyring)
        assert other.unfinished() == []
        assert one.unfinished()[0].id == upload


class TestFinish:
    def test_with_a_missing_part(self, one: Sender) -> None:
        upload = begun(one)
        one.take(upload, 1, ONE)
        with pytest.raises(Conflict):
            one.finish(upload)
        assert one.files() == []

    def test_twice(self, filed: Filed, one: Sender) -> None:
        upload = one.send_in_parts("a", WHOLE)
        before = filed.leaves()
        with pytest.raises(NotFound):
            one.finish(upload)
        assert filed.leaves() == before
        assert one.whole(upload) == WHOLE

    def test_with_parts_that_were_not_checked(self, one: Sender) -> None:
        upload = begun(one)
        one.take(upload, 1, ONE)
        one.take(upload, 2, TWO)
        with one.reading() as keyring:
            manifest = parts.check(keyring, upload)
        wrong = replace_last(manifest)
        with pytest.raises(Conflict), one.writing() as keyring:
            parts.finish(keyring, upload, wrong)
        assert one.files() == []
        assert one.unfinished()[0].have == {1, 2}

    def test_a_file_that_was_sent_before_is_stored_once(self, filed: Filed, one: Sender) -> None:
        """In one request or in parts, it is the same file; the parts go."""
        assert one.send("a", WHOLE) is not None
        before = filed.leaves(), blobs_of(filed)
        one.send_in_parts("a", WHOLE)
        assert (filed.leaves(), blobs_of(filed)) == before
        assert one.unfinished() == []

    def test_by_somebody_who_lost_the_key_meanwhile(self, filed: Filed) -> None:
        theirs = sender(filed, "operator")
        upload = begun(theirs)
        theirs.take(upload, 1, ONE)
        theirs.take(upload, 2, TWO)
        leave(filed.bench, "operator")
        for act in (theirs.finish, theirs.cancel):
            with pytest.raises(Denied):
                act(upload)
        assert filed.scalar("SELECT count(*) FROM file_part") == 0


class TestForgotten:
    def test_cancelled(self, filed: Filed, one: Sender) -> None:
        upload = begun(one)
        one.take(upload, 1, ONE)
        one.cancel(upload)
        assert blobs_of(filed) == set()
        assert one.unfinished() == []
        with pytest.raises(NotFound):
            one.cancel(upload)
        with pytest.raises(NotFound):
            one.take(upload, 2, TWO)

    def test_after_a_day_with_its_parts_and_nothing_else(self, filed: Filed, one: Sender) -> None:
        kept = one.send_in_parts("b", b"isi")
        upload = begun(one)
        one.take(upload, 1, ONE)
        filed.bench.clock.advance(days=1)
        assert tick(filed.bench.office).parts == 0
        # The day that its parts name is the one on which it was begun.
        one.take(upload, 2, TWO)
        filed.bench.clock.advance(days=1)
        assert tick(filed.bench.office).parts == 2
        assert one.unfinished() == []
        assert len(blobs_of(filed)) == 1
        assert one.read(kept) == b"isi"
        assert tick(filed.bench.office).parts == 0

    def test_finished_on_the_day_after_it_opens_as_before(self, filed: Filed, one: Sender) -> None:
        upload = begun(one)
        one.take(upload, 1, ONE)
        filed.bench.clock.advance(days=1)
        one.take(upload, 2, TWO)
        one.finish(upload)
        assert one.whole(upload) == WHOLE


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE upload SET sealed = zeroblob(length(sealed))",
        "UPDATE upload SET count = 1",
        "UPDATE upload SET day = '2026-11-22'",
        "UPDATE upload SET compartment = 'mailbox'",
    ],
)
def test_an_unfinished_file_that_was_changed_is_not_gone_on_with(
    filed: Filed, one: Sender, attack: str
) -> None:
    upload = begun(one)
    filed.tamper(attack)
    assert one.unfinished() == []
    with pytest.raises(CaseDamaged):
        one.part_slot(upload, 1)
    one.cancel(upload)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE upload_part SET digest = zeroblob(32) WHERE number = 1",
        "UPDATE upload_part SET number = 3 WHERE number = 1",
        "UPDATE upload_part SET number = CASE number WHEN 1 THEN 3 ELSE 1 END",
    ],
)
def test_parts_that_were_changed_before_the_end_become_no_file(
    filed: Filed, one: Sender, attack: str
) -> None:
    upload = begun(one)
    one.take(upload, 1, ONE)
    one.take(upload, 2, TWO)
    filed.tamper(attack)
    with pytest.raises(CaseDamaged):
        one.finish(upload)
    assert one.files() == []


def test_a_holder_who_writes_rows_cannot_exchange_what_is_still_arriving(
    filed: Filed, one: Sender
) -> None:
    """They can seal in the sender's name, but not sign: what is finished is what was sent."""
    upload = begun(one)
    slot = one.part_slot(upload, 1)
    one.take(upload, 1, ONE)
    one.take(upload, 2, TWO)
    with Incoming(filed.bench.office.blobs, slot) as incoming:
        incoming.write(noise(PART)[::-1])
        other = keep(incoming.finish())
    filed.tamper(
        "UPDATE upload_part SET blob = :blob, digest = :digest, size = :size WHERE number = 1",
        blob=other.blob,
        digest=other.digest,
        size=other.size,
    )
    with pytest.raises(CaseDamaged, match="part of an unfinished file"):
        one.finish(upload)
    assert one.files() == []


def replace_last(manifest: Manifest) -> Manifest:
    changed = (*manifest.parts[:-1], PartNote("0" * 64, manifest.parts[-1].length))
    return Manifest.from_body(manifest.to_body() | {
        "parts": [{"digest": part.digest, "length": part.length} for part in changed]
    })  # fmt: skip


def test_one_senders_copy_is_not_anothers(filed: Filed, one: Sender) -> None:
    """The words of a file that a colleague is sending are not gone on with."""
    theirs = sender(filed, "operator")
    upload = begun(one)
    assert begun(theirs) != upload
    assert replace(one).unfinished()[0].id == upload
