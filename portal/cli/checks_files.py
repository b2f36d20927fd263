"""What ``suaka doctor`` sees from outside: modes, places, space and settings."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from casework.evidence.scan import Scanner
from crypto import kdf
from crypto.kdf import Kdf
from portal import wiring
from portal.cli.findings import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.cli.findings import Finding
    from portal.settings import Settings

GROUP_OR_OTHERS: Final = 0o077
MIB: Final = 1024 * 1024
SPACE_NEEDED: Final = 64 * MIB
"""Bytes free below which a report may fail for want of space."""

SPACE_WANTED: Final = 1024 * MIB
"""Bytes free below which somebody should look."""

SCANNER_SECONDS: Final = 10.0
"""How long each of clamd's answers may take; it may be busy with large files."""


def modes(folder: Path, _settings: Settings) -> Iterator[Finding]:
    """Nothing of the instance may be reached by anybody but its own user."""
    paths = [path for path in (folder, *sorted(folder.rglob("*"))) if not path.is_symlink()]
    looked = [(path, path.stat().st_mode) for path in paths]
    open_to_others = [
        path for path, mode in looked if mode & GROUP_OR_OTHERS and not stat.S_ISSOCK(mode)
    ]
    for path in open_to_others:
        name = path.relative_to(folder)
        yield bad(f"file mode: {name} is open to other users: chmod go-rwx")
    if not open_to_others:
        yield ok("file modes: nothing is open to other users")


def places(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Keys lie apart from what they open, sessions in memory."""
    paths = wiring.Paths(folder)
    data = paths.database.parent.resolve()
    strays = [
        path.name
        for path in (paths.keystore, paths.pepper, paths.log_key)
        if data in path.resolve().parents or (data / path.name).exists()
    ]
    for name in strays:
        yield bad(f"{name} lies in data/: whoever copies the database gets the keys, too")
    if not strays:
        yield ok("keys: apart from the database")
    if (folder / wiring.RUN).exists() and not _is_tmpfs(folder / wiring.RUN):
        text = "run/ is on a disk: exact times of visits stay there: mount a tmpfs"
        yield bad(text) if settings.production else warn(text)


def space(
    folder: Path, _settings: Settings, needed: int = SPACE_NEEDED, wanted: int = SPACE_WANTED
) -> Iterator[Finding]:
    """A full disk refuses reports."""
    free = shutil.disk_usage(folder).free
    text = f"disk: {free // MIB} MiB free"
    if free < needed:
        yield bad(f"{text}, at least {needed // MIB} are needed")
    elif free < wanted:
        yield warn(f"{text}, better {wanted // MIB}")
    else:
        yield ok(text)


def costs(_folder: Path, settings: Settings) -> Iterator[Finding]:
    """Stretching below the floor makes a stolen database worth guessing at."""
    pairs = (
        ("passphrase", settings.costs.passphrase, kdf.PASSPHRASE),
        ("secret_key", settings.costs.secret_key, kdf.SECRET_KEY),
    )
    low = [(name, cost, floor) for name, cost, floor in pairs if _below(cost, floor)]
    for name, cost, floor in low:
        text = f"costs.{name}: {cost} is below the floor {floor.id}"
        yield bad(text) if settings.production else warn(text)
    if not low:
        yield ok("costs: key stretching is at the floor or above")


def web(_folder: Path, settings: Settings) -> Iterator[Finding]:
    """What browsers and reporters are told must be so."""
    if settings.production and not settings.web.tls:
        yield bad("web.tls is off: cookies would travel unprotected in production")
    if settings.production and not settings.web.origins:
        yield warn("web.origins is empty: the Host header decides what is same-origin")
    if not settings.web.no_addresses:
        yield warn("web.no_addresses is off: reporters are not told that no IP is kept")


def scanner(_folder: Path, settings: Settings) -> Iterator[Finding]:
    """A scanner that is configured and silent leaves every file unscanned."""
    if not settings.scan.socket:
        return
    version = Scanner(settings.scan.socket, total=SCANNER_SECONDS).ping()
    if version is None:
        yield bad(
            f"scan: no clamd answers at {settings.scan.socket}, so files are not scanned: is it "
            "running, and may this user open its socket?"
        )
    else:
        yield ok(f"scan: {version or 'clamd, version unknown'}")


ALL: Final[tuple[Callable[[Path, Settings], Iterator[Finding]], ...]] = (
    modes,
    places,
    space,
    costs,
    web,
    scanner,
)
"""Every check of this kind, in order."""


def _below(cost: str, floor: Kdf) -> bool:
    return kdf.below_floor(Kdf.parse(cost), floor)


def _is_tmpfs(path: Path) -> bool:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return False
    lines = (line.split() for line in mounts.read_text(encoding="utf-8").splitlines())
    kinds = {fields[1]: fields[2] for fields in lines}
    resolved = path.resolve()
    nearest = next((one for one in (resolved, *resolved.parents) if str(one) in kinds), None)
    return nearest is not None and kinds[str(nearest)] in {"tmpfs", "ramfs"}
