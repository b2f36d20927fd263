"""Who else has signed what was published: witnesses, what they are asked, and who is silent.

A witness cosigns a checkpoint that only adds to the ones before (c2sp.org/tlog-witness). It sees
a name, a size and a hash, nothing more. Which witnesses count is the configuration's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from casework.errors import NotFound
from casework.log import keys, tree
from casework.log.checkpoints import note_of
from casework.log.clock import HOUR_SECONDS
from casework.log.tables import CheckpointRow
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.note import Kind, SignedNote
from crypto.witness_request import AddCheckpoint, cosignatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement

    from casework.store.unit import UnitOfWork
    from crypto.note import NoteKey, Signature

SILENT_ASKED: Final = timedelta(days=2)
"""After how long a witness that is asked over the network counts as silent."""

SILENT_BY_FILE: Final = timedelta(days=14)
"""After how long a witness that is reached by file counts as silent."""

AHEAD: Final = timedelta(days=1)
"""How far ahead of the office's clock a witness's clock may be before its signature counts."""


class MoreThanPublished(Malformed):
    """A witness says that it has signed a larger tree than any that was published here."""


@dataclass(frozen=True)
class Witness:
    """One witness of this log; without ``url`` it is reached by file."""

    key: NoteKey
    url: str = ""


@dataclass(frozen=True)
class Witnessed:
    """What one witness has signed: the newest size, and when by its own clock, if anything.

    ``current``: it has signed the checkpoint published last. ``silent``: it has signed before,
    but nothing for too long.
    """

    name: str
    by_file: bool
    size: int
    moment: datetime | None
    current: bool
    silent: bool

    @property
    def never(self) -> bool:
        """Whether it has signed nothing yet; perhaps it was added a minute ago."""
        return self.moment is None


@dataclass(frozen=True)
class Standing:
    """The checkpoint published last, when its period began, and what each witness has signed."""

    size: int
    published: datetime | None
    witnesses: tuple[Witnessed, ...]

    @property
    def cosigned(self) -> int:
        """How many witnesses have signed the checkpoint published last."""
        return sum(one.current for one in self.witnesses)

    @property
    def witnessed(self) -> bool:
        """Whether anybody outside has ever signed anything of this log."""
        return any(not one.never for one in self.witnesses)

    @property
    def silent(self) -> tuple[Witnessed, ...]:
        """Those who have signed before, but nothing for too long."""
        return tuple(one for one in self.witnesses if one.silent)

    @property
    def never(self) -> tuple[Witnessed, ...]:
        """Those who have signed nothing yet."""
        return tuple(one for one in self.witnesses if one.never)


def standing(uow: UnitOfWork) -> Standing:
    """Return who has signed what; each signature that counts is verified."""
    newest = next(_rows(uow), None)
    return Standing(
        size=newest.size if newest else 0,
        published=datetime.fromtimestamp(newest.hour * HOUR_SECONDS, UTC) if newest else None,
        witnesses=tuple(_witnessed(uow, one, newest) for one in uow.office.witnesses),
    )


def names(uow: UnitOfWork, note: SignedNote) -> tuple[str, ...]:
    """Return which known witnesses have signed a note; each signature that counts is verified."""
    now, known = uow.now(), (one.key for one in uow.office.witnesses)
    return tuple(key.name for key in known if _moment(note, key, now) is not None)


def request(uow: UnitOfWork, witness: Witness, old: int | None = None) -> AddCheckpoint | None:
    """Return what to ask a witness, or ``None`` if it has signed the newest checkpoint already.

    ``old``: the size that it says it has signed, where that is not the one known here.

    Raises:
        NotFound: nothing is published yet.
        TreeDamaged, CheckpointDamaged: a node is gone, or what was published cannot be read.
        MoreThanPublished: ``old`` is larger than the checkpoint.
    """
    newest = next(_rows(uow), None)
    if newest is None:
        raise NotFound("checkpoint")
    if old is None:
        old, _ = _last(uow, witness.key)
        if old == newest.size:
            return None
    if old > newest.size:
        raise MoreThanPublished("a witness has signed more than was published")
    proof = tree.prove_consistency(uow.session, old, newest.size) if 0 < old < newest.size else []
    note = note_of(newest)
    own = {(key.name, key.key_id) for key in keys.load(uow).all}
    ours = tuple(one for one in note.signatures if (one.name, one.key_id) in own)
    return AddCheckpoint(old, tuple(proof), SignedNote(note.text, ours))


def accept(uow: UnitOfWork, answer: bytes, signed: SignedNote | None = None) -> int:
    """Keep the cosignatures of an answer under the checkpoint that they fit; return its size.

    ``signed``: what was asked about; without it, every published checkpoint is tried. Lines of
    unknown witnesses are dropped, and those whose time cannot be: 0, or more than a day ahead.

    Raises:
        Malformed, LimitExceeded: the answer is not one of signature lines.
        Tampered: no line is a cosignature by a known witness of anything published here.
    """
    now, known = uow.now(), [one.key for one in uow.office.witnesses]
    for row in _rows(uow):
        note = note_of(row)
        if signed is not None and signed.text != note.text:
            continue
        try:
            found = SignedNote(note.text, cosignatures(answer, note, known))
        except Tampered:
            continue
        timely = {(key.name, key.key_id) for key in known if _moment(found, key, now) is not None}
        lines = tuple(one for one in found.signatures if (one.name, one.key_id) in timely)
        if not lines:
            continue
        row.signed = _with(note, lines).to_text()
        uow.session.flush()
        return row.size
    raise Tampered("no known witness has signed anything published here")


def _with(note: SignedNote, lines: tuple[Signature, ...]) -> SignedNote:
    """Return a note with these lines in the place of older ones by the same keys."""
    fresh = {(one.name, one.key_id) for one in lines}
    kept = [one for one in note.signatures if (one.name, one.key_id) not in fresh]
    return SignedNote(note.text, (*kept, *lines))


def _witnessed(uow: UnitOfWork, witness: Witness, newest: CheckpointRow | None) -> Witnessed:
    size, moment = _last(uow, witness.key)
    patience = SILENT_ASKED if witness.url else SILENT_BY_FILE
    return Witnessed(
        name=witness.key.name,
        by_file=not witness.url,
        size=size,
        moment=moment,
        current=newest is not None and size == newest.size,
        silent=moment is not None and uow.now() - moment > patience,
    )


def _last(uow: UnitOfWork, key: NoteKey) -> tuple[int, datetime | None]:
    """Return size and moment of the newest checkpoint that a witness has signed, 0 and None."""
    now = uow.now()
    for row in _rows(uow, CheckpointRow.signed.contains(f" {key.name} ", autoescape=True)):
        moment = _moment(note_of(row), key, now)
        if moment is not None:
            return row.size, moment
    return 0, None


def _moment(note: SignedNote, key: NoteKey, now: datetime) -> datetime | None:
    """Return when a witness has signed a note, by its own clock; ``None`` if nothing counts.

    A time that cannot be is no signature: it would say for ever that the witness is there, or be
    beyond what a calendar holds (a clock that counts milliseconds is enough).
    """
    for one in note.signatures:
        if key.kind is Kind.WITNESS and (one.name, one.key_id) == (key.name, key.key_id):
            try:
                stated = key.check(note.text.encode(), one.data)
            except CryptoError:
                return None
            timely = 0 < stated <= (now + AHEAD).timestamp()
            return datetime.fromtimestamp(stated, UTC) if timely else None
    return None


def _rows(uow: UnitOfWork, *only: ColumnElement[bool]) -> Iterator[CheckpointRow]:
    """Yield what was published, the newest first."""
    query = select(CheckpointRow).where(*only).order_by(CheckpointRow.hour.desc())
    yield from uow.session.scalars(query.execution_options(yield_per=64))
