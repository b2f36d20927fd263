"""Role x route x compartment: who may do and read what, derived from profile and grants alone.

The expectation is computed here from the profile's tables and the grant rows, not by asking the
code under test; whatever is refused must leave every table as it was.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from casework.law.profile import Profile
from casework.law.schema import Transition
from casework.law.vocabulary import Need
from tests.casework.cases import STATES, Filed, copy_of, file_report
from tests.casework.conftest import close
from tests.casework.office import ROLES, START, Bench, make_office
from tests.portal import visits
from tests.portal.sites import Site, served
from tests.portal.visits import Receipt, Visit

CANARIES = {
    "content": "Kanari isi laporan",
    "handling": "Catatan penanganan",
    "investigation": "Catatan analyse",
}
CONTENT_PARTS = {"content", "handling", "investigation", "aph"}
SITUATIONS = (*STATES, "overdue", "review", "rated")
"""Every state of the profile, and the three circumstances on which transitions depend."""

Cookies = Mapping[str, Mapping[str, str]]
"""Each actor's cookies, by name."""

REPORTER_ROUTES = {
    "lengkapi": ("completion", ("complete",)),
    "tinjau": ("review", ("request_review", "request_review_overdue")),
    "nilai": ("rating", ("rate",)),
}


Pairs = list[tuple[str, str]]
Allowed = tuple[str, str, Pairs]
"""Who may do it, the form's address, and what is typed into it."""


@dataclass
class Case:
    """One case behind a portal, with everybody who may come near it signed in."""

    site: Site
    filed: Filed
    actors: Mapping[str, Visit]
    guards: dict[str, Pairs] = field(default_factory=dict)
    """What each actor's forms carry against forgery: the same on every page of a session."""

    @property
    def profile(self) -> Profile:
        return self.filed.profile

    @property
    def path(self) -> str:
        return f"/petugas/berkas/{self.filed.case_id}"


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_office(tmp_path_factory.mktemp("founded") / "office")


def prepare(filed: Filed, situation: str) -> None:
    if situation == "overdue":
        filed.bench.clock.advance(days=120)
    elif situation == "review":
        filed.bring_to("ditolak")
        filed.do("reporter", "request_review")
    elif situation == "rated":
        filed.bring_to("selesai")
        filed.do("reporter", "rate")
    else:
        filed.bring_to(situation)


@contextmanager
def opened(template: Filed, folder: Path, cookies: Cookies) -> Iterator[Case]:
    """The same case on a copy of its office, everybody still signed in.

    A session lies in the copied files and in its cookie, nowhere else: the copies are as
    independent of each other as offices in which everybody signs in anew, for a tenth of the time.
    """
    bench = copy_of(template.bench, folder)
    filed = Filed(bench, template.case_id, template.reporter, template.receipt, template.token)
    with served(bench) as site:
        actors = {name: site.visit() for name in cookies}
        for name, visit in actors.items():
            visit.client.cookies.update(dict(cookies[name]))
        yield Case(site, filed, actors)
    close(bench)
    bench.office.sessions.close()


def sign_in_all(template: Filed) -> Cookies:
    """Sign everybody in who may come near the case; a second reporter comes by."""
    with served(template.bench) as site:
        other = visits.report(site.visit())
        mine = Receipt("", template.receipt.ticket, list(template.receipt.words))
        actors = {role: site.officer(role) for role in ROLES}
        actors |= {
            "nobody": site.visit(),
            "reporter": visits.enter(site.visit(), mine),
            "other reporter": visits.enter(site.visit(), other),
        }
        return {name: dict(visit.client.cookies) for name, visit in actors.items()}


def holds(case: Case) -> dict[str, set[str]]:
    """Role -> compartments that it holds whole, from the grant rows."""
    found: dict[str, set[str]] = {role: set() for role in (*ROLES, "reporter")}
    for compartment, names in case.filed.holders().items():
        for name in names & set(found):
            found[name].add(compartment)
    return found


def happened(case: Case) -> tuple[set[str], dict[str, int], bool]:
    """Flags that are up, how often each transition was taken, whether a date has passed."""
    flags = {str(row[0]) for row in case.filed.rows("SELECT flag FROM case_flag")}
    times: dict[str, int] = {}
    for leaf in case.filed.leaves():
        times[leaf["event"]] = times.get(leaf["event"], 0) + 1
    return flags, times, case.site.clock.now > START


