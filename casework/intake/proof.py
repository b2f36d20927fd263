"""The reporter's receipt: a file that proves that, when and what was reported (UU 13/2006 Ps 10).

Everything in it is the reporter's own. The text can be proven only by whoever has the key, which
lies in the mailbox and in no receipt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from casework.case.keyring import CaseDamaged
from casework.case.tables import Item
from casework.intake.mailbox import open_own
from casework.intake.sealing import KEYS, REPORT
from casework.log import checkpoints, tree
from casework.log.tables import Leaf
from crypto import canonical, checkpoint
from crypto.tlog_proof import TlogProof

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from casework.case.keyring import Keyring
    from casework.keys.actor import Actor
    from casework.store.unit import UnitOfWork
    from crypto.note import SignedNote


@dataclass(frozen=True)
class Evidence:
    """What proves a report. ``file`` is a proof in the format c2sp.org/tlog-proof@v1.

    ``text`` are the canonical bytes that the commitment was made of, ``key`` its 32 bytes.
    ``witnesses``: how many others have signed the checkpoint in it.
    """

    ticket: str
    day: date
    commitment: str
    proof: TlogProof
    size: int
    witnesses: int
    text: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def file(self) -> str:
        """The receipt as it is taken along."""
        return self.proof.to_text()


def evidence(uow: UnitOfWork, actor: Actor) -> Evidence:
    """Return what the reporter may take along.

    The proof leads to the checkpoint published last where that holds the report already, with
    the signatures of its witnesses; else to one of its own, which is signed now.

    Raises:
        Denied, NotFound, CaseDamaged, RolledBack, NotInLog: see
            :func:`casework.intake.mailbox.open_own`.
        LogKeysBroken, LogKeyMissing, TreeDamaged: no checkpoint can be signed.
    """
    keyring, _ = open_own(uow, actor)
    submission = keyring.past().submission
    leaf = uow.session.scalar(
        select(Leaf).where(Leaf.case_id == keyring.case.id).order_by(Leaf.number).limit(1)
    )
    if submission is None or leaf is None or leaf.body is None:
        raise CaseDamaged("submission")
    signed = _covering(uow, leaf.number)
    size = checkpoint.Checkpoint.from_text(signed.text).size
    path = tree.prove_inclusion(uow.session, leaf.number, size)
    return Evidence(
        ticket=submission.ticket,
        day=submission.day,
        commitment=submission.commitment,
        proof=TlogProof(leaf.number, tuple(path), signed, leaf.body.encode()),
        size=size,
        witnesses=len(signed.signatures) - 1,
        text=canonical.encode(dict(_body(keyring, REPORT))),
        key=bytes.fromhex(_body(keyring, KEYS)["commitment"]),
    )


def _covering(uow: UnitOfWork, number: int) -> SignedNote:
    """Return the checkpoint published last if it holds a leaf, else a fresh one of its own."""
    note = checkpoints.newest(uow)
    if note is not None and checkpoint.Checkpoint.from_text(note.text).size > number:
        return note
    return checkpoints.sign_now(uow)


def _body(keyring: Keyring, kind: str) -> Mapping[str, Any]:
    """Return the text of the first item of a kind. Raises: CaseDamaged, Denied."""
    item: Item | None = next((one for one in keyring.items() if one.kind == kind), None)
    opened = keyring.open(item) if item is not None else None
    if opened is None:
        raise CaseDamaged(kind)
    return opened.body
