"""A grant is worth something only while the case's leaves say that it was given and not taken."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from casework.case import grants
from casework.case.act import Act
from casework.case.grants import Holder, Scope
from casework.case.keyring import CaseDamaged, Keyring
from casework.case.tables import Case, Grant
from casework.errors import CaseworkError
from casework.keys import roster
from casework.keys.actor import Actor
from casework.log.leaf import Draft, append
from casework.store.unit import UnitOfWork
from crypto.age import HybridIdentity
from tests.casework.cases import Filed, all_verified, file_report, join, leave, texts
from tests.casework.office import Bench

SECRET = "rahasia sesudah pencabutan"


def shred_key(filed: Filed) -> bytes:
    version = int(filed.scalar('SELECT shred_version FROM "case" WHERE id = :case'))
    key = filed.bench.office.keystore.shred_key(filed.case_id, version)
    assert key is not None
    return key


def kept_grant(
    filed: Filed, user: str, compartment: str = "content"
) -> tuple[dict[str, Any], bytes]:
    """What whoever writes the database can keep of a grant: its row and its inner file."""
    row = filed.rows(
        'SELECT * FROM "grant" WHERE case_id = :case AND compartment = :c AND holder = :h',
        c=compartment,
        h=filed.bench[user].person_id,
    )[0]
    with filed.bench.office.read() as uow:
        stored = uow.session.get(Grant, row.id)
        assert stored is not None
        inner = grants.unwrap(stored, shred_key(filed))
    return dict(row._mapping), inner


def put_back(filed: Filed, kept: tuple[dict[str, Any], bytes]) -> None:
    """Wrap a kept inner file under the shred key of today, and write the row again."""
    values, inner = kept
    row = Grant(id=values["id"])
    grants.wrap(row, inner, shred_key(filed))
    values = {**values, "sealed": row.sealed}
    columns = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    filed.tamper(f'INSERT INTO "grant" ({columns}) VALUES ({places})', **values)


@pytest.fixture
def taken(filed: Filed) -> tuple[Filed, tuple[dict[str, Any], bytes]]:
    """A case that the operator held, and holds no more; and their old grant, kept."""
    kept = kept_grant(filed, "operator")
    filed.bring_to("telaah_awal")
    assert "operator" not in filed.holders()["content"]
    return filed, kept


def test_a_revoked_grant_put_back_opens_nothing(
    taken: tuple[Filed, tuple[dict[str, Any], bytes]],
) -> None:
    filed, kept = taken
    put_back(filed, kept)
    filed.say("reporter", SECRET)
    pieces = filed.file("operator").pieces
    assert SECRET not in texts(pieces)
    assert not any(piece.body for piece in pieces if piece.compartment == "content")
    with pytest.raises(CaseDamaged):
        filed.say("operator", "masih di sini")
    assert SECRET in texts(filed.file("inspektur").pieces)
    assert all_verified(filed.file("inspektur").pieces)


def test_a_revoked_grant_put_back_goes_with_the_next_act_that_moves_keys(
    taken: tuple[Filed, tuple[dict[str, Any], bytes]],
) -> None:
    """And the leaf of that act says so."""
    filed, kept = taken
    put_back(filed, kept)
    filed.do("inspektur", "order_examination")
    assert "operator" not in filed.holders()["content"]
    name = f"content:{filed.bench['operator'].person_id}"
    assert name in filed.leaves()[-1]["revoked"]
    assert all_verified(filed.file("inspektur").pieces)


def test_who_is_given_a_case_again_gets_a_grant_that_works(filed: Filed) -> None:
    """An old grant put back must not count as one that the holder has already."""
    kept = kept_grant(filed, "operator")
    verifier = filed.bench["verifikator"]
    filed.bring_to("ditolak")
    filed.do("reporter", "request_review")
    filed.do("inspektur", "reopen")
    old = kept_grant(filed, "verifikator")
    filed.do("verifikator", "reject_verified")
    assert "verifikator" not in filed.holders()["content"]
    assert kept[0]["holder"] != verifier.person_id
    put_back(filed, old)
    filed.do("reporter", "request_review")
    filed.do("inspektur", "reopen")
    assert all_verified(filed.file("verifikator").pieces)
    filed.say("verifikator", "saya kembali")
    assert "saya kembali" in texts(filed.mailbox().pieces)


def forged_grant(filed: Filed, granter: Actor, holder: Actor) -> tuple[Grant, bytes]:
    """A grant of a seed that the forger knows, rightly signed under today's roster."""
    bench = filed.bench
    with bench.office.read() as uow:
        scope = Scope(bench.office.instance_id, filed.case_id, 1, uow.today())
    seed = HybridIdentity.generate().seed
    return grants.make(
        scope, "content", seed, Holder(holder.person_id, holder.person.public.recipient), granter
    )


