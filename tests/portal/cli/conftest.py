"""An instance as the commands make it, with cheap key stretching; each test has its own copy."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner, Result

from casework.intake import report, submit
from casework.keys import ceremony, enrol, factors
from casework.keys.factors import NewFactor
from casework.keys.parts import PublicParts
from portal.cli import cli, instance
from portal.cli.options import opened
from portal.settings import CostSection, InstanceSection, StaffSection

CHEAP = "argon2id:m=8,t=1,p=1"
PRODUCTION = {
    "SUAKA_INSTANCE_MODE": "production",
    "SUAKA_STAFF_SECOND_FACTOR": "true",
    "SUAKA_COSTS_PASSPHRASE": "argon2id:m=65536,t=3,p=4",
    "SUAKA_COSTS_SECRET_KEY": "argon2id:m=19456,t=2,p=1",
}
ROLES = ("operator", "verifikator", "irban", "inspektur", "tim")
PASSPHRASE = "kalimat sandi untuk percobaan si {} saja"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""What every officer's authenticator holds; asked for where ``STRICT`` is in the environment."""

STRICT = {"SUAKA_STAFF_SECOND_FACTOR": "true"}


class Run(Protocol):
    """Runs a command as a shell would, and tells what came of it."""

    def __call__(self, *args: object, text: str = "", **environment: str) -> Result: ...


@pytest.fixture
def run() -> Run:
    """Run ``suaka`` in this process; whatever happens, nobody may see a trace."""

    def call(*args: object, text: str = "", **environment: str) -> Result:
        answer = CliRunner().invoke(
            cli, [str(arg) for arg in args], input=text, env=environment or None
        )
        assert answer.exception is None or isinstance(answer.exception, SystemExit)
        assert "Traceback" not in answer.output
        if answer.exit_code == 1 and answer.stderr:
            assert answer.stderr.startswith("suaka: ")
            assert answer.stderr.count("\n") == 1
        return answer

    return call


def bare(folder: Path) -> Path:
    """An instance before its ceremony, everyone enrolled."""
    section = InstanceSection(
        id="0123456789abcdef0123456789abcdef",
        name="Inspektorat Contoh",
        profile="badung",
        mode="demo",
    )
    folder.mkdir(0o700)
    costs = CostSection(passphrase=CHEAP, secret_key=CHEAP)
    instance.create(folder, section, costs, StaffSection(second_factor=False))
    with opened(folder) as (office, _):
        for role in ROLES:
            applicant = enrol.Applicant(
                username=role,
                name=f"Contoh {role}",
                position=f"Jabatan {role}",
                roles=(role,),
                passphrase=PASSPHRASE.format(role),
            )
            prepared = enrol.prepare(office, applicant)
            with office.write() as uow:
                enrol.store(uow, prepared)
                factors.store(uow, prepared.actor, NewFactor(SECRET, factors.new_codes()), 0)
    return folder


def hold(folder: Path, only: tuple[str, ...] = ROLES) -> bytes:
    """Hold a ceremony over enrolled officers; return the genesis file."""
    with opened(folder) as (office, _), office.read() as uow:
        everyone = PublicParts.from_bytes(enrol.public_parts(uow))
        officers = tuple(one for one in everyone.officers if one.handle in only)
        guardian = next(one.person_id for one in officers if "inspektur" in one.roles)
        request = ceremony.CeremonyRequest(
            replace(everyone, officers=officers), guardian, "SK contoh"
        )
        return ceremony.hold(request, ceremony.Shares(), uow.today(), office.profile).genesis


@pytest.fixture(scope="session")
def enrolled_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance before its ceremony, which no test writes to."""
    return bare(tmp_path_factory.mktemp("enrolled") / "instance")


@pytest.fixture(scope="session")
def founded_template(enrolled_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance after its ceremony, with one report; no test writes to it."""
    folder = tmp_path_factory.mktemp("founded") / "instance"
    shutil.copytree(enrolled_template, folder)
    instance.install(folder, hold(folder))
    with opened(folder, ready=True) as (office, _):
        text = {"position": "asn", "narrative": "Barang kantor dibawa pulang."}
        submit.submit(office, submit.new_token(), report.parse(office.profile, text))
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy an instance into the test's own folder."""

    def make(template: Path) -> Path:
        return Path(shutil.copytree(template, tmp_path / "instance"))

    return make


@pytest.fixture
def enrolled(enrolled_template: Path, copy: Callable[[Path], Path]) -> Path:
    """An instance of the test's own, before its ceremony."""
    return copy(enrolled_template)


@pytest.fixture
def founded(founded_template: Path, copy: Callable[[Path], Path]) -> Path:
    """An instance of the test's own, after its ceremony, with one report."""
    return copy(founded_template)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its contents."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
