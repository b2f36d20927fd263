"""What others hold of the log: signed checkpoints, receipts, and the history of a witness.

Whoever writes the database can rewrite the whole log, and has the key that signs it. They cannot
change what has left the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Final

from casework.audit.findings import Finding, What
from crypto import merkle, note, tlog_proof
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.note import Kind, NoteKey, SignedNote
from crypto.tlog_proof import TlogProof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from casework.audit.findings import Findings
    from casework.log.keys import LogKeys

MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of the largest file that is read: some hundred thousand checkpoints."""

HISTORY, CONFLICTS, LOGS = "history", "conflicts", "logs"
_SIZE: Final = re.compile(r"[0-9]{20}", re.ASCII)
_EVIDENCE: Final = re.compile(r"[0-9]{20}-[0-9a-f]+\.fork", re.ASCII)
_DASH: Final = "— "


class NotEvidence(Malformed):
    """A file that was given holds neither checkpoint nor receipt; the message is its name."""


class NotWitnessKeys(Malformed):
    """What was given holds no public key of a witness, or a line that is none."""


@dataclass(frozen=True)
class Evidence:
    """A signed tree that somebody holds, and where it was read; of a receipt, its proof, too."""

    name: str
    note: SignedNote
    said: Checkpoint
    proof: TlogProof | None = None


def read(path: Path, origin: str) -> list[Evidence]:
    """Return what a file or a witness's folder holds of the log of this origin; checks nothing.

    Of a witness's folder, and of what lies in it, only what concerns this log is read.

    Raises:
        NotEvidence: there is nothing of the kind, or a file is damaged.
    """
    files = _files(path, origin) if path.is_dir() else [path]
    if not files:
        raise NotEvidence(str(path))
    return [one for file in files for one in _read(file)]


def witness_keys(text: str) -> tuple[NoteKey, ...]:
    """Return the keys of witnesses: one a line; empty lines and those with ``#`` are skipped.

    Raises:
        NotWitnessKeys: a line is no key of a witness, or there is none at all.
    """
    lines = [line.strip() for line in text.split("\n")]
    try:
        found = tuple(NoteKey.from_text(line) for line in lines if line and line[0] != "#")
    except (Malformed, UnicodeEncodeError):
        raise NotWitnessKeys("a line is no key") from None
    if not found or any(key.kind is not Kind.WITNESS for key in found):
        raise NotWitnessKeys("not of a witness")
    return found


def judged(
    evidence: Sequence[Evidence], known: LogKeys, origin: str, findings: Findings
) -> list[Evidence]:
    """Return what a key of this log has signed that counts at its size; tell of the rest."""
    found = []
    for one in evidence:
        counting = known.of_size(one.said.size)
        own = {(key.name, key.key_id) for key in counting}
        if one.said.origin != origin:
            findings.add(Finding(What.OUTSIDE_OTHER, name=one.name))
        elif not any((sign.name, sign.key_id) in own for sign in one.note.signatures):
            findings.add(Finding(What.OUTSIDE_KEY, name=one.name))
        elif not _is_signed(one, counting):
            findings.add(Finding(What.OUTSIDE_FORGED, name=one.name))
        elif not _is_included(one):
            findings.add(Finding(What.RECEIPT_WRONG, name=one.name))
        else:
            found.append(one)
    return found


def compare(
    evidence: Sequence[Evidence],
    roots: Mapping[int, bytes | None],
    places: Mapping[int, bytes | None],
    size: int,
    findings: Findings,
) -> list[Evidence]:
    """Compare with the tree of ``size`` leaves; return what it agrees with."""
    found: list[Evidence] = []
    told: dict[int, bytes] = {}
    for one in evidence:
        other = told.setdefault(one.said.size, one.said.root)
        if one.said.root != (other if one.said.size > size else roots.get(one.said.size)):
            findings.add(Finding(What.OUTSIDE_DIFFERS, name=f"{one.name}, size {one.said.size}"))
        elif one.said.size > size:
            findings.add(Finding(What.OUTSIDE_BEYOND, name=f"{one.name}, size {one.said.size}"))
        else:
            found.append(one)
        if one.proof is not None and one.proof.index < size:
            at = one.proof.index
            if places.get(at) != merkle.leaf_hash(one.proof.extra):
                findings.add(Finding(What.RECEIPT_DIFFERS, leaf=at, name=one.name))
    return found


