"""Admins invite, approvers decide, nobody else does either; and every decision shows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.keys.invitations import LIFETIME_SECONDS
from casework.store.base import new_id
from tests.casework.cases import copy_of, join
from tests.casework.codes import code_at, give_factor, with_second_factor
from tests.casework.office import Bench
from tests.portal import visits
from tests.portal.sites import Site, served
from tests.portal.staff import walks
from tests.portal.staff.walks import INVITE, PEOPLE
from tests.portal.visits import Visit

ACTS = ("setujui", "bekukan", "pulihkan", "peran", "penjaga")


def waiting(site: Site, username: str = "baru", role: str = "tim") -> walks.Newcomer:
    code = walks.invite(site.officer("admin"), username, role)
    return walks.enrol(site, code, username)


def path_of(site: Site, username: str) -> str:
    person = site.scalar("SELECT id FROM person WHERE username = :name", name=username)
    return f"{PEOPLE}/{person}"


def test_from_invitation_to_the_first_sign_in(portal: Site) -> None:
    newcomer = waiting(portal)
    assert visits.enter_staff(portal.visit(), "baru").status == 422, "works before approval"
    boss = portal.officer("inspektur")
    path = walks.person_path(boss, "Contoh Baru")
    boss.open(path)
    assert walks.words_on(boss, 8) == newcomer.words
    assert "Auditor, Irban I" in boss.text
    walks.approve(boss, path)
    assert (boss.status, boss.location) == (303, f"{path}?berhasil=setujui")
    assert "mulai bertugas" in boss.follow().text
    assert "Tidak ada tugas" in portal.officer("baru").open("/petugas").text


class TestTheList:
    def test_it_is_for_admins_and_approvers(self, portal: Site) -> None:
        for name in ("operator", "verifikator", "irban", "tim", "pengawas"):
            visit = portal.officer(name)
            assert visit.open(PEOPLE).status == 403
            assert visit.open(path_of(portal, "tim")).status == 403
            assert visit.open(INVITE).status == 403
        for name in ("admin", "inspektur"):
            assert portal.officer(name).open(PEOPLE).status == 200

    def test_an_admin_sees_open_invitations_and_may_withdraw_them(self, portal: Site) -> None:
        admin = portal.officer("admin")
        walks.invite(admin)
        assert "Contoh Baru" not in portal.officer("inspektur").open(PEOPLE).text
        admin.open(PEOPLE)
        assert "Contoh Baru" in admin.text
        invitation = portal.scalar("SELECT id FROM invitation")
        admin.send(f"{INVITE}/{invitation}/cabut")
        assert "sudah dicabut" in admin.follow().text
        assert "Contoh Baru" not in admin.text

    def test_what_is_too_old_is_marked(self, portal: Site) -> None:
        walks.invite(portal.officer("admin"))
        portal.clock.advance(seconds=LIFETIME_SECONDS)
        assert "Kedaluwarsa" in portal.officer("admin").open(PEOPLE).text

    def test_an_approver_sees_what_waits_for_a_decision(self, portal: Site) -> None:
        waiting(portal)
        assert "perlu keputusan Anda" in portal.officer("inspektur").open(PEOPLE).text
        assert "perlu keputusan Anda" not in portal.officer("admin").open(PEOPLE).text


class TestInviting:
    def test_the_code_is_shown_once_and_belongs_on_paper(self, portal: Site) -> None:
        admin = portal.officer("admin")
        code = walks.invite(admin)
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}", code)
        assert "Contoh Baru" in admin.text
        assert "/petugas/undangan" in admin.text
        for address in (PEOPLE, INVITE):
            assert code not in admin.open(address).text

    def test_what_is_wrong_is_said_and_what_was_typed_is_kept(self, portal: Site) -> None:
        admin = portal.officer("admin")
        fields = {"username": "operator", "name": "Contoh Nama", "position": "", "roles": []}
        admin.open(INVITE).send(INVITE, fields)
        assert admin.status == 422
        for text in ("sudah dipakai", "Pilih sedikitnya satu peran", "Isi dalam satu baris"):
            assert text in admin.text
        assert admin.value(INVITE, "name") == "Contoh Nama"
        assert portal.count("invitation") == 0

    def test_for_lost_keys_the_form_proposes_the_next_name(self, portal: Site) -> None:
        admin = portal.officer("admin")
        admin.open(path_of(portal, "irban"))
        link = re.search(rf'href="({INVITE}\?mengganti=[0-9a-f]{{32}})"', admin.text)
        assert link is not None
        admin.open(link[1])
        assert admin.value(INVITE, "username") == "irban-2"
        assert admin.value(INVITE, "name") == "Contoh Irban"
        assert admin.open(f"{INVITE}?mengganti={'f' * 32}").status == 200

    @pytest.mark.parametrize("who", ["inspektur", "operator", "pengawas"])
    def test_nobody_but_an_admin_invites_or_withdraws(self, portal: Site, who: str) -> None:
        walks.invite(portal.officer("admin"))
        invitation = portal.scalar("SELECT id FROM invitation")
        visit = portal.officer(who)
        token = csrf_of(visit)
        before = portal.rows("SELECT * FROM invitation"), portal.count("leaf")
        for address in (INVITE, f"{INVITE}/{invitation}/cabut"):
            fields = {"csrf": token, "username": "lain", "name": "A", "position": "B"}
            assert visit.post(address, fields).status == 403
        assert (portal.rows("SELECT * FROM invitation"), portal.count("leaf")) == before

    def test_every_form_needs_its_token(self, portal: Site) -> None:
        admin, boss = portal.officer("admin"), portal.officer("inspektur")
        before = portal.state()
        assert admin.post(INVITE, {"username": "baru"}).status == 403
        assert admin.post(f"{INVITE}/{new_id()}/cabut", {"csrf": "x"}).status == 403
        for act in ACTS:
            assert boss.post(f"{path_of(portal, 'tim')}/tindakan/{act}").status == 403
        assert portal.state() == before

    def test_an_unknown_invitation_is_not_found(self, portal: Site) -> None:
        admin = portal.officer("admin")
        token = csrf_of(admin)
        for one in (new_id(), "x"):
            assert admin.post(f"{INVITE}/{one}/cabut", {"csrf": token}).status == 404


def csrf_of(visit: Visit) -> str:
    """A token of this session, from whatever page shows one."""
    return visit.open("/petugas").value("/petugas/keluar", "csrf")


class TestApproving:
    def test_it_takes_the_box_and_a_reason(self, portal: Site) -> None:
        waiting(portal)
        boss = portal.officer("inspektur")
        path = walks.person_path(boss, "Contoh Baru")
        before = portal.state()
        boss.open(path).send(f"{path}/tindakan/setujui", {"reason": "SK 9"})
        assert boss.status == 422
        assert "kedelapan kata sudah dibacakan" in boss.text
        assert boss.value(f"{path}/tindakan/setujui", "reason") == "SK 9"
        walks.approve(boss, path, reason="")
        assert boss.status == 422
        assert "Tulis alasan" in boss.text
        assert portal.state() == before

    @pytest.mark.parametrize(
        ("until", "told"), [("besok", "Tanggal ditulis"), ("2026-11-22", "Hari terakhir")]
    )
    def test_a_last_day_must_be_one(self, portal: Site, until: str, told: str) -> None:
        waiting(portal)
        boss = portal.officer("inspektur")
        walks.approve(boss, walks.person_path(boss, "Contoh Baru"), until=until)
        assert boss.status == 422
        assert told in boss.text

    def test_an_acting_officer_ends_by_itself(self, portal: Site) -> None:
        waiting(portal)
        boss = portal.officer("inspektur")
        walks.approve(boss, walks.person_path(boss, "Contoh Baru"), until="2026-11-24")
        assert "Sementara (Plh/Plt)" in boss.follow().text
        portal.officer("baru")
        portal.clock.advance(days=2)
        assert visits.enter_staff(portal.visit(), "baru").status == 422
        assert "Masa tugas berakhir" in portal.officer("inspektur").open(PEOPLE).text

    def test_keys_swapped_after_the_page_was_read_are_noticed(self, portal: Site) -> None:
        waiting(portal)
        waiting(portal, "lain")
        boss = portal.officer("inspektur")
        path = walks.person_path(boss, "Contoh Baru")
        boss.open(path)
        portal.tamper(
            "DELETE FROM factor",
            "UPDATE person SET verify_key = randomblob(32) WHERE username = 'lain'",
            "UPDATE person SET recipient ="
            " (SELECT recipient FROM person WHERE username = 'lain') WHERE username = 'baru'",
        )
        boss.send(f"{path}/tindakan/setujui", {"reason": "SK 9", "agrees": "ya"})
        assert boss.status == 409
        assert "Jangan setujui" in boss.text
        assert portal.count("roster") == 1

    def test_two_approvers_one_entry(self, portal: Site) -> None:
        waiting(portal)
        one, two = portal.officer("inspektur"), portal.officer("inspektur")
        path = walks.person_path(one, "Contoh Baru")
        late = two.open(path).filled(f"{path}/tindakan/setujui", {"reason": "SK 9", "agrees": "ya"})
        walks.approve(one, path)
        assert two.post(f"{path}/tindakan/setujui", late).status == 409
        assert "Keadaannya sudah berubah" in two.text
        assert portal.count("roster") == 2
        assert two.open(path).status == 200

    def test_an_admin_can_take_no_act_at_all(self, portal: Site) -> None:
        """Whatever the page offers, and whatever is sent past it: refused, nothing stored."""
        newcomer = waiting(portal)
        admin = portal.officer("admin")
        path = walks.person_path(admin, "Contoh Baru")
        assert "tindakan/" not in admin.open(path).text
        token, before = csrf_of(admin), portal.state()
        fields = {
            "csrf": token,
            "words": " ".join(newcomer.words),
            "agrees": "ya",
            "reason": "SK",
            "seen": "1",
            "roles": "tim",
        }
        for target in (path, path_of(portal, "tim"), path_of(portal, "admin")):
            for act in (*ACTS, "x"):
                assert admin.post(f"{target}/tindakan/{act}", fields).status in {403, 404}
        assert portal.state() == before

    def test_nobody_decides_of_themselves(self, portal: Site) -> None:
        boss = portal.officer("inspektur")
        own = path_of(portal, "inspektur")
        assert "tindakan/" not in boss.open(own).text
        token, before = csrf_of(boss), portal.state()
        fields = {"csrf": token, "reason": "SK", "seen": "1", "roles": "operator"}
        for act in ("bekukan", "peran"):
            assert boss.post(f"{own}/tindakan/{act}", fields).status == 403
        assert portal.state() == before

    @pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30])
    def test_a_form_that_no_page_of_ours_made_is_refused(self, portal: Site, seen: str) -> None:
        boss = portal.officer("inspektur")
        fields = {"csrf": csrf_of(boss), "reason": "SK", "seen": seen}
        assert boss.post(f"{path_of(portal, 'tim')}/tindakan/bekukan", fields).status == 400

    def test_who_is_nobody_is_not_found(self, portal: Site) -> None:
        boss = portal.officer("inspektur")
        for one in ("f" * 32, "x", portal.bench["tim"].person_id.upper()):
            assert boss.open(f"{PEOPLE}/{one}").status == 404


class TestStepUp:
    """Where officers have second factors, each decision asks for one unless it was just shown."""

    @pytest.fixture
    def strict(self, founded: Bench, tmp_path: Path) -> Iterator[Site]:
        with served(with_second_factor(copy_of(founded, tmp_path / "strict"))) as site:
            yield site

    def boss(self, site: Site) -> tuple[Visit, str]:
        """The Inspektur, who signed in more than five minutes ago."""
        secret = give_factor(site.bench, "inspektur")
        visit = walks.enter(site, "inspektur", secret)
        site.clock.advance(minutes=6)
        return visit, secret

    def test_a_decision_asks_for_a_code_and_takes_each_once(self, strict: Site) -> None:
        boss, secret = self.boss(strict)
        path = path_of(strict, "tim")
        before = strict.state()
        for code, told in (("", "Isi kode"), ("000000", "Kode ini tidak cocok")):
            walks.decide(boss, path, "bekukan", {"code": code})
            assert boss.status == 422
            assert told in boss.text
        assert strict.state() == before
        code = code_at(secret, strict.clock.now)
        walks.decide(boss, path, "bekukan", {"code": code})
        assert boss.status == 303
        assert 'name="code"' not in boss.follow().text, "asked again at once"
        walks.decide(boss, path, "pulihkan")
        assert boss.status == 303
        strict.clock.advance(minutes=5)
        walks.decide(boss, path, "bekukan", {"code": code})
        assert boss.status == 422

    def test_approving_asks_for_it_too(self, strict: Site) -> None:
        admin = walks.enter(strict, "admin", give_factor(strict.bench, "admin"))
        walks.enrol(strict, walks.invite(admin))
        boss, secret = self.boss(strict)
        path = path_of(strict, "baru")
        walks.approve(boss, path, code="")
        assert boss.status == 422
        assert strict.count("roster") == 1
        walks.approve(boss, path, code=code_at(secret, strict.clock.now))
        assert boss.status == 303
        assert strict.count("roster") == 2


class TestSuspending:
    def test_the_open_session_ends_at_once_and_comes_back_after(self, portal: Site) -> None:
        tim = portal.officer("tim")
        assert tim.open("/petugas").status == 200
        boss = portal.officer("inspektur")
        path = path_of(portal, "tim")
        walks.decide(boss, path, "bekukan")
        assert "sesinya sudah diakhiri" in boss.follow().text
        assert (tim.open("/petugas").status, tim.location) == (303, "/petugas/masuk")
        assert visits.enter_staff(portal.visit(), "tim").status == 422
        walks.decide(boss, path, "pulihkan")
        assert boss.status == 303
        assert portal.officer("tim").open("/petugas").status == 200

    def test_the_page_warns_where_work_would_stop(self, portal: Site) -> None:
        boss = portal.officer("inspektur")
        warning = "Tidak ada orang lain yang memegang peran Operator"
        assert warning in boss.open(path_of(portal, "operator")).text
        join(portal.bench, {"operator2": ("operator",)})
        assert warning not in boss.open(path_of(portal, "operator")).text

    def test_an_older_page_decides_nothing(self, portal: Site) -> None:
        boss = portal.officer("inspektur")
        path = path_of(portal, "tim")
        late = boss.open(path).filled(f"{path}/tindakan/bekukan", {"reason": "SK"})
        walks.decide(boss, path, "peran", {"roles": ["tim", "irban"]})
        assert boss.post(f"{path}/tindakan/bekukan", late).status == 409
        assert portal.count("roster") == 2


class TestOtherDecisions:
    def test_roles_and_period(self, portal: Site) -> None:
        boss = portal.officer("inspektur")
        path = path_of(portal, "tim")
        fields = {"roles": ["irban", "tim"], "until": "2026-11-25"}
        walks.decide(boss, path, "peran", fields)
        assert "Inspektur Pembantu (Irban), Tim" in boss.follow().text
        assert "Sementara (Plh/Plt)" in boss.text
        walks.decide(boss, path, "peran", {"roles": []})
        assert boss.status == 422

    def test_the_guardian_names_the_next_one(self, portal: Site) -> None:
        join(portal.bench, {"plt": ("inspektur",)})
        boss = portal.officer("inspektur")
        path = path_of(portal, "plt")
        walks.decide(boss, path, "penjaga")
        assert "Penjaga laporan sudah diganti" in boss.follow().text
        assert "Ditunjuk sebagai penjaga laporan" in boss.text
        assert f"{path}/tindakan/penjaga" not in boss.text

    def test_new_keys_end_the_old_person(self, portal: Site) -> None:
        admin = portal.officer("admin")
        old = portal.bench["irban"].person_id
        session = portal.officer("irban")
        code = walks.invite(admin, "tim-2", "tim", replaces=old)
        walks.enrol(portal, code, "tim-2")
        boss = portal.officer("inspektur")
        path = path_of(portal, "tim-2")
        assert "langsung berakhir masa tugasnya" in boss.open(path).text
        walks.approve(boss, path)
        assert boss.status == 303
        assert session.open("/petugas").location == "/petugas/masuk"
        assert "Sudah keluar" in boss.open(path_of(portal, "irban")).text

    def test_the_history_is_told(self, portal: Site) -> None:
        boss = portal.officer("inspektur")
        path = path_of(portal, "tim")
        walks.decide(boss, path, "bekukan", {"reason": "Pemeriksaan etik"})
        boss.follow()
        for text in ("ditandatangani Contoh Inspektur", "Pemeriksaan etik", "kunci pemulihan"):
            assert text in boss.text

    def test_leaving_is_linked_for_whoever_may_decide(self, portal: Site) -> None:
        path = path_of(portal, "tim")
        assert f'href="{path}/keluar"' in portal.officer("inspektur").open(path).text
        assert f'href="{path}/keluar"' not in portal.officer("admin").open(path).text
