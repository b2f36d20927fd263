"""Whole instances on the disk, as an operator makes them, for a real server."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pyotp

from casework.keys import ceremony, enrol, factors
from casework.keys.parts import PublicParts
from portal import settings as configuration
from portal import wiring
from portal.cli import instance
from portal.settings import CostSection, InstanceSection, LimitSection, StaffSection

CHEAP = CostSection(passphrase="argon2id:m=8,t=1,p=1", secret_key="argon2id:m=8,t=1,p=1")
STAFF = ("operator", "verifikator", "irban", "inspektur", "tim")


@dataclass
class Instance:
    """A folder that can be served, and its officers' passphrases by username."""

    folder: Path
    passphrases: dict[str, str] = field(repr=False)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """What each officer's authenticator holds."""
    _steps: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "suaka.db"

    def code(self, username: str) -> str:
        """A code that works now and was not given before; at most two within half a minute."""
        here = int(wiring.utc_now().timestamp()) // factors.STEP_SECONDS
        step = self._steps[username] = max(here, self._steps.get(username, 0) + 1)
        assert step <= here + factors.DRIFT_STEPS, "the next code is of a later moment"
        return str(pyotp.TOTP(self.secrets[username]).generate_otp(step))


def make(
    folder: Path,
    mode: str = "demo",
    costs: CostSection | None = CHEAP,
    limits: LimitSection | None = None,
    reason: str = "Pembentukan",
    *,
    second_factor: bool | None = None,
    staff: tuple[str, ...] = STAFF,
) -> Instance:
    """Make, enrol and hold the ceremony; nothing secret is written beside it.

    Every officer has a second factor; it is asked for in production, or if ``second_factor``.
    """
    asked = mode == "production" if second_factor is None else second_factor
    section = InstanceSection(
        id=secrets.token_hex(16),
        name="Inspektorat Contoh",
        profile="badung",
        mode=mode,  # type: ignore[arg-type]
    )
    instance.create(folder, section, costs, StaffSection(second_factor=asked))
    office, settings = wiring.load(folder)
    if limits is not None:
        configuration.write(folder, msgspec.structs.replace(settings, limits=limits))
    passphrases = {name: f"frasa {secrets.token_hex(12)} {name}" for name in staff}
    held: dict[str, str] = {}
    for name, passphrase in passphrases.items():
        prepared = enrol.prepare(
            office,
            enrol.Applicant(name, f"Contoh {name.title()}", f"Jabatan {name}", (name,), passphrase),
        )
        made = factors.new()
        with office.write() as uow:
            enrol.store(uow, prepared)
            factors.store(uow, prepared.actor, made, 0)
        held[name] = made.secret
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
    return Instance(folder, passphrases, held)
