"""A passphrase is changed in one step: before it the old one opens, after it the new one alone."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Engine

from casework.errors import Conflict, Denied, InvalidInput
from casework.keys import accounts, memory, passphrases, renewal
from casework.keys.renewal import Source, Typed
from casework.keys.sessions import Kind
from casework.keys.tables import Device, Wrap
from casework.log.tables import Leaf
from casework.store.engine import Unavailable
from tests.canary import sweep
from tests.casework.cases import leave, reopened, together
from tests.casework.office import Bench, passphrase_of
from tests.casework.store.test_office import full, locked

NEW = "lemari hujan kuda sepatu gerbang"
SOURCE = Source(bytes(range(32)), b"percobaan")


def opens(bench: Bench, username: str, passphrase: str) -> bool:
    keys = accounts.officer_keys(bench.office, username, passphrase)
    with bench.office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
    assert actor is None or actor.person.seed == bench[username].person.seed
    return actor is not None


def renew(bench: Bench, username: str = "operator", new: str = NEW, old: str | None = None) -> None:
    typed = Typed(passphrase_of(username) if old is None else old, new)
    renewal.renew(bench.office, bench[username], typed, None, keep=None)


def refused(bench: Bench, username: str, typed: Typed, source: Source | None) -> dict[str, str]:
    """The refusal, after which the old passphrase is in force and nothing was written."""
    before = leaves(bench)
    with pytest.raises(InvalidInput) as answer:
        renewal.renew(bench.office, bench[username], typed, source, keep=None)
    assert typed.new not in str(answer.value) or not typed.new
    assert opens(bench, username, passphrase_of(username))
    assert leaves(bench) == before
    return dict(answer.value.errors)


def leaves(bench: Bench) -> int:
    with bench.office.read() as uow:
        return uow.session.scalar(select(func.count()).select_from(Leaf)) or 0


def test_the_new_one_opens_the_same_keys_and_the_old_one_nothing(bench: Bench) -> None:
    """Also to a second officer's eyes nothing has changed but one signed leaf."""
    before = leaves(bench)
    renew(bench)
    assert opens(bench, "operator", NEW)
    assert not opens(bench, "operator", passphrase_of("operator"))
    assert opens(bench, "tim", passphrase_of("tim"))
    with bench.office.read() as uow:
        wraps = uow.session.scalars(
            select(Wrap).where(Wrap.person == bench["operator"].person_id)
        ).all()
        last = uow.session.scalars(select(Leaf).order_by(Leaf.number.desc())).first()
        assert len(wraps) == 1
        assert last is not None
        assert (last.event, last.actor) == ("passphrase_changed", bench["operator"].person_id)
        assert last.signature is not None
        assert hashlib.sha256(wraps[0].sealed).hexdigest() in str(last.body)
    assert leaves(bench) == before + 1
    memory_is_sound(bench, "operator", NEW)


def memory_is_sound(bench: Bench, username: str, passphrase: str) -> None:
    keys = accounts.officer_keys(bench.office, username, passphrase)
    with bench.office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        memory.check_and_update(uow, actor)


def test_other_sessions_end_and_devices_are_forgotten(bench: Bench) -> None:
    """The session of the change stays; nobody else's ends."""
    office, now = bench.office, int(bench.clock.now.timestamp())

    def begin(username: str) -> str:
        actor = bench[username]
        return office.sessions.open(Kind.STAFF, actor.person_id, actor.person.seed, now)

    mine, elsewhere, colleagues = begin("operator"), begin("operator"), begin("tim")
    kept = office.sessions.resume(mine, now)
    assert kept is not None
    with office.write() as uow:
        for number, username in enumerate(("operator", "operator", "tim")):
            device = Device(
                name_of_token=bytes([number] * 32),
                person=bench[username].person_id,
                seen_day=uow.today(),
            )
            uow.session.add(device)
    typed = Typed(passphrase_of("operator"), NEW)
    renewal.renew(office, bench["operator"], typed, None, keep=kept.name)
    assert [
        office.sessions.resume(one, now) is not None for one in (mine, elsewhere, colleagues)
    ] == [
        True,
        False,
        True,
    ]
    with office.read() as uow:
        assert uow.session.scalars(select(Device.person)).all() == [bench["tim"].person_id]


@pytest.mark.parametrize("old", ["salah", "", passphrase_of("tim"), NEW])
def test_without_the_old_one_nothing_changes(bench: Bench, old: str) -> None:
    """An open session, or a colleague's passphrase, is not enough."""
    assert refused(bench, "operator", Typed(old, NEW + " pagi"), None) == {
        "old": "passphrase_wrong"
    }


