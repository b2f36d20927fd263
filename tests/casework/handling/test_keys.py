"""Who holds which keys: exactly whom the profile names, in every state."""

import pytest
from sqlalchemy import select

from casework.case import grants, items
from casework.case.keyring import Keyring
from casework.case.tables import Case, Grant, Item
from casework.errors import Denied, InvalidInput, InvalidTransition, NotFound
from casework.handling import casefile
from casework.keys import roster
from crypto import shares
from crypto.errors import CryptoError
from tests.casework.cases import STATES, Filed, file_report, inbox, join, leave, way
from tests.casework.office import Bench

ALWAYS = {"recovery", "inspektur", "reporter"}
OWN = {"mailbox": {"reporter"}, "contact": {"reporter", "recovery"}}
OWN["identity"] = OWN["contact"]
HANDLING = {"recovery", "operator", "verifikator"}
INVESTIGATION = {"recovery", "irban", "inspektur"}

TABLE: dict[str, dict[str, set[str]]] = {
    "submitted": {"content": ALWAYS | {"operator"}},
    "terkirim": {"content": ALWAYS | {"verifikator"}, "handling": HANDLING},
    "ditolak": {"content": ALWAYS, "handling": {"recovery", "operator", "inspektur"}},
    "ditolak_berkas_tidak_lengkap": {
        "content": ALWAYS | {"verifikator"},
        "handling": HANDLING | {"inspektur"},
    },
    "diverifikasi": {"content": ALWAYS | {"irban"}, "handling": HANDLING | {"irban"}},
    "dianalisis": {
        "content": ALWAYS | {"irban"},
        "handling": HANDLING | {"irban"},
        "investigation": {"recovery", "irban"},
    },
    "diteruskan": {
        "content": ALWAYS | {"irban"},
        "handling": HANDLING | {"irban", "inspektur"},
        "investigation": INVESTIGATION,
    },
    "telaah_awal": {
        "content": ALWAYS | {"irban", "tim"},
        "handling": HANDLING | {"irban", "inspektur"},
        "investigation": INVESTIGATION | {"tim"},
    },
}
TABLE["diselidiki"] = TABLE["selesai"] = TABLE["telaah_awal"]


@pytest.mark.parametrize("state", TABLE)
def test_grants_are_exactly_these(filed: Filed, state: str) -> None:
    filed.bring_to(state)
    assert filed.holders() == TABLE[state] | OWN


def test_the_table_names_every_state() -> None:
    assert set(TABLE) == {*STATES, "dianalisis"}


@pytest.mark.parametrize("state", TABLE)
def test_a_grant_opens_its_compartment_and_nothing_else_does(filed: Filed, state: str) -> None:
    """By cryptography: whoever holds a row opens its items, whoever holds none is refused."""
    filed.bring_to(state)
    people = {**filed.bench.officers, "reporter": filed.reporter}
    held = filed.holders()
    with filed.bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        chain = roster.load(uow)
        rows = uow.session.scalars(select(Item).where(Item.case_id == filed.case_id)).all()
        assert {row.compartment for row in rows} == set(held)
        for name, actor in people.items():
            keyring = Keyring(uow, case, actor, chain)
            for row in rows:
                if name in held[row.compartment]:
                    assert keyring.open(row) is not None
                else:
                    with pytest.raises(Denied):
                        keyring.open(row)


@pytest.mark.parametrize("user", ["pengawas", "admin", "tim", "verifikator", "irban"])
def test_who_holds_nothing_sees_no_case_at_all(filed: Filed, user: str) -> None:
    """A foreign case and an unknown one are refused alike, and the list is empty."""
    assert inbox(filed.bench, user) == []
    refusals = []
    for case_id in (filed.case_id, "e" * 32):
        with filed.bench.office.read() as uow, pytest.raises(NotFound) as refused:
            casefile.read(uow, filed.bench[user], case_id)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]


def test_monitor_and_admin_never_hold_anything(filed: Filed) -> None:
    for user, transition in way("selesai"):
        filed.do(user, transition)
        assert inbox(filed.bench, "pengawas") == inbox(filed.bench, "admin") == []
    query = 'SELECT count(*) FROM "grant" WHERE holder IN (:pengawas, :admin)'
    people = {name: filed.bench[name].person_id for name in ("pengawas", "admin")}
    assert filed.scalar(query, **people) == 0


def _share_rows(filed: Filed, compartment: str) -> dict[str, list[Grant]]:
    found: dict[str, list[Grant]] = {}
    with filed.bench.office.read() as uow:
        for row in grants.rows_of(uow.session, filed.case_id):
            if row.compartment == compartment and row.share != grants.WHOLE:
                uow.session.expunge(row)
                found.setdefault(row.share, []).append(row)
    return found


