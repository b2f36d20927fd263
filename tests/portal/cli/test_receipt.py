"""``suaka receipt verify``: what is proven in plain words, what is not, and which part fails."""

from pathlib import Path

import pytest
from click.testing import Result

from tests.casework.log import mishaps, receipts
from tests.portal.cli.conftest import Run

KEY = receipts.KEY.hex()
WORDS = {
    "file": "damaged",
    "large": "larger",
    "signer": "unknown key",
    "forged": "signature is wrong",
    "tree": "not in the tree",
    "event": "no report received",
    "text": "another text",
    "key": "64 hex digits",
    "keys": "not the public keys",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bukti.txt"
    path.write_text(receipts.receipt(), "utf-8")
    return path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "laporan.json"
    path.write_bytes(receipts.REPORT)
    return path


def verify(
    run: Run, file: Path, *more: object, keys: object = receipts.VKEY, typed: str = ""
) -> Result:
    return run("receipt", "verify", file, "--log-key", keys, *more, text=typed)


def test_says_what_is_proven_and_what_is_not(run: Run, file: Path) -> None:
    answer = verify(run, file)
    assert answer.exit_code == 0
    proven, _, not_proven = answer.stdout.partition("NOT PROVEN")
    assert f"ticket {receipts.TICKET} was received on 2026-11-23" in proven
    assert f"record {receipts.INDEX + 1} of {receipts.SIZE}" in proven
    assert "byte for byte" not in proven
    assert "Who reported" in not_proven
    assert "What the report said" in not_proven
    assert "where you took it from" in not_proven


@pytest.mark.parametrize(
    ("given", "typed"), [((), KEY), (("--key", "-"), KEY), (("--key", KEY), "")]
)
def test_with_text_and_key_it_says_what_was_reported(
    run: Run, file: Path, text: Path, given: tuple[str, ...], typed: str
) -> None:
    """And asks for the key unless it was given; it is never repeated."""
    answer = verify(run, file, "--text", text, *given, typed=f"{typed}\n")
    assert answer.exit_code == 0
    proven, _, not_proven = answer.stdout.partition("NOT PROVEN")
    assert "exactly what is in laporan.json" in proven
    assert "Who reported" in not_proven
    assert "What the report said" not in not_proven
    assert KEY not in answer.output


def test_a_file_of_keys_is_read_as_it_is_published(run: Run, file: Path, tmp_path: Path) -> None:
    listed = tmp_path / "kunci.txt"
    listed.write_text(f"# kunci lama\n{receipts.NEXT.key.to_text()}\n\n{receipts.VKEY}\n", "utf-8")
    assert verify(run, file, keys=listed).exit_code == 0


@pytest.mark.parametrize("verdict", WORDS)
def test_a_refusal_is_one_line_that_names_the_part(
    run: Run, tmp_path: Path, file: Path, text: Path, verdict: str
) -> None:
    attempt = next(one for one in mishaps.attempts() if one.verdict == verdict)
    file.write_bytes(attempt.file)
    if attempt.text is not None:
        text.write_bytes(attempt.text)
    keys: object = attempt.keys
    if verdict == "keys":
        keys = tmp_path / "kunci.txt"
        Path(str(keys)).write_text(attempt.keys, "utf-8")
    more = () if attempt.text is None else ("--text", text)
    answer = verify(run, file, *more, keys=keys, typed=f"{attempt.key}\n")
    assert answer.exit_code == 1
    assert answer.stdout.removeprefix("Key of the report: ").strip() == ""
    assert WORDS[verdict] in answer.stderr


@pytest.mark.parametrize("content", [b"\xff\xfe", b""])
def test_a_file_without_keys_is_refused(
    run: Run, file: Path, tmp_path: Path, content: bytes
) -> None:
    listed = tmp_path / "kunci.txt"
    listed.write_bytes(content)
    answer = verify(run, file, keys=listed)
    assert answer.exit_code == 1
    assert WORDS["keys"] in answer.stderr


def test_neither_a_key_nor_a_file(run: Run, file: Path, tmp_path: Path) -> None:
    answer = verify(run, file, keys=tmp_path / "tidak ada")
    assert answer.exit_code == 1
    assert WORDS["keys"] in answer.stderr


def test_a_key_without_a_text_is_wrong_usage(run: Run, file: Path) -> None:
    answer = verify(run, file, "--key", KEY)
    assert answer.exit_code == 2
    assert "--text" in answer.stderr
    assert KEY not in answer.output


def test_the_help_warns_of_a_key_on_the_command_line(run: Run) -> None:
    answer = run("receipt", "verify", "--help")
    assert "other users of this machine" in " ".join(answer.stdout.split())
