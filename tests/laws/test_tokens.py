"""Law: whatever is written on a page can be read, by day and by night.

The stylesheet gives each colour a family: ``--ink*`` is text, ``--ground*`` is what text lies on,
``--fill-x`` carries ``--on-x``, ``--edge-*`` draws controls and the focus ring, ``--rule`` only
decorates. Contrast is computed from the tokens by WCAG 2.2 (relative luminance).
"""

import re
from pathlib import Path

import pytest

SHEET = Path(__file__).parents[2] / "static" / "suaka.css"
TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3.0
COLOUR_VALUES = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|rgba|hsl|hsla|oklch|oklab|lab|lch)\(")
NEUTRAL_VALUES = {"inherit", "currentcolor", "transparent", "none"}

Tokens = dict[str, str]


def _sheet() -> str:
    return re.sub(r"/\*.*?\*/", "", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)


def _block(text: str, opening: str) -> str:
    """Return what stands between the braces that ``opening`` opens."""
    start = text.index(opening) + len(opening)
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[start:position]
    raise AssertionError(opening)


def _colours(block: str) -> Tokens:
    found = re.findall(r"(--[a-z-]+):\s*(#[0-9a-fA-F]{6});", block)
    return dict(found)


def _themes() -> dict[str, Tokens]:
    tokens = _block(_sheet(), "@layer tokens {")
    dark = _block(tokens, "@media (prefers-color-scheme: dark) {")
    light = tokens.replace(dark, "")
    printed = _block(_block(_sheet(), "@layer print {"), "@media print {")
    by_day = _colours(light)
    return {
        "light": by_day,
        "dark": by_day | _colours(dark),
        "print from light": by_day | _colours(printed),
        "print from dark": by_day | _colours(dark) | _colours(printed),
    }


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two ``#rrggbb`` colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _family(tokens: Tokens, prefix: str) -> list[str]:
    return [name for name in tokens if name == prefix or name.startswith(prefix + "-")]


def _pairs(tokens: Tokens) -> list[tuple[str, str, float]]:
    grounds = _family(tokens, "--ground")
    pairs = [(ink, ground, TEXT_CONTRAST) for ink in _family(tokens, "--ink") for ground in grounds]
    pairs += [
        (edge, ground, EDGE_CONTRAST) for edge in _family(tokens, "--edge") for ground in grounds
    ]
    pairs += [
        (on, fill, TEXT_CONTRAST)
        for on in _family(tokens, "--on")
        for fill in _family(tokens, on.replace("--on-", "--fill-"))
    ]
    return pairs


def _rules() -> list[tuple[str, dict[str, str]]]:
    """Return (selector, declarations) of each innermost rule outside the tokens."""
    sheet = _sheet()
    sheet = sheet.replace(_block(sheet, "@layer tokens {"), "")
    return [
        (selector.strip(), dict(re.findall(r"([a-z-]+):\s*([^;]+);", body)))
        for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", sheet)
        if not selector.strip().startswith(":root")
    ]


def test_contrast_is_computed_as_wcag_defines_it() -> None:
    """The measure itself is right: black on white is 21, a known grey is just below 4.5."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("theme", ["light", "dark", "print from light", "print from dark"])
def test_every_text_is_readable_on_every_ground(theme: str) -> None:
    """Text reaches 4.5 : 1 and borders of controls 3 : 1, wherever they may stand."""
    tokens = _themes()[theme]
    pairs = _pairs(tokens)
    assert len(pairs) > 80, "the tokens were not read"
    weak = [
        f"{front} on {back}: {contrast(tokens[front], tokens[back]):.2f}"
        for front, back, least in pairs
        if contrast(tokens[front], tokens[back]) < least
    ]
    assert not weak


def test_day_night_and_paper_declare_the_same_colours() -> None:
    """No colour of the day is left to shine unchanged at night or on paper."""
    tokens = _block(_sheet(), "@layer tokens {")
    dark = _block(tokens, "@media (prefers-color-scheme: dark) {")
    printed = _block(_block(_sheet(), "@layer print {"), "@media print {")
    by_day = set(_colours(tokens.replace(dark, "")))
    assert set(_colours(dark)) == by_day
    assert set(_colours(printed)) == by_day


def test_no_colour_is_written_outside_the_tokens() -> None:
    """A literal colour in a rule would escape the measure."""
    loose = [
        f"{selector}: {value}"
        for selector, declarations in _rules()
        for value in declarations.values()
        if COLOUR_VALUES.search(value)
    ]
    assert not loose


def test_text_is_ink_and_lies_on_a_ground_or_on_its_own_fill() -> None:
    """Who sets a background sets the text, too, and both come from families that fit."""
    faults = []
    for selector, declarations in _rules():
        back = declarations.get("background", declarations.get("background-color", ""))
        text = declarations.get("color", "")
        fill = re.fullmatch(r"var\(--fill-([a-z]+?)(?:-hover)?\)", back)
        ground = re.fullmatch(r"var\(--ground(?:-[a-z]+)?\)", back)
        if fill:
            fits = text == f"var(--on-{fill[1]})"
        elif ground:
            fits = text.startswith("var(--ink")
        else:
            fits = back in NEUTRAL_VALUES | {""} and (
                text in NEUTRAL_VALUES | {""} or text.startswith("var(--ink")
            )
        if not fits:
            faults.append(f"{selector}: {text or 'no text colour'} on {back or 'no background'}")
    assert not faults
