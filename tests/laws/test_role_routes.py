"""Role x route: every officer's page and form opens to exactly the roles that the profile means.

Pages of cases are asked by their grants (test_matrix); the rest is asked here, role by role. The
expectation is computed from the profile; whatever is refused must leave every table as it was.
"""

from collections.abc import Iterator

import pytest

from casework.law.profile import Profile
from tests.casework.office import ROLES, Bench, make_office
from tests.portal.sites import Site, site_of

EVERY = (*ROLES, "penerima_alternatif")
HEX = "a" * 32
REFUSED = 403

ADMIN, APPROVES, AUDITS, MONITORS, ALL, NOBODY = (
    "admin",
    "approves",
    "audits",
    "monitors",
    "all",
    "nobody",
)
WHO: dict[tuple[str, str], tuple[str, ...]] = {
    ("GET", "/petugas"): (ALL,),
    ("GET", "/petugas/angka"): (MONITORS, AUDITS),
    ("GET", "/petugas/jejak"): (AUDITS,),
    ("GET", "/petugas/keamanan"): (ALL,),
    ("GET", "/petugas/keamanan/autentikator"): (ALL,),
    ("GET", "/petugas/keamanan/frasa-sandi"): (ALL,),
    ("GET", "/petugas/keamanan/kode"): (ALL,),
    ("GET", "/petugas/orang"): (ADMIN, APPROVES),
    ("GET", "/petugas/orang/undangan"): (ADMIN,),
    ("GET", "/petugas/orang/{person_id:str}"): (ADMIN, APPROVES),
    ("GET", "/petugas/orang/{person_id:str}/keluar"): (APPROVES,),
    ("GET", "/petugas/orang/{person_id:str}/serah-terima"): (APPROVES,),
    ("GET", "/petugas/pemberitahuan"): (ALL,),
    ("GET", "/petugas/sesi"): (ALL,),
    ("POST", "/petugas/jejak"): (AUDITS,),
    ("POST", "/petugas/keamanan/autentikator"): (ALL,),
    ("POST", "/petugas/keamanan/autentikator/pasang"): (ALL,),
    ("POST", "/petugas/keamanan/frasa-sandi"): (ALL,),
    # Only together with the page that drew the words.
    ("POST", "/petugas/keamanan/frasa-sandi/ketik"): (NOBODY,),
    ("POST", "/petugas/keamanan/kode"): (ALL,),
    ("POST", "/petugas/orang/undangan"): (ADMIN,),
    ("POST", "/petugas/orang/undangan/{invitation_id:str}/cabut"): (ADMIN,),
    ("POST", "/petugas/orang/{person_id:str}/keluar"): (APPROVES,),
    ("POST", "/petugas/orang/{person_id:str}/tindakan/{act:str}"): (APPROVES,),
    ("POST", "/petugas/pemberitahuan"): (ALL,),
    ("POST", "/petugas/pemberitahuan/hapus"): (ALL,),
    # Ending sessions comes last: it ends the very sessions that ask.
    ("POST", "/petugas/sesi/akhiri-satu"): (ALL,),
    ("POST", "/petugas/sesi/akhiri-lain"): (ALL,),
}
ELSEWHERE = (
    *("/petugas/masuk", "/petugas/keluar", "/petugas/undangan", "/petugas/berkas"),
    "/petugas/sesi/akhiri",
)
"""Doors without a session; pages of cases; signing out."""


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    people: dict[str, tuple[str, ...]] = {role: (role,) for role in EVERY}
    return make_office(tmp_path_factory.mktemp("founded") / "office", people)


@pytest.fixture(scope="module")
def site(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of(founded, tmp_path_factory.mktemp("roles") / "office") as opened:
        yield opened


def routes(site: Site) -> set[tuple[str, str]]:
    return {
        (method, path)
        for route in site.app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        for path in handler.paths
        if method != "OPTIONS" and path.startswith("/petugas")
    }


def meant(profile: Profile, kinds: tuple[str, ...]) -> set[str]:
    """The roles that a line of the table stands for."""
    if kinds == (ALL,):
        return set(EVERY)
    return {role.id for role in profile.roles if any(getattr(role, kind, False) for kind in kinds)}


def test_every_officers_route_is_in_the_table(site: Site) -> None:
    listed = set(WHO)
    others = {
        one for one in routes(site) if one[1] in ELSEWHERE or one[1].startswith(ELSEWHERE[2:4])
    }
    assert routes(site) == listed | others
    assert not listed & others


def test_each_route_opens_to_the_roles_that_the_profile_means(site: Site) -> None:
    profile, target = site.bench.office.profile, site.bench["operator"].person_id
    visits = {role: site.officer(role) for role in EVERY}
    for (method, path), kinds in WHO.items():
        address = path.replace("{person_id:str}", target).replace("{act:str}", "bekukan")
        address = address.replace("{invitation_id:str}", HEX)
        wanted = meant(profile, kinds)
        for role, visit in visits.items():
            before = site.state()
            if method == "GET":
                status = visit.open(address).status
            else:
                guard = visit.open("/petugas").filled("/petugas/keluar", {})
                status = visit.post(address, guard).status
            assert (status != REFUSED) == (role in wanted), (method, path, role, status)
            assert site.state() == before, (method, path, role, "left something behind")


def test_without_a_session_every_route_leads_to_the_door(site: Site) -> None:
    stranger = site.visit()
    for method, path in WHO:
        address = path.replace("{person_id:str}", HEX).replace("{act:str}", "bekukan")
        address = address.replace("{invitation_id:str}", HEX)
        visit = stranger.open(address) if method == "GET" else stranger.post(address, [])
        assert (visit.status, visit.location) == (303, "/petugas/masuk"), (method, path)
