from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import checkpoint, merkle, note
from crypto.checkpoint import Checkpoint
from crypto.errors import Malformed, Tampered
from crypto.note import Kind, NoteSigner, SignedNote

FOLDER = Path(__file__).parents[1] / "vectors" / "note"
ORIGIN = "contoh.example/log"
ROOT = bytes(range(32))
LOG = NoteSigner(ORIGIN, Kind.LOG, bytes(range(32)))
WITNESS = NoteSigner("saksi.example", Kind.WITNESS, bytes(range(1, 33)))
HERE = Checkpoint(ORIGIN, 256, ROOT)

lines = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1)


def text(size: str = "256", root: str = note.encode(ROOT), more: str = "") -> str:
    return f"{ORIGIN}\n{size}\n{root}\n{more}"


def test_the_example_of_c2sp_is_read() -> None:
    signed = SignedNote.from_bytes((FOLDER / "c2sp.txt").read_bytes())
    found = Checkpoint.from_text(signed.text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.root.hex().startswith("0ac5186a91863e8e")
    assert found.extensions == ()
    assert found.to_text() == signed.text


def test_three_lines_are_what_is_signed() -> None:
    assert HERE.to_text() == text()
    signed = HERE.sign([LOG, WITNESS])
    assert signed.text == text()
    assert [one.name for one in signed.signatures] == [ORIGIN, "saksi.example"]
    assert checkpoint.of(SignedNote.from_text(signed.to_text()), [LOG.key]) == HERE


@given(
    lines.filter(lambda one: len(one) <= note.MAX_NAME),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(lines).map(tuple),
)
@settings(max_examples=50)
def test_what_was_written_is_read(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    one = Checkpoint(origin, size, root, extensions)
    assert Checkpoint.from_text(one.to_text()) == one
    assert Checkpoint.from_text(one.sign([LOG]).text) == one


def test_further_lines_are_read_and_covered() -> None:
    one = replace(HERE, extensions=("satu", "dua"))
    assert one.to_text() == text(more="satu\ndua\n")
    assert checkpoint.of(one.sign([LOG]), [LOG.key]) == one
    with pytest.raises(Tampered):
        checkpoint.of(SignedNote(text(more="satu\n"), one.sign([LOG]).signatures), [LOG.key])


BAD_NUMBERS = ["00", "01", "0256", "+1", "-1", "1_0", "1.0", "1e3", "0x1", "a"]
BAD_NUMBERS += ["\u0661", "\uff11", "\xb2"]
BAD_NUMBERS += ["", " 1", "1 ", "1\n", str(2**63), str(2**64), "1" * 20, "9" * 5_000]


@pytest.mark.parametrize("size", BAD_NUMBERS)
def test_a_size_has_one_form(size: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.from_text(text(size))
    with pytest.raises(Malformed, match="not a number"):
        checkpoint.number(size)


@pytest.mark.parametrize("number", [0, 1, 9, 10, 2**63 - 1])
def test_numbers_up_to_the_largest_size_are_read(number: int) -> None:
    assert checkpoint.number(str(number)) == number


@pytest.mark.parametrize("root", [b"", ROOT[:-1], ROOT + b"\0", ROOT + ROOT])
def test_a_root_has_32_bytes(root: bytes) -> None:
    with pytest.raises(Malformed):
        Checkpoint.from_text(text(root=note.encode(root)))
    with pytest.raises(Malformed):
        replace(HERE, root=root).sign([LOG])


def test_a_root_is_canonical_base64() -> None:
    encoded = note.encode(ROOT)
    assert encoded.endswith("8=")
    for wrong in (encoded[:-1], encoded[:-2] + "9=", f"{encoded}=", f" {encoded}", encoded[::-1]):
        with pytest.raises(Malformed, match="base64"):
            Checkpoint.from_text(text(root=wrong))


def test_the_empty_tree_has_the_empty_root() -> None:
    empty = Checkpoint.from_text(text("0", note.encode(merkle.EMPTY_ROOT)))
    assert empty == Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT)
    with pytest.raises(Malformed, match="not a root"):
        Checkpoint.from_text(text("0"))
    with pytest.raises(Malformed, match="not a root"):
        Checkpoint(ORIGIN, 0, ROOT).sign([LOG])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "\n",
        "\n\n\n",
        ORIGIN,
        f"{ORIGIN}\n256\n",
        f"{ORIGIN}\n\n256\n{note.encode(ROOT)}\n",
        f"\n{text()}",
        text().removeprefix(ORIGIN),
        text().removesuffix("\n"),
        text().replace("\n", "\r\n"),
        text(more="x"),
        text(more="\n"),
        text(more="\nx\n"),
        text(more="x\n\n"),
    ],
)
def test_a_checkpoint_has_three_lines_and_no_empty_one(wrong: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.from_text(wrong)


def test_an_origin_has_at_most_255_characters() -> None:
    longest = replace(HERE, origin="é" * 255)
    assert Checkpoint.from_text(longest.to_text()) == longest
    with pytest.raises(Malformed, match="255"):
        Checkpoint.from_text(replace(HERE, origin="x" * 256).to_text())


@pytest.mark.parametrize(
    "wrong",
    [
        replace(HERE, origin=""),
        replace(HERE, origin=f"{ORIGIN}\n512"),
        replace(HERE, origin=f"{text()}x"),
        replace(HERE, origin="x" * 256),
        replace(HERE, origin="a\x00"),
        replace(HERE, size=-1),
        replace(HERE, size=2**63),
        replace(HERE, extensions=("",)),
        replace(HERE, extensions=("a\nb",)),
        replace(HERE, extensions=("a\r",)),
    ],
)
def test_a_log_does_not_sign_what_reads_as_something_else(wrong: Checkpoint) -> None:
    with pytest.raises(Malformed):
        wrong.sign([LOG])


# Whose it is


def test_only_the_log_that_is_named_speaks_for_itself() -> None:
    other = NoteSigner("lain.example", Kind.LOG, bytes(range(2, 34)))
    signed = HERE.sign([other])
    with pytest.raises(Tampered, match="nobody known"):
        checkpoint.of(signed, [other.key, LOG.key])
    assert checkpoint.of(HERE.sign([other, LOG]), [other.key, LOG.key]) == HERE


def test_a_witness_of_the_name_of_the_log_is_not_the_log() -> None:
    witness = NoteSigner(ORIGIN, Kind.WITNESS, bytes(range(32)))
    with pytest.raises(Tampered, match="nobody known"):
        checkpoint.of(HERE.sign([witness]), [witness.key, LOG.key])


def test_a_log_may_have_a_new_key_beside_its_old_one() -> None:
    new = NoteSigner(ORIGIN, Kind.LOG, bytes(range(3, 35)))
    for signers in ([LOG], [new], [LOG, new]):
        assert checkpoint.of(HERE.sign(signers), [LOG.key, new.key]) == HERE


def test_another_size_or_root_under_the_same_signature_is_refused() -> None:
    signatures = HERE.sign([LOG]).signatures
    for changed in (replace(HERE, size=257), replace(HERE, root=bytes(32))):
        with pytest.raises(Tampered, match="does not fit"):
            checkpoint.of(SignedNote(changed.to_text(), signatures), [LOG.key])


def test_a_note_that_is_no_checkpoint_is_malformed_whoever_signed_it() -> None:
    signed = SignedNote("hanya teks\n", (LOG.sign("hanya teks\n"),))
    with pytest.raises(Malformed, match="three lines"):
        checkpoint.of(signed, [LOG.key])
