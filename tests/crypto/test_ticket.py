import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import Malformed
from crypto.ticket import make, parse

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ENTROPY = st.binary(min_size=5, max_size=40)
TICKETS = ENTROPY.map(make)


def times(a: int, b: int) -> int:
    """Multiplication in GF(2^5), as polynomials modulo x^5 + x^2 + 1."""
    product = 0
    for place in range(5):
        if b >> place & 1:
            product ^= a << place
    for place in range(8, 4, -1):
        if product >> place & 1:
            product ^= 0b100101 << (place - 5)
    return product


@given(ENTROPY)
def test_a_ticket_is_35_bits_and_a_sum_over_gf_32(entropy: bytes) -> None:
    ticket = make(entropy)
    assert ticket[:4] == "WBS-"
    values = [ALPHABET.index(character) for character in ticket[4:]]
    bits = f"{int.from_bytes(entropy[:5], 'big'):040b}"[:35]
    assert values[:7] == [int(bits[i : i + 5], 2) for i in range(0, 35, 5)]
    total, weight = 0, 1
    for value in [values[7], *values[:7]]:
        total ^= times(value, weight)
        weight = times(weight, 2)
    assert total == 0


@given(TICKETS)
def test_a_ticket_is_read_as_it_was_made(ticket: str) -> None:
    assert parse(ticket) == ticket


@given(TICKETS, st.data())
def test_the_ways_in_which_people_type_are_forgiven(ticket: str, data: st.DataObject) -> None:
    typed = ticket if data.draw(st.booleans()) else ticket.removeprefix("WBS-")
    for plain, similar in ("0", "Oo"), ("1", "IiLl"):
        typed = typed.replace(plain, data.draw(st.sampled_from([plain, *similar])))
    characters = [data.draw(st.sampled_from([c, c.lower()])) for c in typed]
    gaps = st.sampled_from(["", " ", "-", "\n", "\t", "\u2013", "\u00a0", "\u200b", " - "])
    spread = "".join(data.draw(gaps) + character for character in characters) + data.draw(gaps)
    assert parse(spread) == ticket


@given(TICKETS)
def test_every_single_wrong_character_is_noticed(ticket: str) -> None:
    for place in range(4, 12):
        for character in ALPHABET:
            if character != ticket[place]:
                with pytest.raises(Malformed, match=r"^ticket: check character does not fit$"):
                    parse(ticket[:place] + character + ticket[place + 1 :])


@given(TICKETS)
def test_every_exchange_of_two_characters_is_noticed(ticket: str) -> None:
    """Of neighbours, which is what people do, and of any others, too."""
    for first in range(4, 12):
        for second in range(first + 1, 12):
            characters = list(ticket)
            characters[first], characters[second] = characters[second], characters[first]
            if ticket[first] != ticket[second]:
                with pytest.raises(Malformed, match=r"^ticket: check character does not fit$"):
                    parse("".join(characters))


def test_a_body_that_begins_like_the_prefix_keeps_its_letters() -> None:
    value = int("".join(f"{ALPHABET.index(character):05b}" for character in "WBSWBS0") + "00000", 2)
    ticket = make(value.to_bytes(5, "big"))
    assert ticket.startswith("WBS-WBSWBS0")
    assert parse(ticket) == parse(ticket[4:]) == ticket


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WBS-",
        "WBS-0000000",
        "WBS-000000000",
        "0000000",
        "000000000",
        "XYZ-00000000",
        "WBS-0000000U",
        "WBS-0000000!",
        "WBS-WBS-00000000",
        "00000000WBS",
    ],
)
def test_what_has_another_form_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"^ticket: not eight characters of its alphabet$"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["WBS-0000000\u0660", "W\u00dfS-00000000", "\uff10" * 8, "\u0131" * 8]
)
def test_foreign_letters_and_digits_are_refused_not_guessed(text: str) -> None:
    with pytest.raises(Malformed, match=r"^ticket: foreign character$"):
        parse(text)


def test_a_refusal_does_not_quote_what_was_typed() -> None:
    for text in ("WBS-KANARI00", "KANAR\u00cf", "KANARI"):
        with pytest.raises(Malformed) as caught:
            parse(text)
        assert "KANAR" not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("size", [0, 4])
def test_too_little_entropy_is_refused(size: int) -> None:
    with pytest.raises(Malformed, match=r"^ticket: not enough entropy$"):
        make(bytes(size))


def test_tickets_never_change_since_they_are_on_paper() -> None:
    assert make(bytes(5)) == "WBS-00000000"
    assert make(bytes.fromhex("0443214c76")) == "WBS-0H1J2K3J"
