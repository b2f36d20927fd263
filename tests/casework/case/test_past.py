"""Attacks on the leaves of a case, and on the row beside them: what was signed decides."""

import json
from typing import Any

import pytest

from casework.audit.findings import What
from casework.audit.verify import verify
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.past import keys_digest
from casework.case.tables import Case
from casework.errors import InvalidTransition
from casework.handling.story import Trust
from casework.keys import roster
from casework.log import tree
from casework.log.leaf import SYSTEM, leaf_hash
from crypto import canonical
from crypto.errors import Tampered
from crypto.labels import Purpose
from crypto.persons import Person
from tests.casework.cases import REPORTER, Filed, all_verified, file_report, leave, texts, way
from tests.casework.office import Bench

THREAT = "ia mengancam saya"


def delete_message(filed: Filed, place: int) -> None:
    """Take a message away with everything that names it."""
    item, leaf = filed.rows(
        "SELECT id, leaf FROM item WHERE case_id = :case AND kind = 'message' ORDER BY leaf"
    )[place]
    filed.tamper("DELETE FROM part WHERE item_id = :item", item=item)
    filed.tamper("DELETE FROM item WHERE id = :item", item=item)
    filed.tamper("DELETE FROM leaf WHERE number = :leaf", leaf=leaf)


def trust_of(filed: Filed, user: str) -> list[Trust]:
    pieces = filed.mailbox().pieces if user == REPORTER else filed.file(user).pieces
    return [piece.trust for piece in pieces]


def forge_leaf(filed: Filed, actor: str, signer: Person | None, **facts: Any) -> None:
    """Append a well-formed leaf to the case, as somebody who writes the database can."""
    bench, before = filed.bench, filed.leaves()
    number = int(filed.scalar("SELECT max(number) + 1 FROM leaf"))
    hashes = filed.rows("SELECT hash FROM leaf WHERE case_id = :case ORDER BY number")
    body = canonical.encode(
        {
            "v": 1,
            "instance": bench.office.instance_id,
            "actor": actor,
            "case": filed.case_id,
            "day": before[-1]["day"],
            "log": bytes(filed.scalar("SELECT hash FROM leaf ORDER BY number DESC LIMIT 1")).hex(),
            "objects": [],
            "items": 0,
            "seq": len(before),
            "prev": bytes(hashes[-1][0]).hex(),
            "first": bytes(hashes[0][0]).hex(),
            **facts,
        }
    )
    digest = leaf_hash(body)
    signature = signer and signer.signing.sign(
        Purpose.LEAF, {"hash": digest.hex(), "number": number}
    )
    filed.tamper(
        "INSERT INTO leaf (number, hash, body, case_id, actor, event, day, signature)"
        " VALUES (:number, :hash, :body, :case, :actor, :event, :day, :signature)",
        number=number,
        hash=digest,
        body=body.decode(),
        actor=actor,
        event=facts.get("event", "unknown"),
        day=before[-1]["day"],
        signature=signature,
    )
    with bench.office.write() as uow:
        tree.add(uow.session, number, [digest])


def test_the_leaves_of_a_case_are_a_chain(filed: Filed) -> None:
    """Each names its place, the leaf before it and the submission; other cases lie between."""
    for user, transition in way("selesai"):
        filed.do(user, transition)
        file_report(filed.bench).say(REPORTER, "lain")
    leaves = filed.leaves()
    hashes = [
        bytes(row[0]).hex()
        for row in filed.rows("SELECT hash FROM leaf WHERE case_id = :case ORDER BY number")
    ]
    assert [body["seq"] for body in leaves] == list(range(len(leaves)))
    assert [body["prev"] for body in leaves] == [None, *hashes[:-1]]
    assert [body["first"] for body in leaves] == [None, *hashes[:1] * (len(leaves) - 1)]


