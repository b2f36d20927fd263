"""All pages that a reporter can reach, declared public or guarded by a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.public import files, form, information, log, mailbox, proof, receipt, sign_in

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from portal.context import Portal


def handlers(portal: Portal) -> list[HTTPRouteHandler]:
    """Return every handler of the public surface."""
    return [
        *information.handlers(portal),
        *form.handlers(portal),
        *receipt.handlers(portal),
        *sign_in.handlers(portal),
        *mailbox.handlers(portal),
        *files.handlers(portal),
        *proof.handlers(portal),
        *log.handlers(portal),
    ]
