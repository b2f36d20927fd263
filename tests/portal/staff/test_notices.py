"""The notices' page: an officer's own address, behind the second factor, in plain words."""

from dataclasses import replace
from pathlib import Path

import pyotp
import pytest

from casework.keys import factors
from casework.notices.post import Post
from portal import mail
from portal.settings import MailSection
from tests.casework.office import Bench
from tests.portal import visits
from tests.portal.sites import Site, served

PATH = "/petugas/pemberitahuan"
REMOVE = f"{PATH}/hapus"
ADDRESS = "contoh.operator@contoh.go.id"


def stored(site: Site) -> list[str]:
    return [str(row[0]) for row in site.rows("SELECT address FROM notice_address")]


def test_set_shown_and_removed(portal: Site) -> None:
    visit = portal.officer("operator").open("/petugas/keamanan")
    assert ("Atur pemberitahuan lewat surel", PATH) in visit.page.links
    visit.open(PATH)
    assert not visit.has_form(REMOVE)
    visit.send(PATH, {"address": f" {ADDRESS} "})
    assert (visit.status, stored(portal)) == (303, [ADDRESS])
    visit.follow()
    assert "Alamat sudah disimpan." in visit.text
    assert visit.value(PATH, "address") == ADDRESS
    visit.send(REMOVE)
    assert (visit.status, stored(portal)) == (303, [])
    assert "Alamat sudah dihapus" in visit.follow().text
    assert portal.scalar("SELECT count(*) FROM leaf WHERE event = 'notice_address_changed'") == 2


def test_a_wrong_address_is_shown_again(portal: Site) -> None:
    visit = portal.officer("operator").open(PATH)
    for wrong in ("", "operator", "a@b.id, c@d.id", "Nama <a@b.id>", "a@b.id\nBcc: c@d.id"):
        visit.send(PATH, {"address": wrong})
        assert visit.status == 422
        assert "Tulis satu alamat surel" in visit.text
        assert stored(portal) == []


def test_nobody_sees_or_changes_the_address_of_another(portal: Site) -> None:
    """The page knows only its own officer; there is no address to name somebody by."""
    portal.officer("operator").open(PATH).send(PATH, {"address": ADDRESS})
    for user in ("verifikator", "inspektur", "admin", "pengawas"):
        visit = portal.officer(user).open(PATH)
        assert ADDRESS not in visit.text
        visit.post(REMOVE, visit.filled(PATH, {"address": "x@y.id"}))
        assert stored(portal) == [ADDRESS]


@pytest.mark.parametrize("path", [PATH, REMOVE])
def test_a_form_without_its_token_is_refused(portal: Site, path: str) -> None:
    assert portal.officer("operator").post(path, {"address": ADDRESS}).status == 403
    assert stored(portal) == []


def with_post(bench: Bench, **changes: object) -> Bench:
    section = MailSection(host="127.0.0.1", sender="wbs@contoh.go.id", hours=("07.45", "14.00"))
    bench.office = replace(bench.office, post=mail.post_of(section, bench.folder), **changes)  # type: ignore[arg-type]
    return bench


def test_it_says_what_the_mail_says_and_who_sees_that_it_was_sent(portal: Site) -> None:
    assert "belum diaktifkan" in portal.officer("operator").open(PATH).text
    with served(with_post(portal.bench)) as site:
        text = site.officer("operator").open(PATH).text
    assert "Ada tugas baru di WBS. Silakan masuk." in text
    assert "pukul 07.45 dan 14.00" in text
    assert "Penyedia surel" in text
    assert "belum diaktifkan" not in text


def test_the_second_factor_is_asked_for_after_five_minutes(portal: Site) -> None:
    """A wrong code changes nothing and keeps what was typed; a slip in the address uses no code."""
    bench = portal.bench
    made = factors.new()
    actor = bench["operator"]
    step = int(bench.clock().timestamp()) // 30 - 5
    with bench.office.write() as uow:
        factors.store(uow, actor, made, step)
    visit = portal.officer("operator")
    bench.office = replace(bench.office, second_factor=True)
    with served(bench) as site:
        later = visits.Visit(site.visit().client)
        later.client.cookies = visit.client.cookies
        bench.clock.advance(minutes=6)
        later.open(PATH)
        code = pyotp.TOTP(made.secret).at(bench.clock())
        later.send(PATH, {"address": "x", "code": code})
        assert (later.status, stored(site)) == (422, [])
        later.send(PATH, {"address": ADDRESS, "code": "000000"})
        assert (later.status, stored(site)) == (422, [])
        assert later.value(PATH, "address") == ADDRESS
        assert code not in later.text
        later.send(PATH, {"address": ADDRESS, "code": code})
        assert (later.status, stored(site)) == (303, [ADDRESS])
        later.follow()
        assert "code" not in {control.name for control in later.form(REMOVE).controls}


def test_the_settings_make_the_post(tmp_path: Path) -> None:
    """Off without a host; a password file lies in the instance's folder."""
    assert mail.post_of(MailSection(), tmp_path) is None
    section = MailSection(
        host="mail.contoh.go.id", sender="wbs@contoh.go.id", username="wbs", password_file="p"
    )
    assert mail.post_of(section, tmp_path) == Post(
        host="mail.contoh.go.id",
        port=587,
        security="starttls",
        username="wbs",
        password_file=tmp_path / "p",
        sender="wbs@contoh.go.id",
        hours=("08.00", "13.00"),
        subject="Pemberitahuan",
        text="Ada tugas baru di WBS. Silakan masuk.\n",
    )
