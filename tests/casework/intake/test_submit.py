"""A report comes in once, whole, for exactly those who may receive it, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from casework.errors import CaseworkError, Conflict
from casework.intake import sealing, submit, token
from casework.intake.receipt import Receipt
from casework.intake.submit import NotReceiving
from casework.keys import accounts
from casework.store.office import Office
from crypto import ticket, words
from tests.casework.cases import (
    Filed,
    all_verified,
    copy_of,
    count,
    file_report,
    inbox,
    join,
    leave,
    reopened,
    report_of,
    sign_in_reporter,
    together,
)
from tests.casework.office import Bench, bare_office, make_office

PEPPER = b"p" * 32
"""Of another office."""

TABLES = ("case", "item", "part", "grant", "compartment", "deadline", "leaf", "person", "wrap")


def counts(office: Office) -> dict[str, int]:
    return {table: count(office, table) for table in TABLES}


def test_the_same_form_shows_the_same_receipt(bench: Bench) -> None:
    form = submit.new_token()
    first = submit.submit(bench.office, form, report_of(bench.office))
    before = counts(bench.office)
    assert submit.submit(bench.office, form, report_of(bench.office, "teks lain")) == first
    assert submit.again(bench.office, form) == first
    assert counts(bench.office) == before


def test_a_form_never_sent_has_no_receipt(bench: Bench) -> None:
    assert submit.again(bench.office, submit.new_token()) is None


def test_a_receipt_survives_a_restart(bench: Bench) -> None:
    """A connection or server that dies before the first byte costs nothing."""
    form = submit.new_token()
    first = submit.submit(bench.office, form, report_of(bench.office))
    restarted = reopened(bench.office, bench.folder)
    bench.clock.advance(minutes=29)
    assert submit.submit(restarted, form, report_of(bench.office)) == first


def test_eight_threads_with_one_form_are_one_case(bench: Bench) -> None:
    form = submit.new_token()
    report = report_of(bench.office)
    receipts = together(8, lambda _: submit.submit(bench.office, form, report))
    assert isinstance(receipts[0], Receipt)
    assert receipts == [receipts[0]] * 8
    assert count(bench.office, "case") == 1
    assert count(bench.office, "wrap") == len(bench.officers) + 1


def test_fifty_reports_at_once_are_fifty_cases(bench: Bench) -> None:
    """Each with its own ticket, all readable by their operator and their reporter."""
    forms = [submit.new_token() for _ in range(50)]

    def send(number: int) -> Receipt:
        report = report_of(bench.office, f"laporan nomor {number}")
        return submit.submit(bench.office, forms[number], report)

    receipts = together(50, send)
    assert all(isinstance(one, Receipt) for one in receipts)
    assert len({one.ticket for one in receipts if isinstance(one, Receipt)}) == 50
    assert count(bench.office, "case") == 50
    with bench.office.read() as uow:
        numbers = uow.session.scalars(text("SELECT number FROM leaf ORDER BY number")).all()
    assert list(numbers) == list(range(len(numbers)))
    last = receipts[-1]
    assert isinstance(last, Receipt)
    actor = sign_in_reporter(bench.office, last, forms[-1])
    found = Filed(bench, "", actor, last, forms[-1]).mailbox()
    assert found.pieces[0].body["narrative"] == "laporan nomor 49"


def test_the_receipt_opens_the_mailbox(filed: Filed) -> None:
    """Ticket and typed words lead to the reporter; wrong ones lead nowhere."""
    office, receipt = filed.bench.office, filed.receipt
    typed = " ".join(receipt.words).upper()
    number = ticket.parse(receipt.ticket.lower().replace("-", " "))
    cost = office.secret_key_kdf
    keys = accounts.reporter_keys(office.instance_id, number, words.decode(typed), cost)
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        assert actor.person_id == filed.reporter.person_id
        other = ticket.make(bytes(5))
        for wrong in (
            accounts.reporter_keys(office.instance_id, other, words.decode(typed), cost),
            accounts.reporter_keys(office.instance_id, number, bytes(10), cost),
        ):
            assert accounts.locate_and_unwrap(uow, wrong) is None


def test_a_roster_changed_meanwhile_is_prepared_again(bench: Bench) -> None:
    """Nothing is stored that was sealed under an older roster."""
    form, report = submit.new_token(), report_of(bench.office)
    prepared = sealing.prepare(bench.office, form, report, 0)
    join(bench, {"operator2": ("operator",)})
    before = counts(bench.office)
    with pytest.raises(Conflict), bench.office.write() as uow:
        submit._store(uow, prepared)
    assert counts(bench.office) == before
    submit.submit(bench.office, form, report)
    assert len(inbox(bench, "operator2")) == 1


def test_a_day_that_turned_meanwhile_is_prepared_again(bench: Bench) -> None:
    """Roster and dates are those of one day."""
    prepared = sealing.prepare(bench.office, submit.new_token(), report_of(bench.office), 0)
    bench.clock.advance(hours=20)
    with pytest.raises(Conflict), bench.office.write() as uow:
        submit._store(uow, prepared)
    assert count(bench.office, "case") == 0


def test_a_ticket_that_is_taken_gives_way_to_the_next(filed: Filed) -> None:
    """Whose ticket another case has, gets another one from the same form."""
    form, office = submit.new_token(), filed.bench.office
    filed.tamper(
        'UPDATE "case" SET ticket = :ticket WHERE id = :case',
        ticket=token.ticket_of(form, 0, pepper=office.pepper),
    )
    receipt = submit.submit(office, form, report_of(office))
    assert receipt.ticket == token.ticket_of(form, 1, pepper=office.pepper)
    assert sign_in_reporter(office, receipt, form).person_id


def test_without_an_operator_nothing_is_received(bench: Bench) -> None:
    leave(bench, "operator")
    refuse(bench.office)


def test_an_office_founded_without_operators_receives_nothing(tmp_path: Path) -> None:
    roles: dict[str, tuple[str, ...]] = {
        one: (one,) for one in ("inspektur", "verifikator", "admin")
    }
    refuse(make_office(tmp_path / "small", roles).office)


def test_while_the_guardian_is_not_in_office_nothing_is_received(bench: Bench) -> None:
    join(bench, {"inspektur2": ("inspektur",)})
    bench.officers["inspektur"] = bench["inspektur2"]  # who signs that the first one left
    leave(bench, "inspektur")
    refuse(bench.office)


def refuse(office: Office) -> None:
    before = counts(office)
    with office.read() as uow:
        assert not submit.can_receive(uow)
    with pytest.raises(NotReceiving):
        submit.submit(office, submit.new_token(), report_of(office))
    assert counts(office) == before


def test_before_the_ceremony_nothing_is_received(tmp_path: Path) -> None:
    office = bare_office(tmp_path / "bare").office
    with office.read() as uow:
        assert not submit.can_receive(uow)
    with pytest.raises(CaseworkError):
        submit.submit(office, submit.new_token(), report_of(office))
    assert count(office, "case") == 0


def test_with_a_broken_chain_nothing_is_received(founded: Bench, tmp_path: Path) -> None:
    bench = copy_of(founded, tmp_path / "broken")
    other = replace(bench.office, genesis="0" * 64)
    with other.read() as uow:
        assert not submit.can_receive(uow)
    with pytest.raises(CaseworkError):
        submit.submit(other, submit.new_token(), report_of(other))
    assert count(other, "case") == 0


def test_every_case_starts_alike_whatever_the_report_says(bench: Bench) -> None:
    """Presence and size of contact, identity and mailbox say nothing."""
    sizes = set()
    for narrative in ("a", "b" * 300):
        filed = file_report(bench, narrative)
        query = (
            "SELECT i.compartment, i.kind, length(p.sealed) FROM item i"
            " JOIN part p ON p.item_id = i.id WHERE i.case_id = :case ORDER BY i.compartment"
        )
        sizes.add(tuple(filed.rows(query)))
    assert len(sizes) == 1


def test_what_is_prepared_shows_nothing_of_itself(bench: Bench) -> None:
    form = submit.new_token()
    prepared = sealing.prepare(bench.office, form, report_of(bench.office, "cerita rahasia"), 0)
    shown = repr(prepared) + str(prepared)
    assert "rahasia" not in shown
    assert prepared.reporter.person.seed.hex() not in shown


def test_everything_a_form_leads_to_differs_between_forms() -> None:
    one, two = submit.new_token(), submit.new_token()
    assert token.submission_of(one) == token.submission_of(one) != token.submission_of(two)
    assert token.words_of(one, pepper=PEPPER) != token.words_of(two, pepper=PEPPER)
    tickets = {token.ticket_of(one, attempt, pepper=PEPPER) for attempt in (0, 1)}
    assert len(tickets) == 2
    values = {token.submission_of(one)[:10], token.entropy_of(one, pepper=PEPPER), one[:10]}
    assert len(values) == 3


def test_a_form_alone_does_not_lead_to_ticket_and_words(filed: Filed) -> None:
    """Whoever finds the page later, and has all of our code, still lacks the office's pepper."""
    form, pepper = filed.token, filed.bench.office.pepper
    assert token.words_of(form, pepper=pepper) == filed.receipt.words
    assert token.ticket_of(form, 0, pepper=pepper) == filed.receipt.ticket
    for other in (b"", bytes(32), form, PEPPER):
        guessed = token.words_of(form, pepper=other)
        # Of 2,048 words two lists of eight may share one or two by chance.
        assert len(set(guessed) & set(filed.receipt.words)) < len(guessed) // 2
        assert token.ticket_of(form, 0, pepper=other) != filed.receipt.ticket


def test_the_words_that_were_kept_need_no_pepper(filed: Filed) -> None:
    """Ticket and words open the mailbox by themselves, as docs/crypto.md promises."""
    office = replace(filed.bench.office, pepper=PEPPER)
    entropy = words.decode(" ".join(filed.receipt.words))
    keys = accounts.reporter_keys(
        office.instance_id, filed.receipt.ticket, entropy, office.secret_key_kdf
    )
    with office.read() as uow:
        found = accounts.locate_and_unwrap(uow, keys)
    assert found is not None
    assert found.person_id == filed.reporter.person_id


def test_the_reporter_reads_their_own_words(filed: Filed) -> None:
    pieces = filed.mailbox().pieces
    assert all_verified(pieces)
    assert [piece.author for piece in pieces] == [filed.reporter.person_id]
