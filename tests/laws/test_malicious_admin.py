"""The malicious admin: writes to the database at will, prints invitations, restores old copies.

Whatever they do, no key is ever sealed to somebody for whom the signed chain does not vouch, and
each attempt shows: a page refuses, an approver reads other words, or the doctor finds it.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from casework.audit.verify import verify
from casework.case import grants
from casework.case.tables import Grant
from casework.errors import CaseworkError
from casework.keys import ceremony, chain, enrol, factors, invitations, memory, parts, roster
from casework.keys.ceremony import CeremonyRequest
from casework.keys.memory import RolledBack
from casework.keys.parts import PublicParts
from casework.keys.shares import Shares
from casework.keys.tables import Person as PersonRow
from casework.keys.tables import RosterRow
from casework.keys.vocabulary import RECOVERY
from casework.store.base import new_id
from casework.store.engine import truncate_wal
from crypto import age
from crypto.errors import CryptoError
from crypto.persons import Person
from tests.casework.cases import join, leave
from tests.casework.codes import give_factor, with_second_factor
from tests.casework.office import Bench, make_office, passphrase_of, sign_in
from tests.portal import visits
from tests.portal.sites import Site, served, site_of
from tests.portal.staff import walks


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("founded") / "office")


@pytest.fixture
def site(founded: Bench, tmp_path: Path) -> Iterator[Site]:
    with site_of(founded, tmp_path / "office") as opened:
        yield opened


def vouched(bench: Bench) -> set[str]:
    """Everybody for whom the chain vouches, and the reporters with the recovery key."""
    with bench.office.read() as uow:
        people = set(roster.load(uow).people)
        reporters = set(
            uow.session.scalars(select(PersonRow.id).where(PersonRow.kind == "reporter"))
        )
    return people | reporters | {RECOVERY}


def holders(bench: Bench) -> set[str]:
    with bench.office.read() as uow:
        return set(uow.session.scalars(select(Grant.holder)))


def receives(site: Site) -> bool:
    """Whether the public pages still take a report; a refusal is as good as a report."""
    return site.visit().open("/formulir").status == 200


def swap_recipients(site: Site, mine: Person) -> None:
    site.tamper(
        "UPDATE person SET recipient = :recipient WHERE username = 'operator'",
        recipient=mine.public.recipient,
    )


def edit_roster(site: Site, old: str, new: str) -> None:
    """Change the signed text, and the hash beside it."""
    with site.bench.office.write() as uow:
        row = uow.session.scalars(select(RosterRow).order_by(RosterRow.version.desc())).first()
        assert row is not None
        body = row.body.replace(old, new, 1)
        assert body != row.body
        row.hash = chain.StoredEntry(body.encode(), row.signer, row.signature).hash
        row.body = body


def raise_admin(site: Site, _mine: Person) -> None:
    edit_roster(site, '"roles":["admin"]', '"roles":["operator"]')


def name_guardian(site: Site, _mine: Person) -> None:
    admin, boss = (site.bench[name].person_id for name in ("admin", "inspektur"))
    edit_roster(site, f'"guardian":"{boss}"', f'"guardian":"{admin}"')


def swap_recovery(site: Site, mine: Person) -> None:
    with site.bench.office.read() as uow:
        old = str(roster.load(uow).recovery.to_json()["recipient"])
    edit_roster(site, old, str(mine.public.to_json()["recipient"]))


def append_entry(site: Site, mine: Person) -> None:
    """An entry of the admin's own, signed with the admin's own roster key."""
    bench, admin = site.bench, site.bench["admin"]
    with bench.office.write() as uow:
        before = roster.load(uow)
        part = parts.PublicPart(
            new_id(), "susupan", "Contoh Susupan", "Auditor", ("operator",), mine.public
        )
        head = (before.instance, before.version, before.head)
        signer = (admin.person_id, admin.person.signing)
        entry = chain.make_change(head, uow.today(), [part.record(uow.today())], "palsu", signer)
        roster.store(uow, before.version + 1, entry)


def own_chain(site: Site, _mine: Person) -> None:
    """A whole ceremony of the admin's own, with a recovery key that the admin holds."""
    bench = site.bench
    with bench.office.write() as uow:
        brought = PublicParts.from_bytes(enrol.public_parts(uow))
        request = CeremonyRequest(brought, bench["inspektur"].person_id, "palsu")
        held = ceremony.hold(request, Shares(), uow.today(), bench.office.profile)
        uow.session.query(RosterRow).delete()
        roster.store(uow, 1, parts.genesis_from_bytes(held.genesis))


