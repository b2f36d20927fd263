"""X25519 keys: what every kind of key promises, and what every age implementation expects."""

import hashlib

import pytest

from crypto.age import (
    HybridIdentity,
    HybridRecipient,
    X25519Identity,
    X25519Recipient,
    decrypt,
    encrypt,
)
from crypto.errors import Malformed
from tests.crypto.age import vectors
from tests.crypto.age.promises import SEED, KeyPromises

IDENTITY = X25519Identity.from_seed(SEED)


class TestX25519(KeyPromises):
    identity_class = X25519Identity
    recipient_class = X25519Recipient
    recipient_size = 32


def test_the_texts_look_as_the_format_says() -> None:
    assert str(IDENTITY.recipient).startswith("age1")
    assert IDENTITY.to_string().startswith("AGE-SECRET-KEY-1")
    assert repr(IDENTITY.recipient) == f"X25519Recipient({IDENTITY.recipient})"


def test_a_public_file_opens() -> None:
    """The stanza is the one that other implementations write."""
    vector = vectors.load(vectors.FOLDER / "x25519")
    opened = decrypt(vector.data, vector.identities)
    assert hashlib.sha256(opened).hexdigest() == vector.payload


def test_an_x25519_recipient_promises_nothing() -> None:
    """So that recipients of foreign kinds without labels may stand beside it."""
    assert IDENTITY.recipient.labels == frozenset()


def test_an_x25519_key_is_not_a_hybrid_key() -> None:
    assert IDENTITY.recipient != HybridIdentity.from_seed(SEED).recipient
    with pytest.raises(Malformed):
        HybridIdentity.from_string(IDENTITY.to_string())
    with pytest.raises(Malformed):
        HybridRecipient.from_string(str(IDENTITY.recipient))


def test_a_recipient_of_low_order_is_refused_before_anything_is_sealed() -> None:
    """Its shared secret would be known to everybody."""
    with pytest.raises(Malformed):
        encrypt(b"text", [X25519Recipient.from_bytes(bytes(32))])
