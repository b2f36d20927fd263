"""After an honest restore the guardian's word lets officers in; nobody else's does, nor twice."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from casework.audit.verify import verify
from casework.errors import Denied, InvalidInput
from casework.keys import confirmations, enrol, memory, point, restoration, roster
from casework.keys.chain import NO_PREVIOUS
from casework.keys.memory import Rollback, RolledBack
from casework.keys.vocabulary import TenureState
from casework.log import leaf
from casework.log.tables import Leaf
from casework.store.engine import truncate_wal
from casework.store.keystore import MEMORIES
from crypto import age, canonical
from crypto.persons import Person
from crypto.signatures import Purpose
from tests.casework.cases import copy_of
from tests.casework.conftest import close
from tests.casework.log.trees import rebuild
from tests.casework.office import Bench, make_office, passphrase_of

REASON = "Cakram rusak, cadangan kemarin dipasang"
OFFICERS = ("inspektur", "irban", "operator")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    people: dict[str, tuple[str, ...]] = {name: (name,) for name in OFFICERS}
    made = make_office(tmp_path_factory.mktemp("founded") / "kantor", people)
    yield made
    close(made)


@pytest.fixture
def bench(founded: Bench, tmp_path: Path) -> Iterator[Bench]:
    made = copy_of(founded, tmp_path / "kantor")
    yield made
    close(made)


def check(bench: Bench, username: str = "operator") -> memory.Checked:
    with bench.office.read() as uow:
        return memory.check(uow, bench[username])


def refused(bench: Bench, username: str = "operator") -> Rollback:
    with pytest.raises(RolledBack) as caught:
        check(bench, username)
    return caught.value.reason


def act(bench: Bench, times: int = 1) -> None:
    for _ in range(times):
        with bench.office.write() as uow:
            leaf.append(uow, leaf.Draft("uji", leaf.SYSTEM))


def confirm(bench: Bench, username: str = "inspektur", reason: str = REASON) -> int:
    with bench.office.write() as uow:
        return restoration.confirm(uow, bench[username], reason)


def approve(bench: Bench, username: str, state: TenureState = TenureState.ACTIVE) -> None:
    """Put somebody on the roster, or change them there."""
    with bench.office.read() as uow:
        known = {part.handle: part for part in enrol.enrolled(uow)}
    part = known.get(username) or enrol.enrol(
        bench.office,
        enrol.Applicant(
            username, f"Contoh {username}", "Jabatan", ("operator",), passphrase_of(username)
        ),
    )
    with bench.office.write() as uow:
        record = part.record(uow.today(), state=state)
        enrol.approve(uow, bench["inspektur"], [record], "Surat keputusan")


def keep(bench: Bench, name: str) -> Callable[[], None]:
    """Copy the main database; return what puts the copy back."""
    truncate_wal(bench.office.engine)
    copy = bench.folder / f"kemarin-{name}"
    shutil.copyfile(bench.folder / "suaka.db", copy)

    def put_back() -> None:
        bench.office.engine.dispose()
        for beside in ("-wal", "-shm"):
            (bench.folder / f"suaka.db{beside}").unlink(missing_ok=True)
        shutil.copyfile(copy, bench.folder / "suaka.db")

    return put_back


@pytest.fixture
def gone_back(bench: Bench) -> Bench:
    """Yesterday's database under today's memories: one roster entry and three leaves are lost."""
    act(bench)
    approve(bench, "lama")
    put_back = keep(bench, "a")
    approve(bench, "lama", TenureState.LEFT)
    act(bench, 2)
    for username in OFFICERS:
        check(bench, username)
    put_back()
    return bench


class TestTheGuardiansWord:
    def test_it_lets_everybody_in_and_says_why(self, gone_back: Bench) -> None:
        for username in OFFICERS:
            assert refused(gone_back, username) is Rollback.ROSTER_OLDER
        number = confirm(gone_back)
        for username in OFFICERS:
            explained = check(gone_back, username).explained
            assert explained is not None
            assert explained.number == number
            assert explained.reason == REASON
            assert explained.actor == gone_back["inspektur"].person_id
            assert (explained.roster_version, explained.seen.roster) == (2, 3)

    def test_it_is_told_once(self, gone_back: Bench) -> None:
        confirm(gone_back)
        check(gone_back)
        assert check(gone_back).explained is None

    def test_without_a_contradiction_nothing_is_explained(self, bench: Bench) -> None:
        confirm(bench)
        assert check(bench).explained is None

    def test_the_alarm_is_live_again_afterwards(self, gone_back: Bench) -> None:
        confirm(gone_back)
        put_back = keep(gone_back, "b")
        act(gone_back)
        check(gone_back)
        put_back()
        assert refused(gone_back) is Rollback.LOG_SHORTER

    def test_another_restore_wants_another_word(self, gone_back: Bench) -> None:
        confirm(gone_back)
        put_back = keep(gone_back, "b")
        act(gone_back)
        for username in OFFICERS:
            check(gone_back, username)
        put_back()
        refused(gone_back)
        confirm(gone_back)
        for username in OFFICERS:
            assert check(gone_back, username).explained is not None

    def test_the_leaf_is_sound_for_the_audit(self, gone_back: Bench) -> None:
        confirm(gone_back)
        with gone_back.office.read() as uow:
            assert verify(uow).sound

    def test_the_look_before_it_names_what_is_lost(self, gone_back: Bench) -> None:
        with gone_back.office.read() as uow:
            found = restoration.look(uow, gone_back["inspektur"])
        assert found.contradiction is Rollback.ROSTER_OLDER
        assert list(found.lost_entries) == [3]
        assert found.lost_leaves == 3
        assert found.now.roster_reason == "Surat keputusan"
        assert "Contoh lama" in {person.name for person in found.in_office}

    @pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 161])
    def test_a_reason_is_one_line(self, bench: Bench, reason: str) -> None:
        with pytest.raises(InvalidInput):
            confirm(bench, reason=reason)

    def test_it_is_shown_for_a_while(self, gone_back: Bench) -> None:
        confirm(gone_back)
        with gone_back.office.read() as uow:
            chain, today = roster.load(uow), uow.today()
            shown = confirmations.latest(uow, chain, today)
            assert shown is not None
            assert shown.reason == REASON
            later = today.replace(day=today.day + 1)
            assert confirmations.latest(uow, chain, later) is None


class TestTheSystemsTrace:
    def test_it_names_both_and_is_sound(self, bench: Bench) -> None:
        with bench.office.read() as uow:
            stands, chain = point.of(uow.session), roster.load(uow)
        with bench.office.write() as uow:
            number = restoration.record(uow, uow.today(), stands, None)
        with bench.office.read() as uow:
            row = uow.session.get(Leaf, number)
            assert row is not None
            said = leaf.read(row)
            assert said is not None
            assert (said["event"], said["actor"]) == ("restored", "system")
            assert (said["roster"], said["head"]) == (1, chain.head)
            assert (said["size"], said["last"]) == (stands.log_size, stands.log_last)
            assert said["replaced"] is None
            assert verify(uow).sound

    def test_it_lets_nobody_in(self, gone_back: Bench) -> None:
        with gone_back.office.write() as uow:
            restoration.record(uow, uow.today(), point.of(uow.session), None)
        for username in OFFICERS:
            refused(gone_back, username)


class TestNobodyElsesWord:
    """An admin writes database and keystore as they like; they have no officer's key."""

    @pytest.mark.parametrize("username", ["irban", "operator"])
    def test_an_officer_who_is_no_guardian_may_not(self, gone_back: Bench, username: str) -> None:
        with pytest.raises(Denied):
            confirm(gone_back, username)

    def forged(self, bench: Bench, actor: str, key: Person | None, **changes: Any) -> None:
        """Write a leaf as the program would, past all its checks."""
        with bench.office.write() as uow:
            now, chain = point.of(uow.session), roster.load(uow)
            seen = confirmations.Seen(roster=3, size=9)
            facts = confirmations.facts(chain, now.log_size, now.log_last, seen, REASON) | changes
            draft = leaf.Draft(confirmations.EVENT, actor, facts=facts)
            leaf.append(uow, draft, None if key is None else key.signing)

    def test_a_leaf_in_the_guardians_name_without_a_signature(self, gone_back: Bench) -> None:
        self.forged(gone_back, gone_back["inspektur"].person_id, None)
        for username in OFFICERS:
            refused(gone_back, username)

    def test_a_leaf_in_the_guardians_name_with_another_key(self, gone_back: Bench) -> None:
        self.forged(gone_back, gone_back["inspektur"].person_id, Person.generate())
        for username in OFFICERS:
            refused(gone_back, username)

    def test_a_leaf_that_another_officer_signed(self, gone_back: Bench) -> None:
        irban = gone_back["irban"]
        self.forged(gone_back, irban.person_id, irban.person)
        assert refused(gone_back, "operator") is Rollback.ROSTER_OLDER

    @pytest.mark.parametrize(
        "changes",
        [
            {"size": 1},
            {"last": "0" * 64},
            {"head": "0" * 64},
            {"roster": 1},
            {"roster": 3},
            {"more": 1},
            {"seen": None},
            {"reason": ""},
        ],
        ids=str,
    )
    def test_a_leaf_of_the_guardian_that_says_something_else(
        self, gone_back: Bench, changes: dict[str, Any]
    ) -> None:
        guardian = gone_back["inspektur"]
        self.forged(gone_back, guardian.person_id, guardian.person, **changes)
        assert refused(gone_back, "operator") is Rollback.ROSTER_OLDER

    def test_the_forger_would_succeed_with_the_guardians_key(self, gone_back: Bench) -> None:
        """So that the refusals above are for the reasons that they name."""
        guardian = gone_back["inspektur"]
        self.forged(gone_back, guardian.person_id, guardian.person)
        assert check(gone_back, "operator").explained is not None

    def test_another_guardian_in_the_memory_cannot_be_planted(self, gone_back: Bench) -> None:
        """Sealing to an officer takes no secret; signing in their name does."""
        operator, forger = gone_back["operator"], Person.generate()
        with gone_back.office.read() as uow:
            seen = memory.recall(uow, operator)
        content = {name: getattr(seen, name) for name in seen.__struct_fields__}
        content |= {
            "guardian": "e" * 32,
            "guardian_key": forger.public.verify_key.hex(),
            "confirmed": [],
        }
        sealed = age.encrypt(canonical.encode(content), [operator.person.identity.recipient])
        statement = {
            "instance": seen.instance,
            "person": operator.person_id,
            "sha256": hashlib.sha256(sealed).hexdigest(),
        }
        signature = forger.signing.sign(Purpose.KEYRING, statement)
        gone_back.office.keystore.remember(operator.person_id, sealed, signature)
        self.forged(gone_back, "e" * 32, forger)
        assert refused(gone_back) is Rollback.MEMORY_FORGED

    def test_a_missing_memory_is_not_explained(self, gone_back: Bench) -> None:
        confirm(gone_back)
        with gone_back.office.keystore.engine.begin() as connection:
            connection.execute(delete(MEMORIES))
        assert refused(gone_back) is Rollback.MEMORY_MISSING

    def test_a_guardian_of_the_old_roster_alone_is_not_believed(self, bench: Bench) -> None:
        """Whom the officer last knew as guardian counts, not whom the old copy names."""
        with bench.office.read() as uow:
            seen = memory.recall(uow, bench["operator"])
        successor = Person.generate().public.verify_key.hex()
        replaced = replace_memory(seen, guardian="d" * 32, guardian_key=successor, log_size=99)
        memory_of(bench, replaced)
        confirm(bench)
        assert refused(bench) is Rollback.LOG_SHORTER