def test_a_message_deleted_with_its_leaf_is_missed(filed: Filed) -> None:
    """By both sides, although nothing that is left was changed."""
    filed.do("operator", "accept")
    filed.say(REPORTER, THREAT)
    filed.say(REPORTER, "kedua")
    delete_message(filed, 0)
    for user in ("verifikator", "inspektur", REPORTER):
        assert Trust.MISSING in trust_of(filed, user)
    assert "kedua" in texts(filed.mailbox().pieces)
    filed.do("verifikator", "verify")


def test_two_lost_neighbours_are_missed(filed: Filed) -> None:
    for words in ("satu", "dua", "tiga"):
        filed.say(REPORTER, words)
    delete_message(filed, 1)
    delete_message(filed, 0)
    assert trust_of(filed, REPORTER).count(Trust.MISSING) == 1


@pytest.mark.parametrize("user", ["inspektur", REPORTER])
@pytest.mark.parametrize(
    "change",
    [
        "state = 'selesai'",
        "state = 'tidak ada'",
        "category = 'a'",
        "ticket = 'WBS-00000000'",
        "received = '2026-01-01'",
        "profile = 'gowa'",
        "profile = 'tidak ada'",
        "profile_version = 99",
        "submission = zeroblob(32)",
    ],
)
def test_a_case_row_that_its_leaves_contradict_is_refused(
    filed: Filed, user: str, change: str
) -> None:
    """Neither side is shown a case that somebody rewrote, and nothing more is written to it."""
    filed.do("operator", "accept")
    filed.tamper(f'UPDATE "case" SET {change} WHERE id = :case')
    name = change.partition(" = ")[0]
    if name in {"profile_version", "submission"}:
        name = "profile"  # the leaf names it by one hash
    with pytest.raises(CaseDamaged, match=name):
        filed.mailbox() if user == REPORTER else filed.file(user)
    with pytest.raises(CaseDamaged, match=name):
        filed.say(user, "apa pun")


def test_a_category_that_was_decided_cannot_be_changed(filed: Filed) -> None:
    filed.bring_to("diteruskan")
    assert filed.scalar('SELECT category FROM "case" WHERE id = :case') is not None
    assert all_verified(filed.file("inspektur").pieces)
    filed.tamper('UPDATE "case" SET category = NULL WHERE id = :case')
    with pytest.raises(CaseDamaged, match="category"):
        filed.file("inspektur")


def test_with_a_lost_leaf_the_case_stays_readable_as_it_was_signed(filed: Filed) -> None:
    """The page shows the gap and the last state that somebody signed; nobody acts on a guess."""
    filed.bring_to("terkirim")
    filed.say(REPORTER, THREAT)
    filed.tamper(
        "UPDATE leaf SET body = NULL WHERE case_id = :case AND body LIKE '%\"accept\"%'",
    )
    filed.tamper("UPDATE \"case\" SET state = 'selesai' WHERE id = :case")
    for user in ("inspektur", REPORTER):
        assert Trust.MISSING in trust_of(filed, user)
        assert filed.offered(user) == set()
    assert filed.file("inspektur").state.id == "submitted"
    assert filed.mailbox().state.id == "submitted"
    assert THREAT in texts(filed.file("inspektur").pieces)
    with pytest.raises((CaseDamaged, InvalidTransition)):
        filed.do("inspektur", "assign_team")
    with pytest.raises(CaseDamaged, match="state"):
        filed.say("inspektur", "apa pun")


def rewrite_submission(filed: Filed, thief: Person) -> None:
    """Put other keys under the reporter's name, and a submit leaf that vouches for them."""
    number, text = filed.rows(
        "SELECT number, body FROM leaf WHERE case_id = :case ORDER BY number LIMIT 1"
    )[0]
    body = json.loads(text) | {"reporter": keys_digest(thief.public)}
    encoded = canonical.encode(body)
    digest = leaf_hash(encoded)
    filed.tamper(
        "UPDATE leaf SET body = :body, hash = :hash, signature = :signature WHERE number = :n",
        body=encoded.decode(),
        hash=digest,
        signature=thief.signing.sign(Purpose.LEAF, {"hash": digest.hex(), "number": number}),
        n=number,
    )
    filed.tamper(
        "UPDATE person SET recipient = :r, verify_key = :v WHERE id = :id",
        r=thief.public.recipient,
        v=thief.public.verify_key,
        id=filed.reporter.person_id,
    )


