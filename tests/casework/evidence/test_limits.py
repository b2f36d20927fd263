"""Limits of file, case, instance and disk: the same for all ways of sending, and for racers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from casework.evidence import limits
from casework.evidence.incoming import Incoming
from casework.evidence.limits import MIB, PART, Bound, Full, Left, Limits
from casework.store.blobs import BlobFolder
from tests.casework.cases import Filed, file_report, together
from tests.casework.evidence.arrivals import Sender, noise, sender

KIB = 1024
SMALLEST = 68_000
"""No less than a small file takes when it is sealed, in bytes."""


def limited(filed: Filed, **bounds: int) -> Filed:
    filed.bench.office = replace(filed.bench.office, evidence=Limits(**{"low_water": 0, **bounds}))
    return filed


def left(one: Sender) -> Left:
    with one.reading() as keyring:
        return limits.left(keyring)


def refused(act: Callable[..., object], *args: object) -> tuple[Bound, int]:
    with pytest.raises(Full) as full:
        act(*args)
    return full.value.bound, full.value.limit


def test_one_file(filed: Filed) -> None:
    one = sender(limited(filed, file=100 * KIB))
    assert left(one) == Left(100 * KIB, Bound.FILE, 100 * KIB)
    assert one.slot().most == 100 * KIB
    assert one.begin("a", 100 * KIB).count == 1
    assert refused(one.begin, "b", 100 * KIB + 1) == (Bound.FILE, 100 * KIB)


def test_files_of_a_reporter_and_of_officers_are_counted_apart(filed: Filed) -> None:
    """A flooding reporter leaves the officers room; those that are arriving count, too."""
    limited(filed, case_files=2, officer_files=1)
    mine, theirs = sender(filed), sender(filed, "operator")
    mine.send("a", b"a")
    begun = mine.begin("b", 2)
    assert refused(mine.slot) == (Bound.CASE_FILES, 2)
    assert refused(mine.begin, "c", 1) == (Bound.CASE_FILES, 2)
    assert mine.begin("b", 2) == begun
    theirs.send("d", b"d")
    assert refused(theirs.slot) == (Bound.CASE_FILES, 1)
    mine.cancel(begun.id)
    mine.send("c", b"c")


@pytest.mark.parametrize(("bound", "limit"), [("case", MIB), ("instance", 0)])
def test_bytes_of_case_and_instance(filed: Filed, bound: str, limit: int) -> None:
    """The case counts for itself; the instance counts all of them and tells no number."""
    limited(filed, **{bound: MIB})
    of = {"case": Bound.CASE_BYTES, "instance": Bound.INSTANCE}[bound]
    one, other = sender(filed), sender(file_report(filed.bench))
    one.send("a", noise(700 * KIB))
    taken = filed.scalar("SELECT sum(size) FROM file_part")
    assert left(one) == Left(MIB - taken, of, limit)
    assert refused(one.begin, "b", MIB - taken + 1) == (of, limit)
    if bound == "case":
        assert left(other).size == MIB
    else:
        assert left(other).size == MIB - taken
    one.send("c", noise(left(one).size))
    assert refused(one.slot) == (of, limit)


def test_files_begun_at_once_do_not_each_find_the_same_room(filed: Filed) -> None:
    """Nothing of them has arrived yet; their places are taken all the same, and given back."""
    one = sender(limited(filed, case=5 * PART))
    first = one.begin("a", 3 * PART)
    assert left(one).size == 2 * PART
    assert refused(one.begin, "b", 3 * PART) == (Bound.CASE_BYTES, 5 * PART)
    one.begin("c", 2 * PART)
    assert refused(one.slot) == (Bound.CASE_BYTES, 5 * PART)
    one.cancel(first.id)
    assert left(one).size == 3 * PART


@pytest.mark.parametrize("bound", ["case", "instance"])
def test_two_racing_for_the_last_bytes_are_one_file(filed: Filed, bound: str) -> None:
    """Both were let in while there was room; the second is told when it is whole."""
    limited(filed, **{bound: MIB})
    one = sender(filed)

    slots = [one.slot(), one.slot()]
    arrived = []
    for slot in slots:
        incoming = Incoming(one.office.blobs, slot)
        incoming.write(noise(600 * KIB))
        arrived.append(incoming.finish())
    results = together(2, lambda number: one.store(slots[number], f"{number}", arrived[number]))
    for part in arrived:
        part.blob.close()
    assert sorted(isinstance(one, Full) for one in results) == [False, True]
    assert len(one.files()) == len(list(one.office.blobs.names())) == 1
    assert len(filed.rows("SELECT * FROM file_part")) == 1


def test_two_racing_for_the_last_place_are_one_file(filed: Filed) -> None:
    limited(filed, case_files=1)
    one = sender(filed)
    results = together(2, lambda number: one.send(f"{number}", noise(100)))
    assert sorted(isinstance(one, Full) for one in results) == [False, True]
    assert len(one.files()) == 1


class TestDisk:
    """Below the low water there is room for reports alone."""

    def with_room(self, filed: Filed, room: int) -> Sender:
        """A sender on a disk that has so many bytes above the low water."""
        office = filed.bench.office
        blobs = Room(filed.bench.folder / "blobs", 10 * MIB + room)
        evidence = Limits(low_water=10 * MIB)
        filed.bench.office = replace(office, evidence=evidence, blobs=blobs)
        return sender(filed)

    def test_no_file_below_it(self, filed: Filed) -> None:
        one = self.with_room(filed, 0)
        assert refused(one.slot) == (Bound.INSTANCE, 0)
        assert refused(one.begin, "a", 1) == (Bound.INSTANCE, 0)
        filed.say("reporter", "Pesan ini masih muat.")

    def test_no_further_part_below_it(self, filed: Filed) -> None:
        one = self.with_room(filed, 20 * PART)
        begun = one.begin("a", 2 * PART)
        one.take(begun.id, 1, noise(PART))
        one = self.with_room(filed, 0)
        assert refused(one.take, begun.id, 2, noise(PART)) == (Bound.INSTANCE, 0)

    def test_a_file_that_was_let_in_is_not_counted_twice(self, filed: Filed) -> None:
        """When it is stored it lies on the disk already: what is free is less by its bytes."""
        one = self.with_room(filed, 100 * KIB)
        slot = one.slot()
        assert slot.most == 100 * KIB
        with Incoming(one.office.blobs, slot) as incoming:
            incoming.write(noise(slot.most))
            arrived = incoming.finish()
            later = self.with_room(filed, 0)
            assert later.store(slot, "a", arrived) == slot.item_id


class Room(BlobFolder):
    """A blob folder on a disk with as much space as a test says."""

    def __init__(self, folder: Path, free: int) -> None:
        super().__init__(folder)
        self._free = free

    def free(self) -> int:
        return self._free


def test_small_files_are_counted_as_they_lie_on_the_disk(filed: Filed) -> None:
    limited(filed, case=MIB)
    one = sender(filed)
    one.send("a", b"")
    assert MIB - SMALLEST < left(one).size < MIB - 64 * KIB