def possible(case: Case, rule: Transition) -> bool:
    """Whether the case's situation allows a transition to somebody."""
    flags, times, late = happened(case)
    return (
        case.filed.state() in rule.from_
        and set(rule.only_if) <= flags
        and not set(rule.unless) & flags
        and (not rule.only_if_overdue or late)
        and (rule.at_most is None or times.get(rule.id, 0) < rule.at_most)
    )


def may_take(case: Case, role: str, rule: Transition, held: Mapping[str, set[str]]) -> bool:
    """Whether an officer of a role may take it: the profile names the role, the keys suffice."""
    tells = {Need.MESSAGE, Need.MISSING_ITEMS, Need.OUTCOME} & set(rule.requires)
    needed = {str(rule.record)} | {str(holding.compartment) for holding in rule.grants}
    needed |= {"content"} if tells or rule.tells_reason else set()
    made = {str(row[0]) for row in case.filed.rows(
        "SELECT kind FROM compartment WHERE case_id = :case"
    )}  # fmt: skip
    return (
        role in rule.by
        and bool(held[role] & CONTENT_PARTS)
        and needed & made <= held[role]
        and possible(case, rule)
    )


def fields_for(case: Case, actor: str, rule: Transition) -> Pairs:
    """A perfect form for an act, with whatever token this actor has."""
    given = visits.fields_of(case.profile, rule, case.site.bench["tim"].person_id)
    pairs = [
        (name, one)
        for name, value in given.items()
        for one in ([value] if isinstance(value, str) else value)
    ]
    return [*guard(case, actor), ("revision", str(case.filed.revision())), *pairs]


def guard(case: Case, actor: str) -> Pairs:
    """What a form of this actor's carries besides what is typed; read from a page once."""
    if actor not in case.guards:
        case.guards[actor] = _guard(case, actor)
    return case.guards[actor]


def _guard(case: Case, actor: str) -> Pairs:
    visit = case.actors[actor]
    if actor in ROLES:
        return visit.open("/petugas").filled("/petugas/keluar", {})
    if actor == "nobody":
        return []
    return [
        pair for pair in visit.open("/ruang").filled("/ruang/pesan", {}) if pair[0] != "message"
    ]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_actor_may_do_exactly_what_the_table_says(
    founded: Bench, tmp_path: Path, situation: str
) -> None:
    """Every role and stranger tries every transition of the profile, by every route there is."""
    bench = copy_of(founded, tmp_path / "template")
    template = file_report(bench, CANARIES["content"])
    prepare(template, situation)
    cookies = sign_in_all(template)
    allowed: list[Allowed] = []
    with opened(template, tmp_path / "refusals", cookies) as case:
        held = holds(case)
        before = case.site.state(log=False)
        for actor in case.actors:
            may_read(case, actor, held)
        noted_exactly(case, held)
        assert case.site.state(log=False) == before, "reading changed more than the log"
        before = case.site.state()
        for actor in case.actors:
            for rule in case.profile.transitions:
                path = f"{case.path}/tindakan/{rule.id}"
                if actor in ROLES and may_take(case, actor, rule, held):
                    allowed.append((actor, path, []))
                    continue
                visit = case.actors[actor].post(path, fields_for(case, actor, rule))
                assert visit.status in ({404, 409} if actor in ROLES else {303}), (actor, rule.id)
                assert actor in ROLES or visit.location == "/petugas/masuk"
            allowed += try_reporters_routes(case, actor)
            allowed += try_messages(case, actor, held)
        assert case.site.state() == before, "a refused act left something behind"
        offered_exactly(case, held)
        assert case.site.state() == before, "a page was noted twice on one day"
    for number, (actor, path, extra) in enumerate(allowed):
        with opened(template, tmp_path / str(number), cookies) as case:
            assert_done(case, actor, path, extra)
    close(bench)
    bench.office.sessions.close()


def try_reporters_routes(case: Case, actor: str) -> list[Allowed]:
    """Refused to everybody but the reporter; there, as the profile says."""
    allowed = []
    for route, (name, transitions) in REPORTER_ROUTES.items():
        rules = [case.profile.transition(one) for one in transitions]
        extra = [(name, "4" if name == "rating" else "Teks pelapor")]
        path = f"/ruang/{route}"
        if actor == "reporter" and any(possible(case, rule) for rule in rules):
            allowed.append((actor, path, extra))
            continue
        visit = case.actors[actor].post(path, [*guard(case, actor), *extra])
        if actor in {"reporter", "other reporter"}:
            assert visit.status == 409, (actor, route)
        else:
            assert (visit.status, visit.location) == (303, "/masuk"), (actor, route)
    return allowed


