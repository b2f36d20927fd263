"""Persons: one random seed, from which their age identity and their signing key come.

A passphrase or secret key is never such a seed. It opens a wrap of it, of which there may be
several, and which can be replaced without touching what the person can read.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from crypto import signatures
from crypto.age import HybridIdentity, HybridRecipient, decrypt, encrypt
from crypto.canonical import Json
from crypto.errors import Malformed
from crypto.labels import Label, derive
from crypto.signatures import SigningKey

SEED_SIZE: Final = 32
"""Bytes of a person's seed."""

WRAPPING_KEY_SIZE: Final = 32
"""Bytes of the key under which a seed is wrapped."""


@dataclass(frozen=True)
class PublicKeys:
    """What others need to seal to a person and to verify what the person signed.

    Raises:
        Malformed: a key of wrong size, or one that must not be used.
    """

    recipient: bytes
    verify_key: bytes

    def __post_init__(self) -> None:
        """Refuse keys that nobody could use."""
        HybridRecipient.from_bytes(self.recipient)
        signatures.check_verify_key(self.verify_key)

    def to_json(self) -> dict[str, Json]:
        """Return both keys in Base64 (RFC 4648 §4)."""
        return {
            "recipient": base64.b64encode(self.recipient).decode("ascii"),
            "verify_key": base64.b64encode(self.verify_key).decode("ascii"),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Self:
        """Return the keys that `to_json` wrote; no other spelling is accepted.

        Raises:
            Malformed: other fields, Base64 that is not canonical, or unusable keys.
        """
        if value.keys() != {"recipient", "verify_key"}:
            raise Malformed("public keys: fields")
        return cls(_from_base64(value["recipient"]), _from_base64(value["verify_key"]))

    def fingerprint(self) -> bytes:
        """Return 32 bytes that stand for both keys, to be compared on paper."""
        # Both sizes are fixed, so that joining them is unambiguous.
        return derive(Label.FINGERPRINT, self.recipient + self.verify_key)

    def __repr__(self) -> str:
        """Return a short text that tells persons apart."""
        return f"PublicKeys({self.fingerprint().hex()[:16]})"


class Person:
    """The private half: may read what is sealed to this person, and speak in their name.

    Keys are expanded when first asked for, since most uses need only one of them.
    """

    def __init__(self, seed: bytes) -> None:
        """Take 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        if len(seed) != SEED_SIZE:
            raise Malformed("person: seed of wrong size")
        self._seed = bytes(seed)

    @classmethod
    def generate(cls) -> Self:
        """Return a new person with a random seed."""
        return cls(secrets.token_bytes(SEED_SIZE))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the person of 32 secret bytes.

        Raises:
            Malformed: another number of bytes.
        """
        return cls(seed)

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes."""
        return self._seed

    @cached_property
    def identity(self) -> HybridIdentity:
        """The key that opens what is sealed to this person."""
        return HybridIdentity.from_seed(derive(Label.PERSON_IDENTITY, self._seed))

    @cached_property
    def signing(self) -> SigningKey:
        """The key that signs in this person's name."""
        return SigningKey.from_seed(derive(Label.PERSON_SIGNING, self._seed))

    @cached_property
    def public(self) -> PublicKeys:
        """The public half."""
        return PublicKeys(self.identity.recipient.to_bytes(), self.signing.verify_key)

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return "Person(<secret>)"


def wrap_seed(seed: bytes, key: bytes, context: bytes) -> bytes:
    """Return an age file from which only `key` (32 bytes) and `context` give back `seed`.

    `context` names whose wrap it is, so that one cannot be put in place of another.

    Raises:
        Malformed: `seed` or `key` is not 32 bytes.
    """
    if len(seed) != SEED_SIZE:
        raise Malformed("person: seed of wrong size")
    return encrypt(seed, [_wrapping_identity(key, context).recipient])


def unwrap_seed(sealed: bytes, key: bytes, context: bytes) -> bytes:
    """Return the 32 bytes that `wrap_seed` was given.

    Raises:
        WrongKey: another key or another context.
        Tampered: the key fits, but the file was altered.
        Malformed: not an age file, not a seed inside, or `key` is not 32 bytes.
        LimitExceeded: the header of the file is too large.
    """
    seed = decrypt(sealed, [_wrapping_identity(key, context)])
    if len(seed) != SEED_SIZE:
        raise Malformed("person: seed of wrong size")
    return seed


def _wrapping_identity(key: bytes, context: bytes) -> HybridIdentity:
    """Return the identity that a seed is sealed to.

    Raises:
        Malformed: `key` is not 32 bytes.
    """
    if len(key) != WRAPPING_KEY_SIZE:
        raise Malformed("person: wrapping key of wrong size")
    return HybridIdentity.from_seed(derive(Label.WRAP_IDENTITY, key, context=context))


def _from_base64(text: Json) -> bytes:
    """Return the bytes of canonical Base64.

    Raises:
        Malformed: not a text, or not the one encoding of its bytes.
    """
    if not isinstance(text, str):
        raise Malformed("public keys: not a text")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("public keys: not Base64") from None
    if base64.b64encode(raw).decode("ascii") != text:
        raise Malformed("public keys: Base64 is not canonical")
    return raw
