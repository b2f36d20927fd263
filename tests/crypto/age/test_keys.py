"""Promises that both kinds of key make: X25519 and hybrid."""

import pickle
from collections.abc import Callable

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
from crypto.age.header import serialise
from crypto.age.stream import StreamSealer
from crypto.errors import CryptoError, Malformed, WrongKey

FILE_KEY = b"sixteen bytes ok"
SEED = bytes(range(32))

KINDS = pytest.mark.parametrize(
    ("identity_class", "recipient_class"),
    [(HybridIdentity, HybridRecipient), (X25519Identity, X25519Recipient)],
)


@KINDS
def test_each_form_leads_back_to_the_same_key(
    identity_class: type[HybridIdentity], recipient_class: type[HybridRecipient]
) -> None:
    identity = identity_class.from_seed(SEED)
    assert identity.seed == SEED
    again = identity_class.from_string(identity.to_string())
    assert again.seed == SEED
    recipient = identity.recipient
    for other in (
        again.recipient,
        recipient_class.from_bytes(recipient.to_bytes()),
        recipient_class.from_string(str(recipient)),
    ):
        assert other == recipient
        assert hash(other) == hash(recipient)
    assert recipient != identity_class.generate().recipient
    assert recipient != recipient.to_bytes()


@KINDS
def test_generated_identities_differ(
    identity_class: type[HybridIdentity],
    recipient_class: type[HybridRecipient],  # noqa: ARG001
) -> None:
    assert identity_class.generate().seed != identity_class.generate().seed


def test_the_kinds_do_not_equal_each_other() -> None:
    assert HybridIdentity.from_seed(SEED).recipient != X25519Identity.from_seed(SEED).recipient


def test_the_texts_look_as_the_format_says() -> None:
    hybrid, x25519 = HybridIdentity.from_seed(SEED), X25519Identity.from_seed(SEED)
    assert str(hybrid.recipient).startswith("age1pq1")
    assert hybrid.to_string().startswith("AGE-SECRET-KEY-PQ-1")
    assert str(x25519.recipient).startswith("age1")
    assert x25519.to_string().startswith("AGE-SECRET-KEY-1")
    assert len(hybrid.recipient.to_bytes()) == 1216
    assert len(x25519.recipient.to_bytes()) == 32


@pytest.mark.parametrize("identity", [HybridIdentity.from_seed(SEED), X25519Identity(SEED)])
def test_no_secret_in_any_text_or_pickle(identity: HybridIdentity | X25519Identity) -> None:
    secret = identity.to_string()
    for shown in (repr(identity), str(identity), f"{identity}", repr([identity])):
        assert secret not in shown
        assert SEED.hex() not in shown
        assert repr(SEED) not in shown
    assert repr(identity) == f"{type(identity).__name__}(<secret>)"
    with pytest.raises(TypeError):
        pickle.dumps(identity)


@KINDS
@pytest.mark.parametrize("size", [0, 31, 33, 1215, 1217])
def test_a_key_of_wrong_size_is_refused(
    identity_class: type[HybridIdentity], recipient_class: type[HybridRecipient], size: int
) -> None:
    with pytest.raises(Malformed):
        identity_class.from_seed(bytes(size))
    with pytest.raises(Malformed):
        recipient_class.from_bytes(bytes(size))


def test_one_kind_is_not_read_as_the_other() -> None:
    hybrid, x25519 = HybridIdentity.from_seed(SEED), X25519Identity.from_seed(SEED)
    attempts: list[tuple[Callable[[str], object], str]] = [
        (HybridIdentity.from_string, x25519.to_string()),
        (HybridIdentity.from_string, hybrid.to_string().lower()),
        (X25519Identity.from_string, hybrid.to_string()),
        (X25519Identity.from_string, x25519.to_string().lower()),
        (HybridRecipient.from_string, str(x25519.recipient)),
        (HybridRecipient.from_string, str(hybrid.recipient).upper()),
        (X25519Recipient.from_string, str(hybrid.recipient)),
        (X25519Recipient.from_string, str(x25519.recipient).upper()),
        (X25519Recipient.from_string, x25519.to_string()),
    ]
    for parse, text in attempts:
        with pytest.raises(Malformed) as caught:
            parse(text)
        assert text not in str(caught.value)


def test_an_encapsulation_key_out_of_range_is_refused() -> None:
    """FIPS 203 §7.2: coefficients are below q."""
    with pytest.raises(Malformed):
        HybridRecipient.from_bytes(b"\xff" * 1216)