def test_everything_wrong_is_said_at_once(bench: Bench) -> None:
    assert refused(bench, "operator", Typed("salah", "pendek"), None) == {
        "old": "passphrase_wrong",
        "passphrase": "passphrase_length",
    }


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ("operator operator operator", "passphrase_weak"),
        ("Contoh Operator Jabatan operator 1", "passphrase_weak"),
        ("inspektorat contoh rahasia", "passphrase_weak"),
        ("lemari hujan kuda", "passphrase_weak"),
        ("a" * 257, "passphrase_length"),
        (passphrase_of("operator"), "passphrase_same"),
    ],
)
def test_a_weak_or_old_one_is_refused(bench: Bench, new: str, problem: str) -> None:
    """The words of the officer and the office are known to the estimator."""
    typed = Typed(passphrase_of("operator"), new)
    assert refused(bench, "operator", typed, None) == {"passphrase": problem}


@pytest.mark.parametrize("username", ["inspektur", "irban"])
def test_who_must_not_choose_gets_what_was_drawn(bench: Bench, username: str) -> None:
    """However strong a chosen one is; not another attempt's either, nor one word changed."""
    drawn = renewal.draw(bench.office, SOURCE)
    assert renewal.is_drawn(bench.office, bench[username])
    other = passphrases.draw(SOURCE.secret, bench.office.pepper, b"lain")
    old = passphrase_of(username)
    for new in (NEW, "x9#Kq2!vT7pLm4z", other, drawn.upper(), f"{drawn} ", drawn[:-1], ""):
        answer = refused(bench, username, Typed(old, new), SOURCE)
        assert answer == {"passphrase": "passphrase_not_drawn"}
    for new in (drawn, NEW):
        assert refused(bench, username, Typed(old, new), None)
    renewal.renew(bench.office, bench[username], Typed(old, drawn), SOURCE, keep=None)
    assert opens(bench, username, drawn)
    assert not opens(bench, username, old)


def test_others_choose_whatever_was_drawn(bench: Bench) -> None:
    """A source does not turn a weak one into a drawn one."""
    assert not renewal.is_drawn(bench.office, bench["operator"])
    typed = Typed(passphrase_of("operator"), "lemari hujan")
    assert refused(bench, "operator", typed, SOURCE) == {"passphrase": "passphrase_length"}


def test_who_has_left_changes_nothing(bench: Bench) -> None:
    leave(bench, "operator")
    with pytest.raises(Denied):
        renew(bench)
    assert opens(bench, "operator", passphrase_of("operator"))


def test_two_changes_at_once_leave_one_new_one(bench: Bench) -> None:
    """The second finds the old wrap gone: it changes nothing, and says so."""
    offices = [reopened(bench.office, bench.folder) for _ in range(2)]
    new = [f"{NEW} nomor {name}" for name in ("satu", "dua")]
    typed = [Typed(passphrase_of("operator"), one) for one in new]
    prepared = [
        renewal.prepare(office, bench["operator"], one, None)
        for office, one in zip(offices, typed, strict=True)
    ]

    def store(number: int) -> None:
        with offices[number].write() as uow:
            renewal.store(uow, bench["operator"], prepared[number])

    came = together(2, store)
    for office in offices:
        office.engine.dispose()
        office.keystore.engine.dispose()
    assert sorted(type(one).__name__ for one in came) == ["Conflict", "NoneType"]
    assert [opens(bench, "operator", one) for one in new] == [one is None for one in came]
    assert not opens(bench, "operator", passphrase_of("operator"))


def test_a_wrap_of_somebody_else_is_not_replaced(bench: Bench) -> None:
    """Also where an admin moved the row meanwhile."""
    typed = Typed(passphrase_of("operator"), NEW)
    prepared = renewal.prepare(bench.office, bench["operator"], typed, None)
    with bench.office.write() as uow:
        uow.session.execute(
            text("UPDATE wrap SET person = :tim WHERE person = :operator"),
            {"tim": bench["tim"].person_id, "operator": bench["operator"].person_id},
        )
    with pytest.raises(Conflict), bench.office.write() as uow:
        renewal.store(uow, bench["operator"], prepared)


@contextmanager
def breaking(engine: Engine, at: int) -> Iterator[list[str]]:
    """Fail at the given statement of the writing transaction, as a lost disk would."""
    seen: list[str] = []

    def count(*args: object) -> None:
        statement = str(args[2])
        if seen or statement.startswith(("DELETE", "INSERT", "UPDATE")):
            seen.append(statement)
            if len(seen) == at:
                raise OSError("the disk is gone")

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", count)


