"""Receipt windows: 30 minutes by the office's clock, kept over a restart, nothing after."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casework.intake.windows import WINDOW_SECONDS, ReceiptWindows
from casework.store.engine import Unavailable
from tests.casework.cases import together

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
FORM = b"a" * 32


def later(**step: float) -> datetime:
    return NOW + timedelta(**step)


def test_the_first_look_starts_the_window(tmp_path: Path) -> None:
    windows = ReceiptWindows(tmp_path / "windows.db")
    assert windows.is_open(FORM, NOW)
    assert windows.is_open(FORM, later(seconds=WINDOW_SECONDS))
    assert not windows.is_open(FORM, later(seconds=WINDOW_SECONDS + 1))
    assert windows.is_open(b"b" * 32, later(hours=9))


def test_a_window_survives_a_restart(tmp_path: Path) -> None:
    ReceiptWindows(tmp_path / "windows.db").is_open(FORM, NOW)
    again = ReceiptWindows(tmp_path / "windows.db")
    assert again.is_open(FORM, later(minutes=29))
    assert not again.is_open(FORM, later(minutes=31))
    assert again.known(later(minutes=30)) == {FORM: True}
    assert again.known(later(minutes=31)) == {FORM: False}


def test_a_lost_file_starts_anew(tmp_path: Path) -> None:
    """A reporter whose connection died does not lose the receipt to our reboot."""
    ReceiptWindows(tmp_path / "windows.db").is_open(FORM, NOW)
    assert ReceiptWindows(tmp_path / "other.db").is_open(FORM, later(hours=2))


def test_a_closed_window_leaves_no_time_behind(tmp_path: Path) -> None:
    path = tmp_path / "windows.db"
    windows = ReceiptWindows(path)
    windows.is_open(FORM, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    second = int(NOW.timestamp()).to_bytes(4, "big")
    assert holding(tmp_path, second) == ["windows.db"]
    windows.forget(FORM)
    assert windows.known(later(days=9)) == {}
    assert holding(tmp_path, second) == []
    assert holding(tmp_path, FORM) == []


def holding(folder: Path, secret: bytes) -> list[str]:
    """The files of a folder that hold these bytes: the database and all that lies beside it."""
    return sorted(one.name for one in folder.iterdir() if secret in one.read_bytes())


def test_a_closed_file_is_of_no_more_use(tmp_path: Path) -> None:
    """Its process gives it back; nothing stays beside it."""
    windows = ReceiptWindows(tmp_path / "windows.db")
    windows.is_open(FORM, NOW)
    windows.close()
    with pytest.raises(Unavailable):
        windows.is_open(FORM, NOW)
    assert [one.name for one in tmp_path.iterdir()] == ["windows.db"]


def test_many_looks_at_once_agree(tmp_path: Path) -> None:
    windows = ReceiptWindows(tmp_path / "windows.db")
    assert together(8, lambda _: windows.is_open(FORM, NOW)) == [True] * 8


def test_a_damaged_file_is_a_clean_refusal(tmp_path: Path) -> None:
    path = tmp_path / "windows.db"
    windows = ReceiptWindows(path)
    windows._db.execute("DROP TABLE receipt_window")
    with pytest.raises(Unavailable):
        windows.is_open(FORM, NOW)
