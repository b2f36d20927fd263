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
    assert again.expired(later(minutes=31)) == [FORM]


def test_a_lost_file_starts_anew(tmp_path: Path) -> None:
    """A reporter whose connection died does not lose the receipt to our reboot."""
    ReceiptWindows(tmp_path / "windows.db").is_open(FORM, NOW)
    assert ReceiptWindows(tmp_path / "other.db").is_open(FORM, later(hours=2))


def test_a_closed_window_leaves_no_time_behind(tmp_path: Path) -> None:
    path = tmp_path / "windows.db"
    windows = ReceiptWindows(path)
    windows.is_open(FORM, NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    windows.close(FORM)
    assert windows.expired(later(days=9)) == []


def test_many_looks_at_once_agree(tmp_path: Path) -> None:
    windows = ReceiptWindows(tmp_path / "windows.db")
    assert together(8, lambda _: windows.is_open(FORM, NOW)) == [True] * 8


def test_a_damaged_file_is_a_clean_refusal(tmp_path: Path) -> None:
    path = tmp_path / "windows.db"
    windows = ReceiptWindows(path)
    windows._db.execute("DROP TABLE receipt_window")
    with pytest.raises(Unavailable):
        windows.is_open(FORM, NOW)