CHAIN_ATTACKS: dict[str, Callable[[Site, Person], None]] = {
    "roles edited": raise_admin,
    "guardian edited": name_guardian,
    "recovery edited": swap_recovery,
    "an entry of the admin's own": append_entry,
    "a chain of the admin's own": own_chain,
}


@pytest.mark.parametrize("attack", CHAIN_ATTACKS)
def test_an_edited_chain_stops_everything_and_gives_no_key(site: Site, attack: str) -> None:
    """Nothing is received, no officer gets in or on, and the reason is told to who looks."""
    officer = site.officer("operator")
    before = holders(site.bench)
    CHAIN_ATTACKS[attack](site, Person.generate())
    assert not receives(site)
    assert officer.open("/petugas").status == 503
    assert visits.enter_staff(site.visit(), "inspektur").status == 503
    assert holders(site.bench) == before
    with site.bench.office.read() as uow, pytest.raises(CaseworkError):
        roster.load(uow)


def test_a_swapped_key_column_receives_nothing(site: Site) -> None:
    """New reports are sealed to the key of the chain; the officer is told at the next sign-in."""
    mine = Person.generate()
    swap_recipients(site, mine)
    _, receipt = site.reporter()
    case_id = site.case_id(receipt.ticket)
    rows = site.rows(
        'SELECT sealed, id FROM "grant" WHERE case_id = :case AND holder = :holder',
        case=case_id,
        holder=site.bench["operator"].person_id,
    )
    assert rows, "the operator holds the report"
    key = site.bench.office.keystore.shred_key(case_id, 1)
    assert key is not None
    with site.bench.office.read() as uow:
        for row in uow.session.scalars(select(Grant).where(Grant.case_id == case_id)):
            with pytest.raises(CryptoError):
                age.decrypt(grants.unwrap(row, key), [mine.identity])
    assert visits.enter_staff(site.visit(), "operator").status == 503
    assert holders(site.bench) <= vouched(site.bench)


def test_an_admin_cannot_make_a_reader_with_invitations_of_their_own(site: Site) -> None:
    """Enrolled is not approved: no page, no key, also when colleagues work in between."""
    admin = site.officer("admin")
    code = walks.invite(admin, "susupan", "operator")
    walks.enrol(site, code, "susupan")
    assert visits.enter_staff(site.visit(), "susupan").status == 422
    site.reporter()
    site.officer("operator").open("/petugas")
    site.officer("inspektur").open("/petugas")
    assert holders(site.bench) <= vouched(site.bench)
    path = walks.person_path(admin, "Contoh Susupan")
    admin.open(path)
    guard = admin.open("/petugas").filled("/petugas/keluar", {})
    refused = admin.post(f"{path}/tindakan/setujui", [*guard, ("reason", "x"), ("agrees", "ya")])
    assert refused.status == 403


def test_an_invitation_raised_after_printing_is_read_by_the_approver(site: Site) -> None:
    """Roles are part of the eight words; and the approver reads them on the page."""
    admin = site.officer("admin")
    code = walks.invite(admin, "baru", "tim")
    newcomer = walks.enrol(site, code)
    site.tamper("UPDATE enrolment SET roles = 'inspektur' WHERE name = 'Contoh Baru'")
    boss = site.officer("inspektur")
    boss.open(walks.person_path(boss, "Contoh Baru"))
    assert walks.words_on(boss, 8) != newcomer.words


def test_keys_swapped_after_enrolling_change_the_words(site: Site) -> None:
    admin, mine = site.officer("admin"), Person.generate()
    newcomer = walks.enrol(site, walks.invite(admin))
    site.tamper(
        "UPDATE person SET recipient = :recipient, verify_key = :verify WHERE username = 'baru'",
        recipient=mine.public.recipient,
        verify=mine.public.verify_key,
    )
    boss = site.officer("inspektur")
    boss.open(walks.person_path(boss, "Contoh Baru"))
    assert walks.words_on(boss, 8) != newcomer.words


def test_a_used_invitation_made_fresh_again_makes_nobody(site: Site) -> None:
    """The row says unused again; the name that the code stands for is taken for ever."""
    admin = site.officer("admin")
    code = walks.invite(admin)
    walks.enrol(site, code)
    site.tamper("UPDATE invitation SET person = NULL")
    again = walks.choose(site.visit(), code, passphrase_of("baru"))
    assert again.status in {404, 422}
    with site.bench.office.read() as uow:
        assert len([one for one in enrol.enrolled(uow) if one.handle == "baru"]) == 1
    assert holders(site.bench) <= vouched(site.bench)


