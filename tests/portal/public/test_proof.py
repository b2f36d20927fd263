"""What a reporter takes along: warned first, neutral outside, and enough to prove it anywhere."""

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casework.keys import restoration
from casework.log.keys import LogKeyFile
from casework.store.engine import truncate_wal
from portal.cli import cli
from portal.web.headers import Policy
from tests.casework.office import Bench
from tests.laws.pages import assert_exact
from tests.portal import visits
from tests.portal.sites import Site, site_of
from tests.portal.visits import NARRATIVE, Receipt, Visit
from tests.portal.watched import NAME, Watched, watched

Reporter = tuple[Visit, Receipt]
ROOM = "/ruang/bukti"
DOWNLOADS = {"berkas": ROOM, "teks": f"{ROOM}/isi", "kunci": f"{ROOM}/isi"}
"""Each download, and the page that has its form."""


@pytest.fixture(scope="module")
def site(founded: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A portal for whatever only looks; each visit has its own session."""
    with site_of(founded, tmp_path_factory.mktemp("taken") / "office") as opened:
        yield opened


@pytest.fixture(scope="module")
def owner(site: Site) -> Reporter:
    """Somebody who has reported there, in the mailbox."""
    return site.reporter()


@pytest.fixture
def log(founded: Bench, tmp_path: Path) -> Iterator[Watched]:
    with watched(founded, tmp_path) as made:
        yield made


def download(visit: Visit, what: str) -> bytes:
    """Take a file as a person does: from the page on which its button stands."""
    visit.open(ROOM)
    if DOWNLOADS[what] != ROOM:
        visit.send(DOWNLOADS[what])
    visit.send(f"{ROOM}/{what}")
    assert visit.status == 200, visit.status
    return visit.answer.content


def verify(folder: Path, file: bytes, vkeys: str, text: bytes, key: str) -> Result:
    """Check the files as whoever was given them does, without an instance."""
    for name, content in (("bukti.txt", file), ("isi.txt", text), ("kunci.txt", vkeys.encode())):
        (folder / name).write_bytes(content)
    bukti, isi, kunci = (str(folder / name) for name in ("bukti.txt", "isi.txt", "kunci.txt"))
    return CliRunner().invoke(
        cli,
        ["receipt", "verify", bukti, "--log-key", kunci, "--text", isi, "--key", "-"],
        input=f"{key}\n",
    )


@pytest.mark.parametrize("published", [False, True])
def test_what_is_downloaded_is_enough_for_suaka_receipt_verify(
    log: Watched, tmp_path: Path, *, published: bool
) -> None:
    """From the form to the verdict; another text, and another report's key, are told apart."""
    visit, receipt = log.site.reporter()
    other, _ = log.site.reporter({"narrative": "Laporan lain."})
    if published:
        log.publish()
        log.cosign()
        visit, other = (log.site.visit() for _ in range(2))
        visits.enter(visit, receipt)
        other, _ = log.site.reporter({"narrative": "Laporan lain."})
    file, text = download(visit, "berkas"), download(visit, "teks")
    key = download(visit, "kunci").decode().strip()
    found = verify(tmp_path, file, log.vkeys, text, key)
    assert found.exit_code == 0, found.output
    assert f"ticket {receipt.ticket} was received on 2026-11-23" in found.output
    assert "byte for byte" in found.output
    assert NARRATIVE.encode() in text
    changed = text.replace(b"Jumat", b"Sabtu")
    for wrong_text, wrong_key in (
        (changed, key),
        (text, download(other, "kunci").decode().strip()),
    ):
        found = verify(tmp_path, file, log.vkeys, wrong_text, wrong_key)
        assert found.exit_code == 1
        assert "another text" in found.output


def test_the_warning_comes_before_anything_that_can_be_taken(owner: Reporter) -> None:
    """It betrays its owner, is optional, and the mailbox proves the same without any file."""
    visit, _ = owner
    assert f'href="{ROOM}"' in visit.open("/ruang").text
    text = visit.open(ROOM).text
    first = text.index(f'action="{ROOM}')
    for said in ("menunjuk kepada pemiliknya", "tidak harus", "tanpa berkas apa pun"):
        assert text.index(said) < first
    assert "UU 13/2006" in text
    assert 'href="/catatan/periksa"' in text
    shown = visit.text
    visit.send(f"{ROOM}/isi")
    assert visit.text.index("membaca laporan Anda") < visit.text.index(f'action="{ROOM}')
    key = re.search(r"(?:[0-9a-f]{8} ){7}[0-9a-f]{8}", visit.text)
    assert key is not None
    assert key[0] not in shown


def test_it_says_how_far_the_proof_leads(log: Watched) -> None:
    """To a checkpoint of its own, to a published one, or to one that others have signed."""
    visit, receipt = log.site.reporter()
    assert "ringkasan tersendiri" in visit.open(ROOM).text
    log.publish()
    visits.enter(visit, receipt)
    assert "dengan tanda tangan kantor ini saja" in visit.open(ROOM).text
    assert "ringkasan tersendiri" not in visit.text
    log.cosign()
    assert f"ditandatangani juga oleh {NAME}" in visit.open(ROOM).text
    assert NAME in visit.send(f"{ROOM}/cetak").text


@pytest.mark.parametrize("what", DOWNLOADS)
def test_a_file_says_nothing_by_its_name_and_stays_in_no_cache(owner: Reporter, what: str) -> None:
    visit, receipt = owner
    names = set()
    for _ in range(2):
        body = download(visit, what)
        assert_exact(visit.answer, Policy.FILE)
        found = re.fullmatch(
            r'attachment; filename="((?:catatan|isi|kode)-[0-9a-f]{6}\.txt)"',
            visit.answer.headers["content-disposition"],
        )
        assert found is not None
        names.add(found[1])
        assert visit.answer.headers["cache-control"] == "no-store"
        assert b"Inspektorat" not in body
        assert receipt.ticket.encode() not in body
    assert len(names) == 2


def test_the_receipt_names_no_office(site: Site, owner: Reporter) -> None:
    """Neither as it stands nor decoded; the name of the profile is that of the region."""
    visit, _ = owner
    file = visit.open(ROOM).send(f"{ROOM}/berkas").text
    extra = next(line for line in file.splitlines() if line.startswith("extra "))
    said = file + base64.b64decode(extra.removeprefix("extra ")).decode()
    office = site.bench.office
    for name in (office.name, office.profile.id, office.profile.title, "Suaka", "Inspektorat"):
        assert name.lower() not in said.lower(), name


def test_the_printed_sheet_does_not_name_the_office(site: Site, owner: Reporter) -> None:
    visit, receipt = owner
    file = visit.open(ROOM).send(f"{ROOM}/berkas").text
    visit.open(ROOM).send(f"{ROOM}/cetak")
    assert site.bench.office.name not in visit.text
    assert "Suaka" not in re.sub(r"(?s)<aside.*?</aside>", "", visit.text)
    assert receipt.ticket in visit.text
    # The checkpoint is signed anew: the same tree, the same signature.
    assert f'<pre class="drawn folded">{file}</pre>' in visit.text


def everything(site: Site) -> str:
    """Every byte of both databases' tables, the memories of what was seen included."""
    digest = hashlib.sha256()
    for engine in (site.bench.office.engine, site.bench.office.keystore.engine):
        with engine.connect() as connection:
            tables = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).scalars()
            for table in list(tables):
                rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').all()
                digest.update(repr((table, sorted(map(repr, rows)))).encode())
    return digest.hexdigest()


