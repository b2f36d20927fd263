"""Leaves of custody count only if their signer was entitled to what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.case import custody, past
from casework.case.past import Entry
from casework.case.tables import Case
from casework.keys import roster
from casework.keys.members import Roster
from casework.keys.vocabulary import RECOVERY
from casework.law.profile import Profile
from casework.law.vocabulary import Compartment
from casework.log.leaf import SYSTEM
from tests.casework.case.test_standing import write_leaf
from tests.casework.cases import Filed, copy_of, file_report, join
from tests.casework.office import ROLES, Bench

KINDS = tuple(kind.value for kind in Compartment)


@dataclass
class Court:
    """Judges single leaves of custody in one office."""

    bench: Bench
    profile: Profile
    chain: Roster

    def id(self, name: str) -> str:
        known = {"recovery": RECOVERY, "system": SYSTEM, "nobody": "f" * 32, "": ""}
        return known[name] if name in known else self.bench[name].person_id

    def names(self, *moved: str) -> tuple[str, ...]:
        """``content:irban`` with the person's id."""
        return tuple(
            f"{kind}:{self.id(name)}" for kind, _, name in (one.partition(":") for one in moved)
        )

    def entry(self, event: str, actor: str, **said: Any) -> Entry:
        fields: dict[str, Any] = {
            "v": 1, "instance": "x", "event": event, "actor": self.id(actor), "case": "c",
            "day": self.bench.clock.now.date().isoformat(), "objects": [], "seq": 1,
            "prev": None, "first": None, "items": 0,
        }  # fmt: skip
        for name in ("granted", "revoked"):
            said[name] = self.names(*said.get(name, ()))
        for name in ("leaver", "successor"):
            said[name] = self.id(said.get(name, ""))
        return msgspec.convert({**fields, **said}, Entry)

    def counts(self, event: str, actor: str, **said: Any) -> bool:
        return custody.counts(self.profile, self.chain, self.entry(event, actor, **said))