def keyring_of(uow: UnitOfWork, filed: Filed, user: str) -> Keyring:
    case = uow.session.get(Case, filed.case_id)
    assert case is not None
    return Keyring(uow, case, filed.bench[user], roster.load(uow))


def insert(filed: Filed, row: Grant, inner: bytes) -> None:
    grants.wrap(row, inner, shred_key(filed))
    with filed.bench.office.write() as uow:
        uow.session.add(row)


def test_a_grant_that_no_leaf_names_stops_an_act_before_it_writes(filed: Filed) -> None:
    """The operator may give the content away, but did so past the log."""
    bench = filed.bench
    before = filed.leaves()
    insert(filed, *forged_grant(filed, bench["operator"], bench["verifikator"]))
    with pytest.raises(CaseDamaged):
        filed.do("operator", "accept")
    assert filed.leaves() == before
    assert filed.state() == "submitted"


def test_a_grant_that_no_leaf_names_opens_nothing(filed: Filed) -> None:
    bench = filed.bench
    filed.do("operator", "accept")
    filed.tamper(
        "DELETE FROM \"grant\" WHERE case_id = :case AND compartment = 'content' AND holder = :h",
        h=bench["verifikator"].person_id,
    )
    insert(filed, *forged_grant(filed, bench["operator"], bench["verifikator"]))
    with pytest.raises(CaseDamaged):
        filed.say("verifikator", "rahasia untuk penyerang")


def write_leaf(filed: Filed, actor: str, signer: Actor | None, **said: Any) -> None:
    """A leaf that whoever writes the database appends past all rules, signed by themselves."""
    draft = Draft(
        event=said.pop("event", "forward"),
        actor=actor,
        case=filed.case_id,
        objects=said.pop("objects", ()),
        facts={"items": 0, **said},
    )
    with filed.bench.office.write() as uow:
        append(uow, draft, signer.person.signing if signer else None)


@pytest.mark.parametrize("who", ["admin", "inspektur"])
def test_another_persons_leaf_does_not_vouch_for_a_grant(filed: Filed, who: str) -> None:
    """It names the operator's forged grant; only a leaf of the operator's own would count."""
    bench = filed.bench
    row, inner = forged_grant(filed, bench["operator"], bench["verifikator"])
    write_leaf(
        filed,
        bench[who].person_id,
        bench[who],
        event="message",
        objects=[hashlib.sha256(inner).hexdigest()],
    )
    insert(filed, row, inner)
    with pytest.raises(CaseDamaged):
        filed.do("operator", "accept")


def test_who_holds_a_case_gives_it_to_nobody_without_an_act_that_does(filed: Filed) -> None:
    """The team may read and write; a grant of theirs is refused, though their leaf names it."""
    bench = filed.bench
    filed.bring_to("telaah_awal")
    row, inner = forged_grant(filed, bench["tim"], bench["operator"])
    digest = hashlib.sha256(inner).hexdigest()
    write_leaf(filed, row.granter, bench["tim"], event="message", objects=[digest])
    insert(filed, row, inner)
    assert None not in [piece.day for piece in filed.file("inspektur").pieces]
    with pytest.raises(CaseDamaged):
        filed.say("operator", "masih di sini")
    with pytest.raises(CaseDamaged):
        filed.do("inspektur", "order_examination")


