"""Whole instances on the disk, as an operator makes them, for a real server."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from casework.keys import ceremony, enrol
from casework.keys.parts import PublicParts
from portal import settings as configuration
from portal import wiring
from portal.cli import instance
from portal.settings import CostSection, InstanceSection, LimitSection

CHEAP = CostSection(passphrase="argon2id:m=8,t=1,p=1", secret_key="argon2id:m=8,t=1,p=1")
STAFF = ("operator", "verifikator", "irban", "inspektur", "tim")


@dataclass
class Instance:
    """A folder that can be served, and its officers' passphrases by username."""

    folder: Path
    passphrases: dict[str, str] = field(repr=False)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "suaka.db"


def make(
    folder: Path,
    mode: str = "demo",
    costs: CostSection | None = CHEAP,
    limits: LimitSection | None = None,
    reason: str = "Pembentukan",
) -> Instance:
    """Make, enrol and hold the ceremony; nothing secret is written beside it."""
    section = InstanceSection(
        id=secrets.token_hex(16),
        name="Inspektorat Contoh",
        profile="badung",
        mode=mode,  # type: ignore[arg-type]
    )
    instance.create(folder, section, costs)
    office, settings = wiring.load(folder)
    if limits is not None:
        configuration.write(folder, msgspec.structs.replace(settings, limits=limits))
    passphrases = {name: f"frasa {secrets.token_hex(12)} {name}" for name in STAFF}
    for name, passphrase in passphrases.items():
        enrol.enrol(
            office,
            enrol.Applicant(name, f"Contoh {name.title()}", f"Jabatan {name}", (name,), passphrase),
        )
    with office.read() as uow:
        parts = PublicParts.from_bytes(enrol.public_parts(uow))
        today = uow.today()
    guardian = next(one.person_id for one in parts.officers if "inspektur" in one.roles)
    request = ceremony.CeremonyRequest(parts, guardian, reason)
    result = ceremony.hold(request, ceremony.Shares(), today, office.profile)
    instance.install(folder, result.genesis)
    office.engine.dispose()
    office.keystore.engine.dispose()
    office.sessions.close()
    return Instance(folder, passphrases)