class TestOldWords:
    """A confirmation lies in the log for ever; it must not let in what comes later."""

    def test_a_copy_that_holds_a_word_already_seen_is_refused(self, gone_back: Bench) -> None:
        confirm(gone_back)
        put_back = keep(gone_back, "b")
        act(gone_back, 5)
        for username in OFFICERS:
            check(gone_back, username)
        put_back()
        for username in OFFICERS:
            assert refused(gone_back, username) is Rollback.LOG_SHORTER

    def test_neither_is_a_copy_from_between_two_words(self, gone_back: Bench) -> None:
        confirm(gone_back)
        between = keep(gone_back, "b")
        act(gone_back, 2)
        for username in OFFICERS:
            check(gone_back, username)
        between()
        confirm(gone_back)
        for username in OFFICERS:
            check(gone_back, username)
        act(gone_back, 5)
        for username in OFFICERS:
            check(gone_back, username)
        between()
        for username in OFFICERS:
            refused(gone_back, username)

    def test_a_word_that_was_read_without_an_alarm_is_seen_as_well(self, bench: Bench) -> None:
        act(bench)
        confirm(bench)
        put_back = keep(bench, "b")
        act(bench)
        check(bench)
        put_back()
        assert refused(bench) is Rollback.LOG_SHORTER

    @pytest.mark.parametrize("hidden", ["body", "event", "text"])
    def test_nor_one_that_was_hidden_for_a_while(self, bench: Bench, hidden: str) -> None:
        """Somebody blanks the leaf before officers sign in, to have its use later."""
        number = confirm(bench)
        put_back = keep(bench, "b")
        act(bench, 3)
        columns: dict[str, dict[str, Any]] = {
            "body": {"body": None},
            "event": {"event": "lain"},
            "text": {"body": "{}"},
        }
        with bench.office.write() as uow:
            uow.session.execute(update(Leaf).where(Leaf.number == number).values(**columns[hidden]))
        check(bench)
        put_back()
        assert refused(bench) is Rollback.LOG_SHORTER

    def test_what_follows_the_word_must_be_one_chain(self, gone_back: Bench) -> None:
        number = confirm(gone_back)
        act(gone_back, 2)
        with gone_back.office.engine.begin() as connection:
            connection.execute(
                text("UPDATE leaf SET body = body || ' ' WHERE number = :number"),
                {"number": number + 1},
            )
        refused(gone_back)

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_what_precedes_it_must_be_one_chain(self, gone_back: Bench, number: int) -> None:
        confirm(gone_back)
        with gone_back.office.engine.begin() as connection:
            connection.execute(
                text("UPDATE leaf SET body = body || ' ' WHERE number = :number"),
                {"number": number},
            )
        refused(gone_back)

    def test_a_leaf_taken_out_after_the_word_is_noticed(self, gone_back: Bench) -> None:
        number = confirm(gone_back)
        act(gone_back, 2)
        with gone_back.office.write() as uow:
            uow.session.execute(delete(Leaf).where(Leaf.number == number + 1))
        refused(gone_back)

    def test_the_word_moved_into_another_history_is_refused(self, gone_back: Bench) -> None:
        """Its place and the leaf before it are what the guardian signed."""
        other = keep(gone_back, "andere")
        number = confirm(gone_back)
        with gone_back.office.read() as uow:
            row = uow.session.scalar(select(Leaf).where(Leaf.number == number))
            assert row is not None
            values: dict[str, Any] = {
                name: getattr(row, name) for name in [one.name for one in Leaf.__table__.columns]
            }
        other()
        act(gone_back)
        with gone_back.office.write() as uow:
            uow.session.add(Leaf(**{**values, "number": number + 1}))
        refused(gone_back)
        with gone_back.office.write() as uow:
            uow.session.execute(delete(Leaf).where(Leaf.number >= number))
            uow.session.add(Leaf(**values))
            rebuild(uow)
        assert check(gone_back).explained is not None


