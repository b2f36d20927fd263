"""What ``suaka doctor`` says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, BAD = "ok", "warn", "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``level`` is :data:`OK`, :data:`WARN` or :data:`BAD`."""

    level: str
    text: str


def ok(text: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(OK, text)


def warn(text: str) -> Finding:
    """Return a finding that somebody should decide on."""
    return Finding(WARN, text)


def bad(text: str) -> Finding:
    """Return a finding that must be mended before the instance is used."""
    return Finding(BAD, text)
