"""A sweep removes what no row names, and never anything else, whatever arrives meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from casework.evidence import receive, sweeping
from casework.evidence.incoming import Incoming
from casework.evidence.manifest import Described
from casework.evidence.sweeping import Found, compare, sweep
from casework.store.blobs import BlobFolder
from casework.store.office import Office
from tests.casework.cases import Filed
from tests.casework.evidence.arrivals import sender

NOTHING = Found(frozenset(), frozenset())


def plant(filed: Filed, count: int = 1) -> set[str]:
    """Blobs that no row names, as a kill between naming and commit leaves them."""
    made = set()
    for _ in range(count):
        new = filed.bench.office.blobs.new()
        new.write(b"x")
        made.add(new.keep())
        new.close()
    return made


class Watched(BlobFolder):
    """A folder that lets something happen before or after its names are listed."""

    def __init__(
        self, folder: Path, before: Callable[[], object], after: Callable[[], object]
    ) -> None:
        super().__init__(folder)
        self._before, self._after = before, after

    def names(self, *, tidy: bool = True) -> Iterator[str]:
        self._before()
        yield from super().names(tidy=tidy)
        self._after()


def nothing() -> None:
    pass


def watched(
    filed: Filed, before: Callable[[], object] = nothing, after: Callable[[], object] = nothing
) -> Office:
    office = filed.bench.office
    return replace(office, blobs=Watched(filed.bench.folder / "blobs", before, after))


def test_rows_and_blobs_that_agree(filed: Filed) -> None:
    office = filed.bench.office
    assert compare(office) == NOTHING
    one = sender(filed)
    one.send("a", b"isi")
    upload = one.begin("b", 10)
    one.take(upload.id, 1, bytes(10))
    assert compare(office) == NOTHING
    assert sweep(office) == 0
    one.finish(upload.id)
    assert len(list(office.blobs.names())) == 2


def test_orphans_go_and_nothing_else(filed: Filed) -> None:
    """In more than one batch; a file, an unfinished one and what is no blob stay."""
    office, one = filed.bench.office, sender(filed)
    kept = one.send("a", b"isi")
    upload = one.begin("b", 10)
    one.take(upload.id, 1, bytes(10))
    other = filed.bench.folder / "blobs" / "README"
    other.write_bytes(b"")
    orphans = plant(filed, sweeping.BATCH + 1)
    assert compare(office) == Found(frozenset(orphans), frozenset())
    assert sweep(office) == len(orphans)
    assert compare(office) == NOTHING
    assert other.exists()
    one.finish(upload.id)
    assert kept is not None
    assert one.read(kept) == b"isi"
    assert one.read(upload.id) == bytes(10)


def test_what_is_missing_is_told_by_file(filed: Filed) -> None:
    one = sender(filed)
    kept = one.send("a", b"isi")
    upload = one.begin("b", 10)
    one.take(upload.id, 1, bytes(10))
    for path in (filed.bench.folder / "blobs").iterdir():
        path.unlink()
    assert compare(filed.bench.office).missing == {kept, upload.id}


def test_a_file_that_arrives_while_the_sweep_looks_stays(filed: Filed) -> None:
    """Its blob is listed although its row was not there when the rows were read."""
    sent: list[str | None] = []

    def arrive() -> None:
        sent.append(sender(filed).send("a", b"isi"))

    assert sweep(watched(filed, before=arrive)) == 0
    assert sent[0] is not None
    assert sender(filed).read(sent[0]) == b"isi"


def test_a_file_that_is_given_up_meanwhile_is_not_missed(filed: Filed) -> None:
    one = sender(filed)
    upload = one.begin("b", 10)
    one.take(upload.id, 1, bytes(10))
    assert compare(watched(filed, before=lambda: one.cancel(upload.id))) == NOTHING


def test_a_sweep_waits_for_the_row_of_a_blob_that_has_its_name(filed: Filed) -> None:
    """The blob is named within the transaction that writes its row: the sweep stands behind it."""
    one, listed, removed = sender(filed), Event(), []
    slot = one.slot()
    office = watched(filed, after=listed.set)
    thread = Thread(target=lambda: removed.append(sweep(office)))
    with Incoming(one.office.blobs, slot) as incoming:
        incoming.write(b"isi")
        arrived = incoming.finish()
        with one.writing() as keyring:
            receive.store(keyring, slot, Described("a", "text/plain"), arrived)
            thread.start()
            assert listed.wait(10)
    thread.join()
    assert removed == [0]
    assert one.read(slot.item_id) == b"isi"


def test_an_act_that_fails_after_its_blob_was_named_leaves_an_orphan_alone(filed: Filed) -> None:
    """Nothing is half there, and the sweep finds what is left."""
    one = sender(filed)
    slot = one.slot()
    before = filed.leaves()
    with Incoming(one.office.blobs, slot) as incoming:
        arrived = incoming.finish()
        with one.writing() as keyring:
            receive.store(keyring, slot, Described("a", "text/plain"), arrived)
            keyring.uow.session.rollback()
    assert filed.leaves() == before
    assert one.files() == []
    assert sweep(filed.bench.office) == 1
    assert compare(filed.bench.office) == NOTHING