def cosigned(
    notes: Iterator[tuple[str, int, SignedNote]], witnesses: Sequence[NoteKey], findings: Findings
) -> dict[str, int]:
    """Return the largest size that each witness has cosigned among notes that are right."""
    largest = dict.fromkeys((key.name for key in witnesses), 0)
    known = {(key.name, key.key_id) for key in witnesses}
    for name, size, signed in notes:
        for one in signed.signatures:
            if (one.name, one.key_id) not in known:
                continue  # by nobody known, or by an older key of a witness
            if _fits(one, signed, witnesses):
                largest[one.name] = max(largest[one.name], size)
            else:
                place = f"{name}, witness {one.name}"
                findings.add(Finding(What.COSIGNATURE_WRONG, name=place))
    return largest


def _fits(one: note.Signature, signed: SignedNote, witnesses: Sequence[NoteKey]) -> bool:
    for key in witnesses:
        if (key.name, key.key_id) == (one.name, one.key_id):
            try:
                key.check(signed.text.encode(), one.data)
            except CryptoError:
                continue
            return True
    return False


def _is_signed(one: Evidence, known: Sequence[NoteKey]) -> bool:
    try:
        one.note.verify(known)
    except CryptoError:
        return False
    return True


def _is_included(one: Evidence) -> bool:
    proof = one.proof
    if proof is None:
        return True
    digest = merkle.leaf_hash(proof.extra)
    try:
        merkle.check_inclusion(digest, proof.index, one.said.size, proof.path, one.said.root)
    except (Tampered, Malformed):
        return False
    return True


def _files(folder: Path, origin: str) -> list[Path]:
    """Return the checkpoints that a witness's folder keeps of a log, and its proofs of a fork."""
    mine = sha256(origin.encode()).hexdigest()
    for one in (folder / LOGS / mine, folder / mine, folder):
        if (one / HISTORY).is_dir():
            folder = one
            break
    history = folder / HISTORY if (folder / HISTORY).is_dir() else folder
    found = [path for path in history.iterdir() if _SIZE.fullmatch(path.name)]
    if (folder / CONFLICTS).is_dir():
        found += [one for one in (folder / CONFLICTS).iterdir() if _EVIDENCE.fullmatch(one.name)]
    return sorted(found)


def _read(path: Path) -> Iterator[Evidence]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SIZE + 1)
        if len(raw) > MAX_SIZE:
            raise NotEvidence(str(path))
        text = raw.decode()
        if text.startswith(tlog_proof.FIRST_LINE):
            proof = TlogProof.from_text(text)
            if not proof.extra:
                raise NotEvidence(str(path))
            said = Checkpoint.from_text(proof.signed.text)
            yield Evidence(path.name, proof.signed, said, proof)
            return
        for one in _notes(text):
            signed = SignedNote.from_text(one)
            yield Evidence(path.name, signed, Checkpoint.from_text(signed.text))
    except (OSError, UnicodeDecodeError, CryptoError):
        raise NotEvidence(str(path)) from None


def _notes(text: str) -> Iterator[str]:
    """Yield each signed note of several: signature lines end one, empty lines may follow it.

    Raises:
        Malformed: there is none.
    """
    parts = [
        (signed, "".join(lines))
        for signed, lines in groupby(text.splitlines(keepends=True), _is_signature)
    ]
    if not parts or parts[0][0]:
        raise Malformed("no note")
    for at in range(0, len(parts), 2):
        head = parts[at][1].lstrip("\n") if at else parts[at][1]
        if at + 1 < len(parts):
            yield head + parts[at + 1][1]
        elif head:
            raise Malformed("something after the last note")


def _is_signature(line: str) -> bool:
    return line.startswith(_DASH)
