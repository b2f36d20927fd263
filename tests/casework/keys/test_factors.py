"""Second factors: each code once, by its owner alone, and nobody plants one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from casework.keys import factors
from casework.keys.factors import (
    CODES,
    FREE_MISSES,
    ClockOff,
    FactorMissing,
    NewFactor,
    Proof,
    TooManyCodes,
    WrongCode,
)
from casework.keys.tables import FactorRow
from casework.log.tables import Leaf
from casework.store.office import Office
from crypto import age, canonical
from crypto.labels import Purpose
from tests.canary import sweep
from tests.casework.cases import reopened, together
from tests.casework.codes import code_at, give_factor, give_factor_and_codes
from tests.casework.office import Bench

WRONG = "000000"


def wrong_for(bench: Bench, secret: str) -> str:
    """Six digits that are right at no half hour around now."""
    near = {
        code_at(secret, bench.clock.now + timedelta(minutes=30 * half, seconds=30 * step))
        for half in range(-30, 31)
        for step in (-2, -1, 0, 1, 2)
    }
    return next(code for code in (f"{number:06}" for number in range(1000)) if code not in near)


def prove(bench: Bench, typed: str, username: str = "irban", office: Office | None = None) -> Proof:
    return factors.prove(office or bench.office, bench[username], typed)


def row_of(bench: Bench, username: str) -> FactorRow:
    with bench.office.read() as uow:
        found = uow.session.get(FactorRow, bench[username].person_id)
        assert found is not None
        uow.session.expunge(found)
        return found


def test_a_code_of_the_moment_is_right_and_its_neighbours_are(bench: Bench) -> None:
    """Half a minute early or late is life; two steps are not."""
    secret = give_factor(bench, "irban")
    for seconds, accepted in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        with bench.office.write() as uow:
            factors.store(uow, bench["irban"], NewFactor(secret, ()), 0)
        code = code_at(secret, bench.clock.now + timedelta(seconds=seconds))
        if accepted:
            assert prove(bench, code) == Proof(None, 0)
        else:
            with pytest.raises(WrongCode):
                prove(bench, code)


@pytest.mark.parametrize("shape", ["{} {}", " {}{}\n", "{}\t{}"])
def test_spaces_in_a_code_do_not_matter(bench: Bench, shape: str) -> None:
    code = code_at(give_factor(bench, "irban"), bench.clock.now)
    prove(bench, shape.format(code[:3], code[3:]))


@pytest.mark.parametrize(
    "typed", ["", " ", "-", "12345", "1234567", "١٢٣٤٥٦", "\ud800", "a" * 70000]
)
def test_what_is_no_code_is_wrong(bench: Bench, typed: str) -> None:
    """Also an empty field, which no recovery code may equal."""
    give_factor_and_codes(bench, "irban")
    with pytest.raises(WrongCode):
        prove(bench, typed)


def test_a_code_works_once(bench: Bench) -> None:
    """Neither the same again, nor an older one that is still in time; and it is just wrong."""
    secret = give_factor(bench, "irban")
    older = code_at(secret, bench.clock.now - timedelta(seconds=30))
    code = code_at(secret, bench.clock.now)
    prove(bench, code)
    for replayed in (code, older):
        with pytest.raises(WrongCode) as refused:
            prove(bench, replayed)
        assert type(refused.value) is WrongCode
    bench.clock.advance(seconds=30)
    prove(bench, code_at(secret, bench.clock.now))


def test_the_same_code_sent_at_once_lets_one_in(bench: Bench) -> None:
    """Two processes, one code: the database decides, not luck."""
    secret = give_factor(bench, "irban")
    offices = [reopened(bench.office, bench.folder) for _ in range(4)]
    code = code_at(secret, bench.clock.now)
    came = together(4, lambda number: prove(bench, code, office=offices[number]))
    for office in offices:
        office.engine.dispose()
        office.keystore.engine.dispose()
    assert [type(one) for one in came].count(Proof) == 1
    assert [type(one) for one in came].count(WrongCode) == 3


def test_a_recovery_code_works_once_however_it_is_typed(bench: Bench) -> None:
    """Capitals, spaces and missing hyphens are forgiven; the count goes down."""
    made = give_factor_and_codes(bench, "irban")
    first, second = made.codes[:2]
    assert prove(bench, first.upper().replace("-", " ")) == Proof(CODES - 1, 0)
    with pytest.raises(WrongCode):
        prove(bench, first)
    assert prove(bench, second.replace("-", "")) == Proof(CODES - 2, 1)
    with bench.office.read() as uow:
        assert factors.codes_left(uow, bench["irban"]) == CODES - 2


def test_a_recovery_code_sent_at_once_lets_one_in(bench: Bench) -> None:
    made = give_factor_and_codes(bench, "irban")
    came = together(3, lambda _: prove(bench, made.codes[0]))
    assert [type(one) for one in came].count(Proof) == 1


def test_a_code_spent_is_not_a_code_remembered(bench: Bench) -> None:
    """A recovery code does not make a used code of the authenticator right again."""
    made = give_factor_and_codes(bench, "irban")
    code = code_at(made.secret, bench.clock.now)
    prove(bench, code)
    prove(bench, made.codes[0])
    with pytest.raises(WrongCode):
        prove(bench, code)


@pytest.mark.parametrize("hours", [7, -7, 1, -1, 0.5, -14, 14])
def test_a_clock_off_by_hours_is_told_with_its_direction(bench: Bench, hours: float) -> None:
    """Positive: the phone is ahead. The code is not accepted all the same."""
    secret = give_factor(bench, "irban")
    code = code_at(secret, bench.clock.now + timedelta(hours=hours))
    with pytest.raises(ClockOff) as off:
        prove(bench, code)
    assert off.value.hours == hours
    assert code not in str(off.value)


@pytest.mark.parametrize("minutes", [3, -3, 20, -20, 15 * 60])
def test_a_clock_off_by_minutes_or_days_is_plainly_wrong(bench: Bench, minutes: float) -> None:
    secret = give_factor(bench, "irban")
    with pytest.raises(WrongCode) as refused:
        prove(bench, code_at(secret, bench.clock.now + timedelta(minutes=minutes)))
    assert type(refused.value) is WrongCode


def test_after_five_wrong_codes_codes_are_looked_at_once_in_five_minutes(bench: Bench) -> None:
    """A guesser with the passphrase has a few tries an hour, and cannot draw out the wait."""
    secret = give_factor(bench, "irban")
    wrong = wrong_for(bench, secret)
    for _ in range(FREE_MISSES):
        with pytest.raises(WrongCode) as refused:
            prove(bench, wrong)
        assert type(refused.value) is WrongCode
    right = code_at(secret, bench.clock.now)
    for _ in range(3):
        with pytest.raises(TooManyCodes):
            prove(bench, right)
    bench.clock.advance(minutes=4, seconds=30)
    with pytest.raises(TooManyCodes):
        prove(bench, code_at(secret, bench.clock.now))
    bench.clock.advance(seconds=30)
    assert prove(bench, code_at(secret, bench.clock.now)) == Proof(None, FREE_MISSES)
    bench.clock.advance(seconds=30)
    assert prove(bench, code_at(secret, bench.clock.now)) == Proof(None, 0)


def test_each_look_after_that_costs_another_wait(bench: Bench) -> None:
    secret = give_factor(bench, "irban")
    wrong = wrong_for(bench, secret)
    for _ in range(FREE_MISSES):
        with pytest.raises(WrongCode):
            prove(bench, wrong)
    bench.clock.advance(minutes=5)
    with pytest.raises(WrongCode) as looked:
        prove(bench, wrong_for(bench, secret))
    assert type(looked.value) is WrongCode
    with pytest.raises(TooManyCodes):
        prove(bench, code_at(secret, bench.clock.now))


def test_a_recovery_code_is_looked_at_even_then(bench: Bench) -> None:
    """Whoever guesses locks nobody out; and the owner is told how often it was tried."""
    made = give_factor_and_codes(bench, "irban")
    wrong = wrong_for(bench, made.secret)
    for _ in range(FREE_MISSES):
        with pytest.raises(WrongCode):
            prove(bench, wrong)
    assert prove(bench, made.codes[3]) == Proof(CODES - 1, FREE_MISSES)


def test_a_deleted_factor_lets_nobody_in(bench: Bench) -> None:
    """An admin who deletes the row stops its officer, loudly, and no more."""
    secret = give_factor(bench, "irban")
    with bench.office.write() as uow:
        uow.session.execute(delete(FactorRow))
    with pytest.raises(FactorMissing):
        prove(bench, code_at(secret, bench.clock.now))


def test_a_planted_factor_is_not_even_opened(bench: Bench) -> None:
    """Sealing to an officer needs their recipient alone; signing needs them."""
    give_factor(bench, "irban")
    theirs = factors.new()
    body = canonical.encode(
        {
            "v": 1,
            "instance": bench.office.instance_id,
            "person": bench["irban"].person_id,
            "secret": theirs.secret,
            "codes": [],
        }
    )
    sealed = age.encrypt(body, [bench["irban"].person.identity.recipient])
    statement = {
        "instance": bench.office.instance_id,
        "person": bench["irban"].person_id,
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
    admins = bench["admin"].person.signing.sign(Purpose.FACTOR, statement)
    other_purpose = bench["irban"].person.signing.sign(Purpose.LEAF, statement)
    for signature in (row_of(bench, "irban").signature, admins, other_purpose, bytes(65)):
        with bench.office.write() as uow:
            uow.session.execute(
                update(FactorRow)
                .where(FactorRow.person == bench["irban"].person_id)
                .values(sealed=sealed, signature=signature)
            )
        with pytest.raises(FactorMissing):
            prove(bench, code_at(theirs.secret, bench.clock.now))
    own = bench["irban"].person.signing.sign(Purpose.FACTOR, statement)
    with bench.office.write() as uow:
        uow.session.execute(
            update(FactorRow)
            .where(FactorRow.person == bench["irban"].person_id)
            .values(signature=own)
        )
    prove(bench, code_at(theirs.secret, bench.clock.now))


def test_another_officers_factor_is_no_factor(bench: Bench) -> None:
    """A colleague's whole row, moved to another name."""
    secret = give_factor(bench, "tim")
    give_factor(bench, "irban")
    colleague = row_of(bench, "tim")
    with bench.office.write() as uow:
        uow.session.execute(
            update(FactorRow)
            .where(FactorRow.person == bench["irban"].person_id)
            .values(sealed=colleague.sealed, signature=colleague.signature)
        )
    with pytest.raises(FactorMissing):
        prove(bench, code_at(secret, bench.clock.now))


