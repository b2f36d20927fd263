"""Keys of the log: each handed over by the one before, and a change that survives a crash."""

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path, PosixPath
from types import FrameType
from typing import Any, ClassVar

import pytest
from sqlalchemy import select, text

from casework.log import checkpoints, keys, leaf, tree
from casework.log.keys import LogKeyFile, LogKeyMissing, LogKeysBroken
from casework.log.tables import Leaf, LogKeyRow
from casework.store.unit import UnitOfWork
from crypto import checkpoint
from crypto.errors import Malformed, Tampered
from crypto.handover import Handover
from crypto.note import Kind, NoteKey, NoteSigner, SignedNote
from tests.casework.office import Bench

INSTANCE = "ab" * 16
SEEDS = [bytes([fill]) * keys.SEED_SIZE for fill in range(1, 5)]


def rotated(bench: Bench, seed: bytes) -> NoteKey:
    with bench.office.write() as uow:
        return keys.rotate(uow, seed).in_force


def test_the_name_of_a_log_tells_nobody_whose_it_is() -> None:
    assert keys.origin_of(INSTANCE) == f"catatan/{INSTANCE}"


def test_the_secret_lies_in_one_file_for_its_owner_alone(tmp_path: Path) -> None:
    file = LogKeyFile(tmp_path / "log.key")
    made = file.make(INSTANCE, SEEDS[0])
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.first().key == made.key == file.signer(made.key).key
    assert made.to_text() not in f"{file} {file!r}"
    with pytest.raises(FileExistsError):
        file.make(INSTANCE, SEEDS[1])
    assert file.first().key == made.key


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"\xff\xfe"])
def test_without_a_readable_secret_nothing_is_signed(tmp_path: Path, content: bytes | None) -> None:
    file = LogKeyFile(tmp_path / "log.key")
    key = NoteSigner(keys.origin_of(INSTANCE), Kind.LOG, SEEDS[0]).key
    if content is not None:
        file.path.write_bytes(content)
    with pytest.raises(LogKeyMissing):
        file.signer(key)


