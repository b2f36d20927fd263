"""Promises that every kind of key makes; `test_hybrid.py` and `test_x25519.py` hold it to them."""

import pickle
from typing import ClassVar

import pytest

from crypto.age import (
    HybridIdentity,
    HybridRecipient,
    Stanza,
    X25519Identity,
    X25519Recipient,
    b64,
    decrypt,
)
from crypto.age.header import serialise
from crypto.age.stream import StreamSealer
from crypto.errors import Malformed

FILE_KEY = b"sixteen bytes ok"
SEED = bytes(range(32))


def misshapen(stanza: Stanza) -> list[Stanza]:
    """Return stanzas of the same type that break its grammar, each in one way."""
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


class KeyPromises:
    """A test class for each kind inherits these, and names its kind."""

    identity_class: ClassVar[type[HybridIdentity] | type[X25519Identity]]
    recipient_class: ClassVar[type[HybridRecipient] | type[X25519Recipient]]
    recipient_size: ClassVar[int]

    def test_each_form_leads_back_to_the_same_key(self) -> None:
        identity = self.identity_class.from_seed(SEED)
        assert identity.seed == SEED
        again = self.identity_class.from_string(identity.to_string())
        assert again.seed == SEED
        recipient = identity.recipient
        for other in (
            again.recipient,
            self.recipient_class.from_bytes(recipient.to_bytes()),
            self.recipient_class.from_string(str(recipient)),
        ):
            assert other == recipient
            assert hash(other) == hash(recipient)
        assert len(recipient.to_bytes()) == self.recipient_size

    def test_different_keys_are_not_equal(self) -> None:
        recipient, other = (self.identity_class.generate().recipient for _ in range(2))
        assert recipient != other
        assert len({recipient, other}) == 2
        assert repr(recipient) != repr(other)
        assert recipient != recipient.to_bytes()

    def test_generated_identities_differ(self) -> None:
        assert self.identity_class.generate().seed != self.identity_class.generate().seed

    def test_no_secret_in_any_text_or_pickle(self) -> None:
        identity = self.identity_class.from_seed(SEED)
        secret = identity.to_string()
        for shown in (repr(identity), str(identity), f"{identity}", repr([identity])):
            assert secret not in shown
            assert SEED.hex() not in shown
            assert repr(SEED) not in shown
        assert repr(identity) == f"{type(identity).__name__}(<secret>)"
        with pytest.raises(TypeError):
            pickle.dumps(identity)

    def test_a_key_of_wrong_size_is_refused(self) -> None:
        recipient = self.identity_class.from_seed(SEED).recipient.to_bytes()
        for seed in (b"", SEED[:-1], SEED + b"\0"):
            with pytest.raises(Malformed):
                self.identity_class.from_seed(seed)
        for raw in (b"", recipient[:-1], recipient + b"\0"):
            with pytest.raises(Malformed):
                self.recipient_class.from_bytes(raw)

    def test_a_text_in_the_other_case_is_refused_and_not_repeated(self) -> None:
        identity = self.identity_class.from_seed(SEED)
        with pytest.raises(Malformed) as caught:
            self.identity_class.from_string(identity.to_string().lower())
        assert identity.to_string().lower() not in str(caught.value)
        with pytest.raises(Malformed):
            self.recipient_class.from_string(str(identity.recipient).upper())
        with pytest.raises(Malformed):
            self.recipient_class.from_string(identity.to_string())

    def test_unwrap_finds_its_stanza_among_others(self) -> None:
        mine, other = self.identity_class.generate(), self.identity_class.generate()
        stanzas = [
            Stanza("unknown", ("x",), b""),
            other.recipient.wrap(FILE_KEY),
            mine.recipient.wrap(FILE_KEY),
        ]
        assert mine.unwrap(stanzas) == FILE_KEY
        assert mine.unwrap(stanzas[:2]) is None
        assert mine.unwrap([]) is None

    def test_wrapping_is_fresh_each_time(self) -> None:
        recipient = self.identity_class.generate().recipient
        assert recipient.wrap(FILE_KEY) != recipient.wrap(FILE_KEY)

    def test_a_misshapen_stanza_spoils_the_file(self) -> None:
        """Even if it stands in front of a good one and is somebody else's."""
        mine = self.identity_class.generate()
        good = mine.recipient.wrap(FILE_KEY)
        for stanza in misshapen(self.identity_class.generate().recipient.wrap(FILE_KEY)):
            with pytest.raises(Malformed):
                mine.unwrap([stanza, good])

    def test_an_altered_share_or_body_does_not_match(self) -> None:
        mine = self.identity_class.generate()
        good = mine.recipient.wrap(FILE_KEY)
        share = b64.decode(good.args[0])
        for place in (0, len(share) // 2, len(share) - 1):
            altered = share[:place] + bytes([share[place] ^ 0x80]) + share[place + 1 :]
            assert mine.unwrap([Stanza(good.type, (b64.encode(altered),), good.body)]) is None
        assert mine.unwrap([Stanza(good.type, good.args, bytes(32))]) is None

    def test_a_file_key_of_another_size_is_never_used(self) -> None:
        """Otherwise one file could open to different contents under different keys."""
        identity, long_key, nonce = self.identity_class.from_seed(SEED), bytes(24), bytes(16)
        head = serialise([identity.recipient.wrap(long_key)], long_key)
        with pytest.raises(Malformed):
            decrypt(head + nonce + StreamSealer(long_key, nonce).finalize(), [identity])
