"""System calls that the confined process gives up (seccomp); cannot be undone.

A list of what is refused, not of what is allowed: what Python and the libraries call changes with
each version, and what a file that has taken over the process would want does not. Linux on x86-64
and AArch64; elsewhere nothing is refused.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from typing import Final

_SET_SECCOMP: Final = 22
_FILTER: Final = 2

_LOAD: Final = 0x20  # a word of the call's description
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_AT = 0, 4, 16
"""Where number, machine and first argument (its low half) lie; linux/seccomp.h."""

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_REFUSE: Final = 0x00050000 | 1  # EPERM
_UNKNOWN: Final = 0x00050000 | 38  # ENOSYS
_OTHER_TABLE: Final = 0x40000000
"""Calls of x86-64 by another table (x32), which would pass by this list."""

_NAMESPACES: Final = 0x7E020000
_THREAD: Final = 0x00010000

_OUTWARD: Final = frozenset({
    *("socket", "socketpair", "io_uring_setup"),
    # Other processes: their memory, files and limits.
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_open"),
    *("pidfd_getfd", "kcmp", "tkill", "rt_sigqueueinfo", "pidfd_send_signal"),
    # Memory that outlives the process, and its group, by which it is ended.
    *("shmget", "semget", "msgget", "mq_open", "setsid", "setpgid"),
    # Another view of the disk, and parts of the kernel that nothing here needs.
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount"),
    *("fsopen", "fsmount", "mount_setattr", "bpf", "perf_event_open", "userfaultfd", "add_key"),
    *("request_key", "keyctl", "personality", "fanotify_init", "inotify_init1"),
})  # fmt: skip
_PROGRAMS: Final = frozenset({"fork", "vfork", "execve", "execveat", "memfd_create"})
"""Needed to start a program and give it a file in memory; threads come by ``clone``."""

_ON_ITSELF: Final = frozenset({"kill", "tgkill", "prlimit64"})
"""Calls that name a process: allowed on this one, unless it starts programs."""


@dataclass(frozen=True)
class _Machine:
    """Its name to the kernel (linux/audit.h), and the numbers of its calls."""

    name: int
    numbers: dict[str, int]


_ALIKE: Final = {
    "io_uring_setup": 425, "pidfd_send_signal": 424, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsmount": 432, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442,
}  # fmt: skip
"""Since Linux 5.1, all machines number new calls alike."""

_MACHINES: Final = {
    "x86_64": _Machine(0xC000003E, {
        "shmget": 29, "socket": 41, "socketpair": 53, "clone": 56, "fork": 57, "vfork": 58,
        "execve": 59, "kill": 62, "semget": 64, "msgget": 68, "ptrace": 101, "setpgid": 109,
        "setsid": 112, "rt_sigqueueinfo": 129, "personality": 135, "pivot_root": 155,
        "chroot": 161, "mount": 165, "umount2": 166, "tkill": 200, "tgkill": 234, "mq_open": 240,
        "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "inotify_init1": 294,
        "perf_event_open": 298, "fanotify_init": 300, "prlimit64": 302, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "memfd_create": 319,
        "bpf": 321, "execveat": 322, "userfaultfd": 323, **_ALIKE,
    }),
    "aarch64": _Machine(0xC00000B7, {
        "inotify_init1": 26, "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51,
        "personality": 92, "unshare": 97, "ptrace": 117, "kill": 129, "tkill": 130,
        "tgkill": 131, "rt_sigqueueinfo": 138, "setpgid": 154, "setsid": 157, "mq_open": 180,
        "msgget": 186, "semget": 190, "shmget": 194, "socket": 198, "socketpair": 199,
        "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "execve": 221,
        "perf_event_open": 241, "prlimit64": 261, "fanotify_init": 262, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "memfd_create": 279,
        "bpf": 280, "execveat": 281, "userfaultfd": 282, **_ALIKE,
    }),
}  # fmt: skip


def supported() -> bool:
    """Return whether this machine's calls are known here."""
    return platform.machine() in _MACHINES


def give_up(*, programs: bool) -> bool:
    """Refuse to this process, and all that it starts, what is not needed; say whether it worked.

    ``programs``: whether it may start other programs. Call after ``PR_SET_NO_NEW_PRIVS``, and
    while there is one thread: others would keep their calls.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    code = _filter(machine, programs=programs)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    prctl = ctypes.CDLL(None).prctl
    return bool(prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), program) == 0)


def _filter(machine: _Machine, *, programs: bool) -> bytes:
    """Return the filter in classic BPF: it ends at the first return that a call comes to."""
    code = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, machine.name, over=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, _OTHER_TABLE, otherwise=1),
        _step(_RETURN, _KILL),
    ]
    refused = _OUTWARD if programs else _OUTWARD | _PROGRAMS
    for name in sorted(refused & machine.numbers.keys()):
        code += _call(machine, name, [_step(_RETURN, _REFUSE)])
    # Its flags lie in memory, where no filter sees them: libraries then use clone.
    code += _call(machine, "clone3", [_step(_RETURN, _UNKNOWN)])
    code += _call(machine, "clone", _clone(programs=programs))
    if not programs:
        for name in sorted(_ON_ITSELF):
            code += _call(machine, name, _on_itself())
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _call(machine: _Machine, name: str, then: list[bytes]) -> list[bytes]:
    return [_step(_EQUAL, machine.numbers[name], otherwise=len(then)), *then]


def _clone(*, programs: bool) -> list[bytes]:
    refuse, allow = _step(_RETURN, _REFUSE), _step(_RETURN, _ALLOW)
    flags = [_step(_LOAD, _FIRST_AT), _step(_ANY_BIT, _NAMESPACES, otherwise=1), refuse]
    if programs:
        return [*flags, allow]
    return [*flags, _step(_ANY_BIT, _THREAD, over=1), refuse, allow]


def _on_itself() -> list[bytes]:
    refuse, allow = _step(_RETURN, _REFUSE), _step(_RETURN, _ALLOW)
    own = [_step(_EQUAL, os.getpid(), over=1), _step(_EQUAL, 0, otherwise=1)]
    return [_step(_LOAD, _FIRST_AT), *own, allow, refuse]


def _step(code: int, value: int, *, over: int = 0, otherwise: int = 0) -> bytes:
    """Return one instruction; ``over`` and ``otherwise``: how many to skip if it holds, or not."""
    return struct.pack("HBBI", code, over, otherwise, value)