@pytest.mark.parametrize("compartment", ["contact", "identity"])
def test_an_identity_needs_two_officers(filed: Filed, compartment: str) -> None:
    """Each share alone is no seed; both together are the seed that opens the item."""
    bench = filed.bench
    rows = _share_rows(filed, compartment)
    assert {share: [row.holder for row in found] for share, found in rows.items()} == {
        "a": [bench["irban"].person_id],
        "b": [bench["inspektur"].person_id],
    }
    with bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        keyring = Keyring(uow, case, bench["irban"], roster.load(uow))
        item = uow.session.scalar(
            select(Item).where(Item.case_id == filed.case_id, Item.compartment == compartment)
        )
        assert item is not None
        halves = [
            grants.open_grant(
                bench.office.instance_id,
                rows[share][0],
                keyring.shred_key(),
                bench[user],
                keyring.verify_key(filed.reporter.person_id),
            )
            for share, user in (("a", "irban"), ("b", "inspektur"))
        ]

        def opens(seed: bytes) -> bool:
            try:
                items.open_item(
                    uow.session,
                    bench.office.instance_id,
                    item,
                    grants.identity_of(seed),
                    keyring.verify_key,
                )
            except CryptoError:
                return False
            return True

        assert [opens(half) for half in halves] == [False, False]
        assert opens(shares.combine(*halves))
        with pytest.raises(Denied):
            keyring.identity(compartment)


def test_nobody_gets_both_shares(bench: Bench) -> None:
    """Who is Irban and Inspektur at once gets one share, so that two people stay needed."""
    join(bench, {"rangkap": ("irban", "inspektur")})
    filed = file_report(bench)
    for compartment in ("contact", "identity"):
        rows = _share_rows(filed, compartment)
        holders = {share: {row.holder for row in found} for share, found in rows.items()}
        assert holders["a"].isdisjoint(holders["b"])
        assert bench["rangkap"].person_id in holders["b"]


def test_an_operator_who_left_office_loses_the_content_too(bench: Bench) -> None:
    """Off-boarding is real: the next act that takes keys from operators takes theirs."""
    join(bench, {"operator2": ("operator",)})
    filed = file_report(bench)
    assert "operator2" in filed.holders()["content"]
    leave(bench, "operator2")
    with pytest.raises(Denied):
        filed.file("operator2")
    filed.do("operator", "accept")
    assert "operator2" not in filed.holders()["content"]
    assert "operator" not in filed.holders()["content"]


def test_who_has_two_roles_keeps_what_the_next_one_needs(bench: Bench) -> None:
    join(bench, {"dua": ("operator", "verifikator")})
    filed = file_report(bench)
    filed.do("operator", "accept")
    assert "dua" in filed.holders()["content"]
    filed.do("dua", "verify")
    assert "dua" not in filed.holders()["content"]


def test_a_case_is_never_handed_to_an_empty_office(bench: Bench) -> None:
    """Without an Irban, verification is refused, and the verifikator keeps the case."""
    filed = file_report(bench).bring_to("terkirim")
    leave(bench, "irban")
    with pytest.raises(InvalidInput) as refused:
        filed.do("verifikator", "verify")
    assert dict(refused.value.errors) == {"role": "law.role_vacant"}
    assert filed.state() == "terkirim"
    assert "verifikator" in filed.holders()["content"]
    join(bench, {"irban2": ("irban",)})
    filed.do("verifikator", "verify")
    assert "irban2" in filed.holders()["content"]


def test_a_newcomer_is_offered_only_what_their_keys_suffice_for(bench: Bench) -> None:
    """An Irban who came after verification gets the analysis, not the report's contents."""
    filed = file_report(bench).bring_to("diverifikasi")
    join(bench, {"irban2": ("irban",)})
    assert filed.case_id not in inbox(bench, "irban2")
    filed.do("irban", "analyse")
    assert filed.case_id in inbox(bench, "irban2")
    assert "forward" in filed.offered("irban")
    assert "forward" not in filed.offered("irban2")
    with pytest.raises(InvalidTransition):
        filed.do("irban2", "forward")


def test_only_the_named_examiners_get_the_case(bench: Bench) -> None:
    """The letter of assignment names persons, not the whole role."""
    join(bench, {"tim2": ("tim",)})
    filed = file_report(bench).bring_to("telaah_awal")
    assert filed.case_id in inbox(bench, "tim")
    assert filed.case_id not in inbox(bench, "tim2")
    assert filed.rows("SELECT person, since FROM assignment WHERE case_id = :case") == [
        (bench["tim"].person_id, bench.clock.now.date().isoformat())
    ]


def test_keys_go_to_the_roster_and_not_to_a_column(filed: Filed) -> None:
    """An officer's key swapped in the person row receives nothing."""
    bench = filed.bench
    stranger = bench["admin"].person.public
    before = stranger.recipient[:-1] + bytes([stranger.recipient[-1] ^ 1])
    filed.tamper(
        "UPDATE person SET recipient = :key WHERE id = :id",
        key=before,
        id=bench["verifikator"].person_id,
    )
    filed.do("operator", "accept")
    assert filed.file("verifikator").pieces
    filed.do("verifikator", "verify")