def _lives_through(work: Callable[[], object], lines: int) -> bool:
    """Do something in a process that is killed after so many lines of the module of keys."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFEXITED(status)
    left = lines

    def step(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != keys.__file__:
            return None
        left -= event == "line"
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step

    sys.settrace(step)
    try:
        work()
    finally:
        os._exit(0)


@pytest.mark.parametrize("name", ["log.key", "log.key.new"])
def test_a_kill_leaves_a_whole_key_or_none_and_nothing_else_for_long(
    tmp_path: Path, name: str
) -> None:
    """At whichever line it hits: what is written next stands alone in the folder."""
    for lines in count():
        file = LogKeyFile(tmp_path / str(lines) / "log.key")
        file.path.parent.mkdir()
        write = file.make if name == "log.key" else file.prepare
        lived = _lives_through(lambda write=write: write(INSTANCE, SEEDS[0]), lines)  # type: ignore[misc]
        path = file.path.with_name(name)
        if path.exists():
            found = NoteSigner.from_text(path.read_text().strip())
            assert found.key == NoteSigner(found.key.name, Kind.LOG, SEEDS[0]).key
        else:
            write(INSTANCE, SEEDS[1])
            assert path.stat().st_mode & 0o777 == 0o600
        file.prepare(INSTANCE, SEEDS[2])
        assert {one.name for one in file.path.parent.iterdir()} == {name, "log.key.new"}
        if lived:
            break
    assert lines > 10, "it was killed on the way"


class Watched(PosixPath):
    """A path that is read while another process does something, once, to the keys beside it."""

    meanwhile: ClassVar[dict[tuple[str, str], Callable[[], object]]] = {}
    """What to do before or after a file of a name is read."""

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        Watched.meanwhile.pop(("before", self.name), lambda: None)()
        read = super().read_text(encoding, errors)
        Watched.meanwhile.pop(("after", self.name), lambda: None)()
        return read


@pytest.mark.parametrize("moment", [("after", "log.key"), ("before", "log.key.new")])
@pytest.mark.parametrize("look", ["signer", "check"])
def test_a_key_that_moves_into_its_place_meanwhile_is_found_there(
    tmp_path: Path, moment: tuple[str, str], look: str
) -> None:
    file = LogKeyFile(Watched(tmp_path / "log.key"))
    file.make(INSTANCE, SEEDS[0])
    key = file.prepare(INSTANCE, SEEDS[1]).key
    other = LogKeyFile(tmp_path / "log.key")
    Watched.meanwhile[moment] = lambda: other.signer(key)
    getattr(file, look)(key)
    assert not Watched.meanwhile
    assert file.first().key == key


def test_a_key_that_waits_for_its_hand_over_is_not_put_in_force_by_a_late_comer(
    tmp_path: Path,
) -> None:
    """Else the key in force would be lost if that hand-over did not commit."""
    file = LogKeyFile(Watched(tmp_path / "log.key"))
    file.make(INSTANCE, SEEDS[0])
    second = file.prepare(INSTANCE, SEEDS[1]).key
    other = LogKeyFile(tmp_path / "log.key")

    def work() -> None:
        other.signer(second)
        other.prepare(INSTANCE, SEEDS[2])

    Watched.meanwhile["after", "log.key.new"] = work
    assert file.signer(second).key == second
    assert not Watched.meanwhile
    assert file.first().key == second


def test_a_change_is_signed_by_both_and_named_by_a_leaf(bench: Bench) -> None:
    with bench.office.read() as uow:
        first = keys.load(uow).in_force
    second = rotated(bench, SEEDS[0])
    third = rotated(bench, SEEDS[1])
    with bench.office.read() as uow:
        assert keys.load(uow).all == (first, second, third)
        notes = keys.handovers(uow)
        assert [len(note.signatures) for note in notes] == [1, 2, 2]
        assert notes[1].verify([first, second])
        assert notes[2].verify([second, third])
        rows = uow.session.scalars(select(Leaf).where(Leaf.event == keys.CHANGED)).all()
        said = [leaf.read(row) or {} for row in rows]
        assert [body[keys.FACT] for body in said] == [second.to_text(), third.to_text()]
        digests = [hashlib.sha256(note.to_text().encode()).hexdigest() for note in notes[1:]]
        assert [body["objects"] for body in said] == [[one] for one in digests]
        assert (leaf.read(uow.session.get_one(Leaf, 0)) or {})[keys.FACT] == first.to_text()
        assert keys.signer(uow).key == third
    assert rotated(bench, SEEDS[2]) != third


def test_old_checkpoints_stay_provable_with_the_old_public_key(bench: Bench) -> None:
    with bench.office.write() as uow:
        before = keys.load(uow).in_force
        checkpoints.publish_due(uow)
    after = rotated(bench, SEEDS[0])
    with bench.office.read() as uow:
        note = checkpoints.newest(uow)
        known = keys.load(uow)
    assert note is not None
    assert checkpoint.of(note, known.all) == checkpoint.of(note, [before])
    with pytest.raises(Tampered):
        checkpoint.of(note, [after])
    assert known.since(before.to_text()) == (before, after)
    with pytest.raises(Tampered):
        known.since(NoteSigner(before.name, Kind.LOG, SEEDS[3]).key.to_text())


def test_a_key_counts_up_to_the_tree_in_which_it_was_replaced(bench: Bench) -> None:
    """A tree of just that size may have been signed a moment before, or a moment after."""
    with bench.office.read() as uow:
        first, begun = keys.load(uow).in_force, tree.size(uow.session)
    second, third = rotated(bench, SEEDS[0]), rotated(bench, SEEDS[1])
    with bench.office.read() as uow:
        known = keys.load(uow)
    assert [one.size for one in known.handovers] == [0, begun, begun + 1]
    assert known.of_size(begun) == known.of_size(0) == (first, second, third)
    assert known.of_size(begun + 1) == (second, third)
    assert known.of_size(begun + 2) == known.of_size(2**40) == (third,)


def test_in_a_tree_that_was_cut_no_key_is_handed_over(bench: Bench) -> None:
    """The sizes would fall, and no key would follow any more."""
    with bench.office.write() as uow:
        checkpoints.publish_due(uow)
    rotated(bench, SEEDS[0])
    with bench.office.write() as uow:
        uow.session.execute(text("DELETE FROM tree_node WHERE level = 0 AND position > 99"))
        with pytest.raises(LogKeysBroken):
            keys.rotate(uow, SEEDS[1])


def test_no_checkpoint_can_be_read_from_a_hand_over(bench: Bench) -> None:
    rotated(bench, SEEDS[0])
    with bench.office.read() as uow:
        for note in keys.handovers(uow):
            with pytest.raises(Malformed):
                checkpoint.of(note, keys.load(uow).all)


class CutShort(Exception):
    """Stands for the death of a process."""


def test_a_change_that_does_not_commit_changes_nothing(bench: Bench) -> None:
    with bench.office.read() as uow:
        before = keys.load(uow)
    with suppress(CutShort), bench.office.write() as uow:
        keys.rotate(uow, SEEDS[0])
        raise CutShort
    with bench.office.read() as uow:
        assert keys.load(uow) == before
        assert keys.signer(uow).key == before.in_force
    after = rotated(bench, SEEDS[1])
    with bench.office.read() as uow:
        assert keys.signer(uow).key == after


def test_a_change_that_committed_is_finished_by_the_next_signature(bench: Bench) -> None:
    """Killed after the commit: the new secret still waits beside the old one."""
    after = rotated(bench, SEEDS[0])
    waiting = bench.office.log_key.path.with_name("log.key.new")
    assert waiting.exists()
    with bench.office.read() as uow:
        assert keys.signer(uow).key == after
    assert not waiting.exists()
    assert bench.office.log_key.first().key == after
    bench.office.log_key.path.replace(waiting)
    with bench.office.read() as uow:
        assert keys.signer(uow).key == after


def _foreign(uow: UnitOfWork) -> None:
    """A third key that no key handed over to."""
    stranger = NoteSigner(keys.origin_of(uow.office.instance_id), Kind.LOG, SEEDS[3])
    row = uow.session.scalars(select(LogKeyRow).order_by(LogKeyRow.number.desc())).first()
    assert row is not None
    note = SignedNote.from_text(row.handover)
    lines = note.text.split("\n")
    lines[2:4] = [lines[3], stranger.key.to_text()]
    changed = "\n".join(lines)
    uow.session.add(
        LogKeyRow(
            number=row.number + 1,
            vkey=stranger.key.to_text(),
            handover=SignedNote(changed, (stranger.sign(changed),)).to_text(),
        )
    )


def _falling(uow: UnitOfWork) -> None:
    """A third key that the second handed over to, in a smaller tree than it came in itself."""
    second, third = (
        NoteSigner(keys.origin_of(uow.office.instance_id), Kind.LOG, seed) for seed in SEEDS[:2]
    )
    said = Handover(second.key, third.key, keys.load(uow).handovers[-1].size - 1)
    note = said.sign([second, third]).to_text()
    uow.session.add(LogKeyRow(number=3, vkey=third.key.to_text(), handover=note))


def _statement(statement: str) -> Callable[[UnitOfWork], None]:
    def change(uow: UnitOfWork) -> None:
        uow.session.execute(text(statement))

    return change


@pytest.mark.parametrize(
    "attack",
    [
        _foreign,
        _falling,
        _statement("DELETE FROM log_key WHERE number = 1"),
        _statement("DELETE FROM log_key"),
        _statement("UPDATE log_key SET handover = replace(handover, '-', '') WHERE number = 2"),
        _statement("UPDATE log_key SET handover = 'x' WHERE number = 1"),
        _statement("UPDATE log_key SET vkey = 'x' WHERE number = 2"),
        _statement("UPDATE log_key SET number = 3 WHERE number = 2"),
        _statement(
            "UPDATE log_key SET handover = (SELECT handover FROM log_key WHERE number = 1)"
            " WHERE number = 2"
        ),
    ],
)
def test_keys_that_do_not_follow_are_refused(
    bench: Bench, attack: Callable[[UnitOfWork], None]
) -> None:
    rotated(bench, SEEDS[0])
    with bench.office.write() as uow:
        keys.load(uow)
        attack(uow)
    with bench.office.read() as uow:
        for use in (keys.load, keys.signer, checkpoints.sign_now):
            with pytest.raises(LogKeysBroken):
                use(uow)
