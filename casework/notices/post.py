"""Send the one notice there is by SMTP: the same bytes to everybody, whatever has happened.

A mail provider sees that a notice was sent, and to whom; nothing else is in it. Its date is the
fixed hour for which it is sent, its recipient stands on the envelope alone.
"""

from __future__ import annotations

import logging
import secrets
import smtplib
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

LOGGER: Final = logging.getLogger("suaka.notices")

TIMEOUT_SECONDS: Final = 15.0
"""How long one answer of the mail server may take."""

ALL_SECONDS: Final = 60.0
"""After how long no further message is begun: the tick has other things to do."""


@dataclass(frozen=True)
class Post:
    """A mail server, and what is sent by it at which hours.

    ``security``: ``starttls``, ``tls`` or ``none``. ``password_file`` is read at each sending, so
    that the password is in no other place. ``hours`` are local times as ``HH.MM``.
    """

    host: str
    port: int
    security: str
    username: str
    password_file: Path | None
    sender: str
    hours: tuple[str, ...]
    subject: str
    text: str
    timeout: float = TIMEOUT_SECONDS


def message(post: Post, moment: datetime) -> bytes:
    """Return the notice for an hour; any two differ in the random part of their id alone.

    The recipient is not in it, so that all are equally long.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = post.sender
    mail["To"] = "undisclosed-recipients:;"
    mail["Subject"] = post.subject
    mail["Date"] = format_datetime(moment)
    mail["Message-ID"] = f"<{secrets.token_hex(16)}@{_domain(post)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(post.text)
    return mail.as_bytes()


def send(post: Post, moment: datetime, recipients: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Send the notice of an hour to (person, address) pairs over one connection, each its own.

    Returns the persons whose message the server took. What fails leaves one line in the log, by
    the type of the error and the server's code; it is not tried again here.
    """
    taken: set[str] = set()
    end = time.monotonic() + ALL_SECONDS
    try:
        with _connection(post) as server:
            for person, address in recipients:
                if time.monotonic() >= end:
                    raise TimeoutError
                try:
                    server.sendmail(post.sender, [address], message(post, moment))
                except smtplib.SMTPRecipientsRefused as refused:
                    # The exception names the address, its code does not.
                    _log(refused, *(code for code, _ in refused.recipients.values()))
                else:
                    taken.add(person)
    except (smtplib.SMTPException, OSError, ValueError) as failed:
        _log(failed, getattr(failed, "smtp_code", 0))
    return frozenset(taken)


@contextmanager
def _connection(post: Post) -> Iterator[smtplib.SMTP]:
    """Connect, encrypt and sign in; a server that offers no encryption gets no message."""
    trust = ssl.create_default_context()
    # By default the greeting would tell the machine's own name.
    me = _domain(post)
    server = (
        smtplib.SMTP_SSL(post.host, post.port, me, timeout=post.timeout, context=trust)
        if post.security == "tls"
        else smtplib.SMTP(post.host, post.port, me, timeout=post.timeout)
    )
    try:
        if post.security == "starttls":
            server.starttls(context=trust)
        if post.username:
            password = post.password_file.read_text("utf-8").strip() if post.password_file else ""
            server.login(post.username, password)
        yield server
        server.quit()
    finally:
        server.close()


def _domain(post: Post) -> str:
    return post.sender.rpartition("@")[2]


def _log(failed: Exception, *codes: int) -> None:
    answer = ", ".join(str(code) for code in codes if code) or "none"
    LOGGER.error("notice not sent: %s, server's code: %s", type(failed).__name__, answer)
