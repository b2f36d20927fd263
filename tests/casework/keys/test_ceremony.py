"""The ceremony makes a genesis that the server accepts and shares that give the key back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.keys import ceremony, parts, roster, shares
from casework.keys.ceremony import CeremonyRequest, CeremonyResult, Shares
from casework.keys.parts import PublicPart, PublicParts, UnreadableFile
from casework.keys.roster import RosterBroken
from casework.keys.vocabulary import Flaw
from crypto import canonical
from tests.casework.keys.people import DAY, INSTANCE, ROLES, part, person, person_id, profile

PARTS = PublicParts(INSTANCE, "badung", 1, tuple(part(role) for role in ROLES))


def request(**changes: str | PublicParts) -> CeremonyRequest:
    plain = CeremonyRequest(PARTS, person_id("inspektur"), "Pembentukan")
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def held() -> CeremonyResult:
    return ceremony.hold(request(), Shares(), DAY, profile())


class TestGenesis:
    def test_it_names_everyone_with_the_keys_that_they_brought(self, held: CeremonyResult) -> None:
        entry = parts.genesis_from_bytes(held.genesis)
        chain = roster.verify([entry], INSTANCE, profile(), held.fingerprint)
        assert chain.recovery == held.recovery
        assert chain.guardian_on(DAY) == chain.person(person_id("inspektur"))
        for officer in PARTS.officers:
            assert chain.person(officer.person_id).keys == officer.keys
            assert chain.person(officer.person_id).roles == officer.roles

    def test_the_printed_fingerprint_is_the_hash_of_the_first_entry(
        self, held: CeremonyResult
    ) -> None:
        assert parts.genesis_from_bytes(held.genesis).hash == held.fingerprint

    def test_every_ceremony_makes_a_recovery_key_of_its_own(self, held: CeremonyResult) -> None:
        again = ceremony.hold(request(), Shares(), DAY, profile())
        assert again.recovery != held.recovery

    @pytest.mark.parametrize(
        ("changed", "flaw"),
        [
            (request(guardian=person_id("operator")), Flaw.GUARDIAN),
            (request(reason=""), Flaw.MALFORMED),
            (request(parts=replace(PARTS, officers=(part("a1a", "raja"),))), Flaw.ROLE),
            (
                request(
                    parts=replace(PARTS, officers=(*PARTS.officers, part("ab1", "admin", "tim")))
                ),
                Flaw.ADMIN,
            ),
            (request(parts=replace(PARTS, officers=())), Flaw.EMPTY),
        ],
    )
    def test_a_genesis_that_no_server_would_accept_is_not_signed(
        self, changed: CeremonyRequest, flaw: Flaw
    ) -> None:
        with pytest.raises(RosterBroken) as caught:
            ceremony.hold(changed, Shares(), DAY, profile())
        assert caught.value.flaw is flaw

    def test_no_share_stands_in_the_representation(self, held: CeremonyResult) -> None:
        shown = repr(held) + str(held)
        for mnemonic in held.mnemonics:
            assert not any(f" {word} " in shown for word in mnemonic.split())
            assert mnemonic not in shown

    def test_the_shares_give_its_key(self, held: CeremonyResult) -> None:
        shares.check(held.mnemonics, held.recovery)


class TestFiles:
    def test_public_parts_survive_the_journey(self) -> None:
        assert PublicParts.from_bytes(PARTS.to_bytes()) == PARTS
        named = replace(PARTS, office="Inspektorat Contoh")
        assert PublicParts.from_bytes(named.to_bytes()) == named

    def test_a_genesis_survives_the_journey(self, held: CeremonyResult) -> None:
        entry = parts.genesis_from_bytes(held.genesis)
        assert parts.genesis_to_bytes(entry) == held.genesis

    def test_neither_file_is_taken_for_the_other(self, held: CeremonyResult) -> None:
        with pytest.raises(UnreadableFile):
            parts.genesis_from_bytes(PARTS.to_bytes())
        with pytest.raises(UnreadableFile):
            PublicParts.from_bytes(held.genesis)

    @pytest.mark.parametrize("field", ["v", "format", "instance", "profile", "officers", "more"])
    def test_public_parts_with_a_field_changed_or_added_are_refused(self, field: str) -> None:
        content = canonical.decode(PARTS.to_bytes())
        assert isinstance(content, dict)
        with pytest.raises(UnreadableFile):
            PublicParts.from_bytes(canonical.encode({**content, field: None}))

    @pytest.mark.parametrize("field", ["v", "format", "entry", "signature", "more"])
    def test_a_genesis_file_with_a_field_changed_or_added_is_refused(
        self, held: CeremonyResult, field: str
    ) -> None:
        content = canonical.decode(held.genesis)
        assert isinstance(content, dict)
        with pytest.raises(UnreadableFile):
            parts.genesis_from_bytes(canonical.encode({**content, field: None}))

    @pytest.mark.parametrize("signature", ["", "!", "AA", "AA==\n", "AB=="])
    def test_a_signature_that_is_no_canonical_base64_never_verifies(
        self, held: CeremonyResult, signature: str
    ) -> None:
        content = canonical.decode(held.genesis)
        assert isinstance(content, dict)
        file = canonical.encode({**content, "signature": signature})
        with pytest.raises((UnreadableFile, RosterBroken)):
            roster.verify([parts.genesis_from_bytes(file)], INSTANCE, profile(), None)

    @given(data=st.binary(max_size=200))
    def test_anything_else_is_refused(self, data: bytes) -> None:
        for read in (PublicParts.from_bytes, parts.genesis_from_bytes):
            with pytest.raises(UnreadableFile):
                read(data)

    def test_a_key_that_is_none_is_refused(self) -> None:
        file = PARTS.to_bytes().replace(b'"verify_key":"', b'"verify_key":"AAAA', 1)
        with pytest.raises(UnreadableFile):
            PublicParts.from_bytes(file)

    def test_a_file_without_end_is_not_parsed(self) -> None:
        with pytest.raises(UnreadableFile):
            PublicParts.from_bytes(b"[" * (parts.FILE_MAX + 1))


class TestFingerprint:
    def test_it_is_eight_words(self) -> None:
        assert len(part("operator").fingerprint) == 8

    @pytest.mark.parametrize(
        "other",
        [
            replace(part("operator"), person_id="f" * 32),
            replace(part("operator"), roles=("irban",)),
            replace(part("operator"), roles=("irban", "operator")),
            replace(part("operator"), keys=person("lain").public),
            replace(
                part("operator"),
                keys=replace(part("operator").keys, recipient=person("lain").public.recipient),
            ),
            replace(
                part("operator"),
                keys=replace(part("operator").keys, verify_key=person("lain").public.verify_key),
            ),
        ],
    )
    def test_it_changes_with_person_roles_and_either_key(self, other: PublicPart) -> None:
        assert other.fingerprint != part("operator").fingerprint
