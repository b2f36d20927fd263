"""Invented officers and chains for the tests of the keys room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from casework.keys import chain
from casework.keys.chain import PersonRecord, StoredEntry
from casework.keys.parts import PublicPart
from casework.keys.vocabulary import TenureState
from casework.law.catalogue import ProfileCatalogue
from casework.law.profile import Profile
from crypto import canonical
from crypto.canonical import Json
from crypto.persons import Person
from crypto.signatures import Purpose

INSTANCE = "uji"
DAY = date(2026, 3, 2)
LATER = date(2026, 6, 1)
ROLES = ("operator", "verifikator", "irban", "inspektur", "tim", "pengawas", "admin")


@cache
def profile() -> Profile:
    return ProfileCatalogue.from_package().latest("badung")


@cache
def person(name: str) -> Person:
    """The same keys for the same name, so that chains can be built apart and still fit."""
    return Person.from_seed(name.encode().ljust(32, b"."))


def person_id(name: str) -> str:
    return name.encode().hex().ljust(32, "0")[:32]


def part(name: str, *roles: str) -> PublicPart:
    return PublicPart(
        person_id=person_id(name),
        handle=name,
        name=f"Nama {name}",
        position=f"Jabatan {name}",
        roles=roles or (name,),
        keys=person(name).public,
    )


def everyone() -> list[PersonRecord]:
    return [part(role).record(DAY) for role in ROLES]


def genesis(people: list[PersonRecord] | None = None, guardian: str = "inspektur") -> StoredEntry:
    return chain.make_genesis(
        INSTANCE,
        DAY,
        people if people is not None else everyone(),
        guardian=person_id(guardian),
        recovery=person("recovery"),
        reason="Upacara kunci",
    )


def change(
    before: list[StoredEntry],
    people: list[PersonRecord],
    signer: str = "inspektur",
    day: date = LATER,
) -> StoredEntry:
    head = (INSTANCE, len(before), before[-1].hash)
    approver = (person_id(signer), person(signer).signing)
    return chain.make_change(head, day, people, "Surat keputusan", approver)


def long_chain() -> list[StoredEntry]:
    """A genesis, a newcomer, an acting operator, and somebody who leaves."""
    entries = [genesis()]
    entries.append(change(entries, [part("baru", "operator").record(LATER)]))
    entries.append(
        change(entries, [part("plh", "irban").record(LATER, until=date(2026, 6, 14))], day=LATER)
    )
    served = part("operator").record(DAY, until=LATER)
    left = with_fields(part("operator").record(date(2026, 6, 2)), state=TenureState.LEFT)
    entries.append(change(entries, [served, left], day=date(2026, 6, 2)))
    return entries


def _fields(record: PersonRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def with_fields(record: PersonRecord, **fields: object) -> PersonRecord:
    return PersonRecord(**{**_fields(record), **fields})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Forged:
    """An entry that a test has changed: its JSON, to be signed again or not."""

    content: dict[str, Json]

    def signed(self, signer: str, as_id: str) -> StoredEntry:
        signature = person(signer).signing.sign(Purpose.ROSTER, self.content)
        return StoredEntry(canonical.encode(self.content), as_id, signature)


def content_of(entry: StoredEntry) -> dict[str, Json]:
    decoded = canonical.decode(entry.body)
    assert isinstance(decoded, dict)
    return decoded
