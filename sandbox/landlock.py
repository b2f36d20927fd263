"""Files that the confined process gives up (Landlock, Linux 5.13 and later); cannot be undone.

It also ends what processes of one user can do to each other: read memory, trace and, since Linux
6.12, send signals.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION: Final = 1
_BENEATH: Final = 1

_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_RIGHTS: Final = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which version on how many rights to files are known; linux/landlock.h."""

_NETWORK_SINCE, _NETWORK = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11

_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def version() -> int:
    """Return what this kernel knows of Landlock; 0 if it has none, or none that is turned on."""
    return max(0, _call(_CREATE, None, ctypes.c_size_t(0), _ASK_VERSION))


def give_up(readable: Iterable[str]) -> bool:
    """Let this process, and all that it starts, open nothing but what lies in ``readable``.

    Nothing there can be written; of devices, those without contents stay. What is open stays
    open, files that lie in memory alone can be opened, and whether a path exists can be asked.
    Returns whether it worked. Call after ``PR_SET_NO_NEW_PRIVS``.
    """
    known = version()
    if not known:
        return False
    rights = (1 << max(count for since, count in _RIGHTS if since <= known)) - 1
    network = _NETWORK if known >= _NETWORK_SINCE else 0
    scopes = _SCOPES if known >= _SCOPES_SINCE else 0
    asked = struct.pack("QQQ", rights, network, scopes)
    rules = _call(_CREATE, asked, ctypes.c_size_t(len(asked)), 0)
    if rules < 0:
        return False
    try:
        for name in readable:
            _allow(rules, name, _READ | _EXECUTE)
        for name in _DEVICES:
            _allow(rules, name, _READ | _WRITE)
        return _call(_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def _allow(rules: int, name: str, rights: int) -> None:
    """Allow what can be allowed on a place; what is not there needs no leave."""
    try:
        place = os.open(name, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        wanted = rights | _LIST if Path(name).is_dir() else rights
        _call(_ADD, rules, _BENEATH, struct.pack("=Qi", wanted, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    words = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    call = ctypes.CDLL(None).syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *words))
