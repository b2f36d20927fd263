"""``suaka demo``: an instance to look at, with invented officers and invented reports.

It protects nobody: passphrases, a reporter's words and the recovery shares lie in its folder.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from casework.handling import acts, desk
from casework.intake import receipt, report, submit
from casework.intake.token import new_token, submission_of
from casework.keys import accounts, ceremony, enrol, memory
from casework.keys.parts import PublicParts
from casework.law.engine import Facts
from crypto import words
from portal import settings as configuration
from portal import wiring
from portal.cli import instance
from portal.cli.building import built
from portal.cli.ceremony import choose_guardian
from portal.cli.options import FOLDER, opened
from portal.cli.refusals import Refused
from portal.cli.running import run_server
from portal.settings import InstanceSection, StaffSection
from portal.web.settings import Surface

if TYPE_CHECKING:
    from casework.keys.actor import Actor
    from casework.store.office import Office

NOTES: Final = "SIGN-IN.txt"
OFFICE_NAME: Final = "Inspektorat Kabupaten Contoh"
PASSPHRASE_WORDS: Final = 7

PEOPLE: Final = (
    ("operator", "Contoh Operator", "Petugas penerima laporan", "operator"),
    ("verifikator", "Contoh Verifikator", "Petugas verifikasi", "verifikator"),
    ("irban", "Contoh Irban", "Inspektur Pembantu V", "irban"),
    ("inspektur", "Contoh Inspektur", "Inspektur Daerah", "inspektur"),
    ("tim", "Contoh Auditor", "Auditor Muda", "tim"),
    ("pengawas", "Contoh Pengawas", "Sekretaris Inspektorat", "pengawas"),
    ("alternatif", "Contoh Penerima", "Inspektur Pembantu APIP Provinsi", "penerima_alternatif"),
    ("admin", "Contoh Admin", "Pranata Komputer", "admin"),
)
"""Username, name, position and role of each invented officer."""

REPORTS: Final = (
    {
        "position": "desa",
        "narrative": "CONTOH (rekaan): pungutan diduga diminta untuk surat keterangan yang "
        "seharusnya gratis di kantor desa contoh.",
        "where": "Kantor desa contoh",
        "when_state": "sedang",
    },
    {
        "position": "kepala_pd",
        "narrative": "CONTOH (rekaan): pengadaan alat tulis diduga diarahkan ke satu toko milik "
        "kerabat pejabat contoh.",
        "reported_person": "Pejabat contoh",
        "evidence_known": "Daftar harga di papan pengumuman\nKuitansi di bagian umum",
    },
    {
        "position": "asn",
        "narrative": "CONTOH (rekaan): kendaraan dinas diduga dipakai untuk usaha sewa di akhir "
        "pekan.",
        "when_state": "sudah",
        "loss": "Biaya bahan bakar",
    },
)
"""Three invented reports, in the order of how far they are taken."""


ACCEPTED, FORWARDED = 1, 2
"""How far a report is taken, by its place above; the first stays as it came in."""


@dataclass(frozen=True)
class Officer:
    """An invented officer and how to sign in."""

    username: str
    label: str
    passphrase: str = field(repr=False)


@click.command()
@FOLDER
@click.option("--serve", "serving", is_flag=True, help="Serve it afterwards.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def demo(folder: Path, *, serving: bool, port: int) -> None:
    """Make a demo instance in FOLDER unless there is one, and print how to sign in.

    Everything in it is invented, and it protects nobody: it can never become a real instance.
    """
    if not (folder / configuration.FILE_NAME).exists():
        click.echo(f"Making a demo in {folder} ...")
        make(folder)
    notes = folder / NOTES
    if not notes.exists():
        raise Refused(f"the instance in {folder} is not a demo: serve it with suaka serve")
    click.echo(notes.read_text(encoding="utf-8"))
    if serving:
        run_server(folder, Surface.BOTH.value, None, port)
    else:
        click.echo(f"Look at it with: suaka serve {folder}")


def make(folder: Path) -> None:
    """Make a demo: officers, ceremony, three reports at different stages, notes.

    An interrupted demo leaves nothing half-made.

    Raises:
        Refused: there is something in the folder.
    """
    section = InstanceSection(
        id=secrets.token_hex(16), name=OFFICE_NAME, profile="badung", mode="demo"
    )
    with built(folder) as building:
        instance.create(building, section, staff=StaffSection(second_factor=False))
        with opened(building) as (office, _):
            officers = [_enrol(office, *person) for person in PEOPLE]
            mnemonics = _ceremony(building, office)
        with opened(building, ready=True) as (office, _):
            signed_in = {one.username: _sign_in(office, one) for one in officers}
            receipts = _reports(office, signed_in)
        _write_notes(building / NOTES, officers, receipts, mnemonics)


def _enrol(office: Office, username: str, name: str, position: str, role: str) -> Officer:
    passphrase = words.generate(PASSPHRASE_WORDS)
    enrol.enrol(office, enrol.Applicant(username, name, position, (role,), passphrase))
    return Officer(username, office.profile.role(role).label, passphrase)


def _ceremony(folder: Path, office: Office) -> tuple[str, ...]:
    with office.read() as uow:
        parts = PublicParts.from_bytes(enrol.public_parts(uow))
        today = uow.today()
    may_guard = {role.id for role in office.profile.roles if role.may_guard}
    guardian = choose_guardian(parts.officers, may_guard, None)
    result = ceremony.hold(
        ceremony.CeremonyRequest(parts, guardian, wiring.DEMO_REASON),
        ceremony.Shares(),
        today,
        office.profile,
    )
    instance.install(folder, result.genesis)
    return result.mnemonics


def _sign_in(office: Office, officer: Officer) -> Actor:
    keys = accounts.officer_keys(office, officer.username, officer.passphrase)
    with office.read() as uow:
        actor = accounts.locate_and_unwrap(uow, keys)
        if actor is None:
            raise wiring.NotReady("a demo officer cannot sign in")
        memory.check_and_update(uow, actor)
    return actor


def _reports(office: Office, people: dict[str, Actor]) -> list[tuple[str, str]]:
    """Submit the invented reports and take two of them further; return tickets and words."""
    receipts = []
    for stage, text in enumerate(REPORTS):
        token = new_token()
        kept = submit.submit(office, token, report.parse(office.profile, text))
        with office.write() as uow:
            receipt.confirm(uow, submission_of(token))
        receipts.append((kept.ticket, " ".join(kept.words)))
        case_id = _case_id(office, people["operator"], kept.ticket)
        if stage >= ACCEPTED:
            yes = {"indikasi": True, "pemerintah_daerah": True, "bukti_disebut": stage >= FORWARDED}
            _act(office, people["operator"], case_id, "accept", Facts(checklist=yes))
        if stage >= FORWARDED:
            yes = {"identitas_terlapor": True, "perbuatan": True, "keterangan": True}
            _act(
                office, people["verifikator"], case_id, "verify", Facts(checklist=yes, category="a")
            )
            note = Facts(note="CONTOH: diduga ada pemakaian di luar dinas; perlu keterangan.")
            _act(office, people["irban"], case_id, "analyse", note)
            _act(office, people["irban"], case_id, "forward", Facts())
    return receipts


def _case_id(office: Office, operator: Actor, ticket: str) -> str:
    with office.read() as uow:
        page = desk.page(uow, operator.person_id, desk.Filters())
    return next(row.case_id for row in page.rows if row.ticket == ticket)


def _act(office: Office, actor: Actor, case_id: str, transition: str, facts: Facts) -> None:
    with office.write() as uow:
        keyring, _ = acts.open_case(uow, actor, case_id)
        acts.perform(uow, actor, case_id, keyring.case.revision, transition, facts)


def _write_notes(
    path: Path,
    officers: list[Officer],
    receipts: list[tuple[str, str]],
    mnemonics: tuple[str, ...],
) -> None:
    lines = ["DEMO: nothing here is real, and nothing here protects anybody.", ""]
    lines += ["Officers sign in at /petugas/masuk:"]
    lines += [f"  {one.label:<28} {one.username:<12} {one.passphrase}" for one in officers]
    lines += ["", "Reporters of the three invented reports sign in at /masuk:"]
    lines += [f"  {ticket}   {key}" for ticket, key in receipts]
    lines += ["", "Recovery shares (2 of 3; on paper in a real instance, never on the server):"]
    lines += [f"  {mnemonic}" for mnemonic in mnemonics]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
