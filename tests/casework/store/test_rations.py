"""casework.store.rations: places and budgets hold for all processes, and say nothing of anybody."""

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from casework.store.engine import Unavailable
from casework.store.rations import FILE_NAME, MINUTE, Allowance, Rations

NOW = 1_800_000_000
"""The first second of a minute."""

THREE = Allowance(burst=3, per_minute=2)
HOLD = """
import sys
from pathlib import Path
from casework.store.rations import Rations
places = Rations(Path(sys.argv[1])).places("a", 2)
held = [places.take(), places.take(), places.take()]
print(sum(one is not None for one in held), flush=True)
sys.stdin.read()
"""
TAKE = """
import sys
from pathlib import Path
from casework.store.rations import Allowance, Rations
rations = Rations(Path(sys.argv[1]))
waits = [rations.take("a", Allowance(50, 1), 1_800_000_000) for _ in range(40)]
print(waits.count(0), flush=True)
"""


@pytest.fixture
def rations(tmp_path: Path) -> Iterator[Rations]:
    opened = Rations(tmp_path)
    yield opened
    opened.close()


def rows(folder: Path) -> list[tuple[object, ...]]:
    database = dbapi2.connect(str(folder / FILE_NAME))
    found = database.execute("SELECT * FROM budget").fetchall()
    database.close()
    return [tuple(row) for row in found]


