"""What ``suaka doctor`` sees of files: blobs that are missing or that nobody names, the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casework.evidence import sweeping
from portal.cli.findings import bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from casework.store.office import Office
    from portal.cli.findings import Finding
    from portal.settings import Settings


def blobs(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Every part of a file that a row names is in the folder, and nothing else is."""
    found = sweeping.compare(office)
    if found.missing:
        yield bad(
            f"files: {len(found.missing)} of them lack a part: put data/blobs back from a backup"
        )
    if found.orphans:
        yield warn(
            f"files: {len(found.orphans)} blobs that no row names, from interrupted uploads:"
            " suaka doctor --sweep"
        )
    if not found.missing and not found.orphans:
        yield ok("files: every part is there")


def sandbox(office: Office, _settings: Settings) -> Iterator[Finding]:
    """Hostile files are looked at where they can reach nothing."""
    if office.jail.confined:
        yield ok("sandbox: bubblewrap, without network and files")
    elif office.jail.guarded:
        yield warn(
            "sandbox: no bubblewrap here: Landlock and seccomp alone keep hostile files from the"
            " network, the disk and other processes: apt install bubblewrap, allow user namespaces"
        )
    else:
        yield warn(
            "sandbox: neither bubblewrap nor Landlock here: hostile files are looked at under"
            " resource limits alone: apt install bubblewrap, allow user namespaces"
        )
