"""Signing in opens one's own keys, and tells a guesser nothing."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from casework.keys import accounts, roster
from casework.keys.accounts import CostTooLow, KeysSwapped, SignInKeys
from casework.keys.tables import Person as PersonRow
from casework.keys.tables import Wrap
from casework.keys.vocabulary import PersonKind, WrapKind
from casework.store.base import new_id
from casework.store.office import Office
from crypto import kdf, words
from crypto.kdf import Kdf
from crypto.persons import Person
from tests.casework.office import CHEAP, Bench, make_office, passphrase_of

TICKET = "WBS-00000000"
ENTROPY = bytes(range(10))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An office that no test changes."""
    return make_office(tmp_path_factory.mktemp("kantor"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = make_office(tmp_path / "kantor", {"inspektur": ("inspektur",), "irban": ("irban",)})
    yield made
    made.office.engine.dispose()


def found(office: Office, username: str, passphrase: str) -> str | None:
    keys = accounts.officer_keys(office, username, passphrase)
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
    return None if actor is None else actor.person_id


def add_reporter(office: Office, keys: SignInKeys) -> tuple[str, Person]:
    person, person_id = Person.generate(), new_id()
    with office.write() as uow:
        uow.session.add(
            PersonRow(
                id=person_id,
                kind=PersonKind.REPORTER.value,
                username=None,
                recipient=person.public.recipient,
                verify_key=person.public.verify_key,
                created_day=uow.today(),
            )
        )
        uow.session.flush()
        uow.session.add(accounts.make_wrap(person_id, person, keys))
    return person_id, person


class TestOfficers:
    def test_name_and_passphrase_open_the_keys_that_the_roster_knows(self, shared: Bench) -> None:
        keys = accounts.officer_keys(shared.office, "irban", passphrase_of("irban"))
        with shared.office.read() as uow:
            actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        assert actor.person_id == shared["irban"].person_id
        assert actor.person.seed == shared["irban"].person.seed
        assert actor.kind is PersonKind.OFFICER

    @pytest.mark.parametrize(
        ("username", "passphrase"),
        [
            ("irban", "frasa sandi percobaan operator"),
            ("irban", "frasa sandi percobaan irban "),
            ("irban", "Frasa sandi percobaan irban"),
            ("irban", ""),
            ("tidak.ada", "frasa sandi percobaan irban"),
            ("", ""),
            ("irban\x00", "frasa sandi percobaan irban"),
            ("\ud800", "\ud800"),
            ("x" * 100_000, "y" * 100_000),
        ],
    )
    def test_a_wrong_name_and_a_wrong_passphrase_are_answered_alike(
        self, shared: Bench, username: str, passphrase: str
    ) -> None:
        assert found(shared.office, username, passphrase) is None

    @pytest.mark.parametrize("username", ["IRBAN", "  irban ", "Irban", "\uff49rban"])
    def test_a_username_may_be_typed_in_any_case(self, shared: Bench, username: str) -> None:
        assert found(shared.office, username, passphrase_of("irban")) == shared["irban"].person_id

    def test_a_passphrase_is_the_same_however_the_keyboard_composes_it(self, shared: Bench) -> None:
        text = "kafé di tepi danau"
        composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
        assert composed != apart
        assert accounts.officer_keys(shared.office, "irban", composed) == accounts.officer_keys(
            shared.office, "irban", apart
        )

    def test_keys_depend_on_name_instance_and_pepper(self, shared: Bench) -> None:
        """A stolen database cannot be guessed at without the pepper, nor by a table for all."""
        office = shared.office
        made = [
            accounts.officer_keys(office, "irban", "sandi yang sama persis"),
            accounts.officer_keys(office, "operator", "sandi yang sama persis"),
            accounts.officer_keys(
                replace(office, pepper=bytes(32)), "irban", "sandi yang sama persis"
            ),
            accounts.officer_keys(
                replace(office, instance_id="f" * 32), "irban", "sandi yang sama persis"
            ),
        ]
        assert len({keys.locator for keys in made}) == len(made)
        assert len({keys.wrap_key for keys in made}) == len(made)
        assert not {keys.locator for keys in made} & {keys.wrap_key for keys in made}

    def test_a_wrong_name_costs_what_a_wrong_passphrase_costs(self, shared: Bench) -> None:
        """Both are one stretching and one look-up that finds nothing; medians within a factor."""
        office = replace(shared.office, passphrase_kdf=Kdf(8 * 1024, 3, 1))

        def median(username: str) -> float:
            taken = []
            for _ in range(9):
                start = time.perf_counter()
                assert found(office, username, "bukan sandi yang benar") is None
                taken.append(time.perf_counter() - start)
            return sorted(taken)[4]

        assert 0.3 < median("irban") / median("tidak.ada") < 3.0


class TestReporters:
    def test_ticket_and_words_open_the_reporters_keys(self, bench: Bench) -> None:
        typed = words.decode(" ".join(words.encode(ENTROPY)))
        keys = accounts.reporter_keys(bench.office.instance_id, TICKET, typed, CHEAP)
        person_id, person = add_reporter(bench.office, keys)
        with bench.office.read() as uow:
            actor = accounts.locate_and_unwrap(uow, keys)
        assert actor is not None
        assert (actor.person_id, actor.kind) == (person_id, PersonKind.REPORTER)
        assert actor.person.seed == person.seed

    def test_another_ticket_another_key_or_another_instance_find_nothing(
        self, bench: Bench
    ) -> None:
        instance = bench.office.instance_id
        add_reporter(bench.office, accounts.reporter_keys(instance, TICKET, ENTROPY, CHEAP))
        for wrong in (
            accounts.reporter_keys(instance, "WBS-00000001", ENTROPY, CHEAP),
            accounts.reporter_keys(instance, TICKET, bytes(10), CHEAP),
            accounts.reporter_keys("f" * 32, TICKET, ENTROPY, CHEAP),
        ):
            with bench.office.read() as uow:
                assert accounts.locate_and_unwrap(uow, wrong) is None

    def test_no_account_stands_in_clear_in_a_reporters_row(self, bench: Bench) -> None:
        keys = accounts.reporter_keys(bench.office.instance_id, TICKET, ENTROPY, CHEAP)
        person_id, person = add_reporter(bench.office, keys)
        with bench.office.read() as uow:
            row = uow.session.get(PersonRow, person_id)
            wrap = uow.session.get(Wrap, keys.locator)
            assert row is not None
            assert wrap is not None
            assert row.username is None
            assert person.seed not in wrap.sealed
            assert keys.wrap_key not in wrap.sealed


class TestRowsThatWereChanged:
    """By somebody who writes the database while the officer knows the right passphrase."""

    def keys(self, bench: Bench, username: str) -> SignInKeys:
        return accounts.officer_keys(bench.office, username, passphrase_of(username))

    def refused(self, bench: Bench, username: str) -> None:
        with bench.office.read() as uow, pytest.raises(KeysSwapped):
            accounts.locate_and_unwrap(uow, self.keys(bench, username))

    def test_a_wrap_given_to_a_colleague_opens_nothing(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(
                update(Wrap)
                .where(Wrap.locator == self.keys(bench, "irban").locator)
                .values(person=bench["inspektur"].person_id)
            )
        self.refused(bench, "irban")

    def test_the_sealed_seed_of_a_colleague_opens_nothing(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            other = uow.session.get(Wrap, self.keys(bench, "inspektur").locator)
            assert other is not None
            uow.session.execute(
                update(Wrap)
                .where(Wrap.locator == self.keys(bench, "irban").locator)
                .values(sealed=other.sealed)
            )
        self.refused(bench, "irban")

    def test_a_seed_that_was_altered_opens_nothing(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            wrap = uow.session.get(Wrap, self.keys(bench, "irban").locator)
            assert wrap is not None
            wrap.sealed = wrap.sealed[:-1] + bytes([wrap.sealed[-1] ^ 1])
        self.refused(bench, "irban")

    def test_a_swapped_public_key_is_noticed(self, bench: Bench) -> None:
        other = Person.generate().public
        for changed in ({"recipient": other.recipient}, {"verify_key": other.verify_key}):
            with bench.office.write() as uow:
                uow.session.execute(
                    update(PersonRow).where(PersonRow.username == "irban").values(**changed)
                )
            self.refused(bench, "irban")

    def test_an_officer_is_not_made_a_reporter(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(
                update(PersonRow)
                .where(PersonRow.username == "irban")
                .values(kind="reporter", username=None)
            )
        self.refused(bench, "irban")

    def test_a_wrap_of_another_kind_is_refused(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(update(Wrap).values(kind=WrapKind.SECRET_KEY.value))
        self.refused(bench, "irban")

    def test_an_account_that_was_deleted_is_like_one_that_never_was(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(delete(Wrap).where(Wrap.person == bench["irban"].person_id))
        assert found(bench.office, "irban", passphrase_of("irban")) is None

    def test_whoever_bears_an_officers_id_with_other_keys_is_not_vouched_for(
        self, bench: Bench
    ) -> None:
        stranger = replace(bench["irban"], person=Person.generate())
        with bench.office.read() as uow:
            chain, day = roster.load(uow), uow.today()
        assert accounts.vouched(chain, bench["irban"], day).handle == "irban"
        with pytest.raises(KeysSwapped):
            accounts.vouched(chain, stranger, day)

    def test_the_error_says_nothing(self, bench: Bench) -> None:
        with bench.office.write() as uow:
            uow.session.execute(update(Wrap).values(kind=WrapKind.SECRET_KEY.value))
        with bench.office.read() as uow, pytest.raises(KeysSwapped) as caught:
            accounts.locate_and_unwrap(uow, self.keys(bench, "irban"))
        assert str(caught.value) == ""


class TestSecrets:
    def test_no_secret_stands_in_a_representation(self, shared: Bench) -> None:
        keys = accounts.officer_keys(shared.office, "irban", passphrase_of("irban"))
        actor = shared["irban"]
        shown = f"{keys!r} {keys} {actor!r} {actor}"
        for secret in (
            keys.locator,
            keys.wrap_key,
            actor.person.seed,
            actor.person.identity.seed,
        ):
            assert secret.hex() not in shown
            assert repr(secret)[2:-1] not in shown

    def test_no_passphrase_and_no_seed_lies_in_any_table(self, shared: Bench) -> None:
        actor = shared["irban"]
        keys = accounts.officer_keys(shared.office, "irban", passphrase_of("irban"))
        with shared.office.read() as uow:
            wraps = uow.session.scalars(select(Wrap)).all()
        assert wraps
        for stored in [shared.folder / "suaka.db", *shared.folder.glob("*.db-wal")]:
            raw = stored.read_bytes()
            assert actor.person.seed not in raw
            assert keys.wrap_key not in raw
            assert passphrase_of("irban").encode() not in raw
        assert any(
            keys.locator in stored.read_bytes() for stored in shared.folder.glob("suaka.db*")
        ), "the search itself must find what is there"


class TestCosts:
    @pytest.mark.parametrize(
        ("passphrase", "secret_key"),
        [
            (CHEAP, kdf.SECRET_KEY),
            (kdf.PASSPHRASE, CHEAP),
            (Kdf(64 * 1024, 2, 4), kdf.SECRET_KEY),
            (kdf.PASSPHRASE, Kdf(18 * 1024, 2, 1)),
        ],
    )
    def test_production_refuses_costs_below_the_floor(
        self, shared: Bench, passphrase: Kdf, secret_key: Kdf
    ) -> None:
        office = replace(
            shared.office, production=True, passphrase_kdf=passphrase, secret_key_kdf=secret_key
        )
        with pytest.raises(CostTooLow):
            accounts.check_costs(office)
        with pytest.raises(CostTooLow):
            accounts.officer_keys(office, "irban", passphrase_of("irban"))

    def test_production_accepts_the_floor_and_more(self, shared: Bench) -> None:
        for passphrase in (kdf.PASSPHRASE, Kdf(128 * 1024, 3, 4)):
            accounts.check_costs(
                replace(
                    shared.office,
                    production=True,
                    passphrase_kdf=passphrase,
                    secret_key_kdf=kdf.SECRET_KEY,
                )
            )

    def test_a_wrap_names_its_cost(self, shared: Bench) -> None:
        with shared.office.read() as uow:
            assert set(uow.session.scalars(select(Wrap.kdf_id))) == {CHEAP.id}
