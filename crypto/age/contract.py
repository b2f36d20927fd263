"""What an age file asks of a recipient and of an identity (c2sp.org/age, recipient stanzas)."""

from collections.abc import Sequence
from typing import Final, Protocol

from crypto.age.header import Header, Stanza
from crypto.errors import WrongKey

FILE_KEY_SIZE: Final = 16
"""Bytes of the random key that each recipient wraps and from which header and payload keys come."""

WRAPPED_FILE_KEY_SIZE: Final = FILE_KEY_SIZE + 16
"""Bytes of a file key sealed with ChaCha20-Poly1305: the body of every stanza made here."""

POSTQUANTUM: Final = "postquantum"
"""Label of recipients that withstand a quantum computer."""


class Recipient(Protocol):
    """A public key to which files are encrypted."""

    @property
    def labels(self) -> frozenset[str]:
        """Properties that a further recipient without them would undo.

        All recipients of a file must agree: one X25519 stanza beside a hybrid one would leave the
        file as weak as X25519.
        """
        ...

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza from which only this recipient's identity can recover `file_key`."""
        ...


class Identity(Protocol):
    """A private key with which files are decrypted."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None if no stanza is for this identity.

        Stanzas of other types are passed over. A stanza of the identity's own type that breaks
        the grammar spoils the whole file, whoever it was meant for.

        Raises:
            Malformed: a stanza of this identity's type is not well formed.
        """
        ...


def unlock(header: Header, identities: Sequence[Identity]) -> bytes:
    """Return the file key that one of `identities` finds, once it has proved the header authentic.

    Raises:
        WrongKey: no identity matches.
        HeaderTampered: an identity matches, but the header's MAC does not.
    """
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.verify(file_key)
            return file_key
    raise WrongKey("no identity matches")
