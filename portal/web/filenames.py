"""A sender's file name made safe to keep and to show: no path, nothing invisible, not too long."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 120
"""Characters of the longest name that is kept."""

_LONGEST_EXTENSION: Final = 16
_READ: Final = 16_384
_SEPARATORS: Final = re.compile(r"[/\\]")
_SPACES: Final = re.compile(r"\s+")
# Cc controls, Cf format characters (bidi overrides, zero widths), Cs surrogates, Co private use,
# Cn unassigned, Zl and Zp line ends: none of them may turn, hide or break what is shown.
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_name(raw: str) -> str:
    """Return the last component of a name as it can be shown, at most `LONGEST` characters.

    The extension is kept when a long name is shortened. What leaves nothing over is empty.
    """
    # A browser on another system may send a whole path, and a hostile client anything.
    last = _SEPARATORS.split(raw[-_READ:])[-1]
    spaced = _SPACES.sub(" ", last)
    shown = "".join(one for one in spaced if unicodedata.category(one) not in _DROPPED)
    name = unicodedata.normalize("NFC", shown).strip(" .")
    if len(name) <= LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension) > _LONGEST_EXTENSION:
        return name[:LONGEST]
    return stem[: LONGEST - len(extension) - 1] + "." + extension
