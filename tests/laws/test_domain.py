"""Laws of the domain as a whole: no plaintext at rest, no key at rest, one leaf per act."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from casework.intake import receipt, report, submit
from casework.law.engine import DocumentRef
from tests.canary import sweep
from tests.casework.cases import Filed, copy_of, file_report, full_facts, way
from tests.casework.conftest import close
from tests.casework.office import make_office, passphrase_of

ROOT = Path(__file__).parents[2]
FLOW = (
    *way("ditolak_berkas_tidak_lengkap"),
    ("reporter", "request_review"),
    ("inspektur", "reopen"),
    ("verifikator", "reject_incomplete"),
    ("reporter", "complete"),
    ("verifikator", "verify"),
    ("irban", "analyse"),
    ("irban", "forward"),
    ("inspektur", "return"),
    ("irban", "analyse"),
    ("irban", "forward"),
    ("inspektur", "assign_team"),
    ("inspektur", "order_examination"),
    ("inspektur", "send_result"),
    ("reporter", "rate"),
)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Filed, list[str]]]:
    """An office in which every input of the domain held a canary; and all that must not be found.

    Nothing is closed or checkpointed: what lies in write-ahead logs counts as well.
    """
    folder = tmp_path_factory.mktemp("walked")
    founded = make_office(folder / "founded")
    bench = copy_of(founded, folder / "office")
    secrets: list[str] = []

    def canary(name: str) -> str:
        secrets.append(f"kenari-{name}-{len(secrets):03d}-Ω")
        return secrets[-1]

    fields = {
        name: f"{'awal ' * 40}{canary(name)}{' tengah' * 40}{canary(name)}"
        for name in report.FIELDS
        if name not in {"position", *report.CHOICES}
    }
    filed = file_report(bench, **fields | {"when_state": "sudah", "fears_retaliation": "ya"})
    for user, transition in FLOW:
        facts = full_facts(bench, bench.office.profile.transition(transition))
        filed.do(
            user,
            transition,
            replace(
                facts,
                reason=canary(f"{transition}-reason"),
                note=canary(f"{transition}-note"),
                message=canary(f"{transition}-message"),
                missing_items=tuple(canary("missing") for _ in facts.missing_items),
                documents={
                    kind: DocumentRef(canary("document"), date(2026, 11, 23))
                    for kind in facts.documents
                },
            ),
        )
        filed.say("reporter", canary("reporter-message"))
        filed.say("inspektur", canary("officer-message"))
    yield filed, secrets
    close(bench)
    close(founded)


def test_nothing_typed_is_found_on_the_disk(walked: tuple[Filed, list[str]]) -> None:
    """Narrative, messages, notes, lists, numbers of letters: in no file, in no encoding."""
    filed, secrets = walked
    assert len(secrets) > 100
    assert sweep([filed.bench.folder], secrets) == []


def test_no_secret_of_a_person_is_found_on_the_disk(walked: tuple[Filed, list[str]]) -> None:
    """Words, form token, passphrases and seeds: nothing at rest decrypts anything."""
    filed, _ = walked
    people = [filed.reporter, *filed.bench.officers.values()]
    texts = [" ".join(filed.receipt.words), *(passphrase_of(user) for user in filed.bench.officers)]
    texts += [" ".join(filed.receipt.words[:3]), "".join(filed.receipt.words)]
    assert sweep([filed.bench.folder], texts) == []
    entropy = submit.entropy_of(filed.token, pepper=filed.bench.office.pepper)
    raw = [filed.token, entropy, *(one.person.seed for one in people)]
    for path in filed.bench.folder.rglob("*"):
        content = path.read_bytes()
        for secret in raw:
            assert secret not in content
            assert secret.hex().encode() not in content


def test_a_planted_canary_would_be_found(walked: tuple[Filed, list[str]], tmp_path: Path) -> None:
    """The sweep can fail: the same canary in one more file of such an office is found."""
    _, secrets = walked
    (tmp_path / "suaka.db-journal").write_bytes(b"\0" * 5000 + secrets[7].encode("utf-16-le"))
    assert [found.secret for found in sweep([tmp_path], secrets)] == [7]


def test_the_canaries_were_really_stored(walked: tuple[Filed, list[str]]) -> None:
    """What is not found sealed on the disk is read by its holders."""
    filed, secrets = walked
    shown = str([dict(piece.body) for piece in filed.file("inspektur").pieces])
    shown += str([dict(piece.body) for piece in filed.file("verifikator").pieces])
    mute = tuple(  # what a reporter's act does not ask for is not even sealed
        f"kenari-{transition}-{text}-"
        for user, transition in FLOW
        if user == "reporter"
        for text in ("reason", "note", "message")
    )
    assert [one for one in secrets if one not in shown and not one.startswith(mute)] == []


def test_no_time_of_a_reporters_visit_is_stored(walked: tuple[Filed, list[str]]) -> None:
    """Confirmed and expired receipts leave no moment behind, and no table has a time column."""
    filed, _ = walked
    office = filed.bench.office
    with office.write() as uow:
        receipt.confirm(uow, submit.submission_of(filed.token))
    moment = str(int(filed.bench.clock.now.timestamp()))
    stamp = filed.bench.clock.now.strftime("%H:%M:%S")
    for path in filed.bench.folder.glob("suaka.db*"):
        content = path.read_bytes()
        assert moment.encode() not in content
        assert stamp.encode() not in content
    columns = filed.rows(
        "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p"
        " WHERE m.type = 'table' AND upper(p.type) LIKE '%TIME%'"
    )
    assert columns == [("deadline", "due_at")]  # hours run for offices, and Badung has none
    assert filed.scalar("SELECT count(*) FROM deadline WHERE due_at IS NOT NULL") == 0


def test_only_the_act_appends_leaves_about_cases() -> None:
    """One use case, one transaction, one leaf: few places append, and all of them are known."""
    callers = set()
    for path in (ROOT / "casework").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0] if node.args else None
                if name == "append" and isinstance(first, ast.Name) and first.id == "uow":
                    callers.add(path.relative_to(ROOT / "casework").as_posix())
    assert callers == {
        "case/act.py",
        "intake/submit.py",
        "keys/enrol.py",
        "keys/factors.py",
        "keys/renewal.py",
        "keys/invitations.py",
        "case/recovered.py",
        "case/recovery_import.py",
        "keys/restoration.py",
        "handling/opening.py",
        "handling/recount.py",
        "notices/addresses.py",
        "log/erase.py",
        "log/keys.py",
    }
