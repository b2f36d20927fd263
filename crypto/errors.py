"""The failures that callers of `crypto` may see.

Messages name the rule that was broken, never a key, a passphrase or a byte of plaintext, so that
they may be logged. Exceptions of the libraries underneath are translated where they arise.
"""


class CryptoError(Exception):
    """Base of every failure in `crypto`; catching it catches all of them."""


class WrongKey(CryptoError):
    """The given key, passphrase or share does not open this object."""


class Tampered(CryptoError):
    """The key fits, but the data is not what its author sealed or signed."""


class Malformed(CryptoError):
    """The data breaks the grammar of its format, whatever the key."""


class LimitExceeded(CryptoError):
    """The data asks for more memory or work than its format is allowed here."""
