"""``suaka audit verify``: what is wrong comes first, in words; a copy of the data is enough."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete

from casework.audit.findings import Finding, Kind, What
from casework.log import checkpoints, keys
from casework.store.keystore import SHRED_KEYS
from crypto.checkpoint import Checkpoint
from crypto.note import Kind as KeyKind
from crypto.note import NoteSigner
from portal.cli import audit, audit_words
from portal.cli.options import opened
from tests.portal.cli.conftest import Run, files_of
from tests.portal.cli.test_doctor import execute

WITNESS = NoteSigner("saksi.example", KeyKind.WITNESS, bytes(range(32)))


@pytest.fixture
def held(founded: Path, tmp_path: Path) -> Path:
    """A checkpoint that somebody holds, with the line of a witness."""
    with opened(founded) as (office, _), office.read() as uow:
        signed = checkpoints.sign_now(uow)
    path = tmp_path / "catatan.txt"
    line = WITNESS.sign(signed.text, 1_800_000_000)
    path.write_text(signed.with_signatures([line]).to_text(), "utf-8")
    return path


def test_a_sound_instance_is_sound_and_stays_as_it_is(run: Run, founded: Path, held: Path) -> None:
    before = files_of(founded)
    key = WITNESS.key.to_text()
    answer = run("audit", "verify", founded, "--checkpoint", held, "--witness-key", key)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.splitlines() == [
        "log: 2 places, 2 leaves, 0 dummies",
        "cases: 1, with 4 items, 13 keys, 3 deadlines",
        "files: 0 parts, 0 bytes",
        "roster: 1 entries; keys of the log: 1",
        "checkpoints: 0 published, 1 from outside",
        "witness saksi.example: vouches for 2 places",
        "SOUND",
    ]
    assert answer.stderr == ""
    assert files_of(founded) == before


def test_without_a_checkpoint_it_says_what_it_cannot_see(run: Run, founded: Path) -> None:
    assert "newest leaves may be gone, see --checkpoint" in run("audit", "verify", founded).stdout


def test_a_copy_of_the_data_is_enough(run: Run, founded: Path, tmp_path: Path) -> None:
    """Without keystore, pepper, the log's secret and the sessions; the keys stay unjudged."""
    bare = tmp_path / "salinan"
    (bare / "data").mkdir(parents=True)
    shutil.copy(founded / "suaka.toml", bare)
    shutil.copy(founded / "data" / "suaka.db", bare / "data")
    answer = run("audit", "verify", bare)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("notice    1: cases whose shred key is not here")
    assert sorted(one.name for one in bare.iterdir()) == ["data", "suaka.toml"]


def test_what_is_wrong_comes_first_and_ends_in_1(run: Run, founded: Path) -> None:
    execute(founded, "DELETE FROM leaf WHERE number = 0")
    execute(founded, "UPDATE \"case\" SET state = 'selesai'")
    answer = run("audit", "verify", founded)
    assert answer.exit_code == 1
    lines = answer.stdout.splitlines()
    assert lines[0] == ("missing   leaf 0: the tree has a leaf here, but its row was removed")
    (changed,) = [line for line in lines if line.startswith("changed")]
    assert ", column state: this column of the case is not what was signed" in changed
    assert "case WBS-" in changed
    assert any(line.startswith("NOT SOUND: ") for line in lines)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"case\" SET ticket = x'1b5b324aff1b5b324aff1b5b'",
        "UPDATE leaf SET case_id = x'1b5b324aff' WHERE event = 'submit'",
        "UPDATE leaf SET body = CAST(x'ff' AS TEXT) WHERE event = 'submit'",
    ],
)
def test_bytes_in_the_place_of_texts_hide_no_finding(
    run: Run, founded: Path, statement: str
) -> None:
    """Nor does the terminal obey them."""
    execute(founded, statement)
    answer = run("audit", "verify", founded)
    assert answer.exit_code == 1
    assert answer.stdout.splitlines()[-1].startswith("NOT SOUND: ")
    assert "\x1b" not in answer.stdout
    assert "bad  log: changed: " in run("doctor", founded).stdout