def test_taking_it_leaves_no_trace(site: Site, owner: Reporter) -> None:
    """No row, no leaf, no memory, no blob: nobody can tell who has a receipt."""
    visit, _ = owner
    visit.open("/ruang")
    before, files = everything(site), sorted(site.bench.folder.rglob("*"))
    for what in DOWNLOADS:
        download(visit, what)
    visit.open(ROOM).send(f"{ROOM}/cetak")
    assert everything(site) == before
    assert sorted(site.bench.folder.rglob("*")) == files


def test_nothing_is_handed_out_without_the_forms_own_token(site: Site, owner: Reporter) -> None:
    visit, _ = owner
    other, _ = site.reporter()
    theirs = other.open(ROOM).filled(f"{ROOM}/berkas", {})
    for what in (*DOWNLOADS, "isi", "cetak"):
        for pairs in ([], theirs):
            visit.post(f"{ROOM}/{what}", pairs)
            assert visit.status == 403, what
            assert "content-disposition" not in visit.answer.headers
        assert visit.open(f"{ROOM}/{what}").status == 405


def test_without_the_logs_key_only_the_receipt_has_to_wait(portal: Site) -> None:
    """Reporting, the mailbox and messages go on; the page says so, plainly."""
    gone = LogKeyFile(portal.bench.folder / "gone.key")
    object.__setattr__(portal.bench.office, "log_key", gone)
    visit, _ = portal.reporter()
    visit.open("/ruang").send("/ruang/pesan", {"message": "Halo"}).follow()
    assert "Pesan Anda sudah terkirim." in visit.text
    visit.open(ROOM)
    assert visit.status == 503
    assert visit.heading == "Tanda tangan catatan belum tersedia"
    assert "Laporan Anda aman" in visit.text
    assert 'href="/ruang"' in visit.text


