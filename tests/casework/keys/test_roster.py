"""The chain vouches for people, and no change of it by anybody but an approver goes unseen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.errors import NotFound
from casework.keys import roster
from casework.keys.chain import PersonRecord, StoredEntry
from casework.keys.roster import RECOVERY, Roster, RosterBroken
from casework.keys.vocabulary import Flaw, TenureState
from crypto import canonical
from tests.casework.keys.people import (
    DAY,
    INSTANCE,
    LATER,
    Forged,
    change,
    content_of,
    everyone,
    genesis,
    long_chain,
    part,
    person,
    person_id,
    profile,
    with_fields,
)

CHAIN = long_chain()
PINNED = CHAIN[0].hash

Path = tuple[str | int, ...]


def verify(entries: list[StoredEntry], pinned: str | None = PINNED) -> Roster:
    return roster.verify(entries, INSTANCE, profile(), pinned)


def flaw(entries: list[StoredEntry], pinned: str | None = None) -> tuple[int, Flaw]:
    with pytest.raises(RosterBroken) as caught:
        verify(entries, pinned)
    return caught.value.version, caught.value.flaw


def paths(value: Any, at: Path = ()) -> list[Path]:
    """Every place in an entry that holds a value of its own."""
    if isinstance(value, dict):
        return [at, *(found for key in value for found in paths(value[key], (*at, key)))]
    if isinstance(value, list):
        return [at, *(found for i, item in enumerate(value) for found in paths(item, (*at, i)))]
    return [at]


PLACES = [(n, path) for n, entry in enumerate(CHAIN) for path in paths(content_of(entry)) if path]


def suspended(name: str) -> list[PersonRecord]:
    """Somebody in office until the eve of the entry, and suspended from its day on."""
    after = with_fields(part(name).record(LATER), state=TenureState.SUSPENDED)
    return [part(name).record(DAY, until=LATER - timedelta(days=1)), after]


def edited(entry: StoredEntry, path: Path, edit: Callable[[Any, Any], None]) -> StoredEntry:
    content = copy.deepcopy(content_of(entry))
    parent: Any = content
    for step in path[:-1]:
        parent = parent[step]
    edit(parent, path[-1])
    return replace(entry, body=canonical.encode(content))


class TestReading:
    def test_people_hold_their_roles_from_the_day_they_are_named(self) -> None:
        chain = verify(CHAIN)
        assert chain.version == 4
        assert chain.head == CHAIN[-1].hash
        morrow = date(2026, 6, 2)
        assert [one.handle for one in chain.active("operator", morrow)] == ["baru"]
        assert [one.handle for one in chain.active("operator", LATER)] == ["baru", "operator"]
        before = verify(CHAIN[:-1])
        assert [one.handle for one in before.active("operator", morrow)] == ["baru", "operator"]
        assert chain.may(person_id("baru"), "operator", LATER)
        assert not chain.may(person_id("baru"), "operator", DAY)
        assert not chain.may(person_id("baru"), "irban", LATER)
        assert not chain.may("f" * 32, "operator", LATER)

    def test_the_recipient_is_the_one_that_was_signed(self) -> None:
        (holder,) = verify(CHAIN).active("verifikator", LATER)
        assert holder.recipient == person("verifikator").public.recipient
        assert holder.verify_key == person("verifikator").public.verify_key

    def test_an_acting_officer_holds_the_role_from_the_first_to_the_last_day_only(self) -> None:
        chain = verify(CHAIN)
        assert chain.may(person_id("plh"), "irban", LATER)
        assert chain.may(person_id("plh"), "irban", date(2026, 6, 14))
        assert not chain.may(person_id("plh"), "irban", date(2026, 5, 31))
        assert not chain.may(person_id("plh"), "irban", date(2026, 6, 15))

    def test_who_left_receives_nothing_but_their_signatures_stay_verifiable(self) -> None:
        chain = verify(CHAIN)
        assert person_id("operator") not in {one.person_id for one in chain.on(date(2027, 1, 1))}
        key = person("operator").public.verify_key
        assert chain.verify_key_of(person_id("operator")) == key

    def test_nobody_vouches_for_a_stranger(self) -> None:
        with pytest.raises(NotFound):
            verify(CHAIN).verify_key_of("f" * 32)

    def test_receivers_are_those_whose_role_may_receive(self) -> None:
        handles = {one.handle for one in verify(CHAIN).eligible_receivers(profile(), LATER)}
        assert {"baru", "inspektur"} <= handles
        assert not {"admin", "pengawas"} & handles

    def test_guardian_and_recovery_are_those_of_the_ceremony(self) -> None:
        chain = verify(CHAIN)
        assert chain.guardian.handle == "inspektur"
        assert chain.guardian_on(DAY) == chain.guardian
        assert chain.recovery == person("recovery").public
        assert chain.verify_key_of(RECOVERY) == person("recovery").public.verify_key

    def test_a_guardian_who_is_suspended_is_no_guardian_today(self) -> None:
        second = part("inspektur2", "inspektur").record(DAY)
        entries = [genesis([*everyone(), second])]
        entries.append(change(entries, suspended("inspektur"), signer="inspektur2"))
        assert verify(entries, None).guardian_on(LATER) is None

    def test_one_person_may_act_in_another_office_between_two_periods_of_their_own(self) -> None:
        entries = [genesis()]
        own = part("irban")
        entries.append(
            change(
                entries,
                [
                    own.record(DAY, until=date(2026, 6, 10)),
                    replace(own, roles=("verifikator",)).record(
                        date(2026, 6, 11), until=date(2026, 6, 20)
                    ),
                    own.record(date(2026, 6, 21)),
                ],
            )
        )
        chain = verify(entries, None)
        held = [
            role
            for day in (10, 11, 20, 21)
            for role in ("irban", "verifikator")
            if chain.may(own.person_id, role, date(2026, 6, day))
        ]
        assert held == ["irban", "verifikator", "verifikator", "irban"]


class TestTampering:
    @given(place=st.sampled_from(PLACES), value=st.none() | st.integers(0, 9) | st.text(max_size=3))
    def test_changing_any_field_of_any_entry_is_refused(
        self, place: tuple[int, Path], value: int | str | None
    ) -> None:
        number, path = place
        changed = list(CHAIN)

        def edit(parent: Any, key: Any) -> None:
            parent[key] = value

        changed[number] = edited(CHAIN[number], path, edit)
        if changed[number].body != CHAIN[number].body:
            flaw(changed)
            flaw(changed, PINNED)

    @given(place=st.sampled_from(PLACES))
    def test_taking_any_field_out_is_refused(self, place: tuple[int, Path]) -> None:
        number, path = place
        changed = list(CHAIN)

        def edit(parent: Any, key: Any) -> None:
            del parent[key]

        changed[number] = edited(CHAIN[number], path, edit)
        assert flaw(changed)[0] == number + 1

    @given(number=st.integers(0, len(CHAIN) - 1), field=st.text(min_size=1, max_size=8))
    def test_unknown_fields_are_refused(self, number: int, field: str) -> None:
        for path in ((field,), ("people", 0, field)):
            changed = list(CHAIN)

            def edit(parent: Any, key: Any) -> None:
                parent.setdefault(key, None)

            changed[number] = edited(CHAIN[number], path, edit)
            if changed[number].body != CHAIN[number].body:
                assert flaw(changed) == (number + 1, Flaw.MALFORMED)

    @given(number=st.integers(0, len(CHAIN) - 1), at=st.integers(0, 64), bit=st.integers(0, 7))
    def test_a_signature_with_one_bit_changed_is_refused(
        self, number: int, at: int, bit: int
    ) -> None:
        signature = bytearray(CHAIN[number].signature)
        signature[at] ^= 1 << bit
        changed = list(CHAIN)
        changed[number] = replace(CHAIN[number], signature=bytes(signature))
        assert flaw(changed) == (number + 1, Flaw.SIGNATURE)

    @given(number=st.integers(0, len(CHAIN) - 1), data=st.data())
    def test_a_body_with_any_byte_changed_is_refused(
        self, number: int, data: st.DataObject
    ) -> None:
        body = bytearray(CHAIN[number].body)
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] ^= data.draw(st.integers(1, 255))
        changed = list(CHAIN)
        changed[number] = replace(CHAIN[number], body=bytes(body))
        flaw(changed)

    @given(order=st.permutations(range(len(CHAIN))))
    def test_entries_in_another_order_are_refused(self, order: list[int]) -> None:
        if order != sorted(order):
            flaw([CHAIN[number] for number in order])

    @pytest.mark.parametrize("missing", range(len(CHAIN) - 1))
    def test_an_entry_cannot_be_taken_out_of_the_middle(self, missing: int) -> None:
        assert flaw([*CHAIN[:missing], *CHAIN[missing + 1 :]])[0] == missing + 1

    def test_without_its_last_entry_a_chain_verifies_and_only_its_head_tells(self) -> None:
        """The reason for the keyring's memory (test_memory)."""
        assert verify(CHAIN[:-1]).head != verify(CHAIN).head

    def test_an_entry_that_is_signed_but_not_canonical_is_refused(self) -> None:
        spaced = replace(CHAIN[1], body=CHAIN[1].body.replace(b'","', b'", "', 1))
        assert flaw([CHAIN[0], spaced]) == (2, Flaw.NOT_CANONICAL)

    def test_a_repeated_field_is_refused(self) -> None:
        twice = replace(CHAIN[1], body=b'{"day":"2026-06-01",' + CHAIN[1].body[1:])
        assert flaw([CHAIN[0], twice]) == (2, Flaw.NOT_CANONICAL)

    def test_no_entries_are_no_roster(self) -> None:
        assert flaw([]) == (1, Flaw.MISSING)

    def test_another_valid_genesis_than_the_printed_one_is_refused(self) -> None:
        other = genesis(everyone()[:-1])
        assert verify([other], None).version == 1
        assert flaw([other], PINNED) == (1, Flaw.PINNED)

    def test_the_roster_of_another_instance_is_refused(self) -> None:
        with pytest.raises(RosterBroken) as caught:
            roster.verify(CHAIN, "lain", profile(), PINNED)
        assert caught.value.flaw is Flaw.INSTANCE

    def test_the_error_names_version_and_reason_and_nothing_of_the_entry(self) -> None:
        with pytest.raises(RosterBroken) as caught:
            verify([CHAIN[0], replace(CHAIN[1], signature=bytes(65))])
        assert str(caught.value) == "roster entry 2: signature"
        assert caught.value.__cause__ is None


