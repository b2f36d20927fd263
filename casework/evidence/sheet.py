"""The chain of custody of a case's files: what came when, unchanged since, and who looked at it.

Everything is read from signed items and proven leaves; whoever prints it can be asked for the
log behind each line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from casework.case import custody
from casework.evidence.examine import CLEAN, FILE, FORM
from casework.evidence.files import files
from casework.evidence.manifest import parts_digest

if TYPE_CHECKING:
    from casework.case.keyring import Keyring
    from casework.evidence.files import File

EXAMINED = "examined"


@dataclass(frozen=True)
class Look:
    """Somebody dealt with a file on a day: ``form`` as in :mod:`casework.evidence.examine`."""

    day: date
    person: str
    form: str


@dataclass(frozen=True)
class Line:
    """One file with its hash as sealed (hex), its leaf, and everybody who dealt with it since."""

    file: File
    sealed: str
    looks: tuple[Look, ...]


def sheet(keyring: Keyring) -> list[Line]:
    """Return a line for every file that the actor holds the key to, oldest first."""
    return [Line(one, _sealed(one), looks(keyring, one.item_id)) for one in files(keyring)]


def looks(keyring: Keyring, file_id: str) -> tuple[Look, ...]:
    """Return who dealt with a file, in order of time; the same on one day counts once."""
    found = dict.fromkeys(
        Look(date.fromisoformat(body["day"]), body["actor"], _form(body))
        for body in keyring.past().bodies.values()
        if body is not None
        and body["event"] in (custody.EXAMINED, custody.FILE_OPENED)
        and body.get(FILE) == file_id
    )
    return tuple(found)


def _form(body: dict[str, object]) -> str:
    return EXAMINED if body["event"] == custody.EXAMINED else str(body.get(FORM, CLEAN))


def _sealed(file: File) -> str:
    if file.manifest is None:
        return ""
    return parts_digest(bytes.fromhex(part.digest) for part in file.manifest.parts)