def reporter_keys(filed: Filed) -> bytes:
    with filed.bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        keyring = Keyring(uow, case, filed.bench["inspektur"], roster.load(uow))
        return keyring.reporter_keys().verify_key


def test_the_first_officers_act_pins_the_submission(filed: Filed) -> None:
    """From then on other reporter's keys are believed by nobody, however consistent."""
    filed.do("operator", "accept")
    assert reporter_keys(filed) == filed.reporter.person.public.verify_key
    rewrite_submission(filed, Person.generate())
    with pytest.raises(Tampered):
        reporter_keys(filed)
    with pytest.raises(CaseDamaged):
        filed.say("verifikator", "kepada siapa ini?")
    with pytest.raises((CaseDamaged, InvalidTransition)):
        filed.do("verifikator", "verify")


def test_a_pin_outlives_the_leaves_between(filed: Filed) -> None:
    """Also where the leaf that came before the officer's own was destroyed."""
    filed.say(REPORTER, "sebelum petugas")
    filed.do("operator", "accept")
    filed.tamper("UPDATE leaf SET body = '{' WHERE case_id = :case AND body LIKE '%message%'")
    assert reporter_keys(filed) == filed.reporter.person.public.verify_key
    rewrite_submission(filed, Person.generate())
    with pytest.raises(Tampered):
        reporter_keys(filed)


@pytest.mark.parametrize("signature", ["zeroblob(65)", "x''", "NULL"])
def test_a_submission_counts_only_with_its_signature(filed: Filed, signature: str) -> None:
    filed.tamper(f"UPDATE leaf SET signature = {signature} WHERE case_id = :case")
    with pytest.raises(Tampered):
        reporter_keys(filed)
    with pytest.raises((CaseDamaged, InvalidTransition)):
        filed.do("operator", "accept")


def test_only_leaves_of_the_entitled_count(filed: Filed) -> None:
    """An admin's own leaf, however well made, takes nothing from the reporter; it is a gap."""
    filed.bring_to("selesai")
    assert "rate" in filed.offered(REPORTER)
    admin = filed.bench["admin"]
    state = {"from": "selesai", "to": "selesai", "role": REPORTER}
    forge_leaf(filed, admin.person_id, admin.person, event="rate", **state)
    assert "rate" in filed.offered(REPORTER)
    assert Trust.MISSING in trust_of(filed, REPORTER)
    filed.do(REPORTER, "rate")
    assert "rate" not in filed.offered(REPORTER)


@pytest.mark.parametrize(
    ("user", "facts"),
    [
        ("admin", {"event": "reject", "role": "operator", "from": "submitted", "to": "ditolak"}),
        ("irban", {"event": "reject", "role": "operator", "from": "submitted", "to": "ditolak"}),
        ("irban", {"event": "reject", "role": "irban", "from": "submitted", "to": "ditolak"}),
        ("operator", {"event": "reject", "role": "operator", "from": "submitted", "to": "selesai"}),
        ("operator", {"event": "reject", "role": "operator", "from": "selesai", "to": "ditolak"}),
        ("operator", {"event": "submit", "role": "operator", "to": "ditolak"}),
        ("operator", {"event": "apa saja", "to": "ditolak"}),
        ("admin", {"event": "message"}),
        ("admin", {"event": "message", "first": None}),
        ("operator", {"event": "message", "objects": 7}),
        ("operator", {"event": "message", "items": "0"}),
        ("operator", {"event": "message", "day": "2020-01-01"}),
        (SYSTEM, {"event": "reject", "role": "operator", "from": "submitted", "to": "ditolak"}),
    ],
)
def test_a_leaf_beyond_its_actors_authority_says_nothing(
    filed: Filed, user: str, facts: dict[str, Any]
) -> None:
    """Signed or not: it shows as a gap, and the case stands where it stood."""
    officer = filed.bench.officers.get(user)
    if officer is None:
        forge_leaf(filed, SYSTEM, None, **facts)
    else:
        forge_leaf(filed, officer.person_id, officer.person, **facts)
    assert filed.file("operator").state.id == "submitted"
    assert Trust.MISSING in trust_of(filed, "operator")
    filed.do("operator", "accept")
    assert filed.state() == "terkirim"