Edit = Callable[[dict[str, Any]], None]


def _set(**fields: Any) -> Edit:
    return lambda content: content.update(fields)


def _first(**fields: Any) -> Edit:
    return lambda content: content["people"][0].update(fields)


def _repeat(**fields: Any) -> Edit:
    return lambda content: content["people"].append({**content["people"][0], **fields})


def _two_periods(until: str, start: str) -> Edit:
    def edit(content: dict[str, Any]) -> None:
        content["people"][0]["until"] = until
        content["people"].append({**content["people"][0], "from": start, "until": None})

    return edit


OTHER_KEYS = person("lain").public.to_json()
BROKEN: dict[str, tuple[Edit, Flaw]] = {
    "version gap": (_set(version=3), Flaw.VERSION),
    "version again": (_set(version=1), Flaw.VERSION),
    "another past": (_set(prev="0" * 64), Flaw.PREVIOUS),
    "foreign instance": (_set(instance="lain"), Flaw.INSTANCE),
    "before the entry before": (_set(day="2026-03-01"), Flaw.DAY),
    "unknown format": (_set(v=2), Flaw.MALFORMED),
    "no day": (_set(day="2026-02-30"), Flaw.MALFORMED),
    "nobody": (_set(people=[]), Flaw.EMPTY),
    "a guardian who may not guard": (_set(guardian=person_id("operator")), Flaw.GUARDIAN),
    "recovery changed": (_set(recovery=OTHER_KEYS), Flaw.RECOVERY),
    "second genesis": (_set(kind="genesis"), Flaw.KIND),
    "complete second genesis": (
        _set(kind="genesis", recovery=OTHER_KEYS, guardian=person_id("inspektur")),
        Flaw.KIND,
    ),
    "until before from": (_first(until="2026-05-31"), Flaw.PERIOD),
    "unknown role": (_first(roles=["raja"]), Flaw.ROLE),
    "no role": (_first(roles=[]), Flaw.MALFORMED),
    "role twice": (_first(roles=["irban", "irban"]), Flaw.ORDER),
    "roles out of order": (_first(roles=["operator", "irban"]), Flaw.ORDER),
    "admin with a casework role": (_first(roles=["admin", "operator"]), Flaw.ADMIN),
    "admin and monitor": (_first(roles=["admin", "pengawas"]), Flaw.ADMIN),
    "a monitor with a casework role": (_first(roles=["operator", "pengawas"]), Flaw.EXCLUDES),
    "same person twice": (_repeat(), Flaw.DUPLICATE),
    "two periods at once": (_repeat(**{"from": "2026-07-01"}), Flaw.OVERLAP),
    "two periods that share a day": (_two_periods("2026-06-10", "2026-06-10"), Flaw.OVERLAP),
    "periods out of order": (_repeat(**{"from": "2026-05-01"}), Flaw.ORDER),
    "persons out of order": (
        _repeat(person="0" * 31 + "1", handle="lain", **OTHER_KEYS),
        Flaw.ORDER,
    ),
    "the id of recovery": (_first(person=RECOVERY), Flaw.MALFORMED),
    "an id that is none": (_first(person="operator"), Flaw.MALFORMED),
    "no key": (_first(recipient="AAAA"), Flaw.KEY),
    "a key of small order": (_first(verify_key="A" * 43 + "="), Flaw.KEY),
    "an officer's key under a second id": (
        _first(**person("irban").public.to_json()),
        Flaw.KEY_REUSED,
    ),
    "recovery's key as an officer's": (
        _first(**person("recovery").public.to_json()),
        Flaw.KEY_REUSED,
    ),
    "a colleague's handle": (_first(handle="irban"), Flaw.HANDLE),
    "another handle for a colleague": (
        _first(person=person_id("operator"), handle="lain", **person("operator").public.to_json()),
        Flaw.HANDLE,
    ),
    "other keys under a colleague's id": (
        _first(person=person_id("operator"), handle="operator"),
        Flaw.KEY_CHANGED,
    ),
    "a name of two lines": (_first(name="a\nb"), Flaw.MALFORMED),
}


