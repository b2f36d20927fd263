"""casework.keys.sessions: without the cookie the file opens nothing, and sessions end on time."""

import base64
import stat
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from casework.keys.sessions import Kind, SessionStore
from crypto.labels import Label, derive

NOW = 1_800_000_000
PERSON, OTHER = "a" * 32, "b" * 32
SEED = bytes(range(100, 132))
OTHER_SEED = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of sessions lies."""
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path: Path) -> Iterator[SessionStore]:
    """An open store."""
    opened = SessionStore(path, bytes(32))
    yield opened
    opened.close()


def _write(path: Path, sql: str, *values: object) -> None:
    database = dbapi2.connect(str(path))
    with database:
        database.execute(sql, values)
    database.close()


def test_a_cookie_resumes_its_session(store: SessionStore) -> None:
    """Person, kind and seed come back; the CSRF secret is the same each time."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    first, second = store.resume(cookie, NOW), store.resume(cookie, NOW + 1)
    assert first is not None
    assert (first.person, first.kind, first.seed) == (PERSON, Kind.STAFF, SEED)
    assert first == second
    assert len(first.csrf_secret) == 32


def test_the_csrf_secret_is_a_secret_of_its_own(store: SessionStore) -> None:
    """It differs by session and is neither seed nor cookie."""
    cookies = [store.open(Kind.STAFF, PERSON, SEED, NOW) for _ in range(2)]
    sessions = [store.resume(cookie, NOW) for cookie in cookies]
    secrets = {session.csrf_secret for session in sessions if session}
    assert len(secrets) == 2
    assert SEED not in secrets
    raw = {base64.urlsafe_b64decode(cookie + "=") for cookie in cookies}
    assert not secrets & raw
    assert not secrets & {derive(Label.SESSION_SEAL, cookie, context=b"seed") for cookie in raw}


def test_cookies_hold_256_random_bits(store: SessionStore) -> None:
    """32 bytes in base64url, never the same."""
    cookies = {store.open(Kind.REPORTER, PERSON, SEED, NOW) for _ in range(20)}
    assert len(cookies) == 20
    assert {len(base64.urlsafe_b64decode(cookie + "=")) for cookie in cookies} == {32}


def test_the_file_holds_neither_seed_nor_cookie(store: SessionStore, path: Path) -> None:
    """Raw, hex or base64: whoever copies the file has no key."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    raw = path.read_bytes()
    secret = base64.urlsafe_b64decode(cookie + "=")
    for hidden in (SEED, secret):
        assert hidden not in raw
        assert hidden.hex().encode() not in raw
        assert base64.b64encode(hidden)[:40] not in raw
    assert cookie.encode() not in raw


@pytest.mark.parametrize("kind", Kind)
def test_the_file_does_not_say_whose_a_session_is(
    store: SessionStore, path: Path, kind: Kind
) -> None:
    """Beside exact times stands no name: neither raw nor hashed by what an admin knows."""
    store.open(kind, PERSON, SEED, NOW)
    raw = path.read_bytes()
    known = bytes.fromhex(PERSON)
    for name in (PERSON.encode(), known, sha256(PERSON.encode()).digest(), sha256(known).digest()):
        assert name not in raw
        assert name.hex().encode() not in raw


def test_two_visits_of_a_reporter_do_not_look_alike(store: SessionStore, path: Path) -> None:
    """No column but the kind is the same in both: nobody can tell that one person came twice."""
    store.open(Kind.REPORTER, PERSON, SEED, NOW)
    store.open(Kind.REPORTER, PERSON, SEED, NOW + 10_000)
    database = dbapi2.connect(str(path))
    one, two = database.execute("SELECT * FROM session").fetchall()
    database.close()
    alike = {value for value in set(one) & set(two) if value is not None}
    assert alike == {"reporter", 0}, "the kind, and that no second factor was shown"


def test_a_file_of_the_former_format_is_emptied(path: Path) -> None:
    """It named people in clear; its sessions are over and its bytes are gone."""
    _write(
        path,
        "CREATE TABLE session (id BLOB PRIMARY KEY, kind TEXT, person TEXT, created INTEGER, "
        "seen INTEGER, ends INTEGER, sealed BLOB) WITHOUT ROWID",
    )
    values = (bytes(32), "staff", PERSON, NOW, NOW, NOW + 900, bytes(48))
    _write(path, "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
    store = SessionStore(path, bytes(32))
    assert PERSON.encode() not in path.read_bytes()
    assert store.resume(store.open(Kind.STAFF, PERSON, SEED, NOW), NOW) is not None
    store.close()


def test_an_ended_session_leaves_no_byte(store: SessionStore, path: Path) -> None:
    """The row is overwritten in the file, not only unlinked."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    (sealed,) = dbapi2.connect(str(path)).execute("SELECT sealed FROM session").fetchone()
    assert sealed in path.read_bytes()
    store.end(cookie)
    assert sealed not in path.read_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.usefixtures("store")
