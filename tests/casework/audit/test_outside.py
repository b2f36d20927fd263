"""What others hold of the log is read strictly, and each thing that is wrong with it is named."""

from pathlib import Path

import pytest

from casework.audit import outside
from casework.audit.findings import Report, What
from casework.audit.verify import verify
from casework.log import keys
from casework.log.keys import origin_of
from crypto.checkpoint import Checkpoint
from crypto.note import Kind, NoteKey, NoteSigner, Signature, SignedNote
from crypto.tlog_proof import TlogProof
from tests.casework.audit.instances import Everything, but_erasures
from witness.record import Conflict, LogRecord, folder_name


def audit(one: Everything, *paths: Path, witnesses: tuple[NoteKey, ...] = ()) -> Report:
    origin = origin_of(one.bench.office.instance_id)
    held = [found for path in paths for found in outside.read(path, origin)]
    with one.bench.office.read() as uow:
        return but_erasures(verify(uow, held, witnesses, sealed=False))


def given(tmp_path: Path, text: str, name: str = "catatan.txt") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def note_of(honest: Everything, name: str = "first") -> SignedNote:
    return SignedNote.from_text(honest.outside[name])


def test_files_of_one_of_several_and_receipts_are_read(honest: Everything, tmp_path: Path) -> None:
    several = given(tmp_path, "".join(honest.outside[one] for one in ("first", "third")), "a")
    spaced = given(tmp_path, "\n\n".join(honest.outside[one] for one in ("second", "now")), "b")
    receipt = given(tmp_path, honest.outside["receipt"], "c")
    report = audit(honest, several, spaced, receipt)
    assert report.findings == ()
    assert report.counts.outside == 5


def test_the_folder_of_a_witness_is_read(honest: Everything, tmp_path: Path) -> None:
    """Whole, or only that of this log, or its history alone; other logs do not matter."""
    origin = origin_of(honest.bench.office.instance_id)
    with honest.bench.office.read() as uow:
        first = keys.load(uow).all[0]
    stranger = NoteSigner("lain.example", Kind.LOG, bytes(32))
    (tmp_path / "logs").mkdir()
    for name, key in ((origin, first), ("lain.example", stranger.key)):
        folder = tmp_path / "logs" / folder_name(name)
        folder.mkdir()
        record = LogRecord(folder, honest.witness.key)
        record.trust(key)
        record.add(256, note_of(honest))
    mine = tmp_path / "logs" / folder_name(origin)
    for path in (tmp_path, tmp_path / "logs", mine, mine / "history"):
        report = audit(honest, path, witnesses=(honest.witness.key,))
        assert report.findings == ()
        assert report.counts.outside == 1


def test_a_fork_that_a_witness_kept_is_found(honest: Everything, tmp_path: Path) -> None:
    with honest.bench.office.read() as uow:
        signer = keys.signer(uow)
    record = LogRecord(tmp_path, honest.witness.key)
    for name in ("history", "conflicts"):
        (tmp_path / name).mkdir()
    record.add(256, note_of(honest))
    forked = Checkpoint(signer.key.name, 256, bytes(32)).sign([signer])
    record.keep_evidence(256, forked, Conflict.FORK)
    assert set(audit(honest, tmp_path).numbers) == {What.OUTSIDE_DIFFERS}


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "Selamat siang\n", "c2sp.org/tlog-proof@v1\n", "— x AAAAAA==\n",
        "a\n1\nAAAA\n\n— a AAAAAAA=\n",
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = given(tmp_path, text)
    with pytest.raises(outside.NotEvidence, match=str(path)):
        outside.read(path, "x")


@pytest.mark.parametrize("cut", [1, 30, 100])
@pytest.mark.parametrize("name", ["first", "receipt"])
def test_a_damaged_file_is_refused(honest: Everything, tmp_path: Path, cut: int, name: str) -> None:
    path = given(tmp_path, honest.outside[name][:-cut])
    with pytest.raises(outside.NotEvidence):
        outside.read(path, "x")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xff\xfe")
    for one in (path, tmp_path / "nothing"):
        with pytest.raises(outside.NotEvidence):
            outside.read(one, "x")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(outside.NotEvidence):
        outside.read(tmp_path, "x")


