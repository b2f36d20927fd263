"""Promise 1: after a whole case was told, walked and closed, nothing readable lies anywhere.

A production instance, a real server, plain form posts. A canary goes through every input; then
the instance's folder (databases, logs of the databases, keystore, sessions), the temp folder, the
server's output, its environment and its command line are searched in every encoding.
"""

import base64
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pysqlite3
import pytest

from casework.evidence.limits import MIB, PART
from casework.intake.report import CHOICES, FIELDS
from portal import settings as configuration
from portal import wiring
from portal.settings import EvidenceSection
from tests.canary import sweep, sweep_bytes, sweep_process
from tests.e2e.server import Server, group_members
from tests.portal import instances, visits
from tests.portal.instances import Instance
from tests.portal.multipart import BOUNDARY, File, body_of, send_files
from tests.portal.visits import Receipt, Visit

CLOSE = httpx.Limits(max_keepalive_connections=0)
OFFICERS = ("operator", "verifikator", "irban", "inspektur", "tim")
FILES = "/ruang/berkas"
LARGEST = 5
"""MiB of the largest file that the instance takes, so that a refusal is quick."""

LONG = 30_000
"""Characters of filling around a canary in long fields, so that a row overflows its page."""


@dataclass
class Told:
    """Everything that was typed into a form, or shown once, during the flow."""

    secrets: list[str] = field(default_factory=list)

    def canary(self, name: str) -> str:
        """A canary for one input, to be found nowhere."""
        text = f"kenari-{name}-{len(self.secrets):03d}-zqx"
        self.secrets.append(text)
        return text

    def long(self, name: str) -> str:
        """A long text with one canary in the middle and one at the end."""
        filling = "isi biasa " * (LONG // 20)
        return f"{filling}{self.canary(name)} {filling}{self.canary(name + '-akhir')}"


def browse(server: Server) -> Visit:
    return Visit(httpx.Client(base_url=server.base, trust_env=False, timeout=60, limits=CLOSE))


def report(server: Server, told: Told) -> tuple[Visit, Receipt]:
    """A report with every field of the form filled."""
    values = {name: told.canary(name) for name in FIELDS if name not in {"position", *CHOICES}}
    values |= {
        "narrative": told.long("narrative"),
        "when_state": "sudah",
        "fears_retaliation": "ya",
    }
    visit = browse(server)
    receipt = visits.report(visit, values)
    told.secrets += [receipt.key, " ".join(receipt.words[:3]), receipt.token]
    visits.keep(visit, receipt)
    told.secrets.append(visit.client.cookies["ruang"])
    return visit, receipt


def commitment_key(box: Visit) -> str:
    """What proves the text of a report, as its reporter takes it along."""
    box.open("/ruang/bukti").send("/ruang/bukti/berkas")
    box.open("/ruang/bukti").send("/ruang/bukti/isi").send("/ruang/bukti/kunci")
    assert re.fullmatch(r"[0-9a-f]{64}\n", box.text)
    return box.text.strip()


def walk(server: Server, instance: Instance, told: Told) -> None:
    """From the report to the rating, with a message, a completion and a review on the way."""
    box, receipt = report(server, told)
    desks = {}
    for name in OFFICERS:
        code = instance.code(name)
        desks[name] = visits.enter_staff(browse(server), name, instance.passphrases[name], code)
        assert desks[name].location == "/petugas"
        told.secrets += [desks[name].client.cookies["petugas"], instance.secrets[name]]
        told.secrets.append(desks[name].client.cookies["perangkat"])
    path = visits.case_path(desks["operator"], receipt.ticket)

    def act(who: str, transition: str, **values: str | list[str]) -> None:
        assert visits.act(desks[who], path, transition, values).status == 303, transition

    box.open("/ruang").send("/ruang/pesan", {"message": told.long("pesan")})
    told.secrets.append(commitment_key(box))
    desks["operator"].open(path).send(f"{path}/pesan", {"message": told.canary("jawaban")})
    act("operator", "reject", reason=told.canary("tolak"))
    box.open("/ruang").send("/ruang/tinjau", {"review": told.canary("tinjau")})
    act("inspektur", "reopen", reason=told.canary("buka"))
    act("verifikator", "reject_incomplete", missing_items=told.canary("kurang"))
    box.open("/ruang").send("/ruang/lengkapi", {"completion": told.canary("lengkap")})
    checks = ["identitas_terlapor", "perbuatan", "keterangan"]
    act("verifikator", "verify", checklist=checks, category="a")
    act("irban", "analyse", note=told.long("analisis"))
    act("irban", "forward")
    act("inspektur", "return", reason=told.canary("kembali"))
    act("irban", "analyse", note=told.canary("analisis-dua"))
    act("irban", "forward")
    desks["inspektur"].open(path)
    person = desks["inspektur"].form(f"{path}/tindakan/assign_team").controls
    team = [control.option for control in person if control.name == "assignees"][:1]
    for transition in ("assign_team", "order_examination"):
        number = told.canary("st")
        act(
            "inspektur",
            transition,
            assignees=team,
            document_surat_tugas_number=number,
            document_surat_tugas_date="2026-11-22",
        )
    act("inspektur", "send_result", outcome="terbukti", message=told.long("hasil"))
    rated = box.open("/ruang").send("/ruang/nilai", {"rating": "5"})
    assert rated.location == "/ruang?berhasil=rating"
    files(server, told, box, desks["inspektur"], f"{path}/bukti")
    stray(server, told, receipt)


def encoded(told: Told, name: str) -> bytes:
    """Bytes like those of a picture, with one canary written in several ways."""
    text = told.canary(name)
    ways = (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode(),
            base64.b64encode(text.encode()))  # fmt: skip
    return b"\xff\xd8\xff\xe0" + bytes(70_000).join(ways) + bytes(70_000)


def choose(told: Told, name: str, content: bytes) -> File:
    """A file whose name and media type are canaries, too."""
    return File(f"{told.canary(name)}.txt", content, f"text/{told.canary(name + '-jenis')}")


def files(server: Server, told: Told, box: Visit, desk: Visit, path: str) -> None:
    """Files of both sides, whole and in parts, examined, opened, refused, cut off."""
    text = choose(told, "nama", told.long("teks").encode())
    binary = choose(told, "gambar", encoded(told, "gambar-isi"))
    assert send_files(box, FILES, [text, binary]).status == 303
    send_files(desk, path, [choose(told, "kantor", told.canary("kantor-isi").encode())])
    assert desk.status == 303
    for file_id in re.findall(rf'href="{path}/([0-9a-f]{{32}})"', desk.follow().text):
        one = f"{path}/{file_id}"
        assert desk.open(one).send(f"{one}/periksa").status == 303
        desk.open(one).send(f"{one}/asli", {"reason": told.canary("alasan")})
        assert desk.open(f"{one}/asli").status == 200
        for way in ("lihat", "gambar/1", "salinan", "putar"):
            desk.open(f"{one}/{way}")
    large = told.canary("besar-awal").encode() + bytes(LARGEST * MIB)
    refused = choose(told, "besar", large + told.canary("besar-akhir").encode())
    assert send_files(box, FILES, [refused]).status == 422
    unfinished(told, box)
    cut_off(server, told, box)


def unfinished(told: Told, box: Visit) -> None:
    """Begun, one part sent, never finished."""
    pairs = [pair for pair in box.open(FILES).filled(FILES, {}) if pair[0] != "files"]
    said = {"name": told.canary("setengah"), "type": told.canary("setengah-jenis"),
            "size": str(PART + 9), "modified": "123456789"}  # fmt: skip
    begun = box.post(f"{FILES}/mulai", [*pairs, *said.items()]).answer.json()
    part = told.canary("bagian").encode().ljust(PART, b".")
    headers = {"suaka-csrf": dict(pairs)["csrf"], "content-type": "application/octet-stream"}
    assert box.post_raw(f"{FILES}/unggahan/{begun['id']}/bagian/1", part, headers).status == 200
    box.post_raw(
        f"{FILES}/unggahan/{begun['id']}/bagian/2", told.canary("kurang").encode(), headers
    )


def cut_off(server: Server, told: Told, box: Visit) -> None:
    """The form and its first megabytes arrive, then the connection dies."""
    pairs = [pair for pair in box.open(FILES).filled(FILES, {}) if pair[0] != "files"]
    content = told.canary("putus-awal").encode() + bytes(2 * MIB)
    content += told.canary("putus-akhir").encode()
    body = body_of(pairs, [choose(told, "putus", content)]).removesuffix(
        f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    head = (
        f"POST {FILES} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Cookie: ruang={box.client.cookies['ruang']}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body) + MIB}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as wire:
        wire.sendall(head.encode() + body)


def stray(server: Server, told: Told, receipt: Receipt) -> None:
    """Everything that goes wrong carries canaries, too: refused, late, misspelt, mistyped."""
    visit = browse(server)
    for path in ("/formulir/kirim", "/ruang/pesan", "/petugas/masuk", "/masuk"):
        visit.post(path, {"narrative": told.canary("salah"), "message": told.canary("lambat")})
        visit.post_raw(path, f"x={told.canary('mentah')}%FF".encode())
        visit.post_raw(
            path, told.canary("berkas").encode(), {"content-type": "multipart/form-data"}
        )
    visit.open(f"/{told.canary('alamat')}")
    visit.open(f"/petugas?status={told.canary('saring')}")
    visits.enter_staff(browse(server), told.canary("nama"), told.canary("sandi"))
    visits.enter(browse(server), Receipt("", receipt.ticket, [told.canary("kata")] * 8))
    visit.client.get(
        "/", headers={"user-agent": told.canary("peramban"), "referer": told.canary("asal")}
    )
    visit.client.get("/ruang", headers={"cookie": f"ruang={told.canary('kuki')}"})


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Instance, Told]]:
    """The server just after the whole flow, still running, with a temp folder of its own."""
    base = tmp_path_factory.mktemp("canary")
    (base / "temp").mkdir()
    instance = instances.make(base / "office", mode="production", costs=None)
    _, settings = wiring.load(instance.folder)
    evidence = EvidenceSection(file_mib=LARGEST)
    configuration.write(instance.folder, msgspec.structs.replace(settings, evidence=evidence))
    told = Told(list(instance.passphrases.values()))
    server = Server(instance.folder, base / "log", environment={"TMPDIR": str(base / "temp")})
    with server:
        walk(server, instance, told)
        yield server, instance, told


def places(server: Server, instance: Instance) -> list[Path]:
    return [instance.folder, server.log, server.log.parent / "temp"]


def test_nothing_that_was_typed_is_found_while_it_runs(
    aftermath: tuple[Server, Instance, Told],
) -> None:
    """Neither in a file nor in what the kernel shows of the processes."""
    server, instance, told = aftermath
    assert len(told.secrets) > 80
    blobs = list((instance.folder / "data" / "blobs").iterdir())
    assert len(blobs) >= 4, "three files and one part of a fourth"
    assert sweep(places(server, instance), told.secrets) == []
    for pid in group_members(server.pid):
        assert sweep_process(pid, told.secrets) == []


def test_a_planted_canary_is_found(aftermath: tuple[Server, Instance, Told]) -> None:
    """The sweep sees each of the places: it would have found what was there."""
    server, instance, told = aftermath
    spots = (
        instance.folder / "data" / "planted",
        instance.folder / "data" / "blobs" / ("0" * 32),
        instance.folder / "keys" / "planted",
        instance.folder / "run" / "planted",
        server.log.parent / "temp" / "planted",
    )
    for number, spot in enumerate(spots):
        spot.write_bytes(b"\0" * 100_000 + told.secrets[number].encode("utf-16-le") + b"\0" * 9)
    found = sweep(places(server, instance), told.secrets)
    for spot in spots:
        spot.unlink()
    assert {finding.where for finding in found} == {str(spot) for spot in spots}
    marked = sweep_bytes(server.log.read_bytes() + told.secrets[0].encode(), told.secrets)
    assert len(marked) == 1


def test_the_server_said_nothing_of_the_visits(aftermath: tuple[Server, Instance, Told]) -> None:
    """Its output names the instance and the address, and no request, path or browser."""
    lines = aftermath[0].log.read_text().splitlines()
    assert lines[0].startswith("Inspektorat Contoh: http://127.0.0.1:")
    for line in lines[1:]:
        for telling in ("GET", "POST", "/ruang", "/petugas", "/formulir", "httpx"):
            assert telling not in line


def test_no_file_tells_when_it_came(aftermath: tuple[Server, Instance, Told]) -> None:
    """All blobs have one time and random names; rows of files know the day and nothing finer."""
    _, instance, _ = aftermath
    folder = instance.folder / "data" / "blobs"
    blobs = list(folder.iterdir())
    assert {blob.stat().st_mtime_ns for blob in blobs} == {0}
    assert {blob.stat().st_mode & 0o777 for blob in (folder, *blobs)} == {0o700, 0o600}
    assert all(re.fullmatch(r"[0-9a-f]{32}", blob.name) for blob in blobs)
    database = pysqlite3.connect(f"file:{instance.database}?mode=ro", uri=True)
    with database:
        for table in ("file_part", "upload", "upload_part"):
            columns = {row[1]: row[2] for row in database.execute(f"PRAGMA table_info({table})")}
            assert columns, table
            assert not [name for name, kind in columns.items() if "TIME" in kind.upper()]
            for row in database.execute(f"SELECT * FROM {table}"):
                texts = [value for value in row if isinstance(value, str)]
                assert not [text for text in texts if re.search(r"\d\d:\d\d|T\d\d", text)], table
        assert all(
            re.fullmatch(r"\d{4}-\d\d-\d\d", day)
            for (day,) in database.execute("SELECT day FROM upload")
        )
    database.close()


def test_nothing_is_left_when_it_has_stopped(aftermath: tuple[Server, Instance, Told]) -> None:
    """Last of all: what was in the databases' logs is in the databases now."""
    server, instance, told = aftermath
    server.stop()
    assert sweep([instance.folder / "data", server.log.parent / "temp"], told.secrets) == []