class TestOlderFormats:
    """Memories from before guardians stood in them, then root and key; none of them is padded."""

    def older(self, bench: Bench, username: str, **changes: Any) -> None:
        with bench.office.read() as uow:
            seen = memory.recall(uow, bench[username])
        content = {name: getattr(seen, name) for name in seen.__struct_fields__}
        for name in ("guardian", "guardian_key", "confirmed", "log_root", "log_key", "written"):
            del content[name]
        write_memory(bench, username, content | {"v": 1} | changes)

    def test_one_of_the_second_format_is_read_as_it_is(self, bench: Bench) -> None:
        inspektur = bench["inspektur"]
        named = {
            "v": 2,
            "guardian": inspektur.person_id,
            "guardian_key": inspektur.person.public.verify_key.hex(),
            "confirmed": ["e" * 64],
        }
        self.older(bench, "operator", **named)
        with bench.office.read() as uow:
            seen = memory.recall(uow, bench["operator"])
        assert (seen.guardian, seen.confirmed) == (inspektur.person_id, ("e" * 64,))
        assert (seen.log_root, seen.written) == (NO_PREVIOUS, None)

    def test_one_is_read_and_renewed(self, bench: Bench) -> None:
        self.older(bench, "operator")
        check(bench)
        with bench.office.read() as uow:
            seen = memory.recall(uow, bench["operator"])
        assert (seen.v, seen.guardian) == (3, bench["inspektur"].person_id)
        assert seen.log_root != NO_PREVIOUS
        assert seen.log_key.startswith("catatan/")

    @pytest.mark.parametrize("changes", [{"guardian": 5}, {"log_size": -1}, {"v": 4}])
    def test_it_stays_strict(self, bench: Bench, changes: dict[str, Any]) -> None:
        self.older(bench, "operator", **changes)
        assert refused(bench) is Rollback.MEMORY_FORGED

    def test_it_notices_as_before(self, bench: Bench) -> None:
        self.older(bench, "operator", log_size=50)
        assert refused(bench) is Rollback.LOG_SHORTER

    def test_no_guardian_is_named_so_nobody_can_explain(self, bench: Bench) -> None:
        self.older(bench, "operator", log_size=50)
        confirm(bench)
        assert refused(bench) is Rollback.LOG_SHORTER

    def test_the_guardian_believes_their_own_word(self, bench: Bench) -> None:
        self.older(bench, "inspektur", log_size=50)
        confirm(bench)
        assert check(bench, "inspektur").explained is not None


def replace_memory(seen: memory.Memory, **changes: Any) -> dict[str, Any]:
    content = {name: getattr(seen, name) for name in seen.__struct_fields__}
    return content | changes


def memory_of(bench: Bench, content: dict[str, Any]) -> None:
    write_memory(bench, "operator", content)


def write_memory(bench: Bench, username: str, content: dict[str, Any]) -> None:
    """Write a memory as its officer's keyring would."""
    actor = bench[username]
    sealed = age.encrypt(canonical.encode(content), [actor.person.identity.recipient])
    statement = {
        "instance": bench.office.instance_id,
        "person": actor.person_id,
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
    signature = actor.person.signing.sign(Purpose.KEYRING, statement)
    bench.office.keystore.remember(actor.person_id, sealed, signature)


def test_a_memory_of_another_instance_stays_refused(bench: Bench) -> None:
    confirm(bench)
    bench.office = replace(bench.office, instance_id="f" * 32)
    assert refused(bench) is Rollback.MEMORY_FORGED
