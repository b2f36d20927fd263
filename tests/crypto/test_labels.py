import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import LimitExceeded
from crypto.labels import Label, Purpose, derive


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, written from its text."""
    key = hmac.digest(salt or bytes(32), secret, sha256)
    output, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), sha256)
        output += block
    return output[:length]


def test_the_reference_used_here_agrees_with_rfc_5869_test_case_1() -> None:
    output = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert output.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


@given(
    label=st.sampled_from(Label),
    secret=st.binary(max_size=80),
    salt=st.binary(max_size=80),
    context=st.binary(max_size=80),
    length=st.integers(1, 200),
)
def test_derivation_is_hkdf_over_label_zero_context(
    label: Label, secret: bytes, salt: bytes, context: bytes, length: int
) -> None:
    info = str(label).encode("ascii") + b"\x00" + context
    derived = derive(label, secret, salt=salt, context=context, length=length)
    assert derived == hkdf(secret, salt, info, length)


def test_without_salt_context_and_length_a_key_has_32_bytes_of_its_label_alone() -> None:
    assert derive(Label.SESSION_ID, b"key") == hkdf(b"key", b"", b"suaka/v1/session/id\x00", 32)


def test_no_two_purposes_share_a_value_or_a_derived_key() -> None:
    values = [*Label, *Purpose]
    assert len(set(values)) == len(Label.__members__) + len(Purpose.__members__)
    assert len({derive(label, b"secret") for label in Label}) == len(Label.__members__)


@pytest.mark.parametrize("value", [*Label, *Purpose])
def test_a_label_names_house_and_version_and_cannot_swallow_the_separator(value: str) -> None:
    assert value.startswith("suaka/v1/")
    assert value.isascii()
    assert value.isprintable()


def test_labels_never_change_since_stored_data_depends_on_them() -> None:
    """New ones may come; what is here stays as it is."""
    assert STORED_LABELS.items() <= Label.__members__.items()
    assert STORED_PURPOSES.items() <= Purpose.__members__.items()


@pytest.mark.parametrize("length", [-1, 0, 8161])
def test_a_length_that_hkdf_cannot_give_is_refused(length: int) -> None:
    with pytest.raises(LimitExceeded, match=r"^derive: length out of range$"):
        derive(Label.SESSION_ID, b"secret", length=length)


def test_the_shortest_and_the_longest_length_are_given() -> None:
    assert len(derive(Label.SESSION_ID, b"secret", length=1)) == 1
    assert len(derive(Label.SESSION_ID, b"secret", length=8160)) == 8160


STORED_LABELS = {
    "PERSON_IDENTITY": "suaka/v1/person/identity",
    "PERSON_SIGNING": "suaka/v1/person/signing",
    "WRAP_IDENTITY": "suaka/v1/wrap/identity",
    "SIGN_IN_SALT": "suaka/v1/sign-in/salt",
    "SIGN_IN_LOCATOR": "suaka/v1/sign-in/locator",
    "SIGN_IN_WRAP": "suaka/v1/sign-in/wrap",
    "PASSPHRASE_PEPPER": "suaka/v1/passphrase/pepper",
    "SHRED_GRANT": "suaka/v1/shred/grant",
    "FORM_SUBMISSION": "suaka/v1/form/submission",
    "FORM_TICKET": "suaka/v1/form/ticket",
    "FORM_WORDS": "suaka/v1/form/words",
    "FORM_WINDOW": "suaka/v1/form/window",
    "SESSION_ID": "suaka/v1/session/id",
    "SESSION_SEAL": "suaka/v1/session/seal",
    "SESSION_OWNER": "suaka/v1/session/owner",
    "SESSION_OWNERS": "suaka/v1/session/owners",
    "INVITATION": "suaka/v1/invitation",
    "INVITATION_WORDS": "suaka/v1/invitation/words",
    "INVITATION_SEAL": "suaka/v1/invitation/seal",
    "DEVICE": "suaka/v1/device",
    "RECOVERY_CODE": "suaka/v1/recovery-code",
    "WORDS_CHECKSUM": "suaka/v1/words/checksum",
    "FINGERPRINT": "suaka/v1/fingerprint",
    "KEEPER": "suaka/v1/keeper",
    "COMMITMENT": "suaka/v1/commitment",
}
STORED_PURPOSES = {
    "ITEM": "suaka/v1/sign/item",
    "GRANT": "suaka/v1/sign/grant",
    "ROSTER": "suaka/v1/sign/roster",
    "LEAF": "suaka/v1/sign/leaf",
    "KEYRING": "suaka/v1/sign/keyring",
    "FACTOR": "suaka/v1/sign/factor",
    "RECOVERED": "suaka/v1/sign/recovered",
}
