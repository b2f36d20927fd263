"""A process that a file has taken over reaches nothing: not the disk, the network, or the portal.

Each attack is tried behind bubblewrap alone, and where the process has shut itself in alone.
"""

import os
import platform
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import calls, places
from sandbox.jail import Jail
from tests.sandbox.intruder import (
    DONE,
    FILM,
    REFUSED,
    guarded,
    outcome,
    taken_over,
    tries,
    tries_all,
    walled,
    walls_alone,
)

ME = os.getpid()
PACKAGE = Path(places.__file__).parent
OWN = str(PACKAGE / "places.py")

Attack = Callable[[str], Jail]


@pytest.fixture(params=["bubblewrap alone", "by itself alone"])
def attack(request: pytest.FixtureRequest) -> Attack:
    if request.param == "by itself alone":
        return lambda code: taken_over(guarded(), code)
    return lambda code: walls_alone(walled(), code)


@pytest.fixture
def portal() -> Iterator[tuple[int, str]]:
    """The port and the name of something that listens on this machine."""
    name = f"suaka-test-{ME}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"\0{name}")
        unix.listen()
        yield tcp.getsockname()[1], name


def test_it_reads_nothing_but_programs(attack: Attack, tmp_path: Path) -> None:
    secret = tmp_path / "pepper"
    secret.write_text("kanari")
    reads = [
        *(f"open({str(path)!r}, 'rb').read()" for path in (secret, __file__, "/etc/passwd")),
        *(f"os.listdir({str(path)!r})" for path in (tmp_path, PACKAGE.parent / "tests", "/home")),
        *(f"open('/proc/{ME}/{name}', 'rb').read(1)" for name in ("environ", "maps")),
        f"open('/proc/{ME}/mem', 'r+b')",
        f"os.listdir('/proc/{ME}/fd')",
        f"os.stat('/proc/{ME}/cwd/.')",
    ]
    allowed = f"open({OWN!r}).read()"
    assert outcome(attack(tries_all([*reads, allowed]))) == allowed


def test_it_writes_nothing(attack: Attack, tmp_path: Path) -> None:
    folders = ["/", "/tmp", "/usr", "/dev", "/dev/shm", "/proc/self", str(PACKAGE), str(tmp_path)]
    writes = [
        *(f"open({folder!r} + '/left behind', 'w')" for folder in folders),
        *(f"os.mkdir({folder!r} + '/left behind')" for folder in folders),
        f"open({OWN!r}, 'r+')",
        "open('/usr/bin/env', 'r+')",
    ]
    allowed = "open('/dev/null', 'w').write('x')"
    assert outcome(attack(tries_all([*writes, allowed]))) == allowed


def test_it_reaches_no_network_and_no_process(attack: Attack, portal: tuple[int, str]) -> None:
    port, name = portal
    reaches = [
        f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)",
        f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')",
        f"os.kill({ME}, 0)",
        f"os.kill({os.getppid()}, 0)",
        f"call('ptrace', 0x4206, {ME}, 0, 0)",
        f"call('syscall', 434, {ME}, 0)",
        f"import resource; resource.prlimit({ME}, resource.RLIMIT_CPU)",
        f"os.sched_getaffinity({ME}) and os.killpg({os.getpgid(ME)}, 0)",
    ]
    allowed = "os.kill(os.getpid(), 0)"
    assert outcome(attack(tries_all([*reaches, allowed]))) == allowed


CLONE = calls._MACHINES[platform.machine()].numbers["clone"]
OUTWARD = [
    "import socket; socket.socket()",
    "import socket; socket.socket(socket.AF_UNIX)",
    "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "import socket; socket.socketpair()",
    "call('syscall', 425, 1, bytes(120))",
    "call('ptrace', 0, 0, 0, 0)",
    "call('unshare', 0x10000000)",
    f"call('syscall', {CLONE}, 0x10000000, None, None, None, None) or os._exit(0)",
    "call('personality', 0)",
    "call('shmget', 0, 4096, 0o1600)",
    "call('msgget', 0, 0o1600)",
    "call('inotify_init1', 0)",
]
PROGRAMS = [
    "os.fork() or os._exit(0)",
    "import subprocess; subprocess.run(['/usr/bin/true'], check=True)",
    "os.memfd_create('x')",
]


def test_it_can_make_no_call_that_leads_outward() -> None:
    allowed = "import threading; t = threading.Thread(target=len, args=('',)); t.start(); t.join()"
    attacks = [*OUTWARD, *PROGRAMS, "os.execv('/usr/bin/true', ['true'])", allowed]
    assert outcome(taken_over(guarded(), tries_all(attacks))) == allowed


def test_who_starts_programs_may_do_that_and_no_more() -> None:
    film = guarded()
    for attack in PROGRAMS:
        assert outcome(taken_over(film, tries(attack)), FILM) == DONE
    code = f"say(failure={DONE!r} if any([works(one) for one in {OUTWARD!r}]) else {REFUSED!r})"
    assert outcome(taken_over(film, code), FILM) == REFUSED


@pytest.mark.parametrize("leave", ["os.setsid()", "os.setpgid(0, 0)"])
def test_no_child_leaves_the_group_that_is_ended(leave: str) -> None:
    code = f"""
child = os.fork()
if not child:
    os._exit(works({leave!r}))
left = os.waitpid(child, 0)[1]
say(failure={DONE!r} if left else {REFUSED!r})"""
    assert outcome(taken_over(guarded(), code), FILM) == REFUSED


@pytest.mark.parametrize("find", [guarded, walled])
def test_a_program_that_it_starts_is_shut_in_as_well(find: Callable[[], Jail]) -> None:
    code = f"""
import subprocess
def starts(code):
    python = [sys.executable, '-I', '-S', '-c', code]
    return subprocess.run(python, stderr=subprocess.DEVNULL).returncode == 0
own, other = starts("open({OWN!r})"), starts("open('/etc/passwd')")
say(failure={DONE!r} if own and not other else {REFUSED!r})"""
    assert outcome(taken_over(find(), code), FILM) == DONE


def test_every_call_that_is_refused_has_a_number_on_every_machine() -> None:
    refused = calls._OUTWARD | calls._PROGRAMS | calls._ON_ITSELF | {"clone", "clone3"}
    for name, machine in calls._MACHINES.items():
        missing = refused - machine.numbers.keys()
        assert missing <= ({"fork", "vfork"} if name == "aarch64" else set())
        assert len(set(machine.numbers.values())) == len(machine.numbers)
    assert platform.machine() in calls._MACHINES


def test_what_may_be_read_is_programs_alone() -> None:
    """Of a checkout only this package: data of a demo lie beside it."""
    opened = [Path(name) for name in places.readable()]
    assert PACKAGE in opened
    for path in (PACKAGE.parent / "portal", PACKAGE.parent / "var", Path.home(), Path("/etc")):
        assert not any(path.is_relative_to(place) for place in opened)
    assert not any(one in other.parents for one in opened for other in opened)
