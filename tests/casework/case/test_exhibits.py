"""Whoever writes rows and blobs cannot add, swap, hide or re-attribute a file or an examination."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from casework.case import custody, items
from casework.case.keyring import CaseDamaged
from casework.case.past import EVIDENCE
from casework.evidence import examine, sheet
from casework.evidence.incoming import Slot, keep
from casework.evidence.manifest import parts_digest
from casework.evidence.tables import FilePart
from casework.handling.story import Trust
from casework.keys import roster
from casework.log.leaf import Draft, append
from casework.store.base import new_id
from tests.casework import exhibits
from tests.casework.case.test_past import forge_leaf, trust_of
from tests.casework.cases import REPORTER, Filed, all_verified, file_report, leave
from tests.casework.exhibits import CONTENT, PAPER

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from crypto.age import HybridIdentity

FORGED = b"Salinan palsu: tidak ada barang yang hilang.\n" * 40


def content_key(filed: Filed, user: str = "operator") -> HybridIdentity:
    """What whoever held the contents once cannot un-know."""
    with filed.bench.office.read() as uow:
        return exhibits.keyring_of(filed, uow, user).identity(CONTENT)


def forge(  # noqa: PLR0917 - who forges what, of which file
    filed: Filed, author: Actor, key: HybridIdentity, kind: str, file_id: str, copy: bytes = FORGED
) -> str:
    """Store an examination or a file past all rules, perfect but for who made it."""
    office = filed.bench.office
    place = items.Place(office.instance_id, filed.case_id, CONTENT, filed.bench.clock.now.date())
    slot = Slot(place, author.person_id, key.recipient, new_id(), 10**6)
    arrived = exhibits.seal(filed, slot, copy)
    prepared = exhibits.examined(_file(filed, file_id), slot, arrived)
    assert prepared.result.copy is not None
    body: dict[str, Any] = (
        msgspec.to_builtins(prepared.result)
        if kind == custody.EXAMINED
        else prepared.result.copy.to_body()
    )
    sealed = items.seal(place, kind, body, author, key.recipient, item_id=slot.item_id)
    with office.write() as uow:
        kept = keep(arrived)
        draft = Draft(
            kind,
            author.person_id,
            filed.case_id,
            [sealed.digest, parts_digest([kept.digest])],
            {"items": 1, "granted": [], "revoked": [], examine.FILE: file_id},
        )
        number = append(uow, draft, author.person.signing)
        items.store(uow.session, sealed, number)
        uow.session.add(
            FilePart(item_id=slot.item_id, number=1, count=1, blob=kept.blob, digest=kept.digest,
                     size=kept.size)
        )  # fmt: skip
    arrived.blob.close()
    return slot.item_id


def _file(filed: Filed, file_id: str) -> Any:
    return next(one for one in exhibits.listed(filed, "inspektur") if one.item_id == file_id)


@pytest.fixture
def file_id(filed: Filed) -> str:
    return exhibits.add(filed)


def test_a_copy_of_an_entitled_officer_is_found(filed: Filed, file_id: str) -> None:
    """The attacks below differ from this in their author alone."""
    forge(filed, filed.bench["operator"], content_key(filed), custody.EXAMINED, file_id)
    assert exhibits.latest(filed, "inspektur", file_id) is not None
    assert all_verified(filed.file("inspektur").pieces)


@pytest.mark.parametrize("user", ["admin", "pengawas", REPORTER])
def test_an_examination_by_who_may_not_is_not_believed(
    filed: Filed, file_id: str, user: str
) -> None:
    """Although they are on the roster, or hold the contents; and the leaf shows as a gap."""
    real = exhibits.examine_as(filed, "operator", file_id, PAPER)
    forge(filed, exhibits.actor_of(filed, user), content_key(filed), custody.EXAMINED, file_id)
    found = exhibits.latest(filed, "inspektur", file_id)
    assert found is not None
    assert found.item_id == real
    assert Trust.MISSING in trust_of(filed, "inspektur")


def test_an_examination_by_who_lost_the_case_is_not_believed(filed: Filed, file_id: str) -> None:
    """They remember the key of the contents, and may be in league with whoever writes the disk."""
    key = content_key(filed)
    filed.bring_to("diverifikasi")
    assert "operator" not in filed.holders()[CONTENT]
    forge(filed, filed.bench["operator"], key, custody.EXAMINED, file_id)
    assert exhibits.latest(filed, "inspektur", file_id) is None


def test_an_examination_by_who_left_office_is_not_believed(filed: Filed, file_id: str) -> None:
    key = content_key(filed)
    filed.bench.clock.advance(days=1)
    leave(filed.bench, "operator")
    filed.bench.clock.advance(days=1)
    forge(filed, filed.bench["operator"], key, custody.EXAMINED, file_id)
    assert exhibits.latest(filed, "inspektur", file_id) is None


def test_an_examination_of_one_who_has_left_since_stays(filed: Filed, file_id: str) -> None:
    exhibits.examine_as(filed, "operator", file_id, PAPER)
    filed.bring_to("diverifikasi")
    leave(filed.bench, "operator")
    assert exhibits.latest(filed, "inspektur", file_id) is not None


@pytest.mark.parametrize("user", ["admin", "pengawas"])
def test_a_file_of_who_may_add_none_is_not_shown(filed: Filed, file_id: str, user: str) -> None:
    forge(filed, filed.bench[user], content_key(filed), EVIDENCE, file_id)
    shown = exhibits.listed(filed, "inspektur")
    assert [one.manifest is not None for one in shown] == [True, False]


@pytest.mark.parametrize("column", ["author", "day", "kind", "compartment", "case_id", "leaf"])
def test_a_file_given_to_another_hand_or_place_is_not_shown(
    filed: Filed, file_id: str, column: str
) -> None:
    other = file_report(filed.bench)
    changed = {
        "author": filed.bench["inspektur"].person_id,
        "day": "2026-01-01",
        "kind": "examined",
        "compartment": "mailbox",
        "case_id": other.case_id,
        "leaf": int(filed.scalar("SELECT max(number) FROM leaf")),
    }[column]
    filed.tamper(f"UPDATE item SET {column} = :to WHERE id = :item", to=changed, item=file_id)
    for case in (filed, other):
        for user in ("operator", "inspektur", REPORTER):
            assert all(one.manifest is None for one in exhibits.listed(case, user))
    if column != "compartment":
        assert not all_verified(filed.file("inspektur").pieces)


@pytest.mark.parametrize("event", [custody.EXAMINED, custody.FILE_OPENED])
def test_who_dealt_with_a_file_is_told_by_proven_leaves_alone(
    filed: Filed, file_id: str, event: str
) -> None:
    """Neither in another's name, nor by somebody who can hold no file."""
    boss, admin = filed.bench["inspektur"], filed.bench["admin"]
    said = {"event": event, "file": "", examine.FILE: file_id, examine.FORM: examine.ORIGINAL}
    for actor, signer in ((boss, admin), (admin, admin)):
        forge_leaf(filed, actor.person_id, signer.person, **said)
    with filed.bench.office.read() as uow:
        (line,) = sheet.sheet(exhibits.keyring_of(filed, uow, "inspektur"))
    assert line.looks == ()
    assert trust_of(filed, "inspektur").count(Trust.MISSING) == 2


