"""Officers see their own sessions and end any of them; nobody else's."""

import re

from tests.portal.sites import Site
from tests.portal.visits import Visit

PATH = "/petugas/sesi"
ONE, OTHERS, ALL = f"{PATH}/akhiri-satu", f"{PATH}/akhiri-lain", f"{PATH}/akhiri"


def rows(visit: Visit) -> list[tuple[str, bool]]:
    """Name of each session on the page, and whether it is marked as the one in use."""
    body = visit.open(PATH).text.split("<tbody")[1].split("</tbody")[0]
    return [
        (re.findall(r'name="session" value="([0-9a-f]{64})"', row)[0], "sesi ini</span>" in row)
        for row in body.split("<tr")[1:]
    ]


def alive(visit: Visit) -> bool:
    return visit.open("/petugas").status == 200


def end(visit: Visit, name: str) -> Visit:
    csrf = visit.open(PATH).value(ALL, "csrf")
    return visit.post(ONE, {"csrf": csrf, "session": name})


def test_the_session_in_use_is_marked_and_days_are_shown(portal: Site) -> None:
    """Each browser sees its own mark; the start is a day, the last use a time."""
    one = portal.officer("irban")
    portal.clock.advance(minutes=3)
    two = portal.officer("irban")
    assert sorted(mark for _, mark in rows(one)) == [False, True]
    assert dict(rows(one)) == {name: not mark for name, mark in rows(two)}
    text = one.open(PATH).text.replace("\xa0", " ")
    assert '<td role="cell" data-label="Dimulai">23 November 2026' in text
    assert re.search(r"23 November 2026 \d\d\.\d\d</td>", text)


def test_any_single_session_can_be_ended(portal: Site) -> None:
    one, two, three = (portal.officer("irban") for _ in range(3))
    other = portal.officer("tim")
    name = next(name for name, mark in rows(two) if mark)
    assert end(one, name).location == PATH
    assert [alive(visit) for visit in (one, two, three, other)] == [True, False, True, True]
    assert end(one, name).location == PATH, "it has ended already: as good"


def test_ending_the_one_in_use_signs_out(portal: Site) -> None:
    one, two = portal.officer("irban"), portal.officer("irban")
    name = next(name for name, mark in rows(one) if mark)
    end(one, name)
    assert one.location == "/petugas/masuk"
    assert "petugas" not in one.client.cookies
    assert [alive(one), alive(two)] == [False, True]


def test_all_others_can_be_ended(portal: Site) -> None:
    """The button is there only where there are others."""
    one, two, other = (portal.officer(name) for name in ("irban", "irban", "tim"))
    assert one.open(PATH).has_form(OTHERS)
    one.send(OTHERS)
    assert one.location == PATH
    assert [alive(visit) for visit in (one, two, other)] == [True, False, True]
    assert not one.open(PATH).has_form(OTHERS)


def test_a_colleagues_session_is_out_of_reach(portal: Site) -> None:
    """Knowing its name is not enough; nor does a name of any other shape do harm."""
    one, other = portal.officer("irban"), portal.officer("tim")
    name = next(name for name, mark in rows(other) if mark)
    for given in (name, "", "zz", "00" * 32, "é", name.upper(), f"{name}00"):
        assert end(one, given).status == 303
    assert alive(one)
    assert alive(other)


def test_ending_needs_the_token(portal: Site) -> None:
    one, two = portal.officer("irban"), portal.officer("irban")
    foreign = two.open(PATH).value(ALL, "csrf")
    name = next(name for name, mark in rows(two) if mark)
    for path in (ONE, OTHERS, ALL):
        for token in ("", "x", foreign):
            assert one.post(path, {"csrf": token, "session": name}).status == 403
    assert alive(one)
    assert alive(two)


def test_the_name_of_a_session_opens_nothing(portal: Site) -> None:
    """It stands on a page; as a cookie it is none."""
    one, thief = portal.officer("irban"), portal.visit()
    for name, _ in rows(one):
        thief.client.cookies.set("petugas", name)
        assert thief.open("/petugas").status == 303
