"""The mailbox: public words only, and only the reporter's own."""

import pytest
from sqlalchemy import select

from casework.case.keyring import Keyring
from casework.case.tables import Case, Item
from casework.errors import NotFound
from casework.intake import mailbox
from casework.keys import roster
from casework.keys.actor import Actor
from casework.keys.vocabulary import PersonKind
from casework.law.vocabulary import Compartment
from crypto import canonical, commitment
from crypto.persons import Person
from tests.casework.cases import NARRATIVE, Filed, file_report, way
from tests.casework.keys.recoveries import (
    bring_in,
    decide,
    export,
    lose_handling,
    new_shares,
    today,
)
from tests.casework.office import Bench


def test_a_stranger_has_no_mailbox(filed: Filed) -> None:
    stranger = Actor("c" * 32, Person.generate(), PersonKind.REPORTER)
    with filed.bench.office.read() as uow, pytest.raises(NotFound):
        mailbox.read(uow, stranger)


def test_internal_notes_never_reach_the_mailbox(filed: Filed) -> None:
    """Checklists, notes, articles of internal acts and letters stay inside."""
    for user, transition in way("selesai"):
        filed.do(user, transition)
    shown = str([dict(piece.body) for piece in filed.mailbox().pieces])
    for internal in ("catatan analyse", "800/12/ST", "checklist", "assignees"):
        assert internal not in shown
    assert {piece.compartment for piece in filed.mailbox().pieces} == {"content"}


def test_state_comes_with_public_words(filed: Filed) -> None:
    box = filed.mailbox()
    assert box.state.public_label
    assert box.state.public_sentence
    assert box.ticket == filed.receipt.ticket
    assert box.received == filed.receipt.received
    assert box.promises[0].due == filed.receipt.first_reaction


def test_the_mailbox_item_opens_the_commitment_of_the_submit_leaf(filed: Filed) -> None:
    """The reporter can prove what was reported; the leaf alone proves it to nobody."""
    with filed.bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        keyring = Keyring(uow, case, filed.reporter, roster.load(uow))
        item = uow.session.scalar(
            select(Item).where(
                Item.case_id == filed.case_id, Item.compartment == Compartment.MAILBOX
            )
        )
        assert item is not None
        opened = keyring.open(item)
    assert opened is not None
    leaf = filed.leaves()[0]
    key = bytes.fromhex(opened.body["commitment"])
    body = canonical.encode({"narrative": NARRATIVE, "position": "asn"})
    assert commitment.commit(key, body).hex() == leaf["commitment"]
    changed = canonical.encode({"narrative": NARRATIVE + ".", "position": "asn"})
    assert commitment.commit(key, changed).hex() != leaf["commitment"]


def test_a_form_is_known_to_its_own_sender_only(filed: Filed) -> None:
    other = file_report(filed.bench)
    filed.say("reporter", "satu", "a" * 32)
    with filed.bench.office.read() as uow:
        assert mailbox.has_item(uow, filed.reporter, "a" * 32)
        assert not mailbox.has_item(uow, other.reporter, "a" * 32)
        assert not mailbox.has_item(uow, filed.reporter, "b" * 32)


def test_a_recovery_is_told_with_its_day(bench: Bench) -> None:
    """As the proven leaves say: once for each day, to officers and to a new key apart."""
    filed = lose_handling(bench)
    assert (filed.mailbox().recovered, filed.mailbox().resealed) == ((), ())
    bench.clock.advance(days=1)
    first = today(bench)
    exported = export(bench, "pengganti").file.to_bytes()
    bring_in(bench, "pengganti", decide(bench, exported).to_bytes())
    bench.clock.advance(days=1)
    exported = export(bench, everything=True).file.to_bytes()
    replaced = decide(bench, exported, replacement=new_shares().person)
    bring_in(bench, "inspektur", replaced.to_bytes())
    assert filed.mailbox().recovered == (first,)
    assert filed.mailbox().resealed == (today(bench),)


def test_a_recovery_that_nobody_signed_is_not_told(bench: Bench) -> None:
    """An admin cannot frighten a reporter by a row, and one that is torn out is missed."""
    filed = lose_handling(bench)
    exported = export(bench, "pengganti").file.to_bytes()
    bring_in(bench, "pengganti", decide(bench, exported).to_bytes())
    assert len(filed.mailbox().recovered) == 1
    filed.tamper(
        "UPDATE leaf SET signature = zeroblob(65) WHERE case_id = :case AND event = 'recovered'"
    )
    assert filed.mailbox().recovered == ()
