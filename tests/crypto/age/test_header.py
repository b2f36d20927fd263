"""The header has one spelling, is read in bounded memory, and is bound to its file key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age import Decryptor, HeaderTampered, Stanza, X25519Identity
from crypto.age.header import Header, HeaderReader, serialise
from crypto.errors import LimitExceeded, Malformed
from tests.crypto.age import vectors

FILE_KEY = b"sixteen bytes ok"
LONGEST = 1024 * 1024
VERSION = b"age-encryption.org/v1\n"
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=90)
STANZAS = st.builds(
    Stanza,
    WORDS.filter(lambda word: word != "scrypt"),
    st.lists(WORDS, max_size=3).map(tuple),
    st.binary(max_size=200),
)


def read(data: bytes, step: int = 1 << 30) -> Header | None:
    reader = HeaderReader()
    for start in range(0, len(data), step):
        reader.feed(memoryview(data[start : start + step]))
    return reader.header


@given(st.lists(STANZAS, min_size=1, max_size=4), st.integers(1, 200))
def test_round_trip_in_any_pieces(stanzas: list[Stanza], step: int) -> None:
    header = read(serialise(stanzas, FILE_KEY), step)
    assert header is not None
    assert list(header.stanzas) == stanzas
    header.verify(FILE_KEY)
    with pytest.raises(HeaderTampered):
        header.verify(bytes(16))


def test_the_mac_is_the_one_that_other_implementations_make() -> None:
    header = read(vectors.load(vectors.FOLDER / "x25519").data)
    assert header is not None
    header.verify(b"YELLOW SUBMARINE")


def test_what_follows_the_header_is_left_alone() -> None:
    data = serialise([Stanza("x", (), b"")], FILE_KEY)
    reader = HeaderReader()
    assert reader.feed(memoryview(data + b"payload")) == len(data)
    assert reader.header is not None
    assert reader.feed(memoryview(b"more")) == 0


@pytest.mark.parametrize("size", [0, 1, 47, 48, 49, 96])
def test_a_body_ends_with_a_short_line(size: int) -> None:
    """A body that fills its last line is followed by an empty one."""
    text = serialise([Stanza("x", (), bytes(size))], FILE_KEY)
    header, lines = read(text), text.split(b"\n")[2:-2]
    assert header is not None
    assert header.stanzas[0].body == bytes(size)
    assert all(len(line) == 64 for line in lines[:-1])
    assert len(lines[-1]) < 64
    assert len(lines) == size // 48 + 1


@pytest.mark.parametrize("word", ["", "a b", "a\n", "ä", "\x7f"])
def test_an_argument_that_would_break_the_grammar_is_never_written(word: str) -> None:
    for stanza in (Stanza(word, (), b""), Stanza("x", (word,), b"")):
        with pytest.raises(Malformed):
            serialise([stanza], FILE_KEY)


def test_a_header_without_stanzas_is_neither_written_nor_read() -> None:
    with pytest.raises(Malformed):
        serialise([], FILE_KEY)
    with pytest.raises(Malformed, match="no stanza"):
        read(VERSION + b"--- " + b"A" * 43 + b"\n")


MAC_LINE = b"--- " + b"A" * 43 + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"age-encryption.org/v2",
        b"age-encryption.org/v1\r\n",
        b"age-encryption.org/v1 \n",
        b"\nage-encryption.org/v1\n",
        b"-----BEGIN AGE ENCRYPTED FILE-----\n",
        VERSION + b"->\n\n" + MAC_LINE,
        VERSION + b"-> \n\n" + MAC_LINE,
        VERSION + b"-> a  b\n\n" + MAC_LINE,
        VERSION + b"-> a \n\n" + MAC_LINE,
        VERSION + b"-> a\r\n\n" + MAC_LINE,
        VERSION + b"-> \xe4\n\n" + MAC_LINE,
        VERSION + b"->a\n\n" + MAC_LINE,
        VERSION + b"-> a\nQQ==\n" + MAC_LINE,
        VERSION + b"-> a\nQR\n" + MAC_LINE,
        VERSION + b"-> a\n" + MAC_LINE,
        VERSION + b"-> a\n\n\n" + MAC_LINE,
        VERSION + b"-> a\n" + b"A" * 65 + b"\n\n" + MAC_LINE,
        VERSION + b"-> a\n" + b"A" * 68 + b"\n\n" + MAC_LINE,
        VERSION + b"-> a\n\n---\n",
        VERSION + b"-> a\n\n--- \n",
        VERSION + b"-> a\n\n---- " + MAC_LINE[4:],
        VERSION + b"-> a\n\n--- " + b"A" * 42 + b"\n",
        VERSION + b"-> a\n\n--- " + b"A" * 44 + b"\n",
        VERSION + b"-> a\n\n--- " + b"A" * 42 + b"B\n",
        VERSION + b"-> a\n\n--- " + b"A" * 43 + b" \n",
        VERSION + b"-> a\n\n--- " + b"A" * 43 + b"\r\n",
        VERSION + b"-> scrypt a 1\n\n-> a\n\n" + MAC_LINE,
    ],
)
def test_every_other_spelling_is_refused(data: bytes) -> None:
    for step in (1, len(data)):
        with pytest.raises(Malformed):
            read(data, step)
    assert read(VERSION + b"-> a\n\n" + MAC_LINE) is not None


def test_a_file_under_a_passphrase_is_well_formed() -> None:
    """It is for somebody else, which is no reason to call it broken."""
    assert read(VERSION + b"-> scrypt a 1\n\n" + MAC_LINE) is not None


def test_a_file_that_is_no_age_file_is_refused_at_its_first_wrong_byte() -> None:
    reader = HeaderReader()
    reader.feed(memoryview(b"age-"))
    with pytest.raises(Malformed):
        reader.feed(memoryview(b"x"))


@pytest.mark.parametrize(
    "piece",
    [b"-> " + b"a" * 70_000, b"-> a\n" + b"A" * 64 + b"\n", b"-> a " + b"b" * 5000 + b"\n\n"],
)
def test_a_header_may_not_grow_without_end(piece: bytes) -> None:
    reader = HeaderReader()
    reader.feed(memoryview(VERSION + piece))
    follow = piece.removeprefix(b"-> a\n") if b"A" in piece else piece.removeprefix(b"-> ")
    follow = piece if piece.endswith(b"\n\n") else follow
    with pytest.raises(LimitExceeded):  # noqa: PT012
        for _ in range(LONGEST // len(follow) + 1):
            reader.feed(memoryview(follow))


def test_the_longest_header_is_read_and_one_byte_more_is_not() -> None:
    frame = len(serialise([Stanza("x", ("a",), b"")], FILE_KEY)) - 1
    longest = serialise([Stanza("x", ("a" * (LONGEST - frame),), b"")], FILE_KEY)
    assert len(longest) == LONGEST
    assert read(longest) is not None
    with pytest.raises(LimitExceeded):
        read(serialise([Stanza("x", ("a" * (LONGEST - frame + 1),), b"")], FILE_KEY))


def test_the_most_stanzas_are_read_and_one_more_is_not() -> None:
    stanza = Stanza("x", (), b"")
    assert read(serialise([stanza] * 1024, FILE_KEY)) is not None
    with pytest.raises(LimitExceeded):
        read(serialise([stanza] * 1025, FILE_KEY))


def test_a_limit_reaches_the_caller_of_the_decryptor() -> None:
    decryptor = Decryptor([X25519Identity.generate()])
    with pytest.raises(LimitExceeded):
        decryptor.update(VERSION + b"-> " + b"a" * LONGEST)
