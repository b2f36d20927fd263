from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle, note, tlog_proof
from crypto.checkpoint import Checkpoint
from crypto.errors import CryptoError, LimitExceeded, Malformed, Tampered
from crypto.note import Kind, NoteSigner
from crypto.tlog_proof import TlogProof
from tests.crypto.trees import Tree, entry

ORIGIN = "contoh.example/log"
LOG = NoteSigner(ORIGIN, Kind.LOG, bytes(range(32)))
WITNESS = NoteSigner("saksi.example", Kind.WITNESS, bytes(range(1, 33)))
TREE = Tree(*(entry(index) for index in range(13)))
HERE = Checkpoint(ORIGIN, 13, TREE.root())
SIGNED = HERE.sign([LOG, WITNESS])


def proof(index: int, extra: bytes = b"") -> TlogProof:
    return TlogProof(index, tuple(merkle.prove_inclusion(TREE.at, index, 13)), SIGNED, extra)


PROOF = proof(5, b"tambahan")
TEXT = PROOF.to_text()
HEAD, TAIL = TEXT.split("\n\n", 1)
FIRST, EXTRA, INDEX, *PATH = HEAD.split("\n")


def text(*lines: str) -> str:
    return "\n".join((*lines, "", TAIL))


@pytest.mark.parametrize("extra", [b"", b"\x00\xff"])
@pytest.mark.parametrize("index", range(13))
def test_every_leaf_has_a_proof_that_is_read_as_it_was_written(index: int, extra: bytes) -> None:
    one = proof(index, extra)
    again = TlogProof.from_text(one.to_text())
    assert again == one
    assert again.check(entry(index), [LOG.key]) == HERE


def test_a_proof_is_written_line_by_line() -> None:
    encoded = [note.encode(step) for step in PROOF.path]
    lines = [tlog_proof.FIRST_LINE, f"extra {note.encode(b'tambahan')}", "index 5", *encoded]
    assert "\n".join([*lines, "", SIGNED.to_text()]) == TEXT
    assert lines[0] == "c2sp.org/tlog-proof@v1"


def test_a_tree_of_one_leaf_needs_no_hashes() -> None:
    tree = Tree(b"satu")
    here = Checkpoint(ORIGIN, 1, tree.root())
    one = TlogProof(0, (), here.sign([LOG]))
    assert one.to_text().startswith("c2sp.org/tlog-proof@v1\nindex 0\n\ncontoh.example/log\n1\n")
    assert TlogProof.from_text(one.to_text()).check(b"satu", [LOG.key]) == here


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    st.binary(),
)
@settings(max_examples=50)
def test_what_was_written_is_read(index: int, path: tuple[bytes, ...], extra: bytes) -> None:
    one = TlogProof(index, path, SIGNED, extra)
    assert TlogProof.from_text(one.to_text()) == one


def test_nobody_vouches_for_the_extra_line() -> None:
    """It may be changed or dropped, and is shown by no representation."""
    for other in (b"", b"lain"):
        assert replace(PROOF, extra=other).check(entry(5), [LOG.key]) == HERE
    assert "tambahan" not in repr(PROOF)


# The form


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        FIRST,
        TAIL,
        text(INDEX, *PATH),
        text(FIRST),
        text(FIRST, EXTRA),
        text(FIRST, EXTRA, *PATH),
        text(FIRST, EXTRA, EXTRA, INDEX, *PATH),
        text(FIRST, INDEX, EXTRA, *PATH),
        text(FIRST, INDEX, *PATH, EXTRA),
        text(FIRST, "extra ", INDEX, *PATH),
        text(FIRST, "extra", INDEX, *PATH),
        text(FIRST, "extra  YQ==", INDEX, *PATH),
        text(FIRST, "extra YR==", INDEX, *PATH),
        text(FIRST, "extra YQ", INDEX, *PATH),
        text(FIRST, "Extra YQ==", INDEX, *PATH),
        text(FIRST, INDEX, INDEX, *PATH),
        text(FIRST, "", INDEX, *PATH),
        text("", FIRST, INDEX, *PATH),
        text(f"{FIRST} ", INDEX, *PATH),
        text("c2sp.org/tlog-proof@v2", INDEX, *PATH),
        text(FIRST.upper(), INDEX, *PATH),
        text(FIRST, "Index 5", *PATH),
        text(FIRST, "index", *PATH),
        text(FIRST, "index ", *PATH),
        text(FIRST, "5", *PATH),
        text(FIRST, INDEX, *PATH, PATH[0][:-1]),
        text(FIRST, INDEX, *PATH, f"{PATH[0]} "),
        text(FIRST, INDEX, *PATH, note.encode(bytes(31))),
        text(FIRST, INDEX, *PATH, note.encode(bytes(33))),
        text(FIRST, INDEX, note.encode(bytes(64))),
        text(FIRST, INDEX, *PATH).replace("\n", "\r\n"),
        f"{HEAD}\n\n",
        f"{HEAD}\n{TAIL}",
        TEXT.removesuffix("\n"),
        f"{TEXT}\n",
        f" {TEXT}",
    ],
)
def test_what_is_no_proof_is_refused(wrong: str) -> None:
    with pytest.raises(Malformed):
        TlogProof.from_text(wrong)


