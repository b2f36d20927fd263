"""Hybrid keys: what every kind of key promises, and what follows from having two halves."""

import hashlib

import pytest

from crypto.age import (
    HybridIdentity,
    HybridRecipient,
    Stanza,
    X25519Identity,
    X25519Recipient,
    b64,
    decrypt,
    encrypt,
)
from crypto.errors import Malformed
from tests.crypto.age import vectors
from tests.crypto.age.promises import FILE_KEY, SEED, KeyPromises

IDENTITY = HybridIdentity.from_seed(SEED)


class TestHybrid(KeyPromises):
    identity_class = HybridIdentity
    recipient_class = HybridRecipient
    recipient_size = 1216


def test_the_texts_look_as_the_format_says() -> None:
    assert str(IDENTITY.recipient).startswith("age1pq1")
    assert IDENTITY.to_string().startswith("AGE-SECRET-KEY-PQ-1")


def test_a_recipient_is_shown_by_its_fingerprint() -> None:
    """Two thousand characters would fill a page of a log."""
    fingerprint = hashlib.sha256(IDENTITY.recipient.to_bytes()).hexdigest()
    assert repr(IDENTITY.recipient) == f"HybridRecipient({fingerprint[:16]})"


def test_a_public_file_opens() -> None:
    """The stanza is the one that other implementations write."""
    vector = vectors.load(vectors.FOLDER / "hybrid")
    opened = decrypt(vector.data, vector.identities)
    assert hashlib.sha256(opened).hexdigest() == vector.payload


def test_only_hybrid_recipients_call_themselves_postquantum() -> None:
    """A foreign recipient with that label may stand beside ours (c2sp.org/age)."""
    assert IDENTITY.recipient.labels == {"postquantum"}


def test_a_hybrid_key_is_not_an_x25519_key() -> None:
    assert IDENTITY.recipient != X25519Identity.from_seed(SEED).recipient
    with pytest.raises(Malformed):
        X25519Identity.from_string(IDENTITY.to_string())
    with pytest.raises(Malformed):
        X25519Recipient.from_string(str(IDENTITY.recipient))


def test_an_encapsulation_key_out_of_range_is_refused() -> None:
    """FIPS 203 §7.2: coefficients are below q."""
    with pytest.raises(Malformed):
        HybridRecipient.from_bytes(b"\xff" * 1216)


def test_a_recipient_of_low_order_is_refused_before_anything_is_sealed() -> None:
    """The shared secret of its X25519 half would be known to everybody."""
    good = IDENTITY.recipient.to_bytes()
    with pytest.raises(Malformed):
        encrypt(b"text", [HybridRecipient.from_bytes(good[:-32] + bytes(32))])


def test_a_share_that_reaches_into_the_body_is_refused() -> None:
    """Share and body have their sizes each, not only together."""
    stanza = IDENTITY.recipient.wrap(FILE_KEY[:-1])
    joined = b64.decode(stanza.args[0]) + stanza.body
    with pytest.raises(Malformed):
        IDENTITY.unwrap([Stanza(stanza.type, (b64.encode(joined[:-32]),), joined[-32:])])
