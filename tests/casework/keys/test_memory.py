"""Whoever puts an older database back is noticed at the next sign-in of any officer."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_fields
from sqlalchemy import delete, update

from casework.keys import enrol, memory, roster
from casework.keys.actor import Actor
from casework.keys.enrol import Applicant
from casework.keys.memory import Rollback, RolledBack
from casework.keys.parts import PublicPart
from casework.keys.tables import RosterRow
from casework.keys.vocabulary import PersonKind
from casework.log import leaf
from casework.log.tables import Leaf
from casework.store.engine import truncate_wal
from casework.store.keystore import MEMORIES
from casework.store.office import Office
from crypto import age, canonical
from crypto.persons import Person
from crypto.signatures import Purpose
from tests.casework.log.trees import rebuild
from tests.casework.office import Bench, make_office, passphrase_of


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    people: dict[str, tuple[str, ...]] = {
        name: (name,) for name in ("inspektur", "irban", "operator")
    }
    made = make_office(tmp_path / "kantor", people)
    yield made
    made.office.engine.dispose()
    made.office.keystore.engine.dispose()


def sign_in(bench: Bench, username: str = "operator") -> None:
    with bench.office.read() as uow:
        memory.check_and_update(uow, bench[username])


def refused(bench: Bench, username: str = "operator") -> Rollback:
    with pytest.raises(RolledBack) as caught:
        sign_in(bench, username)
    return caught.value.reason


def act(bench: Bench, event: str = "uji") -> None:
    with bench.office.write() as uow:
        leaf.append(uow, leaf.Draft(event, leaf.SYSTEM))


def newcomer(bench: Bench, name: str = "baru") -> PublicPart:
    asked = Applicant(name, f"Contoh {name}", "Jabatan", ("operator",), passphrase_of(name))
    return enrol.enrol(bench.office, asked)


def approve(bench: Bench, part: PublicPart) -> None:
    with bench.office.write() as uow:
        enrol.approve(uow, bench["inspektur"], [part.record(uow.today())], "Surat keputusan")


def back_up(bench: Bench, name: str = "suaka.db") -> Path:
    office = bench.office
    truncate_wal(office.engine if name == "suaka.db" else office.keystore.engine)
    copy = bench.folder / f"kemarin-{name}"
    shutil.copyfile(bench.folder / name, copy)
    return copy


def restore(bench: Bench, name: str = "suaka.db") -> None:
    """Stop, put yesterday's file in place, start again."""
    office = bench.office
    engine = office.engine if name == "suaka.db" else office.keystore.engine
    engine.dispose()
    for beside in ("-wal", "-shm"):
        (bench.folder / f"{name}{beside}").unlink(missing_ok=True)
    shutil.copyfile(bench.folder / f"kemarin-{name}", bench.folder / name)