def found(honest: Everything, tmp_path: Path, text: str) -> set[What]:
    return set(audit(honest, given(tmp_path, text)).numbers)


def test_whoever_signed_it_must_be_of_the_chain(honest: Everything, tmp_path: Path) -> None:
    said = Checkpoint.from_text(note_of(honest).text)
    stranger = NoteSigner(said.origin, Kind.LOG, bytes(32))
    assert found(honest, tmp_path, said.sign([stranger]).to_text()) == {What.OUTSIDE_KEY}
    other = NoteSigner("lain.example", Kind.LOG, bytes(32))
    elsewhere = Checkpoint("lain.example", said.size, said.root).sign([other])
    assert found(honest, tmp_path, elsewhere.to_text()) == {What.OUTSIDE_OTHER}


def test_a_signature_that_does_not_fit_is_forged(honest: Everything, tmp_path: Path) -> None:
    text = honest.outside["first"].replace("\n256\n", "\n255\n")
    assert found(honest, tmp_path, text) == {What.OUTSIDE_FORGED}


def test_a_receipt_of_another_place_is_wrong(honest: Everything, tmp_path: Path) -> None:
    one = TlogProof.from_text(honest.outside["receipt"])
    moved = TlogProof(one.index + 1, one.path, one.signed, one.extra).to_text()
    assert found(honest, tmp_path, moved) == {What.RECEIPT_WRONG}


def test_a_receipt_of_a_leaf_that_was_replaced(own: Everything, tmp_path: Path) -> None:
    """Also where the tree of the receipt's size was never compared with anything else."""
    one = TlogProof.from_text(own.outside["receipt"])
    with own.bench.office.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE tree_node SET hash = zeroblob(32) WHERE level = 0 AND position = {one.index}"
        )
    assert {What.RECEIPT_DIFFERS, What.OUTSIDE_DIFFERS} <= found(
        own, tmp_path, own.outside["receipt"]
    )


@pytest.mark.parametrize(
    ("damage", "numbers"), [("signature", {What.COSIGNATURE_WRONG}), ("key", set())]
)
def test_a_line_in_the_name_of_a_witness_must_be_theirs(
    honest: Everything, tmp_path: Path, damage: str, numbers: set[What]
) -> None:
    """A line by another key of that name vouches for nothing; it may be an older one of theirs."""
    signed = note_of(honest)
    key = honest.witness.key
    mine = next(one for one in signed.signatures if one.name == key.name)
    flipped = Signature(
        mine.name,
        b"1234" if damage == "key" else mine.key_id,
        mine.data[:-1] + bytes([mine.data[-1] ^ 1]),
    )
    rest = tuple(one for one in signed.signatures if one != mine)
    path = given(tmp_path, SignedNote(signed.text, (*rest, flipped)).to_text())
    report = audit(honest, path, witnesses=(key,))
    assert set(report.numbers) == numbers
    assert report.vouched == {key.name: 0}
    assert audit(honest, path).sound, "of witnesses that are not given nothing is asked"


def test_the_largest_size_that_a_witness_vouches_for(honest: Everything, tmp_path: Path) -> None:
    silent = NoteSigner("diam.example", Kind.WITNESS, bytes(32))
    paths = [given(tmp_path, honest.outside[one], one) for one in ("first", "second", "third")]
    report = audit(honest, *paths, witnesses=(honest.witness.key, silent.key))
    assert report.vouched == {honest.witness.key.name: 512, silent.key.name: 0}


def test_keys_of_witnesses_are_read_strictly(honest: Everything) -> None:
    vkey = honest.witness.key.to_text()
    assert outside.witness_keys(f"# saksi\n\n{vkey}\n") == (honest.witness.key,)
    log = NoteSigner("lain.example", Kind.LOG, bytes(32)).key.to_text()
    for text in ("", "# saja", "kunci", f"{vkey}\nkunci", log):
        with pytest.raises(outside.NotWitnessKeys):
            outside.witness_keys(text)