def test_a_factor_of_another_instance_is_no_factor(bench: Bench) -> None:
    """The same officer keys in two instances: what one signed, the other does not take."""
    secret = give_factor(bench, "irban")
    abroad = replace(bench.office, instance_id="f" * 32)
    with pytest.raises(FactorMissing):
        prove(bench, code_at(secret, bench.clock.now), office=abroad)


def test_a_new_factor_ends_the_old_one_and_its_codes(bench: Bench) -> None:
    """With one signed leaf by the officer, about nothing but that it was changed."""
    old = give_factor_and_codes(bench, "irban")
    made = NewFactor("A234" * 8, factors.new_codes())
    step = factors.confirm(
        made.secret, code_at(made.secret, bench.clock.now), int(bench.clock.now.timestamp())
    )
    with bench.office.write() as uow:
        factors.change(uow, bench["irban"], made, step)
    for gone in (code_at(old.secret, bench.clock.now), old.codes[0]):
        with pytest.raises(WrongCode):
            prove(bench, gone)
    with pytest.raises(WrongCode):
        prove(bench, code_at(made.secret, bench.clock.now))  # it has confirmed already
    prove(bench, made.codes[0])
    with bench.office.read() as uow:
        last = uow.session.query(Leaf).order_by(Leaf.number.desc()).first()
        assert last is not None
        assert (last.event, last.actor, last.case_id) == (
            "factor_changed",
            bench["irban"].person_id,
            None,
        )
        assert last.signature is not None
        assert made.secret not in str(last.body)


