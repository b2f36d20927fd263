"""Attacks on rows: what was changed is never shown as said, and spoils nothing else."""

import hashlib
from collections.abc import Callable

import pytest
from sqlalchemy import text

from casework.case import items
from casework.case.grants import Holder, Scope, make, new_identity, wrap
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Case, Item
from casework.errors import CaseworkError
from casework.handling.story import Piece, Trust
from casework.intake.watch import NotInLog
from casework.keys import roster
from casework.keys.actor import Actor
from casework.keys.vocabulary import PersonKind
from casework.log.leaf import leaf_hash
from crypto import envelope
from crypto.labels import Purpose
from crypto.persons import Person
from tests.casework.cases import REPORTER, Filed, all_verified, file_report, texts
from tests.casework.office import Bench

SAID = "kalimat pelapor yang asli"
ANSWER = "jawaban kantor yang asli"


@pytest.fixture
def spoken(bench: Bench) -> Filed:
    """An analysed case with words from both sides."""
    filed = file_report(bench).bring_to("dianalisis")
    filed.say(REPORTER, SAID)
    filed.say("irban", ANSWER)
    return filed


def item_of(filed: Filed, kind: str, compartment: str = "content", place: int = 0) -> str:
    found = filed.rows(
        "SELECT id FROM item WHERE case_id = :case AND kind = :kind AND compartment = :compartment"
        " ORDER BY leaf",
        kind=kind,
        compartment=compartment,
    )
    return str(found[place][0])


def untrusted(pieces: tuple[Piece, ...]) -> list[Piece]:
    return [piece for piece in pieces if piece.trust is not Trust.VERIFIED]


def assert_damage_shows(filed: Filed, hidden: str, kept: str) -> None:
    """Both sides are warned, neither reads the damaged words, and the others stay readable."""
    for pieces in (filed.mailbox().pieces, filed.file("irban").pieces):
        assert untrusted(pieces), "the damage does not show"
        assert all(not piece.body and not piece.author for piece in untrusted(pieces))
        assert hidden not in texts(pieces)
        assert kept in texts(pieces)


def test_a_message_put_into_another_case_is_shown_in_neither(bench: Bench) -> None:
    one, two = file_report(bench), file_report(bench)
    one.say(REPORTER, SAID)
    two.say(REPORTER, ANSWER)
    first, second = item_of(one, "message"), item_of(two, "message")
    one.tamper("UPDATE item SET case_id = :other WHERE id = :id", other=two.case_id, id=first)
    two.tamper("UPDATE item SET case_id = :other WHERE id = :id", other=one.case_id, id=second)
    for filed in (one, two):
        for pieces in (filed.mailbox().pieces, filed.file("operator").pieces):
            assert untrusted(pieces)
            assert SAID not in texts(pieces)
            assert ANSWER not in texts(pieces)


def test_sealed_texts_exchanged_between_cases(bench: Bench) -> None:
    one, two = file_report(bench), file_report(bench)
    one.say(REPORTER, SAID)
    two.say(REPORTER, ANSWER)
    first, second = item_of(one, "message"), item_of(two, "message")
    with bench.office.engine.begin() as connection:
        swap = (
            "UPDATE part SET sealed = (SELECT sealed FROM part p WHERE p.item_id = :other),"
            " digest = (SELECT digest FROM part p WHERE p.item_id = :other) WHERE item_id = :id"
        )
        connection.execute(text(swap), {"id": first, "other": second})
        connection.execute(
            text(
                "UPDATE item SET digest = (SELECT digest FROM part WHERE item_id = :id)"
                " WHERE id = :id"
            ),
            {"id": first},
        )
    assert ANSWER not in texts(one.mailbox().pieces)
    assert SAID not in texts(one.mailbox().pieces)
    assert untrusted(one.mailbox().pieces)
    assert all_verified(two.mailbox().pieces)


