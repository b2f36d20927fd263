"""Officers sign in without a hint, and their sessions end when they should."""

import re
from datetime import timedelta

import pytest

from casework.keys.factors import FREE_MISSES
from casework.keys.passphrases import LONGEST
from crypto import kdf
from tests.casework.cases import join, leave, together
from tests.casework.codes import code_at
from tests.casework.office import passphrase_of
from tests.portal import visits
from tests.portal.sites import Site
from tests.portal.staff.conftest import Guarded
from tests.portal.visits import Receipt, Visit

SIGN_IN = "/petugas/masuk"

Reporter = tuple[Visit, Receipt]


def test_signing_in_leads_to_the_inbox(portal: Site) -> None:
    """By a cookie that is strict, hidden from scripts, and only for this."""
    visit = visits.enter_staff(portal.visit(), "Operator ", passphrase_of("operator"))
    assert (visit.status, visit.location) == (303, "/petugas")
    cookie = visit.answer.headers.get_list("set-cookie")[0]
    assert re.fullmatch(r"petugas=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie)
    assert "Contoh Operator" in visit.follow().text


def test_nothing_says_which_part_was_wrong(portal: Site) -> None:
    """A name that exists, one that does not, one that was let go: the same page for all."""
    join(portal.bench, {"mantan": ("operator",)})
    leave(portal.bench, "mantan")
    right = "frasa sandi percobaan mantan"
    pages = set()
    tries = (("operator", "salah"), ("siapa", "salah"), ("mantan", right), ("tim", ""), ("", ""))
    for handle, passphrase in tries:
        visit = visits.enter_staff(portal.visit(), handle, passphrase)
        assert visit.status == 422
        assert "set-cookie" not in visit.answer.headers
        assert not passphrase or passphrase not in visit.text
        pages.add(visit.text.replace(f'value="{handle}"', "value"))
    assert len(pages) == 1
    assert "Nama pengguna atau frasa sandi tidak cocok." in pages.pop()


def test_an_officer_who_is_let_go_loses_the_open_session(portal: Site) -> None:
    """From the roster entry on, the pages answer with a refusal."""
    join(portal.bench, {"mantan": ("operator",)})
    visit = portal.officer("mantan")
    assert visit.open("/petugas").status == 200
    leave(portal.bench, "mantan")
    assert visit.open("/petugas").status == 403


def test_a_new_sign_in_ends_the_session_before(portal: Site) -> None:
    """Rotation: the old cookie opens nothing."""
    visit = portal.officer("operator")
    old = visit.client.cookies["petugas"]
    visits.enter_staff(visit, "operator")
    assert visit.client.cookies["petugas"] != old
    thief = portal.visit()
    thief.client.cookies.set("petugas", old)
    assert thief.open("/petugas").location == "/petugas/masuk"


def test_fifteen_idle_minutes_end_a_session(portal: Site) -> None:
    """And eight hours end one that was never idle."""
    visit = portal.officer("operator")
    portal.clock.advance(minutes=14, seconds=59)
    assert visit.open("/petugas").status == 200
    portal.clock.advance(minutes=15)
    assert (visit.open("/petugas").status, visit.location) == (303, "/petugas/masuk")
    visits.enter_staff(visit, "operator")
    for _ in range(48):
        assert visit.open("/petugas").status == 200
        portal.clock.advance(minutes=10)
    assert visit.open("/petugas").status == 303


def test_all_sessions_can_be_ended(portal: Site) -> None:
    """The page lists them, and one press ends each, also in other browsers, and nobody else's."""
    one, two, other = (portal.officer(name) for name in ("irban", "irban", "tim"))
    one.open("/petugas/sesi")
    assert one.text.count("<tr role=") == 3
    one.send("/petugas/sesi/akhiri")
    assert one.location == "/petugas/masuk"
    assert one.open("/petugas").status == 303
    assert two.open("/petugas").status == 303
    assert other.open("/petugas").status == 200


def test_ending_all_sessions_needs_the_token(portal: Site) -> None:
    """Nobody is signed out by another site's form."""
    visit = portal.officer("irban")
    for token in ("", "x", portal.officer("irban").open("/petugas/sesi").text[:40]):
        assert visit.post("/petugas/sesi/akhiri", {"csrf": token}).status == 403
    assert visit.open("/petugas").status == 200


def test_signing_out_ends_this_session_only(portal: Site) -> None:
    one, two = portal.officer("irban"), portal.officer("irban")
    cookie = one.client.cookies["petugas"]
    one.open("/petugas").send("/petugas/keluar")
    assert one.location == "/petugas/masuk"
    one.client.cookies.set("petugas", cookie)
    assert one.open("/petugas").status == 303
    assert two.open("/petugas").status == 200


def test_a_reporters_cookie_is_no_officers(portal: Site, reporter: Reporter) -> None:
    """Neither under its own name nor under the other."""
    visit, _ = reporter
    assert visit.open("/petugas").status == 303
    visit.client.cookies.set("petugas", visit.client.cookies["ruang"])
    assert visit.open("/petugas").status == 303
    officer = portal.officer("operator")
    officer.client.cookies.set("ruang", officer.client.cookies["petugas"])
    assert officer.open("/ruang").status == 303


@pytest.mark.parametrize("field", ["reason", "message"])
def test_a_text_typed_too_long_comes_back_to_its_writer(
    portal: Site, reporter: Reporter, field: str
) -> None:
    """It waits, sealed, in the sign-in page, for the same person; a wrong try does not lose it."""
    path = portal.path(reporter[1])
    action = f"{path}/tindakan/reject" if field == "reason" else f"{path}/pesan"
    words = "Alasan yang panjang sekali. " * 300
    visit = portal.officer("operator")
    pairs = visit.open(path).filled(action, {field: words})
    portal.clock.advance(minutes=20)
    before = portal.state()
    visit.post(action, pairs)
    assert "Sesi Anda sudah berakhir" in visit.text
    assert words[:30] not in visit.text
    visit.send("/petugas/masuk", {"handle": "operator", "passphrase": "salah"})
    assert visit.status == 422
    visit.send("/petugas/masuk", {"handle": "operator", "passphrase": passphrase_of("operator")})
    assert visit.status == 200
    assert visit.value(action, field).strip() == words.strip()
    assert portal.state() == before
    visit.send(action)
    assert visit.status == 303


@pytest.mark.parametrize("other", ["inspektur", "verifikator"])
def test_another_officer_gets_nothing_of_it(portal: Site, reporter: Reporter, other: str) -> None:
    """Also one who may see the same case."""
    path = portal.path(reporter[1])
    visit = portal.officer("operator")
    words = "Alasan yang panjang sekali. " * 300
    pairs = visit.open(path).filled(f"{path}/tindakan/reject", {"reason": words})
    portal.clock.advance(minutes=20)
    visit.post(f"{path}/tindakan/reject", pairs)
    visit.send("/petugas/masuk", {"handle": other, "passphrase": passphrase_of(other)})
    assert (visit.status, visit.location) == (303, "/petugas")
    assert words[:30] not in visit.follow().text


def test_a_tab_from_before_the_last_sign_in_keeps_its_text(
    portal: Site, reporter: Reporter
) -> None:
    """Stale token, same person: shown again and not sent; another person's tab is refused."""
    path = portal.path(reporter[1])
    action = f"{path}/tindakan/reject"
    visit = portal.officer("operator")
    pairs = visit.open(path).filled(action, {"reason": "Alasan saya"})
    visits.enter_staff(visit, "operator")
    before = portal.state()
    visit.post(action, pairs)
    assert visit.status == 200
    assert visit.value(action, "reason") == "Alasan saya"
    visits.enter_staff(visit, "inspektur")
    visit.post(action, pairs)
    assert visit.status == 403
    assert "Alasan saya" not in visit.text
    assert portal.state() == before


def test_a_passphrase_longer_than_any_is_not_stretched(
    portal: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the page of a wrong one, and costs nothing."""
    wrong = visits.enter_staff(portal.visit(), "operator", "salah").text
    stretched: list[int] = []

    def spy(*_: object) -> bytes:
        stretched.append(1)
        return bytes(32)

    monkeypatch.setattr(kdf, "stretch", spy)
    visit = visits.enter_staff(portal.visit(), "operator", "a" * (LONGEST + 1))
    assert (visit.status, visit.text) == (422, wrong)
    assert stretched == []
    visits.enter_staff(portal.visit(), "operator", "a" * LONGEST)
    assert stretched == [1]


def test_a_case_that_left_the_desk_meanwhile_costs_no_sign_in(
    portal: Site, reporter: Reporter
) -> None:
    """The text cannot be shown on a case that is gone; the officer is signed in all the same."""
    path = portal.path(reporter[1])
    visit = portal.officer("operator")
    pairs = visit.open(path).filled(f"{path}/pesan", {"message": "Teks"})
    portal.clock.advance(minutes=20)
    visit.post(f"{path}/pesan", pairs)
    portal.tamper(
        'DELETE FROM "grant" WHERE holder = :operator',
        operator=portal.bench["operator"].person_id,
    )
    visit.send("/petugas/masuk", {"handle": "operator", "passphrase": passphrase_of("operator")})
    assert (visit.status, visit.location) == (303, "/petugas")
    assert visit.follow().status == 200


def sign_in(guarded: Guarded, username: str, code: str, passphrase: str | None = None) -> Visit:
    return visits.enter_staff(guarded.site.visit(), username, passphrase, code)


def test_a_right_code_opens_a_session_that_was_proved(guarded: Guarded) -> None:
    """The session knows when: no step-up within five minutes of signing in."""
    visit = sign_in(guarded, "operator", guarded.code("operator"))
    assert (visit.status, visit.location) == (303, "/petugas")
    session = guarded.site.bench.office.sessions.resume(
        visit.client.cookies["petugas"], int(guarded.site.clock.now.timestamp())
    )
    assert session is not None
    assert session.proved == int(guarded.site.clock.now.timestamp())


def test_without_second_factors_nothing_was_proved(portal: Site) -> None:
    """A demo: no field, no code, and no session that claims otherwise."""
    visit = portal.visit().open("/petugas/masuk")
    assert 'name="code"' not in visit.text
    session = portal.bench.office.sessions.resume(
        portal.officer("operator").client.cookies["petugas"], int(portal.clock.now.timestamp())
    )
    assert session is not None
    assert session.proved == 0


def test_the_field_is_filled_by_the_phone_and_by_nobody_else(guarded: Guarded) -> None:
    field = re.search(r'<input[^>]*name="code"[^>]*>', guarded.site.visit().open(SIGN_IN).text)
    assert field is not None
    assert 'autocomplete="one-time-code"' in field[0]


def test_nothing_says_whether_name_passphrase_or_code_was_wrong(guarded: Guarded) -> None:
    """One page and one status for all of them, and neither secret is sent back."""
    code = guarded.code("operator")
    used = guarded.code("irban")
    sign_in(guarded, "irban", used)
    right = passphrase_of("operator")
    tries = (
        ("operator", "salah", code),
        ("siapa", right, code),
        ("operator", right, ""),
        ("operator", right, wrong_code(guarded, "operator")),
        ("operator", right, guarded.code("tim")),
        ("operator", right, guarded.made["tim"].codes[0]),
        ("irban", passphrase_of("irban"), used),
    )
    pages = set()
    for handle, passphrase, typed in tries:
        visit = sign_in(guarded, handle, typed, passphrase)
        assert visit.status == 422
        assert "set-cookie" not in visit.answer.headers
        assert passphrase not in visit.text
        assert not typed or typed not in visit.text
        pages.add(visit.text.replace(f'value="{handle}"', "value"))
    assert len(pages) == 1
    assert "Nama pengguna, frasa sandi, atau kode tidak cocok." in pages.pop()


def wrong_code(guarded: Guarded, username: str) -> str:
    """Six digits that are right at no half hour around now."""
    now, secret = guarded.site.clock.now, guarded.made[username].secret
    near = {
        code_at(secret, now + timedelta(minutes=30 * half, seconds=30 * step))
        for half in range(-30, 31)
        for step in (-2, -1, 0, 1, 2)
    }
    return next(code for code in map("{:06}".format, range(1000)) if code not in near)


@pytest.mark.parametrize(
    ("hours", "told"),
    [(7, "lebih cepat 7 jam"), (-7, "lebih lambat 7 jam"), (0.5, "lebih cepat 0,5 jam")],
)
def test_a_clock_that_is_off_is_named_with_what_to_do(
    guarded: Guarded, hours: float, told: str
) -> None:
    """Only to whoever has passphrase and authenticator, and nobody is signed in by it."""
    code = code_at(guarded.made["operator"].secret, guarded.site.clock.now + timedelta(hours=hours))
    visit = sign_in(guarded, "operator", code)
    assert visit.status == 422
    assert "set-cookie" not in visit.answer.headers
    assert told in visit.text
    assert "zona waktu" in visit.text
    assert code not in visit.text
    assert told not in sign_in(guarded, "operator", code, "salah").text


def test_a_clock_that_is_off_by_minutes_is_plainly_wrong(guarded: Guarded) -> None:
    code = code_at(guarded.made["operator"].secret, guarded.site.clock.now + timedelta(minutes=3))
    visit = sign_in(guarded, "operator", code)
    assert visit.status == 422
    assert "tidak cocok" in visit.text


def test_the_same_code_from_two_browsers_at_once_lets_one_in(guarded: Guarded) -> None:
    code = guarded.code("operator")
    visit = [guarded.site.visit().open(SIGN_IN) for _ in range(3)]
    fields = {"handle": "operator", "passphrase": passphrase_of("operator"), "code": code}
    came = together(3, lambda number: visit[number].send(SIGN_IN, fields).status)
    assert sorted(map(str, came)) == ["303", "422", "422"]


def test_a_recovery_code_leads_to_the_count_of_those_left(guarded: Guarded) -> None:
    """Once; the second time it is a wrong code."""
    code = guarded.made["operator"].codes[0]
    visit = sign_in(guarded, "operator", code)
    assert (visit.status, visit.location) == (303, "/petugas/keamanan?berhasil=kode")
    visit.follow()
    assert "tersisa 9 kode" in visit.text
    assert code not in visit.text
    assert sign_in(guarded, "operator", code).status == 422


def test_a_missing_factor_stops_loudly(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    """503 and a line in the log, as whenever somebody wrote behind the portal's back."""
    guarded.site.tamper("DELETE FROM factor")
    visit = sign_in(guarded, "operator", guarded.code("operator"))
    assert visit.status == 503
    assert "set-cookie" not in visit.answer.headers
    assert "Pekerjaan dihentikan demi keamanan" in visit.text
    assert [one.message.split(":")[0] for one in caplog.records if one.levelname == "CRITICAL"] == [
        "casework.keys.factors.FactorMissing"
    ]
    assert sign_in(guarded, "operator", "123456", "salah").status == 422


def test_many_wrong_codes_are_told_to_the_owner(guarded: Guarded) -> None:
    """A guesser is slowed down, the owner gets in by a recovery code, and learns of it."""
    wrong = wrong_code(guarded, "operator")
    for _ in range(FREE_MISSES):
        assert sign_in(guarded, "operator", wrong).status == 422
    slowed = sign_in(guarded, "operator", guarded.code("operator"))
    assert slowed.status == 422
    visit = sign_in(guarded, "operator", guarded.made["operator"].codes[0])
    assert (visit.status, visit.location) == (303, "/petugas/keamanan?berhasil=tebakan")
    assert "ganti sekarang" in visit.follow().text


def test_a_kept_text_survives_a_wrong_code(guarded: Guarded) -> None:
    """It waits in the page until passphrase and code are right."""
    _, receipt = guarded.site.reporter()
    path = guarded.site.path(receipt)
    visit = guarded.officer("operator")
    pairs = visit.open(path).filled(f"{path}/pesan", {"message": "Belum terkirim"})
    guarded.site.clock.advance(minutes=20)
    visit.post(f"{path}/pesan", pairs)
    fields = {"handle": "operator", "passphrase": passphrase_of("operator")}
    visit.send(SIGN_IN, fields | {"code": wrong_code(guarded, "operator")})
    assert visit.status == 422
    far = code_at(guarded.made["operator"].secret, guarded.site.clock.now + timedelta(hours=7))
    visit.send(SIGN_IN, fields | {"code": far})
    assert visit.status == 422
    visit.send(SIGN_IN, fields | {"code": guarded.code("operator")})
    assert visit.status == 200
    assert visit.value(f"{path}/pesan", "message").strip() == "Belum terkirim"
    assert visit.open("/petugas").status == 200