def test_the_file_is_for_its_owner_only(path: Path) -> None:
    """0600, whatever the umask."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_secret_in_a_repr(store: SessionStore) -> None:
    """A session in a traceback gives nothing away."""
    session = store.resume(store.open(Kind.STAFF, PERSON, SEED, NOW), NOW)
    assert session is not None
    assert str(SEED)[2:-1] not in repr(session)
    assert "seed" not in repr(session)
    assert "csrf" not in repr(session)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda _: "",
        lambda c: c[:-1],
        lambda c: c + "=",
        lambda c: c + "A",
        lambda c: ("A" if c[0] != "A" else "B") + c[1:],
        lambda c: c[:-1] + chr(ord(c[-1]) + 1),
        lambda c: c[:20] + "!" + c[21:],
        lambda c: c[:20] + "é" + c[21:],
        lambda _: "A" * 43,
        lambda _: "\0" * 43,
    ],
)
def test_a_tampered_cookie_is_no_cookie(store: SessionStore, mangle: object) -> None:
    """Each value has one spelling; anything else opens and ends nothing."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    assert callable(mangle)
    changed = mangle(cookie)
    assert store.resume(changed, NOW) is None
    store.end(changed)
    assert store.resume(cookie, NOW) is not None


def test_idle_for_fifteen_minutes_ends_it(store: SessionStore) -> None:
    """Each request starts the fifteen minutes anew; an ended session stays ended."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    assert store.resume(cookie, NOW + 899) is not None
    assert store.resume(cookie, NOW + 899 + 899) is not None
    assert store.resume(cookie, NOW + 899 + 899 + 900) is None
    assert store.resume(cookie, NOW + 899 + 899) is None


@pytest.mark.parametrize(("kind", "lifetime"), [(Kind.STAFF, 8 * 3600), (Kind.REPORTER, 2 * 3600)])
def test_the_absolute_end_holds_however_busy(
    store: SessionStore, kind: Kind, lifetime: int
) -> None:
    """A busy session ends after eight hours for officers, two for reporters."""
    cookie = store.open(kind, PERSON, SEED, NOW)
    for later in range(600, lifetime, 600):
        assert store.resume(cookie, NOW + later) is not None
    assert store.resume(cookie, NOW + lifetime) is None


def test_signing_in_anew_ends_the_former_session(store: SessionStore) -> None:
    """Rotation: a stolen former cookie is worthless, and so is a planted one."""
    first = store.open(Kind.STAFF, PERSON, SEED, NOW)
    second = store.open(Kind.STAFF, PERSON, SEED, NOW, replacing=first)
    assert store.resume(first, NOW) is None
    assert store.resume(second, NOW) is not None
    assert store.open(Kind.STAFF, PERSON, SEED, NOW, replacing="nonsense") != "nonsense"


def test_all_sessions_of_a_person_end_together(store: SessionStore) -> None:
    """Everybody else's stay; the one in use may stay, too."""
    mine = [store.open(Kind.STAFF, PERSON, SEED, NOW) for _ in range(3)]
    theirs = store.open(Kind.STAFF, OTHER, OTHER_SEED, NOW)
    kept = store.resume(mine[0], NOW)
    assert kept is not None
    assert store.end_all(PERSON, keep=kept.name) == 2
    assert [store.resume(cookie, NOW) is not None for cookie in mine] == [True, False, False]
    assert store.end_all(PERSON, keep="00") == 1
    assert store.end_all(PERSON) == 0
    assert store.resume(theirs, NOW) is not None