@pytest.mark.parametrize("compartment", ["handling", "investigation", "aph", "mailbox"])
def test_a_message_moved_to_another_compartment_is_missed(spoken: Filed, compartment: str) -> None:
    """Also where the reader has no key to the place that it was moved to."""
    spoken.tamper(
        "UPDATE item SET compartment = :to WHERE id = :id",
        to=compartment,
        id=item_of(spoken, "message"),
    )
    assert_damage_shows(spoken, SAID, ANSWER)


def test_a_note_moved_into_the_content_is_not_read_to_the_reporter(spoken: Filed) -> None:
    note = item_of(spoken, "act", "investigation")
    spoken.tamper("UPDATE item SET compartment = 'content' WHERE id = :id", id=note)
    assert "catatan analyse" not in texts(spoken.mailbox().pieces)
    assert untrusted(spoken.mailbox().pieces)


@pytest.mark.parametrize("author", ["inspektur", "admin", "verifikator"])
def test_nobody_speaks_in_the_name_of_the_inspektur(spoken: Filed, author: str) -> None:
    """A changed author shows nothing, whoever is named."""
    spoken.tamper(
        "UPDATE item SET author = :author WHERE id = :id",
        author=spoken.bench[author].person_id,
        id=item_of(spoken, "message"),
    )
    assert_damage_shows(spoken, SAID, ANSWER)


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'told'",
        "version = 2",
        "day = '2026-01-01'",
        "digest = zeroblob(32)",
        "signature = zeroblob(65)",
        "signature = x''",
        "leaf = leaf - 1",
        "leaf = 0",
    ],
)
def test_a_changed_row_is_not_believed(spoken: Filed, change: str) -> None:
    spoken.tamper(f"UPDATE item SET {change} WHERE id = :id", id=item_of(spoken, "message"))
    assert_damage_shows(spoken, SAID, ANSWER)


@pytest.mark.parametrize(
    "change",
    [
        "sealed = zeroblob(2000)",
        "sealed = x''",
        "sealed = substr(sealed, 1, length(sealed) - 1)",
        "sealed = CAST(sealed || x'00' AS BLOB)",
        "count = 2",
    ],
)
def test_a_corrupted_text_is_not_shown(spoken: Filed, change: str) -> None:
    spoken.tamper(f"UPDATE part SET {change} WHERE item_id = :id", id=item_of(spoken, "message"))
    assert_damage_shows(spoken, SAID, ANSWER)


