"""QR codes of attributes alone: what is drawn is what was given, and nothing else is in it."""

import re
from html.parser import HTMLParser

import segno
from markupsafe import Markup

from portal.staff import qr

TEXT = "otpauth://totp/Suaka%20Contoh:operator?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.data += data


def drawn(svg: str) -> list[list[int]]:
    """Paint the strokes of a drawing into rows of modules: 1 is dark."""
    size = int(re.findall(r'viewBox="0 0 (\d+) \1"', svg)[0])
    rows = [[0] * size for _ in range(size)]
    (path,) = re.findall(r'stroke="#000" d="([^"]+)"', svg)
    x, y = 0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            for column in range(x, x + int(values[0])):
                rows[int(y)][column] = 1
            x += int(values[0])
        elif command == "M":
            x, y = int(values[0]), values[1]
        else:
            x, y = x + int(values[0]), y + values[1]
    return rows


def test_what_is_drawn_is_the_code_within_its_quiet_zone() -> None:
    """Module for module, with four white ones on every side."""
    expected = [
        [int(module) for module in row]
        for row in segno.make(TEXT, error="m", micro=False).matrix_iter(border=4)
    ]
    assert drawn(qr.svg(TEXT)) == expected
    assert not any(map(any, expected[:4]))


def test_the_drawing_needs_no_leave_from_the_policy() -> None:
    """No style, script, identifier, address or text; black on white whatever the theme."""
    svg = qr.svg(TEXT)
    assert isinstance(svg, Markup)
    tags = Tags()
    tags.feed(svg)
    assert [tag for tag, _ in tags.found] == ["svg", "path", "path"]
    assert set(tags.found[0][1]) == {"viewbox", "class"}
    assert tags.found[1][1]["fill"] == "#fff"
    assert set(tags.found[1][1]) == {"fill", "d"}
    assert set(tags.found[2][1]) == {"stroke", "d"}
    assert not tags.data.strip()


def test_markup_in_the_text_is_drawn_and_not_written() -> None:
    assert "script" not in qr.svg("<script>1</script>")


def test_a_secret_is_read_in_groups_of_four() -> None:
    assert qr.grouped("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").split() == [
        *("ABCD", "EFGH", "IJKL", "MNOP", "QRST", "UVWX", "YZ23", "4567")
    ]