def test_an_opening_of_another_does_not_open_the_original(filed: Filed, file_id: str) -> None:
    """The reason must be one's own, of today, for this file."""
    operator, boss = filed.bench["operator"], filed.bench["inspektur"]
    with filed.bench.office.write() as uow:
        keyring = exhibits.keyring_of(filed, uow, "operator")
        examine.open_original(keyring, file_id, "Diminta penyidik", new_id())

    def opened(user: str, of: str = file_id) -> bool:
        with filed.bench.office.read() as uow:
            return examine.is_open(exhibits.keyring_of(filed, uow, user), of, examine.ORIGINAL)

    assert opened("operator")
    assert not opened("inspektur")
    other = exhibits.add(filed, data=FORGED)
    assert not opened("operator", other)
    said = {"event": custody.FILE_OPENED, examine.FILE: file_id, examine.FORM: examine.ORIGINAL}
    forge_leaf(filed, boss.person_id, operator.person, **said)
    filed.tamper("UPDATE leaf SET event = 'file_opened', day = :day WHERE number = :n",
                 n=filed.scalar("SELECT max(number) FROM leaf"),
                 day=filed.bench.clock.now.date().isoformat())  # fmt: skip
    assert not opened("inspektur")
    filed.bench.clock.advance(days=1)
    assert not opened("operator")