def test_new_codes_end_the_old_ones_and_nothing_else(bench: Bench) -> None:
    """Also used codes of the authenticator stay used."""
    made = give_factor_and_codes(bench, "irban")
    code = code_at(made.secret, bench.clock.now)
    prove(bench, code)
    codes = factors.new_codes()
    with bench.office.write() as uow:
        factors.change_codes(uow, bench["irban"], codes)
    for gone in (*made.codes, code):
        with pytest.raises(WrongCode):
            prove(bench, gone)
        bench.clock.advance(minutes=5)
    assert prove(bench, codes[0]).codes_left == CODES - 1


def test_codes_are_random_and_readable() -> None:
    """Ten of 59 bits, without letters that are mistaken for digits."""
    codes = [code for _ in range(20) for code in factors.new_codes()]
    assert len(set(codes)) == len(codes)
    pattern = re.compile(r"[2-9a-hjkmnp-z]{4}-[2-9a-hjkmnp-z]{4}-[2-9a-hjkmnp-z]{4}")
    assert all(pattern.fullmatch(code) for code in codes)
    assert factors.new().secret != factors.new().secret


def test_nothing_secret_is_shown_or_left(bench: Bench) -> None:
    """In no representation, no exception and no file, not even after a change."""
    made = give_factor_and_codes(bench, "irban")
    row = row_of(bench, "irban")
    shown = f"{made!r} {row!r} {bench['irban']!r}"
    try:
        prove(bench, WRONG)
    except WrongCode as refused:
        shown += f"{refused!r} {refused}"
    for secret in (made.secret, *made.codes):
        assert secret not in shown
    assert sweep([bench.folder], [made.secret, *made.codes]) == []


def test_what_authenticators_read_names_office_and_officer() -> None:
    found = factors.uri("Inspektorat Contoh", "irban", "A" * 32)
    assert found.startswith("otpauth://totp/Suaka%20Inspektorat%20Contoh:irban?")
    assert f"secret={'A' * 32}" in found
    assert "issuer=Suaka%20Inspektorat%20Contoh" in found
