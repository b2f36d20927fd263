"""The reporter's receipt: it proves what it should, under whose names, and leaves nothing."""

from dataclasses import replace

import pytest

from casework.intake import proof
from casework.intake.proof import Evidence
from casework.log import checkpoints, keys, witnesses
from casework.log.keys import LogKeyFile, LogKeyMissing
from casework.log.proof import check_text, read
from casework.log.witnesses import Witness
from crypto.checkpoint import Checkpoint
from crypto.note import Kind, NoteSigner, SignedNote
from tests.casework.cases import NARRATIVE, Filed

WITNESS = NoteSigner("saksi.example.go.id", Kind.WITNESS, b"\x09" * 32)
STRANGER = NoteSigner("orang.lain", Kind.WITNESS, b"\x0a" * 32)


def taken(filed: Filed) -> Evidence:
    with filed.bench.office.read() as uow:
        return proof.evidence(uow, filed.reporter)


def publish(filed: Filed) -> SignedNote:
    filed.bench.office = replace(filed.bench.office, witnesses=(Witness(WITNESS.key),))
    with filed.bench.office.write() as uow:
        made = checkpoints.publish_due(uow)
    assert made is not None
    return made.note


def checkpoint_in(found: Evidence) -> SignedNote:
    return SignedNote.from_text(found.file.partition("\n\n")[2])


def test_it_proves_ticket_day_and_text_to_whoever_trusts_the_log(filed: Filed) -> None:
    found = taken(filed)
    with filed.bench.office.read() as uow:
        known = keys.load(uow).all
    receipt = read(found.file, known)
    assert (receipt.ticket, receipt.day) == (filed.receipt.ticket, filed.receipt.received)
    check_text(receipt, found.text, found.key)
    assert NARRATIVE.encode() in found.text
    assert NARRATIVE not in found.file
    assert found.key.hex() not in found.file


def test_before_it_is_published_the_checkpoint_is_one_of_its_own(filed: Filed) -> None:
    """Signed at the moment, and kept nowhere."""
    found = taken(filed)
    assert (found.published, found.witnesses) == (False, ())
    with filed.bench.office.read() as uow:
        assert checkpoints.rows(uow) == []


def test_afterwards_it_is_the_published_one_with_its_known_witnesses_alone(filed: Filed) -> None:
    """A line that nobody vouches for, or that does not fit, is not counted as a witness."""
    note = publish(filed)
    assert (taken(filed).published, taken(filed).witnesses) == (True, ())
    fitting = WITNESS.sign(note.text, 1_790_000_000)
    other = Checkpoint("catatan/lain", 1, bytes(32)).sign([WITNESS]).signatures[0]
    for lines, names in (
        ([STRANGER.sign(note.text, 1_790_000_000)], ()),
        ([replace(other, data=fitting.data[:8] + other.data[8:])], ()),
        ([fitting], (WITNESS.key.name,)),
    ):
        text = note.with_signatures(lines).to_text()
        filed.tamper("UPDATE checkpoint SET signed = :text", text=text)
        assert taken(filed).witnesses == names
    with filed.bench.office.read() as uow:
        assert witnesses.names(uow, checkpoint_in(taken(filed))) == (WITNESS.key.name,)


def test_whoever_looked_before_the_key_was_exchanged_gets_a_receipt_all_the_same(
    filed: Filed,
) -> None:
    """The secret that their view of the log names is gone by the time it is to sign."""
    office = filed.bench.office
    with office.read() as uow:
        before = keys.load(uow)
        with office.write() as other:
            known = keys.rotate(other, bytes(range(32)))
        with office.read() as other:
            keys.signer(other)
        found = proof.evidence(uow, filed.reporter)
        assert keys.load(uow) == before, "it still sees the log as it was"
    assert not found.published
    assert read(found.file, [known.in_force]).ticket == filed.receipt.ticket


def test_without_the_key_nothing_can_be_signed_but_what_is_published_is_handed_out(
    filed: Filed,
) -> None:
    gone = LogKeyFile(filed.bench.folder / "gone.key")
    filed.bench.office = replace(filed.bench.office, log_key=gone)
    with pytest.raises(LogKeyMissing):
        taken(filed)
    filed.bench.office = replace(
        filed.bench.office, log_key=LogKeyFile(filed.bench.folder / "log.key")
    )
    publish(filed)
    filed.bench.office = replace(filed.bench.office, log_key=gone)
    assert taken(filed).published
