"""The keystore: one key too many after a crash, never one too few."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from casework.store.keystore import SHRED_KEYS, Keystore

CASE, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def store(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keystore.db")


def count(store: Keystore) -> int:
    with store.engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(SHRED_KEYS)) or 0)


def test_old_versions_go_when_the_case_has_committed(store: Keystore) -> None:
    first = store.new_shred_key(CASE, 1)
    store.settle()
    second = store.new_shred_key(CASE, 2)
    assert first != second
    assert (store.shred_key(CASE, 1), store.shred_key(CASE, 2)) == (first, second)
    store.settle()
    assert (store.shred_key(CASE, 1), store.shred_key(CASE, 2)) == (None, second)
    assert store.holds_newer(CASE, 1)
    assert not store.holds_newer(CASE, 2)


def test_a_rolled_back_act_keeps_the_key_in_force(store: Keystore) -> None:
    first = store.new_shred_key(CASE, 1)
    store.settle()
    stray = store.new_shred_key(CASE, 2)
    store.forget_pending()
    store.settle()
    assert store.shred_key(CASE, 1) == first
    again = store.new_shred_key(CASE, 2)
    assert again != stray
    store.settle()
    assert store.shred_key(CASE, 2) == again


def test_the_sweep_leaves_exactly_the_keys_in_force(store: Keystore) -> None:
    for case, version in ((CASE, 1), (CASE, 2), (CASE, 3), (OTHER, 1), ("c" * 32, 1)):
        store.new_shred_key(case, version)
        store.forget_pending()
    key = store.shred_key(CASE, 2)
    assert store.sweep({CASE: 2, OTHER: 1}) == 3
    assert store.shred_key(CASE, 2) == key
    assert store.shred_key(OTHER, 1)
    assert count(store) == 2
    assert store.sweep({CASE: 2, OTHER: 1}) == 0


def test_shredding_one_case_keeps_the_others(store: Keystore) -> None:
    for case in (CASE, OTHER):
        store.new_shred_key(case, 1)
    store.shred(CASE)
    assert store.shred_key(CASE, 1) is None
    assert store.shred_key(OTHER, 1)


def test_a_key_survives_reopening(tmp_path: Path) -> None:
    key = Keystore(tmp_path / "k.db").new_shred_key(CASE, 1)
    assert Keystore(tmp_path / "k.db").shred_key(CASE, 1) == key
    assert (tmp_path / "k.db").stat().st_mode & 0o777 == 0o600


def test_memories_are_replaced(store: Keystore) -> None:
    assert store.memory(CASE) is None
    store.remember(CASE, b"one", b"sig")
    store.remember(CASE, b"two", b"sig2")
    assert store.memory(CASE) == (b"two", b"sig2")
