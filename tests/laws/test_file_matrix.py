"""Role x compartment x act on files: pages and downloads follow the grants, and nothing else does.

The expectation is computed from the grant rows; whoever holds nothing gets the very page of a case
that does not exist, and what is refused leaves every table as it was.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.casework import exhibits
from tests.casework.cases import REPORTER, Filed, copy_of, file_report, way
from tests.casework.conftest import close
from tests.casework.office import ROLES, Bench, make_office
from tests.portal import visits
from tests.portal.multipart import BOUNDARY, File, body_of, send_files
from tests.portal.sites import Site, served
from tests.portal.visits import Receipt, Visit

ROOMS = ("content", "handling", "investigation", "aph")
HEX = "a" * 32
ROOM = "/ruang/berkas"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


@dataclass
class Shelf:
    """A case with a file in every compartment that it has come to, and everybody signed in."""

    site: Site
    filed: Filed
    files: dict[str, list[str]]
    actors: dict[str, Visit] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/petugas/berkas/{self.filed.case_id}/bukti"

    def held(self, role: str) -> set[str]:
        return {room for room, names in self.filed.holders().items() if role in names} & set(ROOMS)

    def guard(self, role: str) -> list[tuple[str, str]]:
        return self.actors[role].open("/petugas").filled("/petugas/keluar", {})


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("founded") / "office")


def fill(filed: Filed, state: str) -> dict[str, list[str]]:
    """Carry a case to a state; whoever makes a compartment puts a file into it."""
    files: dict[str, list[str]] = {"content": [exhibits.add(filed)]}
    for user, transition in way(state):
        filed.do(user, transition)
        if transition in {"accept", "analyse"}:
            room = "handling" if transition == "accept" else "investigation"
            files[room] = [exhibits.add(filed, user, f"dari {user}".encode(), room)]
    return files


@pytest.fixture(scope="module", params=["terkirim", "diselidiki"])
def shelf(
    founded: Bench, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Shelf]:
    bench = copy_of(founded, tmp_path_factory.mktemp("shelf") / "office")
    filed = file_report(bench)
    files = fill(filed, request.param)
    holder = min(filed.holders()["content"] & set(ROLES))
    files["content"].append(exhibits.add(filed, holder, b"jawaban kantor"))
    with served(bench) as site:
        mine = Receipt("", filed.receipt.ticket, list(filed.receipt.words))
        actors = {role: site.officer(role) for role in ROLES}
        actors[REPORTER] = visits.enter(site.visit(), mine)
        actors["other reporter"] = site.reporter()[0]
        actors["nobody"] = site.visit()
        yield Shelf(site, filed, files, actors)
    close(bench)


def faceless(visit: Visit) -> str:
    """A page without what is random on it."""
    return re.sub(r"[0-9a-f]{8,}|value=\"[^\"]*\"", "", visit.text)


def test_officers_reach_exactly_the_files_of_the_compartments_that_they_hold(shelf: Shelf) -> None:
    for role in ROLES:
        held, visit = shelf.held(role), shelf.actors[role]
        unknown = visit.open(f"/petugas/berkas/{HEX}/bukti")
        lost = (unknown.status, faceless(unknown))
        assert unknown.status == 404
        for path in (shelf.path, f"{shelf.path}/lembar"):
            visit.open(path)
            if not held:
                assert (visit.status, faceless(visit)) == lost, role
        listed = visit.open(shelf.path).text
        for room, ids in shelf.files.items():
            for file_id in ids:
                assert (file_id in listed) is (room in held), (role, room)
            one = f"{shelf.path}/{ids[0]}"
            assert (visit.open(one).status == 200) is (room in held), (role, room)
            for way_in in ("/asli", "/salinan", "/putar", "/gambar/1"):
                assert visit.open(one + way_in).status == 404, (role, room, way_in)
                assert held or faceless(visit) == lost[1], (role, way_in)


def test_what_is_refused_leaves_nothing(shelf: Shelf) -> None:
    """Examining, giving a reason, adding in one form or in parts, finishing, cancelling."""
    for role in ROLES:
        held, visit = shelf.held(role), shelf.actors[role]
        if held:
            visit.open(shelf.path)
        pairs, before = shelf.guard(role), shelf.site.state()
        for room in ROOMS:
            if room in held:
                continue
            statuses = {403, 404} if held else {404}
            body = body_of([*pairs, ("room", room)], [File("x.txt", b"x")])
            visit.post_raw(shelf.path, body, MULTIPART)
            assert visit.status in statuses, (role, room)
            declared = {"name": "x", "type": "", "size": "9", "modified": "1", "room": room}
            visit.post(f"{shelf.path}/mulai", [*pairs, *declared.items()])
            assert visit.status in statuses, (role, room)
            for file_id in shelf.files.get(room, [HEX]):
                for act in ("periksa", "asli"):
                    form = [*pairs, ("reason", "ingin tahu")]
                    visit.post(f"{shelf.path}/{file_id}/{act}", form)
                    assert visit.status == 404, (role, room, act)
        for act in ("selesai", "bagian/1"):
            visit.post(
                f"{shelf.path}/unggahan/{HEX}/{act}", pairs, {"suaka-csrf": dict(pairs)["csrf"]}
            )
            assert visit.status == 404, (role, act)
        if not held:
            assert visit.post(f"{shelf.path}/lembar", pairs).status == 404
        assert shelf.site.state() == before, f"{role} left something behind"


def test_who_holds_a_file_can_do_everything_with_it(shelf: Shelf) -> None:
    """Examine it, open the original with a reason, and add another beside it."""
    tried: set[str] = set()
    for role in ROLES:
        visit = shelf.actors[role]
        for room in shelf.held(role) & set(shelf.files) - tried:
            tried.add(room)
            one = f"{shelf.path}/{shelf.files[room][0]}"
            assert visit.open(one).send(f"{one}/periksa").status == 303, (role, room)
            assert visit.open(f"{one}/asli").status == 404
            visit.open(one).send(f"{one}/asli", {"reason": "Perlu forensik"})
            assert visit.status == 303, (role, room)
            assert visit.open(f"{one}/asli").status == 200, (role, room)
            name = f"{role}-{room}.txt"
            send_files(visit, shelf.path, [File(name, name.encode())], room)
            assert (visit.status, name in visit.follow().text) == (303, True), (role, room)


def test_a_reporter_reaches_their_own_files_and_no_others(shelf: Shelf) -> None:
    """Of their own case what officers sent them; never what lies elsewhere, or their own again."""
    own, sent = shelf.files["content"]
    elsewhere = [one for room, ids in shelf.files.items() if room != "content" for one in ids]
    mine, other = shelf.actors[REPORTER], shelf.actors["other reporter"]
    assert mine.open(f"{ROOM}/{sent}").answer.content == b"jawaban kantor"
    for file_id in (own, *elsewhere):
        assert mine.open(f"{ROOM}/{file_id}").status == 404
    for file_id in (own, sent, *elsewhere):
        assert other.open(f"{ROOM}/{file_id}").status == 404
        assert file_id not in other.open(ROOM).text
        assert (file_id in mine.open(ROOM).text) is (file_id == sent)
    pairs = [p for p in mine.open(ROOM).filled(ROOM, {}) if p[0] != "files"]
    before = shelf.site.state()
    for room in ROOMS[1:]:
        body = body_of([*pairs, ("room", room)], [File("x.txt", b"x")])
        assert mine.post_raw(ROOM, body, MULTIPART).status in {403, 404}, room
    assert shelf.site.state() == before


def test_an_unfinished_file_is_its_senders_alone(shelf: Shelf) -> None:
    """Nobody else adds a part to it, ends it, or sees its name; not even who holds the case."""
    mine = shelf.actors[REPORTER]
    pairs = [p for p in mine.open(ROOM).filled(ROOM, {}) if p[0] != "files"]
    declared = {"name": "setengah.mp4", "type": "", "size": "9", "modified": "1"}
    upload = mine.post(f"{ROOM}/mulai", [*pairs, *declared.items()]).answer.json()["id"]
    assert "setengah.mp4" in mine.open(ROOM).text
    before = shelf.site.state(log=False)
    other = shelf.actors["other reporter"]
    guard = [p for p in other.open(ROOM).filled(ROOM, {}) if p[0] != "files"]
    strangers = [(other, ROOM, guard)]
    strangers += [
        (shelf.actors[role], shelf.path, shelf.guard(role)) for role in ROLES if shelf.held(role)
    ]
    for visit, base, token in strangers:
        for act in ("bagian/1", "selesai", "batal"):
            headers = {"suaka-csrf": dict(token)["csrf"]}
            visit.post(f"{base}/unggahan/{upload}/{act}", token, headers)
            assert visit.status == (303 if act == "batal" else 404), (base, act)
        assert "setengah" not in visit.open(base).text
    assert shelf.site.state(log=False) == before


def test_who_recused_themselves_knows_of_no_file_any_more(founded: Bench, tmp_path: Path) -> None:
    bench = copy_of(founded, tmp_path / "office")
    filed = file_report(bench)
    files = fill(filed, "diteruskan")
    with served(bench) as site:
        visit = site.officer("irban")
        case = f"/petugas/berkas/{filed.case_id}"
        one = f"{case}/bukti/{files['investigation'][0]}"
        visit.open(one).send(f"{one}/asli", {"reason": "Perlu forensik"})
        assert visit.open(f"{one}/asli").status == 200
        action = f"{case}/lepas"
        fields = {
            c.name: "ya" for c in visit.open(case).form(action).controls if c.kind == "checkbox"
        }
        visit.send(action, {**fields, "reason": "Kerabat terlapor"})
        assert visit.status == 303, visit.text
        lost = faceless(visit.open(f"/petugas/berkas/{HEX}/bukti"))
        for address in (f"{case}/bukti", f"{case}/bukti/lembar", one, f"{one}/asli"):
            assert (visit.open(address).status, faceless(visit)) == (404, lost), address
    close(bench)


def test_strangers_are_sent_to_the_door(shelf: Shelf) -> None:
    for address, door in (
        (shelf.path, "/petugas/masuk"),
        (f"{shelf.path}/{shelf.files['content'][0]}/asli", "/petugas/masuk"),
        (f"{ROOM}/{shelf.files['content'][1]}", "/masuk"),
    ):
        visit = shelf.actors["nobody"].open(address)
        assert (visit.status, visit.location) == (303, door)