def test_one_flipped_bit_anywhere_is_noticed(spoken: Filed) -> None:
    item_id = item_of(spoken, "message")
    sealed = bytes(spoken.scalar("SELECT sealed FROM part WHERE item_id = :id", id=item_id))
    for position in (0, 40, 900, len(sealed) // 2, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[position] ^= 1
        spoken.tamper(
            "UPDATE part SET sealed = :s WHERE item_id = :id", s=bytes(changed), id=item_id
        )
        assert_damage_shows(spoken, SAID, ANSWER)


def test_a_deleted_message_leaves_a_gap(spoken: Filed) -> None:
    item_id = item_of(spoken, "message")
    spoken.tamper("DELETE FROM part WHERE item_id = :id", id=item_id)
    spoken.tamper("DELETE FROM item WHERE id = :id", id=item_id)
    assert_damage_shows(spoken, SAID, ANSWER)
    assert Trust.MISSING in {piece.trust for piece in spoken.mailbox().pieces}


def test_a_lost_part_is_not_a_crash(spoken: Filed) -> None:
    spoken.tamper("DELETE FROM part WHERE item_id = :id", id=item_of(spoken, "message"))
    assert_damage_shows(spoken, SAID, ANSWER)


def rewrite_leaf(filed: Filed, body: str | None, *, rehash: bool) -> None:
    """Change the leaf of the reporter's message, with or without a hash that fits."""
    number = filed.scalar("SELECT leaf FROM item WHERE id = :id", id=item_of(filed, "message"))
    filed.tamper("UPDATE leaf SET body = :body WHERE number = :n", body=body, n=number)
    if rehash and body is not None:
        filed.tamper(
            "UPDATE leaf SET hash = :hash WHERE number = :n",
            hash=leaf_hash(body.encode()),
            n=number,
        )


@pytest.mark.parametrize("rehash", [False, True])
@pytest.mark.parametrize(
    "body", ["", "bukan json", "{}", "[]", "null", '{"event":1}', '{"case":null,"event":"x"}']
)
def test_a_rewritten_leaf_vouches_for_nothing(spoken: Filed, body: str, *, rehash: bool) -> None:
    rewrite_leaf(spoken, body, rehash=rehash)
    assert_damage_shows(spoken, SAID, ANSWER)
    spoken.do("irban", "forward")


def test_a_leaf_without_a_body_is_a_gap(spoken: Filed) -> None:
    rewrite_leaf(spoken, None, rehash=False)
    assert_damage_shows(spoken, SAID, ANSWER)


def test_a_leaf_with_a_fitting_hash_still_needs_its_actors_signature(spoken: Filed) -> None:
    """Whoever rewrites an act consistently cannot sign it."""
    number = spoken.scalar("SELECT leaf FROM item WHERE id = :id", id=item_of(spoken, "message"))
    body = str(spoken.scalar("SELECT body FROM leaf WHERE number = :n", n=number))
    rewrite_leaf(spoken, body.replace('"items":1', '"items":2'), rehash=True)
    assert_damage_shows(spoken, SAID, ANSWER)


def test_exchanged_reporter_keys_speak_for_nobody(spoken: Filed) -> None:
    """The submit leaf vouches for the reporter's keys; nothing said under others is shown."""
    other = file_report(spoken.bench)
    stranger = Person.generate().public
    spoken.tamper(
        "UPDATE person SET recipient = :r, verify_key = :v WHERE id = :id",
        r=stranger.recipient,
        v=stranger.verify_key,
        id=spoken.reporter.person_id,
    )
    for pieces in (spoken.mailbox().pieces, spoken.file("irban").pieces):
        assert SAID not in texts(pieces)
        assert untrusted(pieces)
    assert SAID not in texts(spoken.file("inspektur").pieces)
    with pytest.raises(CaseDamaged):
        spoken.say("inspektur", "kepada siapa ini?")  # whose grant came from the reporter
    assert all_verified(other.mailbox().pieces)


def test_a_damaged_row_of_one_case_spoils_no_other(bench: Bench) -> None:
    one, two = file_report(bench), file_report(bench)
    for statement in (
        "UPDATE item SET signature = zeroblob(65) WHERE case_id = :case",
        'UPDATE "grant" SET sealed = zeroblob(99) WHERE case_id = :case',
    ):
        one.tamper(statement)
        assert "barang kantor" not in texts(one.mailbox().pieces)
    one.tamper("UPDATE leaf SET body = '{' WHERE case_id = :case")
    with pytest.raises(NotInLog):
        one.mailbox()
    assert all_verified(two.mailbox().pieces)
    assert all_verified(two.file("operator").pieces)


GrantAttack = Callable[[Filed], None]


def _swap_holders(filed: Filed) -> None:
    """Exchange the sealed bytes of two holders of one compartment."""
    people = [filed.bench[name].person_id for name in ("irban", "inspektur")]
    sealed = [
        filed.scalar(
            'SELECT sealed FROM "grant" WHERE case_id = :case AND holder = :h'
            " AND compartment = 'content'",
            h=person,
        )
        for person in people
    ]
    for person, value in zip(people, reversed(sealed), strict=True):
        filed.tamper(
            'UPDATE "grant" SET sealed = :s WHERE case_id = :case AND holder = :h'
            " AND compartment = 'content'",
            s=value,
            h=person,
        )


def _swap_compartments(filed: Filed) -> None:
    """Let the holder's grants of two compartments stand in each other's place."""
    query = (
        'UPDATE "grant" SET compartment = :to'
        " WHERE case_id = :case AND holder = :h AND compartment = :of"
    )
    holder = filed.bench["irban"].person_id
    for of, to in (("content", "aph"), ("handling", "content"), ("aph", "handling")):
        filed.tamper(query, h=holder, of=of, to=to)


def _zero(filed: Filed) -> None:
    filed.tamper(
        'UPDATE "grant" SET sealed = zeroblob(length(sealed)) WHERE case_id = :case'
        " AND compartment = 'content' AND holder = :h",
        h=filed.bench["irban"].person_id,
    )


def _claim_other_granter(filed: Filed) -> None:
    filed.tamper(
        'UPDATE "grant" SET granter = :admin WHERE case_id = :case'
        " AND compartment = 'content' AND holder = :h",
        admin=filed.bench["admin"].person_id,
        h=filed.bench["irban"].person_id,
    )


def forge_content_grant(filed: Filed, forger: Actor, holder: str = "irban") -> None:
    """Somebody on the roster who writes the database gives an officer a seed of their own."""
    bench = filed.bench
    with bench.office.read() as uow:
        version = int(filed.scalar("SELECT max(version) FROM roster"))
        scope = Scope(bench.office.instance_id, filed.case_id, version, uow.today())
    victim = bench[holder]
    row, inner = make(
        scope,
        "content",
        new_identity().seed,
        Holder(victim.person_id, victim.person.public.recipient),
        forger,
    )
    key = bench.office.keystore.shred_key(
        filed.case_id, int(filed.scalar('SELECT shred_version FROM "case" WHERE id = :case'))
    )
    assert key is not None
    wrap(row, inner, key)
    filed.tamper(
        'UPDATE "grant" SET id = :id, granter = :granter, sealed = :sealed, signature = :signature,'
        " granted = :granted, roster_version = :version"
        " WHERE case_id = :case AND compartment = 'content' AND holder = :h",
        id=row.id,
        granter=row.granter,
        sealed=row.sealed,
        signature=row.signature,
        granted=row.granted.isoformat(),
        version=row.roster_version,
        h=victim.person_id,
    )


def _forge(filed: Filed) -> None:
    forge_content_grant(filed, filed.bench["admin"])


@pytest.mark.parametrize(
    "attack", [_swap_holders, _swap_compartments, _zero, _claim_other_granter, _forge]
)
def test_a_grant_of_somebody_elses_making_opens_and_seals_nothing(
    spoken: Filed, attack: GrantAttack
) -> None:
    """The officer reads no content, is led to no false compartment, and the reporter reads on."""
    attack(spoken)
    pieces = spoken.file("irban").pieces
    assert SAID not in texts(pieces)
    assert untrusted(pieces)
    with pytest.raises(CaseworkError):
        spoken.say("irban", "rahasia untuk penyerang")
    assert SAID in texts(spoken.mailbox().pieces)
    assert all_verified(spoken.mailbox().pieces)


def test_a_damaged_compartment_leaves_the_others_readable(spoken: Filed) -> None:
    _zero(spoken)
    assert "catatan analyse" in texts(spoken.file("irban").pieces)


def test_a_monitor_cannot_forge_a_grant_either(spoken: Filed) -> None:
    forge_content_grant(spoken, spoken.bench["pengawas"])
    with pytest.raises(CaseDamaged):
        spoken.say("irban", "rahasia untuk penyerang")


def test_a_forged_message_from_the_inspektur(spoken: Filed) -> None:
    """An admin with own keys and a full row cannot make the reporter read a word."""
    bench, leaf = spoken.bench, spoken.scalar("SELECT max(number) FROM leaf")
    admin = bench["admin"]
    for author in ("inspektur", "admin"):
        person_id = bench[author].person_id
        item_id = f"{'d' if author == 'admin' else 'e'}" * 32
        header = envelope.Header(
            instance=bench.office.instance_id,
            case=spoken.case_id,
            compartment="content",
            item=item_id,
            version=1,
            kind="told",
            author=person_id,
            day="2026-11-23",
        )
        sealed = envelope.seal(
            header, b'{"text":"palsu sekali"}', [admin.person.identity.recipient]
        )
        signature = admin.person.signing.sign(Purpose.ITEM, {"item": item_id})
        spoken.tamper(
            "INSERT INTO item (id, case_id, compartment, kind, version, author, day, digest,"
            " signature, leaf) VALUES (:id, :case, 'content', 'told', 1, :author, '2026-11-23',"
            " zeroblob(32), :signature, :leaf)",
            id=item_id,
            author=person_id,
            signature=signature,
            leaf=leaf,
        )
        spoken.tamper(
            "INSERT INTO part (item_id, number, count, digest, sealed)"
            " VALUES (:id, 1, 1, zeroblob(32), :sealed)",
            id=item_id,
            sealed=sealed,
        )
    for pieces in (spoken.mailbox().pieces, spoken.file("irban").pieces):
        assert "palsu" not in texts(pieces)
        assert untrusted(pieces)
        assert SAID in texts(pieces)


def test_an_officers_key_swapped_in_the_person_row_changes_no_verdict(spoken: Filed) -> None:
    """The roster chain verifies officers, the column does not."""
    stranger = Person.generate().public
    spoken.tamper(
        "UPDATE person SET verify_key = :v, recipient = :r WHERE id = :id",
        v=stranger.verify_key,
        r=stranger.recipient,
        id=spoken.bench["irban"].person_id,
    )
    assert all_verified(spoken.mailbox().pieces)
    assert ANSWER in texts(spoken.mailbox().pieces)
    spoken.say("irban", "masih saya")
    assert all_verified(spoken.mailbox().pieces)


def test_who_exchanges_the_reporters_keys_grants_nothing_in_their_name(spoken: Filed) -> None:
    """The Inspektur's keys came from the reporter; others under that name lead nowhere."""
    false = Actor(spoken.reporter.person_id, Person.generate(), PersonKind.REPORTER)
    spoken.tamper(
        "UPDATE person SET verify_key = :v, recipient = :r WHERE id = :id",
        v=false.person.public.verify_key,
        r=false.person.public.recipient,
        id=false.person_id,
    )
    forge_content_grant(spoken, false, "inspektur")
    with pytest.raises(CaseDamaged):
        spoken.say("inspektur", "rahasia untuk penyerang")


def test_who_once_held_the_content_cannot_replace_what_was_said(spoken: Filed) -> None:
    """A holder's key seals a new text into the same place; the author's signature is not on it."""
    bench, item_id = spoken.bench, item_of(spoken, "message")
    with bench.office.read() as uow:
        case = uow.session.get(Case, spoken.case_id)
        item = uow.session.get(Item, item_id)
        assert case is not None
        assert item is not None
        keyring = Keyring(uow, case, bench["irban"], roster.load(uow))
        recipient = keyring.identity("content").recipient
        header = items.header(bench.office.instance_id, item)
        sealed = envelope.seal(header, b'{"text":"kata orang lain"}', [recipient])
    spoken.tamper(
        "UPDATE part SET sealed = :s, digest = :d WHERE item_id = :id",
        s=sealed,
        d=hashlib.sha256(sealed).digest(),
        id=item_id,
    )
    assert_damage_shows(spoken, "kata orang lain", ANSWER)
    spoken.tamper(
        "UPDATE item SET digest = :d WHERE id = :id", d=hashlib.sha256(sealed).digest(), id=item_id
    )
    assert_damage_shows(spoken, "kata orang lain", ANSWER)