@pytest.mark.parametrize(
    "index", ["05", "+5", "-1", "5 ", " 5", "5_0", "\u0665", "0x5", str(2**63)]
)
def test_an_index_has_one_form(index: str) -> None:
    with pytest.raises(Malformed, match="not a number"):
        TlogProof.from_text(text(FIRST, f"index {index}", *PATH))


def test_a_path_has_at_most_63_hashes() -> None:
    assert len(TlogProof.from_text(text(FIRST, INDEX, *(PATH[:1] * 63))).path) == 63
    with pytest.raises(Malformed, match="too many hashes"):
        TlogProof.from_text(text(FIRST, INDEX, *(PATH[:1] * 64)))


def test_a_proof_has_at_most_512_kib() -> None:
    with pytest.raises(LimitExceeded, match="tlog-proof: too large"):
        TlogProof.from_text("x" * (512 * 1024 + 1))
    with pytest.raises(Malformed, match="not a proof"):
        TlogProof.from_text("x" * (512 * 1024))


def test_hashes_are_read_one_a_line() -> None:
    assert tlog_proof.hashes(PATH) == PROOF.path
    assert tlog_proof.hashes([]) == ()
    for wrong in ("", note.encode(bytes(31)), note.encode(bytes(33))):
        with pytest.raises(Malformed, match="not a hash"):
            tlog_proof.hashes([*PATH, wrong])


# What it proves


def test_damage_to_any_line_but_the_extra_one_is_refused() -> None:
    lines = proof(5).to_text().split("\n")
    for place, line in enumerate(lines[:-2]):
        for wrong in (f"{line}A", line[1:], line.swapcase(), "", f"A{line[1:]}", line[:-1]):
            if wrong == line:
                continue
            damaged = "\n".join((*lines[:place], wrong, *lines[place + 1 :]))
            with pytest.raises(CryptoError):
                TlogProof.from_text(damaged).check(entry(5), [LOG.key, WITNESS.key])
        dropped = "\n".join((*lines[:place], *lines[place + 1 :]))
        with pytest.raises(CryptoError):
            TlogProof.from_text(dropped).check(entry(5), [LOG.key])


def test_another_leaf_is_not_proved() -> None:
    for leaf in (entry(6), b"", TREE.at(0, 5), TREE.at(0, 4) + TREE.at(0, 5)):
        with pytest.raises(Tampered, match="not in this tree"):
            PROOF.check(leaf, [LOG.key])


def test_another_index_is_not_proved() -> None:
    for index in range(13):
        if index != 5:
            with pytest.raises(CryptoError):
                replace(PROOF, index=index).check(entry(5), [LOG.key])
    with pytest.raises(Malformed, match="no such leaf"):
        replace(PROOF, index=13).check(entry(5), [LOG.key])


def test_a_proof_for_another_tree_is_refused() -> None:
    for other in (Tree(*(entry(index) for index in range(12))), Tree(*[b"x"] * 13)):
        signed = Checkpoint(ORIGIN, other.size, other.root()).sign([LOG])
        with pytest.raises(CryptoError):
            replace(PROOF, signed=signed).check(entry(5), [LOG.key])


def test_a_path_of_another_length_is_malformed() -> None:
    for path in (PROOF.path[:-1], (*PROOF.path, bytes(32)), ()):
        with pytest.raises(Malformed, match="proof too"):
            replace(PROOF, path=path).check(entry(5), [LOG.key])


def test_a_checkpoint_that_its_log_did_not_sign_proves_nothing() -> None:
    other = NoteSigner("lain.example", Kind.LOG, bytes(range(2, 34)))
    for signers, keys in (
        ([LOG], [other.key]),
        ([LOG], []),
        ([WITNESS], [WITNESS.key, LOG.key]),
        ([other], [other.key, LOG.key]),
    ):
        with pytest.raises(Tampered, match="nobody known"):
            replace(PROOF, signed=HERE.sign(signers)).check(entry(5), keys)


def test_the_empty_tree_proves_nothing() -> None:
    signed = Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT).sign([LOG])
    with pytest.raises(Malformed, match="no such leaf"):
        TlogProof(0, (), signed).check(b"", [LOG.key])