def test_a_forged_invitation_row_gives_no_more_than_a_printed_one(site: Site) -> None:
    """Whoever writes the table can invite, too; it still takes an approver and eight words."""
    with site.bench.office.write() as uow:
        printed = invitations.invite(
            uow, None, invitations.Invitee("susupan", "Contoh Susupan", "X", ("inspektur",))
        )
    visit = site.visit()
    visit.open(walks.START).send(walks.START, {"invitation": printed.code})
    assert visits.enter_staff(site.visit(), "susupan").status == 422
    assert holders(site.bench) <= vouched(site.bench)


def test_a_second_factor_of_the_admins_own_lets_nobody_in(founded: Bench, tmp_path: Path) -> None:
    """Sealed to the officer, as anybody can; signed by them, as nobody else can."""
    with site_of(founded, tmp_path / "office") as first:
        bench = with_second_factor(first.bench)
        give_factor(bench, "operator")
        give_factor(bench, "verifikator")
        with served(bench) as site:
            site.tamper(
                "UPDATE factor SET sealed = (SELECT sealed FROM factor WHERE person = :other),"
                " signature = (SELECT signature FROM factor WHERE person = :other)"
                " WHERE person = :mine",
                other=bench["verifikator"].person_id,
                mine=bench["operator"].person_id,
            )
            fields = {"handle": "operator", "passphrase": passphrase_of("operator"), "code": "1"}
            visit = site.visit().open("/petugas/masuk").send("/petugas/masuk", fields)
            assert visit.status == 503
            site.tamper("DELETE FROM factor WHERE person = :mine", mine=bench["operator"].person_id)
            visit = site.visit().open("/petugas/masuk").send("/petugas/masuk", fields)
            assert visit.status == 503
            with bench.office.write() as uow, pytest.raises(factors.FactorMissing):
                factors.check(uow, bench["operator"], "000000")


def test_an_old_database_with_an_approved_leaver_is_noticed_by_every_officer(
    founded: Bench, tmp_path: Path
) -> None:
    """Each of them at their next sign-in; nobody's keys were passed on in between."""
    with site_of(founded, tmp_path / "office") as site:
        bench = site.bench
        join(bench, {"operator2": ("operator",)})
        site.reporter()
        for engine in (bench.office.engine,):
            truncate_wal(engine)
        shutil.copyfile(bench.folder / "suaka.db", tmp_path / "kemarin.db")
        leave(bench, "operator2")
        staying = [name for name in bench.officers if name != "operator2"]
        for username in staying:
            sign_in(bench.office, username)
        bench.office.engine.dispose()
        for name in ("suaka.db-wal", "suaka.db-shm"):
            (bench.folder / name).unlink(missing_ok=True)
        shutil.copyfile(tmp_path / "kemarin.db", bench.folder / "suaka.db")
        before = holders(bench)
        for username in staying:
            assert visits.enter_staff(site.visit(), username).status == 503, username
            with bench.office.read() as uow, pytest.raises(RolledBack):
                memory.check_and_update(uow, bench[username])
        assert holders(bench) == before


def test_a_grant_of_the_admins_own_counts_for_nothing_and_shows(site: Site) -> None:
    """Copied to another holder's name: no leaf names it, and acts on the case stop."""
    _, receipt = site.reporter()
    case_id = site.case_id(receipt.ticket)
    site.tamper(
        "UPDATE \"grant\" SET holder = :admin WHERE case_id = :case AND compartment = 'content'"
        " AND holder = :operator",
        admin=site.bench["admin"].person_id,
        operator=site.bench["operator"].person_id,
        case=case_id,
    )
    admin = site.officer("admin").open(f"/petugas/berkas/{case_id}")
    assert visits.NARRATIVE not in admin.text
    boss = site.officer("inspektur").open(f"/petugas/berkas/{case_id}")
    assert visits.NARRATIVE in boss.text


def test_a_forged_act_of_custody_is_a_gap_and_the_doctor_finds_it(site: Site) -> None:
    """A leaf that says an officer passed keys on, which that officer never signed."""
    _, receipt = site.reporter()
    case_id = site.case_id(receipt.ticket)
    site.officer("operator").open(f"/petugas/berkas/{case_id}")
    site.tamper(
        'UPDATE leaf SET body = replace(body, \'"event":"opened"\', \'"event":"recused"\')'
        " WHERE event = 'opened'"
    )
    with site.bench.office.read() as uow:
        found = verify(uow)
    assert not found.sound
    assert case_id in found.cases
