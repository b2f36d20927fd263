"""No flood of wrong sign-ins locks an owner out, nor does any rush elsewhere."""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import msgspec
import pytest
from litestar.testing import TestClient

from casework.keys import devices
from casework.store.rations import Allowance
from crypto import kdf
from portal.settings import CostSection, LimitSection
from portal.staff.doors import COOKIE, MAX_AGE, Door
from portal.web import cookies
from portal.web.budget import Budget, KdfLane
from portal.web.refusals import Busy
from portal.web.settings import Surface
from portal.wiring import make_app
from tests.casework.cases import join, leave
from tests.casework.office import passphrase_of
from tests.portal import instances, visits
from tests.portal.sites import Site, served, settings_of
from tests.portal.visits import Receipt, Visit
from tests.portal.web.test_budget import at_most

NARROW = LimitSection(
    kdf_at_once=1, unknown_at_once=1, kdf_waiting=0, unknown_tries=3, device_tries=2
)
WRONG = "salah salah salah salah"
LANES = ("reports", "reporters", "staff", "unknown")

RUSH = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from litestar.testing import TestClient
from crypto import kdf
from portal import wiring

folder, meter = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
real = kdf.stretch

def metered(password: bytes, salt: bytes, cost: kdf.Kdf) -> bytes:
    os.write(meter, b"+")
    try:
        return real(password, salt, cost)
    finally:
        os.write(meter, b"-")

kdf.stretch = metered
with TestClient(wiring.make_app(*wiring.load(folder))) as client:
    def guess(number: int) -> int:
        fields = {"handle": "operator", "passphrase": f"tebakan {number}"}
        return client.post("/petugas/masuk", data=fields).status_code

    with ThreadPoolExecutor(10) as pool:
        print(*pool.map(guess, range(20)))
"""


def device_of(visit: Visit) -> str:
    return str(visit.client.cookies[COOKIE])


def leave_session(visit: Visit) -> Visit:
    """The browser as it is the next morning: no session, and still its token."""
    visit.client.cookies.delete("petugas")
    return visit


def bearer(site: Site, token: str) -> Visit:
    """A browser that brings a token along."""
    visit = site.visit()
    visit.client.cookies.set(COOKIE, token)
    return visit


@contextmanager
def taken(site: Site, *lanes: str) -> Iterator[None]:
    """Let somebody else hold every place of some lanes."""
    with ExitStack() as stack:
        for lane in lanes:
            place = site.bench.office.rations.places(lane, 1).take()
            assert place is not None, lane
            stack.callback(place.leave)
        yield


@pytest.fixture
def narrow(portal: Site) -> Iterator[Site]:
    """The portal with room for one in each lane and three wrong tries a minute."""
    with served(portal.bench, NARROW) as site:
        yield site


@pytest.fixture
def owner(narrow: Site) -> Visit:
    """The operator's own browser, which was signed in before."""
    return leave_session(narrow.officer("operator"))


def guess(site: Site, username: str = "operator") -> int:
    return visits.enter_staff(site.visit(), username, WRONG).status


def test_a_flood_of_wrong_tries_keeps_no_owner_out(narrow: Site, owner: Visit) -> None:
    """Lane of strangers full, their budget used up: who has signed in here before gets in."""
    assert [guess(narrow) for _ in range(5)] == [422, 422, 422, 503, 503]
    with taken(narrow, "unknown"):
        assert guess(narrow) == 503
        assert visits.enter_staff(owner, "operator").status == 303
    stranger = visits.enter_staff(narrow.visit(), "operator")
    assert (stranger.status, stranger.value("/petugas/masuk", "handle")) == (503, "operator")
    assert "Terlalu banyak percobaan masuk" in stranger.text
    assert "set-cookie" not in stranger.answer.headers
    narrow.clock.advance(minutes=2)
    assert visits.enter_staff(narrow.visit(), "operator").status == 303


def test_a_good_sign_in_costs_nothing(narrow: Site) -> None:
    """However often somebody signs in, from new browsers or from known ones."""
    for _ in range(6):
        visit = narrow.officer("operator")
        for _ in range(4):
            assert visits.enter_staff(leave_session(visit), "operator").status == 303
    assert [guess(narrow) for _ in range(4)] == [422, 422, 422, 503]


