"""Badung walked at random: whatever people try, the story stays readable to its holders alone."""

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from casework.errors import Denied, InvalidInput, InvalidTransition, NotFound
from casework.handling import desk
from casework.law import engine
from casework.law.engine import Facts, Situation
from tests.casework.cases import (
    REPORTER,
    all_verified,
    copy_of,
    file_report,
    inbox,
    join,
    texts,
)
from tests.casework.conftest import close
from tests.casework.handling.test_desk import derived, stored
from tests.casework.office import ROLES, Bench

USERS = (*ROLES, REPORTER)
JOINERS = (("operator",), ("verifikator",), ("irban",), ("tim",), ("irban", "verifikator"))
TOLD = {"content", "handling", "investigation", "aph"}


class Badung(RuleBasedStateMachine):
    """One office, one case, and everybody who might touch it."""

    founded: ClassVar[Bench]
    transitions: ClassVar[tuple[str, ...]]

    @initialize()
    def found(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.bench = copy_of(self.founded, self.folder / "office")
        self.filed = file_report(self.bench)
        self.said: list[str] = []
        self.joined = 0

    def users(self) -> list[str]:
        return [*self.bench.officers, REPORTER]

    def on_desk(self, user: str) -> bool:
        return user == REPORTER or self.filed.case_id in inbox(self.bench, user)

    @rule(data=st.data())
    def take_what_is_offered(self, data: st.DataObject) -> None:
        """No deadlock: what the pages offer succeeds with what it asks for."""
        choices = [
            (user, transition)
            for user in self.users()
            if self.on_desk(user)
            for transition in sorted(self.filed.offered(user))
        ]
        if not choices:
            assert self.filed.profile.state(self.filed.state()).open is False
            return
        user, transition = data.draw(st.sampled_from(choices))
        leaves = len(self.filed.leaves())
        self.filed.do(user, transition)
        assert len(self.filed.leaves()) == leaves + 1

    @rule(user=st.sampled_from(USERS), data=st.data())
    def try_anything(self, user: str, data: st.DataObject) -> None:
        """Whatever somebody tries is done by the profile, or refused whole."""
        transition = data.draw(st.sampled_from(self.transitions))
        before = (self.filed.state(), self.filed.revision(), self.filed.holders())
        seen = self.on_desk(user)
        offered = self.filed.offered(user) if seen else set()
        try:
            self.filed.do(user, transition)
        except InvalidTransition:
            assert seen
            assert transition not in offered
        except NotFound:
            assert not seen
        else:
            assert transition in offered
            return
        assert (self.filed.state(), self.filed.revision(), self.filed.holders()) == before

    @rule(user=st.sampled_from(USERS))
    def act_with_nothing_in_hand(self, user: str) -> None:
        """Whatever an act asks for must be brought."""
        if self.on_desk(user):
            for transition in sorted(self.filed.offered(user)):
                rule_ = self.filed.profile.transition(transition)
                if rule_.requires or rule_.checklist or rule_.documents:
                    before = self.filed.revision()
                    with pytest.raises(InvalidInput):
                        self.filed.do(user, transition, Facts())
                    assert self.filed.revision() == before

    @rule(user=st.sampled_from(USERS))
    def speak(self, user: str) -> None:
        words = f"ucapan {len(self.said)} dari {user}"
        may = user == REPORTER or user in self.filed.holders()["content"]
        if may:
            self.filed.say(user, words)
            self.said.append(words)
        else:
            with pytest.raises((Denied, NotFound)):
                self.filed.say(user, words)

    @rule(days=st.integers(1, 60))
    def let_time_pass(self, days: int) -> None:
        self.bench.clock.advance(days=days)

    @precondition(lambda self: self.joined < 2)
    @rule(roles=st.sampled_from(JOINERS))
    def somebody_joins(self, roles: tuple[str, ...]) -> None:
        self.joined += 1
        join(self.bench, {f"baru{self.joined}": roles})

    @invariant()
    def everything_holds(self) -> None:
        """Holders read all, nobody else anything; the desk is derived; nobody is stuck."""
        if not hasattr(self, "filed"):
            return
        filed, holders, box = self.filed, self.filed.holders(), self.filed.mailbox()
        assert all_verified(box.pieces)
        assert all(words in texts(box.pieces) for words in self.said)
        assert {"inspektur", "recovery", REPORTER} <= holders["content"]
        assert holders["mailbox"] == {REPORTER}
        assert holders["identity"] == holders["contact"] == {REPORTER, "recovery"}
        assert stored(filed) == derived(filed)
        can_act = bool(box.actions)
        for user in self.bench.officers:
            held = TOLD & {name for name, people in holders.items() if user in people}
            try:
                file = filed.file(user)
            except NotFound:
                assert not held
                continue
            assert held == {piece.compartment for piece in file.pieces}
            assert all_verified(file.pieces)
            if "content" in held:
                told = texts(file.pieces)
                assert all(words in told for words in self.said)
            can_act = can_act or bool(file.actions)
            self.lacks_no_key(user, {action.rule.id for action in file.actions}, file.flags)
        assert can_act or not box.state.open

    def lacks_no_key(self, user: str, offered: set[str], flags: frozenset[str]) -> None:
        """Whoever has been in office since the report came in is offered all the engine allows."""
        if user in ROLES:
            now = Situation(flags=flags)
            state = self.filed.state()
            allowed = engine.allowed(self.filed.profile, state, user, now)
            assert {one.id for one in allowed} <= offered

    def teardown(self) -> None:
        with suppress(AttributeError):
            close(self.bench)
            shutil.rmtree(self.folder)


def test_badung_at_random(founded: Bench) -> None:
    Badung.founded = founded
    Badung.transitions = tuple(one.id for one in founded.office.profile.transitions)
    run_state_machine_as_test(
        Badung,
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_far_end_of_time_is_later_than_any_clock(founded: Bench) -> None:
    assert founded.clock.now.date() + timedelta(days=365 * 100) < desk.NEVER
