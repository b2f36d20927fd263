"""An officer's own address: one plain address, set and removed with a trace, never in the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from casework.audit.verify import verify
from casework.errors import Denied, InvalidInput
from casework.notices import addresses
from tests.casework.cases import Filed, leave
from tests.casework.office import Bench

ADDRESS = "contoh.operator@inspektorat.contoh.go.id"

GOOD = (
    ADDRESS,
    "a@b.id",
    "o'brien+wbs@mail-1.contoh.go.id",
    f"{'a' * 64}@contoh.go.id",
)
BAD = (
    "",
    "a",
    "a@b",
    "@contoh.go.id",
    "a@",
    "a b@contoh.go.id",
    " a@contoh.go.id",
    "a@contoh.go.id ",
    "a@contoh.go.id\n",
    "a@contoh.go.id\r\nBcc: b@contoh.go.id",
    "a\r\nRCPT TO:<b@c.id>@contoh.go.id",
    "a@contoh.go.id,b@contoh.go.id",
    "Nama <a@contoh.go.id>",
    "<a@contoh.go.id>",
    "a@b@contoh.go.id",
    ".a@contoh.go.id",
    "a.@contoh.go.id",
    "a..b@contoh.go.id",
    '"a b"@contoh.go.id',
    "a(komentar)@contoh.go.id",
    "a@-contoh.go.id",
    "a@contoh-.go.id",
    "a@contoh..id",
    "a@[127.0.0.1]",
    "ä@contoh.go.id",
    "a@contöh.go.id",
    "a@contoh.go.id\x00",
    f"{'a' * 65}@contoh.go.id",
    f"a@{'b' * 64}.id",
    f"a@{'b.' * 125}contoh.id",
)


@pytest.mark.parametrize("address", GOOD)
def test_a_plain_address_is_one(address: str) -> None:
    assert addresses.is_address(address)


@pytest.mark.parametrize("address", BAD)
def test_everything_else_is_refused(bench: Bench, address: str) -> None:
    """No list, no name, no quoting, no line end: nothing that could become another header."""
    assert not addresses.is_address(address)
    if address:
        with pytest.raises(InvalidInput) as refused, bench.office.write() as uow:
            addresses.change(uow, bench["operator"], address)
        assert refused.value.errors == {"address": "notice.address"}
        assert stored(bench) == []


@given(st.text(max_size=300))
def test_no_address_holds_a_space_a_control_or_a_bracket(text_: str) -> None:
    for candidate in (text_, f"a{text_}@contoh.go.id", f"a@contoh{text_}.id"):
        if addresses.is_address(candidate):
            assert candidate.isascii()
            assert candidate.isprintable()
            assert not set(candidate) & set(' \t,;:<>()[]"\\')
            assert candidate.count("@") == 1


def stored(bench: Bench) -> list[tuple[str, str, int]]:
    with bench.office.read() as uow:
        query = "SELECT person, address, upto FROM notice_address"
        return [tuple(row) for row in uow.session.execute(text(query))]


def change(bench: Bench, user: str, address: str) -> None:
    with bench.office.write() as uow:
        addresses.change(uow, bench[user], address)


def events(bench: Bench) -> list[tuple[str, str]]:
    with bench.office.read() as uow:
        query = "SELECT actor, body FROM leaf WHERE event = 'notice_address_changed'"
        return [tuple(row) for row in uow.session.execute(text(query))]


def test_set_changed_and_removed_each_with_one_leaf(bench: Bench) -> None:
    """What is new counts from the change on; the same address again is no change."""
    person = bench["operator"].person_id
    for step, address in enumerate(("a@b.id", ADDRESS, ADDRESS), start=1):
        change(bench, "operator", address)
        assert len(events(bench)) == min(step, 2)
        ((_, kept, upto),) = stored(bench)
        assert kept == address
        with bench.office.read() as uow:
            assert upto == uow.session.scalar(text("SELECT max(number) + 1 FROM leaf"))
            assert addresses.own(uow, bench["operator"]) == address
            assert addresses.own(uow, bench["verifikator"]) == ""
    change(bench, "operator", "")
    change(bench, "operator", "")
    assert stored(bench) == []
    assert [actor for actor, _ in events(bench)] == [person] * 3
    assert not [body for _, body in events(bench) if "@" in body or "contoh" in body]
    with bench.office.read() as uow:
        assert verify(uow).sound


def test_neither_a_reporter_nor_who_left_has_one(filed: Filed) -> None:
    with pytest.raises(Denied), filed.bench.office.write() as uow:
        addresses.change(uow, filed.reporter, ADDRESS)
    leave(filed.bench, "operator")
    filed.bench.clock.advance(days=1)
    with pytest.raises(Denied):
        change(filed.bench, "operator", ADDRESS)
    assert stored(filed.bench) == []