def test_whoever_goes_away_before_the_answer_has_tried(portal: Site) -> None:
    """Hanging up early buys no further guess."""

    async def scenario() -> None:
        rations = portal.bench.office.rations
        budget = Budget(rations, "uji", Allowance(1, 1), lambda: 0)
        door = Door(KdfLane(rations.places("uji", 1), 0), budget, None, "")
        with anyio.CancelScope() as scope:
            async with door.attempt():
                scope.cancel()
                await anyio.sleep_forever()
        with pytest.raises(Busy):
            async with door.attempt():
                pytest.fail("a second guess for one")

    anyio.run(scenario)


def test_a_known_device_wears_out_its_own_budget_only(narrow: Site, owner: Visit) -> None:
    """A stolen token gets two guesses, then waits with the strangers; nobody else notices."""
    other = leave_session(narrow.officer("operator"))
    thief = bearer(narrow, device_of(owner))
    with taken(narrow, "unknown"):
        tries = [visits.enter_staff(thief, "operator", WRONG).status for _ in range(4)]
        assert tries == [422, 422, 503, 503]
        assert visits.enter_staff(owner, "operator").status == 503
        assert visits.enter_staff(other, "operator").status == 303
    assert visits.enter_staff(owner, "operator").status == 303, "where no flood is, by that lane"
    leave_session(owner)
    narrow.clock.advance(minutes=2)
    with taken(narrow, "unknown"):
        assert visits.enter_staff(owner, "operator").status == 303


def test_wrong_tries_of_known_devices_are_not_the_strangers(narrow: Site, owner: Visit) -> None:
    """And the reverse: neither budget is taken from the other."""
    for _ in range(2):
        assert visits.enter_staff(owner, "operator", WRONG).status == 422
    assert [guess(narrow) for _ in range(4)] == [422, 422, 422, 503]


@pytest.mark.parametrize(
    "token",
    [
        lambda own: own.upper().replace("0", "A"),
        lambda own: own + "0",
        lambda own: f"{own}; {COOKIE}={own}",
        lambda own: f"0; {COOKIE}={own}",
        lambda own: f'"{own}"',
        lambda _: "0" * 64,
        lambda _: "",
    ],
)
def test_a_forged_token_is_a_strangers(
    narrow: Site, owner: Visit, token: Callable[[str], str]
) -> None:
    """So is one that came twice; and a good sign-in takes none of them over."""
    visit = narrow.visit()
    planted = f"{COOKIE}={token(device_of(owner))}"
    fields = {"handle": "operator", "passphrase": passphrase_of("operator")}
    with taken(narrow, "unknown"):
        visit.post("/petugas/masuk", fields, headers={"cookie": planted})
        assert visit.status == 503
    visit.post("/petugas/masuk", fields, headers={"cookie": planted})
    assert visit.status == 303
    assert device_of(visit) not in planted.split("=")[1]


def test_a_device_helps_with_no_other_name(narrow: Site, owner: Visit) -> None:
    """A colleague's passphrase is guessed at among the strangers; also a name of nobody."""
    for name in ("inspektur", "tidak-ada"):
        with taken(narrow, "unknown"):
            assert visits.enter_staff(owner, name, WRONG).status == 503
        with taken(narrow, "staff"):
            assert visits.enter_staff(owner, name, WRONG).status == 422
    with taken(narrow, "staff"):
        assert visits.enter_staff(owner, " OPERATOR ", WRONG).status == 503


def test_the_answer_says_nothing_of_names_or_devices(portal: Site) -> None:
    """One page for every wrong try, whoever is typed and wherever."""
    owner = leave_session(portal.officer("operator"))
    pages = set()
    for visit in (owner, portal.visit(), bearer(portal, "0" * 64)):
        for name in ("operator", "inspektur", "tidak-ada"):
            visits.enter_staff(visit, name, WRONG)
            assert visit.status == 422
            assert "set-cookie" not in visit.answer.headers
            pages.add(visit.text.replace(f'value="{name}"', "value"))
    assert len(pages) == 1


def test_two_officers_share_a_computer(narrow: Site, owner: Visit) -> None:
    """One token, known for each of them once they have signed in there."""
    token = device_of(owner)
    with taken(narrow, "unknown"):
        assert visits.enter_staff(owner, "irban").status == 503
    assert visits.enter_staff(owner, "irban").status == 303
    assert device_of(owner) == token
    with taken(narrow, "unknown"):
        for name in ("operator", "irban"):
            assert visits.enter_staff(leave_session(owner), name).status == 303


def test_a_device_is_known_for_half_a_year_after_its_last_sign_in(
    narrow: Site, owner: Visit
) -> None:
    narrow.clock.advance(days=180)
    assert visits.enter_staff(owner, "operator").status == 303
    narrow.clock.advance(days=180)
    with taken(narrow, "unknown"):
        assert visits.enter_staff(owner, "operator").status == 303
        narrow.clock.advance(days=181)
        assert visits.enter_staff(owner, "operator").status == 503


