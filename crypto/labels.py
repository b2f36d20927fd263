"""Every purpose for which a key or a signature is made, and how keys are kept apart by it."""

from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import LimitExceeded

_LONGEST = 255 * 32
_SEPARATOR = b"\x00"


class Label(StrEnum):
    """One purpose of a derived key. A value is never reused, nor changed once data exists."""

    PERSON_IDENTITY = "suaka/v1/person/identity"
    """Seed of a person: the age identity."""

    PERSON_SIGNING = "suaka/v1/person/signing"
    """Seed of a person: the Ed25519 signing key."""

    WRAP_IDENTITY = "suaka/v1/wrap/identity"
    """Stretched secret of a person: the age identity that their seed is sealed to."""

    SIGN_IN_SALT = "suaka/v1/sign-in/salt"
    """Instance and ticket: the salt of the secret key's stretching."""

    SIGN_IN_LOCATOR = "suaka/v1/sign-in/locator"
    """Stretched secret key: the name under which the wrapped seed is found."""

    SIGN_IN_WRAP = "suaka/v1/sign-in/wrap"
    """Stretched secret key: the key that unwraps the seed."""

    PASSPHRASE_PEPPER = "suaka/v1/passphrase/pepper"  # noqa: S105 - a label, no password
    """Stretched passphrase, salted with the pepper: the key that unwraps an officer's seed."""

    SHRED_GRANT = "suaka/v1/shred/grant"
    """Shred key of a case: the key of one grant's outer layer."""

    FORM_SUBMISSION = "suaka/v1/form/submission"
    """Token of a form: the name under which its submission is remembered."""

    FORM_TICKET = "suaka/v1/form/ticket"
    """Token of a form, salted with the pepper: the ticket."""

    FORM_WORDS = "suaka/v1/form/words"
    """Token of a form, salted with the pepper: the secret key."""

    FORM_WINDOW = "suaka/v1/form/window"
    """Name of a submission: the name under which its receipt's window is remembered."""

    SESSION_ID = "suaka/v1/session/id"
    """Cookie of a session: the name under which the session is found."""

    SESSION_SEAL = "suaka/v1/session/seal"
    """Cookie of a session: the key that the session's person and seed are sealed under."""

    SESSION_OWNERS = "suaka/v1/session/owners"
    """Pepper: the key of the names under which each officer's sessions are found."""

    SESSION_OWNER = "suaka/v1/session/owner"
    """Key of the names, with an officer's id: the name under which their sessions are found."""

    INVITATION = "suaka/v1/invitation"
    """Token of an invitation: the name under which it is remembered."""

    INVITATION_WORDS = "suaka/v1/invitation/words"
    """Token of an invitation, salted with the pepper: a generated passphrase."""

    INVITATION_SEAL = "suaka/v1/invitation/seal"
    """Token of an invitation, salted with the pepper: the key of what travels between two pages."""

    DEVICE = "suaka/v1/device"
    """Token of a browser: the name under which it is remembered."""

    RECOVERY_CODE = "suaka/v1/recovery-code"
    """A single-use code: what is kept of it, sealed."""

    WORDS_CHECKSUM = "suaka/v1/words/checksum"
    """Entropy of a secret key: its checksum."""

    SHARE_CHECK = "suaka/v1/share/check"
    """Words of a share on paper: the two words at the foot of its page."""

    FINGERPRINT = "suaka/v1/fingerprint"
    """Public keys of a person: what is compared by eye."""

    KEEPER = "suaka/v1/keeper"
    """Pepper: the key of the marker that says to whom a late form belongs."""

    COMMITMENT = "suaka/v1/commitment"
    """Prefix of what a commitment covers."""

    PADDING = "suaka/v1/log/padding"
    """Seed of a run of dummy leaves: what one of them says."""


class Purpose(StrEnum):
    """One kind of statement that is signed. A value is never reused, nor changed."""

    ITEM = "suaka/v1/sign/item"
    """An item of a case, by its author."""

    PART = "suaka/v1/sign/part"
    """A part of a file that has not arrived whole yet, by whoever sends it."""

    GRANT = "suaka/v1/sign/grant"
    """The key of a compartment for one holder, by whoever grants it."""

    ROSTER = "suaka/v1/sign/roster"
    """An entry of the roster, by its approver."""

    LEAF = "suaka/v1/sign/leaf"
    """A leaf of the transparency log, by the officer who acted."""

    KEYRING = "suaka/v1/sign/keyring"
    """What an officer's keyring remembers, by the officer."""

    FACTOR = "suaka/v1/sign/factor"
    """An officer's second factor, by the officer."""

    RECOVERED = "suaka/v1/sign/recovered"
    """What the share holders decided offline, by the recovery key."""


def derive(
    label: Label, secret: bytes, *, salt: bytes = b"", context: bytes = b"", length: int = 32
) -> bytes:
    """Return `length` bytes for one purpose: HKDF-SHA256 (RFC 5869), info = label, 0x00, context.

    `secret` must already have full entropy; what a person types goes through `crypto.kdf` first.
    A context of several parts is only as unambiguous as the caller's joining of them.

    Raises:
        LimitExceeded: `length` is not between 1 and 8,160 bytes.
    """
    if not 1 <= length <= _LONGEST:
        raise LimitExceeded("derive: length out of range")
    info = label.encode() + _SEPARATOR + context
    return HKDF(SHA256(), length=length, salt=salt, info=info).derive(secret)