def statements_of_a_change(bench: Bench) -> int:
    with breaking(bench.office.engine, 0) as seen:
        renew(bench)
    return len(seen)


def test_a_failure_at_any_statement_leaves_the_old_one(bench: Bench) -> None:
    """And then the same change succeeds."""
    count = statements_of_a_change(bench)
    assert count >= 4
    renew(bench, old=NEW, new=passphrase_of("operator"))
    for at in range(1, count + 1):
        before = leaves(bench)
        with breaking(bench.office.engine, at), pytest.raises(OSError, match="disk"):
            renew(bench)
        assert opens(bench, "operator", passphrase_of("operator")), at
        assert not opens(bench, "operator", NEW), at
        assert leaves(bench) == before
    renew(bench)
    assert opens(bench, "operator", NEW)


def test_sessions_that_cannot_be_ended_stop_the_change(bench: Bench) -> None:
    """None that the old passphrase opened may live on beside the new one."""
    bench.office.sessions.close()
    with pytest.raises(Exception, match=r"closed"):
        renew(bench)
    assert opens(bench, "operator", passphrase_of("operator"))
    assert not opens(bench, "operator", NEW)


@pytest.mark.parametrize("trouble", ["full", "locked"])
def test_a_full_or_locked_database_leaves_the_old_one(bench: Bench, trouble: str) -> None:
    engine = bench.office.engine
    raw = engine.raw_connection()
    raw.cursor().execute("VACUUM")
    raw.close()
    how: dict[str, Callable[[], object]] = {
        "full": lambda: full(engine, 0),
        "locked": lambda: locked(engine, str(bench.folder / "suaka.db")),
    }
    with how[trouble](), pytest.raises(Unavailable):  # type: ignore[attr-defined]
        renew(bench)
    assert opens(bench, "operator", passphrase_of("operator"))
    assert not opens(bench, "operator", NEW)


def killed_at(bench: Bench, statement: int) -> int:
    """Change the passphrase in another process, which dies before a statement; return its status.

    0: it dies once the sessions are ended, just before the commit.
    """
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        office = reopened(bench.office, bench.folder)
        seen: list[str] = []

        def count(*args: object) -> None:
            text = str(args[2])
            if seen or text.startswith(("DELETE", "INSERT", "UPDATE")):
                seen.append(text)
                if len(seen) == statement:
                    os.kill(os.getpid(), signal.SIGKILL)

        event.listen(office.engine, "before_cursor_execute", count)
        if statement == 0:
            event.listen(office.engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        typed = Typed(passphrase_of("operator"), NEW)
        renewal.renew(office, bench["operator"], typed, None, keep=None)
    finally:
        os._exit(1)


def test_killed_at_any_statement_the_old_one_is_in_force(bench: Bench) -> None:
    """kill -9 in the middle: the next start finds the old passphrase whole, and then changes it."""
    count = statements_of_a_change(bench)
    renew(bench, old=NEW, new=passphrase_of("operator"))
    for statement in range(count + 1):
        before = leaves(bench)
        assert killed_at(bench, statement) == signal.SIGKILL
        assert opens(bench, "operator", passphrase_of("operator")), statement
        assert not opens(bench, "operator", NEW), statement
        assert leaves(bench) == before
    renew(bench)
    assert opens(bench, "operator", NEW)


def test_no_passphrase_is_shown_or_left(bench: Bench) -> None:
    """In no representation and no file, neither the old nor the new nor a drawn one."""
    drawn = renewal.draw(bench.office, SOURCE)
    typed = Typed(passphrase_of("irban"), drawn)
    prepared = renewal.prepare(bench.office, bench["irban"], typed, SOURCE)
    shown = f"{typed!r} {SOURCE!r} {prepared!r}"
    assert not any(one in shown for one in (drawn, passphrase_of("irban"), SOURCE.secret.hex()))
    assert repr(SOURCE.secret) not in shown
    renewal.renew(bench.office, bench["irban"], typed, SOURCE, keep=None)
    renew(bench)
    for one in (NEW, drawn, passphrase_of("operator")):
        assert sweep([bench.folder], [one]) == []


def test_the_signed_name_counts_and_not_the_row(bench: Bench) -> None:
    """An admin who renames a row cannot make an officer's next passphrase open nothing."""
    with bench.office.write() as uow:
        uow.session.execute(text("UPDATE person SET username = 'lain' WHERE username = 'operator'"))
    renew(bench)
    assert opens(bench, "operator", NEW)