def test_an_edit_of_holidays_is_vouched_for(run: Run, founded: Path) -> None:
    """The leaf of the command names the days, and that of the genesis the ones that were seeded."""
    day = ("2027-06-30", "cuti_bersama")
    assert run("holidays", founded, "--add", *day, "Contoh", "--source", "SKB").exit_code == 0
    assert run("audit", "verify", founded).stdout.endswith("SOUND\n")
    for version in (1, 2):
        execute(founded, f"DELETE FROM holiday WHERE calendar = {version} AND day < '2026-12-31'")
    told = run("audit", "verify", founded).stdout.splitlines()
    assert [line.partition(":")[0] for line in told if line.startswith("changed")] == [
        "changed   leaf 0, holidays, version 1",
        "changed   leaf 2, holidays, version 2",
    ]


def test_a_shorter_log_than_others_hold_is_missing(run: Run, founded: Path, held: Path) -> None:
    with opened(founded) as (office, _), office.read() as uow:
        signer = keys.signer(uow)
    longer = Checkpoint(signer.key.name, 999, bytes(32)).sign([signer]).to_text()
    held.write_text(longer, "utf-8")
    answer = run("audit", "verify", founded, "--checkpoint", held)
    assert answer.exit_code == 1
    assert answer.stdout.startswith("missing   catatan.txt, size 999: others hold a larger log")


@pytest.mark.parametrize("content", [b"", b"\xff", b"Selamat siang\n"])
def test_a_file_that_cannot_be_read_is_wrong_usage(
    run: Run, founded: Path, held: Path, content: bytes
) -> None:
    held.write_bytes(content)
    answer = run("audit", "verify", founded, "--checkpoint", held)
    assert answer.exit_code == 2
    assert f"{held} holds no signed checkpoint" in answer.stderr
    answer = run("audit", "verify", founded, "--witness-key", held)
    assert answer.exit_code == 2
    assert "no public key of a witness" in answer.stderr


def test_an_instance_that_cannot_be_read_is_not_judged(
    run: Run, founded: Path, tmp_path: Path
) -> None:
    """1 is the word for a log that is wrong; of these nothing is known."""
    assert run("audit", "verify", tmp_path).exit_code == 2
    (founded / "data" / "suaka.db").write_bytes(b"x" * 8192)
    answer = run("audit", "verify", founded)
    assert answer.exit_code == 2
    assert "locked, damaged or none at all" in answer.stderr


def test_of_very_many_findings_the_first_are_shown(
    run: Run, founded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "SHOWN", 1)
    execute(founded, "UPDATE leaf SET body = '{}'")
    lines = run("audit", "verify", founded).stdout.splitlines()
    changed = [line for line in lines if line.startswith("changed")]
    assert len(changed) == 2
    assert changed[1].endswith(" more")


def test_everything_that_can_be_found_has_a_sentence_and_a_kind() -> None:
    assert set(audit_words.SENTENCES) == set(What)
    assert {what.kind for what in What} == set(Kind)
    for what in What:
        line = audit_words.line(Finding(what, leaf=3, case="a" * 32, name="nama"))
        assert line.startswith(what.kind.value)
        assert "leaf 3" in line
        assert "nama" in line


def test_a_case_that_nobody_can_open_is_missing_its_key(run: Run, founded: Path) -> None:
    """The keystore is there: that it lacks a key is damage, other than with a copy of data/."""
    with opened(founded) as (office, _), office.keystore.engine.begin() as connection:
        connection.execute(delete(SHRED_KEYS))
    answer = run("audit", "verify", founded)
    assert answer.exit_code == 1
    assert answer.stdout.startswith("missing   case WBS-")
    assert ", shred key 1: the keystore lacks the key" in answer.stdout.splitlines()[0]


def test_the_reason_of_an_erasure_cannot_forge_a_line() -> None:
    told = Finding(What.ERASED, leaf=7, name="3 leaves: lewat\u202e\x1b[2J")
    assert audit_words.line(told).startswith("notice    leaf 7, 3 leaves: lewat??[2J: ")
