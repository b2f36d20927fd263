"""What of the disk the confined process needs: the system's libraries, Python, and this package.

Asked by the portal, which opens these places to the process, and by the process, which closes all
others to itself: both give the same answer.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_SYSTEM: Final = ("/usr", "/bin", "/lib", "/lib64", "/etc/alternatives", "/etc/ld.so.cache")
_PACKAGES: Final = ("PIL", "lxml", "msgspec", "pikepdf", "pillow_heif", "pypdfium2")
"""What this package imports; never imported by asking where it lies."""


@cache
def interpreter() -> str:
    """Return the path of the Python below the virtual environment, if there is one.

    The environment itself is not needed: it may lie in a folder that holds other things, too.
    """
    return str(Path(sys.executable).resolve())


@cache
def packages() -> tuple[str, ...]:
    """Return the folders that the process imports from, this package's own first."""
    found = [str(_own().parent)]
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append(str(Path(spec.origin).resolve().parents[1]))
    return tuple(dict.fromkeys(found))


@cache
def readable() -> tuple[str, ...]:
    """Return the folders and files that the process may read, none inside another.

    Of the folder that this package lies in it is the package alone: in a checkout, anything may
    lie beside it.
    """
    wanted = [
        *(Path(name) for name in _SYSTEM),
        Path(sys.base_prefix).resolve(),
        *(Path(name) for name in packages()[1:]),
        _own(),
    ]
    there = sorted({path.resolve() for path in wanted if path.exists()})
    inner = {path for path in there for other in there if other in path.parents}
    return tuple(str(path) for path in there if path not in inner)


def _own() -> Path:
    return Path(__file__).resolve().parent