class TestRules:
    @pytest.mark.parametrize("case", BROKEN)
    def test_even_an_approver_cannot_sign(self, case: str) -> None:
        """Rightly signed by the Inspektur, and still refused for what it says."""
        edit, expected = BROKEN[case]
        content = copy.deepcopy(content_of(CHAIN[1]))
        edit(content)
        entry = Forged(content).signed("inspektur", person_id("inspektur"))
        assert flaw([CHAIN[0], entry]) == (2, expected)

    def test_the_pattern_of_these_cases_is_accepted_when_nothing_is_broken(self) -> None:
        entry = Forged(content_of(CHAIN[1])).signed("inspektur", person_id("inspektur"))
        assert verify([CHAIN[0], entry]).version == 2

    def test_a_period_may_be_one_day_and_the_next_begin_on_the_morrow(self) -> None:
        content = copy.deepcopy(content_of(CHAIN[1]))
        _two_periods("2026-06-01", "2026-06-02")(content)
        entry = Forged(content).signed("inspektur", person_id("inspektur"))
        assert len(verify([CHAIN[0], entry]).people[person_id("baru")]) == 2

    def test_a_genesis_has_no_past(self) -> None:
        content = {**content_of(CHAIN[0]), "prev": "1" * 64}
        assert flaw([Forged(content).signed("recovery", RECOVERY)]) == (1, Flaw.PREVIOUS)

    @pytest.mark.parametrize("signer", ["operator", "verifikator", "irban", "admin", "pengawas"])
    def test_who_may_approve_nobody_approves_nobody(self, signer: str) -> None:
        entry = change([CHAIN[0]], [part("baru", "operator").record(LATER)], signer=signer)
        assert flaw([CHAIN[0], entry]) == (2, Flaw.SIGNER)

    def test_a_stranger_cannot_append_an_entry_signed_by_themselves(self) -> None:
        entry = change([CHAIN[0]], [part("penyusup", "operator").record(LATER)], signer="penyusup")
        assert flaw([CHAIN[0], entry]) == (2, Flaw.SIGNER)

    def test_a_stranger_cannot_sign_under_the_name_of_an_approver(self) -> None:
        content = content_of(CHAIN[1])
        entry = Forged(content).signed("penyusup", person_id("inspektur"))
        assert flaw([CHAIN[0], entry]) == (2, Flaw.SIGNATURE)

    def test_the_share_holders_stand_above_every_office(self) -> None:
        """Whoever opens everything may also say who is in office; an officer's key may not."""
        entry = Forged(content_of(CHAIN[1])).signed("recovery", RECOVERY)
        assert verify([CHAIN[0], entry]).version == 2
        forged = Forged(content_of(CHAIN[1])).signed("inspektur", RECOVERY)
        assert flaw([CHAIN[0], forged]) == (2, Flaw.SIGNATURE)

    def test_only_the_guardian_names_the_next_one(self) -> None:
        second = part("kedua", "inspektur").record(LATER)
        named = {"people": [], "guardian": person_id("kedua")}
        came = change([CHAIN[0]], [second])
        base = content_of(change([CHAIN[0], came], [part("baru", "operator").record(LATER)]))
        right = Forged({**base, **named}).signed("inspektur", person_id("inspektur"))
        assert verify([CHAIN[0], came, right]).guardian_id == person_id("kedua")
        by_shares = Forged({**base, **named}).signed("recovery", RECOVERY)
        assert verify([CHAIN[0], came, by_shares]).guardian_id == person_id("kedua")
        usurped = Forged({**base, **named}).signed("kedua", person_id("kedua"))
        assert flaw([CHAIN[0], came, usurped]) == (3, Flaw.GUARDIAN)

    def test_only_the_key_in_force_names_the_next_recovery_key(self) -> None:
        base = content_of(CHAIN[1])
        named = {**base, "people": [], "recovery": OTHER_KEYS}
        chain = verify([CHAIN[0], Forged(named).signed("recovery", RECOVERY)])
        assert chain.recovery == person("lain").public
        assert chain.recovery_at(1) == person("recovery").public
        assert chain.recovery_at(2) == person("lain").public
        with pytest.raises(NotFound):
            chain.recovery_at(3)
        again = Forged({**named, "recovery": person("recovery").public.to_json()})
        assert flaw([CHAIN[0], again.signed("recovery", RECOVERY)]) == (2, Flaw.KEY_REUSED)

    def test_nobody_approves_themselves(self) -> None:
        record = part("inspektur", "inspektur", "irban").record(DAY)
        record = with_fields(record, roles=("inspektur", "irban"))
        entry = change([CHAIN[0]], [record])
        assert flaw([CHAIN[0], entry]) == (2, Flaw.SELF)

    def test_an_approver_whose_time_is_over_approves_nobody(self) -> None:
        people = [one for one in everyone() if one.handle != "inspektur"]
        people.append(part("inspektur").record(DAY, until=date(2026, 5, 31)))
        first = genesis(people)
        newcomer = [part("baru", "operator").record(LATER)]
        assert flaw([first, change([first], newcomer)]) == (2, Flaw.SIGNER)
        assert verify([first, change([first], newcomer, day=date(2026, 5, 31))], None).version == 2

    def test_a_suspended_approver_approves_nobody(self) -> None:
        entries = [genesis([*everyone(), part("inspektur2", "inspektur").record(DAY)])]
        entries.append(change(entries, suspended("inspektur"), signer="inspektur2"))
        entries.append(change(entries, [part("baru", "operator").record(LATER)]))
        assert flaw(entries) == (3, Flaw.SIGNER)

    def test_who_may_approve_a_lower_role_cannot_demote_a_higher_one(self) -> None:
        """What a person loses must be approvable, too, not only what they gain."""
        rules = type(profile())(
            **{
                **{name: getattr(profile(), name) for name in profile().__struct_fields__},
                "roles": tuple(
                    type(role)(
                        **{
                            **{n: getattr(role, n) for n in role.__struct_fields__},
                            **({"approves": ("operator",)} if role.id == "irban" else {}),
                        }
                    )
                    for role in profile().roles
                ),
            }
        )
        first = genesis()
        newcomer = change([first], [part("baru", "operator").record(LATER)], signer="irban")
        assert roster.verify([first, newcomer], INSTANCE, rules, None).version == 2
        demoted = part("verifikator", "operator").record(LATER)
        with pytest.raises(RosterBroken) as caught:
            roster.verify(
                [first, change([first], [demoted], signer="irban")], INSTANCE, rules, None
            )
        assert caught.value.flaw is Flaw.SIGNER

    def test_the_guardian_must_hold_a_role_that_may_guard(self) -> None:
        assert flaw([genesis(guardian="operator")]) == (1, Flaw.GUARDIAN)
        assert flaw([genesis(guardian="tidakada")]) == (1, Flaw.GUARDIAN)

    @pytest.mark.parametrize("signer", [person_id("inspektur"), "x"])
    def test_only_recovery_signs_a_genesis(self, signer: str) -> None:
        assert flaw([replace(CHAIN[0], signer=signer)]) == (1, Flaw.SIGNER)

    def test_a_genesis_signed_by_another_recovery_key_is_refused(self) -> None:
        entry = Forged(content_of(CHAIN[0])).signed("lain", RECOVERY)
        assert flaw([entry]) == (1, Flaw.SIGNATURE)

    def test_a_change_cannot_stand_first(self) -> None:
        content = content_of(CHAIN[1])
        content.update(version=1, prev="0" * 64)
        assert flaw([Forged(content).signed("recovery", RECOVERY)]) == (1, Flaw.KIND)