@pytest.fixture(scope="module")
def court(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Court:
    bench = copy_of(founded, tmp_path_factory.mktemp("court") / "office")
    join(bench, {"operator2": ("operator",), "irban2": ("irban",), "inspektur2": ("inspektur",)})
    with bench.office.read() as uow:
        return Court(bench, bench.office.profile, roster.load(uow))


FILE = "f" * 64

GOOD: list[tuple[str, str, dict[str, Any]]] = [
    (custody.OPENED, "operator", {}),
    (custody.EXAMINED, "operator", {"items": 1}),
    (custody.FILE_OPENED, "tim", {}),
    (custody.FILE_OPENED, "irban", {"items": 1}),
    (custody.RECUSED, "irban", {"revoked": ["content:irban", "identity:irban"], "items": 1}),
    (custody.REGRANTED, "operator", {"granted": ["content:operator2", "handling:operator2"]}),
    (
        custody.REGRANTED,
        "irban",
        {"granted": ["content:recovery"], "revoked": ["content:recovery"]},
    ),
    (
        custody.HANDED_OVER,
        "inspektur",
        {
            "leaver": "irban",
            "successor": "irban2",
            "revoked": ["content:irban", "identity:irban"],
            "granted": ["content:irban2"],
        },
    ),
    (custody.HANDED_OVER, "inspektur", {"leaver": "irban", "revoked": ["content:irban"]}),
    (custody.RECOVERED, "operator", {"granted": ["content:irban2"], "file": FILE}),
]

BAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an admin looks": (custody.OPENED, "nobody", {}),
    "an examination by who can hold no file": (custody.EXAMINED, "admin", {"items": 1}),
    "an opening by who can hold no file": (custody.FILE_OPENED, "pengawas", {}),
    "an examination by the system": (custody.EXAMINED, "system", {"items": 1}),
    "an examination that moves keys": (
        custody.EXAMINED,
        "operator",
        {"items": 1, "granted": ["content:operator2"]},
    ),
    "an opening that takes keys": (
        custody.FILE_OPENED,
        "operator",
        {"revoked": ["content:irban"]},
    ),
    "an examination of two things": (custody.EXAMINED, "operator", {"items": 2}),
    "an opening that moves the case": (custody.FILE_OPENED, "operator", {"to": "selesai"}),
    "a look that moves keys": (custody.OPENED, "operator", {"granted": ["content:operator2"]}),
    "a look that takes keys": (custody.OPENED, "operator", {"revoked": ["content:operator"]}),
    "a look that moves the case": (custody.OPENED, "operator", {"to": "selesai"}),
    "a regrant that classifies": (custody.REGRANTED, "operator", {"category": "a"}),
    "a regrant from a state": (custody.REGRANTED, "operator", {"from": "submitted"}),
    "somebody else is recused": (custody.RECUSED, "irban", {"revoked": ["content:operator"]}),
    "recusal of all": (
        custody.RECUSED,
        "irban",
        {"revoked": ["content:irban", "content:recovery"]},
    ),
    "recusal that gives": (custody.RECUSED, "irban", {"granted": ["content:irban2"]}),
    "recusal with two items": (custody.RECUSED, "irban", {"items": 2}),
    "recusal by the system": (custody.RECUSED, "system", {}),
    "a regrant with an item": (
        custody.REGRANTED,
        "operator",
        {"granted": ["content:operator2"], "items": 1},
    ),
    "a regrant that takes": (custody.REGRANTED, "operator", {"revoked": ["content:operator2"]}),
    "a regrant that replaces an officer": (
        custody.REGRANTED,
        "operator",
        {"granted": ["content:operator2"], "revoked": ["content:operator2"]},
    ),
    "a regrant of what the role cannot give": (
        custody.REGRANTED,
        "operator",
        {"granted": ["investigation:irban"]},
    ),
    "a regrant by who gives nothing": (custody.REGRANTED, "tim", {"granted": ["content:irban"]}),
    "a regrant by an admin": (custody.REGRANTED, "admin", {"granted": ["content:operator"]}),
    "a regrant to an admin": (custody.REGRANTED, "operator", {"granted": ["content:admin"]}),
    "a regrant to a monitor": (custody.REGRANTED, "operator", {"granted": ["handling:pengawas"]}),
    "a regrant to a stranger": (custody.REGRANTED, "operator", {"granted": ["content:nobody"]}),
    "a regrant to a wrong role": (
        custody.REGRANTED,
        "inspektur",
        {"granted": ["investigation:operator"]},
    ),
    "a share travels": (custody.REGRANTED, "irban", {"granted": ["identity:irban2"]}),
    "a contact travels": (custody.REGRANTED, "irban", {"granted": ["contact:inspektur2"]}),
    "the reporter's own things": (custody.REGRANTED, "operator", {"granted": ["mailbox:irban"]}),
    "the mailbox to recovery": (
        custody.REGRANTED,
        "operator",
        {"granted": ["mailbox:recovery"], "revoked": ["mailbox:recovery"]},
    ),
    "a hand-over by who approves nobody": (
        custody.HANDED_OVER,
        "irban",
        {"leaver": "operator", "revoked": ["content:operator"]},
    ),
    "a hand-over by an admin": (
        custody.HANDED_OVER,
        "admin",
        {"leaver": "operator", "revoked": ["content:operator"]},
    ),
    "a hand-over by oneself": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "inspektur", "successor": "inspektur2", "revoked": ["content:inspektur"]},
    ),
    "a hand-over to oneself": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "successor": "irban", "revoked": ["content:irban"]},
    ),
    "a hand-over of another's keys": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "successor": "irban2", "revoked": ["content:operator"]},
    ),
    "a hand-over of recovery's keys": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "successor": "irban2", "revoked": ["content:recovery"]},
    ),
    "a hand-over that gives to a third": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "successor": "irban2", "granted": ["content:operator"]},
    ),
    "a hand-over that gives without a successor": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "granted": ["content:irban2"]},
    ),
    "a hand-over of shares": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "successor": "irban2", "granted": ["identity:irban2"]},
    ),
    "a hand-over to a stranger": (
        custody.HANDED_OVER,
        "inspektur",
        {"leaver": "irban", "successor": "nobody"},
    ),
    "a hand-over of a stranger": (custody.HANDED_OVER, "inspektur", {"leaver": "nobody"}),
    "a hand-over with an item": (custody.HANDED_OVER, "inspektur", {"leaver": "irban", "items": 1}),
    "a hand-over by the system": (custody.HANDED_OVER, "system", {"leaver": "irban"}),
    "a recovery that takes an officer's": (
        custody.RECOVERED,
        "operator",
        {"granted": ["content:irban"], "revoked": ["content:irban"], "file": FILE},
    ),
    "a recovery without its file": (custody.RECOVERED, "operator", {"granted": ["content:irban"]}),
    "a recovery by who receives nothing": (
        custody.RECOVERED,
        "admin",
        {"granted": ["content:irban"], "file": FILE},
    ),
    "a recovery of nothing": (custody.RECOVERED, "operator", {"file": FILE}),
    "another event": ("vanished", "inspektur", {}),
}