def test_a_device_that_was_forgotten_is_a_strangers(narrow: Site, owner: Visit) -> None:
    with narrow.bench.office.write() as uow:
        assert devices.forget_all(uow, narrow.bench["operator"].person_id) == 1
    with taken(narrow, "unknown"):
        assert visits.enter_staff(owner, "operator").status == 503


@pytest.mark.parametrize("tls", [False, True])
def test_the_cookie_comes_with_a_good_sign_in_and_has_these_attributes(
    portal: Site, *, tls: bool
) -> None:
    """Kept for half a year, out of reach of scripts and other sites; host-bound behind TLS."""
    settings = settings_of(portal.bench)
    if tls:
        web = msgspec.structs.replace(settings.web, tls=True, origins=("https://portal.test",))
        settings = msgspec.structs.replace(settings, web=web)
    fields = {"handle": "operator", "passphrase": passphrase_of("operator")}
    scheme = "https" if tls else "http"
    app = make_app(portal.bench.office, settings, Surface.STAFF)
    with TestClient(app, base_url=f"{scheme}://portal.test") as client:
        client.follow_redirects = False
        assert "set-cookie" not in client.get("/petugas/masuk").headers
        wrong = client.post("/petugas/masuk", data={**fields, "passphrase": WRONG})
        assert "set-cookie" not in wrong.headers
        answer = client.post("/petugas/masuk", data=fields)
        session, device = answer.headers.get_list("set-cookie")
        again = client.post("/petugas/masuk", data=fields).headers.get_list("set-cookie")[1]
    name = f"__Host-{COOKIE}" if tls else COOKIE
    pair, *attributes = device.split("; ")
    assert pair.partition("=")[0] == name
    wanted = {"HttpOnly", f"Max-Age={MAX_AGE}", "Path=/", "SameSite=strict"}
    assert set(attributes) == wanted | ({"Secure"} if tls else set())
    assert MAX_AGE == 180 * 24 * 3600
    assert again == device, "renewed, not changed"
    assert COOKIE not in session


def test_a_page_that_is_restored_carries_the_cookie_as_well(
    portal: Site, reporter: tuple[Visit, Receipt]
) -> None:
    """The answer to a sign-in is not always a redirect."""
    path = portal.path(reporter[1])
    visit = portal.officer("operator")
    pairs = visit.open(path).filled(f"{path}/pesan", {"message": "Teks"})
    portal.clock.advance(minutes=20)
    visit.post(f"{path}/pesan", pairs)
    fields = {"handle": "operator", "passphrase": passphrase_of("operator")}
    visit.send("/petugas/masuk", fields)
    assert visit.status == 200
    assert COOKIE in visit.answer.headers["set-cookie"]


