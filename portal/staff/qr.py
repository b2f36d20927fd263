"""QR codes for pages without scripts: a drawing inside the page, of attributes alone."""

from __future__ import annotations

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004 §5.3.8)."""

GROUP = 4


def svg(text: str) -> Markup:
    """Return a text as a QR code, ready to stand in a page.

    Black on white by day and night, since many cameras read no other, with its quiet zone. No
    style, script, identifier or address is in it, so the page's policy need not allow any; its
    size comes from the class ``qr``.
    """
    code = segno.make(text, error="m", micro=False)
    # The drawing holds numbers only: nothing of the text is written into it.
    return Markup(  # noqa: S704 - see above
        code.svg_inline(
            border=QUIET_ZONE,
            omitsize=True,
            dark="#000",
            light="#fff",
            svgclass="qr",
            lineclass=None,
        )
    )


def grouped(secret: str) -> str:
    """Return a secret as it is read aloud and typed: in groups of four characters."""
    return " ".join(secret[start : start + GROUP] for start in range(0, len(secret), GROUP))