@pytest.mark.parametrize(("event", "actor", "said"), GOOD)
def test_what_the_rules_allow_counts(
    court: Court, event: str, actor: str, said: dict[str, Any]
) -> None:
    assert court.counts(event, actor, **said)


@pytest.mark.parametrize("attack", BAD)
def test_what_the_rules_forbid_proves_nothing(court: Court, attack: str) -> None:
    event, actor, said = BAD[attack]
    assert not court.counts(event, actor, **said)


PEOPLE = (*ROLES, "operator2", "irban2", "inspektur2", "nobody", "recovery", "system")


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_no_leaf_of_custody_gives_what_must_not_travel(court: Court, data: st.DataObject) -> None:
    """Whatever is claimed: no shares and no mailbox to an officer, nothing to admin or monitor,
    nothing by who gives nothing, and nobody's keys are taken but by the rules."""
    moved = st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from(PEOPLE)).map(":".join), max_size=3
    )
    event = data.draw(st.sampled_from(sorted(custody.EVENTS)))
    actor = data.draw(st.sampled_from(PEOPLE))
    said = {"granted": data.draw(moved), "revoked": data.draw(moved)}
    said |= {name: data.draw(st.sampled_from(PEOPLE)) for name in ("leaver", "successor")}
    said["file"] = data.draw(st.sampled_from(["", FILE]))
    if not court.counts(event, actor, **said):
        return
    assert actor not in {"nobody", "recovery", "system"}
    granted = [one.split(":") for one in said["granted"]]
    for kind, holder in granted:
        assert kind != "mailbox"
        assert holder not in {"admin", "pengawas", "nobody", "system"}
        assert holder == "recovery" or kind not in custody.SHARED
        if event != custody.RECOVERED:
            assert actor not in {"admin", "pengawas", "tim"}
    takers = {custody.RECUSED: actor, custody.HANDED_OVER: said["leaver"]}
    for one in said["revoked"]:
        assert one.split(":")[1] == takers.get(event, "recovery")


def proven(filed: Filed) -> past.Past:
    with filed.bench.office.read() as uow:
        case = uow.session.get(Case, filed.case_id)
        assert case is not None
        return past.of(uow, case, roster.load(uow))


@pytest.mark.parametrize("attack", sorted(BAD))
def test_a_forged_leaf_takes_and_gives_nothing_in_a_real_case(bench: Bench, attack: str) -> None:
    """Rightly signed by a real officer and appended past our code: it shows, and moves nothing."""
    event, actor, said = BAD[attack]
    if actor in {"nobody", "system"} or "2" in str(said):
        return
    filed = file_report(bench).bring_to("dianalisis")
    court = Court(bench, bench.office.profile, None)  # type: ignore[arg-type]
    facts: dict[str, Any] = {
        name: list(court.names(*said[name])) for name in ("granted", "revoked") if name in said
    }
    facts |= {name: court.id(said[name]) for name in ("leaver", "successor") if name in said}
    rest = {name: said[name] for name in said if name not in facts}
    before = filed.holders()
    write_leaf(filed, bench[actor].person_id, bench[actor], event=event, **facts, **rest)
    found = proven(filed)
    assert list(found.bodies.values())[-1] is None
    assert custody.excluded(found.entries) == frozenset()
    filed.do("irban", "forward")
    assert {kind: users - {"inspektur"} for kind, users in filed.holders().items()} == {
        kind: users - {"inspektur"} for kind, users in before.items()
    }
