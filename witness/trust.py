"""How far each key of a log is trusted, and what a hand-over or a distrust changes in that.

A key that was handed over signs alone only what the tree held by then: no checkpoint of a larger
tree is right, since the leaf that names the next key is already in it. One that is distrusted
signs nothing alone any more; what was cosigned under it stays readable by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from crypto import checkpoint, handover, note
from crypto.errors import CryptoError, Malformed, Tampered
from crypto.handover import Handover
from crypto.note import NoteKey, SignedNote
from witness.refusals import KeyRetired, LastKey, NotAHandover, NotSigned

if TYPE_CHECKING:
    from collections.abc import Sequence

Keys = Mapping[NoteKey, int | None]
"""All keys of one log, the first one trusted first, each with its end.

The end is the size from which on a key counts no more: ``None`` if it counts always, 0 if it is
distrusted.
"""

DISTRUSTED: Final = 0
_BLANK: Final = "\n\n"


def to_text(keys: Keys) -> str:
    """Return a line for each key, its end after a space if it has one."""
    lines = (key.to_text() + ("" if end is None else f" {end}") for key, end in keys.items())
    return "".join(f"{line}\n" for line in lines)


def from_text(text: str) -> Keys:
    """Read what :func:`to_text` wrote. Raises: Malformed: it is none."""
    found: dict[NoteKey, int | None] = {}
    for line in text.splitlines():
        vkey, space, end = line.partition(" ")
        found[NoteKey.from_text(vkey)] = checkpoint.number(end) if space else None
    if to_text(found) != text:
        raise Malformed("keys: not written as they are")
    return found


def at(keys: Keys, size: int) -> tuple[NoteKey, ...]:
    """Return the keys that may sign a tree of ``size`` leaves alone."""
    return tuple(key for key, end in keys.items() if end is None or size < end)


def log_signatures(signed: SignedNote, size: int, keys: Keys) -> SignedNote:
    """Return a checkpoint of ``size`` leaves with the signatures alone of keys that count.

    Raises:
        NotSigned: none of the keys has signed it, or a signature in their name is wrong.
        KeyRetired: only those have that count no more.
    """
    counting = at(keys, size)
    if not _is_signed(signed, counting):
        raise KeyRetired if _is_signed(signed, tuple(keys)) else NotSigned
    wanted = {(key.name, key.key_id) for key in counting}
    kept = (one for one in signed.signatures if (one.name, one.key_id) in wanted)
    return SignedNote(signed.text, tuple(dict.fromkeys(kept)))


def without(keys: Keys, key: NoteKey) -> Keys:
    """Return the keys with one of them distrusted. Raises: LastKey: no other counts always."""
    left = {**keys, key: DISTRUSTED}
    if None not in left.values():
        raise LastKey
    return left


def followed(keys: Keys, said: Sequence[Handover]) -> Keys:
    """Return the keys after hand-overs whose signatures were verified, the oldest first.

    Those of a time before the first key trusted here are passed over; those that were followed
    before change nothing.

    Raises:
        NotSigned: the last one does not go on from a trusted key.
        KeyRetired: the last one is by a key that was handed over or distrusted itself, or names
            one that is distrusted.
    """
    found = dict(keys)
    for one in said:
        if one.old is None or found.get(one.old, DISTRUSTED) is not None:
            continue
        # A known key that counts no more does not follow: the log would be left without any.
        if found.setdefault(one.new, None) is None:
            found[one.old] = one.size + 1
    last = said[-1]
    if last.new not in found:
        raise KeyRetired if last.old in found else NotSigned
    if found[last.new] == DISTRUSTED:
        raise KeyRetired
    return found


def notes(raw: bytes) -> tuple[SignedNote, ...]:
    """Return the notes of a file: one, or several with an empty line after each but the last.

    So a log publishes them. Nothing of them is verified yet.

    Raises:
        NotAHandover: it holds something else, or more than 256 KiB.
    """
    if len(raw) > note.MAX_SIZE:
        raise NotAHandover
    try:
        # Neither a hand-over nor the signatures under it hold an empty line.
        parts = raw.decode().removesuffix("\n").split(_BLANK)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return tuple(SignedNote.from_text(f"{text}{_BLANK}{by}\n") for text, by in pairs)
    except (CryptoError, ValueError):
        raise NotAHandover from None


def handovers(signed: Sequence[SignedNote]) -> tuple[Handover, ...]:
    """Return what notes of one log say, once every key that one names has signed it.

    Raises:
        NotAHandover: one is no hand-over, they are of several logs, or the last one is only that
            of a first key.
        NotSigned: a key that one names has not signed it.
    """
    try:
        said = tuple(Handover.from_text(one.text) for one in signed)
    except CryptoError as error:
        raise NotAHandover from error
    if len({one.new.name for one in said}) != 1 or said[-1].old is None:
        raise NotAHandover
    try:
        return tuple(handover.of(one) for one in signed)
    except CryptoError as error:
        raise NotSigned from error


def _is_signed(signed: SignedNote, keys: tuple[NoteKey, ...]) -> bool:
    try:
        checkpoint.of(signed, keys)
    except (Tampered, Malformed):
        return False
    return True