class TestOrdinaryDays:
    def test_signing_in_again_and_again_is_no_alarm(self, bench: Bench) -> None:
        for _ in range(3):
            sign_in(bench)
            act(bench)

    def test_a_roster_and_a_log_that_grew_are_no_alarm(self, bench: Bench) -> None:
        sign_in(bench)
        approve(bench, newcomer(bench))
        for username in ("operator", "irban", "inspektur"):
            sign_in(bench, username)

    def test_another_sign_in_at_the_same_moment_is_no_alarm(self, bench: Bench) -> None:
        """Two browsers of one officer: the second sees a log that the first's look is too old for.

        What is remembered is then newer than the snapshot of the first, and yet nothing is wrong.
        """
        with bench.office.read() as uow:
            roster.load(uow)  # the look at the database begins here
            act(bench)
            sign_in(bench)
            memory.check_and_update(uow, bench["operator"])
        sign_in(bench)

    def test_the_verified_roster_comes_back(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            assert memory.check_and_update(uow, bench["irban"]) == roster.load(uow)

    def test_who_is_newly_enrolled_has_a_memory_from_the_start(self, bench: Bench) -> None:
        part = newcomer(bench)
        assert bench.office.keystore.memory(part.person_id) is not None


class TestYesterdaysDatabase:
    def test_a_backup_from_before_a_roster_change_is_noticed(self, bench: Bench) -> None:
        """The case that matters most: whoever was removed since would be back."""
        part = newcomer(bench)
        back_up(bench)
        approve(bench, part)
        sign_in(bench)
        restore(bench)
        assert refused(bench) is Rollback.ROSTER_OLDER

    def test_a_backup_with_the_same_roster_and_fewer_leaves_is_noticed(self, bench: Bench) -> None:
        back_up(bench)
        act(bench)
        sign_in(bench)
        restore(bench)
        assert refused(bench) is Rollback.LOG_SHORTER

    def test_a_backup_that_has_moved_on_since_is_noticed(self, bench: Bench) -> None:
        """Restored, then used until the log is as long as it was: another history."""
        back_up(bench)
        act(bench, "dulu")
        sign_in(bench)
        restore(bench)
        act(bench, "kini")
        act(bench, "lagi")
        assert refused(bench) is Rollback.LOG_DIFFERS

    def test_another_roster_of_the_same_length_is_noticed(self, bench: Bench) -> None:
        first, second = newcomer(bench, "baru1"), newcomer(bench, "baru2")
        back_up(bench)
        approve(bench, first)
        sign_in(bench)
        restore(bench)
        approve(bench, second)
        assert refused(bench) is Rollback.ROSTER_DIFFERS

    def test_the_alarm_does_not_wear_off(self, bench: Bench) -> None:
        back_up(bench)
        act(bench)
        sign_in(bench)
        restore(bench)
        for _ in range(3):
            assert refused(bench) is Rollback.LOG_SHORTER

    def test_the_right_database_put_back_ends_the_alarm(self, bench: Bench) -> None:
        back_up(bench)
        act(bench)
        sign_in(bench)
        truncate_wal(bench.office.engine)
        right = bench.folder / "benar.db"
        shutil.copyfile(bench.folder / "suaka.db", right)
        restore(bench)
        assert refused(bench) is Rollback.LOG_SHORTER
        shutil.copyfile(right, bench.folder / "kemarin-suaka.db")
        restore(bench)
        sign_in(bench)

    def test_who_has_not_signed_in_since_the_backup_sees_no_difference(self, bench: Bench) -> None:
        """The stated limit: a memory knows only what its officer has seen."""
        back_up(bench)
        act(bench)
        sign_in(bench, "irban")
        restore(bench)
        sign_in(bench, "operator")
        assert refused(bench, "irban") is Rollback.LOG_SHORTER

    def test_both_databases_of_yesterday_together_go_unnoticed(self, bench: Bench) -> None:
        """The stated limit, kept as a test so that the documents stay honest about it."""
        back_up(bench)
        back_up(bench, "keystore.db")
        act(bench)
        sign_in(bench)
        restore(bench)
        restore(bench, "keystore.db")
        sign_in(bench)


class TestRowsTakenOut:
    def test_the_last_roster_entry_taken_out_is_noticed(self, bench: Bench) -> None:
        approve(bench, newcomer(bench))
        sign_in(bench)
        with bench.office.write() as uow:
            uow.session.execute(delete(RosterRow).where(RosterRow.version == 2))
        with bench.office.read() as uow:
            assert roster.load(uow).version == 1
        assert refused(bench) is Rollback.ROSTER_OLDER

    def test_the_last_leaf_taken_out_is_noticed(self, bench: Bench) -> None:
        act(bench)
        sign_in(bench)
        with bench.office.write() as uow:
            uow.session.execute(delete(Leaf).where(Leaf.number == leaf.next_number(uow) - 1))
        assert refused(bench) is Rollback.LOG_DIFFERS

    def test_the_last_leaf_taken_out_of_the_tree_as_well_is_noticed(self, bench: Bench) -> None:
        act(bench)
        sign_in(bench)
        with bench.office.write() as uow:
            uow.session.execute(delete(Leaf).where(Leaf.number == leaf.next_number(uow) - 1))
            rebuild(uow)
        assert refused(bench) is Rollback.LOG_SHORTER

    def test_a_changed_leaf_is_noticed(self, bench: Bench) -> None:
        act(bench)
        sign_in(bench)
        with bench.office.write() as uow:
            uow.session.execute(update(Leaf).values(hash=bytes(32)))
        assert refused(bench) is Rollback.LOG_DIFFERS

    def test_a_remembered_leaf_taken_out_from_below_is_noticed(self, bench: Bench) -> None:
        act(bench)
        sign_in(bench)
        with bench.office.write() as uow:
            last = leaf.next_number(uow) - 1
            uow.session.execute(update(Leaf).where(Leaf.number == last).values(number=last + 5))
        assert refused(bench) is Rollback.LOG_DIFFERS


class TestForgedMemory:
    """By somebody who writes the keystore."""

    def planted(self, bench: Bench, actor: Actor, signer: Person, **fields: object) -> Rollback:
        office: Office = bench.office
        plain = memory.Memory(instance=office.instance_id, person=actor.person_id)
        content = {name: getattr(plain, name) for name in plain.__struct_fields__} | fields
        sealed = age.encrypt(canonical.encode(content), [actor.person.identity.recipient])
        statement = {
            "instance": office.instance_id,
            "person": actor.person_id,
            "sha256": hashlib.sha256(sealed).hexdigest(),
        }
        signature = signer.signing.sign(Purpose.KEYRING, statement)
        office.keystore.remember(actor.person_id, sealed, signature)
        return refused(bench)

    def test_a_deleted_memory_is_noticed(self, bench: Bench) -> None:
        with bench.office.keystore.engine.begin() as connection:
            connection.execute(delete(MEMORIES))
        assert refused(bench) is Rollback.MEMORY_MISSING

    def test_an_empty_memory_that_an_admin_sealed_is_noticed(self, bench: Bench) -> None:
        """Sealing to an officer takes no secret; signing in their name does."""
        reason = self.planted(bench, bench["operator"], Person.generate())
        assert reason is Rollback.MEMORY_FORGED

    def test_a_colleagues_memory_is_noticed(self, bench: Bench) -> None:
        kept = bench.office.keystore.memory(bench["irban"].person_id)
        assert kept is not None
        bench.office.keystore.remember(bench["operator"].person_id, *kept)
        assert refused(bench) is Rollback.MEMORY_FORGED

    @pytest.mark.parametrize("part", [0, 1])
    def test_a_memory_with_one_bit_changed_is_noticed(self, bench: Bench, part: int) -> None:
        person_id = bench["operator"].person_id
        kept = bench.office.keystore.memory(person_id)
        assert kept is not None
        changed = list(kept)
        changed[part] = changed[part][:-1] + bytes([changed[part][-1] ^ 1])
        bench.office.keystore.remember(person_id, changed[0], changed[1])
        assert refused(bench) is Rollback.MEMORY_FORGED

    @pytest.mark.parametrize(
        "fields",
        [
            {"person": "f" * 32},
            {"instance": "lain"},
            {"v": 4},
            {"log_size": -1},
            {"roster_head": "x"},
            {"more": 1},
        ],
    )
    def test_what_is_signed_must_still_make_sense(
        self, bench: Bench, fields: dict[str, object]
    ) -> None:
        actor = bench["operator"]
        reason = self.planted(bench, actor, actor.person, **fields)
        assert reason is Rollback.MEMORY_FORGED

    def test_another_instances_memory_is_noticed(self, bench: Bench) -> None:
        bench.office = replace(bench.office, instance_id="f" * 32)
        assert refused(bench) is Rollback.MEMORY_FORGED

    def test_a_stranger_has_no_memory(self, bench: Bench) -> None:
        bench.officers["asing"] = Actor("f" * 32, Person.generate(), PersonKind.OFFICER)
        assert refused(bench, "asing") is Rollback.MEMORY_MISSING

    @pytest.mark.parametrize("text", [b"", b"\0", b"{}\0{}", b"[]\0\0"])
    def test_padding_around_anything_else_is_noticed(self, bench: Bench, text: bytes) -> None:
        actor = bench["operator"]
        sealed = age.encrypt(text, [actor.person.identity.recipient])
        plain = memory.Memory(instance=bench.office.instance_id, person=actor.person_id)
        signature = actor.person.signing.sign(Purpose.KEYRING, memory._statement(plain, sealed))
        bench.office.keystore.remember(actor.person_id, sealed, signature)
        assert refused(bench) is Rollback.MEMORY_FORGED

    @pytest.mark.parametrize(("words", "steps"), [(0, 1), (4, 1), (20, 2)])
    def test_what_is_kept_comes_in_steps_of_length(
        self, bench: Bench, words: int, steps: int
    ) -> None:
        """And is read back as it was."""
        actor, confirmed = bench["operator"], tuple(f"{n:064x}" for n in range(words))
        with bench.office.read() as uow:
            written = replace_fields(memory.recall(uow, actor), confirmed=confirmed)
            memory.remember(uow, actor, written)
            assert memory.recall(uow, actor) == written
        kept = bench.office.keystore.memory(actor.person_id)
        assert kept is not None
        assert len(age.decrypt(kept[0], [actor.person.identity])) == steps * memory.STEP

    def test_what_is_kept_is_readable_by_nobody_else(self, bench: Bench) -> None:
        kept = bench.office.keystore.memory(bench["operator"].person_id)
        assert kept is not None
        with bench.office.read() as uow:
            head = roster.load(uow).head
        assert head.encode() not in kept[0]
        mine = age.decrypt(kept[0], [bench["operator"].person.identity])
        assert head.encode() in mine
