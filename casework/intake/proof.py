"""The reporter's receipt: a file that proves that, when and what was reported (UU 13/2006 Ps 10).

Everything in it is the reporter's own. The text can be proven only by whoever has the key, which
lies in the mailbox and in no receipt. Nothing is written: no row, no leaf, no time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case.keyring import CaseDamaged
from casework.case.tables import Item
from casework.intake.mailbox import open_own
from casework.intake.sealing import KEYS, REPORT
from casework.intake.watch import NotInLog
from casework.log import checkpoints, keys, proof, tree, witnesses
from casework.log.keys import LogKeyMissing
from casework.log.tables import Leaf
from crypto import canonical
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from casework.case.keyring import Keyring
    from casework.keys.actor import Actor
    from casework.law.profile import Profile
    from casework.store.unit import UnitOfWork
    from crypto.note import SignedNote


@dataclass(frozen=True)
class Evidence:
    """What proves a report. ``file`` is a proof in the format c2sp.org/tlog-proof@v1.

    ``published``: whether it leads to the checkpoint published last, else to one of its own.
    ``witnesses``: the names of those who have signed that checkpoint. ``text`` are the canonical
    bytes that the commitment was made of, ``key`` its 32 bytes.
    """

    ticket: str
    day: date
    file: str = field(repr=False)
    published: bool
    witnesses: tuple[str, ...]
    profile: Profile
    text: bytes = field(repr=False)
    key: bytes = field(repr=False)


def evidence(uow: UnitOfWork, actor: Actor) -> Evidence:
    """Return what the reporter may take along, once it has proven what it should.

    The proof leads to the checkpoint published last where that holds the report already, with
    the signatures of its witnesses; else to one of its own, which is signed now.

    Raises:
        Denied, NotFound, CaseDamaged, RolledBack, NotInLog: see
            :func:`casework.intake.mailbox.open_own`; CaseDamaged also where text and key are not
            those of the submission.
        LogKeysBroken, LogKeyMissing, TreeDamaged: no checkpoint can be signed.
    """
    keyring, profile = open_own(uow, actor)
    leaf = uow.session.scalar(
        select(Leaf).where(Leaf.case_id == keyring.case.id).order_by(Leaf.number).limit(1)
    )
    if leaf is None or leaf.body is None:
        raise CaseDamaged("submission")
    text = canonical.encode(dict(_body(keyring, REPORT)))
    key = bytes.fromhex(_body(keyring, KEYS)["commitment"])
    made = _made(uow, leaf.number, leaf.body.encode())
    try:
        proof.check_text(made.receipt, text, key)
    except CryptoError:
        raise CaseDamaged("commitment") from None
    return Evidence(
        ticket=made.receipt.ticket,
        day=made.receipt.day,
        file=made.file,
        published=made.published,
        witnesses=witnesses.names(uow, made.signed),
        profile=profile,
        text=text,
        key=key,
    )


@dataclass(frozen=True)
class _Made:
    """A receipt, as it is handed out and as it is read, and the checkpoint that it leads to."""

    signed: SignedNote
    published: bool
    file: str
    receipt: proof.Receipt


def _made(uow: UnitOfWork, number: int, body: bytes) -> _Made:
    """Return the receipt of a leaf. Raises: LogKeyMissing, and as :func:`_proven`."""
    try:
        return _proven(uow, number, body)
    except LogKeyMissing:
        # Whoever looked before a key was exchanged looks for the old one, which is gone since.
        with uow.office.read() as fresh:
            return _proven(fresh, number, body)


def _covering(uow: UnitOfWork, number: int) -> tuple[SignedNote, bool]:
    """Return the checkpoint published last if it holds a leaf, else a fresh one of its own."""
    note = checkpoints.newest(uow)
    if note is not None and Checkpoint.from_text(note.text).size > number:
        return note, True
    return checkpoints.sign_now(uow), False


def _proven(uow: UnitOfWork, number: int, body: bytes) -> _Made:
    """Return a receipt once it was read as its reader will read it.

    Raises:
        NotInLog: it would prove nothing.
        LogKeysBroken, LogKeyMissing, TreeDamaged: nothing can be proven.
    """
    signed, published = _covering(uow, number)
    size = Checkpoint.from_text(signed.text).size
    known = keys.load(uow).of_size(size)
    path = tree.prove_inclusion(uow.session, number, size)
    try:
        file = proof.make(body, number, path, signed)
        return _Made(signed, published, file, proof.read(file, known))
    except CryptoError:
        raise NotInLog("receipt") from None


def _body(keyring: Keyring, kind: str) -> Mapping[str, Any]:
    """Return the text of the first item of a kind. Raises: CaseDamaged, Denied."""
    item: Item | None = next((one for one in keyring.items() if one.kind == kind), None)
    opened = keyring.open(item) if item is not None else None
    if opened is None:
        raise CaseDamaged(kind)
    return opened.body