def test_reporters_pages_neither_set_nor_read_the_cookie(
    portal: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even in a browser that has one, from the first page to the mailbox and out again."""
    token = device_of(portal.officer("operator"))
    real, read = cookies.only, set()

    def spy(request: object, plain: str, *, tls: bool) -> str | None:
        read.add(plain)
        return real(request, plain, tls=tls)  # type: ignore[arg-type]

    monkeypatch.setattr(cookies, "only", spy)
    given: list[str] = []
    for surface in (Surface.PUBLIC, Surface.BOTH):
        with served(portal.bench, surface=surface) as site:
            visit = bearer(site, token)
            visit.client.event_hooks["response"] = [
                lambda answer: given.extend(answer.headers.get_list("set-cookie"))
            ]
            for path in ("/", "/penjelasan", "/persiapan", "/saluran", "/masuk", "/tutup"):
                visit.open(path)
            receipt = visits.report(visit)
            visits.keep(visit, receipt).follow()
            visits.enter(visit, receipt).follow()
            visit.post("/masuk", {"ticket": receipt.ticket, "words": "satu dua"})
            visit.post("/tutup")
    assert read == {"ruang"}
    assert {one.partition("=")[0] for one in given} == {"ruang"}
    with served(portal.bench, surface=Surface.STAFF) as site:
        visits.enter_staff(bearer(site, token), "operator")
    assert COOKIE in read, "the spy sees who reads"


def test_the_token_lies_nowhere_on_the_disk(portal: Site) -> None:
    """After sign-ins and wrong tries: neither raw nor in hex, neither in run/ nor beside it."""
    owner = portal.officer("operator")
    token = device_of(owner)
    visits.enter_staff(leave_session(owner), "operator", WRONG)
    visits.enter_staff(owner, "operator")
    kept = b"".join(path.read_bytes() for path in portal.bench.folder.rglob("*") if path.is_file())
    raw = bytes.fromhex(token)
    assert devices.tries_of(token).encode() in kept, "what is there is found"
    for hidden in (raw, token.encode(), token.upper().encode(), b64encode(raw)[:40]):
        assert hidden not in kept


def come_back(site: Site, receipt: Receipt) -> int:
    return visits.enter(site.visit(), receipt).status


def send_report(site: Site) -> int:
    visit = visits.to_form(site.visit())
    return visit.send("/formulir/kirim", {"narrative": visits.NARRATIVE}).status


@pytest.mark.parametrize("rush", LANES)
def test_a_rush_in_one_lane_leaves_the_others_free(narrow: Site, owner: Visit, rush: str) -> None:
    """New reports, reporters who return, officers at known and at unknown devices."""
    receipt = visits.report(narrow.visit())
    with taken(narrow, rush):
        found = {
            "reports": send_report(narrow),
            "reporters": come_back(narrow, receipt),
            "staff": visits.enter_staff(owner, "operator").status,
            "unknown": visits.enter_staff(narrow.visit(), "operator").status,
        }
    free = {"reports": 200, "reporters": 303, "staff": 303, "unknown": 303}
    assert found == {**free, rush: 503}


def test_used_up_budgets_do_not_meet(portal: Site) -> None:
    """A flood of new reports takes nothing from officers and reporters, nor they from it."""
    limits = LimitSection(report_burst=1, reports_per_minute=1, unknown_tries=1)
    with served(portal.bench, limits) as site:
        receipt = visits.report(site.visit())
        assert send_report(site) == 503
        assert come_back(site, receipt) == 303
        assert site.officer("operator").status == 303
        assert [guess(site), guess(site)] == [422, 503]
        assert come_back(site, receipt) == 303
        site.clock.advance(minutes=2)
        assert send_report(site) == 200


def test_budgets_are_those_of_the_whole_instance(portal: Site) -> None:
    """Two portals on one folder, as two processes are: what one uses up, the other lacks."""
    with served(portal.bench, NARROW) as one, served(portal.bench, NARROW) as two:
        assert [guess(one), guess(two), guess(one)] == [422, 422, 422]
        assert [guess(one), guess(two)] == [503, 503]


def test_nothing_is_left_of_a_minute_that_is_over(portal: Site) -> None:
    """What a report used of the budget is forgotten with the next tick, its minute with it."""
    visits.report(portal.visit())
    guess(portal)
    rations = portal.bench.office.rations
    now = int(portal.clock().timestamp())
    assert rations.sweep(now + 60) == 0
    assert rations.sweep(now + 120) == 2


def test_two_processes_stretch_no_more_passphrases_than_allowed(tmp_path: Path) -> None:
    """Forty guesses at two real processes of one instance: one at a time, and none is lost."""
    limits = LimitSection(unknown_at_once=1, kdf_waiting=100, unknown_tries=1000)
    costs = CostSection(passphrase="argon2id:m=4096,t=2,p=1", secret_key=instances.CHEAP.secret_key)
    made = instances.make(tmp_path / "office", costs=costs, limits=limits)
    meter = tmp_path / "meter"
    meter.touch()
    command = [sys.executable, "-c", RUSH, str(made.folder), str(meter)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [one.communicate()[0].split() for one in running]
    assert answers == [["422"] * 20] * 2
    assert meter.read_bytes().count(b"+") == 40
    assert at_most(meter.read_bytes()) == 1


def test_a_leaver_is_told_nothing_by_a_known_device(portal: Site) -> None:
    """Known lane or not: the page is that of a wrong passphrase."""
    join(portal.bench, {"mantan": ("operator",)})
    visit = leave_session(portal.officer("mantan"))
    wrong = visits.enter_staff(visit, "mantan", WRONG).text
    leave(portal.bench, "mantan")
    assert visits.enter_staff(visit, "mantan").status == 422
    assert visit.text == wrong


def test_a_passphrase_that_is_refused_unread_costs_no_try(
    narrow: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stretched for it, so nothing is counted."""
    monkeypatch.setattr(kdf, "stretch", lambda *_: bytes(32))
    for _ in range(5):
        assert visits.enter_staff(narrow.visit(), "operator", "a" * 5000).status == 422
    assert guess(narrow) == 422