def test_a_person_sees_their_open_sessions(store: SessionStore) -> None:
    """Those that are over do not count, nor do anybody else's."""
    store.open(Kind.STAFF, PERSON, SEED, NOW - 900)
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    store.open(Kind.STAFF, OTHER, OTHER_SEED, NOW)
    store.resume(cookie, NOW + 5)
    assert [(s.created, s.seen) for s in store.of_owner(PERSON, NOW + 5)] == [(NOW, NOW + 5)]


def test_the_sweep_deletes_what_is_over(store: SessionStore, path: Path) -> None:
    """Rows of sessions that nobody resumes do not stay in the file."""
    store.open(Kind.STAFF, OTHER, OTHER_SEED, NOW)
    (sealed,) = dbapi2.connect(str(path)).execute("SELECT sealed FROM session").fetchone()
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW + 1)
    assert store.sweep(NOW + 900) == 1
    assert sealed not in path.read_bytes()
    assert store.resume(cookie, NOW + 900) is not None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("owner", bytes(32)),
        ("owner", None),
        ("kind", "reporter"),
        ("ends", NOW + 10**6),
        ("created", NOW - 1),
        ("sealed", bytes(80)),
    ],
)
def test_a_row_that_was_rewritten_opens_nothing(
    store: SessionStore, path: Path, column: str, value: object
) -> None:
    """A writer to the file cannot hand a session to another person, kind or time; the row goes."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    _write(path, f"UPDATE session SET {column} = ?", value)
    assert store.resume(cookie, NOW) is None
    assert dbapi2.connect(str(path)).execute("SELECT count(*) FROM session").fetchone() == (0,)


def test_a_row_under_another_cookies_name_opens_nothing(store: SessionStore, path: Path) -> None:
    """Swapping two rows' contents gives neither cookie the other's seed."""
    mine = store.open(Kind.STAFF, PERSON, SEED, NOW)
    (name,) = dbapi2.connect(str(path)).execute("SELECT id FROM session").fetchone()
    store.open(Kind.STAFF, OTHER, bytes(32), NOW)
    _write(path, "DELETE FROM session WHERE id = ?", name)
    _write(path, "UPDATE session SET id = ?", name)
    assert store.resume(mine, NOW) is None


def test_a_session_survives_a_restart(path: Path) -> None:
    """The store can be closed and opened again; two stores on one file see the same."""
    first = SessionStore(path, bytes(32))
    cookie = first.open(Kind.STAFF, PERSON, SEED, NOW)
    second = SessionStore(path, bytes(32))
    assert second.resume(cookie, NOW) is not None
    first.close()
    second.end(cookie)
    second.close()
    third = SessionStore(path, bytes(32))
    assert third.resume(cookie, NOW) is None
    third.close()


def test_many_threads_share_the_store(store: SessionStore) -> None:
    """Sixteen threads opening, resuming and ending lose nothing and raise nothing."""
    kept: list[str] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
                assert store.resume(cookie, NOW) is not None
                store.end(store.open(Kind.STAFF, PERSON, SEED, NOW, replacing=None))
                kept.append(cookie)
        except BaseException as error:  # noqa: BLE001 - reported below
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(kept)) == 160
    assert all(store.resume(cookie, NOW) for cookie in kept)


def test_a_failed_opening_changes_nothing(store: SessionStore, path: Path) -> None:
    """If the new session cannot be written, the former one is not lost: all or nothing."""
    cookie = store.open(Kind.STAFF, PERSON, SEED, NOW)
    _write(
        path,
        "CREATE TRIGGER full BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    with pytest.raises(dbapi2.IntegrityError):
        store.open(Kind.STAFF, PERSON, SEED, NOW, replacing=cookie)
    assert store.resume(cookie, NOW) is not None


def test_a_seed_of_another_length_is_refused(store: SessionStore) -> None:
    """A programmer's error is not stored."""
    with pytest.raises(ValueError, match="32 bytes"):
        store.open(Kind.STAFF, PERSON, b"short", NOW)
    with pytest.raises(ValueError, match="32 characters"):
        store.open(Kind.STAFF, "short", SEED, NOW)
