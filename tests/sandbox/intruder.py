"""What a file's author could do who has taken over the confined process: code to run in it."""

from collections.abc import Iterable

import pytest

from sandbox.contract import Failed, FileKind, Task
from sandbox.jail import Bounds, Jail

SHUT_IN = "from sandbox.worker import shut_in; shut_in(sys.argv[1:])"
SAY = """
import ctypes, json, os, sys
def say(data=b'', **header):
    head = json.dumps(header).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, 'big') + head + data)
    sys.stdout.buffer.flush()
def call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    answer = getattr(libc, name)(*arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), name)
    return answer
def works(attack):
    try:
        exec(attack, globals())
    except (OSError, MemoryError):
        return False
    return True
"""

TEXT = (Task.TEXT, FileKind.TEXT)
FILM = (Task.CLEAN, FileKind.MP4)
"""The one kind of task that starts programs, and is allowed more for it."""

DONE, REFUSED = "damaged", "unsupported"
"""How a task ends in which something was tried, in words that every task may use."""


def walled() -> Jail:
    """The jail behind bubblewrap; skips the test where there is none."""
    found = Jail.find()
    if not found.confined:
        pytest.skip(
            "bubblewrap is not installed or may not be used (Debian: apt install bubblewrap)"
        )
    return found


def guarded() -> Jail:
    """The jail without bubblewrap; skips the test where the kernel guards nothing by itself."""
    found = Jail()
    if not found.guarded:
        pytest.skip("this kernel has no Landlock (Linux 5.13 and later, turned on)")
    return found


def taken_over(jail: Jail, code: str, bounds: Bounds | None = None) -> Jail:
    """A jail whose process does what the file's author wants, once it has shut itself in."""
    return Jail(jail.bwrap, bounds or jail.bounds, f"{SHUT_IN}{SAY}{code}")


def walls_alone(jail: Jail, code: str) -> Jail:
    """A jail whose process has not shut itself in, and does what the file's author wants."""
    return Jail(jail.bwrap, jail.bounds, f"pass{SAY}{code}")


def outcome(jail: Jail, asked: tuple[Task, FileKind] = TEXT) -> str:
    """What such a process could tell: its text, or why there is none."""
    task, kind = asked
    try:
        return jail.run(task, [b"x"], kind=kind).data.decode()
    except Failed as failed:
        return failed.reason.value


def tries(attack: str) -> str:
    """Code that tries something and says whether it worked."""
    return f"say(failure={DONE!r} if works({attack!r}) else {REFUSED!r})"


def tries_all(attacks: Iterable[str]) -> str:
    """Code that tries one thing after another and says which worked, one a line."""
    return f"say('\\n'.join(filter(works, {list(attacks)!r})).encode(), kind='text')"