def try_messages(case: Case, actor: str, held: Mapping[str, set[str]]) -> list[Allowed]:
    """Officers write to the reporter if they hold the contents; strangers never."""
    if actor == "reporter":
        return [(actor, "/ruang/pesan", [("message", "Pesan pelapor")])]
    if actor == "other reporter":
        return []
    path, text = f"{case.path}/pesan", [("message", "Pesan petugas")]
    if actor in ROLES and "content" in held[actor]:
        return [(actor, path, text)]
    visit = case.actors[actor].post(path, [*guard(case, actor), *text])
    on_desk = actor in ROLES and bool(held[actor] & CONTENT_PARTS)
    assert visit.status == (403 if on_desk else 404 if actor in ROLES else 303)
    return []


def may_read(case: Case, actor: str, held: Mapping[str, set[str]]) -> None:
    """The case page opens for who holds a compartment, and shows only those held."""
    visit = case.actors[actor].open(case.path)
    if actor not in ROLES:
        assert (visit.status, visit.location) == (303, "/petugas/masuk")
        visit.open("/ruang")
        assert (CANARIES["content"] in visit.text) is (actor == "reporter")
        for internal in ("Catatan penanganan", "Catatan analyse", "catatan analyse"):
            assert internal not in visit.text
        return
    parts = held[actor] & CONTENT_PARTS
    assert visit.status == (200 if parts else 404), actor
    assert (case.filed.receipt.ticket in visit.open("/petugas").text) is bool(parts)
    visit.open(case.path)
    assert (CANARIES["content"] in visit.text) is ("content" in parts)
    analysed = any(leaf["event"] == "analyse" for leaf in case.filed.leaves())
    shown = CANARIES["investigation"].lower() in visit.text.lower()
    assert shown is (analysed and "investigation" in parts), actor
    handled = [leaf for leaf in case.filed.leaves() if leaf["event"] in {"accept", "reject"}]
    seen = "Ruang: Penanganan" in visit.text
    assert seen is (bool(handled) and "handling" in parts), actor


def noted_exactly(case: Case, held: Mapping[str, set[str]]) -> None:
    """Who read the case left one leaf that says so, and whoever was refused left none."""
    names = {one.person_id: user for user, one in case.site.bench.officers.items()}
    openings = [names[leaf["actor"]] for leaf in case.filed.leaves() if leaf["event"] == "opened"]
    assert sorted(openings) == sorted(role for role in ROLES if held[role] & CONTENT_PARTS)
    query = "SELECT count(*) FROM leaf WHERE event = 'opened'"
    assert case.site.scalar(query) == len(openings), "another case was noted as well"


def offered_exactly(case: Case, held: Mapping[str, set[str]]) -> None:
    """The page has a form for every act that is allowed, its article beside it, and no other."""
    for role in ROLES:
        if not held[role] & CONTENT_PARTS:
            continue
        visit = case.actors[role].open(case.path)
        prefix = f"{case.path}/tindakan/"
        forms = {form.attributes.get("action", "") for form in visit.page.forms}
        offered = {name.removeprefix(prefix) for name in forms if name.startswith(prefix)}
        rules = [r for r in case.profile.transitions if may_take(case, role, r, held)]
        assert offered == {rule.id for rule in rules}, role
        for rule in rules:
            article = rule.article.replace('"', "&#34;")
            assert f"Dasar: {article}" in visit.text, rule.id
        assert visit.has_form(f"{case.path}/pesan") is ("content" in held[role])


def assert_done(case: Case, actor: str, path: str, extra: Pairs) -> None:
    """What the table allows, happens: one leaf more, and the state that the profile names."""
    leaves, state = len(case.filed.leaves()), case.filed.state()
    name = path.rpartition("/")[2]
    if "/tindakan/" in path:
        rule = case.profile.transition(name)
        visit = case.actors[actor].post(path, fields_for(case, actor, rule))
        wanted = rule.target(state)
    else:
        visit = case.actors[actor].post(path, [*guard(case, actor), *extra])
        wanted = "terkirim" if name == "lengkapi" else state
    assert visit.status == 303, (actor, path, visit.heading)
    assert len(case.filed.leaves()) == leaves + 1
    assert case.filed.state() == wanted
