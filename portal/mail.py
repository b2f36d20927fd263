"""From the settings to the post that sends notices; off while no mail server is named."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from casework.notices.post import Post
from portal.web.pages import TEMPLATE_PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

    from portal.settings import MailSection

NOTICE: Final = "mail/notice.txt"
"""The subject on the first line, an empty line, then the text."""


def post_of(mail: MailSection, folder: Path) -> Post | None:
    """Return the post of an instance; a relative ``password_file`` lies in its folder."""
    if not mail.host:
        return None
    notice = files(TEMPLATE_PACKAGE).joinpath(NOTICE).read_text("utf-8")
    subject, _, text = notice.partition("\n\n")
    return Post(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password_file=folder / mail.password_file if mail.password_file else None,
        sender=mail.sender,
        hours=mail.hours,
        subject=subject,
        text=text,
    )
