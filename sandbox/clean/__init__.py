"""Copies without traces: what can be seen and heard stays, what tells of its maker goes.

The copy is what officers look at and pass on; the original stays sealed. What each cleaner cannot
remove stands in its first lines, because people will be told.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from sandbox.contract import (
    AUDIO,
    IMAGES,
    INPUT_LIMIT,
    PACKAGES,
    VIDEO,
    Failed,
    Failure,
    FileKind,
)

Cleaner = Callable[[bytes, FileKind], tuple[FileKind, bytes]]

_OPEN: Final = frozenset({FileKind.ODT, FileKind.ODS, FileKind.ODP})
_MODULES: Final[Mapping[FileKind, str]] = {
    **dict.fromkeys(IMAGES, "images"),
    FileKind.PDF: "pdf",
    **dict.fromkeys(PACKAGES - _OPEN, "office"),
    **dict.fromkeys(_OPEN, "opendocument"),
    **dict.fromkeys(VIDEO | AUDIO, "media"),
    FileKind.TEXT: "text",
    FileKind.CSV: "text",
}


def clean(data: bytes, kind: FileKind) -> tuple[FileKind, bytes]:
    """Return a copy of ``data`` without traces, and its kind, which may be another one.

    Raises:
        Failed: UNSUPPORTED for kinds that cannot be cleaned here, and for encrypted files; DAMAGED
            if the file is not what ``kind`` says, or broken; TOO_LARGE if it, or what it unpacks
            to, is too large; TIMEOUT if a program that was called took too long.
    """
    if kind not in _MODULES:
        raise Failed(Failure.UNSUPPORTED)
    if len(data) > INPUT_LIMIT:
        raise Failed(Failure.TOO_LARGE)
    # Each kind needs another large library, and a process cleans one file: it loads one of them.
    cleaner: Cleaner = import_module(f"{__name__}.{_MODULES[kind]}").clean
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries, about the file
            return cleaner(data, kind)
    except Failed:
        raise
    except MemoryError:
        raise Failed(Failure.TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - parsers of others raise anything, and quote the file
        raise Failed(Failure.DAMAGED) from None
