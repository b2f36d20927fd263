import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age import HybridIdentity, decrypt, encrypt
from crypto.canonical import Json
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered, WrongKey
from crypto.labels import Label, Purpose, derive
from crypto.persons import Person, PublicKeys, unwrap_seed, wrap_seed
from crypto.signatures import SigningKey, verify

SEED = bytes(range(32))
KEY = bytes(range(32, 64))
PERSON = Person.from_seed(SEED)
SEEDS = st.binary(min_size=32, max_size=32)


def test_a_seed_gives_the_two_keys_of_their_labels() -> None:
    identity = HybridIdentity.from_seed(derive(Label.PERSON_IDENTITY, SEED))
    signing = SigningKey.from_seed(derive(Label.PERSON_SIGNING, SEED))
    assert PERSON.seed == SEED
    assert PERSON.identity.seed == identity.seed
    assert PERSON.signing.verify_key == signing.verify_key
    assert PERSON.public == PublicKeys(identity.recipient.to_bytes(), signing.verify_key)


def test_the_same_seed_is_the_same_person_on_every_machine_and_day() -> None:
    assert PERSON.public.fingerprint().hex() == FINGERPRINT


def test_others_can_seal_to_a_person_and_verify_them() -> None:
    assert decrypt(encrypt(b"isi", [PERSON.identity.recipient]), [PERSON.identity]) == b"isi"
    signature = PERSON.signing.sign(Purpose.LEAF, {"hash": "00"})
    verify(PERSON.public.verify_key, Purpose.LEAF, {"hash": "00"}, signature)


def test_generated_persons_differ() -> None:
    first, second = Person.generate(), Person.generate()
    assert len(first.seed) == 32
    assert first.seed != second.seed
    assert first.public.fingerprint() != second.public.fingerprint()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(Malformed, match=r"^person: seed of wrong size$"):
        Person.from_seed(bytes(size))
    with pytest.raises(Malformed, match=r"^person: seed of wrong size$"):
        wrap_seed(bytes(size), KEY, b"context")


def test_repr_shows_no_secret() -> None:
    assert repr(PERSON) == str(PERSON) == "Person(<secret>)"
    assert repr(PERSON.public) == f"PublicKeys({FINGERPRINT[:16]})"


@given(SEEDS)
@settings(max_examples=10)
def test_public_keys_survive_json(seed: bytes) -> None:
    public = Person.from_seed(seed).public
    assert PublicKeys.from_json(public.to_json()) == public


def test_public_keys_are_written_in_plain_base64() -> None:
    value = PERSON.public.to_json()
    assert {name: base64.b64decode(str(text)) for name, text in value.items()} == vars(
        PERSON.public
    )


GOOD = PERSON.public.to_json()
TEXT = str(GOOD["verify_key"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "fields"),
        ({"recipient": GOOD["recipient"]}, "fields"),
        ({**GOOD, "extra": "x"}, "fields"),
        ({**GOOD, "verify_key": None}, "not a text"),
        ({**GOOD, "verify_key": 1}, "not a text"),
        ({**GOOD, "verify_key": TEXT.rstrip("=")}, "not Base64"),
        ({**GOOD, "verify_key": "!" + TEXT[1:]}, "not Base64"),
        ({**GOOD, "verify_key": "\u00e9" + TEXT[1:]}, "not Base64"),
        ({**GOOD, "verify_key": TEXT + "\n"}, "not Base64"),
        ({**GOOD, "verify_key": TEXT[:-2] + chr(ord(TEXT[-2]) + 1) + "="}, "not canonical"),
    ],
)
def test_public_keys_have_one_spelling(value: dict[str, Json], reason: str) -> None:
    with pytest.raises(Malformed, match=f"^public keys: .*{reason}"):
        PublicKeys.from_json(value)


def test_keys_that_nobody_could_use_are_refused() -> None:
    with pytest.raises(Malformed, match="recipient"):
        PublicKeys(PERSON.public.recipient[:-1], PERSON.public.verify_key)
    with pytest.raises(Malformed, match="verify key"):
        PublicKeys(PERSON.public.recipient, bytes(32))


def test_the_fingerprint_covers_both_keys() -> None:
    other = Person.from_seed(KEY).public
    mixed = {
        PERSON.public.fingerprint(),
        other.fingerprint(),
        PublicKeys(PERSON.public.recipient, other.verify_key).fingerprint(),
        PublicKeys(other.recipient, PERSON.public.verify_key).fingerprint(),
    }
    assert len(mixed) == 4
    assert {len(item) for item in mixed} == {32}


@given(SEEDS, SEEDS, st.binary(max_size=50))
@settings(max_examples=10)
def test_a_wrapped_seed_comes_back(seed: bytes, key: bytes, context: bytes) -> None:
    assert unwrap_seed(wrap_seed(seed, key, context), key, context) == seed


def test_a_wrap_is_an_age_file_to_the_identity_of_its_label() -> None:
    identity = HybridIdentity.from_seed(derive(Label.WRAP_IDENTITY, KEY, context=b"context"))
    assert decrypt(wrap_seed(SEED, KEY, b"context"), [identity]) == SEED


def test_another_key_or_another_context_does_not_open_a_wrap() -> None:
    sealed = wrap_seed(SEED, KEY, b"account-1")
    with pytest.raises(WrongKey):
        unwrap_seed(sealed, SEED, b"account-1")
    with pytest.raises(WrongKey):
        unwrap_seed(sealed, KEY, b"account-2")


def test_a_change_of_any_byte_of_a_wrap_is_refused() -> None:
    sealed = wrap_seed(SEED, KEY, b"context")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << place % 8
        with pytest.raises((WrongKey, Tampered, Malformed, LimitExceeded)):
            unwrap_seed(bytes(changed), KEY, b"context")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_wrapping_key_has_32_bytes(size: int) -> None:
    with pytest.raises(Malformed, match=r"^person: wrapping key of wrong size$"):
        wrap_seed(SEED, bytes(size), b"context")
    with pytest.raises(Malformed, match=r"^person: wrapping key of wrong size$"):
        unwrap_seed(wrap_seed(SEED, KEY, b"context"), bytes(size), b"context")


def test_something_else_sealed_to_the_wrapping_identity_is_no_seed() -> None:
    identity = HybridIdentity.from_seed(derive(Label.WRAP_IDENTITY, KEY, context=b"context"))
    for size in (0, 31, 33):
        with pytest.raises(Malformed, match=r"^person: seed of wrong size$"):
            unwrap_seed(encrypt(bytes(size), [identity.recipient]), KEY, b"context")


def test_failures_hold_no_secret() -> None:
    with pytest.raises(CryptoError) as caught:
        unwrap_seed(wrap_seed(SEED, KEY, b"context"), SEED, b"context")
    assert SEED.hex() not in str(caught.value)
    assert caught.value.__cause__ is None


FINGERPRINT = "31de5add15c42fa1877cc42e586f1b06e0d41d1493a924eaafa102988d130b53"
