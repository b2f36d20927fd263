"""Receipts for tests: a log with a key of its own, and what Python says of a receipt."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casework.log import proof
from crypto import canonical, commitment, merkle, ticket
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError
from crypto.note import Kind, NoteSigner
from crypto.tlog_proof import TlogProof

INSTANCE = "0123456789abcdef0123456789abcdef"
ORIGIN = f"catatan/{INSTANCE}"
SIGNER = NoteSigner(ORIGIN, Kind.LOG, b"\x07" * 32)
NEXT = NoteSigner(ORIGIN, Kind.LOG, b"\x08" * 32)
"""The key that follows when the first one is replaced."""

WITNESS = NoteSigner("saksi.example/1", Kind.WITNESS, b"\x09" * 32)
ALIEN = NoteSigner(f"catatan/{'f' * 32}", Kind.LOG, b"\x0a" * 32)
VKEY = SIGNER.key.to_text()

TICKET = ticket.make(b"contoh tiket")
REPORT = canonical.encode({"narrative": "Contoh: dana “desa” dipakai sendiri.", "position": "lain"})
KEY = hashlib.sha256(b"contoh kunci").digest()
SIZE, INDEX = 11, 6


def statement(**changes: Any) -> dict[str, Any]:
    """What the leaf of a submission says; a field that is changed to ``...`` is left out."""
    said = {
        "v": 1,
        "instance": INSTANCE,
        "event": "submit",
        "actor": "a" * 32,
        "case": "c" * 32,
        "day": "2026-11-23",
        "log": "1" * 64,
        "objects": ["2" * 64, "3" * 64],
        "role": "reporter",
        "items": 4,
        "seq": 0,
        "prev": None,
        "first": None,
        "ticket": TICKET,
        "commitment": commitment.commit(KEY, REPORT).hex(),
        "salt": "4" * 32,
    } | changes
    return {name: value for name, value in said.items() if value is not ...}


def body(**changes: Any) -> bytes:
    return canonical.encode(statement(**changes))


def node_of(leaves: Sequence[bytes]) -> merkle.NodeAt:
    def node_at(level: int, index: int) -> bytes:
        if level == 0:
            return merkle.leaf_hash(leaves[index])
        return merkle.node_hash(node_at(level - 1, 2 * index), node_at(level - 1, 2 * index + 1))

    return node_at


def made(
    leaf: bytes | None = None,
    index: int = INDEX,
    size: int = SIZE,
    signers: Sequence[NoteSigner] = (SIGNER,),
    origin: str = ORIGIN,
) -> TlogProof:
    """A proof that is right in itself, whatever its leaf says."""
    leaf = body() if leaf is None else leaf
    leaves = [leaf if place == index else b"leaf %d" % place for place in range(size)]
    node_at = node_of(leaves)
    head = Checkpoint(origin, size, merkle.root(node_at, size))
    path = tuple(merkle.prove_inclusion(node_at, index, size))
    return TlogProof(index, path, head.sign(signers), leaf)


def receipt() -> str:
    one = made()
    return proof.make(one.extra, one.index, one.path, one.signed)


@dataclass(frozen=True)
class Attempt:
    """What somebody gives: the file, the public keys, perhaps text and key of the report."""

    name: str
    verdict: str
    file: bytes
    keys: str = VKEY
    text: bytes | None = None
    key: str = ""


VERDICTS: dict[type[CryptoError], str] = {
    proof.TooLarge: "large",
    proof.Damaged: "file",
    proof.UnknownSigner: "signer",
    proof.Forged: "forged",
    proof.NotInTree: "tree",
    proof.NotASubmission: "event",
    proof.OtherText: "text",
    proof.BadKey: "key",
    proof.BadLogKeys: "keys",
}
"""How the page names what went wrong."""


def verdict(attempt: Attempt) -> str:
    """What Python says of it, in the page's word."""
    try:
        keys = proof.log_keys_of(attempt.keys)
        key = proof.key_of(attempt.key) if attempt.key else b""
        found = proof.read(proof.text_of(attempt.file), keys)
        if attempt.text is None:
            return "good"
        proof.check_text(found, attempt.text, key)
    except CryptoError as refused:
        return VERDICTS[type(refused)]
    return "whole"
