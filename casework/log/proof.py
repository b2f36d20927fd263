"""Receipts that a reporter takes along (*bukti lapor*): one text file, checked without the portal.

The format is c2sp.org/tlog-proof@v1; its ``extra`` line is the leaf of the submission as it stands
in the log. That a key of the log signed the checkpoint, that the leaf is in its tree and that it
tells of a submission proves that a report with this ticket was received on this day. Text and key
of the report prove what it said. Nothing of it says who reported, nor whether it is true.

``static/periksa.html`` decides in a browser as this module does; a test compares both. Pure
functions: no database, no clock, no files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from casework.case.past import SUBMIT
from casework.log.leaf import LEAF_FORMAT
from crypto import canonical, commitment, merkle, ticket
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered
from crypto.note import Kind, NoteKey
from crypto.tlog_proof import MAX_SIZE, TlogProof

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crypto.note import SignedNote

ORIGIN_PREFIX: Final = "catatan/"
"""What the name of a log begins with; the id of its instance follows."""

MAX_KEYS_SIZE: Final = 64 * 1024
"""Characters of the longest list of public keys that is read."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TYPED_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")


class Damaged(Malformed):
    """The file is no receipt, or breaks the grammar of one."""


class TooLarge(LimitExceeded):
    """The file is larger than any receipt."""


class UnknownSigner(Tampered):
    """None of the given keys is named under the checkpoint."""


class Forged(Tampered):
    """A signature in the name of a given key does not fit the checkpoint."""


class NotInTree(Tampered):
    """The checkpoint is genuine, but the leaf is not where the receipt says."""


class NotASubmission(Malformed):
    """The leaf is in the log, and does not tell of a report that was received there."""


class OtherText(Tampered):
    """The receipt is genuine, but text and key are not those of its report."""


class BadKey(Malformed):
    """What was typed is not the key of a report: 64 hex digits, spaces aside."""


class BadLogKeys(Malformed):
    """What was given holds no public key, or a line that is none."""


@dataclass(frozen=True)
class Receipt:
    """What a verified receipt proves. ``size`` and ``root`` are those of the signed tree.

    ``index`` counts from 0. ``commitment`` are the 32 bytes that bind the contents.
    """

    ticket: str
    day: date
    commitment: bytes = field(repr=False)
    instance: str
    index: int
    size: int
    root: bytes = field(repr=False)

    @property
    def origin(self) -> str:
        """The name of the log, as its keys and checkpoints bear it."""
        return ORIGIN_PREFIX + self.instance


def make(leaf_body: bytes, index: int, path: Sequence[bytes], signed: SignedNote) -> str:
    """Return the text of a receipt, so made that nobody is handed one that proves nothing.

    The signatures are the caller's: whose key it is, only :func:`read` can tell.

    Raises:
        NotInTree: the leaf is not at ``index`` in the tree of the checkpoint.
        NotASubmission: it tells of something else.
        Malformed: the note is no checkpoint.
        TooLarge: it would be larger than what is read.
    """
    proof = TlogProof(index, tuple(path), signed, leaf_body)
    _receipt(proof, Checkpoint.from_text(signed.text))
    text = proof.to_text()
    _parsed(text)
    return text


def read(text: str, keys: Sequence[NoteKey]) -> Receipt:
    """Return what a receipt proves, once everything about it is verified.

    ``keys`` are the public keys that the reader trusts; those of other logs are ignored.

    Raises:
        TooLarge, Damaged: it is none, whatever the keys.
        UnknownSigner, Forged: no given key of the log that it names has signed it.
        NotInTree: what it says is not what was signed.
        NotASubmission: it is the proof of another event, or of another instance.
    """
    proof, head = _parsed(text)
    own = [one for one in keys if one.kind is Kind.LOG and one.name == head.origin]
    known = {(one.name, one.key_id) for one in own}
    if not any((one.name, one.key_id) in known for one in proof.signed.signatures):
        raise UnknownSigner("receipt: no given key is named")
    try:
        proof.signed.verify(own)
    except (Tampered, Malformed):
        raise Forged("receipt: a signature does not fit") from None
    return _receipt(proof, head)


def check_text(receipt: Receipt, text: bytes, key: bytes) -> None:
    """Return if the report said exactly ``text``: the bytes that the mailbox hands out.

    Raises:
        OtherText: it did not, or ``key`` is another report's.
        BadKey: ``key`` is not 32 bytes.
    """
    if len(key) != commitment.KEY_SIZE:
        raise BadKey("receipt: a key of wrong size")
    try:
        commitment.check(key, text, receipt.commitment)
    except Tampered:
        raise OtherText("receipt: another text or key") from None