def test_the_mailbox_says_what_was_checked_and_who_has_looked(log: Watched) -> None:
    """Roles by day, never a name; nobody at first."""
    visit, receipt = log.site.reporter()
    visit.open("/ruang")
    assert "Belum ada ringkasan yang diumumkan." in visit.text
    assert "Belum ada petugas yang membuka laporan Anda." in visit.text
    log.site.officer("operator").open(log.site.path(receipt))
    log.site.officer("inspektur").open(log.site.path(receipt))
    log.publish()
    visits.enter(visit, receipt).follow()
    assert "tidak ada yang berubah sampai ringkasan 256 baris" in visit.text
    assert "<li>23\xa0November\xa02026: Operator, Inspektur</li>" in visit.text
    assert "Contoh Operator" not in visit.text


ATTACKS = {
    "UPDATE checkpoint SET signed = replace(signed, '256', '255')": "Ringkasan catatan",
    "UPDATE log_key SET handover = 'x'": "Kunci yang menandatangani catatan diganti",
    "DELETE FROM tree_node WHERE level = 8": "bukan kelanjutan",
}
"""What somebody does to the log, one after the other, and what is told then."""


def test_a_log_that_is_another_one_closes_mailbox_and_receipt(log: Watched) -> None:
    """In plain words: what happened, what it means, what to do, whom else to turn to."""
    log.publish()
    visit, _ = log.site.reporter()
    visit.open("/ruang")
    for attack, said in ATTACKS.items():
        log.site.tamper(attack)
        for path in ("/ruang", ROOM):
            visit.open(path)
            assert visit.status == 503
            assert said in visit.text
            for todo in ("Jangan menulis apa-apa lagi", "delapan kata", "lembaga lain"):
                assert todo in visit.text
            assert 'href="/saluran"' in visit.text


def test_an_older_copy_closes_the_mailbox_until_the_guardian_has_vouched_for_it(
    log: Watched,
) -> None:
    """And then the reporter reads on which day, and that something may be lost."""
    bench, (visit, receipt) = log.site.bench, log.site.reporter()
    truncate_wal(bench.office.engine)
    database = bench.folder / "suaka.db"
    yesterday = shutil.copyfile(database, bench.folder / "kemarin")
    log.publish()
    visits.enter(visit, receipt).follow()
    bench.office.engine.dispose()
    for beside in ("-wal", "-shm"):
        database.with_name(f"suaka.db{beside}").unlink(missing_ok=True)
    shutil.copyfile(yesterday, database)
    assert visit.open("/ruang").status == 503
    assert "lebih pendek daripada yang pernah Anda lihat" in visit.text
    with bench.office.write() as uow:
        restoration.confirm(uow, bench["inspektur"], "Cakram rusak, cadangan dipasang")
    assert visit.open("/ruang").status == 200
    assert "Pada 23\xa0November\xa02026 penjaga laporan menyatakan" in visit.text
    assert "tidak ada yang berubah" not in visit.text