@pytest.mark.parametrize("who", ["admin", "pengawas", "system", "inspektur"])
def test_nobody_takes_keys_away_by_a_leaf_that_they_may_not_write(filed: Filed, who: str) -> None:
    """Else one false leaf would let honest officers throw away each other's grants."""
    bench = filed.bench
    signer = bench[who] if who != "system" else None
    actor = signer.person_id if signer else who
    everyone = [*filed.bench.officers.values(), filed.reporter]
    names = [f"content:{one.person_id}" for one in everyone] + [f"content:{'0' * 32}"]
    if who == "inspektur":  # whose leaf is rightly signed, and takes nothing by its kind
        write_leaf(filed, actor, signer, event="message", revoked=names)
    else:
        write_leaf(filed, actor, signer, event="accept", revoked=names, role="operator")
    holders = filed.holders()["content"]
    filed.do("operator", "accept")
    assert holders - filed.holders()["content"] == {"operator"}
    filed.say("verifikator", "masih terbuka")
    assert "masih terbuka" in texts(filed.mailbox().pieces)


@pytest.mark.parametrize("junk", [None, 7, "content", {"a": 1}, [None, 3]])
def test_a_leaf_full_of_nonsense_is_no_crash(filed: Filed, junk: Any) -> None:
    admin = filed.bench["admin"]
    write_leaf(filed, admin.person_id, admin, revoked=junk, role=junk)
    filed.do("operator", "accept")
    assert filed.state() == "terkirim"


def test_a_revocation_counts_although_its_officer_left_on_the_same_day(bench: Bench) -> None:
    """Who took the keys away was entitled to it in the morning."""
    join(bench, {"verifikator2": ("verifikator",)})
    filed = file_report(bench).bring_to("terkirim")
    kept = kept_grant(filed, "verifikator2")
    filed.do("verifikator", "verify")
    assert "verifikator2" not in filed.holders()["content"]
    leave(bench, "verifikator")
    put_back(filed, kept)
    assert not any(
        piece.body for piece in filed.file("verifikator2").pieces if piece.compartment == "content"
    )
    assert all_verified(filed.file("irban").pieces)


@pytest.mark.parametrize(
    ("kind", "before", "user", "act"),
    [
        ("content", "terkirim", "verifikator", "verify"),
        ("handling", "terkirim", "verifikator", "verify"),
        ("investigation", "diteruskan", "inspektur", "assign_team"),
    ],
)
def test_a_compartment_whose_row_is_gone_is_not_made_again(
    filed: Filed, kind: str, before: str, user: str, act: str
) -> None:
    """A second identity would make what is written from then on unreadable for everybody."""
    filed.bring_to(before)
    filed.tamper("DELETE FROM compartment WHERE case_id = :case AND kind = :kind", kind=kind)
    leaves = filed.leaves()
    with pytest.raises(CaseDamaged):
        filed.do(user, act)
    assert filed.leaves() == leaves
    assert filed.state() == before
    assert all_verified(filed.file(user).pieces)


def test_a_compartment_whose_grants_are_gone_is_not_written_to(filed: Filed) -> None:
    """Its row alone is no reason to give out a new identity for it."""
    bench = filed.bench
    filed.do("operator", "accept")
    filed.tamper("DELETE FROM \"grant\" WHERE case_id = :case AND compartment = 'handling'")
    with bench.office.write() as uow:
        act = Act(keyring_of(uow, filed, "verifikator"))
        with pytest.raises(CaseDamaged):
            act.write("handling", "act", {"text": "siapa yang membaca ini?"})
    with pytest.raises(CaseworkError):
        filed.do("verifikator", "verify")
    assert filed.state() == "terkirim"


def test_a_compartment_wiped_out_altogether_is_not_made_again(filed: Filed) -> None:
    """Its row and all its grants are gone; the leaf of the act that made it is not."""
    filed.do("operator", "accept")
    filed.tamper("DELETE FROM \"grant\" WHERE case_id = :case AND compartment = 'handling'")
    filed.tamper("DELETE FROM compartment WHERE case_id = :case AND kind = 'handling'")
    with pytest.raises(CaseDamaged):
        filed.do("verifikator", "verify")
    assert filed.state() == "terkirim"


def test_the_leaves_of_a_case_are_verified_once_per_view(filed: Filed) -> None:
    """A page opens several compartments, and must not verify the past for each."""
    filed.bring_to("diteruskan")
    with filed.bench.office.read() as uow:
        keyring = keyring_of(uow, filed, "inspektur")
        assert keyring.past() is keyring.past()