def text_of(raw: bytes) -> str:
    """Return the text of a receipt's file, for :func:`read`.

    Raises:
        TooLarge: more than 512 KiB.
        Damaged: it is not UTF-8.
    """
    if len(raw) > MAX_SIZE:
        raise TooLarge("receipt: too large")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Damaged("receipt: not UTF-8") from None


def key_of(typed: str) -> bytes:
    """Return the 32 bytes of a report's key: 64 hex digits, with whatever space between them.

    Raises:
        BadKey: it is none. The message does not quote it.
    """
    plain = "".join(typed.split())
    if _TYPED_KEY.fullmatch(plain) is None:
        raise BadKey("receipt: a key is 64 hex digits")
    return bytes.fromhex(plain)


def log_keys_of(text: str) -> tuple[NoteKey, ...]:
    """Return the public keys of a list: one a line; empty ones and those with ``#`` are skipped.

    Raises:
        BadLogKeys: a line is no key, or there is none at all.
    """
    if len(text) > MAX_KEYS_SIZE:
        raise BadLogKeys("log keys: too long a list")
    lines = [line.strip() for line in text.split("\n")]
    try:
        keys = tuple(NoteKey.from_text(line) for line in lines if line and line[0] != "#")
    except (Malformed, UnicodeEncodeError):
        raise BadLogKeys("log keys: a line is no key") from None
    if not keys:
        raise BadLogKeys("log keys: none")
    return keys


def _parsed(text: str) -> tuple[TlogProof, Checkpoint]:
    try:
        proof = TlogProof.from_text(text)
        return proof, Checkpoint.from_text(proof.signed.text)
    except LimitExceeded:
        raise TooLarge("receipt: too large") from None
    except Malformed:
        raise Damaged("receipt: not a receipt") from None


def _receipt(proof: TlogProof, head: Checkpoint) -> Receipt:
    digest = merkle.leaf_hash(proof.extra)
    try:
        merkle.check_inclusion(digest, proof.index, head.size, proof.path, head.root)
    except (Tampered, Malformed):
        raise NotInTree("receipt: not in the tree") from None
    said = _statement(proof.extra)
    if head.origin != ORIGIN_PREFIX + said["instance"]:
        raise NotASubmission("receipt: the leaf of another instance")
    return Receipt(
        ticket=said["ticket"],
        day=date.fromisoformat(said["day"]),
        commitment=bytes.fromhex(said["commitment"]),
        instance=said["instance"],
        index=proof.index,
        size=head.size,
        root=head.root,
    )


def _statement(body: bytes) -> dict[str, str]:
    """Return the texts of a submit leaf. Raises: NotASubmission."""
    try:
        leaf = canonical.decode(body)
    except Malformed:
        leaf = None
    if not isinstance(leaf, dict) or leaf.get("event") != SUBMIT:
        raise NotASubmission("receipt: another event")
    if not all(name in leaf and fits(leaf[name]) for name, fits in _FORMS.items()):
        raise NotASubmission("receipt: a field is missing or of a wrong form")
    return {name: said for name, said in leaf.items() if isinstance(said, str)}


def _is(form: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda said: isinstance(said, str) and form.fullmatch(said) is not None


def _is_hash(said: object) -> bool:
    return _is(_HASH)(said)


def _is_count(said: object) -> bool:
    return isinstance(said, int) and not isinstance(said, bool) and said > 0


def _is_day(said: object) -> bool:
    if not isinstance(said, str) or _DAY.fullmatch(said) is None:
        return False
    try:
        date.fromisoformat(said)
    except ValueError:
        return False
    return True


def _is_ticket(said: object) -> bool:
    try:
        return isinstance(said, str) and ticket.parse(said) == said
    except CryptoError:
        return False


_FORMS: Final[Mapping[str, Callable[[object], bool]]] = {
    "v": lambda said: _is_count(said) and said == LEAF_FORMAT,
    "instance": _is(_ID),
    "actor": _is(_ID),
    "case": _is(_ID),
    "commitment": _is_hash,
    "day": _is_day,
    "first": lambda said: said is None,
    "items": _is_count,
    "log": lambda said: said is None or _is_hash(said),
    "objects": lambda said: isinstance(said, list) and all(map(_is_hash, said)),
    "ticket": _is_ticket,
}
"""What a submit leaf says, and in which form; further fields are let be.

``first`` is null because a submission is the first leaf of its case.
"""