def test_a_blob_in_the_place_of_another_is_found_out(filed: Filed, file_id: str) -> None:
    """Names exchanged in the rows, or files in the folder: neither opens."""
    other = exhibits.add(filed, data=FORGED)
    mine, its = exhibits.blob_of(filed, file_id), exhibits.blob_of(filed, other)
    mine.write_bytes(its.read_bytes())
    with pytest.raises(CaseDamaged):
        exhibits.original(filed, "operator", file_id)
    assert exhibits.original(filed, "operator", other) == FORGED


def test_a_blob_sealed_anew_by_a_former_holder_never_arrives_whole(
    filed: Filed, file_id: str
) -> None:
    """The key of the contents opens and seals; of a download the last piece is held back."""
    long = PAPER * 200
    file_id = exhibits.add(filed, data=long, name="b.txt")
    file = _file(filed, file_id)
    place = items.Place(
        filed.bench.office.instance_id, filed.case_id, CONTENT, filed.bench.clock.now.date()
    )
    slot = Slot(place, file.author, content_key(filed).recipient, file_id, 10**7)
    arrived = exhibits.seal(filed, slot, long[:-1] + b"!")
    name = keep(arrived).blob
    exhibits.blob_of(filed, file_id).write_bytes((filed.bench.folder / "blobs" / name).read_bytes())
    with filed.bench.office.read() as uow:
        keyring = exhibits.keyring_of(filed, uow, "inspektur")
        opened = examine.original_of(keyring, file)
    sent = bytearray()

    def send() -> None:
        for piece in opened.read(0, opened.length):
            sent.extend(piece)

    with pytest.raises(CaseDamaged):
        send()
    opened.close()
    assert len(sent) < len(long)


def test_part_rows_that_name_another_digest_are_refused(filed: Filed, file_id: str) -> None:
    filed.tamper(
        "UPDATE file_part SET digest = :other WHERE item_id = :item",
        other=hashlib.sha256(b"x").digest(),
        item=file_id,
    )
    with pytest.raises(CaseDamaged):
        exhibits.original(filed, "operator", file_id)


@pytest.mark.parametrize("also_leaf", [False, True])
def test_a_file_taken_away_is_missed(filed: Filed, file_id: str, *, also_leaf: bool) -> None:
    """By both sides, in the story and above the list of files."""
    filed.do("operator", "accept")
    assert not exhibits.may_lack_some(filed, "inspektur")
    leaf = filed.scalar("SELECT leaf FROM item WHERE id = :item", item=file_id)
    for table, column in (("file_part", "item_id"), ("part", "item_id"), ("item", "id")):
        filed.tamper(f"DELETE FROM {table} WHERE {column} = :item", item=file_id)
    if also_leaf:
        filed.tamper("DELETE FROM leaf WHERE number = :leaf", leaf=leaf)
    for user in ("inspektur", REPORTER):
        assert exhibits.listed(filed, user) == []
        assert exhibits.may_lack_some(filed, user)
        assert Trust.MISSING in trust_of(filed, user)


def test_a_vanished_blob_damages_this_file_and_no_other(filed: Filed, file_id: str) -> None:
    other = exhibits.add(filed, data=FORGED)
    exhibits.blob_of(filed, file_id).unlink()
    with pytest.raises(CaseDamaged):
        exhibits.original(filed, "operator", file_id)
    assert exhibits.original(filed, "operator", other) == FORGED
    with filed.bench.office.read() as uow:
        roster.load(uow)
    assert all_verified(filed.file("inspektur").pieces)
