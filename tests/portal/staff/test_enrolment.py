"""An invited officer enrols without a session; what does not fit is refused without a word why."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from casework.keys import factors, invitations
from casework.keys.invitations import LIFETIME_SECONDS
from tests.canary import sweep
from tests.casework.cases import copy_of, together
from tests.casework.codes import code_at, with_second_factor
from tests.casework.office import Bench, passphrase_of
from tests.portal.sites import Site, served
from tests.portal.staff import walks
from tests.portal.staff.walks import FINISH, FRASA, START
from tests.portal.visits import Visit


@pytest.fixture
def strict(founded: Bench, tmp_path: Path) -> Iterator[Site]:
    """A portal that asks newcomers for a second factor; nobody signs in here."""
    bench = with_second_factor(copy_of(founded, tmp_path / "office"))
    with served(bench) as site:
        yield site


def invited(site: Site, username: str = "baru", role: str = "tim") -> str:
    """A code, made past the pages: on a strict portal no officer of the test has a factor."""
    invitee = invitations.Invitee(username, f"Contoh {username.title()}", "Auditor", (role,), "")
    with site.bench.office.write() as uow:
        return invitations.invite(uow, site.bench["admin"], invitee).code


def invitation_of(site: Site, username: str) -> str:
    query = "SELECT id FROM invitation WHERE username = :name"
    return str(site.scalar(query, name=username))


def enter(site: Site, code: str) -> Visit:
    return site.visit().open(START).send(START, {"invitation": code})


def test_the_page_shows_who_is_meant(portal: Site) -> None:
    visit = enter(portal, invited(portal))
    assert visit.status == 200
    for text in ("Contoh Baru", "Auditor", "Tim", "baru"):
        assert text in visit.text
    assert "set-cookie" not in visit.answer.headers


def test_the_code_is_never_in_an_address(portal: Site) -> None:
    code = invited(portal)
    visit = enter(portal, code)
    assert code not in str(visit.answer.url)
    assert not re.findall(rf'(?:href|action)="[^"]*{code}', visit.text)
    assert portal.visit().open(f"{START}?invitation={code}").text == portal.visit().open(START).text


def test_without_a_second_factor_a_passphrase_is_enough(portal: Site) -> None:
    newcomer = walks.enrol(portal, invited(portal))
    assert len(newcomer.words) == 8
    assert newcomer.codes == []
    assert portal.count("invitation") == 1
    assert portal.scalar("SELECT count(*) FROM invitation WHERE person IS NOT NULL") == 1


def test_with_one_the_way_leads_over_the_authenticator(strict: Site) -> None:
    before = strict.count("person")
    code = invited(strict)
    visit = walks.choose(strict.visit(), code, passphrase_of("baru"))
    assert "<svg" in visit.text
    assert strict.count("person") == before, "keys before everything was confirmed"
    secret = walks.secret_on(visit)
    visit.send(FINISH, {"new_code": code_at(secret, strict.clock.now)})
    assert visit.status == 200
    assert len(walks.words_on(visit, 8)) == 8
    assert len(walks.sheet_on(visit)) == factors.CODES
    assert strict.count("person") == before + 1
    assert strict.count("factor") == 1


def test_a_wrong_code_of_the_authenticator_makes_nothing(strict: Site) -> None:
    visit = walks.choose(strict.visit(), invited(strict), passphrase_of("baru"))
    secret = walks.secret_on(visit)
    right = code_at(secret, strict.clock.now)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    before = strict.state()
    visit.send(FINISH, {"new_code": wrong})
    assert visit.status == 422
    assert "tidak cocok" in visit.text
    assert strict.state() == before
    assert walks.secret_on(visit) == secret
    assert visit.send(FINISH, {"new_code": right}).status == 200


def test_a_clock_that_is_off_is_named(strict: Site) -> None:
    visit = walks.choose(strict.visit(), invited(strict), passphrase_of("baru"))
    code = code_at(walks.secret_on(visit), strict.clock.now)
    strict.clock.advance(hours=2)
    visit.send(FINISH, {"new_code": code})
    assert visit.status == 422
    assert "jam dan zona waktu" in visit.text


@pytest.mark.parametrize(
    ("passphrase", "again", "told"),
    [
        ("pendek", "pendek", "15 sampai 256"),
        ("operator inspektorat contoh auditor", "", "terlalu mudah ditebak"),
        (passphrase_of("baru"), passphrase_of("lain"), "tidak sama"),
    ],
)
def test_a_passphrase_that_will_not_do_is_refused_and_not_sent_back(
    portal: Site, passphrase: str, again: str, told: str
) -> None:
    visit = enter(portal, invited(portal))
    visit.send(FRASA, {"passphrase": passphrase, "passphrase_again": again or passphrase})
    assert visit.status == 422
    assert told in visit.text
    assert passphrase not in visit.text
    assert portal.count("enrolment") == 7


class TestDrawn:
    def test_some_roles_get_their_passphrase_drawn_and_type_it_back(self, strict: Site) -> None:
        visit = enter(strict, invited(strict, role="irban"))
        words = walks.words_on(visit, 7)
        visit.send(FRASA)
        assert not any(" ".join(two) in visit.text for two in pairwise(words)), "shown twice"
        assert not any(f"<li>{word}</li>" in visit.text for word in words), "shown twice"
        visit.send(FRASA, {"passphrase": "  ".join(words).upper()})
        assert visit.has_form(FINISH)
        secret = walks.secret_on(visit)
        visit.send(FINISH, {"new_code": code_at(secret, strict.clock.now)})
        assert visit.heading == "Kunci Anda sudah dibuat"

    def test_other_words_are_refused_and_new_ones_can_be_drawn(self, strict: Site) -> None:
        visit = enter(strict, invited(strict, role="irban"))
        first = walks.words_on(visit, 7)
        visit.send(FRASA).send(FRASA, {"passphrase": passphrase_of("baru")})
        assert visit.status == 422
        assert "Ini bukan frasa sandi yang ditampilkan" in visit.text
        assert first[0] not in visit.text
        visit.send(START)
        assert walks.words_on(visit, 7) != first

    def test_nobody_chooses_where_it_is_drawn(self, strict: Site) -> None:
        """Not even by sending what the other page would send."""
        visit = enter(strict, invited(strict, role="inspektur"))
        secret = passphrase_of("baru")
        code = visit.value(FRASA, "invitation")
        fields = {"invitation": code, "passphrase": secret, "passphrase_again": secret}
        visit.post(FRASA, fields)
        assert not visit.has_form(FINISH)
        walks.words_on(visit, 7)

    def test_two_visits_with_one_code_draw_different_words(self, strict: Site) -> None:
        """So whoever printed the code and reads the pepper does not know them."""
        code = invited(strict, role="irban")
        assert walks.words_on(enter(strict, code), 7) != walks.words_on(enter(strict, code), 7)


class TestRefusals:
    def test_every_invitation_that_does_not_work_is_answered_alike(self, portal: Site) -> None:
        admin = portal.officer("admin")
        used, old, withdrawn = (invited(portal, name) for name in ("satu", "dua", "tiga"))
        walks.enrol(portal, used, "satu")
        withdraw = f"{walks.INVITE}/{invitation_of(portal, 'tiga')}/cabut"
        assert admin.open(walks.PEOPLE).send(withdraw).status == 303
        portal.clock.advance(seconds=LIFETIME_SECONDS)
        forged = ("1" if used[0] != "1" else "2") + used[1:]
        answers = set()
        for code in (used, old, withdrawn, forged, "0000", "", "x" * 5000):
            for form in (START, FRASA, FINISH):
                visit = portal.visit().post(form, {"invitation": code, "passphrase": "x"})
                answers.add((visit.status, visit.text))
        assert len(answers) == 1
        ((status, page),) = answers
        assert status == 422
        assert "Undangan ini tidak berlaku." in page

    def test_an_invitation_of_another_instance_is_unknown(
        self, portal: Site, founded: Bench, tmp_path: Path
    ) -> None:
        other = copy_of(founded, tmp_path / "other")
        with served(other) as elsewhere:
            code = invited(elsewhere)
        assert enter(portal, code).status == 422

    def test_two_browsers_race_and_one_wins(self, strict: Site) -> None:
        code = invited(strict)
        visits = [
            walks.choose(strict.visit(), code, passphrase_of(name)) for name in ("satu", "dua")
        ]
        codes = [code_at(walks.secret_on(visit), strict.clock.now) for visit in visits]

        def finish(number: int) -> Visit:
            return visits[number].send(FINISH, {"new_code": codes[number]})

        together(2, finish)
        assert sorted(visit.status for visit in visits) == [200, 422]
        loser = next(visit for visit in visits if visit.status == 422)
        assert "Undangan ini tidak berlaku." in loser.text
        assert strict.count("enrolment") == 8

    def test_the_last_page_can_be_asked_for_again_by_whoever_made_it(self, strict: Site) -> None:
        """The connection may die before the answer arrives: nothing is lost by sending again."""
        visit = walks.choose(strict.visit(), invited(strict), passphrase_of("baru"))
        sent = visit.filled(FINISH, {"new_code": code_at(walks.secret_on(visit), strict.clock.now)})
        first = visit.post(FINISH, sent).text
        assert visit.post(FINISH, sent).text == first
        assert strict.count("enrolment") == 8

    def test_withdrawn_before_the_last_page_it_is_refused(self, strict: Site) -> None:
        visit = walks.choose(strict.visit(), invited(strict), passphrase_of("baru"))
        strict.tamper("UPDATE invitation SET withdrawn = 1")
        visit.send(FINISH, {"new_code": code_at(walks.secret_on(visit), strict.clock.now)})
        assert visit.status == 422
        assert "Undangan ini tidak berlaku." in visit.text
        assert strict.count("enrolment") == 7

    @pytest.mark.parametrize("roles", ["admin,operator", "raja", "operator,pengawas"])
    def test_roles_that_no_admin_could_print_enrol_nobody(self, strict: Site, roles: str) -> None:
        code = invited(strict)
        strict.tamper("UPDATE invitation SET roles = :roles", roles=roles)
        visit = walks.choose(strict.visit(), code, passphrase_of("baru"))
        visit.send(FINISH, {"new_code": code_at(walks.secret_on(visit), strict.clock.now)})
        assert visit.status == 422
        assert strict.count("enrolment") == 7

    def test_raised_roles_stand_on_the_officers_page(self, portal: Site) -> None:
        """The attack: an admin edits the row after printing; the officer reads what is stored."""
        code = invited(portal)
        portal.tamper("UPDATE invitation SET roles = 'inspektur'")
        assert "Inspektur" in enter(portal, code).text

    def test_steps_cannot_be_skipped(self, strict: Site) -> None:
        code = invited(strict)
        for kept in ("", "x", "A" * 2000):
            visit = strict.visit().post(
                FINISH, {"invitation": code, "kept": kept, "new_code": "123456"}
            )
            assert visit.status == 422
        assert strict.count("enrolment") == 7

    def test_what_one_visit_carries_opens_under_no_other_code(self, strict: Site) -> None:
        mine, other = invited(strict, "satu"), invited(strict, "dua")
        visit = walks.choose(strict.visit(), mine, passphrase_of("satu"))
        kept = visit.value(FINISH, "kept")
        code = code_at(walks.secret_on(visit), strict.clock.now)
        visit.post(FINISH, {"invitation": other, "kept": kept, "new_code": code})
        assert visit.status == 422
        assert strict.count("enrolment") == 7


def test_nothing_that_travels_lies_open_on_server_or_page(strict: Site) -> None:
    """Passphrase, secret and recovery codes: sealed in the page, nowhere on the disk."""
    code = invited(strict)
    passphrase = passphrase_of("baru")
    visit = walks.choose(strict.visit(), code, passphrase)
    assert passphrase not in visit.text
    secret = walks.secret_on(visit)
    visit.send(FINISH, {"new_code": code_at(secret, strict.clock.now)})
    secrets = [code, code.replace("-", ""), passphrase, secret, *walks.sheet_on(visit)]
    assert len(secrets) == 4 + factors.CODES
    assert sweep([strict.bench.folder], secrets) == []