def test_a_flag_row_alone_moves_nothing(filed: Filed) -> None:
    """Flags follow from signed acts; a row that somebody adds or takes away opens no act."""
    filed.bring_to("selesai")
    before = filed.offered("inspektur"), filed.offered(REPORTER)
    for flag in filed.profile.flags:
        filed.tamper("INSERT OR REPLACE INTO case_flag VALUES (:case, :flag)", flag=flag.id)
    assert (filed.offered("inspektur"), filed.offered(REPORTER)) == before


def test_what_an_officer_did_counts_after_they_left(bench: Bench) -> None:
    """Whoever leaves the office on the same day keeps having rightly acted before."""
    filed = file_report(bench)
    filed.do("operator", "accept")
    leave(bench, "operator")
    assert all_verified(filed.file("verifikator").pieces)
    filed.do("verifikator", "verify")
    assert all_verified(filed.mailbox().pieces)


def test_an_audit_of_a_sound_log_finds_nothing(filed: Filed) -> None:
    filed.bring_to("selesai")
    filed.do(REPORTER, "rate")
    file_report(filed.bench)
    with filed.bench.office.read() as uow:
        assert verify(uow).sound


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE leaf SET number = 900 WHERE number = 0", What.LEAF_GONE),
        ("UPDATE leaf SET number = 900 WHERE number = 0", What.LEAF_BEYOND),
        ("UPDATE leaf SET body = body || ' ' WHERE number = 0", What.BODY_CHANGED),
        ("UPDATE leaf SET body = NULL WHERE number = 0", What.BODY_GONE),
        ("UPDATE leaf SET signature = zeroblob(65) WHERE case_id = :case", What.LEAF_UNPROVEN),
        ("UPDATE \"case\" SET state = 'selesai' WHERE id = :case", What.CASE_CHANGED),
        ("UPDATE leaf SET case_id = NULL WHERE case_id = :case", What.CASE_UNTOLD),
        ("UPDATE leaf SET case_id = NULL WHERE case_id = :case", What.COLUMNS_CHANGED),
    ],
)
def test_an_audit_names_what_was_done_to_the_log(filed: Filed, statement: str, what: What) -> None:
    filed.bring_to("terkirim")
    filed.tamper(statement)
    with filed.bench.office.read() as uow:
        found = verify(uow)
    assert not found.sound
    assert found.numbers[what]


def test_the_place_of_a_leaf_cannot_be_filled_with_another(filed: Filed) -> None:
    """The newest message of a case, and an unsigned leaf of the system in its stead."""
    filed.say(REPORTER, THREAT)
    file_report(filed.bench)
    delete_message(filed, 0)
    number = int(filed.scalar("SELECT max(number) - 1 FROM leaf"))
    assert filed.scalar("SELECT count(*) FROM leaf WHERE number = :n", n=number) == 0
    query = "SELECT body FROM leaf WHERE number = 0"
    body = json.loads(filed.scalar(query)) | {"event": "holidays"}
    encoded = canonical.encode(body)
    filed.tamper(
        "INSERT INTO leaf VALUES (:n, :hash, :body, NULL, :actor, NULL, :event, :day)",
        n=number,
        hash=leaf_hash(encoded),
        body=encoded.decode(),
        actor=SYSTEM,
        event="holidays",
        day=body["day"],
    )
    with filed.bench.office.read() as uow:
        assert verify(uow).numbers[What.LEAF_CHANGED]