def test_a_recipient_of_low_order_is_refused_before_anything_is_sealed() -> None:
    """Its shared secret would be known to everybody."""
    with pytest.raises(Malformed):
        encrypt(b"text", [X25519Recipient.from_bytes(bytes(32))])
    good = HybridIdentity.from_seed(SEED).recipient.to_bytes()
    with pytest.raises(Malformed):
        encrypt(b"text", [HybridRecipient.from_bytes(good[:-32] + bytes(32))])


@KINDS
def test_unwrap_finds_its_stanza_among_others(
    identity_class: type[HybridIdentity],
    recipient_class: type[HybridRecipient],  # noqa: ARG001
) -> None:
    mine, other = identity_class.generate(), identity_class.generate()
    stanzas = [
        Stanza("unknown", ("x",), b""),
        other.recipient.wrap(FILE_KEY),
        mine.recipient.wrap(FILE_KEY),
    ]
    assert mine.unwrap(stanzas) == FILE_KEY
    assert mine.unwrap(stanzas[:2]) is None
    assert mine.unwrap([]) is None


@KINDS
def test_wrapping_is_fresh_each_time(
    identity_class: type[HybridIdentity],
    recipient_class: type[HybridRecipient],  # noqa: ARG001
) -> None:
    recipient = identity_class.generate().recipient
    assert recipient.wrap(FILE_KEY) != recipient.wrap(FILE_KEY)


def misshapen(stanza: Stanza) -> list[Stanza]:
    share = b64.decode(stanza.args[0])
    return [
        Stanza(stanza.type, (), stanza.body),
        Stanza(stanza.type, (*stanza.args, "x"), stanza.body),
        Stanza(stanza.type, stanza.args, stanza.body[:-1]),
        Stanza(stanza.type, stanza.args, stanza.body + b"\0"),
        Stanza(stanza.type, (stanza.args[0] + "=",), stanza.body),
        Stanza(stanza.type, (b64.encode(share[:-1]),), stanza.body),
        Stanza(stanza.type, (b64.encode(share + b"\0"),), stanza.body),
        Stanza(stanza.type, (b64.encode(share[:-32] + bytes(32)),), stanza.body),
    ]


@KINDS
def test_a_misshapen_stanza_spoils_the_file(
    identity_class: type[HybridIdentity],
    recipient_class: type[HybridRecipient],  # noqa: ARG001
) -> None:
    """Even if it stands in front of a good one and is somebody else's."""
    mine = identity_class.generate()
    good = mine.recipient.wrap(FILE_KEY)
    for stanza in misshapen(identity_class.generate().recipient.wrap(FILE_KEY)):
        with pytest.raises(Malformed):
            mine.unwrap([stanza, good])


@KINDS
def test_an_altered_share_or_body_does_not_match(
    identity_class: type[HybridIdentity],
    recipient_class: type[HybridRecipient],  # noqa: ARG001
) -> None:
    mine = identity_class.generate()
    good = mine.recipient.wrap(FILE_KEY)
    share = bytearray(b64.decode(good.args[0]))
    for place in (0, len(share) // 2, len(share) - 1):
        altered = share[:place] + bytes([share[place] ^ 0x80]) + share[place + 1 :]
        assert mine.unwrap([Stanza(good.type, (b64.encode(bytes(altered)),), good.body)]) is None
    assert mine.unwrap([Stanza(good.type, good.args, bytes(32))]) is None


def test_a_file_key_of_another_size_is_never_used() -> None:
    """Otherwise one file could open to different contents under different keys."""
    identity = HybridIdentity.from_seed(SEED)
    long_key = bytes(24)
    stanza = identity.recipient.wrap(long_key)
    nonce = bytes(16)
    data = serialise([stanza], long_key) + nonce + StreamSealer(long_key, nonce).finalize()
    with pytest.raises(Malformed):
        decrypt(data, [identity])


def test_a_share_that_reaches_into_the_body_is_refused() -> None:
    """Share and body have their sizes each, not only together."""
    identity = HybridIdentity.from_seed(SEED)
    stanza = identity.recipient.wrap(FILE_KEY[:-1])
    joined = b64.decode(stanza.args[0]) + stanza.body
    with pytest.raises(Malformed):
        identity.unwrap([Stanza(stanza.type, (b64.encode(joined[:-32]),), joined[-32:])])


def test_each_failure_is_a_crypto_error() -> None:
    assert issubclass(WrongKey, CryptoError)
    with pytest.raises(WrongKey):
        decrypt(encrypt(b"", [HybridIdentity.generate().recipient]), [HybridIdentity.generate()])
