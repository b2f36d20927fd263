"""What a form's token leads to: everything that the same form must always lead to again.

A blank form stays behind: in a browser's history, in a page that was printed or saved. Ticket and
words therefore also depend on the office's pepper, so that a token alone leads to neither, and
the office can stop showing them.
"""

from __future__ import annotations

import secrets
from typing import Final

from crypto import ticket, words
from crypto.labels import Label, derive

TOKEN_SIZE: Final = 32
"""Bytes of a form's token."""


def new_token() -> bytes:
    """Return the 256 random bits of a fresh form."""
    return secrets.token_bytes(TOKEN_SIZE)


def submission_of(token: bytes) -> bytes:
    """Return the name under which a form's submission is remembered; it reveals nothing."""
    return derive(Label.FORM_SUBMISSION, token)


def window_of(submission: bytes, *, pepper: bytes) -> bytes:
    """Return the name under which a receipt's window is remembered; it does not name the case."""
    return derive(Label.FORM_WINDOW, submission, salt=pepper)


def ticket_of(token: bytes, attempt: int, *, pepper: bytes) -> str:
    """Return the ticket that a form leads to; ``attempt`` rises when a ticket is taken."""
    entropy = derive(
        Label.FORM_TICKET,
        token,
        salt=pepper,
        context=bytes([attempt]),
        length=ticket.ENTROPY_SIZE,
    )
    return ticket.make(entropy)


def words_of(token: bytes, *, pepper: bytes) -> tuple[str, ...]:
    """Return the eight words of the secret key that a form leads to."""
    return words.encode(entropy_of(token, pepper=pepper))


def entropy_of(token: bytes, *, pepper: bytes) -> bytes:
    """Return the 10 bytes behind the secret key that a form leads to."""
    return derive(Label.FORM_WORDS, token, salt=pepper, length=words.ENTROPY_SIZE)