@contextmanager
def process(code: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        yield started


def said(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def test_there_are_so_many_places_and_no_more(rations: Rations, tmp_path: Path) -> None:
    """Also for others in the same process; a place that is left can be taken again."""
    places, others = rations.places("a", 2), Rations(tmp_path).places("a", 2)
    first, second = places.take(), others.take()
    assert first is not None
    assert second is not None
    assert places.take() is None
    assert others.take() is None
    first.leave()
    assert others.take() is not None
    assert places.take() is None
    assert rations.places("b", 1).take() is not None


def test_a_process_that_is_killed_gives_its_places_back(rations: Rations, tmp_path: Path) -> None:
    """As after a power failure: nothing has to be cleaned up."""
    places = rations.places("a", 2)
    with process(HOLD, tmp_path) as other:
        assert said(other) == "2"
        assert places.take() is None
        other.send_signal(signal.SIGKILL)
        assert other.wait() == -signal.SIGKILL
        assert [places.take() is not None for _ in range(3)] == [True, True, False]


def test_lock_files_are_made_at_once_empty_and_stay_as_they_are(
    rations: Rations, tmp_path: Path
) -> None:
    """Neither their being there nor their times tell when somebody came."""
    places = rations.places("a", 2)
    paths = [tmp_path / "a.0.lock", tmp_path / "a.1.lock"]

    def look() -> list[tuple[int, ...]]:
        found = [path.stat() for path in paths]
        return [(one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_atime_ns) for one in found]

    before = look()
    held = [places.take() for _ in range(3)]
    for place in held:
        if place is not None:
            place.leave()
    rations.places("a", 2)
    assert look() == before
    assert [size for size, *_ in before] == [0, 0]


def test_files_are_for_the_owner_only(rations: Rations, tmp_path: Path) -> None:
    rations.places("a", 1)
    rations.take("a", THREE, NOW)
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert found == {FILE_NAME: 0o600, "a.0.lock": 0o600}


def test_a_runtime_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    rations = Rations(folder)
    places = rations.places("a", 1)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(Unavailable):
        places.take()
    with pytest.raises(Unavailable):
        rations.take("a", THREE, NOW)
    with pytest.raises(Unavailable):
        Rations(folder)


def test_no_places_at_all_are_refused(rations: Rations) -> None:
    with pytest.raises(ValueError, match="lane"):
        rations.places("a", 0)


@pytest.mark.parametrize(("burst", "per_minute"), [(0, 1), (1, 0), (1, -1)])
def test_a_bucket_that_lets_nothing_through_is_refused(burst: int, per_minute: int) -> None:
    with pytest.raises(ValueError, match="bucket"):
        Allowance(burst, per_minute)


def test_a_burst_passes_and_then_the_rate_holds(rations: Rations) -> None:
    """Three at once, and after a full minute two with each minute; the answer says how long."""
    now = NOW + 20
    assert [rations.take("a", THREE, now) for _ in range(4)] == [0, 0, 0, 100]
    assert rations.take("a", THREE, NOW + 60) == 60
    assert rations.take("a", THREE, NOW + 119) == 1
    for now in (NOW + 120, NOW + 180 + 59, NOW + 240):
        wait = 60 - now % 60
        assert [rations.take("a", THREE, now) for _ in range(3)] == [0, 0, wait]
    assert rations.take("b", THREE, now) == 0


def test_a_quiet_night_saves_up_no_more_than_a_burst(rations: Rations) -> None:
    rations.take("a", THREE, NOW)
    later = NOW + 1000 * MINUTE
    assert [rations.take("a", THREE, later) for _ in range(4)] == [0, 0, 0, 120]


def test_asking_takes_nothing(rations: Rations) -> None:
    """The answer is that of the next take."""
    for _ in range(3):
        assert rations.wait("a", THREE, NOW) == 0
        assert rations.take("a", THREE, NOW) == 0
    assert rations.wait("a", THREE, NOW + 10) == rations.take("a", THREE, NOW + 10) == 110
    assert rations.wait("a", THREE, NOW + 120) == 0


def test_what_is_given_back_can_be_taken_again(rations: Rations, tmp_path: Path) -> None:
    """And never more than was taken."""
    for _ in range(10):
        assert rations.take("a", THREE, NOW) == 0
        rations.give_back("a")
    assert rows(tmp_path) == []
    rations.give_back("a")
    assert [rations.take("a", THREE, NOW) for _ in range(4)] == [0, 0, 0, 120]
    rations.give_back("a")
    assert [rations.take("a", THREE, NOW) for _ in range(2)] == [0, 120]


def test_processes_share_a_budget(rations: Rations, tmp_path: Path) -> None:
    """Of fifty tokens two processes that take forty each get fifty."""
    with process(TAKE, tmp_path) as one, process(TAKE, tmp_path) as two:
        found = [int(said(one)), int(said(two))]
    assert sum(found) == 50
    assert rations.take("a", Allowance(50, 1), NOW) == 120


def test_a_row_holds_a_name_and_whole_minutes(rations: Rations, tmp_path: Path) -> None:
    """The second of a visit is nowhere in the file."""
    rations.take("a", THREE, NOW + 37)
    assert rows(tmp_path) == [("a", 1, NOW // MINUTE + 1, NOW // MINUTE + 2)]


def test_nothing_is_left_of_a_bucket_that_is_full_again(rations: Rations, tmp_path: Path) -> None:
    """Swept by the tick, or by whoever comes next; also from the bytes of the file."""
    name = "kanari" * 5
    for _ in range(3):
        rations.take(name, THREE, NOW)
    assert rations.sweep(NOW + 179) == 0
    assert name.encode() in (tmp_path / FILE_NAME).read_bytes()
    assert rations.sweep(NOW + 180) == 1
    assert rows(tmp_path) == []
    assert name.encode() not in (tmp_path / FILE_NAME).read_bytes()
    rations.take(name, THREE, NOW)
    rations.take("b", THREE, NOW + 120)
    assert [row[0] for row in rows(tmp_path)] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_clock_that_is_set_back_locks_nobody_out(rations: Rations) -> None:
    """A bucket used up in the future is forgotten; one of the minute before still holds."""
    for _ in range(3):
        rations.take("a", THREE, NOW)
    assert rations.take("a", THREE, NOW - 1) == 121
    assert rations.wait("a", THREE, NOW - 3600) == 0
    assert rations.take("a", THREE, NOW - 3600) == 0


@given(
    burst=st.integers(1, 20),
    per_minute=st.integers(1, 20),
    steps=st.lists(st.integers(0, 150), max_size=60),
)
def test_no_stretch_of_time_lets_more_through(
    tmp_path_factory: pytest.TempPathFactory, burst: int, per_minute: int, steps: list[int]
) -> None:
    """Never more than a burst and what the minutes bring; and the wait told is the true one."""
    rations = Rations(tmp_path_factory.mktemp("any"))
    allowance, now, taken = Allowance(burst, per_minute), NOW, 0
    for step in steps:
        now += step
        wait = rations.take("a", allowance, now)
        taken += wait == 0
        assert taken <= burst or now - NOW >= MINUTE
        assert taken <= burst + per_minute * (now // MINUTE - NOW // MINUTE)
        if wait:
            assert rations.wait("a", allowance, now + wait - 1) > 0
            assert rations.wait("a", allowance, now + wait) == 0
    rations.close()


def test_a_file_that_cannot_be_written_is_told(rations: Rations, tmp_path: Path) -> None:
    """And the next try works, once it can be."""
    rations._db.execute("PRAGMA busy_timeout = 0")
    other = dbapi2.connect(str(tmp_path / FILE_NAME), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for act in (
        lambda: rations.take("a", THREE, NOW),
        lambda: rations.wait("a", THREE, NOW),
        lambda: rations.give_back("a"),
        lambda: rations.sweep(NOW),
    ):
        with pytest.raises(Unavailable):
            act()
    other.close()
    assert rations.take("a", THREE, NOW) == 0
